"""Makes tables and plots from the results of run.sh: report.py all|check|bounds FOLDER

FOLDER has `counts` and `times`, lines that the program prints, and a file callgrind.N for the Nth line of `counts` that is
not `wrong`.
"""

import math
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
OURS, FLOOR, CHECKING = "baremqtt", "floor", "checking floor"
BOUNDS = HERE / "bounds.tsv"
C_LIBRARIES = HERE / "c_libraries.tsv"


def lines(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def counts(folder):
    """Instructions of one operation, by group, operation and codec; None if the result is wrong."""
    files = sorted(folder.glob("callgrind.*"), key=lambda file: int(file.suffix[1:]))
    found = {}
    for group, name, codec, times, result in lines(folder / "counts"):
        total = None
        if result != "wrong":
            total = int(re.search(r"^(?:totals|summary): (\d+)", files.pop(0).read_text(), re.M)[1]) / int(times)
        found[group, name, codec] = total
    if files or not found:
        sys.exit("callgrind counted something else than the program says")
    return found


def times(folder):
    """Nanoseconds, likewise."""
    return {(group, name, codec): None if ns == "wrong" else float(ns) for group, name, codec, _, ns in lines(folder / "times")}


def c_libraries(measured):
    """Instructions of C libraries, described in README.md, for the measured operations."""
    (_, *libraries), *found = lines(C_LIBRARIES)
    groups = {name: group for group, name, _ in measured}
    for name, *values in found:
        for library, value in zip(libraries, values):
            if value != "-":
                yield (groups[name], name, library), int(value)


def rows(measured, group):
    """Operations and codecs of a group, in the order in which they were measured."""
    names, codecs = {}, {}
    for of, name, codec in measured:
        if of == group:
            names[name] = codecs[codec] = True
    return list(names), list(codecs)


def is_in_c(codec):
    return codec.endswith("(C)")


def is_peer(codec):
    return codec not in (OURS, FLOOR, CHECKING) and not is_in_c(codec)


def best_peer(measured, group, name):
    values = [value for (of, row, codec), value in measured.items() if (of, row) == (group, name) and is_peer(codec)]
    return min(value for value in values if value)


def mean(ratios):
    ratios = list(ratios)
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def table(measured, group, show):
    names, codecs = rows(measured, group)
    head = ["", *(f"**{codec}**" if codec == OURS else codec for codec in codecs)]
    yield "| " + " | ".join(head) + " |"
    yield "|--" * len(head) + "|"
    for name in names:
        best = best_peer(measured, group, name)
        cells = []
        for codec in codecs:
            value = measured.get((group, name, codec), "")
            cell = "-" if value == "" else "wrong" if value is None else show(value, measured[group, name, OURS], codec)
            cells.append(f"**{cell}**" if codec == OURS else f"_{cell}_" if value == best else cell)
        yield f"| {name.replace('|', '')} | " + " | ".join(cells) + " |"


def number(value, *_):
    return f"{value:,.0f}"


def ratio(value, ours, codec):
    """Our nanoseconds, and the times of others as multiples."""
    return f"{value:,.1f} ns" if codec == OURS else f"{value / ours:.2f}"


def summary(instructions, nanoseconds):
    names, _ = rows(instructions, "codec")

    def against(measured, codec):
        other = lambda name: best_peer(measured, "codec", name) if codec is None else measured["codec", name, codec]
        return mean(measured["codec", name, OURS] / other(name) for name in names)

    yield "| geometric mean of the 18 operations, this library over | instructions | time |"
    yield "|--|--|--|"
    for text, codec in [("the best of the others in each", None), ("the floor", FLOOR), ("the checking floor", CHECKING)]:
        yield f"| {text} | {against(instructions, codec):.2f} | {against(nanoseconds, codec):.2f} |"


def client(measured):
    """The cost of the client itself: it is compared not with others, but over the number of messages in flight."""
    yield "| | instructions | ns |"
    yield "|--|--|--|"
    instructions, nanoseconds = measured
    names, _ = rows(instructions, "client")
    for name in names:
        key = ("client", name, OURS)
        yield f"| {name} | {instructions[key]:,.0f} | {nanoseconds[key]:,.0f} |"


def plot(measured, title):
    """A line for each operation with a dot for each codec, as a multiple of the floor."""
    names, codecs = rows(measured, "codec")
    left, step, top, width = 240, 17, 58, 640
    points = {
        (name, codec): measured["codec", name, codec] / measured["codec", name, FLOOR]
        for name in names
        for codec in codecs
        if measured.get(("codec", name, codec))
    }
    low, high = math.log(min(points.values())), math.log(max(points.values()))
    x = lambda value: left + (math.log(value) - low) / (high - low) * (width - left - 16)
    height = top + step * len(names) + 8
    colours = {OURS: "#c0392b", FLOOR: "#2c3e50", CHECKING: "#7f8c8d"}
    colour = lambda codec: colours.get(codec, "#e9b872" if is_in_c(codec) else "#9ec5e8")
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/><text x="8" y="15" font-weight="bold">{title}</text>',
    ]
    legend = [OURS, FLOOR, CHECKING, "others in Rust", *({"others (C)"} if any(map(is_in_c, codecs)) else ())]
    for at, codec in zip((8, 100, 150, 260, 360), legend):
        out.append(f'<circle cx="{at + 4}" cy="28" r="4" fill="{colour(codec)}"/><text x="{at + 12}" y="32">{codec}</text>')
    for value in (0.5, 1, 2, 5, 10, 20, 50):
        if low <= math.log(value) <= high:
            out.append(f'<path d="M{x(value):.0f} {top - 4}V{height}" stroke="#ddd"/>')
            out.append(f'<text x="{x(value):.0f}" y="{top - 8}" text-anchor="middle" fill="#777">{value:g}</text>')
    for row, name in enumerate(names):
        y = top + step * row + 8
        out.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{name}</text>')
        # Ours is drawn last, on top of the others.
        for codec in sorted(codecs, key=lambda codec: (codec in colours, codec == OURS)):
            if (name, codec) in points:
                out.append(f'<circle cx="{x(points[name, codec]):.0f}" cy="{y}" r="4" fill="{colour(codec)}"/>')
    return "\n".join([*out, "</svg>", ""])


def into_readme(command, text):
    """Replaces the lines in README.md that are marked as made by this command."""
    readme = HERE / "README.md"
    begin, end = f"<!-- Made by {command}: begin -->\n", f"<!-- Made by {command}: end -->"
    before, rest = readme.read_text().split(begin)
    readme.write_text(before + begin + "\n" + "\n".join(text) + "\n\n" + end + rest.split(end)[1])


def everything(folder):
    instructions, nanoseconds = counts(folder), times(folder)
    instructions |= c_libraries(instructions)
    cargo, date = (folder / "about").read_text().splitlines()
    text = [f"Measured on {date} with {cargo.split(' (')[0].replace('cargo', 'Rust')}, `opt-level = 3` and fat LTO."]
    text += ["", *summary(instructions, nanoseconds)]
    text += ["", "### Instructions", "", "![](instructions.svg)", "", *table(instructions, "codec", number)]
    text += ["", "### Time", "", "Ours in nanoseconds, and how many times as long others take.", ""]
    text += ["![](time.svg)", "", *table(nanoseconds, "codec", ratio)]
    text += ["", "### Topic matching, instructions", "", *table(instructions, "topics", number)]
    text += ["", "### Topic matching, time", "", *table(nanoseconds, "topics", ratio)]
    text += ["", "### The client, for each message", "", *client((instructions, nanoseconds))]
    print("\n".join(text))
    into_readme("run.sh", text)
    (HERE / "instructions.svg").write_text(plot(instructions, "Instructions, as multiples of the floor"))
    (HERE / "time.svg").write_text(plot(nanoseconds, "Time, as multiples of the floor"))


def check(folder):
    """Fails if an operation takes more instructions than its bound."""
    bounds = {(group, name): int(bound) for group, name, bound in lines(BOUNDS)}
    failed = False
    for (group, name, _), value in counts(folder).items():
        bound = bounds.pop((group, name), None)
        verdict = "ok" if value and bound and value <= bound else "TOO MANY" if value and bound else "WRONG"
        failed |= verdict != "ok"
        print(f"{verdict:8} {value or 0:10,.0f} of {bound or 0:7,}  {name}")
    if failed or bounds:
        sys.exit(f"too many instructions, or operations that are not the same as in {BOUNDS.name}: {list(bounds)}")


def write_bounds(folder):
    """The counts plus a small margin: other processors use other versions of `memcpy`."""
    found = counts(folder).items()
    BOUNDS.write_text("".join(f"{group}\t{name}\t{math.ceil(value * 1.03) + 3}\n" for (group, name, _), value in found))


if __name__ == "__main__":
    {"all": everything, "check": check, "bounds": write_bounds}[sys.argv[1]](Path(sys.argv[2]))

"""Makes tables and a plot from the results of measure.py, and puts them into ../README.md: tables.py FOUND.json ABOUT

Figures are medians over the rounds; comparisons are within the same round.
"""

import json
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from report import into_readme  # noqa: E402

OURS = (
    "core alone",
    "std adapter",
    "std adapter, coalescing 50 µs",
    "std runner",
    "std runner, coalescing 50 µs",
)
CASES = [(qos, size) for size in (64, 1024) for qos in (0, 1, 2)]


class Found:
    def __init__(self, path):
        found = json.loads(path.read_text())
        self.clients = list(dict.fromkeys(talk["client"] for talk in found["talks"]))
        self.talks, self.trips, self.counted = {}, {}, {}
        for talk in found["talks"]:
            self.talks.setdefault((talk["client"], talk["qos"], talk["size"]), []).append(talk)
        for trip in found["trips"]:
            self.trips.setdefault(trip["client"], []).append(trip["microseconds"])
        for what in ("instructions", "calls"):
            for row in found[what]:
                self.counted.setdefault((what, row["client"], row["qos"], row["size"]), {})[row["role"]] = row["each"]

    def median(self, client, case, of):
        return statistics.median(map(of, self.talks[client, *case]))

    def rate(self, client, case):
        """Throughput as a multiple of libmosquitto's in the same round."""
        pairs = zip(self.talks[client, *case], self.talks["libmosquitto", *case])
        return statistics.median(rate(ours) / rate(theirs) for ours, theirs in pairs)

    def cpu(self, client, case, who):
        return self.median(client, case, lambda talk: talk[who]["cpu"] / talk["count"] * 1e6)

    def total_cpu(self, client, case):
        return self.median(client, case, lambda talk: sum(talk[who]["cpu"] for who in ("out", "in", "broker")) / talk["count"] * 1e6)

    def in_kernel(self, client, case, who):
        """The share of the kernel, over all rounds, if the time is long enough for the coarse clock that measures it."""
        user, system = (sum(talk[who][of] for talk in self.talks[client, *case]) for of in ("user", "system"))
        return f"{system / (user + system):.0%}" if user + system >= 0.1 else "-"

    def switches(self, client, case, who):
        return self.median(client, case, lambda talk: talk[who]["switches"] / talk["count"])

    def trip(self, client, nth):
        return statistics.median(trip[nth] for trip in self.trips[client])


def rate(talk):
    return talk["count"] / talk["seconds"]


def table(found, cell):
    yield "| | " + " | ".join(f"QoS {qos}, {'1 KiB' if size == 1024 else f'{size} B'}" for qos, size in CASES) + " |"
    yield "|--" * (len(CASES) + 1) + "|"
    for client in found.clients:
        mark = "**" if client in OURS else ""
        yield f"| {mark}{client}{mark} | " + " | ".join(cell(client, case) for case in CASES) + " |"


def both(values, digits=0):
    return " / ".join(f"{value:,.{digits}f}" for value in values)


def others(found):
    return [client for client in found.clients if client not in OURS]


def aims(found):
    """The std adapter over the best of the others."""
    plain, coalescing = OURS[1:3]

    def instructions(client, case):
        return [found.counted["instructions", client, *case][role] for role in ("out", "in")]

    def over_best(client, case):
        best = [min(values) for values in zip(*(instructions(other, case) for other in others(found)))]
        return both((ours / other for ours, other in zip(instructions(client, case), best)), 2)

    def over_core(case):
        pairs = zip(instructions(plain, case), instructions("core alone", case))
        return both((ours / core for ours, core in pairs), 2)

    def rates(client, case):
        return f"{found.rate(client, case) / max(found.rate(other, case) for other in others(found)):.2f}"

    def totals(client, case):
        return f"{found.total_cpu(client, case) / min(found.total_cpu(other, case) for other in others(found)):.2f}"

    rows = [
        ("instructions out / in, std adapter over the best of the others", lambda case: over_best(plain, case)),
        ("the same, coalescing", lambda case: over_best(coalescing, case)),
        ("the same, core alone", lambda case: over_best("core alone", case)),
        ("instructions out / in, std adapter over the core alone", over_core),
        ("throughput, std adapter over the best of the others", lambda case: rates(plain, case)),
        ("the same, coalescing", lambda case: rates(coalescing, case)),
        ("CPU of all three processes, std adapter over the best of the others", lambda case: totals(plain, case)),
        ("the same, coalescing", lambda case: totals(coalescing, case)),
    ]
    yield "| | " + " | ".join(f"QoS {qos}, {'1 KiB' if size == 1024 else f'{size} B'}" for qos, size in CASES) + " |"
    yield "|--" * (len(CASES) + 1) + "|"
    for name, cell in rows:
        yield f"| {name} | " + " | ".join(map(cell, CASES)) + " |"


def plot(found):
    """CPU time of publisher, subscriber and broker per message of 64 bytes."""
    left, width, bar, gap = 210, 640, 13, 26
    cases, whos = CASES[:3], {"out": "#c0392b", "in": "#e9b872", "broker": "#9ec5e8"}
    clients = [client for client in found.clients if client != "paho Python"]
    most = max(found.total_cpu(client, case) for client in clients for case in cases)
    out, y = [], 48
    for case in cases:
        out.append(f'<text x="8" y="{y}" font-weight="bold">QoS {case[0]}</text>')
        y += 6
        for client in clients:
            x = left
            out.append(f'<text x="{left - 6}" y="{y + 10}" text-anchor="end">{client}</text>')
            for who, colour in whos.items():
                length = found.cpu(client, case, who) / most * (width - left - 60)
                out.append(f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{bar - 2}" fill="{colour}"/>')
                x += length
            out.append(f'<text x="{x + 4:.1f}" y="{y + 10}">{found.total_cpu(client, case):.1f}</text>')
            y += bar
        y += gap
    legend = "".join(
        f'<rect x="{at}" y="20" width="9" height="9" fill="{colour}"/><text x="{at + 13}" y="29">{name}</text>'
        for at, name, colour in zip((8, 90, 180), ("publisher", "subscriber", "broker"), whos.values())
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="sans-serif" font-size="11">'
    title = '<text x="8" y="14" font-weight="bold">CPU for a message of 64 bytes, in µs</text>'
    return "\n".join([head, f'<rect width="{width}" height="{y}" fill="#fff"/>', title, legend, *out, "</svg>", ""])


def main(path, about):
    found = Found(path)
    counted = lambda what, digits: lambda client, case: both(
        (found.counted[what, client, *case][role] for role in ("out", "in")), digits
    )
    cpu = lambda client, case: both((found.cpu(client, case, who) for who in ("out", "in", "broker")), 1)
    kernel = lambda client, case: " / ".join(found.in_kernel(client, case, who) for who in ("out", "in"))
    switches = lambda client, case: both((found.switches(client, case, who) for who in ("out", "in", "broker")), 2)
    text = [about, "", *aims(found), ""]
    text += ["### User-space instructions for a message, publisher / subscriber", "", *table(found, counted("instructions", 0)), ""]
    text += ["### Throughput, as a multiple of libmosquitto's", ""]
    text += [*table(found, lambda client, case: f"{found.rate(client, case):.2f}"), ""]
    text += ["### CPU for a message in µs, publisher / subscriber / broker", "", "![](broker.svg)", "", *table(found, cpu), ""]
    text += ["Of that in the kernel, publisher / subscriber:", "", *table(found, kernel), ""]
    text += ["### System calls for a message, publisher / subscriber", "", *table(found, counted("calls", 2)), ""]
    text += ["### Context switches for a message, publisher / subscriber / broker", "", *table(found, switches), ""]
    text += ["### There and back at QoS 0, in µs", "", "| | median | 99th percentile |", "|--|--|--|"]
    for client in found.clients:
        mark = "**" if client in OURS else ""
        text.append(f"| {mark}{client}{mark} | {found.trip(client, 0):.0f} | {found.trip(client, 1):.0f} |")
    print("\n".join(text))
    into_readme("run.sh broker", text)
    (HERE.parent / "broker.svg").write_text(plot(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

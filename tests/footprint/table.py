"""What programs cost on a microcontroller.

    table.py programs                           the programs to build: a name, the binary, its features
    table.py choices                            the application with each choice of the configuration alone, likewise
    table.py table TOOLCHAIN FOLDER             prints the tables, and fails above bounds.tsv if that was made with this toolchain
    table.py bounds TOOLCHAIN FOLDER            the same, and rewrites bounds.tsv, the table in README.md and the figures in src/lib.rs

In the folder, `s` and `z` have the linked programs for these optimisation levels, `emulated` those that run in QEMU. Flash is
.text, .rodata and .data, without those of the empty program. State is what the client takes besides its buffers. Stack is the
most that the emulated program has used, from main on down, its state included and its buffers not.
"""

import re
import struct
import subprocess
import sys
from pathlib import Path

BOUNDS = Path(__file__).with_name("bounds.tsv")
ROOT = Path(__file__).parents[2]
# Not in any table, but the baseline for others.
REFERENCES = {"empty": "empty", "buffers": "buffers", "static": "static"}
PROGRAMS = {
    "publisher": ("publisher", "", "QoS 0 publisher, on the codec alone"),
    "application": ("application", "", "the application used for the comparison below"),
    "lean": ("application", "lean", "the same, without 3.1, timeouts, loss reports and large messages"),
    "leanest": ("application", "lean,no-inbound-qos2", "the same, also without inbound QoS 2"),
    "everything": ("everything", "everything", "everything that the library can do"),
}
CHOICES = {
    "no-mqtt31": "`mqtt31` off",
    "no-connack-timeout": "`connack_timeout_ms` 0",
    "no-pingresp-timeout": "`pingresp_timeout_ms` 0",
    "no-ack-timeout": "`ack_timeout_ms` 0",
    "no-stall-timeout": "`stall_timeout_ms` 0",
    "no-ping-on-silence": "`ping_on_silence` off",
    "no-loss-reports": "`reports_loss` off",
    "no-max-exactly-once": "`max_exactly_once` 0",
    "no-inbound-qos2": "`receives_exactly_once` off",
    "refuse-large": "`large_messages` `Refuse`",
    "drop-what-is-lost": "`session_loss` `Drop`",
    "assume-session-lost": "`assume_session_kept` off",
    "max-requests": "`max_requests` 10",
    "retry": "`retry_ms` not 0",
    "pieces": "`large_messages` `Pieces`",
    "manual-acknowledgement": "`manual_acknowledgement` on",
    "streams": "`streams` on",
    "durable": "`durable` on",
}
# Arrays in main.
BUFFERS = {"publisher": 128, "application": 256 + 256, "everything": 256 + 256 + 384}
FLASH = (".text", ".rodata", ".data")
# Parts of the names of functions that must not be linked: unwanted copies of values, formatting, panics.
UNWANTED = ("memcpy", "memmove", "4core3fmt", "9panicking", "panic_fmt", "panic_bounds_check")
# May hold things in RAM twice: an image, and errors that are inspected.
MAY_COPY = ("everything",)


class Program:
    """A linked program: a 32-bit little-endian ELF file."""

    def __init__(self, path):
        self.elf = path.read_bytes()
        offset = struct.unpack_from("<I", self.elf, 32)[0]
        entry_size, count, names = struct.unpack_from("<HHH", self.elf, 46)
        self.headers = [struct.unpack_from("<10I", self.elf, offset + i * entry_size) for i in range(count)]
        self.names = [self.text(self.headers[names][4] + header[0]) for header in self.headers]

    def text(self, at):
        return self.elf[at : self.elf.index(b"\0", at)].decode()

    def sections(self):
        """The sizes of the sections, by the names before a second dot."""
        sizes = {}
        for name, (_, _, _, _, _, size, *_) in zip(self.names, self.headers):
            name = "." + name.split(".")[1] if name.startswith(".") else name
            sizes[name] = sizes.get(name, 0) + size
        return sizes

    def flash(self):
        sizes = self.sections()
        return sum(sizes.get(name, 0) for name in FLASH)

    def symbols(self):
        """Name, size and section of each symbol."""
        for _, kind, _, _, offset, size, link, *_ in self.headers:
            if kind != 2:
                continue
            for at in range(offset, offset + size, 16):
                name, _, length, _, _, section = struct.unpack_from("<IIIBBH", self.elf, at)
                where = self.names[section] if section < len(self.names) else ""
                yield self.text(self.headers[link][4] + name), length, where

    def clearing(self):
        """Bytes of the functions that clear memory."""
        return sum(size for name, size, _ in self.symbols() if "memset" in name or "memclr" in name)


def stack(path, binary):
    """Runs the program, which prints how many bytes of stack it has used."""
    board = ["qemu-system-arm", "-M", "lm3s6965evb", "-nographic", "-monitor", "none", "-serial", "none"]
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    command = [*board, *semihosting, "-kernel", path]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        sys.exit(f"{path.name} ends with {run.returncode}: {run.stderr}")
    return int(run.stdout) - BUFFERS[binary]


def measure(folder):
    """Flash at `s` and `z`, stack and state of each program; flash at `s` of each choice."""
    linked = {level: {path.name: Program(path) for path in (folder / level).iterdir()} for level in "sz"}
    figures = {}
    for name, (binary, _, _) in PROGRAMS.items():
        flash = [linked[level][name].flash() - linked[level]["empty"].flash() for level in "sz"]
        state = linked["s"][name].sections().get(".state", 0)
        figures[name] = [*flash, stack(folder / "emulated" / name, binary), state]
    choices = {name: linked["s"][name].flash() - linked["s"]["empty"].flash() for name in CHOICES}
    return linked["s"], figures, choices


def program_rows(figures):
    """The rows of the table of programs, by their first cells."""
    for name, (_, _, description) in PROGRAMS.items():
        cells = " | ".join(f"{figure:,}" if figure else "-" for figure in figures[name])
        yield description, f"| {description} | {cells} |"


def costs(figures, choices):
    """What each choice adds: the method, what it returns, and bytes."""
    for name, description in CHOICES.items():
        method, value = re.fullmatch(r"`(\w+)` (.*)", description).groups()
        yield method, value, f"{choices[name] - figures['application'][0]:+,}"


def print_tables(figures, choices):
    print('| thumbv7m, bytes | flash, `opt-level = "s"` | `"z"` | stack, state included | state |')
    print("|---|---|---|---|---|")
    print("\n".join(row for _, row in program_rows(figures)))
    print('\n| each choice alone, in the application | flash, `opt-level = "s"` |\n|---|---|')
    print("\n".join(f"| `{method}` {value} | {cost} |" for method, value, cost in costs(figures, choices)))


def write_tables(figures, choices):
    """The rows in README.md, and the figures in bold in the list of methods in src/lib.rs."""
    readme, crate = ROOT / "README.md", ROOT / "src/lib.rs"
    text = readme.read_text()
    for description, row in program_rows(figures):
        text = replaced(rf"^\| {re.escape(description)} \|.*$", row, text)
    readme.write_text(text)
    cells = {}
    for method, value, cost in costs(figures, choices):
        cells.setdefault(method, []).append(f"{value}: {cost}")
    text = crate.read_text()
    for method, values in cells.items():
        item = rf"^(//! - \[`{method}`\]\(Config::{method}\), .*) \*\*[^*]*\*\*$"
        text = replaced(item, rf"\1 **{'; '.join(values)}**", text)
    crate.write_text(text)


def replaced(pattern, by, text):
    text, count = re.subn(pattern, by, text, flags=re.MULTILINE)
    if count != 1:
        sys.exit(f"{count} lines are like {pattern}")
    return text


def unwanted(programs):
    """Symbols that are linked but should not be."""
    most = programs["buffers"].clearing()
    for name in PROGRAMS:
        for symbol, _, _ in programs[name].symbols():
            copies = "memcpy" in symbol or "memmove" in symbol
            if any(part in symbol for part in UNWANTED) and not (copies and name in MAY_COPY):
                yield f"{name} links {symbol}"
        if programs[name].clearing() > most:
            yield f"{name} links more to clear memory than its buffers need"
    for symbol, _, section in programs["static"].symbols():
        if "CLIENT" in symbol and not section.startswith(".bss"):
            yield f"a client in a static lies in {section}"


def above_bounds(toolchain, figures):
    measured_with, *lines = BOUNDS.read_text().splitlines()
    if measured_with != toolchain:
        print(f"\nThe bounds are of {measured_with}, this is {toolchain}: not compared.")
        return
    bounds = {name: [int(figure) for figure in rest] for name, *rest in (line.split("\t") for line in lines)}
    for name, row in figures.items():
        if any(figure > bound for figure, bound in zip(row, bounds[name], strict=True)):
            yield f"{name} takes {row}, and at most {bounds[name]} are allowed"


def report(command, toolchain, folder):
    programs, figures, choices = measure(Path(folder))
    print_tables(figures, choices)
    if command == "bounds":
        rows = ["\t".join([name, *map(str, row)]) for name, row in figures.items()]
        BOUNDS.write_text("\n".join([toolchain, *rows]) + "\n")
        write_tables(figures, choices)
    faults = [*unwanted(programs), *above_bounds(toolchain, figures)]
    if faults:
        sys.exit("\n".join(faults))


match sys.argv[1:]:
    case ["programs"]:
        rows = {name: (binary, "") for name, binary in REFERENCES.items()} | PROGRAMS
        print("\n".join(f"{name} {binary} {features}" for name, (binary, features, *_) in rows.items()))
    case ["choices"]:
        print("\n".join(f"{name} application {name}" for name in CHOICES))
    case ["table" | "bounds" as command, toolchain, folder]:
        report(command, toolchain, folder)
    case _:
        sys.exit(__doc__)

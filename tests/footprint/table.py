"""Prints what programs take of a microcontroller, as a table: table.py OPT_LEVEL_S OPT_LEVEL_Z EMULATED

Each is a folder with the programs. Flash is .text, .rodata and .data, without those of the empty program. State is what the
client takes besides its buffers. Stack is the most that the emulated program has used, from main on down, its state included
and its buffers not.
"""

import struct
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "publisher": "QoS 0 publisher, on the codec alone",
    "application": "the application that others were measured with",
    "everything": "the same, and everything else",
}
# Arrays in main.
BUFFERS = {"publisher": 128, "application": 256 + 256, "everything": 256 + 256 + 384}
FLASH = (".text", ".rodata", ".data")


def sections(path):
    """The sizes of the sections of a 32-bit little-endian ELF file, by the names before a second dot."""
    elf = path.read_bytes()
    offset = struct.unpack_from("<I", elf, 32)[0]
    entry_size, count, names = struct.unpack_from("<HHH", elf, 46)
    headers = [struct.unpack_from("<10I", elf, offset + index * entry_size) for index in range(count)]
    sizes = {}
    for name, _, _, _, _, size, *_ in headers:
        start = headers[names][4] + name
        name = elf[start : elf.index(b"\0", start)].decode()
        name = "." + name.split(".")[1] if name.startswith(".") else name
        sizes[name] = sizes.get(name, 0) + size
    return sizes


def flash(folder, program):
    sizes = sections(folder / program)
    return sum(sizes.get(name, 0) for name in FLASH)


def stack(folder, program):
    """Runs the program, which prints the bytes of stack that it has used."""
    board = ["qemu-system-arm", "-M", "lm3s6965evb", "-nographic", "-monitor", "none", "-serial", "none"]
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    command = [*board, *semihosting, "-kernel", folder / program]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        sys.exit(f"{program} ends with {run.returncode}: {run.stderr}")
    return int(run.stdout) - BUFFERS[program]


*linked, emulated = [Path(folder) for folder in sys.argv[1:]]
print("| thumbv7m, bytes | flash, `opt-level = \"s\"` | `\"z\"` | stack, state included | state |")
print("|---|---|---|---|---|")
for program, description in PROGRAMS.items():
    figures = [flash(folder, program) - flash(folder, "empty") for folder in linked]
    figures.append(stack(emulated, program))
    figures.append(sections(linked[0] / program).get(".state", 0) or "-")
    print("|", description, "|", " | ".join(f"{figure:,}" if figure != "-" else "-" for figure in figures), "|")

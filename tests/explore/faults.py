#!/usr/bin/env python3
"""Tests of the tests: puts each fault of faults/ into a copy of the library, and checks that the exploration of all states finds it,
or else the client's own tests. Prints a row of the table in README.md for each.

    tests/explore/faults.py              all of them: about a minute each
    tests/explore/faults.py NAME...      only these
    tests/explore/faults.py --check      only checks that each fits exactly one place in src/

A fault is a line that describes it, followed by hunks as in a diff, each after a line `@@`. They name neither file nor line: a
hunk fits if its lines occur, with any indentation, in exactly one place in src/.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAULTS = ROOT / "tests/explore/faults"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "faults"
COPY = TARGET / "copy"
# Seconds: a fault can make anything hang, and a command that takes longer is stopped.
LONGEST = 300


class Unfit(Exception):
    pass


def put_in(fault, root):
    """Puts a fault into the library at `root`."""
    hunk, hunks = [], []
    for line in fault.read_text().splitlines()[1:]:
        if line == "@@":
            hunk = []
            hunks.append(hunk)
        else:
            hunk.append((line[:1], line[1:].strip()))
    for hunk in hunks:
        old = [line for mark, line in hunk if mark != "+"]
        new = [line for mark, line in hunk if mark != "-"]
        places = list(places_of(old, root))
        if len(places) != 1:
            raise Unfit(f"FITS {len(places)} PLACES: {old[0]}")
        path, lines, at = places[0]
        lines[at : at + len(old)] = new
        path.write_text("\n".join(lines) + "\n")


def places_of(old, root):
    for path in sorted(root.glob("src/**/*.rs")):
        lines = path.read_text().splitlines()
        stripped = [line.strip() for line in lines]
        for at in range(len(lines) - len(old) + 1):
            if stripped[at : at + len(old)] == old:
                yield path, lines, at


def copy():
    """The committed library, without the parts that no fault needs."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-x", "-C", COPY], input=archive, check=True)


def run(*command, folder=COPY):
    """The exit status of a command, and its output."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET / "target"), CARGO_PROFILE_DEV_DEBUG="0")
    pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    # In a session of its own, so that its child processes end with it.
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **pipe) as process:
        try:
            printed, _ = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None, ""
        return process.returncode, printed


def found_by():
    """What finds the fault in the copy."""
    status, _ = run("cargo", "build", "--quiet", "--release", "--locked", folder=COPY / "tests/explore")
    if status != 0:
        raise Unfit("DOES NOT COMPILE")
    status, found = run(TARGET / "target/release/explore", "find")
    if status == 0:
        return f"`explore` {found.strip()}"
    _, printed = run("cargo", "test", "--quiet", "--locked", "--test", "client")
    failed = re.search(r"^---- (.*) stdout ----$", printed, re.MULTILINE)
    if failed is None:
        raise Unfit("NOT FOUND")
    return f"`tests/client` {failed[1]}"


def check():
    """Whether each fault fits."""
    good = True
    for fault in sorted(FAULTS.glob("*.diff")):
        shutil.rmtree(COPY, ignore_errors=True)
        shutil.copytree(ROOT / "src", COPY / "src")
        try:
            put_in(fault, COPY)
        except Unfit as unfit:
            print(f"{fault.stem} {unfit}")
            good = False
    return good


def find(faults):
    """Whether each fault is found."""
    missed = 0
    for fault in faults:
        copy()
        try:
            put_in(fault, COPY)
            how = found_by()
        except Unfit as unfit:
            how = str(unfit)
            missed += 1
        what = fault.read_text().split("\n", 1)[0]
        print(f"| {fault.stem} | {what} | {how} |", flush=True)
    print(f"{len(faults)} faults, {missed} not found")
    return missed == 0


def main(names):
    if names == ["--check"]:
        return check()
    return find([FAULTS / f"{name}.diff" for name in names] or sorted(FAULTS.glob("*.diff")))


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)

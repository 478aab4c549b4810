#!/usr/bin/env python3
"""Tries mutants of the library: checks that a test notices each. README.md has the results, and the reasons for those that none does.

    tests/mutants/run.py GLOB...           the mutants of these files, for instance src/client/**
    tests/mutants/run.py --in-diff FILE    the mutants of the lines that a diff touches

The changes that `cargo mutants` would compile one by one are compiled once, each behind a number in the environment, and then the
tests run for each number. It needs nightly, on which a `const fn` can read that number, and `cargo install cargo-mutants`.
Fails if a mutant is missed that README.md does not name.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "mutants"
TREE = TARGET / "tree"
# In the order in which they are tried: the cargo command of each, and its arguments. The unit tests exclude those of adapters, which
# depend on the system's time and threads.
TESTS = {
    "client": (["--test", "client"], []),
    "codec": (["--test", "codec"], ["--skip", "exhaustive"]),
    "conformance": (["--test", "conformance"], []),
    "baremqtt": (["--lib"], ["--skip", "transport"]),
}
# The first failing test ends the program, and so does a test that takes this many times as long as all of them take without a mutant.
TIMEOUT_FACTOR = 4

MODULE = """
extern crate std as std_of_mutants;
pub(crate) mod mutant {
    use super::std_of_mutants as std;

    const fn no(_: u32) -> bool {
        false
    }

    fn look(number: u32) -> bool {
        static CHOSEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        number == *CHOSEN.get_or_init(|| {
            std::panic::set_hook(std::boxed::Box::new(|_| std::process::exit(101)));
            std::env::var("MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(u32::MAX)
        })
    }

    pub(crate) const fn is(number: u32) -> bool {
        core::intrinsics::const_eval_select((number,), no, look)
    }
}
"""


def run(*command, **more):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **more).stdout


def cargo(*command, small=False):
    """Cargo's messages about the tree with the mutants; with the code for small machines if requested."""
    features = ["--no-default-features"] if small else ["--all-features", "--features", "defmt/unstable-test"]
    env = os.environ | {
        "CARGO_TARGET_DIR": str(TARGET / ("small" if small else "build")),
        "CARGO_INCREMENTAL": "0",
        "CARGO_PROFILE_DEV_DEBUG": "0",
        "CARGO_PROFILE_DEV_OPT_LEVEL": "1",
        "RUSTFLAGS": "--cap-lints allow -Zunstable-options" + (" --cfg baremqtt_small" if small else ""),
    }
    command = ["cargo", "+nightly", *command, "--message-format", "json", *features]
    ended = subprocess.run(command, cwd=TREE, env=env, text=True, capture_output=True, check=False)
    return ended, [json.loads(line) for line in ended.stdout.splitlines()]


def copy_tree():
    shutil.rmtree(TREE, ignore_errors=True)
    for name in run("git", "ls-files", "-z", cwd=ROOT).split("\0"):
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)


def numbers_at(span):
    """The mutants between whose marks the compiler reports an error."""
    while span and not span["file_name"].startswith("src/"):
        span = (span.get("expansion") or {}).get("span")
    if not span:
        return set()
    before = (TREE / span["file_name"]).read_bytes()[: span["byte_start"] + 1].decode(errors="ignore")
    marks = [""]
    for mark in re.finditer(r"/\*<([\d,]*)\*/|/\*>\*/", before):
        marks.pop() if mark[1] is None else marks.append(mark[1])
    return {int(number) for number in marks[-1].split(",") if number}


def build(mutants):
    """Writes the tree with all mutants that compile. Returns those that do not, and those that have no place in it."""
    bad = set()
    while True:
        copy_tree()
        (TARGET / "list.json").write_text(json.dumps(mutants))
        (TARGET / "left_out").write_text(" ".join(map(str, bad)))
        put = ["cargo", "run", "--quiet", "--locked", "--manifest-path", str(HERE / "Cargo.toml"), "--"]
        without_place = run(*put, str(TARGET / "list.json"), str(TARGET / "left_out"), cwd=TREE).split()
        library = TREE / "src/lib.rs"
        features = "\n#![feature(core_intrinsics, const_eval_select)]\n#![allow(internal_features)]"
        library.write_text(library.read_text().replace("\n#![forbid", features + "\n#![forbid", 1) + MODULE)
        ended, messages = cargo("check", "--lib")
        if ended.returncode == 0:
            return bad, {int(number) for number in without_place}
        errors = [m["message"] for m in messages if m["reason"] == "compiler-message" and m["message"]["level"] == "error"]
        found = set().union(*(numbers_at(span) for error in errors for span in error["spans"] if span["is_primary"]))
        if not found:
            sys.exit("".join(error["rendered"] for error in errors) or ended.stderr)
        bad |= found


def programs(small):
    """The tests: a command, and the seconds that it may take."""
    ended, messages = cargo("test", "--no-run", *(part for asked, _ in TESTS.values() for part in asked), small=small)
    if ended.returncode != 0:
        sys.exit(ended.stderr)
    found = {m["target"]["name"]: m["executable"] for m in messages if m.get("executable")}
    commands = [[found[name], "--quiet", *arguments] for name, (_, arguments) in TESTS.items()]
    return [(command, max(5, int(TIMEOUT_FACTOR * seconds_of(command)))) for command in commands]


def passes(command, number, seconds):
    """Whether a test passes with this mutant, within this much CPU time."""

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

    env = os.environ | {"MUTANT": str(number)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        ended = subprocess.run(command, cwd=TREE, env=env, preexec_fn=limit, timeout=600, check=False, **quiet)
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def seconds_of(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    if not passes(command, -1, 600):
        sys.exit(f"{command[0]} fails without a mutant")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def name_of(mutant):
    """The name without its position in the file, which changes more often."""
    return re.sub(r"^([^:]*):\d+:\d+: ", r"\1: ", mutant["name"])


def main(arguments):
    TARGET.mkdir(parents=True, exist_ok=True)
    which = arguments if arguments[:1] == ["--in-diff"] else [part for glob in arguments for part in ("-f", glob)]
    if not which:
        sys.exit(__doc__)
    mutants = json.loads(run("cargo", "mutants", "--list", "--json", *which, cwd=ROOT))
    bad, without_place = build(mutants)
    tried = missed = [number for number in range(len(mutants)) if number not in bad | without_place]
    # Code for small machines, or for large ones, is tested only there.
    for small in (False, True):
        tests = programs(small)
        missed = [number for number in missed if all(passes(command, number, seconds) for command, seconds in tests)]
    for number in missed:
        print("missed:", mutants[number]["name"])
    for number in sorted(without_place):
        print("left to cargo mutants:", mutants[number]["name"])
    print(f"{len(mutants)} mutants: {len(bad)} do not compile, {len(without_place)} are left, {len(missed)} of {len(tried)} missed")
    known = (HERE / "README.md").read_text()
    new = [mutants[number]["name"] for number in missed if name_of(mutants[number]).replace("|", "\\|") not in known]
    if new:
        sys.exit("run.py: README.md does not name\n" + "\n".join(new))


if __name__ == "__main__":
    main(sys.argv[1:])

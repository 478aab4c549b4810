#!/usr/bin/env python3
"""Checks the dependencies of the packages: licences compatible with MIT OR Apache-2.0, the registry as the only source, each locked
by its checksum; and in the library itself no duplicates, and nothing that needs a newer compiler.

    tests/dependencies.py MANIFEST...
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Each lets anybody use, change and distribute compiled code, on the sole condition that its own text is included.
LICENCES = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "NCSA", "Unicode-3.0", "Zlib"}
REGISTRY = "registry+"
# Dependencies in two versions, because the library supports streams of both: features for 0.6 and for 0.7.
BOTH = {"embedded-io", "embedded-io-async"}


def is_allowed(expression):
    """Whether one of the choices that a licence expression leaves is in LICENCES. A slash is an old form of OR."""
    tokens = re.findall(r"\(|\)|[^\s()/]+(?: WITH [^\s()]+)?|/", expression.replace("/", " / "))

    def alternatives():
        good = conjunction()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            good = conjunction() or good
        return good

    def conjunction():
        good = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            good = one() and good
        return good

    def one():
        token = tokens.pop(0) if tokens else ""
        if token != "(":
            return token in LICENCES
        good = alternatives()
        tokens.pop(0)
        return good

    return alternatives() and not tokens


def rust(package):
    """The oldest compiler that it declares support for: [1, 88]."""
    return [int(number) for number in (package["rust_version"] or "0").split(".")[:2]]


def complaints(manifest):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features", "--manifest-path", manifest]
    packages = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)["packages"]
    manifest_is_root = Path(manifest).resolve().parent == ROOT
    promised = max(rust(package) for package in packages if package["source"] is None)
    locked = (Path(manifest).parent / "Cargo.lock").read_text()
    sums = dict(re.findall(r'name = "(.*)"\nversion = ".*"\nsource = ".*"\nchecksum = "(.*)"', locked))
    versions = defaultdict(set)
    for package in packages:
        name = f"{package['name']} {package['version']}"
        source = package["source"]
        versions[package["name"]].add(package["version"])
        if source is None:
            if not Path(package["manifest_path"]).resolve().is_relative_to(ROOT):
                yield f"{name}: from outside of the repository"
            continue
        if not source.startswith(REGISTRY) or package["name"] not in sums:
            yield f"{name}: from {source}"
        if not is_allowed(package["license"] or ""):
            yield f"{name}: the licence {package['license']}"
        if manifest_is_root and rust(package) > promised:
            yield f"{name}: needs Rust {package['rust_version']}"
    if manifest_is_root:
        for name, found in versions.items():
            if len(found) > (2 if name in BOTH else 1):
                yield f"{name}: in the versions {', '.join(sorted(found))}"


def selftest():
    for good in ("MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception OR MIT"):
        assert is_allowed(good), good
    for bad in ("GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR GPL-3.0) AND MIT", "MPL-2.0", ""):
        assert not is_allowed(bad), bad


def main(manifests):
    selftest()
    bad = [f"{manifest}: {complaint}" for manifest in manifests for complaint in complaints(manifest)]
    print("\n".join(bad) if bad else f"{len(manifests)} packages: licences, sources and versions are as they should be")
    return 1 if bad or not manifests else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

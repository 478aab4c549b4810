#!/usr/bin/env python3
"""Checks that lines of code fit into a page of the documentation, which cuts off what is wider.

    tests/code_width.py README.md docs/*.md $(find src -name '*.rs')
"""

import re
import sys

# What fits beside the side bar in a window of 1,280 points.
WIDTH = 96


def lines_of_code(text, is_rust):
    """The lines in blocks of code, each with its number. In Rust, those in documentation comments, without what rustdoc hides."""
    is_inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if is_rust:
            comment = re.match(r"\s*//[/!] ?(.*)", line)
            if not comment:
                is_inside = False
                continue
            line = comment[1]
        if line.startswith("```"):
            is_inside = not is_inside
        elif is_inside and not re.match(r"# |#$", line):
            yield number, line


def main():
    wide = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            found = lines_of_code(file.read(), path.endswith(".rs"))
            wide += [f"{path}:{number}: {len(line)} characters" for number, line in found if len(line) > WIDTH]
    if wide:
        sys.exit("\n".join(["lines of code with more than {} characters are cut off:".format(WIDTH), *wide]))


if __name__ == "__main__":
    main()

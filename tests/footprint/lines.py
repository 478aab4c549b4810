#!/usr/bin/env python3
"""Lines of code of the client: src/ without the codec, topics, routes, back-off, adapters and the session file; without comments, tests and empty lines."""

from collections import Counter
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src"
OTHERS = ("codec", "transport", "topic.rs", "validate.rs", "routes.rs", "backoff.rs", "session_file.rs")

lines = Counter()
for path in SRC.rglob("*.rs"):
    place = path.relative_to(SRC)
    if place.parts[0] not in OTHERS:
        code = path.read_text().split("#[cfg(test)]\nmod tests")[0].splitlines()
        lines[str(place.parent)] += sum(1 for line in code if line.strip() and not line.strip().startswith("//"))

for folder, count in sorted(lines.items()):
    print(f"{count:6,}  src/{folder}")
print(f"{sum(lines.values()):6,}  in all")

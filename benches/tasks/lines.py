#!/usr/bin/env python3
"""Prints how many lines of code each task takes with each library: those between the braces of its function, without comments.

    benches/tasks/lines.py
"""

from pathlib import Path

LIBRARIES = ("baremqtt", "rumqttc", "rust_mqtt", "minimq")
# If a library needs two steps for something, they are one task.
TASKS = {
    "connect, with a will and a password": ("configure", "connect"),
    "publish at QoS 0": ("publish",),
    "publish at QoS 1, and wait until the server has it": ("publish_and_wait",),
    "subscribe, and know what was granted": ("subscribe",),
    "receive messages": ("receive",),
    "reconnect after a lost link, and resubscribe": ("come_back",),
    "publish from another thread": ("from_another_thread",),
    "queue a message while offline": ("keep_while_offline",),
    "stop once everything is delivered": ("stop_once_delivered",),
    "receive a message larger than the buffer": ("pieces", "receive_large"),
}


def functions(path):
    """The lines of each public function's body."""
    name, in_body, counts = None, False, {}
    for line in path.read_text().splitlines():
        if line.startswith(("pub fn ", "pub async fn ")):
            name, in_body = line.split("fn ")[1].split("<")[0].split("(")[0], False
            counts[name] = 0
        if line == "}":
            name = None
        elif name and in_body and line.strip() and not line.strip().startswith("//"):
            counts[name] += 1
        # A signature of several lines ends with its brace in the first column.
        in_body = in_body or bool(name) and line.endswith("{") and (line[0] in "p})" or line.startswith("pub"))
    return counts


def main():
    counted = [functions(Path(__file__).parent / "src" / f"with_{library}.rs") for library in LIBRARIES]
    print("| lines | " + " | ".join(library.replace("_", "-") for library in LIBRARIES) + " |")
    print("|---|" + "--:|" * len(LIBRARIES))
    for task, names in TASKS.items():
        cells = [sum(counts.get(name, 0) for name in names) or "-" for counts in counted]
        print(f"| {task} | " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()

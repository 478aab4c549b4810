"""Plots the client's instructions per message over the number in flight, and over the size of its buffers: curves.py FOLDER"""

import sys
from pathlib import Path

from plots import figure
from report import HERE, counts


def main(folder):
    lines = {}
    for (_, name, _), value in counts(folder).items():
        series, x = name.split("=")
        lines.setdefault(series, []).append((int(x), value))
    window = [(5_888 + slack, value) for slack, value in lines.pop("tx, QoS 1 out, 64 under way")]
    stream = lines.pop("rx, QoS 0 in")
    label = {"log_x": True, "title": "Instructions for a message over how many are under way, in a buffer of twice their size"}
    panels = [
        {**label, "x_label": "messages under way", "series": lines},
        {
            "log_x": True,
            "title": "Over the transmit buffer's room for requests, 64 messages (5,888 bytes) under way",
            "x_label": "bytes",
            "series": {"QoS 1 out": window},
        },
        {
            "log_x": True,
            "title": "Over the receive buffer, in a stream of messages of 64 bytes",
            "x_label": "bytes",
            "series": {"QoS 0 in": stream},
        },
    ]
    (HERE / "client.svg").write_text(figure(panels))
    for name, line in {**lines, "tx": window, "rx": stream}.items():
        print(name, " ".join(f"{x}:{value:.0f}" for x, value in line))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Ten and twenty thousand clients on one thread, through Mosquitto: scale.py MANY_CLIENTS ABOUT

They connect as fast as they can, idle, lose the broker, and reconnect. Memory and CPU are measured from outside. Puts a table and
plots into README.md.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from broker.measure import TIMEOUT, difference, free_port, listens, used
from plots import figure
from report import HERE, into_readme

CLIENTS = (10_000, 20_000)
REST = KEEP_ALIVE = 20
"""Seconds of idling: only keep alives, one per client."""
DOWN = 2
"""Seconds without a broker."""
INTERVAL = 0.25
OTHER_FILES = 100


class Mosquitto:
    def __init__(self, folder):
        self.port = free_port()
        self.config = Path(folder, "mosquitto.conf")
        self.config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n")
        self.start()

    def start(self):
        environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        self.process = subprocess.Popen(["mosquitto", "-c", str(self.config)], env=environment)
        listens(self.process, self.port)

    def stop(self):
        self.process.terminate()
        self.process.wait(TIMEOUT)


class Fleet:
    """The running example, and its output: how many are connected at which time."""

    def __init__(self, program, port, clients):
        # One message each, one every eight seconds: none of them has sent all its messages, so none leaves.
        arguments = ["--broker", f"127.0.0.1:{port}", "--clients", str(clients), "--messages", "1", "--pace", "4000000000"]
        arguments += ["--keep-alive", str(KEEP_ALIVE), "--report-ms", "100"]
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True)
        self.began = time.monotonic()
        self.connected = 0
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            if found := re.match(r" *[\d.]+ s: (\d+) connected", line):
                self.connected = int(found[1])

    def memory(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) * 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(TIMEOUT)


class Watch:
    """Samples: time, connected clients, CPU of the clients and of the broker as parts of a processor."""

    def __init__(self, fleet, broker):
        self.fleet, self.broker, self.samples = fleet, broker, []
        self.last = (time.monotonic(), self.cpu())

    def cpu(self):
        return [used(process.pid)["cpu"] if process.poll() is None else 0 for process in (self.fleet.process, self.broker.process)]

    def sample(self):
        time.sleep(INTERVAL)
        (then, before), now, after = self.last, time.monotonic(), self.cpu()
        shares = [max(0, b - a) / (now - then) for a, b in zip(before, after)]
        self.samples.append((now - self.fleet.began, self.fleet.connected, *shares))
        self.last = (now, after)

    def until(self, condition):
        end = time.monotonic() + TIMEOUT
        while not condition():
            if time.monotonic() > end or self.fleet.process.poll() is not None:
                raise TimeoutError(f"{self.fleet.connected} are connected")
            self.sample()

    def during(self, seconds):
        """What both used meanwhile, in seconds of CPU per second."""
        end, start, before = time.monotonic() + seconds, time.monotonic(), self.cpu()
        self.until(lambda: time.monotonic() >= end)
        return [(b - a) / (time.monotonic() - start) for a, b in zip(before, self.cpu())]


def run(program, clients, baseline):
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(folder)
        fleet = Fleet(program, broker.port, clients)
        try:
            watch = Watch(fleet, broker)
            watch.until(lambda: fleet.connected == clients)
            took, spent = time.monotonic() - fleet.began, used(fleet.process.pid)
            watch.during(2)
            memory = (fleet.memory() - baseline) / clients
            rest = watch.during(REST)[0]
            broker.stop()
            watch.during(DOWN)
            broker.start()
            restarted, before = time.monotonic(), used(fleet.process.pid)
            watch.until(lambda: fleet.connected == clients)
            back, spent_again = time.monotonic() - restarted, difference(before, used(fleet.process.pid))
            watch.during(2)
        finally:
            fleet.stop()
            broker.stop()
    figures = [f"{clients:,}", f"{memory:,.0f} B", f"{took:.1f} s", each(spent, clients), f"{rest:.2%}"]
    return [*figures, f"{back:.1f} s", each(spent_again, clients)], watch.samples


def each(spent, clients):
    kernel = spent["system"] / (spent["user"] + spent["system"])
    return f"{spent['cpu'] / clients * 1e6:.0f} µs, {kernel:.0%} in the kernel"


def baseline(program):
    """Memory of the process with very few clients."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(folder)
        fleet = Fleet(program, broker.port, 2)
        try:
            Watch(fleet, broker).until(lambda: fleet.connected == 2)
            return fleet.memory()
        finally:
            fleet.stop()
            broker.stop()


def panels(clients, samples):
    column = lambda of: [(sample[0], sample[of]) for sample in samples]
    yield {"title": f"{clients} clients: connected", "x_label": "s", "series": {"connected": column(1)}}
    shares = {"clients": column(2), "Mosquitto": column(3)}
    yield {"title": f"{clients} clients: CPU, in processors", "x_label": "s", "series": shares}


def main(program, about):
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    head = ["clients", "memory each", "all connected after", "CPU for each", "CPU at rest", "all back after", "CPU for each"]
    text = [about, "", f"| {' | '.join(head)} |", "|--" * len(head) + "|"]
    plots, alone = [], baseline(program)
    for wanted in CLIENTS:
        clients = min(wanted, limit - OTHER_FILES)
        figures, samples = run(program, clients, alone)
        text.append(f"| {' | '.join(figures)} |")
        plots += panels(figures[0], samples)
        if clients < wanted:
            text += ["", f"(The limit of open files was {limit:,} on this machine.)"]
    text += ["", "![](scale.svg)"]
    print("\n".join(text))
    into_readme("run.sh scale", text)
    (HERE / "scale.svg").write_text(figure(plots))


if __name__ == "__main__":
    main(*sys.argv[1:])

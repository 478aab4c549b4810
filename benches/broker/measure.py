"""Lets clients of several libraries talk through one Mosquitto on loopback, and measures both ends and the broker from outside:

    measure.py PROGRAMS OUT.json     PROGRAMS: the folder with broker-bench, libmosquitto, paho_c and a venv

A round is one run of each client in turn, so that other load on the machine affects all of them.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROUNDS = 5
TIMEOUT = 120
"""How long any step may take, in seconds."""

CASES = [(qos, size) for size in (64, 1024) for qos in (0, 1, 2)]
MESSAGES = {0: 40_000, 1: 20_000, 2: 10_000}
COUNTED = {0: 4_000, 1: 2_000, 2: 2_000}
"""Messages in a run that valgrind slows down."""
TRIPS = 2_000
TRIP_ROUNDS = 21
"""More than of the others: the result depends much on where the scheduler puts two processes, and varies from run to run."""
TICKS = os.sysconf("SC_CLK_TCK")


def clients(programs):
    """The name of each, and how it is started."""
    bench = str(programs / "broker-bench")
    python = [str(programs / "venv/bin/python3"), str(Path(__file__).parent / "peers/paho_python.py")]
    return {
        "core alone": [bench, "core"],
        "std adapter": [bench, "std"],
        "std adapter, coalescing 50 µs": [bench, "coalescing"],
        "std runner": [bench, "runner"],
        "std runner, coalescing 50 µs": [bench, "coalescing-runner"],
        "libmosquitto": [str(programs / "libmosquitto")],
        "rumqttc": [bench, "rumqttc"],
        "paho C": [str(programs / "paho_c")],
        "paho Python": python,
    }


def is_slow(client):
    return client == "paho Python"


class End:
    """A running client. It prints `ready`, reads `go`, and prints `done`."""

    def __init__(self, command, role, port, qos, size, count, wrapper=()):
        arguments = map(str, (role, port, qos, size, count))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0}
        self.process = subprocess.Popen([*wrapper, *command, *arguments], **pipes)
        self.pid = self.process.pid
        try:
            self.says("ready")
        except BaseException:
            self.end()
            raise

    def says(self, word):
        """The numbers after this word."""
        if not select.select([self.process.stdout], [], [], TIMEOUT)[0]:
            raise TimeoutError(f"{self.process.args} does not say {word}")
        line = self.process.stdout.readline().decode().split()
        if line[:1] != [word]:
            raise RuntimeError(f"{self.process.args}: {line} {self.process.stderr.read().decode()}")
        return [float(number) for number in line[1:]]

    def go(self):
        self.process.stdin.write(b"\n")

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


@contextmanager
def an_end(*arguments, **more):
    end = End(*arguments, **more)
    try:
        yield end
    finally:
        end.end()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def listens(process, port):
    """Waits until a broker accepts connections."""
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > until or process.poll() is not None:
                raise
            time.sleep(0.01)


@contextmanager
def a_broker():
    """Mosquitto with its defaults, but with the in-flight limit of the clients, and unlimited queues."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "mosquitto.conf")
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n"
            "max_inflight_messages 100\nmax_queued_messages 0\n"
        )
        environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        process = subprocess.Popen(["mosquitto", "-c", str(config)], env=environment)
        try:
            listens(process, port)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(TIMEOUT)


def used(pid):
    """What all threads of a process have used: seconds of CPU, those in user space and in the kernel, and context switches."""
    cpu = switches = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        cpu += int((task / "schedstat").read_text().split()[0]) / 1e9
        lines = (task / "status").read_text().splitlines()
        switches += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    user, system = (int(ticks) / TICKS for ticks in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])
    return {"cpu": cpu, "user": user, "system": system, "switches": switches}


def difference(before, after):
    return {key: after[key] - before[key] for key in after}


def talk(command, broker, qos, size, count):
    """One client publishes, another one receives."""
    pid, port = broker
    with an_end(command, "in", port, qos, size, count) as inwards, an_end(command, "out", port, qos, size, count) as out:
        pids = {"out": out.pid, "in": inwards.pid, "broker": pid}
        before = {name: used(pid) for name, pid in pids.items()}
        inwards.go()
        began = time.monotonic()
        out.go()
        inwards.says("done")
        took = time.monotonic() - began
        out.says("done")
        return {"seconds": took, **{name: difference(before[name], used(pid)) for name, pid in pids.items()}}


def trips(command, broker):
    """Round-trip times in microseconds: the median, and the 99th percentile."""
    with an_end(command, "ping", broker[1], 0, 64, TRIPS) as end:
        end.go()
        return end.says("done")


@contextmanager
def opposite(role, command, broker, qos, size, count):
    """The other end does the same for all clients meanwhile."""
    if role == "out":
        with an_end(command, "in", broker[1], qos, size, count) as end:
            end.go()
            yield lambda: None
    else:
        with an_end(command, "out", broker[1], qos, size, count) as end:
            yield end.go


def instructions(client, feed, role, broker, qos, size, count):
    """The instructions that one end executes in user space."""
    with tempfile.TemporaryDirectory() as folder, opposite(role, feed, broker, qos, size, count) as go:
        # Otherwise a copy of more than 2 KiB counts as one instruction per byte.
        wrapper = ["env", "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000"]
        wrapper += ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--fair-sched=yes", f"--callgrind-out-file={folder}/counts"]
        with an_end(client, role, broker[1], qos, size, count, wrapper=wrapper) as end:
            instrument(end.pid, "on")
            end.go()
            go()
            end.says("done")
            instrument(end.pid, "off")
        totals = [line for line in Path(folder, "counts").read_text().splitlines() if line.startswith("totals:")]
        return int(totals[0].split()[1])


def instrument(pid, switch):
    subprocess.run(["callgrind_control", "-i", switch, str(pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT)


def system_calls(command, role, broker, qos, size, count):
    """The system calls of one end, while the other end uses the same library; counted by the kernel, without slowing them down."""
    with opposite(role, command, broker, qos, size, count) as go:
        with an_end(command, role, broker[1], qos, size, count) as end, tempfile.NamedTemporaryFile("r") as counts:
            ask, answer = os.pipe(), os.pipe()
            perf = subprocess.Popen(
                ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", str(end.pid), "-o", counts.name]
                + ["--control", f"fd:{ask[0]},{answer[1]}"],
                pass_fds=(ask[0], answer[1]),
            )
            os.write(ask[1], b"ping\n")
            if not select.select([answer[0]], [], [], TIMEOUT)[0]:
                raise TimeoutError("perf")
            end.go()
            go()
            end.says("done")
            perf.send_signal(signal.SIGINT)
            perf.wait(TIMEOUT)
            for fd in (*ask, *answer):
                os.close(fd)
            line = next(line for line in counts.read().splitlines() if "sys_enter" in line)
            return int(line.split(",")[0])


def measure(programs):
    all_clients = clients(programs)
    found = {"talks": [], "trips": [], "instructions": [], "calls": []}
    with a_broker() as broker:
        for round in range(ROUNDS):
            for qos, size in CASES:
                for client, command in all_clients.items():
                    count = MESSAGES[qos] // (4 if is_slow(client) else 1)
                    result = talk(command, broker, qos, size, count)
                    found["talks"].append({"client": client, "qos": qos, "size": size, "count": count, **result})
            print(f"round {round + 1} of {ROUNDS}", file=sys.stderr, flush=True)
        for _ in range(TRIP_ROUNDS):
            for client, command in all_clients.items():
                found["trips"].append({"client": client, "microseconds": trips(command, broker)})
        for qos, size in CASES:
            for client, command in all_clients.items():
                for role in ("out", "in"):
                    case = {"client": client, "qos": qos, "size": size, "role": role}
                    count = MESSAGES[qos] // 4
                    calls = system_calls(command, role, broker, qos, size, count)
                    found["calls"].append({**case, "each": calls / count})
                    count = COUNTED[qos]
                    total = instructions(command, all_clients["core alone"], role, broker, qos, size, count)
                    found["instructions"].append({**case, "each": total / count})
            print(f"counted QoS {qos}, {size} B", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    programs, out = map(Path, sys.argv[1:])
    out.write_text(json.dumps(measure(programs)))

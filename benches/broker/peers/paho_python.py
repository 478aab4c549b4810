"""paho's client for Python, on one thread. See ../src/main.rs."""

import os
import socket
import sys
import time

import paho.mqtt.client as paho

TOPIC, WINDOW = "site/b7/floor3/room1", 100
role, (port, qos, size, count) = sys.argv[1], map(int, sys.argv[2:])
payload = b"x" * size
connected = subscribed = False
sent = finished = began = 0
took = []


def on_connect(client, data, flags, code, properties):
    global connected
    connected = not code.is_failure


def on_subscribe(client, data, mid, codes, properties):
    global subscribed
    subscribed = True


def publish():
    global sent, began
    sent += 1
    began = time.monotonic_ns()
    client.publish(TOPIC, payload, qos)


# Inside a callback messages are only queued, so this does not recurse deeply.
def on_publish(client, data, mid, code, properties):
    global finished
    if role == "out":
        finished += 1
        while sent < count and sent - finished < WINDOW:
            publish()


def on_message(client, data, message):
    global finished
    finished += 1
    if role == "ping":
        took.append(time.monotonic_ns() - began)
        if finished < count:
            publish()


client = paho.Client(paho.CallbackAPIVersion.VERSION2, f"bench-{os.getpid()}")
client.max_inflight_messages_set(WINDOW)
client.on_connect, client.on_subscribe, client.on_publish, client.on_message = on_connect, on_subscribe, on_publish, on_message
client.connect("127.0.0.1", port)
client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while not connected:
    client.loop()
if role != "out":
    client.subscribe(TOPIC, qos)
    while not subscribed:
        client.loop()
print("ready", flush=True)
sys.stdin.readline()
while role != "in" and sent < min(count, WINDOW if role == "out" else 1):
    publish()
while finished < count:
    client.loop()
took.sort()
at = lambda percent: took[len(took) * percent // 100] / 1e3 if took else 0
print(f"done {at(50):.1f} {at(99):.1f}", flush=True)
sys.stdin.read()

"""A conversation of two paho-mqtt clients through the broker on a loopback port.

usage: with_paho.py PORT 3.1|3.1.1
"""

import queue
import sys

try:
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion
except ImportError as error:
    sys.exit(f"{error}: install Python's package paho-mqtt, version 2")

TIMEOUT = 20  # seconds
VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311}


class Client:
    """A connected client whose callbacks fill queues."""

    def __init__(self, port, version, client_id, clean_session=True):
        self.connected = queue.Queue()
        self.subscribed = queue.Queue()
        self.messages = queue.Queue()
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session, protocol=VERSIONS[version]
        )
        self.client.on_connect = lambda c, data, flags, reason, properties: self.connected.put((flags, reason))
        self.client.on_subscribe = lambda c, data, mid, codes, properties: self.subscribed.put(codes)
        self.client.on_message = lambda c, data, message: self.messages.put(message)
        self.client.connect("127.0.0.1", port, keepalive=5)
        self.client.loop_start()
        flags, reason = self.connected.get(timeout=TIMEOUT)
        assert not reason.is_failure, reason
        self.session_present = flags.session_present

    def subscribe(self, topic, qos):
        self.client.subscribe(topic, qos)
        (code,) = self.subscribed.get(timeout=TIMEOUT)
        assert code.value == qos, code

    def publish(self, topic, payload, qos, retain=False):
        info = self.client.publish(topic, payload, qos, retain)
        info.wait_for_publish(TIMEOUT)
        assert info.is_published()

    def expect(self, topic, payload, qos, retain=False):
        message = self.messages.get(timeout=TIMEOUT)
        seen = (message.topic, message.payload, message.qos, bool(message.retain))
        assert seen == (topic, payload, qos, retain), seen

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def round_trips(port, version):
    sender, receiver = Client(port, version, "sender"), Client(port, version, "receiver")
    for qos in (0, 1, 2):
        topic = f"round/{qos}"
        receiver.subscribe(topic, qos)
        for number in range(200):
            sender.publish(topic, b"%d" % number, qos)
        for number in range(200):
            receiver.expect(topic, b"%d" % number, qos)
        receiver.client.unsubscribe(topic)
    sender.close()
    receiver.close()


def retained(port, version):
    client = Client(port, version, "retained")
    for qos in (0, 1, 2):
        client.publish("kept", b"value", qos, retain=True)
        client.subscribe("kept", 2)
        client.expect("kept", b"value", qos, retain=True)
        client.client.unsubscribe("kept")
    client.publish("kept", b"", 1, retain=True)
    client.close()


def session(port, version):
    first = Client(port, version, "session", clean_session=False)
    assert not first.session_present
    first.subscribe("news", 2)
    first.close()

    sender = Client(port, version, "sender")
    for number in range(100):
        sender.publish("news", b"%d" % number, 1 + number // 50)
    sender.close()

    second = Client(port, version, "session", clean_session=False)
    assert second.session_present == (version == "3.1.1")
    for number in range(100):
        second.expect("news", b"%d" % number, 1 + number // 50)
    second.close()
    Client(port, version, "session").close()


def main():
    port, version = int(sys.argv[1]), sys.argv[2]
    for conversation in (round_trips, retained, session):
        conversation(port, version)


main()

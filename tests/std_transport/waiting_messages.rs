//! Packets and messages that wait: for room for their answers, or for the application to acknowledge others.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use baremqtt::codec::{ConnAck, Delivery, Packet, Publish};
use baremqtt::transport::net::{self, Connection};
use baremqtt::{Buffers, Client, Connect, Event, PacketId, QoS, TopicName, Version};

use crate::{Buffered, Choices};

/// Everything that the server sends, all at once; after that it sends nothing.
#[derive(Default)]
struct Script {
    input: VecDeque<u8>,
    output: Vec<u8>,
}

impl Script {
    fn push(&mut self, packet: Packet<'_>) {
        let mut bytes = [0; 64];
        let len = packet.encode(Version::Mqtt311, &mut bytes).unwrap();
        self.input.extend(&bytes[..len]);
    }

    fn publish(&mut self, number: u16, qos: QoS) {
        let id = PacketId::new(number).unwrap();
        let delivery = match qos {
            QoS::ExactlyOnce => Delivery::ExactlyOnce { id, dup: false },
            _ => Delivery::AtLeastOnce { id, dup: false },
        };
        let topic = TopicName::new("t").unwrap();
        self.push(Packet::Publish(Publish { topic, payload: b"", delivery, retain: false }));
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "a read of nothing looks like the end");
        if self.input.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.input.read(buffer) }
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl net::Stream for Script {
    fn limit_read(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn limit_write(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn finish_output(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn connect(mut script: Script, rx: usize, choices: Choices) -> Buffered<Script> {
    let mut input = std::mem::take(&mut script.input);
    script.push(Packet::ConnAck(ConnAck::Accepted { session_present: true }));
    script.input.append(&mut input);
    let client = Client::with_config(Buffers { rx: vec![0; rx], tx: vec![0; 40] }, choices);
    let mut mqtt = Connection::new(script, client);
    let connect = Connect::new("c").clean_session(false).keep_alive(0);
    assert_eq!(crate::connect(&mut mqtt, &connect).unwrap(), Some(true));
    mqtt
}

/// The transmit buffer has room for nine answers. The contents of the receive buffer are still processed before
/// more is read, whether there is room in the buffer or not.
#[test]
fn packets_blocked_by_full_answers_are_processed_once_there_is_room() {
    // 50 messages of 7 bytes after 4 of CONNACK.
    for rx in [1024, 354, 350, 349, 100, 70] {
        let mut script = Script::default();
        for number in 1..=50 {
            script.publish(number, QoS::AtLeastOnce);
        }
        let mut mqtt = connect(script, rx, Choices::new());
        for number in 1..=50 {
            let event = mqtt.next_event(Some(Duration::ZERO)).unwrap();
            let Some(Event::Message(message)) = event else { panic!("{number}: {event:?}, {rx}") };
            assert_eq!(message.delivery.id().map(PacketId::get), Some(number));
        }
        assert_eq!(mqtt.next_event(Some(Duration::ZERO)).unwrap(), None);
        let output = &mqtt.stream().unwrap().output;
        let connect_len = usize::from(output[1]) + 2;
        assert_eq!(output[connect_len..].chunks(4).filter(|answer| answer[0] == 0x40).count(), 50, "{rx}");
    }
}

/// There is room for eight runs of receipts. After that it is the application's turn, and the link stays open.
#[test]
fn messages_wait_for_unacknowledged_ones() {
    for rx in [1024, 70, 20] {
        let mut script = Script::default();
        for number in 1..=20 {
            script.publish(number, if number % 2 == 0 { QoS::ExactlyOnce } else { QoS::AtLeastOnce });
        }
        let mut mqtt = connect(script, rx, Choices::with(|values| values.manual_acknowledgement = true));
        let mut receipts = VecDeque::new();
        for number in 1..=20 {
            if receipts.len() == 8 {
                assert_eq!(mqtt.next_event(None).unwrap(), None, "{rx}");
                assert_eq!(mqtt.next_event(Some(Duration::from_millis(1))).unwrap(), None);
                mqtt.acknowledge(receipts.pop_front().unwrap()).unwrap();
            }
            let event = mqtt.next_event(None).unwrap();
            let Some(Event::Message(message)) = event else { panic!("{number}: {event:?}, {rx}") };
            assert_eq!(message.delivery.id().map(PacketId::get), Some(number));
            receipts.push_back(mqtt.receipt().unwrap());
        }
    }
}

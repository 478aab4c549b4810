//! Hostile servers, through every adapter: each connection either ends with an error that states the reason, or is not affected; in bounded time,
//! and within the memory that was lent.

use std::time::Duration;

use baremqtt::QoS::{AtLeastOnce, ExactlyOnce};
use baremqtt::codec::{Delivery, Packet, PacketId, Publish};
use baremqtt::transport::{blocking, polled};
use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, State, TopicName};

use crate::adapters::Adapter;
use crate::conversation::{connect, each_over, each_without_net, end, events};
use crate::wire::Step::{Block, Move};
use crate::wire::Wire;

/// Steps until nothing has happened for a while, and returns what has happened. Nothing hostile takes longer.
fn run_until_idle(adapter: &mut dyn Adapter) -> Result<Vec<String>, String> {
    let mut events = Vec::new();
    let mut idle = 0;
    for _ in 0..200_000 {
        match adapter.step()? {
            Some(event) => {
                events.push(event);
                idle = 0;
            }
            // While there is no time left, there is more to read.
            None => idle += u32::from(adapter.client().time_left() != Some(0)),
        }
        if idle == 3 {
            return Ok(events);
        }
    }
    panic!("it does not terminate");
}

#[test]
fn remaining_lengths_without_end() {
    each_over(Wire::default, |name, wire, adapter| {
        connect(adapter);
        wire.peer().outbox.extend([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(
            end(adapter),
            "the server broke the protocol: malformed remaining length [3.1.1 section 2.2.3]",
            "{name}"
        );
    });
}

/// 256 MiB are announced, but only a few bytes arrive. They take no memory, the rest is awaited, and the keep alive continues.
#[test]
fn an_announced_message_that_never_arrives() {
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        wire.peer().outbox.extend([0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, b't']);
        wire.peer().outbox.extend([b'x'; 5_000]);
        let seen = run_until_idle(adapter).unwrap();
        assert_eq!(seen.len(), 1, "{name}");
        assert!(
            seen[0].starts_with("MessageSkipped") && seen[0].contains("payload_len: 268435452"),
            "{seen:?}"
        );
        wire.0.reads.set(&[Block]);
        assert_eq!(end(adapter), "no PINGRESP in time", "{name}");
    });
}

#[test]
fn a_packet_other_than_publish_that_is_larger_than_the_buffer() {
    each_over(Wire::default, |name, wire, adapter| {
        connect(adapter);
        wire.peer().outbox.extend([0x90, 0x7F, 0, 1]);
        assert_eq!(
            end(adapter),
            "a packet of 129 bytes does not fit into the receive buffer; use a larger one",
            "{name}"
        );
    });
}

/// A trickle of single bytes does not stop the timeouts for CONNACK and for an incomplete packet.
#[test]
fn single_bytes_do_not_prevent_timeouts() {
    each_without_net(Wire::default, |name, wire, adapter| {
        adapter.client().connect(&Connect::new("c")).unwrap();
        wire.0.reads.set(&[Block]);
        assert_eq!(adapter.step(), Ok(None), "{name}");
        wire.peer().outbox.clear();
        let ended = send_byte_by_byte(wire, adapter, &[0x20, 2, 0, 0], 12_000);
        assert_eq!(ended, "no CONNACK in time", "{name}");
    });
    // Incoming bytes are a sign of life: a large message may take its time, as long as a byte arrives in each keep alive.
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        let mut message = vec![0x30, 63, 0, 1, b't'];
        message.resize(65, b'x');
        wire.0.writes.set(&[Block]);
        let ended = send_byte_by_byte(wire, adapter, &message, 5_000);
        assert_eq!(ended, "the transport takes no bytes", "{name}: PINGREQ is not sent");
    });
}

/// Sends one of these bytes every `ms` milliseconds, until the connection has ended.
fn send_byte_by_byte(wire: &Wire, adapter: &mut dyn Adapter, bytes: &[u8], ms: u32) -> String {
    wire.0.reads.set(&[Move(1)]);
    for byte in bytes.iter().cycle().take(10_000) {
        wire.peer().outbox.push_back(*byte);
        wire.pass(ms);
        for _ in 0..2 {
            match adapter.step() {
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }
    panic!("it does not terminate");
}

/// Unexpected acknowledgements, thousands of each kind: PUBREC and PUBREL are answered, and nothing is stored for them.
#[test]
fn floods_of_acknowledgements() {
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        let id = adapter.client().publish(&Message::new("t", b"").qos(AtLeastOnce)).unwrap();
        assert_eq!(id, PacketId::new(1));
        events(adapter, 2);
        wire.peer().received.clear();
        for number in 2..=3_000 {
            let [high, low] = u16::to_be_bytes(number);
            wire.peer().unreleased.extend(PacketId::new(number));
            for first in [0x40, 0x50, 0x70, 0xB0] {
                wire.peer().outbox.extend([first, 2, high, low]);
            }
        }
        assert_eq!(run_until_idle(adapter).unwrap(), [""; 0], "{name}");
        let pubrels = wire.peer().received.iter().filter(|packet| packet.starts_with("PUBREL")).count();
        let others = wire.peer().received.len() - pubrels;
        assert!((2_999, true) == (pubrels, others <= 1), "{name}: {pubrels} {others}");
        assert_eq!((adapter.client().in_flight(), adapter.client().state()), (0, State::Connected));
    });
}

/// QoS 2 messages under every possible identifier, in an order that scatters them, and none is ever released.
#[test]
fn floods_of_identifiers() {
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        for number in (1..=60_000_u16).step_by(64) {
            let delivery = Delivery::ExactlyOnce { id: PacketId::new(number).unwrap(), dup: false };
            let topic = TopicName::new("t").unwrap();
            wire.peer().send(&Packet::Publish(Publish { topic, payload: b"", delivery, retain: false }));
        }
        let mut count = 0;
        let ended = loop {
            match adapter.step() {
                Ok(event) => count += usize::from(event.is_some()),
                Err(error) => break error,
            }
            // Each PUBREC is answered with PUBREL here, which makes room again.
            wire.peer().outbox.retain(|_| true);
            if count > 0 && wire.peer().outbox.is_empty() {
                wire.pass(500);
            }
            assert!(count <= 938);
        };
        assert_eq!(
            ended, "no room for more QoS 2 identifiers; connect again, or see with_inbound_ids",
            "{name}"
        );
    });
}

#[test]
fn a_server_that_never_reads() {
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        wire.0.writes.set(&[Block]);
        let mut taken = 0;
        while adapter.client().publish(&Message::new("t", &[0; 20]).qos(ExactlyOnce)).is_ok() {
            taken += 1;
            assert!(taken < 100, "the buffer is bounded");
        }
        assert_eq!(end(adapter), "the transport takes no bytes", "{name}");
        assert_eq!(adapter.client().in_flight(), taken, "{name}: all are kept");
    });
}

/// The connection is closed after each byte of a conversation.
#[test]
fn closed_at_every_byte() {
    let topic = TopicName::new("t").unwrap();
    let message = |delivery| Packet::Publish(Publish { topic, payload: b"in", delivery, retain: false });
    let id = PacketId::new(9).unwrap();
    let mut bytes = vec![0x20, 2, 0, 0];
    for packet in [
        message(Delivery::AtLeastOnce { id, dup: false }),
        message(Delivery::ExactlyOnce { id, dup: false }),
        Packet::PubRel { id, dup: false },
        Packet::PubAck(PacketId::FIRST),
        Packet::PingResp,
    ] {
        let mut packet_bytes = vec![0; packet.encoded_len()];
        packet.encode(baremqtt::Version::Mqtt311, &mut packet_bytes).unwrap();
        bytes.extend(packet_bytes);
    }
    for cut in 0..=bytes.len() {
        each_without_net(Wire::default, |name, wire, adapter| {
            adapter.client().publish(&Message::new("t", b"out").qos(AtLeastOnce)).unwrap();
            adapter.client().connect(&Connect::new("c").clean_session(false)).unwrap();
            wire.0.flushes.set(&[Block]);
            wire.peer().outbox.extend(&bytes[..cut]);
            wire.0.ended.set(true);
            let mut reported = Vec::new();
            let ended = loop {
                match adapter.step() {
                    Ok(event) => reported.extend(event),
                    Err(error) => break error,
                }
            };
            assert_eq!(ended, "the connection is closed", "{name} {cut}");
            let whole = [4, 13, 22].iter().filter(|end| cut >= **end).count();
            let published = usize::from(adapter.client().in_flight() == 0);
            assert_eq!(reported.len(), whole + published, "{name} {cut}: {reported:?}");
            assert!(adapter.step().is_err(), "{name} {cut}: it stays closed");
            assert_eq!((adapter.client().state(), adapter.client().time_left()), (State::Offline, None));
        });
    }
}

/// A stream that always has another packet.
struct Endless(u32);

impl Endless {
    fn fill(&mut self, buffer: &mut [u8]) -> usize {
        self.0 += 1;
        // CONNACK, and then nothing but PINGRESP.
        let packet: &[u8] = if self.0 == 1 { &[0x20, 2, 0, 0] } else { &[0xD0, 0] };
        buffer[..packet.len()].copy_from_slice(packet);
        packet.len()
    }
}

impl embedded_io::ErrorType for Endless {
    type Error = std::convert::Infallible;
}

impl embedded_io::ReadReady for Endless {
    fn read_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

impl embedded_io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        assert!(self.0 < 100_000, "it does not return");
        Ok(self.fill(buffer))
    }
}

impl embedded_io::Write for Endless {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl polled::Stream for Endless {
    type Error = ();

    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, ()> {
        assert!(self.0 < 100_000, "it does not return");
        Ok(self.fill(buffer))
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, ()> {
        Ok(bytes.len())
    }
}

#[test]
fn packets_without_end_and_without_events() {
    let client = || Client::new(Buffers { rx: [0; 64], tx: [0; 64] });
    let start = Instant::from_millis(0);

    let mut polled = polled::Connection::new(Endless(0), client());
    polled.connect(&Connect::new("c")).unwrap();
    assert!(matches!(polled.poll(start), Ok(Event::Connected { .. })));
    for _ in 0..100 {
        assert_eq!(polled.poll(start), Err(nb::Error::WouldBlock));
        assert_eq!(polled.time_left(start), 0, "there is more to read");
    }

    let mut blocking = blocking::Connection::new(Endless(0), client(), || start);
    blocking.connect(&Connect::new("c")).unwrap();
    assert!(matches!(blocking.next_event(None), Ok(Some(Event::Connected { .. }))));
    for _ in 0..100 {
        assert_eq!(blocking.next_event(Some(Duration::ZERO)), Ok(None));
    }
}

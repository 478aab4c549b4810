//! The smallest room for the identifiers of inbound QoS 2 messages: messages without room end the connection, and each
//! connection makes progress.

use baremqtt::QoS::ExactlyOnce;
use baremqtt::codec::Packet;
use baremqtt::{Buffers, Client, Error, Event, Instant, Violation};

use crate::harness::{CONNECT, Choices, publish, pubrel};

const NOW: Instant = Instant::from_millis(0);

/// A client with room for this many entries, connected, and the server's side of the conversation.
struct Narrow(Client<[u8; 64], [u8; 4096], Choices, Vec<u8>>);

impl Narrow {
    fn new(entries: usize) -> Self {
        let buffers = Buffers { rx: [0; 64], tx: [0; 4096] };
        let mut narrow = Narrow(Client::with_inbound_ids(buffers, Choices::new(), vec![0; 10 * entries]));
        narrow.connects();
        narrow
    }

    fn connects(&mut self) {
        while self.0.advance(NOW) == Ok(true) {}
        self.0.connect(&CONNECT).unwrap();
        let len = self.0.pending().len();
        self.0.sent(len);
        let bytes = [0x20, 2, 1, 0];
        self.0.receive_buffer()[..4].copy_from_slice(&bytes);
        self.0.received(4);
        assert_eq!(self.0.advance(NOW), Ok(true));
    }

    /// How many messages the packet yields, or the error.
    fn gives(&mut self, packet: Packet<'_>) -> Result<usize, Error> {
        while self.0.advance(NOW)? {}
        let len = packet.encode(baremqtt::Version::Mqtt311, self.0.receive_buffer()).unwrap();
        self.0.received(len);
        let mut messages = 0;
        while self.0.advance(NOW)? {
            messages += usize::from(matches!(self.0.event(), Some(Event::Message(_))));
        }
        let sent = self.0.pending().len();
        self.0.sent(sent);
        Ok(messages)
    }

    /// The connection ends once nothing can arrive any more that would make room.
    #[track_caller]
    fn ends(&mut self) {
        let later = Instant::from_millis(60_000);
        let result = loop {
            match self.0.advance(later) {
                Ok(true) => {}
                result => break result,
            }
        };
        assert_eq!(result, Err(Error::InboundFull));
    }

    fn delivers(&mut self, number: u16) -> Result<usize, Error> {
        self.gives(publish("a", b"", ExactlyOnce, number, false))
    }
}

/// A run of whole blocks takes one entry; removing its middle takes two more.
#[test]
fn a_release_in_the_middle_of_a_run() {
    let mut client = Narrow::new(3);
    // Identifiers 1 to 191: three whole blocks in a row.
    for number in 1..192 {
        assert_eq!(client.delivers(number), Ok(1), "{number}");
        assert_eq!(client.delivers(number), Ok(0), "{number} is known");
    }
    // One entry is taken by another block, and the last one stays free for a release.
    assert_eq!(client.delivers(640), Ok(1));
    assert_eq!(client.delivers(6_400), Ok(0), "it will come again");
    client.ends();
    client.connects();
    assert_eq!(client.delivers(100), Ok(0), "all of them are still known");
    assert_eq!(client.gives(pubrel(100)), Ok(0), "there is no room to tell the rest apart");
    client.ends();
    client.connects();
    for number in (1..192).chain([640]) {
        assert_eq!(client.delivers(number), Ok(0), "{number} is as known as before");
    }
    // The server releases in the order of delivery: then there is room at each step.
    for number in (1..192).chain([640]) {
        assert_eq!(client.gives(pubrel(number)), Ok(0), "{number}");
    }
    assert_eq!(client.delivers(6_400), Ok(1));
    assert_eq!(client.delivers(1), Ok(1));
}

/// With manual acknowledgement a message waits until there is an entry for it, whichever message is acknowledged first; if there can
/// never be one, the connection ends.
#[test]
fn messages_that_wait_for_receipts() {
    let mut client = Narrow::new(2);
    client.0.config().choose(|c| c.manual_acknowledgement = true);
    assert_eq!(client.delivers(1_000), Ok(1));
    assert_eq!(client.delivers(2_000), Ok(0), "not before the first is acknowledged");
    assert!(client.0.waits_for_acknowledgement());

    let mut client = Narrow::new(0);
    client.0.config().choose(|c| c.manual_acknowledgement = true);
    assert_eq!(client.delivers(1_000), Err(Error::InboundFull), "nothing can make room");
}

/// Messages that arrive after the output has failed cannot be acknowledged, and will be sent again: they are not delivered.
#[test]
fn without_output_nothing_is_acknowledged() {
    let mut client = Narrow::new(2);
    client.0.config().choose(|c| c.manual_acknowledgement = true);
    client.0.output_lost();
    assert_eq!(client.delivers(1_000), Ok(0));
    client.0.link_lost();
    client.connects();
    assert_eq!(client.delivers(1_000), Ok(1));
}

/// A message that is too large for the buffer, even in its topic, still has an identifier.
#[test]
fn a_skipped_topic_and_no_identifier() {
    for (number, expected) in [(0, Err(Error::Violation(Violation::PacketIdZero))), (7, Ok(false))] {
        let mut client = Narrow::new(2);
        while client.0.advance(NOW) == Ok(true) {}
        let mut bytes = vec![0x34, 104, 0, 100];
        bytes.extend([b't'; 100]);
        bytes.extend([0, number]);
        let mut result = Ok(false);
        while !bytes.is_empty() && result.is_ok() {
            let room = client.0.receive_buffer();
            let len = room.len().min(bytes.len());
            room[..len].copy_from_slice(&bytes[..len]);
            bytes.drain(..len);
            client.0.received(len);
            loop {
                result = client.0.advance(NOW);
                if result != Ok(true) {
                    break;
                }
                assert!(matches!(client.0.event(), Some(Event::MessageSkipped(_))));
            }
        }
        assert_eq!(result, expected);
        assert_eq!(client.0.pending(), if number == 0 { &[][..] } else { &[0x50, 2, 0, 7] });
    }
}

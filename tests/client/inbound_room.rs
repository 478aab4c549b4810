//! The smallest room for the identifiers of inbound QoS 2 messages: messages without room end the connection, and each
//! connection makes progress.

use baremqtt::QoS::ExactlyOnce;
use baremqtt::codec::Packet;
use baremqtt::{Buffers, Client, Error, Event, Instant, Receipt, Violation};

use crate::harness::{CONNECT, Choices, publish, pubrel};

const NOW: Instant = Instant::from_millis(0);

/// A client with room for this many entries, connected, and the server's side of the conversation.
/// Also the receipt of the last message, with manual acknowledgement.
struct Narrow(Client<[u8; 64], [u8; 4096], Choices, Vec<u8>>, Option<Receipt>);

impl Narrow {
    fn new(entries: usize) -> Self {
        let buffers = Buffers { rx: [0; 64], tx: [0; 4096] };
        let client = Client::with_inbound_ids(buffers, Choices::new(), vec![0; 10 * entries]);
        let mut narrow = Narrow(client, None);
        narrow.connect();
        narrow
    }

    /// With manual acknowledgement.
    fn manual(entries: usize) -> Self {
        let narrow = Narrow::new(entries);
        narrow.0.config().choose(|c| c.manual_acknowledgement = true);
        narrow
    }

    fn connect(&mut self) {
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
    fn receive(&mut self, packet: Packet<'_>) -> Result<usize, Error> {
        while self.0.advance(NOW)? {}
        let len = packet.encode(baremqtt::Version::Mqtt311, self.0.receive_buffer()).unwrap();
        self.0.received(len);
        let mut messages = 0;
        while self.0.advance(NOW)? {
            messages += usize::from(matches!(self.0.event(), Some(Event::Message(_))));
            self.1 = self.0.receipt();
        }
        let sent = self.0.pending().len();
        self.0.sent(sent);
        Ok(messages)
    }

    /// The connection ends once nothing can arrive any more that would make room.
    #[track_caller]
    fn expect_inbound_full(&mut self) {
        let later = Instant::from_millis(60_000);
        let result = loop {
            match self.0.advance(later) {
                Ok(true) => {}
                result => break result,
            }
        };
        assert_eq!(result, Err(Error::InboundFull));
    }

    fn deliver(&mut self, number: u16) -> Result<usize, Error> {
        self.receive(publish("a", b"", ExactlyOnce, number, false))
    }

    /// The same message, which the application acknowledges at once.
    fn deliver_and_acknowledge(&mut self, number: u16) {
        assert_eq!(self.deliver(number), Ok(1), "{number}");
        let receipt = self.1.take().expect("manual acknowledgement");
        assert_eq!(self.0.acknowledge(receipt), Ok(()));
    }
}

/// A run of whole blocks takes one entry; removing its middle takes two more.
#[test]
fn a_release_in_the_middle_of_a_run() {
    let mut client = Narrow::new(3);
    // Identifiers 1 to 191: three whole blocks in a row.
    for number in 1..192 {
        assert_eq!(client.deliver(number), Ok(1), "{number}");
        assert_eq!(client.deliver(number), Ok(0), "{number} is known");
    }
    // One entry is taken by another block, and the last one stays free for a release.
    assert_eq!(client.deliver(640), Ok(1));
    assert_eq!(client.deliver(6_400), Ok(0), "it will be resent");
    client.expect_inbound_full();
    client.connect();
    assert_eq!(client.deliver(100), Ok(0), "all of them are still known");
    assert_eq!(client.receive(pubrel(100)), Ok(0), "there is no room for the rest of the run");
    client.expect_inbound_full();
    client.connect();
    for number in (1..192).chain([640]) {
        assert_eq!(client.deliver(number), Ok(0), "{number} is still known");
    }
    // The server releases in the order of delivery: then there is room at each step.
    for number in (1..192).chain([640]) {
        assert_eq!(client.receive(pubrel(number)), Ok(0), "{number}");
    }
    assert_eq!(client.deliver(6_400), Ok(1));
    assert_eq!(client.deliver(1), Ok(1));
}

/// With manual acknowledgement a message waits until there is an entry for it, whichever message is acknowledged first; if there can
/// never be one, the connection ends.
#[test]
fn messages_that_wait_for_receipts() {
    let mut client = Narrow::manual(2);
    assert_eq!(client.deliver(1_000), Ok(1));
    assert_eq!(client.deliver(2_000), Ok(0), "not before the first is acknowledged");
    assert!(client.0.waits_for_acknowledgement());

    let mut client = Narrow::manual(0);
    assert_eq!(client.deliver(1_000), Err(Error::InboundFull), "nothing can make room");
}

/// The entry for a message that waits for its receipt stays reserved, even if releasing others takes entries meanwhile. Otherwise the
/// identifier would not be stored, and a repetition would be delivered again.
#[test]
fn a_release_takes_no_entry_that_a_receipt_needs() {
    // Identifiers 1 to 191 are three whole blocks in one entry. Releasing the first one takes an entry, one in the middle takes two.
    // With three, the latter is then not possible on this connection.
    for (entries, released, again) in [(3, 1, 1), (3, 100, 0), (4, 1, 1), (4, 100, 1), (5, 100, 1)] {
        let mut client = Narrow::manual(entries);
        (1..192).for_each(|number| client.deliver_and_acknowledge(number));
        assert_eq!(client.deliver(640), Ok(1));
        let receipt = client.1.take().expect("manual acknowledgement");
        assert_eq!(client.receive(pubrel(released)), Ok(0));
        assert_eq!(client.0.waits_for_acknowledgement(), entries < 5);
        assert_eq!(client.0.acknowledge(receipt), Ok(()));
        while client.0.advance(NOW).unwrap() {}
        assert!(!client.0.waits_for_acknowledgement());
        client.0.link_lost();
        client.connect();
        assert_eq!(client.deliver(640), Ok(0), "{entries} entries, release of {released}: it is known");
        assert_eq!(client.deliver(released), Ok(again), "{entries} entries, release of {released}");
    }
}

/// A run of whole blocks needs another entry, so the last one is not enough for another block.
#[test]
fn a_message_that_could_not_be_stored_is_not_delivered() {
    let mut client = Narrow::manual(2);
    (1..128).for_each(|number| client.deliver_and_acknowledge(number));
    assert_eq!(client.deliver(128), Ok(0));
    client.expect_inbound_full();
}

/// Messages that arrive after the output has failed cannot be acknowledged, and will be resent: they are not delivered.
#[test]
fn without_output_nothing_is_acknowledged() {
    let mut client = Narrow::manual(2);
    client.0.output_lost();
    assert_eq!(client.deliver(1_000), Ok(0));
    client.0.link_lost();
    client.connect();
    assert_eq!(client.deliver(1_000), Ok(1));
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

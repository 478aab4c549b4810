//! Any bytes as the image of a session: refused, or the client delivers what it has restored.
//!
//! The first byte holds flags and the size of the transmit buffer; bit 0 asks for a valid checksum, so that damage
//! reaches the code behind it.

use crate::choices::Choices;
use crate::image;
use baremqtt::codec::{self, ConnAck, Decoded, Packet, PacketId};
use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS, State, Version};

const NOW: Instant = Instant::from_millis(0);

type TestClient = Client<[u8; 32], Vec<u8>, Choices>;

pub fn run(data: &[u8]) {
    let Some((&flags, body)) = data.split_first() else { return };
    let image = if flags & 1 != 0 { image::seal(body) } else { body.to_vec() };
    let version = if flags & 2 != 0 { Version::Mqtt31 } else { Version::Mqtt311 };
    let tx_len = 64 + usize::from(flags >> 2) * 8;
    let mut client = new_client(tx_len);
    if client.restore(&image).is_ok() {
        check_image(&mut client, tx_len);
    } else {
        assert_eq!(save(&mut client), save(&mut new_client(tx_len)), "a refused image leaves nothing behind");
    }
    check_delivery(&mut client, version);
}

fn new_client(tx_len: usize) -> TestClient {
    let choices = Choices::new();
    choices.choose(|c| {
        c.streams = true;
        c.max_exactly_once = 0;
    });
    Client::with_config(Buffers { rx: [0; 32], tx: vec![0; tx_len] }, choices)
}

fn save(client: &mut TestClient) -> Vec<u8> {
    let mut image = vec![0; 1_024];
    let len = client.save(&mut image).unwrap();
    image.truncate(len);
    image
}

/// The restored session is saved again, and that image restores to the same session.
fn check_image(client: &mut TestClient, tx_len: usize) {
    let image = save(client);
    let mut again = new_client(tx_len);
    again.restore(&image).unwrap();
    assert_eq!(save(&mut again), image);
}

/// A server acknowledges everything, including a new message.
fn check_delivery(client: &mut TestClient, version: Version) {
    client.connect(&Connect::new("c").version(version).clean_session(false)).unwrap();
    let mut server = Server { version, from_client: Vec::new(), to_client: Vec::new() };
    server.answer_all(client);
    let id = client.publish(&Message::new("t", b"x").qos(QoS::ExactlyOnce)).unwrap();
    assert!(server.answer_all(client).contains(&id.unwrap()));
}

struct Server {
    version: Version,
    from_client: Vec<u8>,
    to_client: Vec<u8>,
}

impl Server {
    /// Continues until no more bytes are exchanged. Returns the messages that were published completely.
    fn answer_all(&mut self, client: &mut TestClient) -> Vec<PacketId> {
        let mut published = Vec::new();
        loop {
            let pending = client.pending();
            let len = pending.len();
            self.from_client.extend(pending);
            client.sent(len);
            self.read();
            let room = client.receive_buffer();
            let taken = room.len().min(self.to_client.len());
            room[..taken].copy_from_slice(&self.to_client[..taken]);
            self.to_client.drain(..taken);
            client.received(taken);
            while client.advance(NOW).unwrap() {
                match client.event() {
                    Some(Event::Published { id, .. }) => published.push(id),
                    // Whatever the length: more than enough, until no more is accepted.
                    Some(Event::StreamReady { .. }) => drop(client.write_payload(&[0; 64]).unwrap()),
                    _ => {}
                }
            }
            let streamed = client.write_payload(&[0; 64]).unwrap_or(0);
            if (len, taken, streamed) == (0, 0, 0) && client.pending().is_empty() {
                assert_eq!((client.in_flight(), client.state()), (0, State::Connected));
                assert!(self.from_client.is_empty() && self.to_client.is_empty());
                return published;
            }
        }
    }

    fn read(&mut self) {
        while let Decoded::Complete { packet, len } = codec::decode(&self.from_client, self.version).unwrap()
        {
            let session_present = self.version == Version::Mqtt311;
            let answer = match packet {
                Packet::Connect(_) => Packet::ConnAck(ConnAck::Accepted { session_present }),
                Packet::Publish(publish) => match publish.delivery {
                    codec::Delivery::ExactlyOnce { id, .. } => Packet::PubRec(id),
                    codec::Delivery::AtLeastOnce { id, .. } => Packet::PubAck(id),
                    codec::Delivery::AtMostOnce => panic!("no image keeps QoS 0"),
                },
                Packet::PubRel { id, .. } => Packet::PubComp(id),
                packet => panic!("{packet}"),
            };
            let mut bytes = [0; 4];
            answer.encode(self.version, &mut bytes).unwrap();
            self.to_client.extend(bytes);
            self.from_client.drain(..len);
        }
    }
}

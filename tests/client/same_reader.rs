//! The client reads the headers of received packets itself: it is as strict as `codec::decode`, and reports the same errors.

use baremqtt::codec::{self, ConnAck, Decoded, FixedHeader, Packet, PacketType};
use baremqtt::{Buffers, Client, Connect, Error, Instant, Version, Violation};

const ROOM: usize = 64;

type Small = Client<[u8; ROOM], [u8; ROOM]>;

const BOTH: [Version; 2] = [Version::Mqtt31, Version::Mqtt311];

/// Has sent CONNECT.
fn waiting(version: Version) -> Small {
    let mut client = Client::new(Buffers { rx: [0; ROOM], tx: [0; ROOM] });
    client.connect(&Connect::new("c").clean_session(false).version(version)).unwrap();
    let len = client.pending().len();
    client.sent(len);
    client
}

fn online(version: Version) -> Small {
    let mut client = waiting(version);
    assert_eq!(receive(&mut client, &[0x20, 2, 0, 0]), Ok(()));
    client
}

/// Passes the received bytes on, and handles all their events.
fn receive(client: &mut Small, bytes: &[u8]) -> Result<(), Error> {
    client.receive_buffer()[..bytes.len()].copy_from_slice(bytes);
    client.received(bytes.len());
    while client.advance(Instant::from_millis(0))? {}
    Ok(())
}

/// The result expected of the client, derived from the codec:
/// first for the header, then for the order of packets, then for the body.
fn expected(mut bytes: &[u8], version: Version, is_online: bool) -> Result<(), Error> {
    while let Some(kind) = bytes.first().map(|first| first >> 4) {
        if matches!(kind, 1 | 8 | 10 | 12 | 14) {
            return Err(Error::Violation(Violation::UnexpectedPacket));
        }
        let Some(header) = FixedHeader::decode(bytes, version).map_err(Error::Violation)? else { break };
        match (is_online, header.packet_type == PacketType::ConnAck) {
            (true, true) => return Err(Error::Violation(Violation::UnexpectedPacket)),
            (false, false) => return Err(Error::Violation(Violation::BeforeConnAck)),
            _ => {}
        }
        let needed = header.packet_len();
        match codec::decode(bytes, version).map_err(Error::Violation)? {
            Decoded::Complete { packet: Packet::ConnAck(ConnAck::Refused(code)), .. } => {
                return Err(Error::Refused(code));
            }
            Decoded::Complete { len, .. } => bytes = &bytes[len..],
            Decoded::Incomplete { .. } if header.packet_type == PacketType::SubAck && needed > ROOM => {
                return Err(Error::ReceiveBufferTooSmall { needed });
            }
            Decoded::Incomplete { .. } => break,
        }
    }
    Ok(())
}

fn check(clients: &[(Small, Version, bool)], bytes: &[u8]) {
    for (client, version, is_online) in clients {
        let result = receive(&mut client.clone(), bytes);
        assert_eq!(result, expected(bytes, *version, *is_online), "{bytes:02X?} {version:?} {is_online}");
    }
}

fn clients() -> Vec<(Small, Version, bool)> {
    BOTH.iter()
        .flat_map(|&version| [(waiting(version), version, false), (online(version), version, true)])
        .collect()
}

#[test]
fn headers() {
    let clients = clients();
    for first in 0..=255 {
        check(&clients, &[first]);
        for second in 0..=255 {
            check(&clients, &[first, second]);
        }
        for lengths in [[0x80, 0], [0x80, 1], [0xFF, 0x7F], [0x80, 0x80], [0xFF, 0xFF]] {
            check(&clients, &[first, lengths[0], lengths[1]]);
        }
        for lengths in [[0x80, 0], [0, 0], [0xFF, 0x7F], [0x80, 0x80], [0xFF, 0xFF], [0x7F, 0]] {
            check(&clients, &[first, 0x80, 0x80, lengths[0], lengths[1]]);
        }
    }
}

/// Bodies of up to four bytes, made of boundary values.
#[test]
fn bodies() {
    const EDGES: [u8; 7] = [0, 1, 2, 3, b'+', 0x80, 0xFF];
    let clients = clients();
    for first in (0..=255_u8).filter(|first| matches!(first >> 4, 2..=7 | 9 | 11 | 13)) {
        for len in 0..=4 {
            for mut number in 0..EDGES.len().pow(len) {
                let mut bytes = vec![first, len as u8];
                for _ in 0..len {
                    bytes.push(EDGES[number % EDGES.len()]);
                    number /= EDGES.len();
                }
                check(&clients, &bytes);
            }
        }
    }
}

/// Messages with one byte changed; what a shorter length cuts off is another packet.
#[test]
fn messages() {
    let clients = clients();
    for qos in 0..3_u8 {
        let id: &[u8] = if qos == 0 { &[] } else { &[0, 7] };
        let body = [&[0, 9], "a/\u{e9}/\u{20ac}x".as_bytes(), id, b"payload"].concat();
        let packet = [&[0x30 | qos << 1, body.len() as u8], &body[..]].concat();
        for at in 0..packet.len() {
            for byte in 0..=255 {
                let mut bytes = packet.clone();
                bytes[at] = byte;
                if at == 1 && usize::from(byte) > ROOM - 2 {
                    continue; // What is larger than the buffer is read by parts: `large.rs`.
                }
                check(&clients, &bytes);
            }
        }
    }
}

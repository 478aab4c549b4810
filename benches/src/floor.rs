//! Handwritten code for these packets of MQTT 3.1.1: the minimum of a codec that checks nothing (`Floor<false>`), and of one that
//! checks exactly what baremqtt checks (`Floor<true>`), but does not say what is wrong.

use std::hint::black_box;

use crate::codec::{Codec, Slice};
use crate::input;

pub struct Floor<const CHECK: bool>;

/// The contents of a packet, borrowed from it.
#[allow(dead_code)]
pub enum Packet<'a> {
    Connect {
        keep_alive: u16,
        flags: u8,
        client_id: &'a [u8],
        will: Option<(&'a [u8], &'a [u8])>,
        username: Option<&'a [u8]>,
        password: Option<&'a [u8]>,
    },
    ConnAck {
        session_present: bool,
        code: u8,
    },
    Publish {
        flags: u8,
        topic: &'a [u8],
        id: u16,
        payload: &'a [u8],
    },
    PubAck(u16),
    Subscribe {
        id: u16,
        filters: &'a [u8],
    },
    SubAck {
        id: u16,
        codes: &'a [u8],
    },
    UnsubAck(u16),
    PingResp,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Whether all bytes pass, checked by words and then by bytes.
#[inline(always)]
fn all(text: &[u8], word_is: impl Fn(u64) -> bool, byte_is: impl Fn(u8) -> bool) -> bool {
    let Some(end) = text.last_chunk() else { return text.iter().all(|byte| byte_is(*byte)) };
    let (words, _) = text.as_chunks();
    words.iter().all(|word| word_is(u64::from_le_bytes(*word))) && word_is(u64::from_le_bytes(*end))
}

/// UTF-8 without U+0000.
fn check_text(text: &[u8]) -> bool {
    all(text, |word| (word.wrapping_sub(ONES) | word) & HIGH == 0, |byte| byte.wrapping_sub(1) < 0x7F)
        || core::str::from_utf8(text).is_ok() && !text.contains(&0)
}

fn check_topic(topic: &[u8]) -> bool {
    let word_is = |word: u64| {
        let wild = (word | (ONES << 3)) ^ (ONES * 0x2B);
        (word.wrapping_sub(ONES) | word | wild.wrapping_sub(ONES)) & HIGH == 0
    };
    let byte_is = |byte: u8| byte.wrapping_sub(1) < 0x7F && byte != b'+' && byte != b'#';
    !topic.is_empty()
        && (all(topic, word_is, byte_is)
            || check_text(topic) && !topic.contains(&b'+') && !topic.contains(&b'#'))
}

fn check_filter(filter: &[u8]) -> bool {
    let is_level = |at: usize| {
        (at == 0 || filter[at - 1] == b'/')
            && (at + 1 == filter.len() || filter[at] == b'+' && filter[at + 1] == b'/')
    };
    let mut at = 0;
    let (words, rest) = filter.as_chunks();
    for word in words {
        let word = u64::from_le_bytes(*word);
        // Bytes that are wildcards, if all are ASCII.
        let mut wild = !((word | (ONES << 3)) ^ (ONES * 0x2B)).wrapping_add(ONES * 0x7F) & HIGH;
        while wild != 0 {
            if !is_level(at + (wild.trailing_zeros() / 8) as usize) {
                return false;
            }
            wild &= wild - 1;
        }
        at += 8;
    }
    !filter.is_empty()
        && check_text(filter)
        && rest.iter().enumerate().all(|(i, byte)| !matches!(byte, b'+' | b'#') || is_level(at + i))
}

fn header(out: &mut [u8], first: u8, mut len: usize) -> usize {
    out[0] = first;
    let mut at = 1;
    while len >= 0x80 {
        out[at] = len as u8 | 0x80;
        len >>= 7;
        at += 1;
    }
    out[at] = len as u8;
    at + 1
}

fn field(out: &mut [u8], bytes: &[u8]) -> usize {
    let field = &mut out[..2 + bytes.len()];
    field[..2].copy_from_slice(&(bytes.len() as u16).to_be_bytes());
    field[2..].copy_from_slice(bytes);
    field.len()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn take<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (field, behind) = rest[2..].split_at(u16_at(rest, 0) as usize);
    *rest = behind;
    field
}

impl<const CHECK: bool> Floor<CHECK> {
    #[inline(always)]
    fn is(good: impl FnOnce() -> bool) {
        if CHECK {
            assert!(good());
        }
    }

    #[inline(never)]
    fn read(bytes: &[u8]) -> (Packet<'_>, usize) {
        let mut len = (bytes[1] & 0x7F) as usize;
        let mut at = 2;
        while bytes[at - 1] >= 0x80 {
            len |= ((bytes[at] & 0x7F) as usize) << (7 * (at - 1));
            at += 1;
        }
        Self::is(|| at <= 5 && (at == 2 || bytes[at - 1] != 0));
        let body = &bytes[at..at + len];
        let flags = bytes[0] & 0x0F;
        let packet = match bytes[0] >> 4 {
            3 => Self::read_publish(flags, body),
            _ if CHECK && flags != if bytes[0] >> 4 == 8 { 2 } else { 0 } => panic!(),
            1 => Self::read_connect(body),
            2 => {
                Self::is(|| len == 2 && body[0] < 2 && (body[1] == 0 || body[0] == 0));
                Packet::ConnAck { session_present: body[0] != 0, code: body[1] }
            }
            4 => Packet::PubAck(Self::read_id(body)),
            8 => Self::read_subscribe(body),
            9 => {
                let (id, codes) = (u16_at(body, 0), &body[2..]);
                Self::is(|| {
                    id != 0 && !codes.is_empty() && codes.iter().all(|code| matches!(code, 0..=2 | 0x80))
                });
                Packet::SubAck { id, codes }
            }
            11 => Packet::UnsubAck(Self::read_id(body)),
            13 => {
                Self::is(|| len == 0);
                Packet::PingResp
            }
            _ => panic!(),
        };
        (packet, at + len)
    }

    fn read_id(body: &[u8]) -> u16 {
        let id = u16_at(body, 0);
        Self::is(|| body.len() == 2 && id != 0);
        id
    }

    fn read_publish(flags: u8, body: &[u8]) -> Packet<'_> {
        let mut rest = body;
        let topic = take(&mut rest);
        Self::is(|| check_topic(topic) && flags & 6 != 6 && (flags & 6 != 0 || flags & 8 == 0));
        let mut id = 0;
        if flags & 6 != 0 {
            id = u16_at(rest, 0);
            Self::is(|| id != 0);
            rest = &rest[2..];
        }
        Packet::Publish { flags, topic, id, payload: rest }
    }

    fn read_connect(body: &[u8]) -> Packet<'_> {
        let flags = body[7];
        Self::is(|| {
            body[..7] == *b"\0\x04MQTT\x04"
                && flags & 1 == 0
                && flags & 0x18 != 0x18
                && (flags & 4 != 0 || flags & 0x38 == 0)
                && (flags & 0x80 != 0 || flags & 0x40 == 0)
        });
        let mut rest = &body[10..];
        let client_id = take(&mut rest);
        Self::is(|| check_text(client_id) && (!client_id.is_empty() || flags & 2 != 0));
        let will = (flags & 4 != 0).then(|| (take(&mut rest), take(&mut rest)));
        Self::is(|| will.is_none_or(|(topic, _)| check_topic(topic)));
        let username = (flags & 0x80 != 0).then(|| take(&mut rest));
        Self::is(|| username.is_none_or(check_text));
        let password = (flags & 0x40 != 0).then(|| take(&mut rest));
        Self::is(|| rest.is_empty());
        Packet::Connect { keep_alive: u16_at(body, 8), flags, client_id, will, username, password }
    }

    fn read_subscribe(body: &[u8]) -> Packet<'_> {
        let (id, filters) = (u16_at(body, 0), &body[2..]);
        Self::is(|| id != 0 && !filters.is_empty());
        let mut rest = filters;
        while !rest.is_empty() {
            let filter = take(&mut rest);
            Self::is(|| check_filter(filter) && rest[0] < 3);
            rest = &rest[1..];
        }
        Packet::Subscribe { id, filters }
    }
}

impl<const CHECK: bool> Codec for Floor<CHECK> {
    const NAME: &'static str = if CHECK { "checking floor" } else { "floor" };

    type Connect = &'static input::Connect;
    type Publish = &'static input::Publish;
    type Subscribe = &'static input::Subscribe;
    type PubAck = u16;

    fn connect(values: &'static input::Connect) -> Self::Connect {
        values
    }

    fn publish(values: &'static input::Publish) -> Self::Publish {
        values
    }

    fn subscribe(values: &'static input::Subscribe) -> Self::Subscribe {
        values
    }

    fn puback(id: u16) -> u16 {
        id
    }

    type Out = Slice;

    fn out() -> Slice {
        Slice::new()
    }

    fn written(out: &Slice) -> &[u8] {
        out.written()
    }

    fn encode_connect(packet: &Self::Connect, out: &mut Slice) {
        let (client_id, topic, message) =
            (packet.client_id.as_bytes(), packet.will_topic.as_bytes(), packet.will_message);
        let (username, password) = (packet.username.as_bytes(), packet.password.as_bytes());
        Self::is(|| check_text(client_id) && check_topic(topic) && check_text(username));
        Self::is(|| {
            [client_id, topic, message, username, password].iter().all(|field| field.len() <= 65_535)
        });
        let len = 20 + client_id.len() + topic.len() + message.len() + username.len() + password.len();
        let room = &mut out.room[..];
        let mut at = header(room, 0x10, len);
        room[at..at + 8].copy_from_slice(b"\0\x04MQTT\x04\xCE");
        room[at + 8..at + 10].copy_from_slice(&packet.keep_alive.to_be_bytes());
        at += 10;
        at += field(&mut room[at..], client_id);
        at += field(&mut room[at..], topic);
        at += field(&mut room[at..], message);
        at += field(&mut room[at..], username);
        at += field(&mut room[at..], password);
        out.len = at;
    }

    fn encode_publish(packet: &Self::Publish, out: &mut Slice) {
        let topic = packet.topic.as_bytes();
        Self::is(|| check_topic(topic) && topic.len() <= 65_535);
        let id = if packet.id != 0 { 2 } else { 0 };
        let len = 2 + topic.len() + id + packet.payload.len();
        Self::is(|| len < 1 << 28);
        let room = &mut out.room[..];
        let mut at = header(room, if packet.id != 0 { 0x32 } else { 0x30 }, len);
        at += field(&mut room[at..], topic);
        if packet.id != 0 {
            room[at..at + 2].copy_from_slice(&packet.id.to_be_bytes());
            at += 2;
        }
        room[at..at + packet.payload.len()].copy_from_slice(packet.payload);
        out.len = at + packet.payload.len();
    }

    fn encode_subscribe(packet: &Self::Subscribe, out: &mut Slice) {
        Self::is(|| {
            packet.filters.iter().all(|(filter, _)| check_filter(filter.as_bytes()) && filter.len() <= 65_535)
        });
        let len = packet.filters.iter().fold(2, |len, (filter, _)| len + filter.len() + 3);
        let room = &mut out.room[..];
        let mut at = header(room, 0x82, len);
        room[at..at + 2].copy_from_slice(&packet.id.to_be_bytes());
        at += 2;
        for (filter, qos) in &packet.filters {
            at += field(&mut room[at..], filter.as_bytes());
            room[at] = *qos;
            at += 1;
        }
        out.len = at;
    }

    fn encode_puback(packet: &u16, out: &mut Slice) {
        let [high, low] = packet.to_be_bytes();
        out.room[..4].copy_from_slice(&[0x40, 2, high, low]);
        out.len = 4;
    }

    type In = &'static [u8];

    fn input(bytes: &'static [u8]) -> Self::In {
        bytes
    }

    fn decode(input: &mut Self::In) {
        let (packet, len) = &Self::read(input);
        black_box(packet);
        *input = &input[*len..];
    }

    /// A message as it would be done by hand; other packets only to check them.
    fn transcode(input: &mut Self::In, out: &mut Slice) {
        let (packet, len) = Self::read(input);
        let read = &input[..len];
        *input = &input[len..];
        out.len = match packet {
            Packet::Publish { flags, topic, id, payload } => {
                let room = &mut out.room[..];
                let id_len = if flags & 6 != 0 { 2 } else { 0 };
                let mut at = header(room, 0x30 | flags, 2 + topic.len() + id_len + payload.len());
                at += field(&mut room[at..], topic);
                if id_len != 0 {
                    room[at..at + 2].copy_from_slice(&id.to_be_bytes());
                    at += 2;
                }
                room[at..at + payload.len()].copy_from_slice(payload);
                at + payload.len()
            }
            _ => {
                out.room[..len].copy_from_slice(read);
                len
            }
        };
    }
}

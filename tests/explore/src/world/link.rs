//! The link: what the client sends is read at once, or never; what the broker sends waits until it is read.
//!
//! No behaviour is missed by that: if the broker would read something later, it could as well have answered later; and what was not read
//! when the link breaks is the same as what was sent after the link had died.

use baremqtt::codec::{self, Decoded, Packet};

use super::{Offered, World, say};
use crate::broker::{Check, MOST, check};
use crate::packets::number;
use crate::rules::Feature;

#[derive(Clone, Default)]
pub struct Link {
    pub is_open: bool,
    /// Nothing that is sent arrives any more.
    pub is_dead: bool,
    /// The transport has reported it, but may still have something to read.
    pub is_output_lost: bool,
    /// The beginning of a packet from the client.
    up: Vec<u8>,
    /// What the broker has sent, and how much is left of a packet that was partly read.
    pub down: Vec<u8>,
    pub inside: usize,
}

impl Link {
    pub fn key(&self, key: &mut Vec<u8>) {
        key.push(u8::from(self.is_open) | u8::from(self.is_dead) << 1 | u8::from(self.is_output_lost) << 2);
        key.extend([self.up.len() as u8, self.down.len() as u8, self.inside as u8]);
        key.extend(&self.up);
        key.extend(&self.down);
    }
}

/// How much of the offered output is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Much {
    Byte,
    Packet,
    All,
}

/// The length of the packet that begins here, if enough of it is visible.
pub fn packet_len(bytes: &[u8]) -> Option<usize> {
    let mut len = 0;
    for (at, byte) in bytes.iter().skip(1).take(4).enumerate() {
        len |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(len + at + 2);
        }
    }
    None
}

impl World {
    /// The transport takes some of what the client offers, and reports that now or later.
    pub(super) fn sends(&mut self, much: Much, late: bool) -> Result<bool, String> {
        if self.offered.is_some() || !self.link.is_open {
            return Ok(false);
        }
        let pending = self.client.pending().to_vec();
        check!(pending.is_empty() || !self.link.is_output_lost, "something to be sent without output");
        if pending.is_empty() {
            return Ok(false);
        }
        let mut all = self.link.up.clone();
        all.extend(&pending);
        let inside = self.link.up.len();
        let first = packet_len(&all).unwrap_or(all.len());
        let taken = match much {
            Much::Byte if inside > 0 => return Ok(false),
            Much::Byte => 1,
            Much::Packet => pending.len().min(first - inside),
            Much::All if pending.len() <= first - inside => return Ok(false),
            Much::All => pending.len(),
        };
        let beyond = self.begins(&all, inside, inside + taken)?;
        if late {
            self.offered = Some(Offered { taken, beyond });
        } else {
            self.client.sent(taken);
        }
        all.truncate(inside + taken);
        self.link.up = all;
        self.reads()?;
        Ok(true)
    }

    /// Packets begin from here on. Those before `taken` are checked; of the others, returns which messages (and which messages'
    /// PUBRELs) they are.
    fn begins(&mut self, all: &[u8], from: usize, taken: usize) -> Result<(u16, u16), String> {
        let mut at = 0;
        let (mut messages, mut pubrels) = (0, 0);
        while at < all.len() {
            let packet = &all[at..];
            if at >= from {
                let (message, pubrel) = self.identifies(packet);
                if at < taken {
                    self.first_byte(packet[0], message, pubrel)?;
                } else {
                    messages |= message.map_or(0, |message| 1 << message);
                    pubrels |= pubrel.map_or(0, |message| 1 << message);
                }
            }
            at += packet_len(packet).unwrap_or(packet.len());
        }
        Ok((messages, pubrels))
    }

    /// The message that this packet is, or whose PUBREL it is; the packet may be incomplete.
    fn identifies(&self, packet: &[u8]) -> (Option<usize>, Option<usize>) {
        match (packet[0] >> 4, packet) {
            (3, [_, _, 0, 2, topic @ ..]) => {
                let topic = topic.first_chunk::<2>().and_then(|topic| std::str::from_utf8(topic).ok());
                (number(topic.unwrap_or_default(), b'o'), None)
            }
            (6, [_, _, high, low, ..]) => {
                let id = u16::from_be_bytes([*high, *low]);
                (None, self.app.request(id).filter(|request| *request < MOST))
            }
            _ => (None, None),
        }
    }

    /// The first byte of a packet is sent: DUP is right, and what was given up is not sent.
    fn first_byte(&mut self, first: u8, message: Option<usize>, pubrel: Option<usize>) -> Check {
        let dup = first & 8 != 0;
        if let Some(message) = message {
            let bit = 1 << message;
            let app = &mut self.app;
            check!(app.given_up & bit == 0, "message {message} was given up");
            check!(app.discarded & bit == 0, "message {message} of a session that is discarded");
            check!(
                app.is_open(message) || first & 6 == 0,
                "message {message} is {:?}",
                app.requests[message]
            );
            check!(dup || app.seen & bit == 0, "message {message} without DUP");
            check!(!dup || (app.seen | app.restored) & bit != 0, "message {message} with DUP");
            app.seen |= bit;
            app.seen_here |= bit;
        }
        if let Some(message) = pubrel
            && self.has(Feature::Mqtt31)
        {
            let bit = 1 << message;
            let app = &mut self.app;
            // What answers a repeated PUBREC is no repetition.
            let answers = self.rules.has(Feature::Retry);
            check!(dup || answers || app.seen_pubrel & bit == 0, "PUBREL of {message} without DUP");
            // The PUBREL of a message that was given up takes the place of the message, which was seen.
            let was_seen = app.seen_pubrel | app.restored | app.given_up;
            check!(!dup || was_seen & bit != 0, "PUBREL of {message} with DUP");
            app.seen_pubrel |= bit;
        }
        Ok(())
    }

    /// The broker reads whole packets, unless the link has died.
    fn reads(&mut self) -> Check {
        let version = self.rules.version();
        let up = std::mem::take(&mut self.link.up);
        let mut at = 0;
        while let Decoded::Complete { packet, len } =
            codec::decode(&up[at..], version).map_err(|violation| format!("{violation}"))?
        {
            say!("-> {packet}{}", if self.link.is_dead { ", lost" } else { "" });
            at += len;
            self.silent = 0;
            if self.link.is_dead {
                continue;
            }
            if matches!(packet, Packet::Disconnect) {
                check!(self.disconnects || self.finishes, "DISCONNECT, and nobody asked for it");
                let idle = self.app.open_count() == 0;
                check!(self.disconnects || idle, "DISCONNECT before the end of all");
            }
            if let Packet::PubRel { id, .. } = packet {
                // What is repeated is answered again.
                let is_open = self.app.request(id.get()).is_some() || self.has(Feature::Retry);
                check!(is_open, "PUBREL {id} of no request");
            }
            let before = self.broker.arrived;
            if let Packet::Connect(connect) = packet {
                if connect.clean_session {
                    self.session_lost();
                } else if !self.broker.has_session || self.rules.distrusts() {
                    self.app.session_ends(false);
                }
            }
            self.broker.takes(packet, self.rules, &mut self.link.down)?;
            self.in_order(before)?;
        }
        self.link.up = up[at..].to_vec();
        Ok(())
    }

    /// Messages of one QoS first arrive in the order in which they were published.
    fn in_order(&self, before: u16) -> Check {
        let excused = self.app.given_up | self.app.may_end;
        let new = self.broker.arrived & !before;
        for message in (0..self.rules.out.len()).filter(|message| new & (1 << message) != 0) {
            for earlier in (0..message).filter(|earlier| self.rules.out[*earlier] == self.rules.out[message])
            {
                let may_miss = excused & (1 << earlier) != 0 || self.rules.is_at_most_once(earlier);
                let there = self.broker.has_arrived(earlier) || may_miss;
                check!(there, "message {message} arrives before {earlier}");
            }
        }
        Ok(())
    }

    /// The client reads a packet, or its first byte.
    pub(super) fn receives(&mut self, much: Much) -> bool {
        let down = &mut self.link.down;
        let free = self.client.receive_buffer();
        if down.is_empty() || free.is_empty() {
            return false;
        }
        let is_new = self.link.inside == 0;
        if is_new {
            self.link.inside = packet_len(down).unwrap_or(down.len());
        } else if much == Much::Byte {
            return false;
        }
        let most = if much == Much::Byte { 1 } else { self.link.inside };
        let len = most.min(free.len());
        if is_new {
            let version = self.rules.version();
            if let Ok(Decoded::Complete { packet, .. }) = codec::decode(down, version) {
                say!("<- {packet}, {len} bytes");
            }
        }
        free[..len].copy_from_slice(&down[..len]);
        down.drain(..len);
        self.link.inside -= len;
        self.client.received(len);
        true
    }

    /// Whether a request may be waiting for the other side: something is in transit, or an answer is outstanding.
    pub(super) fn peer_is_late(&self) -> bool {
        !self.link.down.is_empty()
            || self.link.is_dead
            || !self.link.up.is_empty()
            || self.offered.is_some()
            || !self.broker.due.is_empty()
            || !self.client.clone().pending().is_empty()
    }

    /// The broker's session is gone. Records which requests may end without an answer, which may arrive twice (now, or after a
    /// restart), and which images are out of date.
    pub(super) fn session_lost(&mut self) {
        let drops = self.has(Feature::Drop);
        let again = self.app.begun() | self.open_in_images();
        self.broker.lose_session(if drops { 0 } else { again });
        // A client that requested a clean session knows.
        self.broker.is_mistaken = !self.app.is_clean;
        self.app.session_ends(drops);
        self.outdates_images();
    }
}

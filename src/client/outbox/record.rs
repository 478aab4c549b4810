//! One request in the log, as its bytes say: its packet, and in the first byte what it waits for.
//!
//! | first byte | is | waits for |
//! |---|---|---|
//! | `3x` | PUBLISH | to be sent at QoS 0; PUBACK, PUBREC |
//! | `6x` | PUBREL | PUBCOMP |
//! | `8x`, `Ax` | SUBSCRIBE, UNSUBSCRIBE | SUBACK, UNSUBACK |
//! | `F0` | the head of a PUBLISH whose payload is streamed, behind a header of its own | as PUBLISH |
//! | `3x` without a topic | a stub of a message that was given up | PUBACK, PUBREC |
//! | `Ex` | a request that has ended: outcome in bits 0 and 1, form in bits 2 and 3 | its end to be told |
//! | `00` | nothing any more | room to be made |

use core::num::NonZeroU64;

use super::super::bytes::u16_at;
use crate::PacketId;
use crate::codec::PacketType;

pub(crate) const DEAD: u8 = 0x00;
pub(crate) const ENDED: u8 = 0xE0;
pub(crate) const STREAMED: u8 = 0xF0;

pub(crate) const PUBREL: u8 = PacketType::PubRel.first_byte();
/// The bits of a PUBLISH that tell its QoS from others, without DUP and RETAIN.
pub(crate) const AT_MOST_ONCE: u8 = 0x30;
pub(crate) const AT_LEAST_ONCE: u8 = 0x32;
pub(crate) const EXACTLY_ONCE: u8 = 0x34;
pub(crate) const DUP: u8 = 0x08;
pub(crate) const QOS_BITS: u8 = 0xF6;

/// Bytes of a packet that is only an identifier: PUBREL, and each answer.
pub(crate) const SHORT: usize = 4;

/// Where the identifier stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Behind the header.
    Short = 0,
    /// Behind the topic.
    Publish = 1,
    /// In the packet behind the header, behind its topic.
    Streamed = 2,
}

/// How a request has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was not answered, and is not sent again.
    Lost = 0,
    /// It had PUBREC, or may have had it, and is not sent again.
    Uncertain = 1,
    /// PUBACK.
    PublishedAtLeastOnce = 2,
    /// PUBCOMP.
    PublishedExactlyOnce = 3,
}

impl End {
    const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => End::Lost,
            1 => End::Uncertain,
            2 => End::PublishedAtLeastOnce,
            _ => End::PublishedExactlyOnce,
        }
    }
}

/// Where the record ends (48 bits), its first byte (8), and bytes of its fixed header (8, never 0): a number, so that it travels in
/// registers.
#[derive(Clone, Copy)]
pub(crate) struct Record(NonZeroU64);

const END_BITS: u32 = 48;
const HEADER_SHIFT: u32 = END_BITS + 8;

impl Record {
    /// The record that begins here; `None` past the end of the bytes.
    #[inline]
    pub(crate) fn read(log: &[u8], at: usize) -> Option<Self> {
        let (&first, rest) = log.get(at..)?.split_first()?;
        let (mut len, mut shift, mut header) = (0, 0_u32, 1_u8);
        for &byte in rest.iter().take(4) {
            header = header.wrapping_add(1);
            len |= usize::from(byte & 0x7F) << shift;
            shift = shift.wrapping_add(7);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Self::new(at.wrapping_add(header.into()).wrapping_add(len), first, header)
    }

    #[inline]
    fn new(end: usize, first: u8, header: u8) -> Option<Self> {
        let bits = (u64::from(header) << HEADER_SHIFT) | (u64::from(first) << END_BITS) | end as u64;
        NonZeroU64::new(bits).map(Record)
    }

    /// Where the next one begins.
    #[inline]
    pub(crate) const fn end(self) -> usize {
        // What is above is cut off where a word is not so long.
        (self.0.get() & (u64::MAX >> 16)) as usize
    }

    #[inline]
    pub(crate) const fn first(self) -> u8 {
        (self.0.get() >> END_BITS) as u8
    }

    /// Bytes of the fixed header.
    #[inline]
    const fn header(self) -> usize {
        (self.0.get() >> HEADER_SHIFT) as usize
    }

    #[inline]
    pub(crate) const fn is_dead(self) -> bool {
        self.first() == DEAD
    }

    #[inline]
    pub(crate) const fn has_ended(self) -> bool {
        self.first() & 0xF0 == ENDED
    }

    /// The head of a PUBLISH behind a header of the log.
    #[inline]
    pub(crate) const fn is_streamed(self) -> bool {
        self.first() == STREAMED
    }

    /// SUBSCRIBE or UNSUBSCRIBE: it ends with its connection.
    #[inline]
    pub(crate) const fn ends_with_link(self) -> bool {
        matches!(self.first() >> 4, 0x8 | 0xA)
    }

    /// Where the fixed header of the record ends.
    #[inline]
    pub(crate) const fn body(self, at: usize) -> usize {
        at.wrapping_add(self.header())
    }

    /// Where the packet begins: what leaves.
    #[inline]
    pub(crate) const fn packet(self, at: usize) -> usize {
        if self.is_streamed() { self.body(at) } else { at }
    }

    /// The first byte of the packet.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // one copy of it, where flash is small
    pub(crate) fn request(self, log: &[u8], at: usize) -> u8 {
        if self.is_streamed() { log.get(self.body(at)).copied().unwrap_or(DEAD) } else { self.first() }
    }

    pub(crate) const fn form(self) -> Form {
        match self.first() {
            STREAMED => Form::Streamed,
            0x30..=0x3F => Form::Publish,
            ENDED..=0xEF => match (self.first() >> 2) & 3 {
                0 => Form::Short,
                1 => Form::Publish,
                _ => Form::Streamed,
            },
            _ => Form::Short,
        }
    }

    /// The first byte once the request has ended so.
    pub(crate) const fn ended(self, end: End) -> u8 {
        ENDED | ((self.form() as u8) << 2) | end as u8
    }

    /// How it has ended, if it has.
    pub(crate) const fn outcome(self) -> End {
        End::from_bits(self.first())
    }

    /// The packet identifier; what stands there at QoS 0 means nothing.
    pub(crate) fn id(self, log: &[u8], at: usize) -> u16 {
        let mut place = self.body(at);
        match self.form() {
            Form::Short => {}
            Form::Publish => place = behind_topic(log, place),
            Form::Streamed => {
                let head = Record::read(log, place).map_or(place, |packet| packet.body(place));
                place = behind_topic(log, head);
            }
        }
        u16_at(log, place)
    }

    /// Whether it is a PUBLISH with DUP: the server may have seen it on an earlier connection.
    pub(crate) fn has_dup(self, log: &[u8], at: usize) -> bool {
        let request = self.request(log, at);
        request & 0xF0 == AT_MOST_ONCE && request & DUP != 0
    }

    /// Whether it is what is left of a message that was given up: a PUBLISH without a topic.
    pub(crate) fn is_stub(self, log: &[u8], at: usize) -> bool {
        self.form() == Form::Publish && !self.has_ended() && u16_at(log, self.body(at)) == 0
    }

    /// The identifier, if the record keeps one from being given out again.
    pub(crate) fn kept_id(self, log: &[u8], at: usize) -> Option<PacketId> {
        if self.is_dead() || self.request(log, at) & QOS_BITS == AT_MOST_ONCE {
            return None;
        }
        PacketId::new(self.id(log, at))
    }
}

/// What is behind a topic that begins here.
#[inline]
fn behind_topic(log: &[u8], at: usize) -> usize {
    at.wrapping_add(2).wrapping_add(usize::from(u16_at(log, at)))
}

/// Whether a request with this first byte waits for an answer with that one.
#[inline]
pub(crate) const fn waits_for(request: u8, answer: u8) -> bool {
    match answer >> 4 {
        // Also a message of QoS 2: a server that does not know it answers with PUBACK.
        0x4 => matches!(request & QOS_BITS, AT_LEAST_ONCE | EXACTLY_ONCE),
        0x5 => request & QOS_BITS == EXACTLY_ONCE,
        0x7 => request >> 4 == 0x6,
        0x9 => request >> 4 == 0x8,
        0xB => request >> 4 == 0xA,
        _ => false,
    }
}

/// Whether the request takes a place among those of QoS 2.
pub(crate) const fn is_exactly_once(request: u8) -> bool {
    request & QOS_BITS == EXACTLY_ONCE || request >> 4 == 0x6
}

//! Checked reading and writing, which cannot run past the end of a slice.

use core::mem;

use super::{PacketId, Text};
use crate::Violation;

/// Reads the fields of a packet's body one after another.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Reader { rest: body }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The rest of the body.
    #[inline]
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, Violation> {
        let (first, rest) = self.rest.split_first().ok_or(Violation::PacketLength)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Violation> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Violation::PacketLength)?;
        self.rest = rest;
        Ok(u16::from_be_bytes(*bytes))
    }

    /// A packet identifier, which is never 0 (MQTT-2.3.1-1).
    #[inline]
    pub(crate) fn packet_id(&mut self) -> Result<PacketId, Violation> {
        PacketId::new(self.u16()?).ok_or(Violation::PacketIdZero)
    }

    /// A field of bytes with a length prefix.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Violation> {
        let len = usize::from(self.u16()?);
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Violation::PacketLength)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A text with a length prefix.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn text(&mut self) -> Result<Text<'a>, Violation> {
        let text = Text::from_bytes(self.bytes()?);
        text.check()?;
        Ok(text)
    }

    /// Checks that nothing is left.
    #[inline]
    pub(crate) fn end(&self) -> Result<(), Violation> {
        if self.rest.is_empty() { Ok(()) } else { Err(Violation::PacketLength) }
    }
}

/// Writes fields into a slice, and counts all bytes whether they fit or not. With an empty slice it only counts.
pub(crate) struct Writer<'a> {
    room: &'a mut [u8],
    len: usize,
}

// On small targets, these are not inlined, to save flash.
impl<'a> Writer<'a> {
    pub(crate) const fn new(out: &'a mut [u8]) -> Self {
        Writer { room: out, len: 0 }
    }

    /// Bytes written or counted so far.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.len = self.len.saturating_add(bytes.len());
        // Once something did not fit, nothing after it is written either.
        if let Some((field, rest)) = mem::take(&mut self.room).split_at_mut_checked(bytes.len()) {
            copy(field, bytes);
            self.room = rest;
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn u8(&mut self, value: u8) {
        self.raw(&[value]);
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(crate) fn packet_id(&mut self, id: PacketId) {
        self.u16(id.get());
    }

    /// A field of bytes with a length prefix. The caller ensures that it has at most 65,535 bytes.
    #[cfg(not(target_pointer_width = "64"))]
    #[inline(never)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.u16(bytes.len() as u16);
        self.raw(bytes);
    }

    /// A field of bytes with a length prefix. The caller ensures that it has at most 65,535 bytes.
    #[cfg(target_pointer_width = "64")]
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let len = bytes.len().wrapping_add(2);
        self.len = self.len.saturating_add(len);
        // A single check for both.
        if let Some((field, rest)) = mem::take(&mut self.room).split_at_mut_checked(len)
            && let Some((prefix, field)) = field.split_first_chunk_mut()
        {
            *prefix = (bytes.len() as u16).to_be_bytes();
            copy_text(field, bytes);
            self.room = rest;
        }
    }
}

/// A length that was added up during checking, so that it need not be counted again. On small targets it is counted.
#[derive(Clone, Copy, Default)]
pub(super) struct KnownLen(#[cfg(target_pointer_width = "64")] usize);

#[cfg(target_pointer_width = "64")]
impl KnownLen {
    #[inline]
    pub(super) fn add(&mut self, len: usize) {
        self.0 = self.0.saturating_add(len);
    }

    #[inline]
    pub(super) fn get(self) -> usize {
        self.0
    }
}

#[cfg(not(target_pointer_width = "64"))]
impl KnownLen {
    pub(super) fn add(&mut self, _: usize) {}
}

/// Whether the length of these bytes fits into a length prefix of two bytes.
pub(crate) const fn check_len(bytes: &[u8]) -> Result<(), Violation> {
    if bytes.len() > u16::MAX as usize { Err(Violation::TooLong) } else { Ok(()) }
}

/// Copies a slice into another one of the same length.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    if cfg!(target_pointer_width = "64") {
        return to.copy_from_slice(from);
    }
    // A loop on small targets, so that `memcpy` is not linked just for this.
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Copies a text. Texts are usually short, and for those a call of `memcpy` is not worth it.
#[cfg(target_pointer_width = "64")]
#[inline]
fn copy_text(to: &mut [u8], from: &[u8]) {
    if from.len() > 32 || !(copy_ends::<16>(to, from) || copy_ends::<8>(to, from) || copy_ends::<4>(to, from))
    {
        to.copy_from_slice(from);
    }
}

/// Copies the first and the last `N` bytes, which is everything if there are at most `2 * N`. Returns whether there are at
/// least `N`.
#[cfg(target_pointer_width = "64")]
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
    let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else { return false };
    if let Some(room) = to.first_chunk_mut() {
        *room = *first;
    }
    if let Some(room) = to.last_chunk_mut() {
        *room = *last;
    }
    true
}

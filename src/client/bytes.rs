//! Bytes in a buffer: moved and written without a way to miss it.

/// Moves bytes towards the front.
#[inline]
pub(super) fn move_down(bytes: &mut [u8], from: usize, to: usize, len: usize) {
    let Some(end) = from.checked_add(len) else { return };
    if to < from && end <= bytes.len() {
        bytes.copy_within(from..end, to);
    }
}

/// Writes a few bytes, as far as they fit.
#[inline]
pub(super) fn write(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = bytes.get_mut(at..) {
        for (to, from) in field.iter_mut().zip(value) {
            *to = *from;
        }
    }
}

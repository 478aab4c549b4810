//! Moves and writes bytes in a buffer, without a panic path.

/// Whether this is a machine with much memory, and perhaps many requests under way, where speed matters more than code size. (Tests
/// cover the other case too, with `--cfg baremqtt_small`.)
pub(super) const IS_LARGE: bool =
    cfg!(all(not(baremqtt_small), any(target_pointer_width = "64", not(target_os = "none"))));

/// Moves bytes towards the front.
pub(super) fn move_down(bytes: &mut [u8], from: usize, to: usize, len: usize) {
    if IS_LARGE {
        let distance = from.wrapping_sub(to);
        // In this form the optimiser sees that it cannot panic.
        if let Some(place) = bytes.get_mut(to..from.wrapping_add(len)).filter(|place| distance <= place.len())
        {
            place.copy_within(distance.., 0);
        }
        return;
    }
    for offset in 0..len {
        let byte = bytes.get(from.wrapping_add(offset)).copied().unwrap_or_default();
        set(bytes, to.wrapping_add(offset), byte);
    }
}

/// Moves bytes towards the end, the last one first.
pub(super) fn move_up(bytes: &mut [u8], from: usize, to: usize, len: usize) {
    for offset in (0..len).rev() {
        let byte = bytes.get(from.wrapping_add(offset)).copied().unwrap_or_default();
        set(bytes, to.wrapping_add(offset), byte);
    }
}

/// Writes one byte.
#[inline]
pub(super) fn set(bytes: &mut [u8], at: usize, value: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

/// Writes a few bytes, as many as fit.
pub(super) fn write(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = bytes.get_mut(at..) {
        for (to, from) in field.iter_mut().zip(value) {
            *to = *from;
        }
    }
}

/// Writes a number of two bytes.
#[inline]
pub(super) fn set_u16(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(field) = bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) {
        *field = value.to_be_bytes();
    }
}

/// Writes a packet that consists of an identifier only: PUBREL, and every answer.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
pub(super) fn write_short(bytes: &mut [u8], at: usize, first: u8, id: u16) {
    if let Some(packet) = bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) {
        let [high, low] = id.to_be_bytes();
        *packet = [first, 2, high, low];
    }
}

/// The two bytes here as a number; 0 past the end.
#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..at.wrapping_add(2)) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

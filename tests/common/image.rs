//! Session images, in the format that `save` documents.

/// Appends a CRC-32 to the body of an image.
pub fn seal(body: &[u8]) -> Vec<u8> {
    let crc = body.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    });
    [body, &(!crc).to_be_bytes()].concat()
}

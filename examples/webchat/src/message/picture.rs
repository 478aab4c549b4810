//! Pictures: bytes that nothing can mistake for something else.

use axum::body::Bytes;
use serde::{Serialize, Serializer};

/// The size limit of a picture. Mosquitto's WebSocket delivers about 40 KiB per second, and what follows has to wait.
pub const MAX_PICTURE: usize = 256 << 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    media_type: &'static str,
    bytes: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    TooLarge,
    NotAPicture,
}

impl Picture {
    /// Accepts bytes that are a picture, whatever their declared type.
    pub fn new(bytes: Bytes) -> Result<Self, Unfit> {
        if bytes.len() > MAX_PICTURE {
            return Err(Unfit::TooLarge);
        }
        let media_type = type_of(&bytes).ok_or(Unfit::NotAPicture)?;
        Ok(Picture { media_type, bytes })
    }

    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// JSON has only the type: the bytes follow it unchanged.
impl Serialize for Picture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.media_type)
    }
}

/// Detected from the first bytes. No SVG: it can contain scripts.
fn type_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_pictures_that_are_some() {
        for (media_type, bytes) in [
            ("image/jpeg", b"\xFF\xD8\xFF\xE0".as_slice()),
            ("image/png", b"\x89PNG\r\n\x1A\n\0"),
            ("image/gif", b"GIF89a\x01"),
            ("image/webp", b"RIFF\x24\0\0\0WEBPVP8 "),
        ] {
            let picture = Picture::new(Bytes::from_static(bytes)).expect("a picture");
            assert_eq!((picture.media_type(), picture.bytes().as_ref()), (media_type, bytes));
        }
        for bytes in [
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".as_slice(),
            b"<script>alert(1)</script>",
            b"RIFF\x24\0\0\0WAVEfmt ",
            b"\xFF\xD8",
            b"",
        ] {
            assert_eq!(Picture::new(Bytes::from_static(bytes)), Err(Unfit::NotAPicture));
        }
    }

    #[test]
    fn there_is_a_limit() {
        let mut bytes = b"\xFF\xD8\xFF".to_vec();
        bytes.resize(MAX_PICTURE, 0);
        assert!(Picture::new(bytes.clone().into()).is_ok());
        bytes.push(0);
        assert_eq!(Picture::new(bytes.into()), Err(Unfit::TooLarge));
    }
}

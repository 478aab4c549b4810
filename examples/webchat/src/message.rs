//! What people send: the article's `{to, con, from, time}`, checked, with an identifier.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::names;

/// Bytes of a text, in UTF-8.
pub const MAX_TEXT: usize = 8 << 10;
/// Bytes of a picture.
pub const MAX_PICTURE: usize = 256 << 10;
/// Bytes of a request: a picture in base64, and the rest.
pub const MAX_BODY: usize = MAX_PICTURE / 3 * 4 + (64 << 10);

/// The greatest integer that JavaScript has.
const MAX_TIME: u64 = (1 << 53) - 1;

/// How pictures begin, in a data URL and in the file itself. No SVG: it can hold programs.
const PICTURES: [(&str, &[u8]); 4] = [
    ("data:image/jpeg;base64,", b"\xFF\xD8\xFF"),
    ("data:image/png;base64,", b"\x89PNG\r\n\x1A\n"),
    ("data:image/gif;base64,", b"GIF8"),
    ("data:image/webp;base64,", b"RIFF"),
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Text,
    Picture,
}

/// A message as the browser posts it and as it goes to the topic `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub to: String,
    /// The text, or the picture as a data URL.
    pub con: String,
    pub from: String,
    /// Seconds since 1970, by the sender's clock.
    pub time: u64,
    /// The sender's number for it: whoever has it already drops what comes again.
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub kind: Kind,
}

impl Message {
    pub fn check(&self) -> Result<(), &'static str> {
        names::check(&self.to)?;
        if self.time > MAX_TIME {
            return Err("the time is not a number of seconds");
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(is_plain) {
            return Err("an id has 1 to 64 letters, digits and -");
        }
        match self.kind {
            Kind::Text => check_text(&self.con),
            Kind::Picture => check_picture(&self.con),
        }
    }
}

fn check_text(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        Err("the message is empty")
    } else if text.len() > MAX_TEXT {
        Err("the message is longer than 8 KiB")
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Err("the message has control characters in it")
    } else {
        Ok(())
    }
}

fn check_picture(url: &str) -> Result<(), &'static str> {
    let picture = PICTURES.iter().find_map(|(prefix, magic)| Some((url.strip_prefix(prefix)?, magic)));
    let (data, magic) = picture.ok_or("a picture is JPEG, PNG, GIF or WebP")?;
    let bytes = BASE64.decode(data.as_bytes()).map_err(|_| "the picture is not in base64")?;
    if bytes.len() > MAX_PICTURE {
        Err("the picture is larger than 256 KiB")
    } else if !bytes.starts_with(magic) {
        Err("the picture is not what it says")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: Kind, con: &str) -> Message {
        Message {
            to: "B".into(),
            con: con.into(),
            from: "A".into(),
            time: 2_015_698_856,
            id: "1".into(),
            kind,
        }
    }

    #[test]
    fn takes_the_articles_message() {
        let json = r#"{"to":"B","con":"你好啊","from":"A","time":2015698856}"#;
        let mut parsed: Message = serde_json::from_str(json).expect("the article's form");
        parsed.id = "1".into();
        assert_eq!(parsed, message(Kind::Text, "你好啊"));
        assert_eq!(parsed.check(), Ok(()));
    }

    #[test]
    fn takes_text_as_it_is() {
        for text in ["<b>hi</b>", "😀👨‍👩‍👧", "a\nb\tc", &"x".repeat(MAX_TEXT)] {
            assert_eq!(message(Kind::Text, text).check(), Ok(()), "{text:?}");
        }
        for text in ["", " \n", "\0", "a\x1b[31m", &"x".repeat(MAX_TEXT + 1)] {
            assert!(message(Kind::Text, text).check().is_err(), "{text:?}");
        }
    }

    #[test]
    fn sends_to_names_only() {
        for to in ["+", "#", "a/b", "presence/A", "$SYS/broker", ""] {
            let message = Message { to: to.into(), ..message(Kind::Text, "x") };
            assert!(message.check().is_err(), "{to:?}");
        }
    }

    #[test]
    fn takes_pictures_that_are_some() {
        let url = |prefix: &str, bytes: &[u8]| format!("{prefix}{}", BASE64.encode(bytes));
        let mut bytes = b"\xFF\xD8\xFF".to_vec();
        bytes.resize(MAX_PICTURE, 0);
        let largest = url("data:image/jpeg;base64,", &bytes);
        assert!(largest.len() < MAX_BODY);
        assert_eq!(message(Kind::Picture, &largest).check(), Ok(()));
        bytes.push(0);
        for con in [
            url("data:image/jpeg;base64,", &bytes),
            url("data:image/png;base64,", b"\xFF\xD8\xFF"),
            url("data:image/svg+xml;base64,", b"<svg/>"),
            "data:image/png;base64,???".into(),
            "javascript:alert(1)".into(),
        ] {
            assert!(message(Kind::Picture, &con).check().is_err());
        }
    }
}

//! Messages: the article's `{to, con, from, time}` with an identifier, or a picture in place of `con`.

pub mod names;
mod picture;

use serde::{Deserialize, Serialize};

pub use picture::{MAX_PICTURE, Picture, Unfit};

/// Bytes of a text, in UTF-8.
pub const MAX_TEXT: usize = 8 << 10;
/// The size of the longest packet to the broker: a picture and the fields before it.
pub const MAX_PACKET: usize = MAX_PICTURE + (4 << 10);

/// The greatest integer that JavaScript represents exactly.
const MAX_TIME: u64 = (1 << 53) - 1;

/// Who sends to whom, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub to: String,
    pub from: String,
    /// Seconds since 1970, by the sender's clock.
    pub time: u64,
    /// The sender's identifier for it: a receiver that already has it drops a repetition.
    #[serde(default)]
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Content {
    #[serde(rename = "con")]
    Text(String),
    #[serde(rename = "type")]
    Picture(Picture),
}

/// A message; as JSON it is the article's for a text, and has the picture's `type` in place of `con` for a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    #[serde(flatten)]
    pub envelope: Envelope,
    #[serde(flatten)]
    pub content: Content,
}

/// The article's message, as it is posted.
#[derive(Debug, Deserialize)]
pub struct Text {
    #[serde(flatten)]
    envelope: Envelope,
    con: String,
}

impl From<Text> for Message {
    fn from(Text { envelope, con }: Text) -> Self {
        Message { envelope, content: Content::Text(con) }
    }
}

impl Message {
    pub fn check(&self) -> Result<(), &'static str> {
        let Envelope { to, time, id, .. } = &self.envelope;
        names::check(to)?;
        if *time > MAX_TIME {
            return Err("the time is not a number of seconds");
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if id.is_empty() || id.len() > 64 || !id.chars().all(is_plain) {
            return Err("an id has 1 to 64 letters, digits and -");
        }
        match &self.content {
            Content::Text(text) => check_text(text),
            // A picture cannot be constructed otherwise.
            Content::Picture(_) => Ok(()),
        }
    }

    /// The payload for the broker: one line of JSON; for a picture, followed by a line feed and its bytes.
    pub fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut payload = serde_json::to_vec(self)?;
        if let Content::Picture(picture) = &self.content {
            payload.push(b'\n');
            payload.extend_from_slice(picture.bytes());
        }
        Ok(payload)
    }

    /// Whether this is the message with that sender and identifier.
    pub fn is(&self, from: &str, id: &str) -> bool {
        self.envelope.from == from && self.envelope.id == id
    }

    /// The approximate number of bytes that storing it takes.
    pub fn size(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Picture(picture) => picture.bytes().len(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope { to: "B".into(), from: "A".into(), time: 2_015_698_856, id: "1".into() }
    }

    fn text(con: &str) -> Message {
        Message { envelope: envelope(), content: Content::Text(con.into()) }
    }

    #[test]
    fn takes_the_articles_message() {
        let json = r#"{"to":"B","con":"你好啊","from":"A","time":2015698856}"#;
        let mut message = Message::from(serde_json::from_str::<Text>(json).expect("the article's form"));
        message.envelope.id = "1".into();
        assert_eq!(message, text("你好啊"));
        assert_eq!(message.check(), Ok(()));
    }

    #[test]
    fn takes_text_as_it_is() {
        for con in ["<b>hi</b>", "😀👨‍👩‍👧", "a\nb\tc", &"x".repeat(MAX_TEXT)] {
            assert_eq!(text(con).check(), Ok(()), "{con:?}");
        }
        for con in ["", " \n", "\0", "a\x1b[31m", &"x".repeat(MAX_TEXT + 1)] {
            assert!(text(con).check().is_err(), "{con:?}");
        }
    }

    #[test]
    fn sends_to_names_only() {
        for to in ["+", "#", "a/b", "presence/A", "$SYS/broker", ""] {
            let mut message = text("x");
            message.envelope.to = to.into();
            assert!(message.check().is_err(), "{to:?}");
        }
    }

    #[test]
    fn a_text_is_one_line_and_a_picture_lies_behind_one() {
        let payload = text("a\nb").payload().expect("JSON");
        assert_eq!(payload, br#"{"to":"B","from":"A","time":2015698856,"id":"1","con":"a\nb"}"#);
        let bytes = b"\x89PNG\r\n\x1A\n\0\n\xFF".as_slice();
        let picture = Picture::new(bytes.into()).expect("a picture");
        let message = Message { envelope: envelope(), content: Content::Picture(picture) };
        let line = br#"{"to":"B","from":"A","time":2015698856,"id":"1","type":"image/png"}"#.as_slice();
        assert_eq!(message.payload().expect("JSON"), [line, b"\n", bytes].concat());
    }
}

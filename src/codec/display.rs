//! `Display` for packets: one readable line each.

use core::fmt::{self, Display, Formatter, Write};

use super::{
    ConnAck, Connect, Packet, PacketType, Publish, SubAck, SubAckCode, SubAckCodes, Subscribe, Unsubscribe,
};

/// How many bytes of a payload are shown.
const SHOWN: usize = 32;

impl Display for Packet<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Packet::Connect(packet) => packet.fmt(f),
            Packet::ConnAck(packet) => packet.fmt(f),
            Packet::Publish(packet) => packet.fmt(f),
            Packet::PubAck(id) | Packet::PubRec(id) | Packet::PubComp(id) | Packet::UnsubAck(id) => {
                write!(f, "{} id={id}", self.packet_type())
            }
            Packet::PubRel { id, dup } => write!(f, "PUBREL id={id}{}", flag(*dup, " dup")),
            Packet::Subscribe(packet) => packet.fmt(f),
            Packet::SubAck(packet) => packet.fmt(f),
            Packet::Unsubscribe(packet) => packet.fmt(f),
            Packet::PingReq | Packet::PingResp | Packet::Disconnect => self.packet_type().fmt(f),
        }
    }
}

/// The name of the packet in the standard.
impl Display for PacketType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PacketType::Connect => "CONNECT",
            PacketType::ConnAck => "CONNACK",
            PacketType::Publish => "PUBLISH",
            PacketType::PubAck => "PUBACK",
            PacketType::PubRec => "PUBREC",
            PacketType::PubRel => "PUBREL",
            PacketType::PubComp => "PUBCOMP",
            PacketType::Subscribe => "SUBSCRIBE",
            PacketType::SubAck => "SUBACK",
            PacketType::Unsubscribe => "UNSUBSCRIBE",
            PacketType::UnsubAck => "UNSUBACK",
            PacketType::PingReq => "PINGREQ",
            PacketType::PingResp => "PINGRESP",
            PacketType::Disconnect => "DISCONNECT",
        })
    }
}

fn flag(set: bool, text: &str) -> &str {
    if set { text } else { "" }
}

impl Display for Connect<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CONNECT {} client_id=\"{}\"", self.version, Escaped(self.client_id.as_str()))?;
        write!(f, "{} keep_alive={}s", flag(self.clean_session, " clean"), self.keep_alive)?;
        if let Some(credentials) = &self.credentials {
            write!(f, " user=\"{}\"", Escaped(credentials.username.as_str()))?;
            f.write_str(flag(credentials.password.is_some(), " password=***"))?;
        }
        if let Some(will) = &self.will {
            write!(
                f,
                " will={} qos={}{} ",
                Escaped(will.topic.as_str()),
                will.qos,
                flag(will.retain, " retain")
            )?;
            payload(f, will.message)?;
        }
        Ok(())
    }
}

impl Display for ConnAck {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ConnAck::Accepted { session_present } => {
                write!(f, "CONNACK accepted{}", flag(*session_present, " session_present"))
            }
            ConnAck::Refused(code) => write!(f, "CONNACK refused: {code}"),
        }
    }
}

impl Display for Publish<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "PUBLISH {} qos={}", Escaped(self.topic.as_str()), self.delivery.qos())?;
        if let Some(id) = self.delivery.id() {
            write!(f, " id={id}")?;
        }
        write!(f, "{}{} ", flag(self.delivery.dup(), " dup"), flag(self.retain, " retain"))?;
        payload(f, self.payload)
    }
}

impl Display for Subscribe<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SUBSCRIBE id={}{}", self.id, flag(self.dup, " dup"))?;
        for (filter, qos) in self.filters {
            write!(f, " {} qos={qos}", Escaped(filter.as_str()))?;
        }
        Ok(())
    }
}

impl Display for SubAck<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SUBACK id={} {}", self.id, self.codes)
    }
}

/// The codes, separated by spaces.
impl Display for SubAckCodes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (place, code) in self.iter().enumerate() {
            write!(f, "{}{code}", flag(place > 0, " "))?;
        }
        Ok(())
    }
}

/// `qos=1`, or `failure`.
impl Display for SubAckCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SubAckCode::Granted(qos) => write!(f, "qos={qos}"),
            SubAckCode::Failure => f.write_str("failure"),
        }
    }
}

impl Display for Unsubscribe<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "UNSUBSCRIBE id={}{}", self.id, flag(self.dup, " dup"))?;
        for filter in self.filters {
            write!(f, " {}", Escaped(filter.as_str()))?;
        }
        Ok(())
    }
}

/// The length and the beginning of a payload, as text if possible, otherwise in hexadecimal.
fn payload(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    write!(f, "({} B)", bytes.len())?;
    if bytes.is_empty() {
        return Ok(());
    }
    let cut = bytes.len() > SHOWN;
    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    f.write_char(' ')?;
    match as_text(shown, cut) {
        Some(text) => write!(f, "\"{}\"", Escaped(text))?,
        None => shown.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?,
    }
    f.write_str(flag(cut, "..."))
}

/// The bytes as text, if they are text. A character that is incomplete because of the cut is left out.
fn as_text(bytes: &[u8], cut: bool) -> Option<&str> {
    match core::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if cut && error.error_len().is_none() => {
            core::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

/// Text on one line, without anything that a terminal would interpret. (`str::escape_debug` does the same, but with 2 KB of
/// tables, and with code that the linker cannot prove free of panics.)
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' | '\\' => write!(f, "\\{c}"),
            '\0' => f.write_str("\\0"),
            _ if needs_escape(c) => Display::fmt(&c.escape_default(), f),
            _ => f.write_char(c),
        })
    }
}

/// Whether this is a control character, a line or paragraph separator, a character that changes the direction of text, or an invisible
/// one.
const fn needs_escape(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x1F' | '\x7F'..='\u{9F}' | '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

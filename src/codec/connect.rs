//! CONNECT (section 3.1).

use super::cursor::{Reader, Writer, check_len};
use super::encode::encode_packet;
use super::publish::exceeds_mqtt31;
use super::{Body, Credentials, EncodeError, PacketType, QoS, Text, Version, Will, packet_len};
use crate::Violation;
use crate::validate::{chars, check_text, text_flaw};

const USERNAME: u8 = 0x80;
const PASSWORD: u8 = 0x40;
const WILL_RETAIN: u8 = 0x20;
const WILL_QOS: u8 = 0x18;
const WILL_QOS_SHIFT: u8 = 3;
const WILL: u8 = 0x04;
const CLEAN_SESSION: u8 = 0x02;
const RESERVED: u8 = 0x01;

/// The maximum number of characters of a client identifier in MQTT 3.1.
const MQTT31_CLIENT_ID_CHARS: usize = 23;

/// CONNECT: the first packet that a client sends.
///
/// ```
/// use baremqtt::{Connect, Version, Will};
///
/// let connect = Connect::new("sensor-17")
///     .version(Version::Mqtt31)
///     .keep_alive(30)
///     .credentials("user", b"secret")
///     .will(Will::new("sensor/17/status", b"gone").retain());
/// let mut out = [0; 128];
/// let len = connect.encode(&mut out)?;
/// assert_eq!(out[..11], [0x10, len as u8 - 2, 0, 6, b'M', b'Q', b'I', b's', b'd', b'p', 3]);
/// # Ok::<(), baremqtt::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Connect<'a> {
    /// The protocol version of the connection.
    pub version: Version,
    /// The client identifier, which is the key of the session. In 3.1.1 it may be empty if the session is clean; the
    /// server then assigns one. In 3.1 it has 1 to 23 characters.
    pub client_id: Text<'a>,
    /// Whether to start with an empty session, and keep none afterwards (section 3.1.2.4).
    pub clean_session: bool,
    /// Keep alive, in seconds; 0 turns it off (section 3.1.2.10).
    pub keep_alive: u16,
    /// What the server publishes when the connection ends without DISCONNECT.
    pub will: Option<Will<'a>>,
    /// User name and password.
    pub credentials: Option<Credentials<'a>>,
}

impl<'a> Connect<'a> {
    /// CONNECT for MQTT 3.1.1 with a clean session and a keep alive of 60 s, without will and credentials.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn new(client_id: &'a str) -> Self {
        Connect {
            version: Version::Mqtt311,
            client_id: Text::new(client_id),
            clean_session: true,
            keep_alive: 60,
            will: None,
            credentials: None,
        }
    }

    /// With this protocol version.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn version(self, version: Version) -> Self {
        Connect { version, ..self }
    }

    /// With a clean session, or (`false`) one that outlives the connection. A program should always make the same choice: if a CONNECT with
    /// a clean session is lost on the way, the client has discarded a session that the server still has.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn clean_session(self, clean_session: bool) -> Self {
        Connect { clean_session, ..self }
    }

    /// With this keep alive, in seconds; 0 turns it off.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn keep_alive(self, seconds: u16) -> Self {
        Connect { keep_alive: seconds, ..self }
    }

    /// With a will.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn will(self, will: Will<'a>) -> Self {
        Connect { will: Some(will), ..self }
    }

    /// With a user name and no password.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn username(self, username: &'a str) -> Self {
        Connect { credentials: Some(Credentials::new(username, None)), ..self }
    }

    /// With a user name and a password.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn credentials(self, username: &'a str, password: &'a [u8]) -> Self {
        Connect { credentials: Some(Credentials::new(username, Some(password))), ..self }
    }

    /// Length of the encoded packet in bytes.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        packet_len(self.body_len())
    }

    /// Encodes the packet; returns its length in bytes.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) if the standard does not allow the values of the fields,
    /// [`BufferTooSmall`](EncodeError::BufferTooSmall) if `out` is shorter than the packet.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        self.check()?;
        encode_packet(PacketType::Connect.first_byte(), self, out)
    }

    const fn body_len(&self) -> usize {
        // The length prefix of the name, the level, the flags and the keep alive.
        let mut len = self.version.name().len().saturating_add(6);
        len = len.saturating_add(field_len(self.client_id.as_bytes()));
        if let Some(will) = &self.will {
            len = len.saturating_add(field_len(will.topic.as_bytes()));
            len = len.saturating_add(field_len(will.message));
        }
        if let Some(credentials) = &self.credentials {
            len = len.saturating_add(field_len(credentials.username.as_bytes()));
            if let Some(password) = credentials.password {
                len = len.saturating_add(field_len(password));
            }
        }
        len
    }

    const fn flags(&self) -> u8 {
        let mut flags = flag(self.clean_session, CLEAN_SESSION);
        if let Some(will) = &self.will {
            flags |= WILL | (will.qos.bits() << WILL_QOS_SHIFT);
            flags |= flag(will.retain, WILL_RETAIN);
        }
        if let Some(credentials) = &self.credentials {
            flags |= USERNAME;
            flags |= flag(credentials.password.is_some(), PASSWORD);
        }
        flags
    }

    /// Checks what the types do not rule out, for both directions.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(crate) fn check(&self) -> Result<(), Violation> {
        self.client_id.check()?;
        if let Some(will) = &self.will {
            will.topic.check_topic_name()?;
            check_len(will.message)?;
        }
        if let Some(credentials) = &self.credentials {
            credentials.username.check()?;
            check_len(credentials.password.unwrap_or_default())?;
        }
        match self.version {
            Version::Mqtt31 => self.check_mqtt31(),
            Version::Mqtt311 if self.client_id.is_empty() && !self.clean_session => {
                Err(Violation::ClientIdEmpty)
            }
            Version::Mqtt311 => Ok(()),
        }
    }

    /// Checks the additional requirements of MQTT 3.1.
    #[cfg_attr(target_pointer_width = "64", cold, inline(never))]
    fn check_mqtt31(&self) -> Result<(), Violation> {
        if !(1..=MQTT31_CLIENT_ID_CHARS).contains(&chars(self.client_id.as_bytes())) {
            return Err(Violation::ClientIdLength);
        }
        if let Some(will) = &self.will {
            if exceeds_mqtt31(will.topic.as_bytes()) {
                return Err(Violation::TopicLength);
            }
            if !will.message.is_ascii() {
                return Err(Violation::WillMessage);
            }
        }
        match &self.credentials {
            Some(Credentials { password: Some(password), .. }) => check_text(text_flaw(password)),
            _ => Ok(()),
        }
    }

    pub(crate) fn decode(header_flags: u8, body: &'a [u8]) -> Result<Self, Violation> {
        let (version, mut reader) = decode_version(body)?;
        if version == Version::Mqtt311 && header_flags != 0 {
            return Err(Violation::HeaderFlags);
        }
        let flags = reader.u8()?;
        check_flags(flags, version)?;
        let keep_alive = reader.u16()?;
        let client_id = reader.text()?;
        let will = if flags & WILL != 0 { Some(decode_will(flags, &mut reader)?) } else { None };
        let credentials = decode_credentials(flags, version, &mut reader)?;
        reader.end()?;
        let clean_session = flags & CLEAN_SESSION != 0;
        let connect = Connect { version, client_id, clean_session, keep_alive, will, credentials };
        connect.check()?;
        Ok(connect)
    }
}

impl Body for Connect<'_> {
    #[cfg(target_pointer_width = "64")]
    #[inline]
    fn len(&self) -> usize {
        self.body_len()
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn write(&self, w: &mut Writer<'_>) {
        let [high, low] = self.keep_alive.to_be_bytes();
        if cfg!(target_pointer_width = "64") && self.version == Version::Mqtt311 {
            // The same bytes in one piece.
            w.raw(&[0, 4, b'M', b'Q', b'T', b'T', 4, self.flags(), high, low]);
        } else {
            w.bytes(self.version.name());
            w.raw(&[self.version.level(), self.flags(), high, low]);
        }
        w.bytes(self.client_id.as_bytes());
        if let Some(will) = &self.will {
            w.bytes(will.topic.as_bytes());
            w.bytes(will.message);
        }
        if let Some(credentials) = &self.credentials {
            w.bytes(credentials.username.as_bytes());
            if let Some(password) = credentials.password {
                w.bytes(password);
            }
        }
    }
}

/// The bit, if `is_set`.
const fn flag(is_set: bool, bit: u8) -> u8 {
    (is_set as u8) << bit.trailing_zeros()
}

/// Length of a field including its length prefix.
const fn field_len(field: &[u8]) -> usize {
    field.len().wrapping_add(2)
}

/// Decodes protocol name and level; returns the version and a reader for the rest.
#[inline]
fn decode_version(body: &[u8]) -> Result<(Version, Reader<'_>), Violation> {
    if cfg!(target_pointer_width = "64")
        && let Some((b"\0\x04MQTT\x04", rest)) = body.split_first_chunk()
    {
        return Ok((Version::Mqtt311, Reader::new(rest)));
    }
    let mut reader = Reader::new(body);
    let name = reader.bytes()?;
    let level = reader.u8()?;
    let version = [Version::Mqtt31, Version::Mqtt311]
        .into_iter()
        .find(|version| version.name() == name)
        .ok_or(Violation::ProtocolName)?;
    if level != version.level() {
        return Err(Violation::ProtocolLevel);
    }
    Ok((version, reader))
}

fn check_flags(flags: u8, version: Version) -> Result<(), Violation> {
    // In 3.1 bit 0 is unused.
    if flags & RESERVED != 0 && version == Version::Mqtt311 {
        return Err(Violation::ConnectFlags);
    }
    if flags & WILL == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0 {
        return Err(Violation::WillFlags);
    }
    if flags & PASSWORD != 0 && flags & USERNAME == 0 {
        return Err(Violation::PasswordWithoutUsername);
    }
    Ok(())
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
fn decode_will<'a>(flags: u8, reader: &mut Reader<'a>) -> Result<Will<'a>, Violation> {
    let qos = QoS::from_bits((flags & WILL_QOS) >> WILL_QOS_SHIFT).ok_or(Violation::WillQos)?;
    let topic = reader.text()?;
    let message = reader.bytes()?;
    Ok(Will { topic, message, qos, retain: flags & WILL_RETAIN != 0 })
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
fn decode_credentials<'a>(
    flags: u8,
    version: Version,
    reader: &mut Reader<'a>,
) -> Result<Option<Credentials<'a>>, Violation> {
    // In 3.1 the remaining length takes precedence: a client of the even older version 3 may set a flag but omit the
    // field.
    let present = |flag: u8, reader: &Reader<'_>| {
        flags & flag != 0 && !(version == Version::Mqtt31 && reader.is_empty())
    };
    if !present(USERNAME, reader) {
        return Ok(None);
    }
    let username = reader.text()?;
    let password = if present(PASSWORD, reader) { Some(reader.bytes()?) } else { None };
    Ok(Some(Credentials { username, password }))
}

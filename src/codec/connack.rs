//! CONNACK (section 3.2).

use core::num::NonZeroU8;

use super::Version;
use crate::Violation;

/// CONNACK: the server's answer to CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ConnAck {
    /// The connection is accepted.
    Accepted {
        /// Whether the server has kept the session. Always `false` in MQTT 3.1, where the server does not say.
        session_present: bool,
    },
    /// The connection is refused, and the server closes it.
    Refused(RefusalCode),
}

/// Why a server refuses a connection (section 3.2.2.3): a number from 1 to 255.
///
/// The standard defines 1 to 5 and reserves the others. Some servers use reserved numbers nevertheless, such as 6 for
/// too many connections or 7 for a banned client. They are decoded, but cannot be encoded.
///
/// ```
/// use baremqtt::RefusalCode;
///
/// assert_eq!(RefusalCode::NOT_AUTHORIZED.code(), 5);
/// assert!(RefusalCode::new(7).is_some_and(RefusalCode::is_reserved));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefusalCode(NonZeroU8);

impl RefusalCode {
    /// 1: the server does not support this protocol version.
    pub const UNACCEPTABLE_PROTOCOL_VERSION: Self = Self::named(1);
    /// 2: the client identifier is not allowed.
    pub const IDENTIFIER_REJECTED: Self = Self::named(2);
    /// 3: the MQTT service is unavailable.
    pub const SERVER_UNAVAILABLE: Self = Self::named(3);
    /// 4: the user name or the password is malformed (in practice: wrong).
    pub const BAD_USER_NAME_OR_PASSWORD: Self = Self::named(4);
    /// 5: the client is not authorised to connect.
    pub const NOT_AUTHORIZED: Self = Self::named(5);

    const fn named(code: u8) -> Self {
        match Self::new(code) {
            Some(code) => code,
            None => RefusalCode(NonZeroU8::MIN),
        }
    }

    /// The refusal with this number; `None` for 0, which means acceptance.
    #[must_use]
    #[inline]
    pub const fn new(code: u8) -> Option<Self> {
        match NonZeroU8::new(code) {
            Some(code) => Some(RefusalCode(code)),
            None => None,
        }
    }

    /// The number: 1 to 255.
    #[must_use]
    #[inline]
    pub const fn code(self) -> u8 {
        self.0.get()
    }

    /// Whether the standard reserves the number without defining its meaning.
    #[must_use]
    #[inline]
    pub const fn is_reserved(self) -> bool {
        self.code() > 5
    }
}

/// The text of the standard, and the number.
impl core::fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let text = match self.code() {
            1 => "unacceptable protocol version",
            2 => "identifier rejected",
            3 => "server unavailable",
            4 => "bad user name or password",
            5 => "not authorized",
            _ => "reserved code",
        };
        write!(f, "{text} ({})", self.code())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for RefusalCode {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u8}", self.code());
    }
}

impl ConnAck {
    pub(crate) fn encode(self, version: Version) -> Result<[u8; 2], Violation> {
        match self {
            ConnAck::Accepted { session_present: true } if version == Version::Mqtt31 => {
                Err(Violation::SessionPresent)
            }
            ConnAck::Accepted { session_present } => Ok([u8::from(session_present), 0]),
            ConnAck::Refused(code) if code.is_reserved() => Err(Violation::ConnAckCode),
            ConnAck::Refused(code) => Ok([0, code.code()]),
        }
    }

    #[inline]
    pub(crate) fn decode(body: &[u8], version: Version) -> Result<Self, Violation> {
        let [flags, code] = body else { return Err(Violation::PacketLength) };
        // In 3.1 the first byte is reserved and unused.
        let flags = if version == Version::Mqtt31 { 0 } else { *flags };
        match (flags, RefusalCode::new(*code)) {
            (2.., _) => Err(Violation::ConnAckFlags),
            // Some servers set session present in a refusal. It is a refusal nevertheless, and only the number matters.
            (_, Some(code)) => Ok(ConnAck::Refused(code)),
            (_, None) => Ok(ConnAck::Accepted { session_present: flags == 1 }),
        }
    }
}

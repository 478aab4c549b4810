//! CONNACK (section 3.2).

use super::Version;
use crate::Violation;

/// CONNACK: the server's answer to CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ConnAck {
    /// The connection is accepted.
    Accepted {
        /// Whether the server has kept the session. Always `false` in MQTT 3.1, which does not say.
        session_present: bool,
    },
    /// The connection is refused, and the server closes it.
    Refused(RefusalCode),
}

/// Why a server refuses a connection (section 3.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RefusalCode {
    /// 1: the server does not support this version of the protocol.
    UnacceptableProtocolVersion = 1,
    /// 2: the client identifier is not allowed.
    IdentifierRejected = 2,
    /// 3: the MQTT service is unavailable.
    ServerUnavailable = 3,
    /// 4: the user name or the password is malformed (in practice: wrong).
    BadUserNameOrPassword = 4,
    /// 5: the client is not authorised to connect.
    NotAuthorized = 5,
}

impl RefusalCode {
    /// The number of this code: 1 to 5.
    pub const fn code(self) -> u8 {
        self as u8
    }

    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => RefusalCode::UnacceptableProtocolVersion,
            2 => RefusalCode::IdentifierRejected,
            3 => RefusalCode::ServerUnavailable,
            4 => RefusalCode::BadUserNameOrPassword,
            5 => RefusalCode::NotAuthorized,
            _ => return None,
        })
    }
}

impl core::fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            RefusalCode::UnacceptableProtocolVersion => "unacceptable protocol version",
            RefusalCode::IdentifierRejected => "identifier rejected",
            RefusalCode::ServerUnavailable => "server unavailable",
            RefusalCode::BadUserNameOrPassword => "bad user name or password",
            RefusalCode::NotAuthorized => "not authorized",
        })
    }
}

impl ConnAck {
    pub(crate) fn encode(self, version: Version) -> Result<[u8; 2], Violation> {
        match self {
            ConnAck::Accepted { session_present: true } if version == Version::Mqtt31 => {
                Err(Violation::SessionPresent)
            }
            ConnAck::Accepted { session_present } => Ok([u8::from(session_present), 0]),
            ConnAck::Refused(code) => Ok([0, code.code()]),
        }
    }

    #[inline]
    pub(crate) fn decode(body: &[u8], version: Version) -> Result<Self, Violation> {
        let [flags, code] = body else { return Err(Violation::PacketLength) };
        // In 3.1 the first byte is reserved and not used.
        let flags = if version == Version::Mqtt31 { 0 } else { *flags };
        match (flags, code) {
            (2.., _) => Err(Violation::ConnAckFlags),
            (_, 0) => Ok(ConnAck::Accepted { session_present: flags == 1 }),
            (0, _) => RefusalCode::from_code(*code).map(ConnAck::Refused).ok_or(Violation::ConnAckCode),
            (1, _) => Err(Violation::SessionPresent),
        }
    }
}

//! Violations of the standard, by a packet, a string or the peer.

use core::fmt;

macro_rules! violations {
    ($($(#[$doc:meta])* $name:ident = $clause:literal, $text:literal;)*) => {
        /// A violation of the standard, by the peer (found when decoding) or by the caller (found when encoding).
        ///
        /// [`clause`](Self::clause) refers to MQTT 3.1.1 (OASIS Standard, 29 October 2014), or to MQTT 3.1 if only that
        /// version has the rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Violation {
            $($(#[$doc])* $name,)*
        }

        impl Violation {
            /// Every violation, for tables and tests.
            pub const ALL: &'static [Violation] = &[$(Violation::$name,)*];

            /// The clause of the standard that is violated: a normative statement (such as `MQTT-3.3.1-4`) if there is one,
            /// otherwise a section.
            #[must_use]
            pub const fn clause(self) -> &'static str {
                match self {
                    $(Violation::$name => $clause,)*
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Violation::$name => $text,)*
                }
            }
        }
    };
}

violations! {
    /// Packet type 0 or 15.
    PacketType = "3.1.1 section 2.2.1", "reserved packet type";
    /// Fixed-header flags that the packet type does not allow (3.1.1 only: 3.1 ignores them).
    HeaderFlags = "MQTT-2.2.2-2", "reserved fixed-header flags are wrong";
    /// A remaining length of five bytes, or one that is not in its shortest form.
    RemainingLength = "3.1.1 section 2.2.3", "malformed remaining length";
    /// A packet that is too short or too long for its fields.
    PacketLength = "MQTT-4.8.0-1", "packet length does not fit its fields";
    /// More than 268,435,455 bytes after the fixed header, or a string of more than 65,535 bytes.
    TooLong = "3.1.1 sections 1.5.3 and 2.2.3", "too long to be encoded";
    /// Ill-formed UTF-8, including surrogates.
    Utf8 = "MQTT-1.5.3-1", "ill-formed UTF-8";
    /// U+0000 in a string.
    NulCharacter = "MQTT-1.5.3-2", "U+0000 in a string";
    /// Packet identifier 0.
    PacketIdZero = "MQTT-2.3.1-1", "packet identifier 0";
    /// Neither `MQTT` nor `MQIsdp`.
    ProtocolName = "MQTT-3.1.2-1", "unknown protocol name";
    /// A protocol level that does not belong to the protocol name. A server answers with CONNACK code 1.
    ProtocolLevel = "MQTT-3.1.2-2", "unacceptable protocol level";
    /// Bit 0 of the CONNECT flags (3.1.1 only).
    ConnectFlags = "MQTT-3.1.2-3", "reserved CONNECT flag is set";
    /// A will QoS or will retain bit without the will flag.
    WillFlags = "MQTT-3.1.2-11", "will QoS or will retain without a will";
    /// Will QoS 3.
    WillQos = "MQTT-3.1.2-14", "will QoS 3";
    /// A will message that is not 7-bit ASCII (3.1 only).
    WillMessage = "3.1 section 3.1, Will Message", "will message is not 7-bit ASCII";
    /// The password flag without the user name flag.
    PasswordWithoutUsername = "MQTT-3.1.2-22", "password without user name";
    /// An empty client identifier with clean session 0. A server answers with CONNACK code 2.
    ClientIdEmpty = "MQTT-3.1.3-7", "empty client identifier without clean session";
    /// A client identifier that is empty or longer than 23 characters (3.1 only). A server answers with CONNACK code 2.
    ClientIdLength = "3.1 section 3.1, Client Identifier", "client identifier is not of 1 to 23 characters";
    /// Reserved bits in the CONNACK flags (3.1.1 only).
    ConnAckFlags = "3.1.1 section 3.2.2.1", "reserved CONNACK flags are set";
    /// A CONNACK code above 5, when encoding.
    ConnAckCode = "3.1.1 section 3.2.2.3", "reserved CONNACK return code";
    /// Session present in a CONNACK, when encoding for 3.1, which does not have it.
    SessionPresent = "3.1 section 3.2", "MQTT 3.1 does not say whether a session is present";
    /// Session present although the client requested a clean session.
    SessionPresentAfterClean = "MQTT-3.2.2-1", "session present after a clean session was asked for";
    /// QoS 3 in a PUBLISH.
    Qos = "MQTT-3.3.1-4", "QoS 3";
    /// DUP in a QoS 0 PUBLISH (3.1.1 only).
    DupAtMostOnce = "MQTT-3.3.1-2", "DUP set at QoS 0";
    /// DUP in a PUBREL, SUBSCRIBE or UNSUBSCRIBE, when encoding for 3.1.1.
    Dup = "MQTT-2.2.2-1", "DUP where 3.1.1 has a reserved bit";
    /// An empty topic name or filter.
    TopicEmpty = "MQTT-4.7.3-1", "empty topic";
    /// A topic name of more than 32,767 characters (3.1 only).
    TopicLength = "3.1 section 2.2, Topic name", "topic of more than 32,767 characters";
    /// A wildcard in a topic name.
    WildcardInTopicName = "MQTT-3.3.2-2", "wildcard in a topic name";
    /// `#` that is not a whole level, or not the last level.
    MultiLevelWildcard = "MQTT-4.7.1-2", "misplaced # in a topic filter";
    /// `+` that is not a whole level.
    SingleLevelWildcard = "MQTT-4.7.1-3", "misplaced + in a topic filter";
    /// A SUBSCRIBE without a filter.
    NoTopicFilter = "MQTT-3.8.3-3", "SUBSCRIBE without a topic filter";
    /// An UNSUBSCRIBE without a filter.
    NoTopicFilterToRemove = "MQTT-3.10.3-2", "UNSUBSCRIBE without a topic filter";
    /// A requested QoS other than 0, 1, 2.
    RequestedQos = "MQTT-3.8.3-4", "requested QoS is not 0, 1 or 2";
    /// A SUBACK code other than 0, 1, 2, 0x80.
    SubAckCode = "MQTT-3.9.3-2", "reserved SUBACK return code";
    /// A failure code in a SUBACK, when encoding for 3.1, which has none.
    SubAckFailure = "3.1 section 3.9", "MQTT 3.1 has no SUBACK failure code";
    /// A SUBACK without codes, or with a different number of codes than the SUBSCRIBE had filters.
    SubAckCount = "MQTT-3.8.4-5", "SUBACK does not answer every filter";
    /// A packet before CONNACK.
    BeforeConnAck = "MQTT-3.2.0-1", "packet before CONNACK";
    /// A packet that only clients send, a second CONNACK, or a QoS 2 message although
    /// [`Config::receives_exactly_once`](crate::Config::receives_exactly_once) is off.
    UnexpectedPacket = "MQTT-4.8.0-1", "packet that a server does not send here";
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())?;
        f.write_str(" [")?;
        f.write_str(self.clause())?;
        f.write_str("]")
    }
}

impl core::error::Error for Violation {}

//! What errors and ends say: each its own text, in words that name what is wrong. A few words, so that they fit into a line of a log.

use std::error::Error as StdError;

use baremqtt::{
    AcknowledgeError, ConnectError, Error, Full, GiveUpError, Outcome, RefusalCode, RequestError,
    RestoreError, RouteError, SaveError, StreamError, Timeout, Violation,
};

use crate::harness::id;

/// Each text is there, is told apart from the others, and is a phrase that can stand behind a colon.
fn say<E: StdError>(errors: &[(E, &str)]) {
    for (at, (error, text)) in errors.iter().enumerate() {
        assert_eq!(error.to_string(), *text);
        assert!(!text.ends_with('.') && text.len() <= 80, "{text}");
        assert!(error.source().is_none(), "{text}: it would be told twice");
        assert!(errors[..at].iter().all(|(_, other)| other != text), "{text}");
    }
}

const CLAUSE: Violation = Violation::PacketIdZero;

#[test]
fn the_end_of_a_connection() {
    say(&[
        (Error::Violation(CLAUSE), "the server broke the protocol: packet identifier 0 [MQTT-2.3.1-1]"),
        (
            Error::Refused(RefusalCode::BAD_USER_NAME_OR_PASSWORD),
            "the server refused the connection: bad user name or password",
        ),
        (Error::TimedOut(Timeout::ConnAck), "no CONNACK in time"),
        (Error::TimedOut(Timeout::PingResp), "no PINGRESP in time"),
        (Error::TimedOut(Timeout::Ack), "no answer to a request in time"),
        (Error::TimedOut(Timeout::Stall), "the transport takes no bytes"),
        (Error::InboundFull, "too many scattered QoS 2 identifiers under way"),
        (
            Error::ReceiveBufferTooSmall { needed: 300 },
            "a packet of 300 bytes does not fit into the receive buffer",
        ),
    ]);
}

#[test]
fn requests() {
    say(&[
        (RequestError::Forbidden(CLAUSE), CLAUSE.to_string().as_str()),
        (RequestError::NotConnected, "not connected"),
        (RequestError::Full(Full::Requests), "too many requests under way"),
        (RequestError::Full(Full::Buffer), "the transmit buffer is full"),
        (RequestError::Full(Full::Stream), "a streamed message is on its way"),
        (RequestError::Full(Full::Busy), "the mailbox is in use"),
        (
            RequestError::TooLarge { needed: 300, room: 200 },
            "a packet of 300 bytes does not fit into the 200 that requests have",
        ),
        (RequestError::TooManyFilters, "the answer to so many filters would not fit"),
        (RequestError::NotRepeatable, "QoS 1 and 2 need a payload that can be given again"),
        (RequestError::TurnedOff, "turned off by the configuration"),
    ]);
    say(&[(StreamError::NotAsked, "no payload was asked for")]);
}

#[test]
fn connecting() {
    say(&[
        (ConnectError::Forbidden(CLAUSE), CLAUSE.to_string().as_str()),
        (ConnectError::AlreadyConnected, "already connected"),
        (
            ConnectError::TooLarge { needed: 87, room: 86 },
            "CONNECT takes 87 bytes, and the receive buffer has 86",
        ),
        (ConnectError::TurnedOff, "MQTT 3.1 is turned off by the configuration"),
    ]);
}

#[test]
fn messages_and_images() {
    say(&[
        (AcknowledgeError::Stale, "the message is not of this connection"),
        (AcknowledgeError::OutOfOrder { oldest: id(3) }, "message 3 has to be acknowledged first"),
    ]);
    say(&[
        (GiveUpError::Unknown, "no such message is under way"),
        (GiveUpError::Released, "the server has the message already"),
        (GiveUpError::Leaving, "the message is being sent"),
    ]);
    say(&[(SaveError::BufferTooSmall { needed: 40 }, "the image takes 40 bytes")]);
    say(&[
        (RestoreError::InUse, "the client has a session already"),
        (RestoreError::Corrupt, "the image is damaged"),
        (RestoreError::TooLarge, "the image holds more than there is room for"),
    ]);
    say(&[
        (RouteError::Forbidden(CLAUSE), CLAUSE.to_string().as_str()),
        (RouteError::Full, "the table of routes is full"),
    ]);
    assert_eq!(
        (Outcome::Lost.to_string(), Outcome::Uncertain.to_string()),
        ("lost".into(), "uncertain".into())
    );
}

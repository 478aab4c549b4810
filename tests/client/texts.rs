//! The texts of errors and ends: each is distinct and names what is wrong, in few words, so that it fits into a line of a log.

use std::error::Error as StdError;

use baremqtt::{
    AcknowledgeError, ConnectError, Error, Full, GiveUpError, Outcome, QoS, RefusalCode, RequestError,
    RestoreError, RouteError, SaveError, State, StreamError, Subscription, Timeout, Violation,
};

use crate::harness::id;

/// Each text exists, differs from the others, and is a phrase that can follow a colon.
fn assert_text<E: StdError>(errors: &[(E, &str)]) {
    for (at, (error, text)) in errors.iter().enumerate() {
        assert_eq!(error.to_string(), *text);
        assert!(!text.ends_with('.') && text.len() <= 80, "{text}");
        assert!(error.source().is_none(), "{text}: the source would be displayed twice");
        assert!(errors[..at].iter().all(|(_, other)| other != text), "{text}");
    }
}

const CLAUSE: Violation = Violation::PacketIdZero;

#[test]
fn the_end_of_a_connection() {
    assert_text(&[
        (Error::Violation(CLAUSE), "the server broke the protocol: packet identifier 0 [MQTT-2.3.1-1]"),
        (
            Error::Refused(RefusalCode::BAD_USER_NAME_OR_PASSWORD),
            "the server refused the connection: bad user name or password (4)",
        ),
        (Error::TimedOut(Timeout::ConnAck), "no CONNACK in time"),
        (Error::TimedOut(Timeout::PingResp), "no PINGRESP in time"),
        (Error::TimedOut(Timeout::Ack), "no answer to a request in time"),
        (Error::TimedOut(Timeout::Stall), "the transport takes no bytes"),
        (Error::InboundFull, "no room for more QoS 2 identifiers; connect again, or see with_inbound_ids"),
        (
            Error::ReceiveBufferTooSmall { needed: 300 },
            "a packet of 300 bytes does not fit into the receive buffer; use a larger one",
        ),
    ]);
}

#[test]
fn requests() {
    assert_text(&[
        (RequestError::Forbidden(CLAUSE), CLAUSE.to_string().as_str()),
        (RequestError::NotConnected, "not connected, or closing; wait for Event::Connected"),
        (RequestError::Full(Full::Requests), "too many requests under way; take events until one ends"),
        (RequestError::Full(Full::Buffer), "the transmit buffer is full; take events until a request ends"),
        (
            RequestError::Full(Full::Stream),
            "a streamed message is on its way; wait until its last byte is sent",
        ),
        (
            RequestError::TooLarge { needed: 300, room: 200 },
            "the packet takes 300 bytes, but requests have 200; enlarge tx, or stream it",
        ),
        (
            RequestError::TooManyFilters,
            "the SUBACK would not fit into the receive buffer; request fewer filters",
        ),
        (
            RequestError::NotRepeatable,
            "QoS 1 and 2 need a payload that can be resent: StreamedMessage::repeatable",
        ),
        (
            RequestError::TurnedOff,
            "turned off by the configuration: Config::streams or receives_exactly_once",
        ),
    ]);
    assert_text(&[(StreamError::NotAsked, "no payload was asked for; wait for Event::StreamReady")]);
}

#[test]
fn connecting() {
    assert_text(&[
        (ConnectError::Forbidden(CLAUSE), CLAUSE.to_string().as_str()),
        (ConnectError::AlreadyConnected, "already connected; disconnect first"),
        (
            ConnectError::TooLarge { needed: 87, room: 86 },
            "CONNECT takes 87 bytes, but the receive buffer has 86; use a larger one",
        ),
        (ConnectError::TurnedOff, "MQTT 3.1 is turned off by the configuration: Config::mqtt31"),
    ]);
}

#[test]
fn messages_and_images() {
    assert_text(&[
        (AcknowledgeError::Stale, "acknowledged already, or its connection is gone and it will come again"),
        (AcknowledgeError::OutOfOrder { oldest: id(3) }, "message 3 has to be acknowledged first"),
    ]);
    assert_text(&[
        (GiveUpError::Unknown, "no such message is under way"),
        (GiveUpError::Released, "the server has the message already"),
        (GiveUpError::BeingSent, "the message is being sent; give it up afterwards"),
    ]);
    assert_text(&[(
        SaveError::BufferTooSmall { needed: 40 },
        "the image takes 40 bytes, more than the buffer has",
    )]);
    assert_text(&[
        (RestoreError::InUse, "the client has a connection or a session; restore into a new one"),
        (RestoreError::Corrupt, "the image is damaged, or of another format; begin a new session"),
        (RestoreError::TurnedOff, "the image has a streamed message; turn Config::streams on"),
        (RestoreError::TooLarge, "the image does not fit; use buffers as large as when it was saved"),
    ]);
    assert_text(&[
        (RouteError::Forbidden(CLAUSE), CLAUSE.to_string().as_str()),
        (RouteError::Full, "the table of routes is full; raise N of Routes"),
    ]);
    assert_eq!(
        (Outcome::Lost.to_string(), Outcome::Uncertain.to_string()),
        ("lost".into(), "uncertain".into())
    );
}

#[test]
fn states() {
    let states = [State::Offline, State::Connecting, State::Connected, State::Closing];
    assert_eq!(states.map(|state| state.to_string()), ["offline", "connecting", "connected", "closing"]);
    let subscriptions = [
        Subscription::Wanted,
        Subscription::Requested { id: id(3), place: 0 },
        Subscription::Granted { qos: QoS::AtLeastOnce },
        Subscription::Refused,
    ];
    assert_eq!(
        subscriptions.map(|subscription| subscription.to_string()),
        ["wanted", "requested, id 3", "granted, QoS 1", "refused"]
    );
}

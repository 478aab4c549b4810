//! The normative statements of section 6, as the table in the tests' README.md of the repository has them.

mod common;

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use baremqtt::codec::{self, ConnAck, Decoded, Delivery, Packet, PacketId, Publish};
use baremqtt::transport::net::Error as ConnectionError;
use baremqtt::{Connect, Event, TopicName, Version};
use common::{TIMEOUT, accept, client, listen, open, serve};
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame, coding::CloseCode};
use tungstenite::{Message, WebSocket};

type Server = WebSocket<TcpStream>;

fn bytes(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = vec![0; packet.encoded_len()];
    packet.encode(Version::Mqtt311, &mut bytes).expect("a packet that can be sent");
    bytes
}

/// Waits for a packet, in however many binary frames it arrives.
fn wait_for(server: &mut Server, expected: impl Fn(&Packet<'_>) -> bool) {
    let mut received = Vec::new();
    loop {
        match server.read().expect("a frame") {
            Message::Binary(bytes) => received.extend_from_slice(&bytes),
            other => panic!("not a binary frame: {other:?}"),
        }
        if let Decoded::Complete { packet, len } = codec::decode(&received, Version::Mqtt311).expect("MQTT") {
            assert!(expected(&packet), "{packet}");
            assert_eq!(len, received.len());
            return;
        }
    }
}

/// Reads to the end, and returns the reason in the client's close frame, if it sent one.
fn reason(mut server: Server) -> Option<CloseFrame> {
    let mut reason = None;
    while let Ok(message) = server.read() {
        match message {
            Message::Close(frame) => reason = frame,
            other => panic!("{other:?}"),
        }
    }
    // TCP has ended, too.
    match server.get_mut().read(&mut [0]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("{other:?}"),
    }
    reason
}

/// MQTT Control Packets MUST be sent in WebSocket binary data frames. If any other type of data frame is received the
/// recipient MUST close the Network Connection.
#[test]
fn mqtt_6_0_0_1() {
    let text = |payload: &'static [u8]| Frame::message(payload, OpCode::Data(Data::Text), true);
    // CONNACK in text frames: as it is, not UTF-8, and empty.
    for frame in [text(b"\x20\x02\x00\x00"), text(b"\xff"), text(b"")] {
        let (addr, server) = serve(|mut server| {
            wait_for(&mut server, |packet| matches!(packet, Packet::Connect(_)));
            server.send(Message::Frame(frame)).expect("a client");
            reason(server)
        });
        let mut mqtt = client(open(addr).expect("a WebSocket"));
        // The client is not dropped before the server has seen the end.
        let error = common::connect(&mut mqtt, &Connect::new("client")).expect_err("no CONNACK");
        assert!(
            matches!(&error, ConnectionError::Io(error) if error.kind() == ErrorKind::InvalidData),
            "{error}"
        );
        let reason = server.join().expect("a server").expect("a reason");
        assert!(matches!(reason.code, CloseCode::Unsupported | CloseCode::Protocol), "{reason}");
    }
}

/// A single WebSocket data frame can contain multiple or partial MQTT Control Packets. The receiver MUST NOT assume that
/// MQTT Control Packets are aligned on WebSocket frame boundaries.
#[test]
fn mqtt_6_0_0_2() {
    let topic = TopicName::new("a/b").expect("a topic name");
    let id = PacketId::new(7).expect("not 0");
    let publish = |payload, delivery| Packet::Publish(Publish { topic, payload, delivery, retain: false });
    let conversation = [
        bytes(&Packet::ConnAck(ConnAck::Accepted { session_present: false })),
        bytes(&publish(b"first", Delivery::AtMostOnce)),
        bytes(&publish(b"second", Delivery::AtLeastOnce { id, dup: false })),
    ]
    .concat();
    let halves = |cut| {
        let (first, second) = conversation.split_at(cut);
        vec![first.to_vec(), second.to_vec()]
    };
    let mut ways: Vec<Vec<Vec<u8>>> = (0..=conversation.len()).map(halves).collect();
    ways.push(conversation.iter().map(|byte| vec![*byte]).collect());
    for way in ways {
        let shown = format!("{way:?}");
        let (addr, server) = serve(|mut server| {
            wait_for(&mut server, |packet| matches!(packet, Packet::Connect(_)));
            for frame in way {
                server.send(Message::binary(frame)).expect("a client");
            }
            wait_for(&mut server, |packet| matches!(packet, Packet::PubAck(id) if id.get() == 7));
            wait_for(&mut server, |packet| matches!(packet, Packet::Disconnect));
        });
        let mut mqtt = client(open(addr).expect("a WebSocket"));
        common::connect(&mut mqtt, &Connect::new("client")).expect("CONNACK");
        for payload in [&b"first"[..], b"second"] {
            match mqtt.next_event(Some(TIMEOUT)).expect("a link") {
                Some(Event::Message(message)) => assert_eq!(message.payload, payload, "{shown}"),
                other => panic!("{other:?} with {shown}"),
            }
        }
        mqtt.disconnect().expect("DISCONNECT is sent");
        server.join().expect("a server");
    }
}

/// The Client MUST include "mqtt" in the list of WebSocket Sub Protocols it offers.
#[test]
fn mqtt_6_0_0_3() {
    // A server that does not choose it does not support MQTT.
    for (chosen, is_open) in [("mqtt", true), ("", false), ("chat", false)] {
        let (addr, server) = listen(move |tcp| {
            let mut offered = None;
            let socket = accept(tcp, chosen, |request| {
                let header = &request.headers()["Sec-WebSocket-Protocol"];
                offered = Some(header.to_str().expect("text").to_owned());
            });
            // The client must not wait.
            drop(socket);
            offered
        });
        let opened = common::open_as(addr, "mqtt", Duration::from_secs(5));
        assert_eq!(opened.is_ok(), is_open, "{chosen}: {:?}", opened.err());
        assert_eq!(server.join().expect("a server").as_deref(), Some("mqtt"));
    }
}

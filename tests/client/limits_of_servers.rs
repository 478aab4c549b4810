//! A server with the limits of a large cloud: eight filters per SUBSCRIBE, a hundred messages in flight, and a topic that costs the
//! connection. A client that exceeds one of them is disconnected without a reason, as MQTT 3.1.1 specifies.

use std::collections::VecDeque;

use baremqtt::QoS::AtLeastOnce;
use baremqtt::codec::{self, ConnAck, Decoded, Delivery, Packet, SubAck};
use baremqtt::{Full, Request, RequestError, Routes, SubAckCode, SubAckCodes, Subscription, Version};

use crate::harness::*;

const FILTERS: usize = 8;
const WINDOW: usize = 100;
const FORBIDDEN: &str = "secret/";

#[derive(Default)]
struct Server {
    inbox: Vec<u8>,
    /// Messages without PUBACK.
    open: VecDeque<codec::PacketId>,
    /// Topics of the accepted messages, each once.
    accepted: Vec<String>,
    filter_counts: Vec<usize>,
}

impl Server {
    /// Receives what was sent; answers, or closes the connection.
    fn receive(&mut self, rig: &mut Rig<0>) -> Result<(), &'static str> {
        while rig.send_bytes(usize::MAX) > 0 {}
        self.inbox.append(&mut rig.wire);
        let inbox = std::mem::take(&mut self.inbox);
        let mut rest = &inbox[..];
        while let Decoded::Complete { packet, len } = codec::decode(rest, Version::Mqtt311).unwrap() {
            match packet {
                Packet::Connect(_) => {
                    rig.receive(Packet::ConnAck(ConnAck::Accepted { session_present: false }))
                }
                Packet::Subscribe(subscribe) => {
                    let count = subscribe.filters.iter().count();
                    if count > FILTERS {
                        return Err("too many filters");
                    }
                    self.filter_counts.push(count);
                    let codes: Vec<_> =
                        subscribe.filters.iter().map(|(_, qos)| SubAckCode::Granted(qos)).collect();
                    rig.receive(Packet::SubAck(SubAck {
                        id: subscribe.id,
                        codes: SubAckCodes::new(&codes).unwrap(),
                    }));
                }
                Packet::Publish(publish) if publish.topic.as_str().starts_with(FORBIDDEN) => {
                    return Err("forbidden topic");
                }
                Packet::Publish(publish) => {
                    let Delivery::AtLeastOnce { id, .. } = publish.delivery else { panic!("{publish}") };
                    let topic = publish.topic.as_str().to_string();
                    if !self.accepted.contains(&topic) {
                        self.accepted.push(topic);
                    }
                    self.open.push_back(id);
                    if self.open.len() > WINDOW {
                        return Err("too many messages under way");
                    }
                }
                other => panic!("{other}"),
            }
            rest = &rest[len..];
        }
        self.inbox = rest.to_vec();
        Ok(())
    }

    fn acknowledge(&mut self, rig: &mut Rig<0>) {
        if let Some(id) = self.open.pop_front() {
            rig.receive(Packet::PubAck(id));
        }
    }

    fn close(&mut self, rig: &mut Rig<0>) {
        rig.lose_link();
        self.inbox.clear();
        self.open.clear();
    }
}

fn start() -> (Rig<0>, Server) {
    let mut rig = Rig::<0>::sized(1_024, 16_384);
    rig.choose(|c| c.max_requests = WINDOW as u16);
    rig.connect(&CONNECT);
    let mut server = Server::default();
    server.receive(&mut rig).unwrap();
    assert_eq!(rig.events(), ["connected present=false"]);
    (rig, server)
}

#[test]
fn twenty_routes_in_packets_of_eight_filters() {
    let (mut rig, mut server) = start();
    let mut routes = Routes::<String, (), 20>::new(); // eight at once, unless it is told otherwise
    for number in 0..20 {
        routes.add(format!("route/{number}/#"), AtLeastOnce, ()).unwrap();
    }
    routes.note(&baremqtt::Event::Connected { session_present: Some(false) });
    routes.subscribe(&mut rig.client.outbound()).unwrap();
    while rig.send_bytes(usize::MAX) > 0 {}
    server.receive(&mut rig).unwrap();
    assert_eq!(server.filter_counts, [8, 8, 4]);
    assert_eq!(rig.events().len(), 3, "each has its answer");
    assert!(matches!(routes.subscription("route/19/#"), Some(Subscription::Requested { .. })));
    // A client that ignores the limit is disconnected.
    let filters = [("a", AtLeastOnce); FILTERS + 1];
    rig.client.subscribe(&filters).unwrap();
    assert_eq!(server.receive(&mut rig), Err("too many filters"));
}

#[test]
fn a_window_of_a_hundred() {
    let (mut rig, mut server) = start();
    for number in 0..1_000 {
        let topic = format!("t/{number}");
        let message = baremqtt::Message::new(&topic, b"x").at_least_once();
        while let Err(error) = rig.client.publish(&message) {
            assert_eq!(error, RequestError::Full(Full::Requests));
            assert_eq!(rig.client.in_flight(), WINDOW);
            server.receive(&mut rig).unwrap();
            // Now and then the link is lost with everything in flight: it is resent, and never more than the limit.
            if number % 300 == 299 {
                server.close(&mut rig);
                rig.connect(&CONNECT);
                server.receive(&mut rig).unwrap();
                server.receive(&mut rig).unwrap();
                assert_eq!(server.open.len(), WINDOW);
            }
            server.acknowledge(&mut rig);
        }
    }
    server.receive(&mut rig).unwrap();
    while !server.open.is_empty() {
        server.acknowledge(&mut rig);
    }
    assert_eq!((server.accepted.len(), rig.client.in_flight()), (1_000, 0));
}

/// The message would be resent on each connection, and end it. The application gives it up, and the others get through.
#[test]
fn a_topic_that_makes_the_server_close() {
    let (mut rig, mut server) = start();
    rig.publish("before", b"", AtLeastOnce);
    let secret = rig.publish("secret/x", b"", AtLeastOnce);
    rig.publish("behind", b"", AtLeastOnce);
    for _ in 0..3 {
        assert_eq!(server.receive(&mut rig), Err("forbidden topic"));
        server.close(&mut rig);
        rig.connect(&CONNECT);
        server.receive(&mut rig).unwrap_or_default();
    }
    server.close(&mut rig);
    let is_forbidden = |request: &Request<'_>| matches!(request, Request::Publish(publish) if publish.topic.as_str().starts_with(FORBIDDEN));
    let forbidden: Vec<_> =
        rig.client.under_way().filter(|one| is_forbidden(&one.request)).map(|one| one.id).collect();
    assert_eq!(forbidden, [id(secret)]);
    rig.client.give_up(id(secret)).unwrap();
    rig.connect(&CONNECT);
    server.receive(&mut rig).unwrap();
    server.receive(&mut rig).unwrap();
    while !server.open.is_empty() {
        server.acknowledge(&mut rig);
    }
    assert_eq!(server.accepted, ["before", "behind"]);
    assert_eq!(rig.client.in_flight(), 0);
}

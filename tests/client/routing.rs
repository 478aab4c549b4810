//! Handlers by topic filter, and subscriptions that are restored.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::{QoS, RequestError, RouteError, Routes, Subscription, TopicName};

use crate::harness::{CONNECT, Rig};

/// A client and the routes of its application, which handles every event.
struct App<const N: usize> {
    rig: Rig<8>,
    routes: Routes<&'static str, u32, N>,
}

impl<const N: usize> App<N> {
    fn new(tx: usize) -> Self {
        App { rig: Rig::sized(256, tx), routes: Routes::new() }
    }

    /// Passes events to the routes, and lets them request missing subscriptions.
    fn handle_events(&mut self) -> Result<(), RequestError> {
        let now = self.rig.now();
        while self.rig.client.advance(now).unwrap() {
            self.routes.note(&self.rig.client.event().unwrap());
        }
        self.routes.subscribe(&mut self.rig.client.outbound())
    }

    fn connect(&mut self, session_present: bool) {
        self.rig.connect(&CONNECT);
        self.rig.send_all();
        self.receive(&[0x20, 2, u8::from(session_present), 0]);
    }

    /// The server sends bytes, and the routes see the events.
    fn receive(&mut self, bytes: &[u8]) {
        self.rig.client.receive_buffer()[..bytes.len()].copy_from_slice(bytes);
        self.rig.client.received(bytes.len());
        self.handle_events().unwrap();
    }

    fn state(&self, filter: &str) -> Subscription {
        self.routes.subscription(filter).unwrap()
    }

    fn matching(&self, topic: &str) -> Vec<u32> {
        self.routes.matching(TopicName::new(topic).unwrap()).copied().collect()
    }
}

const GRANTED_1: Subscription = Subscription::Granted { qos: QoS::AtLeastOnce };

#[test]
fn every_filter_that_matches_a_topic_is_found() {
    let mut app = App::<4>::new(512);
    app.routes.add("sport/#", AtMostOnce, 1).unwrap();
    app.routes.add("sport/+/score", AtMostOnce, 2).unwrap();
    app.routes.add("#", AtMostOnce, 3).unwrap();
    app.routes.add("a.c", AtMostOnce, 4).unwrap();
    assert_eq!(app.matching("sport"), [1, 3], "the parent too");
    assert_eq!(app.matching("sport/tennis/score"), [1, 2, 3]);
    assert_eq!(app.matching("abc"), [3], "a dot is a dot");
    assert_eq!(app.matching("$SYS/uptime"), []);
    app.routes.remove("#");
    assert_eq!(app.matching("abc"), []);
    for handler in app.routes.matching_mut(TopicName::new("sport").unwrap()) {
        *handler += 10;
    }
    assert_eq!(app.matching("sport"), [11]);
}

#[test]
fn the_table_is_limited() {
    let mut routes = Routes::<_, u32, 2>::new();
    assert!(matches!(routes.add("a#", AtMostOnce, 0), Err(RouteError::Forbidden(_))));
    routes.add("a", AtMostOnce, 1).unwrap();
    routes.add("b", AtMostOnce, 2).unwrap();
    assert_eq!(routes.add("c", AtMostOnce, 3), Err(RouteError::Full));
    assert_eq!(routes.add("a", AtLeastOnce, 4), Ok(()), "in the place of the first");
    assert_eq!(routes.subscription("a"), Some(Subscription::Wanted));
    assert_eq!(routes.subscription("c"), None);
}

#[test]
fn requested_and_granted_are_remembered() {
    let mut app = App::<4>::new(512);
    app.routes.add("a", ExactlyOnce, 1).unwrap();
    app.routes.add("b", AtLeastOnce, 2).unwrap();
    app.handle_events().unwrap();
    assert_eq!(app.state("a"), Subscription::Wanted, "there is no connection yet");
    app.connect(false);
    assert_eq!(app.rig.send_all(), ["SUBSCRIBE id=1 a qos=2 b qos=1"]);
    assert!(matches!(app.state("b"), Subscription::Requested { place: 1, .. }));
    app.receive(&[0x90, 4, 0, 1, 1, 0x80]);
    assert_eq!((app.state("a"), app.state("b")), (GRANTED_1, Subscription::Refused));
    assert_eq!(app.rig.send_all(), [""; 0], "a refused subscription is not requested again");
}

#[test]
fn without_a_session_every_subscription_is_requested_again() {
    let mut app = App::<4>::new(512);
    app.routes.add("a", AtLeastOnce, 1).unwrap();
    app.connect(false);
    app.rig.send_all();
    app.receive(&[0x90, 3, 0, 1, 1]);
    app.rig.lose_link();
    app.routes.add("b", AtMostOnce, 2).unwrap();
    app.connect(true);
    assert_eq!(app.rig.send_all(), ["SUBSCRIBE id=2 b qos=0"], "with a session, only what is new");
    app.receive(&[0x90, 3, 0, 2, 0]);
    app.rig.lose_link();
    app.connect(false);
    assert_eq!(app.rig.send_all(), ["SUBSCRIBE id=3 a qos=1 b qos=0"]);
}

#[test]
fn a_subscription_interrupted_by_a_lost_link_is_requested_again() {
    let mut app = App::<4>::new(512);
    app.routes.add("a", AtLeastOnce, 1).unwrap();
    app.connect(true);
    assert_eq!(app.rig.send_all(), ["SUBSCRIBE id=1 a qos=1"]);
    app.rig.client.link_lost();
    app.handle_events().unwrap();
    assert_eq!(app.state("a"), Subscription::Wanted);
    app.connect(true);
    assert_eq!(app.rig.send_all(), ["SUBSCRIBE id=2 a qos=1"]);
}

#[test]
fn removing_a_route_does_not_shift_the_answers() {
    let mut app = App::<4>::new(512);
    for (filter, handler) in [("a", 1), ("b", 2), ("c", 3)] {
        app.routes.add(filter, AtLeastOnce, handler).unwrap();
    }
    app.connect(false);
    app.rig.send_all();
    app.routes.remove("a");
    app.receive(&[0x90, 5, 0, 1, 0x80, 1, 0x80]);
    assert_eq!((app.state("b"), app.state("c")), (GRANTED_1, Subscription::Refused));
}

#[test]
fn filters_are_split_into_packets_that_fit_the_buffer() {
    let mut app = App::<4>::new(32 + 24);
    for filter in ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"] {
        app.routes.add(filter, AtLeastOnce, 0).unwrap();
    }
    app.connect(false);
    let mut asked = Vec::new();
    for number in 1..=4 {
        asked.extend(app.rig.send_all());
        app.receive(&[0x90, 3, 0, number, 1]);
    }
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert_eq!(app.state("dddddddd"), GRANTED_1);
    app.routes.add("a filter that is longer than the whole buffer is", AtMostOnce, 0).unwrap_err();
    app.routes.remove("aaaaaaaa");
    app.routes.add("a filter that is longer than the whole buffer is", AtMostOnce, 0).unwrap();
    assert!(matches!(app.handle_events(), Err(RequestError::TooLarge { .. })));
}

/// Some servers close the connection on a SUBSCRIBE with many filters.
#[test]
fn a_subscribe_has_no_more_filters_than_the_application_allows() {
    for (at_once, packets) in [(None, 2), (Some(3), 3), (Some(1), 9), (Some(64), 1)] {
        let mut app = App::<16>::new(2_048);
        if let Some(at_once) = at_once {
            app.routes = Routes::new().filters_at_once(at_once);
        }
        for filter in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
            app.routes.add(filter, AtMostOnce, 0).unwrap();
        }
        app.connect(false);
        let mut asked = 0;
        loop {
            let lines = app.rig.send_all();
            if lines.is_empty() {
                break;
            }
            for line in lines {
                asked += 1;
                let id = line.split("id=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
                let filters = line.matches(" qos=").count();
                let mut suback = vec![0x90, 2 + filters as u8, 0, id];
                suback.resize(4 + filters, 0);
                app.receive(&suback);
            }
        }
        assert_eq!(asked, packets, "{at_once:?}");
        assert!(matches!(app.state("i"), Subscription::Granted { .. }));
    }
}

/// `$share/group/filter` is an extension that many servers support: messages arrive under topics that match `filter`.
#[test]
fn a_shared_subscription_matches_what_its_filter_does() {
    let mut app = App::<4>::new(512);
    app.routes.add("$share/group/a/+", AtMostOnce, 1).unwrap();
    assert_eq!(app.matching("a/b"), [1]);
    assert_eq!(app.matching("b/b"), []);
    assert_eq!(app.matching("$share/group/a/b"), []);
    app.routes.add("$share/group/", AtMostOnce, 9).unwrap();
    assert_eq!(app.matching("$share/group/"), [9], "without a filter it is what it says");
    app.routes.remove("$share/group/");
}

/// More than 255 filters that the server still has to be asked for.
#[test]
fn a_thousand_routes() {
    let mut app = App::<8>::new(65_000);
    drop(app.routes);
    let mut routes = Routes::<String, usize, 1_000>::new();
    for number in 0..1_000 {
        routes.add(format!("topic/{number}"), AtMostOnce, number).unwrap();
    }
    app.rig.choose(|c| c.max_requests = 0);
    app.rig.connect(&CONNECT);
    app.rig.send_all();
    let connack =
        baremqtt::codec::Packet::ConnAck(baremqtt::codec::ConnAck::Accepted { session_present: false });
    app.rig.receive(connack);
    routes.note(&baremqtt::Event::Connected { session_present: Some(false) });
    routes.subscribe(&mut app.rig.client.outbound()).unwrap();
    assert_eq!(app.rig.send_all().len(), 125);
    assert_eq!(routes.matching(TopicName::new("topic/999").unwrap()).copied().collect::<Vec<_>>(), [999]);
}

#[test]
fn an_empty_table_requests_nothing() {
    let mut routes = Routes::<&str, u32, 4>::default();
    let mut rig: Rig = Rig::online();
    assert_eq!(routes.subscribe(&mut rig.client.outbound()), Ok(()));
    assert!(rig.send_all().is_empty());
    // Events about something else change nothing.
    routes.add("a", AtMostOnce, 1).unwrap();
    routes.note(&baremqtt::Event::SaveDue);
    assert_eq!(routes.subscription("a"), Some(Subscription::Wanted));
}

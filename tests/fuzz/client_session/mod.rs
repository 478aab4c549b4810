//! A client, an application and a broker, and between them whatever the input selects: partial writes, bytes that arrive
//! one by one, lost links, reconnects, reboots, time, lost sessions, a broker that turns hostile.
//!
//! The input is six bytes of set-up, followed by operations of two bytes each.

mod actions;
mod app;
mod broker;

use app::App;
use baremqtt::{Buffers, Client, InboundIds, Instant, LargeMessages, PacketId, QoS, SessionLoss, Version};
use broker::Broker;

use crate::choices::Choices;

const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

pub fn run(data: &[u8]) {
    let Some((setup, operations)) = data.split_first_chunk() else { return };
    let mut world = World::new(*setup, false);
    for operation in operations.as_chunks().0 {
        world.run_operation(*operation);
    }
    world.run_to_completion();
}

/// The same without faults: an honest broker and an honest application on a live link. Then everything completes, without
/// any error or timeout, however small the buffers are.
pub fn progress(data: &[u8]) {
    let Some((setup, operations)) = data.split_first_chunk() else { return };
    let mut world = World::new(*setup, true);
    world.connect(false);
    while world.exchange() {}
    for [code, arg] in operations.as_chunks().0 {
        if HONEST.contains(&(code % OPERATIONS)) {
            world.run_operation([*code, *arg]);
        }
    }
    for _ in 0..100_000 {
        if !world.exchange() {
            return world.check();
        }
    }
    panic!("it does not terminate");
}

const OPERATIONS: u8 = 31;

/// The operations that are not faults.
const HONEST: [u8; 20] = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 25, 26, 30];

type TestClient = Client<Vec<u8>, Vec<u8>, Choices, Vec<u8>>;

struct World {
    client: TestClient,
    /// Empty buffers of the same size.
    buffers: Buffers<Vec<u8>, Vec<u8>>,
    ids: Vec<u8>,
    broker: Broker,
    app: App,
    now: Instant,
    keep_alive: u16,
    is_linked: bool,
    /// Nothing is lost or late: errors are not allowed.
    is_honest: bool,
    clean_session: bool,
    /// What the transport was offered and has not reported on.
    offered: Option<Vec<u8>>,
    /// The image of the session and of the application, if they survive a reboot.
    saved: Option<Saved>,
    next_number: u32,
    /// Messages that the broker has to deliver.
    promised: Vec<(u32, QoS)>,
    /// One side may know less than the other, and neither is at fault.
    sides_may_differ: bool,
}

/// What survives a reboot.
#[derive(Clone)]
struct Saved {
    image: Vec<u8>,
    app: App,
    /// According to this image, the session has ended with its connection.
    clean_session: bool,
}

impl World {
    fn new([flags, tx, rx, times, client_id, broker_id]: [u8; 6], is_honest: bool) -> Self {
        let is = |bit: u8| flags & (1 << bit) != 0;
        let version = if is(0) { Version::Mqtt31 } else { Version::Mqtt311 };
        // Features that a small application does not link.
        let is_minimal = times & 0x40 != 0;
        let choices = Choices::new();
        choices.choose(|c| {
            c.large_messages = if is(1) { LargeMessages::Pieces } else { LargeMessages::Skip };
            c.manual_acknowledgement = is(2);
            c.session_loss = if is(3) { SessionLoss::Drop } else { SessionLoss::Resend };
            c.assume_session_kept = !is(4);
            c.retry_ms = if is(5) { 1_000 } else { 0 };
            c.max_requests = 4;
            c.max_exactly_once = if times & 0x20 == 0 { 19 } else { 1 };
            c.mqtt31 = is(0);
            c.streams = !is_minimal;
            c.receives_exactly_once = !is_minimal;
            c.durable = is(6);
        });
        let buffers = Buffers { rx: vec![0; 17 + usize::from(rx % 128)], tx: vec![0; 64 + usize::from(tx)] };
        // An image from before a lost session, and 3.1, which does not report the loss, keep identifiers that are never released.
        let keeps_stale_ids = is(6) || (is(0) && !is(4));
        // Little room for identifiers can end connections, each of which makes progress.
        let is_tight = times & 0x10 != 0 && !is_honest && !keeps_stale_ids;
        let ids_len = if is_tight { 10 } else { size_of::<InboundIds>() };
        let ids = vec![0; ids_len];
        let mut client = TestClient::with_inbound_ids(buffers.clone(), choices, ids.clone());
        // Identifiers start shortly before they wrap around.
        client.set_next_packet_id(PacketId::new(!u16::from(client_id)).unwrap());
        let first_id = PacketId::new(!u16::from(broker_id)).unwrap();
        let mut world = World {
            client,
            buffers,
            ids,
            broker: Broker::new(version, is(5), is(7), first_id),
            app: App::default(),
            now: Instant::from_millis(0),
            keep_alive: u16::from(times % 16),
            is_linked: false,
            is_honest,
            clean_session: false,
            offered: None,
            saved: None,
            next_number: 0,
            promised: Vec::new(),
            sides_may_differ: false,
        };
        if is(6) {
            world.save();
        }
        world
    }

    fn run_operation(&mut self, [code, arg]: [u8; 2]) {
        let len = usize::from(arg);
        match code % OPERATIONS {
            code @ 0..3 => self.publish(QOS[usize::from(code)], len),
            3 => self.subscribe(1 + len % 3),
            4 => self.unsubscribe(),
            5 => self.publish_streamed(QOS[len % 3], len * 3),
            6 => self.write_payload(len),
            7 => {
                if self.client.abandon_payload().is_ok() {
                    self.app.taint_stream();
                    self.sides_may_differ = true;
                }
            }
            8 => drop(self.send(len)),
            9 => drop(self.send(usize::MAX)),
            10 => self.offer(),
            11 => drop((0..len % 8).all(|_| self.broker.read())),
            12 => drop(self.deliver(len)),
            13 => drop(self.deliver(usize::MAX)),
            14 => drop(self.advance()),
            15 => while self.advance() {},
            16 => {
                if arg % 2 == 1 {
                    while self.broker.read() {}
                }
                self.lose_link();
            }
            17 => self.connect(arg % 8 == 7),
            18 => self.client.disconnect(),
            19 => self.advance_clock(arg),
            20 => self.broker_publishes(QOS[len % 3], len),
            21 => drop(self.acknowledge(len % 4)),
            22 => self.lose_session(),
            23 => self.inject(arg),
            24 => self.reboot(),
            25 => drop(self.exchange()),
            26 => self.give_up(len),
            27 => self.client.finish(),
            28 => self.lose_output(),
            29 => self.broker.answer_connect(arg),
            _ => self.make_invalid_call(len),
        }
        self.close_if_ended();
    }

    /// Exchanges everything that can be exchanged; returns whether there was anything.
    fn exchange(&mut self) -> bool {
        let mut has_progressed = false;
        while self.send(usize::MAX) {
            has_progressed = true;
        }
        while self.broker.read() {
            has_progressed = true;
        }
        while self.advance() {
            has_progressed = true;
        }
        has_progressed |= self.deliver(usize::MAX);
        has_progressed |= self.app.stream.is_some();
        self.write_payload(usize::MAX);
        while self.acknowledge(0) {
            has_progressed = true;
        }
        // Looking at what is pending counts as an offer.
        has_progressed || !self.client.clone().pending().is_empty()
    }

    /// With an honest broker and a good link, everything completes.
    fn run_to_completion(&mut self) {
        if self.broker.hostile {
            self.lose_link();
        }
        self.offered = None;
        for _ in 0..100_000 {
            self.connect(false);
            let has_progressed = self.exchange();
            self.close_if_ended();
            if !has_progressed && self.is_linked {
                return self.check();
            }
        }
        panic!("it does not terminate");
    }

    fn check(&self) {
        assert!(self.broker.is_idle());
        assert_eq!(self.client.in_flight(), 0, "{:?}", self.client);
        self.app.check_ends();
        if self.broker.hostile {
            return;
        }
        self.app.check_messages(&self.broker);
        assert!(
            self.sides_may_differ || self.broker.has_nothing_outstanding(),
            "{:?} {:?} {}",
            self.client,
            self.app.receipts,
            self.broker.outstanding()
        );
        for (number, qos) in &self.promised {
            let count = self.app.received.get(number).copied().unwrap_or(0);
            match qos {
                _ if self.app.skipped.contains(number) || self.broker.lost.contains(number) => {}
                QoS::AtMostOnce => assert!(count <= 1),
                QoS::AtLeastOnce => assert!(count >= 1, "message {number} is lost"),
                QoS::ExactlyOnce => assert_eq!(count, 1, "message {number}"),
            }
        }
    }
}

//! A client, an application and a broker, and between them whatever the input says: partial writes, bytes that come
//! one by one, cuts, reconnects, reboots, time, lost sessions, a broker that turns hostile.
//!
//! The input is six bytes of set-up, then operations of two bytes each.

mod app;
mod broker;
#[path = "../../common/image.rs"]
mod image;

use app::{App, Kind, Request};
use baremqtt::{
    AcknowledgeError, Buffers, Client, Connect, Error, Instant, LargeMessages, Message, Options, PacketId,
    QoS, Retry, SessionLoss, State, StreamedMessage, Version,
};
use broker::Broker;

const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

pub fn run(data: &[u8]) {
    let Some((setup, operations)) = data.split_first_chunk() else { return };
    let mut world = World::new(*setup);
    for operation in operations.as_chunks().0 {
        world.operate(*operation);
    }
    world.drain();
}

type TestClient = Client<Vec<u8>, Vec<u8>, 4>;

struct World {
    client: TestClient,
    /// Empty buffers of the same size.
    buffers: Buffers<Vec<u8>, Vec<u8>>,
    broker: Broker,
    app: App,
    now: Instant,
    keep_alive: u16,
    is_linked: bool,
    clean_session: bool,
    /// What the transport was offered and has not said a word about.
    offered: Option<Vec<u8>>,
    /// The image of the session and of the application, if they survive a reboot.
    saved: Option<(u32, Vec<u8>, App)>,
    next_number: u32,
    /// Messages of the broker that it has to deliver.
    promised: Vec<(u32, QoS)>,
    /// One side knows less than the other, by no fault.
    is_uneven: bool,
}

impl World {
    fn new([flags, tx, rx, times, client_id, broker_id]: [u8; 6]) -> Self {
        let is = |bit: u8| flags & (1 << bit) != 0;
        let version = if is(0) { Version::Mqtt31 } else { Version::Mqtt311 };
        let mut options = Options::new();
        options.large_messages = if is(1) { LargeMessages::Pieces } else { LargeMessages::Skip };
        options.manual_acknowledgement = is(2);
        options.session_loss = if is(3) { SessionLoss::Drop } else { SessionLoss::Resend };
        options.assume_session_kept = !is(4);
        options.retry = if is(5) { Retry::Always { after_ms: 1_000 } } else { Retry::Never };
        let buffers = Buffers { rx: vec![0; 16 + usize::from(rx % 128)], tx: vec![0; 64 + usize::from(tx)] };
        let mut client = TestClient::with_options(buffers.clone(), options);
        // Identifiers begin shortly before they wrap around.
        client.restore(&image::empty(!u16::from(client_id))).unwrap();
        let first_id = PacketId::new(!u16::from(broker_id)).unwrap();
        let mut world = World {
            client,
            buffers,
            broker: Broker::new(version, is(5), first_id),
            app: App::default(),
            now: Instant::ZERO,
            keep_alive: u16::from(times % 16),
            is_linked: false,
            clean_session: false,
            offered: None,
            saved: None,
            next_number: 0,
            promised: Vec::new(),
            is_uneven: false,
        };
        if is(6) {
            world.save();
        }
        world
    }

    fn operate(&mut self, [code, arg]: [u8; 2]) {
        let len = usize::from(arg);
        match code % 26 {
            code @ 0..3 => self.publish(QOS[usize::from(code)], len),
            3 => self.subscribe(1 + len % 3),
            4 => self.unsubscribe(),
            5 => self.publish_streamed(QOS[len % 3], len * 3),
            6 => self.write_payload(len),
            7 => {
                if self.client.abandon_payload().is_ok() {
                    self.app.taint_stream();
                    self.is_uneven = true;
                }
            }
            8 => drop(self.send(len)),
            9 => drop(self.send(usize::MAX)),
            10 => self.offer(len % 2 == 1),
            11 => drop((0..len % 8).all(|_| self.broker.read())),
            12 => drop(self.deliver(len)),
            13 => drop(self.deliver(usize::MAX)),
            14 => drop(self.advance()),
            15 => while self.advance() {},
            16 => {
                if arg % 2 == 1 {
                    while self.broker.read() {}
                }
                self.cut();
            }
            17 => self.connect(arg % 8 == 7),
            18 => self.client.disconnect(self.now),
            19 => self.pass(arg),
            20 => self.broker_publishes(QOS[len % 3], len),
            21 => drop(self.acknowledge(len % 4)),
            22 => self.lose_session(),
            23 => self.inject(arg),
            24 => self.reboot(),
            _ => drop(self.turn()),
        }
        self.notice_end();
    }

    fn number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number
    }

    fn requested<E>(
        &mut self,
        kind: Kind,
        len: usize,
        ask: impl FnOnce(&mut TestClient, &str) -> Result<Option<PacketId>, E>,
    ) -> Option<u32> {
        let number = self.number();
        let before = (self.client.in_flight(), self.client.deadline(), self.client.revision());
        match ask(&mut self.client, &broker::topic(number)) {
            Ok(id) => self.app.requested(number, id, Request { kind, len, tainted: false }),
            Err(_) => {
                let after = (self.client.in_flight(), self.client.deadline(), self.client.revision());
                assert_eq!(before, after, "a refused call changes nothing");
                return None;
            }
        }
        Some(number)
    }

    fn publish(&mut self, qos: QoS, len: usize) {
        let (now, payload) = (self.now, broker::payload(self.next_number + 1, len));
        self.requested(Kind::Publish(qos), len, |client, topic| {
            client.publish(&Message { qos, ..Message::new(topic, &payload) }, now)
        });
    }

    fn publish_streamed(&mut self, qos: QoS, len: usize) {
        let now = self.now;
        let number = self.requested(Kind::Publish(qos), len, |client, topic| {
            client.publish_streamed(&StreamedMessage::new(topic, len).qos(qos).repeatable(), now)
        });
        self.app.streams.extend(number.filter(|_| qos == QoS::AtMostOnce));
    }

    fn subscribe(&mut self, count: usize) {
        let (now, filters) =
            (self.now, [("a", QoS::AtMostOnce), ("b/+", QoS::AtLeastOnce), ("#", QoS::ExactlyOnce)]);
        self.requested(Kind::Subscribe(count), 0, |client, _| {
            client.subscribe(&filters[..count], now).map(Some)
        });
    }

    fn unsubscribe(&mut self) {
        let now = self.now;
        self.requested(Kind::Unsubscribe, 0, |client, _| client.unsubscribe(&["a"], now).map(Some));
    }

    fn write_payload(&mut self, len: usize) {
        let Some((number, at)) = self.app.stream else { return };
        let payload = broker::payload(number, self.app.len_of(number));
        let end = at.saturating_add(len).min(payload.len());
        let Ok(taken) = self.client.write_payload(&payload[at..end], self.now) else {
            // DISCONNECT does not wait for payloads.
            return assert_eq!(self.client.state(), State::Offline);
        };
        assert!(taken <= end - at);
        self.app.stream = Some((number, at + taken)).filter(|_| at + taken < payload.len());
    }

    /// Looks at what is pending. The image comes first, if there is to be one.
    fn offer(&mut self, vectored: bool) {
        if self.saved.as_ref().is_some_and(|(revision, ..)| *revision != self.client.revision()) {
            self.save();
        }
        self.offered = Some(match vectored {
            true => self.client.pending_vectored().concat(),
            false => self.client.pending().to_vec(),
        });
    }

    /// The transport takes so many bytes of what it was offered last.
    fn send(&mut self, len: usize) -> bool {
        if self.offered.is_none() {
            self.offer(len % 2 == 1);
        }
        let offered = self.offered.take().unwrap_or_default();
        let len = len.min(offered.len());
        self.broker.receive(&offered[..len]);
        self.client.sent(len, self.now);
        len > 0
    }

    fn deliver(&mut self, len: usize) -> bool {
        let room = self.client.receive_buffer();
        let bytes = self.broker.take(len.min(room.len()));
        room[..bytes.len()].copy_from_slice(&bytes);
        self.client.received(bytes.len(), self.now);
        !bytes.is_empty()
    }

    /// One step; says whether there was an event.
    fn advance(&mut self) -> bool {
        match self.client.advance(self.now) {
            Ok(true) => {
                let event = self.client.event().expect("an event");
                self.app.event(event, self.client.receipt(), &self.broker);
                return true;
            }
            Ok(false) => {
                assert!(self.client.event().is_none());
                assert!(self.client.deadline().is_none_or(|at| at > self.now), "a deadline that has passed");
            }
            Err(error) => {
                assert!(self.broker.hostile || matches!(error, Error::TimedOut(_)), "{error}");
                assert_eq!(self.client.state(), State::Offline);
            }
        }
        false
    }

    /// The client may have ended the connection.
    fn notice_end(&mut self) {
        if self.is_linked && self.client.state() == State::Offline {
            while self.broker.read() {}
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.client.link_lost();
        assert!(self.client.pending().is_empty());
        self.broker.link_lost();
        self.app.link_lost();
        self.offered = None;
        if core::mem::take(&mut self.is_linked) && self.clean_session {
            self.taint();
        }
    }

    fn connect(&mut self, clean_session: bool) {
        if self.is_linked {
            return;
        }
        let version = self.broker.version;
        let connect =
            Connect::new("c").version(version).clean_session(clean_session).keep_alive(self.keep_alive);
        self.client.connect(&connect, self.now).expect("there is room for it");
        self.is_linked = true;
        self.clean_session = clean_session;
        let assume_lost = version == Version::Mqtt31 && !self.client.options().assume_session_kept;
        if clean_session || assume_lost {
            self.taint();
        }
    }

    fn lose_session(&mut self) {
        if !self.is_linked {
            self.broker.lose_session();
            self.taint();
        }
    }

    /// A session is lost, on one side at least.
    fn taint(&mut self) {
        self.is_uneven = true;
        self.app.taint();
        if let Some((_, _, app)) = &mut self.saved {
            app.taint();
        }
        self.promised.clear();
    }

    fn pass(&mut self, arg: u8) {
        self.now = match self.client.deadline() {
            Some(deadline) if arg == 255 => deadline.max(self.now),
            _ => self.now.after(u32::from(arg) * 50),
        };
    }

    fn broker_publishes(&mut self, qos: QoS, len: usize) {
        let number = self.number();
        if self.broker.publish(number, qos, len) {
            self.promised.push((number, qos));
        }
    }

    fn acknowledge(&mut self, index: usize) -> bool {
        let Some((receipt, _)) = self.app.receipts.get(index).copied() else { return false };
        match self.client.acknowledge(receipt, self.now) {
            Ok(()) => self.app.acknowledged(index),
            Err(AcknowledgeError::Stale) => drop(self.app.receipts.remove(index)),
            Err(error) => {
                assert!(index > 0 || matches!(error, AcknowledgeError::Full), "{error}");
                return false;
            }
        }
        true
    }

    fn inject(&mut self, arg: u8) {
        if !self.is_linked {
            return;
        }
        let id = !u16::from(arg >> 3);
        let [high, low] = id.to_be_bytes();
        match arg & 7 {
            kind @ 0..6 => self.broker.inject(
                &[
                    [0x40, 0x50, 0x62, 0x70, 0xB0, 0x90][usize::from(kind)],
                    2 + u8::from(kind == 5),
                    high,
                    low,
                    0,
                ][..4 + usize::from(kind == 5)],
            ),
            6 => self.broker.inject(&[0x34, 5, 0, 1, b'x', high, low]),
            _ => self.broker.inject(&[arg, high, low]),
        }
    }

    fn save(&mut self) {
        let mut image = vec![0; 1_024];
        let len = self.client.save(&mut image).unwrap();
        image.truncate(len);
        self.saved = Some((self.client.revision(), image, self.app.clone()));
    }

    /// The client starts again from its last image, if there is one.
    fn reboot(&mut self) {
        let Some((_, image, app)) = self.saved.clone() else { return };
        self.cut();
        let options = *self.client.options();
        self.client = TestClient::with_options(self.buffers.clone(), options);
        self.client.restore(&image).expect("an image of ours");
        let before = core::mem::replace(&mut self.app, app);
        self.app.rebooted();
        // What the application does with a message of QoS 1 it has to keep by itself.
        self.app.skipped = before.skipped;
        for (number, _) in self.promised.iter().filter(|(_, qos)| *qos != QoS::ExactlyOnce) {
            if let Some(count) = before.received.get(number) {
                self.app.received.insert(*number, *count);
            }
        }
        // An image keeps no trace of what was sent, so all is repeated.
        self.broker.begun.extend(self.app.in_use.values());
        if self.clean_session || !self.broker.has_session {
            self.taint();
        }
        self.save();
    }

    /// Everything moves as far as it can; says whether anything did.
    fn turn(&mut self) -> bool {
        let mut moved = false;
        while self.send(usize::MAX) {
            moved = true;
        }
        while self.broker.read() {
            moved = true;
        }
        while self.advance() {
            moved = true;
        }
        moved |= self.deliver(usize::MAX);
        moved |= self.app.stream.is_some();
        self.write_payload(usize::MAX);
        while self.acknowledge(0) {
            moved = true;
        }
        moved || !self.client.pending().is_empty()
    }

    /// An honest broker and a good link bring everything to its end.
    fn drain(&mut self) {
        if self.broker.hostile {
            self.cut();
        }
        self.offered = None;
        for _ in 0..100_000 {
            self.connect(false);
            let moved = self.turn();
            self.notice_end();
            if !moved && self.is_linked {
                return self.check();
            }
        }
        panic!("it never ends");
    }

    fn check(&self) {
        assert!(self.broker.is_idle());
        assert_eq!(self.client.in_flight(), 0);
        self.app.check_ends();
        if self.broker.hostile {
            return;
        }
        self.app.check_messages(&self.broker);
        assert!(self.is_uneven || self.broker.owes_nothing());
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

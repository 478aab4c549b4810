//! The actions of the application, the transport and the broker, one at a time.

use baremqtt::{
    AcknowledgeError, Config, Connect, Error, Event, Message, PacketId, QoS, State, StreamedMessage, Version,
};

use super::app::{Kind, Request};
use super::{Saved, TestClient, World, broker};

impl World {
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
        let before = (self.client.in_flight(), self.client.revision());
        match ask(&mut self.client, &broker::topic(number)) {
            Ok(id) => self.app.requested(number, id, Request { kind, len, tainted: false }),
            Err(_) => {
                let after = (self.client.in_flight(), self.client.revision());
                assert_eq!(before, after, "a refused call changes nothing");
                return None;
            }
        }
        Some(number)
    }

    pub fn publish(&mut self, qos: QoS, len: usize) {
        let payload = broker::payload(self.next_number + 1, len);
        self.requested(Kind::Publish(qos), len, |client, topic| {
            let message = Message::new(topic, &payload).qos(qos);
            client.publish(&if broker::is_retained(topic) { message.retain() } else { message })
        });
    }

    pub fn publish_streamed(&mut self, qos: QoS, len: usize) {
        let number = self.requested(Kind::Publish(qos), len, |client, topic| {
            let message = StreamedMessage::new(topic, len).qos(qos).repeatable();
            client.publish_streamed(&if broker::is_retained(topic) { message.retain() } else { message })
        });
        self.app.streams.extend(number.filter(|_| qos == QoS::AtMostOnce));
    }

    pub fn subscribe(&mut self, count: usize) {
        let filters = [("a", QoS::AtMostOnce), ("b/+", QoS::AtLeastOnce), ("#", QoS::ExactlyOnce)];
        self.requested(Kind::Subscribe(count), 0, |client, _| client.subscribe(&filters[..count]).map(Some));
    }

    pub fn unsubscribe(&mut self) {
        self.requested(Kind::Unsubscribe, 0, |client, _| client.unsubscribe(&["a"]).map(Some));
    }

    pub fn write_payload(&mut self, len: usize) {
        let Some((number, at)) = self.app.stream else { return };
        let payload = broker::payload(number, self.app.len_of(number));
        let end = at.saturating_add(len).min(payload.len());
        let Ok(taken) = self.client.write_payload(&payload[at..end]) else {
            // DISCONNECT does not wait for payloads.
            return assert!(matches!(self.client.state(), State::Offline | State::Closing));
        };
        assert!(taken <= end - at);
        self.app.stream = Some((number, at + taken)).filter(|_| at + taken < payload.len());
    }

    /// Gives up one of the requests in flight, if it is a message for which this is possible.
    pub fn give_up(&mut self, index: usize) {
        let place = index % self.app.in_use.len().max(1);
        let Some((&id, &number)) = self.app.in_use.iter().nth(place) else { return };
        if self.client.give_up(id).is_ok() {
            self.app.give_up(id, !self.client.under_way().any(|request| request.id == id));
            self.broker.given_up.insert(number);
            self.sides_may_differ = true;
        }
    }

    /// A call that is invalid in every state.
    pub fn make_invalid_call(&mut self, what: usize) {
        let before = (self.client.state(), self.client.in_flight(), self.client.revision());
        let long = "x".repeat(1_000);
        let many = [("a", QoS::AtMostOnce); 200];
        let client = &mut self.client;
        let is_refused = match what % 13 {
            0 => client.publish(&Message::new("", b"").at_least_once()).is_err(),
            1 => client.publish(&Message::new("a/#", b"").at_least_once()).is_err(),
            2 => client.publish(&Message::new("a", long.as_bytes()).at_least_once()).is_err(),
            3 => client.publish_streamed(&StreamedMessage::new("a", 1).qos(QoS::AtLeastOnce)).is_err(),
            4 => client.publish_streamed(&StreamedMessage::new("a", usize::MAX)).is_err(),
            5 => client.subscribe(&[]).is_err(),
            6 => client.subscribe(&[("a", QoS::AtMostOnce), ("a#", QoS::AtMostOnce)]).is_err(),
            7 => client.subscribe(&many).is_err(),
            8 => client.unsubscribe(&[]).is_err(),
            9 => client.connect(&Connect::new("").clean_session(false)).is_err(),
            10 => client.connect(&Connect::new(&long)).is_err(),
            11 => client.connect(&Connect::new(&long).version(Version::Mqtt31)).is_err(),
            _ => client.save(&mut [0; 8]).is_err() && client.restore(&[0; 8]).is_err(),
        };
        assert!(is_refused);
        assert_eq!(before, (self.client.state(), self.client.in_flight(), self.client.revision()));
    }

    /// Offers the transport what is pending.
    pub fn offer(&mut self) {
        self.offered = Some(self.client.pending().to_vec());
    }

    /// The transport accepts this many of the bytes that it was last offered.
    pub fn send(&mut self, len: usize) -> bool {
        if self.offered.is_none() {
            self.offer();
        }
        let offered = self.offered.take().unwrap_or_default();
        let len = len.min(offered.len());
        self.broker.receive(&offered[..len]);
        self.client.sent(len);
        len > 0
    }

    pub fn deliver(&mut self, len: usize) -> bool {
        let room = self.client.receive_buffer();
        let bytes = self.broker.take(len.min(room.len()));
        room[..bytes.len()].copy_from_slice(&bytes);
        self.client.received(bytes.len());
        !bytes.is_empty()
    }

    /// One step; returns whether there was an event.
    pub fn advance(&mut self) -> bool {
        match self.client.advance(self.now) {
            Ok(true) => {
                match self.client.event().expect("an event") {
                    Event::SaveDue => self.save(),
                    event => self.app.event(event, self.client.receipt(), &self.broker),
                }
                return true;
            }
            Ok(false) => {
                assert!(self.client.event().is_none());
                let (waits, asked) = (self.client.waits_for_payload(), self.app.stream.is_some());
                match self.client.state() {
                    State::Offline => assert!(!waits),
                    // After `disconnect` no payload is begun.
                    State::Closing => assert!(asked || !waits),
                    _ => assert_eq!(waits, asked),
                }
                self.check_time_left();
            }
            Err(error) => {
                assert!(!self.is_honest, "{error} {:?}", self.client);
                let allowed = matches!(error, Error::TimedOut(_) | Error::InboundFull | Error::Refused(_));
                assert!(self.broker.hostile || allowed, "{error}");
                assert_eq!(self.client.state(), State::Offline);
            }
        }
        false
    }

    /// If no time is left there is something to do: at most one look at the clock, or bytes to be sent.
    fn check_time_left(&self) {
        let mut client = self.client.clone();
        if client.time_left() == Some(0) && client.pending().is_empty() {
            let mut client = self.client.clone();
            let event = client.advance(self.now).unwrap_or(true);
            assert!(event || client.time_left() != Some(0) || !client.pending().is_empty(), "{client:?}");
        }
    }

    /// The client may have ended the connection.
    pub fn close_if_ended(&mut self) {
        if self.is_linked && self.client.state() == State::Offline {
            while self.broker.read() {}
            self.lose_link();
        }
    }

    pub fn lose_link(&mut self) {
        self.client.link_lost();
        assert!(self.client.pending().is_empty());
        self.broker.link_lost(self.app.is_connected);
        self.app.link_lost();
        // What the transport was offered may have been sent.
        let offered = self.offered.take().unwrap_or_default();
        for number in self.app.in_use.values() {
            let topic = broker::topic(*number);
            let field = [&[0, topic.len() as u8], topic.as_bytes()].concat();
            if offered.windows(field.len()).any(|bytes| bytes == field) {
                self.broker.begun.insert(*number);
            }
        }
        if core::mem::take(&mut self.is_linked) && self.clean_session {
            self.taint();
        }
    }

    /// Nothing more can be written: what the broker has sent is read, and then the link is lost.
    pub fn lose_output(&mut self) {
        self.client.output_lost();
        assert!(self.client.pending().is_empty());
        while self.deliver(usize::MAX) {
            while self.advance() {}
        }
        self.lose_link();
    }

    pub fn connect(&mut self, clean_session: bool) {
        if self.is_linked {
            return;
        }
        let version = self.broker.version;
        let connect =
            Connect::new("c").version(version).clean_session(clean_session).keep_alive(self.keep_alive);
        self.client.connect(&connect).expect("there is room for it");
        self.is_linked = true;
        self.clean_session = clean_session;
        let assume_lost = version == Version::Mqtt31 && !self.client.config().assume_session_kept();
        if clean_session || assume_lost {
            self.taint();
        }
    }

    pub fn lose_session(&mut self) {
        if !self.is_linked {
            self.broker.lose_session();
            self.taint();
        }
    }

    /// A session is lost, on one side at least.
    fn taint(&mut self) {
        self.sides_may_differ = true;
        self.app.taint();
        if let Some(saved) = &mut self.saved {
            saved.app.taint();
        }
        self.promised.clear();
    }

    pub fn advance_clock(&mut self, arg: u8) {
        self.now = match self.client.time_left() {
            Some(left) if arg == 255 => self.now.after(left),
            _ => self.now.after(u32::from(arg) * 50),
        };
    }

    pub fn broker_publishes(&mut self, qos: QoS, len: usize) {
        let is_granted = self.client.config().receives_exactly_once();
        let qos = if is_granted { qos } else { qos.min(QoS::AtLeastOnce) };
        let number = self.number();
        if self.broker.publish(number, qos, len) {
            self.promised.push((number, qos));
        }
    }

    pub fn acknowledge(&mut self, index: usize) -> bool {
        let Some((receipt, _)) = self.app.receipts.get(index).copied() else { return false };
        match self.client.acknowledge(receipt) {
            Ok(()) => self.app.acknowledged(index),
            Err(AcknowledgeError::Stale) => drop(self.app.receipts.remove(index)),
            Err(error) => {
                assert!(index > 0, "{error}");
                return false;
            }
        }
        true
    }

    pub fn inject(&mut self, arg: u8) {
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

    pub fn save(&mut self) {
        let mut image = vec![0; 1_024];
        let len = self.client.save(&mut image).unwrap();
        image.truncate(len);
        let (revision, app, clean_session) = (self.client.revision(), self.app.clone(), self.clean_session);
        self.client.saved(revision);
        self.saved = Some(Saved { image, app, clean_session });
    }

    /// The client restarts from its last image, if there is one.
    pub fn reboot(&mut self) {
        let Some(Saved { image, app, clean_session, .. }) = self.saved.clone() else { return };
        self.lose_link();
        let choices = self.client.config().clone();
        self.client = TestClient::with_inbound_ids(self.buffers.clone(), choices, self.ids.clone());
        self.client.restore(&image).expect("an image of ours");
        let before = core::mem::replace(&mut self.app, app);
        self.app.rebooted();
        // The application itself has to store what it does with a QoS 1 message.
        self.app.skipped = before.skipped;
        for (number, _) in self.promised.iter().filter(|(_, qos)| *qos != QoS::ExactlyOnce) {
            if let Some(count) = before.received.get(number) {
                self.app.received.insert(*number, *count);
            }
        }
        // An image does not record what was sent, so everything is repeated.
        self.broker.begun.extend(self.app.in_use.values());
        if clean_session || self.clean_session || !self.broker.has_session {
            self.taint();
        }
        self.save();
    }
}

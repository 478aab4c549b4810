//! The application: what it has requested, what was reported to it, and whether that is correct.

use baremqtt::codec::Delivery;
use baremqtt::{Event, Outcome, QoS, Receipt, State};

use crate::broker::{Broker, Check, MOST, check};
use crate::packets::{number, payload};
use crate::rules::{Feature, Rules, of_qos};

/// Requests other than messages have the numbers from here on.
pub const SUBSCRIBE: usize = MOST;
pub const UNSUBSCRIBE: usize = MOST + 1;
const REQUESTS: usize = MOST + 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    #[default]
    NotMade,
    /// In flight, with this identifier; 0 at QoS 0.
    Open(u16),
    /// Its end was reported, with this identifier.
    Told(u16),
    /// Its end was reported in an earlier run, and may be reported again.
    Past(u16),
}

#[derive(Clone, Debug, Default)]
pub struct App {
    pub requests: [Stage; REQUESTS],
    /// Messages that were given up.
    pub given_up: u16,
    /// Messages of which a server may have seen a byte; messages whose PUBREL it may have seen.
    pub seen: u16,
    /// Those that it may have seen on this connection.
    pub seen_here: u16,
    pub seen_pubrel: u16,
    /// Messages that were in a restored image: they are sent with DUP, whether seen or not.
    pub restored: u16,
    /// Requests whose end may be reported although the broker never answered, when the link or the session is lost.
    pub may_end: u16,
    /// Messages that are not sent any more, because their session is discarded.
    pub discarded: u16,
    /// The last connection requested a clean session.
    pub is_clean: bool,
    /// Messages that were received. If the application acknowledges, only those that it has acknowledged.
    pub got: u16,
    /// Receipts of this connection, each with its message.
    pub receipts: Vec<(Receipt, u8)>,
    /// The large message that is being received, and how much of its payload has arrived.
    pub large: Option<(u8, u8)>,
    /// How much of the requested payload was handed over.
    pub stream: Option<usize>,
    /// An image was requested.
    pub is_save_due: bool,
}

impl App {
    pub fn is_open(&self, request: usize) -> bool {
        matches!(self.requests[request], Stage::Open(_))
    }

    pub fn open_count(&self) -> usize {
        self.requests.iter().filter(|stage| matches!(stage, Stage::Open(_))).count()
    }

    /// The request with this identifier.
    pub fn request(&self, id: u16) -> Option<usize> {
        self.requests.iter().position(|stage| *stage == Stage::Open(id))
    }

    /// The identifiers of messages that were given up, as bits.
    pub fn given_up_ids(&self) -> u16 {
        let given_up =
            self.requests.iter().enumerate().filter(|(request, _)| self.given_up & (1 << request) != 0);
        given_up.fold(0, |ids, (_, stage)| match *stage {
            Stage::Open(id) | Stage::Told(id) | Stage::Past(id) => ids | 1 << id,
            Stage::NotMade => ids,
        })
    }

    /// A new run starts from what the last image recorded.
    pub fn restarts(&mut self, before: &App, rules: &Rules) {
        // What the server has seen stays seen; a message of QoS 1 is stored before it is acknowledged.
        (self.seen, self.seen_pubrel) = (before.seen, before.seen_pubrel);
        // A message of QoS 0 is in no image, and may be published again.
        self.seen &= !of_qos(&rules.out, QoS::AtMostOnce);
        self.got |= before.got & of_qos(&rules.into, QoS::AtLeastOnce);
        self.restored = 0;
        for (request, stage) in self.requests.iter_mut().enumerate() {
            match *stage {
                Stage::Open(_) => self.restored |= 1 << request,
                Stage::Told(id) => {
                    *stage = Stage::Past(id);
                    // About SUBSCRIBE and UNSUBSCRIBE, an image records only that they have ended.
                    self.may_end |= if request >= SUBSCRIBE { 1 << request } else { 0 };
                }
                Stage::NotMade | Stage::Past(_) => {}
            }
        }
        self.link_lost();
    }

    /// A request was accepted.
    pub fn made(&mut self, request: usize, id: Option<u16>) -> Check {
        let id = id.unwrap_or_default();
        check!(id == 0 || self.request(id).is_none(), "the identifier {id} is in use");
        self.requests[request] = if id == 0 { Stage::Told(0) } else { Stage::Open(id) };
        Ok(())
    }

    pub fn link_lost(&mut self) {
        self.receipts.clear();
        self.seen_here = 0;
        self.stream = None;
        for request in [SUBSCRIBE, UNSUBSCRIBE] {
            if self.is_open(request) {
                self.may_end |= 1 << request;
            }
        }
    }

    /// An event, and the receipt that came with it.
    pub fn handles(
        &mut self,
        event: Event<'_>,
        receipt: Option<Receipt>,
        broker: &Broker,
        rules: &Rules,
    ) -> Check {
        match event {
            Event::Connected { session_present } => {
                let tells = !rules.has(Feature::Mqtt31);
                let is_new = !self.is_clean || session_present != Some(true);
                check!(session_present.is_some() == tells && is_new, "Connected says {session_present:?}");
                if rules.has(Feature::Drop) && (session_present == Some(false) || rules.distrusts()) {
                    self.session_ends(true);
                }
            }
            Event::Message(publish) => {
                let message = self.incoming(publish.topic.as_str(), publish.delivery, rules)?;
                check!(publish.payload == payload(message, false), "the payload of {publish}");
                self.gets(message, receipt, broker, rules)?;
            }
            Event::MessageStart(large) => {
                check!(self.large.is_none(), "a large message within another");
                let topic = large.topic.map_or("", |topic| topic.as_str());
                let message = self.incoming(topic, large.delivery, rules)?;
                check!(large.payload_len == payload(message, true).len(), "the length of {message}");
                self.large = Some((message as u8, 0));
            }
            Event::MessagePiece(piece) => {
                let Some((message, at)) = &mut self.large else { return Err("a piece of nothing".into()) };
                let whole = payload(usize::from(*message), true);
                check!(whole[usize::from(*at)..].starts_with(piece), "a piece of {message} at {at}");
                check!(!piece.is_empty(), "an empty piece");
                *at += piece.len() as u8;
            }
            Event::MessageEnd => {
                let Some((message, at)) = self.large.take() else { return Err("the end of nothing".into()) };
                let message = usize::from(message);
                check!(usize::from(at) == payload(message, true).len(), "{message} ends at {at}");
                self.gets(message, receipt, broker, rules)?;
            }
            Event::MessageAborted => check!(self.large.take().is_some(), "nothing to be aborted"),
            Event::Published { id, qos } => {
                let request = self.ends(id.get())?;
                check!(request < SUBSCRIBE, "{request} was no message");
                // A message that was given up after it was sent ends with its identifier.
                let given_up = self.given_up & (1 << request) != 0;
                check!(given_up || broker.has_arrived(request), "{request} is published, but did not arrive");
                check!(qos == rules.out[request], "{request} is published at QoS {qos}");
            }
            Event::StreamReady { id } => {
                let last = rules.out.len() - 1;
                let streamed = match id {
                    Some(id) => self.request(id.get()).is_some_and(|request| rules.is_streamed(request)),
                    None => rules.is_streamed(last) && rules.is_at_most_once(last),
                };
                check!(streamed, "{id:?} is not streamed");
                check!(self.stream.is_none(), "the payload is asked for twice");
                self.stream = Some(0);
            }
            Event::Subscribed { id, codes } => {
                check!(self.ends(id.get())? == SUBSCRIBE, "{id} is no SUBSCRIBE");
                check!(codes.len() == 1, "{codes:?}");
            }
            Event::Unsubscribed { id } => {
                check!(self.ends(id.get())? == UNSUBSCRIBE, "{id} is no UNSUBSCRIBE");
            }
            Event::Ended { id, outcome } => {
                let request = self.ends(id.get())?;
                let given_up = self.given_up & (1 << request) != 0;
                let mut may_end = given_up || self.may_end & (1 << request) != 0;
                if request < SUBSCRIBE && !given_up {
                    may_end &= match outcome {
                        Outcome::Lost => self.discarded & (1 << request) != 0,
                        // PUBREC was sent.
                        Outcome::Uncertain => {
                            let arrived = broker.has_arrived(request) || rules.has(Feature::AtPubrel);
                            rules.out[request] == QoS::ExactlyOnce && arrived
                        }
                        _ => false,
                    };
                }
                check!(may_end, "{request} has ended as {outcome:?}, for no reason");
            }
            Event::SaveDue => self.is_save_due = true,
            other => return Err(format!("{other:?}")),
        }
        Ok(())
    }

    /// Each end is reported once.
    fn ends(&mut self, id: u16) -> Result<usize, String> {
        let past = || self.requests.iter().position(|stage| *stage == Stage::Past(id));
        let Some(request) = self.request(id).or_else(past) else {
            return Err(format!("{id} is not under way"));
        };
        self.requests[request] = Stage::Told(id);
        Ok(request)
    }

    fn incoming(&self, topic: &str, delivery: Delivery, rules: &Rules) -> Result<usize, String> {
        match number(topic, b'i').filter(|message| *message < rules.into.len()) {
            Some(message) if rules.into[message] == delivery.qos() => Ok(message),
            _ => Err(format!("{topic:?} was not sent like this")),
        }
    }

    /// A message is complete: at QoS 2 once, and in order.
    fn gets(&mut self, message: usize, receipt: Option<Receipt>, broker: &Broker, rules: &Rules) -> Check {
        let exactly_once = rules.into[message] == QoS::ExactlyOnce;
        let may_repeat = rules.distrusts() || broker.forgotten & (1 << message) != 0;
        let again = self.has_got(message) && !may_repeat;
        check!(!(exactly_once && again), "message {message} of QoS 2 comes in twice");
        let earlier = (0..message).filter(|earlier| rules.into[*earlier] == rules.into[message]);
        for earlier in earlier {
            let there =
                self.has_got(earlier) || self.receipts.iter().any(|held| usize::from(held.1) == earlier);
            check!(there || broker.lost & (1 << earlier) != 0, "message {message} comes in before {earlier}");
        }
        match receipt {
            Some(receipt) => self.receipts.push((receipt, message as u8)),
            None => self.got |= 1 << message,
        }
        check!(receipt.is_some() == rules.has(Feature::Manual), "receipt: {receipt:?}");
        Ok(())
    }

    fn has_got(&self, message: usize) -> bool {
        self.got & (1 << message) != 0
    }

    /// Whether everything that it wanted is complete.
    pub fn is_done(&self, broker: &Broker, rules: &Rules) -> Check {
        for (request, stage) in self.requests.iter().enumerate() {
            let wanted = request < rules.out.len() || (request >= SUBSCRIBE && rules.has(Feature::Subscribe));
            check!(
                !wanted || matches!(stage, Stage::Told(_) | Stage::Past(_)),
                "request {request} is {stage:?}"
            );
            let message = request < rules.out.len();
            let ended = (self.given_up | self.may_end) & (1 << request) != 0;
            let excused = ended || (message && rules.is_at_most_once(request));
            check!(!message || excused || broker.has_arrived(request), "message {request} did not arrive");
        }
        for message in 0..rules.into.len() {
            let lost = broker.lost & (1 << message) != 0;
            check!(lost || self.has_got(message), "message {message} did not come in");
        }
        check!(self.receipts.is_empty(), "receipts are left");
        check!(self.large.is_none(), "a large message is left");
        Ok(())
    }

    /// The session is gone. What had begun in it ends, or is sent a second time; not if it is discarded.
    pub fn session_ends(&mut self, discards: bool) {
        let begun = self.begun();
        self.may_end |= begun;
        self.discarded |= if discards { begun } else { 0 };
    }

    /// Messages that have not ended.
    pub fn open(&self) -> u16 {
        (0..SUBSCRIBE).filter(|request| self.is_open(*request)).fold(0, |open, request| open | 1 << request)
    }

    /// Messages that have ended.
    pub fn ended(&self) -> u16 {
        let has_ended = |message: &usize| matches!(self.requests[*message], Stage::Told(_) | Stage::Past(_));
        (0..SUBSCRIBE).filter(has_ended).fold(0, |ended, message| ended | 1 << message)
    }

    /// The identifiers of requests that have not ended.
    pub fn open_ids(&self) -> u16 {
        self.requests
            .iter()
            .fold(0, |ids, stage| if let Stage::Open(id) = stage { ids | 1 << id } else { ids })
    }

    /// What an image needs: the rest is lost with the run, or does not change when another run begins.
    pub fn for_image(&self, rules: &Rules) -> App {
        App {
            seen: 0,
            seen_here: 0,
            seen_pubrel: 0,
            restored: 0,
            got: self.got & of_qos(&rules.into, QoS::ExactlyOnce),
            receipts: Vec::new(),
            large: None,
            stream: None,
            ..self.clone()
        }
    }

    /// Messages that end, or are sent a second time, when the session is lost.
    pub fn begun(&self) -> u16 {
        self.open() & (self.seen | self.restored)
    }

    pub fn key(&self, state: State, key: &mut Vec<u8>) {
        for stage in self.requests {
            key.push(match stage {
                Stage::NotMade => 0xFF,
                Stage::Told(id) => id as u8 | 0x40,
                Stage::Past(id) => id as u8 | 0x80,
                Stage::Open(id) => id as u8,
            });
        }
        let App { given_up, seen, seen_here, seen_pubrel, restored, may_end, discarded, got, .. } = *self;
        for bits in [given_up, seen, seen_here, seen_pubrel, restored, may_end, discarded, got] {
            key.extend(bits.to_be_bytes());
        }
        key.push(u8::from(self.is_clean));
        key.extend(self.receipts.iter().map(|held| held.1));
        let (large, at) = self.large.unwrap_or((0xFF, 0));
        let stream = self.stream.map_or(0xFF, |at| at as u8);
        key.extend([self.receipts.len() as u8, large, at, stream, u8::from(self.is_save_due), state as u8]);
    }
}

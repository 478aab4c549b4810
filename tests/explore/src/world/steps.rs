//! The effect of each action; `Ok(false)` if it is not possible now.

use baremqtt::{
    Connect, Error, Event, Full, Instant, Message, QoS, Request, RequestError, State, StreamedMessage,
    Version,
};

use super::action::Action;
use super::link::Much;
use super::{World, say};
use crate::app::{SUBSCRIBE, Stage, UNSUBSCRIBE};
use crate::broker::{Check, check};
use crate::packets::{id, payload, topic};
use crate::rules::Feature;

/// How often the clock moves in a walk.
pub(super) const JUMPS: u8 = 2;

pub(super) type Step = Result<bool, String>;

impl World {
    pub fn apply(&mut self, action: Action) -> Step {
        let done = self.try_to(action)?;
        if done && self.link.is_open && self.client.state() == State::Offline {
            say!("the client is offline");
            self.link_closed();
        }
        self.forget();
        Ok(done)
    }

    fn try_to(&mut self, action: Action) -> Step {
        match action {
            Action::Told => return Ok(self.tells()),
            Action::Advance => return self.advances(),
            Action::Acknowledge => return self.acknowledges(),
            Action::TellSaved => return Ok(self.tells_saved()),
            Action::Write => return Ok(self.writes()),
            Action::Save => return self.saves(),
            Action::Publish => return self.publishes(),
            Action::Subscribe | Action::Unsubscribe => return self.subscribes(action == Action::Subscribe),
            Action::Payload => return self.hands_over(),
            Action::Send => return self.sends(Much::Packet, false),
            Action::SendPart => return self.sends(Much::Byte, false),
            Action::SendLost if !self.link.is_dead => {
                self.link.is_dead = true;
                return self.sends(Much::Packet, false);
            }
            Action::Offer => return self.sends(Much::Packet, true),
            Action::OfferPart => return self.sends(Much::Byte, true),
            Action::OfferAll => return self.sends(Much::All, true),
            Action::Receive => return Ok(self.receives(Much::Packet)),
            Action::ReceivePart => return Ok(self.receives(Much::Byte)),
            Action::Serve => return Ok(self.broker.publishes(self.rules, &mut self.link.down)),
            Action::Connect | Action::ConnectClean => return self.connects(action == Action::ConnectClean),
            Action::Break => return Ok(self.breaks()),
            // What happens to a dead link in the end.
            Action::Close => {
                let is_read = !self.link.is_output_lost || (self.link.down.is_empty() && self.is_idle());
                return Ok(self.link.is_dead && is_read && self.breaks());
            }
            Action::LoseSession => {
                if self.losses > 0 || self.link.is_open || !self.broker.has_session {
                    return Ok(false);
                }
                self.losses += 1;
                self.session_lost();
            }
            Action::Crash => return self.crashes(),
            Action::Jump => return self.jumps(),
            Action::GiveUp0 => return self.gives_up(0),
            Action::GiveUp1 => return self.gives_up(1),
            Action::GiveUp2 => return self.gives_up(2),
            Action::Abandon => return self.abandons(),
            Action::Finish | Action::Disconnect => return Ok(self.ends(action == Action::Finish)),
            Action::OutputLost => {
                if self.link.is_output_lost || !self.link.is_open {
                    return Ok(false);
                }
                (self.link.is_output_lost, self.link.is_dead) = (true, true);
                self.client.output_lost();
            }
            _ => match action.kind() {
                Some(kind) => return Ok(self.broker.answers(kind, self.rules, &mut self.link.down)),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn connects(&mut self, clean: bool) -> Step {
        if self.link.is_open || self.client.state() != State::Offline {
            return Ok(false);
        }
        let mut connect = Connect::new("c").clean_session(clean).keep_alive(self.rules.keep_alive());
        if self.rules.version() == Version::Mqtt31 {
            connect = connect.version(Version::Mqtt31);
        }
        self.client.connect(&connect).map_err(|error| format!("connect: {error}"))?;
        self.link.is_open = true;
        // A clean session discards the one before, and ends with its own connection.
        if clean || self.app.is_clean {
            self.discards(clean || self.has(Feature::Drop))?;
        }
        self.app.is_clean = clean;
        Ok(true)
    }

    /// The client discards its session, whether CONNECT arrives or not. Nothing that had begun in it continues, and unless it `ends`
    /// messages of which no PUBREC came are sent again.
    fn discards(&mut self, ends: bool) -> Check {
        self.app.session_ends(ends);
        self.broker.is_forgotten();
        for request in self.client.under_way() {
            let continues = match request.request {
                Request::Ended => false,
                Request::Publish(_) => ends && request.may_have_arrived,
                _ => true,
            };
            check!(!continues, "the request {} survives its session", request.id);
        }
        // Not the client itself, which would count this as its last image.
        let image = self.clone().image()?;
        check!(image.holds_no_inbound_ids(), "an inbound identifier survives its session");
        Ok(())
    }

    fn breaks(&mut self) -> bool {
        if !self.link.is_open {
            return false;
        }
        self.client.link_lost();
        self.link_closed();
        true
    }

    fn tells(&mut self) -> bool {
        let Some(offered) = self.offered.take() else { return false };
        self.client.sent(offered.taken);
        // The client could not know before.
        self.silent = 0;
        true
    }

    /// Whether the client has nothing to do.
    fn is_idle(&self) -> bool {
        let mut next = self.clone();
        matches!(next.advances(), Ok(true)) && next.hash() == self.hash()
    }

    fn advances(&mut self) -> Step {
        self.is_due = false;
        let is_late = self.has(Feature::Time) && self.peer_is_late();
        match self.client.advance(Instant::from_millis(self.now)) {
            Ok(true) => {
                let Some(event) = self.client.event() else { return Err("no event".into()) };
                say!("{event:?}");
                self.broker.is_mistaken &= !matches!(event, Event::Connected { .. });
                self.app.handles(event, self.client.receipt(), &self.broker, self.rules)?;
            }
            Ok(false) => {
                check!(self.client.event().is_none(), "an event that was not announced");
                if self.rules.has_time() && self.client.time_left() == Some(0) {
                    let mut client = self.client.clone();
                    let again = client.advance(Instant::from_millis(self.now));
                    let spins = again == Ok(false) && client.time_left() == Some(0);
                    check!(!spins, "advance spins");
                }
            }
            Err(Error::TimedOut(timeout)) if self.has(Feature::Time) => {
                say!("timeout: {timeout:?}");
                check!(is_late, "{timeout:?} ran against a peer that owed nothing");
            }
            Err(error) => return Err(format!("{error}")),
        }
        Ok(true)
    }

    fn acknowledges(&mut self) -> Step {
        if self.app.receipts.is_empty() {
            return Ok(false);
        }
        let (receipt, message) = self.app.receipts.remove(0);
        self.client.acknowledge(receipt).map_err(|error| format!("acknowledge {message}: {error}"))?;
        self.app.got |= 1 << message;
        Ok(true)
    }

    fn publishes(&mut self) -> Step {
        let next = (0..self.rules.out.len()).find(|message| self.app.requests[*message] == Stage::NotMade);
        let Some(message) = next else { return Ok(false) };
        let (topic, qos) = (topic('o', message), self.rules.out[message]);
        self.asks_for_first_id();
        let taken = if self.rules.is_streamed(message) {
            let len = payload(message, true).len();
            self.client.publish_streamed(&StreamedMessage::new(&topic, len).qos(qos).repeatable())
        } else {
            self.client.publish(&Message::new(&topic, &payload(message, false)).qos(qos))
        };
        match taken {
            Ok(id) => {
                say!("{topic} is {id:?}");
                self.app.made(message, id.map(|id| id.get()))?;
                check!(self.client.in_flight() >= self.app.open_count(), "a request is not under way");
                Ok(true)
            }
            Err(RequestError::NotConnected | RequestError::Full(Full::Buffer | Full::Stream)) => Ok(false),
            Err(error) => Err(format!("publish: {error}")),
        }
    }

    fn subscribes(&mut self, subscribe: bool) -> Step {
        let request = if subscribe { SUBSCRIBE } else { UNSUBSCRIBE };
        if self.app.requests[request] != Stage::NotMade {
            return Ok(false);
        }
        if !subscribe && !matches!(self.app.requests[SUBSCRIBE], Stage::Told(_) | Stage::Past(_)) {
            return Ok(false);
        }
        self.asks_for_first_id();
        let taken = if subscribe {
            self.client.subscribe(&[("a", QoS::ExactlyOnce)])
        } else {
            self.client.unsubscribe(&["a"])
        };
        match taken {
            Ok(id) => self.app.made(request, Some(id.get())).map(|()| true),
            Err(RequestError::NotConnected | RequestError::Full(Full::Buffer | Full::Stream)) => Ok(false),
            Err(error) => Err(format!("subscribe: {error}")),
        }
    }

    fn asks_for_first_id(&mut self) {
        if self.has(Feature::Ids) {
            self.client.set_next_packet_id(id(1));
        }
    }

    fn hands_over(&mut self) -> Step {
        let Some(at) = self.app.stream else { return Ok(false) };
        let message = self.rules.out.len() - 1;
        let payload = payload(message, true);
        let taken = self.client.write_payload(&payload[at..]).map_err(|error| format!("payload: {error}"))?;
        self.app.stream = Some(at + taken).filter(|at| *at < payload.len());
        Ok(taken > 0)
    }

    fn gives_up(&mut self, message: usize) -> Step {
        let Stage::Open(number) = self.app.requests[message] else { return Ok(false) };
        let asked = self.rules.is_streamed(message) && self.app.stream.is_some();
        if self.client.give_up(id(number)).is_err() {
            return Ok(false);
        }
        self.app.given_up |= 1 << message;
        self.broker.given_up |= 1 << number;
        if asked {
            self.app.stream = None;
        }
        // A message not sent on this connection ends without an event; at QoS 2 only if it was never sent.
        let known = self.client.under_way().any(|request| request.id.get() == number);
        if !known {
            let app = &mut self.app;
            let exactly_once = self.rules.out[message] == QoS::ExactlyOnce;
            let has_left = if exactly_once { app.seen | app.restored } else { app.seen_here };
            check!(has_left & (1 << message) == 0, "{message} has left, and its identifier is given up");
            app.requests[message] = Stage::Told(0);
        }
        Ok(true)
    }

    /// Gives up a streamed message instead of the first piece of its payload, unless the server has it from an earlier connection.
    fn abandons(&mut self) -> Step {
        let message = self.rules.out.len() - 1;
        let is_kept = self.rules.out[message] == QoS::ExactlyOnce && self.app.seen & (1 << message) != 0;
        if self.app.stream != Some(0) || is_kept {
            return Ok(false);
        }
        self.client.abandon_payload().map_err(|error| format!("abandon: {error}"))?;
        self.app.stream = None;
        self.app.given_up |= 1 << message;
        Ok(true)
    }

    fn ends(&mut self, finish: bool) -> bool {
        if self.endings > 0 || !self.link.is_open {
            return false;
        }
        self.endings += 1;
        if finish {
            self.finishes = true;
            self.client.finish();
        } else {
            self.disconnects = true;
            self.client.disconnect();
            // No payload is begun after that.
            self.app.stream = None;
        }
        true
    }

    fn jumps(&mut self) -> Step {
        let left = self.client.time_left().filter(|left| *left > 0);
        let Some(left) = left.filter(|_| self.jumps < JUMPS && !self.is_due) else { return Ok(false) };
        self.jumps += 1;
        self.is_due = true;
        self.now = self.now.wrapping_add(left);
        self.silent += left;
        let keep_alive = u32::from(self.rules.keep_alive()) * 1_000;
        let stuck = !self.client.clone().pending().is_empty() || self.link.is_output_lost;
        let online = self.client.state() == State::Connected && keep_alive != 0;
        check!(!online || stuck || self.silent <= keep_alive, "nothing left for {} ms", self.silent);
        say!("{left} ms later");
        Ok(true)
    }
}

//! How a connection begins and ends, and what becomes of the session then.

use super::control::Control;
use super::link::State;
use super::outbound::{MIN_CONTROL, Outbound, Parts, control_share};
use super::output::NOTHING;
use super::redelivery::GiveUp;
use super::{ConnectError, SessionLoss};
use crate::Instant;
use crate::codec::{Connect, EncodeError, Version};
use crate::session::timers::Timer;

impl Outbound<'_> {
    /// See [`Client::connect`](crate::Client::connect).
    pub(super) fn connect(&mut self, connect: &Connect<'_>, now: Instant) -> Result<(), ConnectError> {
        if self.link.state != State::Offline {
            return Err(ConnectError::AlreadyConnected);
        }
        let needed = match connect.encode(&mut []) {
            Err(EncodeError::BufferTooSmall { needed }) => needed,
            Err(EncodeError::Forbidden(violation)) => return Err(violation.into()),
            Ok(len) => len,
        };
        let marks = &self.queues.marks;
        let ended = self.ended_by(connect);
        let live = ended.map_or(marks.live, |what| marks.live_without(self.tx, what));
        let room = self.tx.len().saturating_sub(live).saturating_sub(marks.window());
        if needed.max(MIN_CONTROL) > room {
            return Err(ConnectError::TooLarge { needed, room });
        }
        if let Some(what) = ended {
            self.end_session(what);
        }
        self.arena().compact();
        self.arena().mark_released(connect.version == Version::Mqtt31);
        // Kept messages may leave less than the usual share.
        self.queues.control_len = control_share(self.tx.len()).max(needed).min(room);
        self.begin(connect, now);
        Ok(())
    }

    fn begin(&mut self, connect: &Connect<'_>, now: Instant) {
        let Parts { control, control_bytes, .. } = self.parts();
        control.begin(connect.encode(control_bytes).unwrap_or(0));
        self.link.state = State::Connecting;
        self.link.version = connect.version;
        self.link.clean_session = connect.clean_session;
        self.link.keep_alive_ms = u32::from(connect.keep_alive).wrapping_mul(1_000);
        self.link.timers.set(Timer::ConnAck, now, self.link.options.timeouts.connack_ms);
        self.watch_output(now, false);
    }

    /// What is given up with this CONNECT, because it ends the session or because that has ended with its connection
    /// (MQTT-3.1.2-6); 3.1 would not tell later.
    fn ended_by(&self, connect: &Connect<'_>) -> Option<GiveUp> {
        match (connect.clean_session, self.link.clean_session) {
            (true, _) => Some(GiveUp::Attempted),
            (false, true) => Some(self.given_up_with_session()),
            (false, false) => None,
        }
    }

    fn given_up_with_session(&self) -> GiveUp {
        match self.link.options.session_loss {
            SessionLoss::Resend => GiveUp::Released,
            SessionLoss::Drop => GiveUp::Attempted,
        }
    }

    /// The server has no session: the client's ends too.
    pub(super) fn session_lost(&mut self) {
        self.end_session(self.given_up_with_session());
    }

    fn end_session(&mut self, what: GiveUp) {
        self.link.changed();
        self.session.inbound.clear();
        let Parts { mut arena, session, .. } = self.parts();
        arena.give_up(session, what);
    }

    /// The connection is gone, or never came to be.
    pub(super) fn link_lost(&mut self) {
        self.link.reset();
        self.queues.offered = NOTHING;
        self.queues.control = Control::new();
        self.queues.receipts.link_lost();
        self.arena().rewind();
        self.session.link_lost();
    }

    /// See [`Client::disconnect`](crate::Client::disconnect).
    pub(super) fn disconnect(&mut self, now: Instant) {
        if matches!(self.link.state, State::Connecting | State::Connected) {
            self.link.state = State::Closing;
            self.watch_output(now, false);
        }
    }
}

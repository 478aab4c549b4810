//! How a connection begins and ends, and what becomes of the session then.

use super::control;
use super::inner::Inner;
use super::link::State;
use super::outbound::Outbound;
use super::output::Offered;
use super::redelivery::{GiveUp, Restart};
use super::{ConnectError, SessionLoss};
use crate::codec::{self, Connect, PacketType, Version};
use crate::session::timers::Timer;

impl Outbound<'_> {
    /// See [`Client::connect`](crate::Client::connect).
    pub(super) fn connect(&mut self, connect: &Connect<'_>) -> Result<(), ConnectError> {
        if self.inner.link.state != State::Offline {
            return Err(ConnectError::AlreadyConnected);
        }
        connect.check()?;
        let remaining_len = codec::body_len(connect);
        let needed = codec::packet_len(remaining_len);
        let marks = &self.inner.marks;
        let ended = self.ended_by(connect);
        let live = ended.map_or(marks.live, |what| marks.live_without(self.tx, what));
        let room = self.tx.len().saturating_sub(live).saturating_sub(marks.window());
        if needed.max(control::MIN_LEN) > room {
            return Err(ConnectError::TooLarge { needed, room });
        }
        if let Some(what) = ended {
            self.end_session(what);
        }
        self.restart(Restart::Connect { mqtt31: connect.version == Version::Mqtt31 });
        self.inner.inbound.link_lost();
        // Kept messages may leave less than the usual share.
        self.inner.control.len = control::share(self.tx.len()).max(needed).min(room);
        let limit = self.limit();
        let out = self.tx.get_mut(limit..).unwrap_or_default();
        // There is room.
        let _ = codec::encode_body(PacketType::Connect.first_byte(), remaining_len, 0, connect, out);
        self.inner.control.begin(limit, needed);
        self.begin(connect);
        Ok(())
    }

    fn begin(&mut self, connect: &Connect<'_>) {
        let Inner { link, timers, options, .. } = &mut *self.inner;
        link.state = State::Connecting;
        link.version = connect.version;
        link.clean_session = connect.clean_session;
        link.keep_alive_ms = u32::from(connect.keep_alive).wrapping_mul(1_000);
        timers.set(Timer::ConnAck, options.timeouts.connack_ms);
        self.watch_output(false);
    }

    /// What is given up with this CONNECT, because it ends the session or because that has ended with its connection
    /// (MQTT-3.1.2-6); 3.1 would not tell later.
    fn ended_by(&self, connect: &Connect<'_>) -> Option<GiveUp> {
        match (connect.clean_session, self.inner.link.clean_session) {
            (true, _) => Some(GiveUp::Attempted),
            (false, true) => Some(self.given_up_with_session()),
            (false, false) => None,
        }
    }

    fn given_up_with_session(&self) -> GiveUp {
        match self.inner.options.session_loss {
            SessionLoss::Resend => GiveUp::Released,
            SessionLoss::Drop => GiveUp::Attempted,
        }
    }

    /// The server has no session: the client's ends too.
    pub(super) fn session_lost(&mut self) {
        self.end_session(self.given_up_with_session());
    }

    fn end_session(&mut self, what: GiveUp) {
        self.inner.link.changed();
        self.inner.session.inbound.clear();
        self.restart(Restart::SessionLost(what));
    }

    /// The connection is gone, or never came to be.
    pub(super) fn link_lost(&mut self) {
        self.inner.inbound.link_lost();
        self.inner.reset_link();
        self.inner.offered = Offered::NOTHING;
        let limit = self.limit();
        self.inner.control.begin(limit, 0);
        self.inner.receipts.link_lost();
        self.rewind();
        self.inner.session.link_lost();
    }

    /// See [`Client::disconnect`](crate::Client::disconnect).
    pub(super) fn disconnect(&mut self) {
        // Nothing can be sent behind DISCONNECT, so the next `advance` would come too late.
        self.answer_event();
        if matches!(self.inner.link.state, State::Connecting | State::Connected) {
            self.inner.link.state = State::Closing;
            self.watch_output(false);
        }
    }

    /// Queues what is owed for the event.
    pub(super) fn answer_event(&mut self) {
        if let Some((packet_type, id)) = self.inner.inbound.answer.take() {
            self.answer(packet_type, id);
        }
    }
}

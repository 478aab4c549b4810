//! How a connection begins and ends, and what becomes of the session then.

use super::inner::Inner;
use super::link::State;
use super::outbound::Outbound;
use super::redelivery::{GiveUp, Restart};
use super::{ConnectError, SessionLoss};
use crate::codec::{self, Connect, PacketType};
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
        let ended = self.ended_by(connect);
        let live = ended.map_or(self.inner.queue.live, |what| self.live_without(what));
        let room = self.tx.len().wrapping_sub(live);
        if needed > room {
            return Err(ConnectError::TooLarge { needed, room });
        }
        self.inner.link.version = connect.version;
        if let Some(what) = ended {
            self.end_session(what);
        }
        self.inner.inbound.link_lost();
        self.set_reserve(needed);
        let at = self.control_place(needed);
        // There is room.
        let out = self.tx.get_mut(at..).unwrap_or_default();
        let _ = codec::encode_body(PacketType::Connect.first_byte(), remaining_len, 0, connect, out);
        self.inner.queue.jump(at);
        self.begin(connect);
        Ok(())
    }

    fn begin(&mut self, connect: &Connect<'_>) {
        let Inner { link, timers, options, .. } = &mut *self.inner;
        link.state = State::Connecting;
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

    /// CONNACK has come: what is kept goes out, as far as the server's session allows.
    pub(super) fn accepted(&mut self, kept: bool) {
        self.inner.accept();
        if !self.inner.link.clean_session && !kept {
            self.end_session(self.given_up_with_session());
        } else {
            self.restart(Restart::Connection { gives_up: None });
        }
    }

    fn end_session(&mut self, what: GiveUp) {
        self.inner.link.changed();
        self.inner.session.inbound.clear();
        self.restart(Restart::Connection { gives_up: Some(what) });
    }

    /// The connection is gone, or never came to be.
    pub(super) fn link_lost(&mut self) {
        self.inner.inbound.link_lost();
        self.inner.reset_link();
        self.inner.queue.offered = 0;
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

//! The connection, as the client sees it: how far it is, and its timers.

use super::Timeout;
use super::inner::Inner;
use crate::session::timers::Timer;
use crate::{Instant, Version};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum State {
    /// There is none.
    Offline,
    /// CONNECT is on its way, CONNACK has not come.
    Connecting,
    /// The server has accepted the connection.
    Connected,
    /// DISCONNECT follows what is queued; then the transport has to be closed.
    Closing,
}

#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) state: State,
    pub(super) version: Version,
    /// Of the last CONNECT: the session that it began has ended with its connection.
    pub(super) clean_session: bool,
    /// CONNACK has come.
    pub(super) accepted: bool,
    /// PINGREQ waits to be sent.
    pub(super) ping_queued: bool,
    /// DISCONNECT waits to be sent: nothing follows it.
    pub(super) disconnect_queued: bool,
    pub(super) keep_alive_ms: u32,
    /// When requests are sent again the next time; it grows.
    pub(super) retry_ms: u32,
    /// Changes that an image of the session has to hold; see [`Client::revision`](crate::Client::revision).
    pub(super) revision: u32,
    /// Acknowledgements that nothing waited for.
    pub(super) ignored: u32,
}

impl Link {
    pub(super) const fn new() -> Self {
        Link {
            state: State::Offline,
            version: Version::Mqtt311,
            clean_session: false,
            accepted: false,
            ping_queued: false,
            disconnect_queued: false,
            keep_alive_ms: 0,
            retry_ms: 0,
            revision: 0,
            ignored: 0,
        }
    }

    /// The session has changed in a way that an image of it has to hold.
    pub(super) fn changed(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }
}

impl<S: ?Sized> Inner<S> {
    /// Back to off line; what is not of the connection stays.
    pub(super) fn reset_link(&mut self) {
        if self.link.state != State::Offline {
            info!("MQTT: the connection has ended");
        }
        self.link.state = State::Offline;
        self.link.accepted = false;
        self.link.ping_queued = false;
        self.link.disconnect_queued = false;
        self.timers.clear();
    }

    /// CONNACK has come. The keep alive counts from the end of CONNECT, as the server's does.
    pub(super) fn accept(&mut self) {
        info!("MQTT: connected");
        self.link.accepted = true;
        self.timers.stop(Timer::ConnAck);
        if self.link.state == State::Connecting {
            self.link.state = State::Connected;
        }
        self.timers.set(Timer::ReceiveSilence, self.link.keep_alive_ms);
    }

    /// The last byte of a packet has left.
    pub(super) fn packet_sent(&mut self) {
        self.timers.set(Timer::SendSilence, self.link.keep_alive_ms);
    }

    /// The last byte of PINGREQ has left. A PINGRESP that is due already stays due.
    pub(super) fn ping_sent(&mut self) {
        self.link.ping_queued = false;
        if !self.timers.is_set(Timer::PingResp) {
            self.timers.set(Timer::PingResp, self.options.timeouts.pingresp_ms);
        }
    }

    /// Bytes have come.
    pub(super) fn bytes_received(&mut self) {
        if self.link.state == State::Connected {
            self.timers.set(Timer::ReceiveSilence, self.link.keep_alive_ms);
        }
    }

    /// When something must happen. Before CONNACK, silence asks for nothing; behind DISCONNECT, nothing is waited for
    /// but output.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.link.state {
            State::Connected => self.timers.next(Timer::SendSilence),
            State::Closing => self.timers.at(Timer::Stall),
            State::Connecting | State::Offline => self.timers.next(Timer::PingResp),
        }
    }

    /// Whether one direction was silent for the keep alive time.
    pub(super) fn ping_is_due(&self) -> bool {
        self.timers.is_due(Timer::SendSilence) || self.timers.is_due(Timer::ReceiveSilence)
    }

    /// A time-out that has come to its end.
    pub(super) fn timed_out(&self) -> Option<Timeout> {
        [
            (Timer::ConnAck, Timeout::ConnAck),
            (Timer::PingResp, Timeout::PingResp),
            (Timer::Stall, Timeout::Stall),
            (Timer::Ack, Timeout::Ack),
        ]
        .into_iter()
        .filter(|(timer, _)| self.link.state != State::Closing || *timer == Timer::Stall)
        .find(|(timer, _)| self.timers.is_due(*timer))
        .map(|(_, timeout)| timeout)
    }
}

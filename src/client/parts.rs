//! A client split for one call into its state, its configuration and its buffers.

use super::answers::{self, Answers};
use super::config::Config;
use super::outbox::Outbox;
use super::state::{ClientState, Control};
use crate::Version;

/// Everything except the receive buffer.
#[derive(Debug)]
pub(super) struct Parts<'a, C> {
    pub(super) control: &'a mut Control,
    pub(super) outbox: Outbox<'a, C>,
    pub(super) answers: Answers<'a>,
    /// The identifiers of inbound QoS 2 messages.
    pub(super) ids: &'a mut [u8],
}

impl<'a, C> Parts<'a, C> {
    #[inline]
    pub(super) fn new(all: &'a mut ClientState, config: &'a C, tx: &'a mut [u8], ids: &'a mut [u8]) -> Self {
        let (log, answers) = tx.split_at_mut_checked(log_len(tx.len())).unwrap_or_default();
        let ClientState { control, outbox, answers: places } = all;
        Parts {
            control,
            outbox: Outbox { state: outbox, log, config },
            answers: Answers { state: places, bytes: answers },
            ids,
        }
    }
}

impl<'a, C: Config> Parts<'a, C> {
    #[inline]
    pub(super) const fn config(&self) -> &'a C {
        self.outbox.config
    }

    /// Whether the connection uses MQTT 3.1.
    #[inline]
    pub(super) fn mqtt31(&self) -> bool {
        self.config().mqtt31() && self.control.session.mqtt31
    }

    /// The version whose limit holds for topics: messages are kept, and the next connection may use MQTT 3.1 if the configuration allows it.
    #[inline]
    pub(super) fn topic_version(&self) -> Version {
        if self.config().mqtt31() { Version::Mqtt31 } else { Version::Mqtt311 }
    }

    #[inline]
    pub(super) fn version(&self) -> Version {
        if self.mqtt31() { Version::Mqtt31 } else { Version::Mqtt311 }
    }
}

/// How many bytes of a transmit buffer of this length are for requests.
pub(super) const fn log_len(tx_len: usize) -> usize {
    tx_len.wrapping_sub(answers::share(tx_len))
}

/// The result of processing a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is the current event.
    Event,
    /// It has been processed, without an event.
    Done,
    /// More bytes have to be received.
    Incomplete,
    /// It cannot be processed until something else has happened.
    Blocked,
}

//! What adapters need to know and to say besides the public calls.

use super::Client;
use super::state::{Leaving, State};
#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
use super::{Config, flow};

impl<R, T, C, I> Client<R, T, C, I> {
    /// Whether the server has accepted this connection.
    pub(crate) const fn is_accepted(&self) -> bool {
        self.state.control.link.is_accepted
    }

    /// Whether [`finish`](Self::finish) was called, and `disconnect` was not.
    pub(crate) const fn is_finishing(&self) -> bool {
        self.state.control.leaving.is_finishing()
    }

    /// Whether the end was requested, and needs no other connection: [`disconnect`](Self::disconnect) was called, or nothing is left that
    /// [`finish`](Self::finish) waits for.
    pub(crate) const fn wants_no_connection(&self) -> bool {
        let control = &self.state.control;
        matches!(control.link.state, State::Offline)
            && match control.leaving {
                Leaving::No => false,
                Leaving::Finishing => self.state.outbox.is_empty(),
                Leaving::Disconnecting => true,
            }
    }

    /// Forgets that the end was requested, if there is no connection.
    pub(crate) const fn forget_leaving(&mut self) {
        if matches!(self.state.control.link.state, State::Offline) {
            self.state.control.leaving = Leaving::No;
        }
    }
}

#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
impl<R, T, C, I> Client<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// The application could not handle the current event. If it is a message, the server will send it again on the next connection, which
    /// must follow at once.
    pub(crate) fn event_failed(&mut self) {
        flow::messages::event_failed(&mut self.parts());
    }
}

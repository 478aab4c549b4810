//! What the application has requested about the end of the connection, for adapters that reopen connections.

use super::Client;
use super::state::State;

/// Whether the application has requested the end of the connection. This is remembered after the connection, until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Leaving {
    No,
    /// No more requests are accepted; DISCONNECT follows once those under way have ended.
    Finishing,
    /// DISCONNECT follows after everything that is queued, or has already been sent.
    Disconnecting,
}

impl<R, T, C, I> Client<R, T, C, I> {
    /// Whether [`finish`](Self::finish) was called, and `disconnect` was not.
    pub(crate) const fn is_finishing(&self) -> bool {
        self.state.control.link.is_finishing()
    }

    /// Whether the end was requested, and needs no other connection: [`disconnect`](Self::disconnect) was called, or nothing is left that
    /// [`finish`](Self::finish) waits for.
    pub(crate) const fn has_left(&self) -> bool {
        let link = &self.state.control.link;
        matches!(link.state, State::Offline)
            && match link.leaving {
                Leaving::No => false,
                Leaving::Finishing => self.state.outbox.is_empty(),
                Leaving::Disconnecting => true,
            }
    }

    /// Forgets that the end was requested, if there is no connection.
    pub(crate) const fn forget_leaving(&mut self) {
        if matches!(self.state.control.link.state, State::Offline) {
            self.state.control.link.leaving = Leaving::No;
        }
    }
}

//! What the application has requested about the end of the connection, for adapters that reopen connections.

/// Whether the application has requested the end of the connection. This is remembered after the connection, until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Leaving {
    No,
    /// No more requests are accepted; DISCONNECT follows once those under way have ended.
    Finishing,
    /// DISCONNECT follows after everything that is queued.
    Disconnecting,
}

impl Leaving {
    pub(super) const fn is_finishing(self) -> bool {
        matches!(self, Leaving::Finishing)
    }
}

#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
impl<R, T, C, I> crate::Client<R, T, C, I> {
    /// Whether [`finish`](Self::finish) was called, and `disconnect` was not.
    pub(crate) const fn is_finishing(&self) -> bool {
        self.state.control.leaving.is_finishing()
    }

    /// Whether the end was requested, and needs no other connection: [`disconnect`](Self::disconnect) was called, or nothing is left that
    /// [`finish`](Self::finish) waits for.
    pub(crate) const fn has_left(&self) -> bool {
        let control = &self.state.control;
        matches!(control.link.state, crate::State::Offline)
            && match control.leaving {
                Leaving::No => false,
                Leaving::Finishing => self.state.outbox.is_empty(),
                Leaving::Disconnecting => true,
            }
    }

    /// Forgets that the end was requested, if there is no connection.
    pub(crate) const fn forget_leaving(&mut self) {
        if matches!(self.state.control.link.state, crate::State::Offline) {
            self.state.control.leaving = Leaving::No;
        }
    }
}

//! What has become of a packet.

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

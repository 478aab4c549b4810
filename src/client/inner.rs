//! All that a client keeps besides its two buffers.

use super::inbound::Inbound;
use super::link::Link;
use super::queue::Queue;
use super::receipts::Receipts;
use super::{Options, State};
use crate::Instant;
use crate::session::timers::Timers;
use crate::session::{Session, Slot};

/// `S` is `[Slot; N]`; behind a reference it is `[Slot]`, so that the code for all sizes is compiled once.
///
/// In this order: what is asked for most often lies where short instructions reach it.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Inner<S: ?Sized> {
    pub(super) link: Link,
    pub(super) queue: Queue,
    pub(super) inbound: Inbound,
    pub(super) options: Options,
    pub(super) receipts: Receipts,
    pub(super) timers: Timers,
    pub(super) session: Session<S>,
}

impl<const N: usize> Inner<[Slot; N]> {
    pub(super) const fn new(options: Options) -> Self {
        Inner {
            link: Link::new(),
            queue: Queue::new(),
            inbound: Inbound::NEW,
            options,
            receipts: Receipts::NEW,
            timers: Timers::NEW,
            session: Session::new(),
        }
    }
}

impl<S: ?Sized> Inner<S> {
    /// So many bytes have come into a receive buffer of this length.
    pub(super) fn received(&mut self, len: usize, room: usize, now: Instant) {
        if len > 0 && self.link.state != State::Offline {
            let free = room.wrapping_sub(self.inbound.fill);
            self.inbound.fill = self.inbound.fill.wrapping_add(len.min(free));
            self.inbound.fresh = true;
            self.timers.set_now(now);
            self.bytes_received();
        }
    }
}

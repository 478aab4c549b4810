//! All that a client keeps besides its two buffers.

use super::arena::Marks;
use super::control::Control;
use super::inbound::Inbound;
use super::link::Link;
use super::output::Offered;
use super::receipts::Receipts;
use super::{Options, State};
use crate::Instant;
use crate::session::{Session, Slot};

/// `S` is `[Slot; N]`; behind a reference it is `[Slot]`, so that the code for all sizes is compiled once.
#[derive(Clone, Debug)]
pub(super) struct Inner<S: ?Sized> {
    pub(super) link: Link,
    pub(super) inbound: Inbound,
    pub(super) marks: Marks,
    pub(super) control: Control,
    pub(super) offered: Offered,
    pub(super) receipts: Receipts,
    pub(super) session: Session<S>,
}

impl<const N: usize> Inner<[Slot; N]> {
    pub(super) const fn new(options: Options) -> Self {
        Inner {
            link: Link::new(options),
            inbound: Inbound::new(),
            marks: Marks::new(),
            control: Control::new(),
            offered: Offered::NOTHING,
            receipts: Receipts::new(),
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
            self.link.bytes_received(now);
        }
    }
}

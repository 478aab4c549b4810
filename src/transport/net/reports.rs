//! Reports events to the handler and to waiting threads.

use core::task::Poll;
use std::collections::HashSet;

use super::runner::Handler;
use super::shared::{Inner, Shared};
use super::stream::Stream;
use super::wire::Wire;
use super::{Error, Update};
use crate::transport::WaitError;
use crate::{Config, Event};

impl<R, T, C, I> Inner<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Takes input, as far as there is room; returns whether there was any.
    pub(super) fn take<S: Stream>(&mut self, wire: &Wire<S>, shared: &Shared<R, T, C, I>) -> bool {
        if !self.driver.can_read() {
            return false;
        }
        match wire.take(self.driver.client.receive_buffer()) {
            Poll::Ready(result) => {
                self.driver.received(result, shared.now());
                true
            }
            Poll::Pending => false,
        }
    }

    /// Reports the current event.
    pub(super) fn report_event(&mut self, handler: &mut Handler<'_, C>) -> Result<(), Error> {
        match self.driver.client.event() {
            Some(Event::Published { id, .. }) => self.ended(id, Ok(())),
            Some(Event::Ended { id, outcome }) => self.ended(id, Err(WaitError::Ended(outcome))),
            _ => {}
        }
        let revision = self.driver.client.revision();
        let (event, mut outbound) = self.driver.client.split();
        let Some(event) = event else { return Ok(()) };
        let result = handler(Update::Event(event), &mut outbound);
        if result.is_err() {
            self.driver.client.event_failed();
        }
        self.handled(revision, result)
    }

    /// Reports another update.
    pub(super) fn report(&mut self, update: Update<'_>, handler: &mut Handler<'_, C>) -> Result<(), Error> {
        let revision = self.driver.client.revision();
        let result = handler(update, &mut self.driver.client.outbound());
        self.handled(revision, result)
    }

    /// The handler has returned.
    fn handled(&mut self, revision: u32, result: Result<(), Error>) -> Result<(), Error> {
        if self.driver.client.revision() != revision || !self.driver.client.config().reports_loss() {
            self.report_given_up();
        }
        self.has_failed |= result.is_err();
        result
    }

    /// Informs threads that wait for messages that have been removed without an event.
    pub(super) fn report_given_up(&mut self) {
        if self.ends.is_empty() {
            return;
        }
        let under_way: HashSet<_> = self.driver.client.under_way().map(|request| request.id).collect();
        self.ends.retain(|id, sender| {
            let is_under_way = under_way.contains(id);
            if !is_under_way {
                let _ = sender.send(Err(WaitError::GivenUp));
            }
            is_under_way
        });
    }
}

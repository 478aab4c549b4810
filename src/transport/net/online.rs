//! A runner while there is a connection.

use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant as Clock;

use super::runner::{Handler, Runner};
use super::stream::{DRAIN, INTERVAL, Stream};
use super::wire::Wire;
use super::{Error, Update, has_more};
use crate::{Config, Event};

impl<R, T, C, I> Runner<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Runs the connection until it ends.
    pub(super) fn serve<S: Stream>(
        &mut self,
        wire: &mut Wire<S>,
        handler: &mut Handler<'_, C>,
    ) -> Result<(), Error> {
        loop {
            if let Some(deadline) = self.deadline() {
                return self.disconnect(wire, deadline, handler);
            }
            if !self.turn(wire, handler)? {
                self.wait(wire, None);
            }
        }
    }

    /// Sends DISCONNECT, if the stream accepts it in time. Messages that need an answer are left to the server.
    fn disconnect<S: Stream>(
        &self,
        wire: &mut Wire<S>,
        deadline: Clock,
        handler: &mut Handler<'_, C>,
    ) -> Result<(), Error> {
        let shared = &self.shared.0;
        // If nothing can be sent any more, this is the end.
        shared.lock().driver.disconnect().map_err(|_| Error::Disconnected)?;
        loop {
            let mut state = shared.lock();
            while state.driver.advance(shared.now())? {
                // Its requests are refused by now, which is no reason to leave without DISCONNECT.
                if state.report_event(handler).is_err() {
                    state.has_failed = false;
                }
            }
            let is_sent = !state.driver.is_open() && !state.driver.has_output();
            drop(state);
            if is_sent || Clock::now() >= deadline {
                return Ok(());
            }
            if !self.send(wire) {
                self.wait(wire, Some(deadline));
            }
        }
    }

    /// Reports events, and sends queued bytes; returns whether there was any progress.
    fn turn<S: Stream>(&mut self, wire: &mut Wire<S>, handler: &mut Handler<'_, C>) -> Result<bool, Error> {
        let shared = Arc::clone(&self.shared.0);
        let mut state = shared.lock();
        let came = state.take(wire, &shared);
        // The clock is read once, after the input, so that a slow handler is not mistaken for a slow server.
        let now = shared.now();
        self.retry.passed(now);
        let mut moved = came;
        while state.driver.advance(now)? {
            moved = true;
            if let Some(Event::Connected { .. }) = state.driver.client.event() {
                self.retry.connected(now);
            }
            state.report_event(handler)?;
            if shared.is_stopped() {
                break;
            }
        }
        if shared.take_wake() {
            state.report(Update::Woken, handler)?;
            moved = true;
        }
        if moved {
            shared.has_moved(&state);
        }
        drop(state);
        let sent = self.send(wire);
        if sent {
            self.report_all_sent(handler)?;
        }
        Ok(moved || sent)
    }

    /// Sends some queued bytes; returns whether the stream accepted any. The client is not locked meanwhile.
    fn send<S: Stream>(&self, wire: &mut Wire<S>) -> bool {
        let shared = &self.shared.0;
        let mut state = shared.lock();
        if !state.driver.has_output() {
            return false;
        }
        let writes = wire.prepare(state.driver.client.pending());
        drop(state);
        let written = if writes { Some(wire.write()) } else { None };
        let mut state = shared.lock();
        match written {
            Some(Poll::Ready(result)) => state.driver.written(result, shared.now()),
            Some(Poll::Pending) => return false,
            None => {}
        }
        // What was written may have made room, although a flush may have to wait.
        shared.has_moved(&state);
        if state.driver.has_output() && state.driver.client.pending().is_empty() {
            drop(state);
            let flushed = wire.flush();
            state = shared.lock();
            match flushed {
                Poll::Ready(result) => state.driver.flushed(result, shared.now()),
                Poll::Pending => return writes,
            }
        }
        true
    }

    fn report_all_sent(&self, handler: &mut Handler<'_, C>) -> Result<(), Error> {
        let mut state = self.shared.0.lock();
        let is_all = matches!(state.driver.check_output(), Ok(true));
        if is_all && state.driver.takes_requests() {
            state.report(Update::AllSent, handler)?;
        }
        Ok(())
    }

    /// Waits until there is something to do.
    fn wait<S: Stream>(&self, wire: &mut Wire<S>, deadline: Option<Clock>) {
        let shared = &self.shared.0;
        let mut state = shared.lock();
        let time = state.driver.time_left(shared.now());
        // A stream that accepts nothing now, and does not block, is polled.
        let time = if state.driver.has_output() { time.min(INTERVAL) } else { time };
        drop(state);
        let most = Duration::from_millis(time.into());
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Clock::now()));
        wire.wait(&shared.bell, left.map_or(most, |left| left.min(most)));
    }

    /// Closes the stream, its output first. Remaining input is read and discarded for a while: if a TCP stream is closed with unread
    /// input, the bytes that were sent last may not reach the server.
    pub(super) fn hang_up<S: Stream>(&mut self, mut wire: Wire<S>, result: &Result<(), Error>) {
        let drains = match result {
            Ok(()) => true,
            Err(error) => has_more(error) && !self.has_failed(),
        };
        if !drains || !wire.finish_output() {
            return;
        }
        let started = Clock::now();
        while !wire.is_drained() {
            let left = match self.deadline() {
                Some(deadline) => deadline.saturating_duration_since(Clock::now()),
                None => DRAIN.saturating_sub(started.elapsed()),
            };
            if left.is_zero() {
                return;
            }
            wire.wait(&self.shared.0.bell, left);
        }
    }
}

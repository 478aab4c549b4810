//! A connection that reconnects, turn by turn.

use core::task::Poll;
use core::time::Duration;

use crate::transport::common::{Countdown, Driver, Retry};
use crate::transport::turn::{self, Reads};
use crate::transport::{Error, GaveUp};
use crate::{Backoff, Config, Connect, Event, Instant};

/// One connection after another.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    pub(crate) retry: Retry,
    /// How long to wait before the next attempt.
    wait: Option<Countdown>,
    /// This attempt has established a link.
    pub(crate) has_link: bool,
}

/// The result of a turn.
pub(crate) enum Turn<E> {
    /// There is an event.
    Event,
    /// The connection was lost, or could not be opened.
    Lost { error: Error<E>, retry_in: Duration },
    /// Nothing has happened.
    Idle,
}

impl Attempts {
    pub(crate) const fn new(backoff: Backoff) -> Self {
        Attempts { retry: Retry::new(backoff), wait: None, has_link: false }
    }

    /// Milliseconds until the next [`turn`](Self::turn) must come.
    pub(crate) fn time_left<E, R, T, C, I>(&self, driver: &Driver<E, R, T, C, I>, now: Instant) -> u32
    where
        R: AsRef<[u8]> + AsMut<[u8]>,
        T: AsRef<[u8]> + AsMut<[u8]>,
        C: Config,
        I: AsRef<[u8]> + AsMut<[u8]>,
    {
        if self.has_link || driver.is_open() {
            return driver.time_left(now);
        }
        if driver.client.wants_no_connection() {
            return 0;
        }
        let pause = self.wait.and_then(|mut wait| wait.left(now)).unwrap_or(0);
        pause.min(driver.time_left(now))
    }

    /// Continues with the link, or opens another one when it is due. `open` opens the stream, or says that it needs more time.
    pub(crate) fn turn<S, R, T, C, I>(
        &mut self,
        driver: &mut Driver<S::Error, R, T, C, I>,
        stream: &mut S,
        open: impl FnOnce(&mut S) -> Poll<Result<(), S::Error>>,
        connect: &Connect<'_>,
        clock: &mut impl FnMut() -> Instant,
        is_reset: impl FnOnce(&S::Error) -> bool,
    ) -> Result<Turn<S::Error>, GaveUp<S::Error>>
    where
        S: turn::PollStream,
        R: AsRef<[u8]> + AsMut<[u8]>,
        T: AsRef<[u8]> + AsMut<[u8]>,
        C: Config,
        I: AsRef<[u8]> + AsMut<[u8]>,
    {
        // A connection that is already open is used first.
        self.has_link |= driver.is_open();
        if !self.has_link {
            let now = clock();
            // Requests that ended with the last link are reported while there is none.
            if driver.client.advance(now) == Ok(true) {
                return Ok(Turn::Event);
            }
            if driver.client.wants_no_connection() {
                self.wait = None;
                return Err(disconnected(driver));
            }
            if self.wait.as_mut().is_some_and(|wait| wait.left(now) != Some(0)) {
                return Ok(Turn::Idle);
            }
            match open(stream) {
                Poll::Pending => return Ok(Turn::Idle),
                // This may have taken long.
                Poll::Ready(Err(error)) => return self.lost(Error::Io(error), clock(), |_| false),
                Poll::Ready(Ok(())) => {}
            }
            driver.close();
            self.retry.connect(&mut driver.client, connect).map_err(GaveUp::Connect)?;
            self.has_link = true;
        }
        self.retry.passed(clock());
        match driver.turn(stream, clock, Reads::All) {
            Ok(false) => Ok(Turn::Idle),
            Ok(true) => {
                if let Some(Event::Connected { .. }) = driver.client.event() {
                    self.retry.connected(clock());
                }
                Ok(Turn::Event)
            }
            Err(_) if driver.client.wants_no_connection() => {
                self.has_link = false;
                Err(disconnected(driver))
            }
            Err(error) => self.lost(error, clock(), is_reset),
        }
    }

    /// An attempt has ended.
    fn lost<E>(
        &mut self,
        error: Error<E>,
        now: Instant,
        is_reset: impl FnOnce(&E) -> bool,
    ) -> Result<Turn<E>, GaveUp<E>> {
        let had_link = core::mem::take(&mut self.has_link);
        let (error, retry_in) = self.retry.ended(error, had_link, is_reset, now)?;
        self.wait = Some(Countdown::new(Some(retry_in), now));
        Ok(Turn::Lost { error, retry_in })
    }
}

/// The end that the application has requested. The next turn connects again.
const fn disconnected<E, R, T, C, I>(driver: &mut Driver<E, R, T, C, I>) -> GaveUp<E> {
    driver.client.forget_leaving();
    GaveUp::Disconnected
}

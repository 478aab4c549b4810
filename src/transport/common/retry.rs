//! When to connect again, in which version, and when to stop trying.

use core::time::Duration;

use super::{Countdown, GaveUp};
use crate::transport::Error;
use crate::{Backoff, Client, Config, Connect, ConnectError, Instant, RefusalCode, Version, client};

/// Decides what follows a lost connection.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    backoff: Backoff,
    /// Whether MQTT 3.1 is tried if the server does not accept 3.1.1.
    pub(crate) falls_back: bool,
    /// Whether to try again after refusals that are unlikely to go away by themselves.
    pub(crate) despite_refusals: bool,
    /// The next attempt uses MQTT 3.1.
    is_fallen_back: bool,
    /// The server has accepted a connection in MQTT 3.1.1.
    takes_mqtt311: bool,
    /// Counts down from the maximum since the server accepted this connection. The time that has passed is the lifetime of the
    /// connection, even if that is longer than the clock can measure.
    life: Option<Countdown>,
}

impl Retry {
    pub(crate) const fn new(backoff: Backoff) -> Self {
        Retry {
            backoff,
            falls_back: false,
            despite_refusals: false,
            is_fallen_back: false,
            takes_mqtt311: false,
            life: None,
        }
    }

    /// The version of the next attempt, if the application asks for `wanted`.
    fn version(&self, wanted: Version) -> Version {
        if self.is_fallen_back { Version::Mqtt31 } else { wanted }
    }

    /// Queues CONNECT, in the version whose turn it is. If the application is finishing, this continues on the next connection.
    pub(crate) fn connect<R, T, C, I>(
        &mut self,
        client: &mut Client<R, T, C, I>,
        connect: &Connect<'_>,
    ) -> Result<(), ConnectError>
    where
        R: AsRef<[u8]> + AsMut<[u8]>,
        T: AsRef<[u8]> + AsMut<[u8]>,
        C: Config,
        I: AsRef<[u8]> + AsMut<[u8]>,
    {
        // That of the connection before, which may have ended without `ended`.
        self.life = None;
        let is_finishing = client.is_finishing();
        let result = client.connect(&connect.version(self.version(connect.version)));
        if result.is_err() && self.is_fallen_back {
            // MQTT 3.1 is not possible, for instance because of the client identifier.
            self.is_fallen_back = false;
            client.connect(connect)?;
        } else {
            result?;
        }
        if is_finishing {
            client.finish();
        }
        Ok(())
    }

    /// The server has accepted the connection.
    pub(crate) fn connected(&mut self, now: Instant) {
        self.life = Some(Countdown::new(Some(Duration::MAX), now));
        self.takes_mqtt311 |= !self.is_fallen_back;
    }

    /// Lets time pass on this connection. It must be called at least every 24 days, because the clock wraps.
    pub(crate) fn passed(&mut self, now: Instant) {
        if let Some(life) = &mut self.life {
            life.elapse(now);
        }
    }

    /// An attempt has ended with this error, with or without a link. Returns when the next one follows, or why none does.
    pub(crate) fn ended<E>(
        &mut self,
        error: Error<E>,
        had_link: bool,
        is_reset: impl FnOnce(&E) -> bool,
        now: Instant,
    ) -> Result<(Error<E>, Duration), GaveUp<E>> {
        let is_final = self.is_final(&error);
        let next = if had_link {
            let is_reset = matches!(&error, Error::Io(error) if is_reset(error));
            self.lost(&error, now, is_reset)
        } else {
            self.backoff.next_ms()
        };
        match (next, error.refusal()) {
            (Some(ms), _) => Ok((error, Duration::from_millis(ms.into()))),
            (None, Some(code)) if is_final => Err(GaveUp::Refused(code)),
            (None, _) => Err(GaveUp::Limit(error)),
        }
    }

    /// The connection was lost or not established. Returns the milliseconds until the next attempt; `None` if there is none.
    fn lost<E>(&mut self, error: &Error<E>, now: Instant, is_reset: bool) -> Option<u32> {
        match self.life.take() {
            Some(mut life) => {
                let lived = life.left(now).map_or(0, |left| u32::MAX.wrapping_sub(left));
                self.backoff.lived(lived);
            }
            None => self.change_version(error, is_reset),
        }
        if self.is_final(error) { None } else { self.backoff.next_ms() }
    }

    /// An attempt has failed. The other version is tried next, unless 3.1.1 is known to work.
    fn change_version<E>(&mut self, error: &Error<E>, is_reset: bool) {
        let may_be_version = matches!(error, Error::Closed) || is_reset || is_refusal_of_version(error);
        let falls = self.falls_back && !self.takes_mqtt311 && may_be_version;
        self.is_fallen_back = falls && !self.is_fallen_back;
    }

    /// Whether the next attempt would fail in the same way.
    fn is_final<E>(&self, error: &Error<E>) -> bool {
        let mends = match error.refusal() {
            None | Some(RefusalCode::SERVER_UNAVAILABLE) => true,
            // Too many connections, for instance.
            Some(code) if code.is_reserved() => true,
            // The other version can still be tried.
            Some(RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION) => self.falls_back && !self.takes_mqtt311,
            Some(_) => false,
        };
        !mends && !self.despite_refusals
    }
}

fn is_refusal_of_version<E>(error: &Error<E>) -> bool {
    matches!(error, Error::Client(client::Error::Refused(RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER_CLOSED: Error<()> = Error::Closed;
    const NOT_THIS_VERSION: Error<()> =
        Error::Client(client::Error::Refused(RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION));

    fn at(ms: u32) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn retry_delays_grow_with_a_server_that_accepts_and_closes() {
        let mut retry = Retry::new(Backoff::new(100, 60_000).limit(5));
        for n in 0..5 {
            retry.connected(at(1_000));
            let delay = retry.lost(&SERVER_CLOSED, at(1_100), false).unwrap();
            assert!(delay >= 50 << n, "{delay}");
        }
        retry.connected(at(1_000));
        assert_eq!(retry.lost(&SERVER_CLOSED, at(1_100), false), None, "the limit counts too");
        retry.connected(at(1_000));
        assert!(retry.lost(&SERVER_CLOSED, at(61_000), false).unwrap() <= 100, "it has lived for a minute");
    }

    /// Even if that is longer than half the range of the clock.
    #[test]
    fn a_connection_that_lasted_a_month_is_a_success() {
        let mut retry = Retry::new(Backoff::new(100, 60_000));
        for _ in 0..8 {
            retry.ended(SERVER_CLOSED, false, |()| false, at(0)).unwrap();
        }
        retry.connected(at(0));
        for day in 1..=30 {
            retry.passed(at(day * 86_400_000));
        }
        assert!(retry.lost(&SERVER_CLOSED, at(30 * 86_400_000), false).unwrap() <= 100);
    }

    /// It may have ended because the application wanted it to.
    #[test]
    fn the_lifetime_of_a_connection_is_not_that_of_the_next_one() {
        let mut retry = Retry::new(Backoff::new(100, 60_000));
        for _ in 0..8 {
            retry.ended(SERVER_CLOSED, false, |()| false, at(0)).unwrap();
        }
        retry.connected(at(0));
        let mut client = Client::new(crate::Buffers { rx: [0; 64], tx: [0; 64] });
        assert_eq!(retry.connect(&mut client, &Connect::new("c")), Ok(()));
        assert!(retry.lost(&SERVER_CLOSED, at(700_000), false).unwrap() > 1_000);
    }

    #[test]
    fn one_lost_attempt_does_not_exclude_3_1_1() {
        let mut retry = Retry { falls_back: true, ..Retry::new(Backoff::new(1, 1)) };
        assert_eq!(retry.version(Version::Mqtt311), Version::Mqtt311);
        retry.lost(&SERVER_CLOSED, at(0), false).unwrap();
        assert_eq!(retry.version(Version::Mqtt311), Version::Mqtt31);
        retry.lost(&NOT_THIS_VERSION, at(0), false).unwrap();
        assert_eq!(retry.version(Version::Mqtt311), Version::Mqtt311, "and back");
        retry.lost(&SERVER_CLOSED, at(0), false).unwrap();
        // 3.1 forbids the client identifier.
        let mut client = Client::new(crate::Buffers { rx: [0; 64], tx: [0; 64] });
        assert_eq!(retry.connect(&mut client, &Connect::new("")), Ok(()));
        assert_eq!(retry.version(Version::Mqtt311), Version::Mqtt311);
        retry.connected(at(0));
        for _ in 0..3 {
            retry.lost(&SERVER_CLOSED, at(0), false).unwrap();
            assert_eq!(retry.version(Version::Mqtt311), Version::Mqtt311, "it has worked");
        }
        assert!(!retry.is_fallen_back);
    }

    #[test]
    fn a_server_of_3_1_is_connected_to_in_3_1_until_it_refuses() {
        let mut retry = Retry { falls_back: true, ..Retry::new(Backoff::new(1, 1)) };
        retry.lost(&NOT_THIS_VERSION, at(0), false).unwrap();
        for _ in 0..3 {
            assert_eq!(retry.version(Version::Mqtt311), Version::Mqtt31);
            retry.connected(at(0));
            retry.lost(&SERVER_CLOSED, at(9), false).unwrap();
        }
        retry.lost(&NOT_THIS_VERSION, at(9), false).unwrap();
        assert_eq!(retry.version(Version::Mqtt311), Version::Mqtt311);
    }

    #[test]
    fn permanent_refusals_are_final() {
        let refused = |code| Error::<()>::Client(client::Error::Refused(code));
        for code in [
            RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION,
            RefusalCode::IDENTIFIER_REJECTED,
            RefusalCode::BAD_USER_NAME_OR_PASSWORD,
            RefusalCode::NOT_AUTHORIZED,
        ] {
            let mut retry = Retry::new(Backoff::new(1, 1));
            assert_eq!(retry.lost(&refused(code), at(0), false), None);
            retry.despite_refusals = true;
            assert_eq!(retry.lost(&refused(code), at(0), false), Some(1));
        }
        let mut retry = Retry::new(Backoff::new(1, 1));
        assert_eq!(retry.lost(&refused(RefusalCode::SERVER_UNAVAILABLE), at(0), false), Some(1));
    }
}

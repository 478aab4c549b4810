//! A timer for each client.

use std::collections::BTreeSet;

/// Milliseconds since the start.
pub type Millis = u64;

/// One timer for each client, which takes little more than 16 bytes.
pub struct Timers {
    alarms: BTreeSet<(Millis, u32)>,
    set: Vec<Option<Millis>>,
}

impl Timers {
    pub fn new(clients: usize) -> Self {
        Timers { alarms: BTreeSet::new(), set: vec![None; clients] }
    }

    /// Wakes the client at this time, or earlier. A timer that has become too early is not changed: deadlines move
    /// with every byte, and an occasional unnecessary wake-up costs less.
    pub fn set(&mut self, client: u32, at: Option<Millis>) {
        let Some(alarm) = self.set.get_mut(client as usize) else { return };
        match (*alarm, at) {
            (_, None) => {}
            (Some(earlier), Some(at)) if earlier <= at => {}
            (old, Some(at)) => {
                if let Some(old) = old {
                    self.alarms.remove(&(old, client));
                }
                self.alarms.insert((at, client));
                *alarm = Some(at);
            }
        }
    }

    /// The time of the next timer.
    pub fn next(&self) -> Option<Millis> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Removes a client whose timer has expired.
    pub fn due(&mut self, now: Millis) -> Option<u32> {
        let (at, client) = *self.alarms.first()?;
        if at > now {
            return None;
        }
        self.alarms.pop_first();
        if let Some(alarm) = self.set.get_mut(client as usize) {
            *alarm = None;
        }
        Some(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_each_once() {
        let mut timers = Timers::new(3);
        timers.set(0, Some(30));
        timers.set(1, Some(10));
        timers.set(2, Some(20));
        timers.set(0, Some(5));
        timers.set(1, Some(40));
        timers.set(2, None);
        assert_eq!(timers.next(), Some(5));
        assert_eq!(timers.due(4), None);
        assert_eq!([0; 4].map(|_| timers.due(40)), [Some(0), Some(1), Some(2), None]);
        assert_eq!(timers.next(), None);
    }
}

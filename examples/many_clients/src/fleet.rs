//! All clients, and the thread that serves them: one `poll` for all sockets, one timer for each client.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant as Clock};

use mio::{Events, Poll};

use crate::node::{Node, Place};
use crate::options::Options;
use crate::report::{Meter, Totals};
use crate::timers::{Millis, Timers};

/// How many can be connecting at the same time. A listener has a short queue, 100 in Mosquitto.
const CONNECTING_AT_ONCE: usize = 64;

pub struct Fleet<'o> {
    options: &'o Options,
    nodes: Vec<Node>,
    timers: Timers,
    /// Clients that want to connect.
    queue: VecDeque<u32>,
    poll: Poll,
    totals: Totals,
    started: Clock,
    /// How many are connecting, and how many are connected.
    connecting: usize,
    connected: usize,
    /// How many have finished.
    done: usize,
    gone: usize,
}

impl<'o> Fleet<'o> {
    pub fn new(options: &'o Options) -> io::Result<Self> {
        Ok(Fleet {
            options,
            nodes: (0..options.clients).map(|number| Node::new(number, options)).collect(),
            timers: Timers::new(options.clients as usize),
            queue: (0..options.clients).collect(),
            poll: Poll::new()?,
            totals: Totals::default(),
            started: Clock::now(),
            connecting: 0,
            connected: 0,
            done: 0,
            gone: 0,
        })
    }

    /// Runs until all messages have arrived, and the broker has removed all sessions.
    pub fn run(mut self, meter: &mut Meter) -> Result<(), Box<dyn std::error::Error>> {
        let mut events = Events::with_capacity(1_024);
        let limit = Duration::from_secs(self.options.limit_s.into());
        let report_every = Duration::from_millis(self.options.report_ms.max(1).into());
        let (mut all_connected, mut leaving) = (false, false);
        let (mut reported_at, mut arrived) = (Duration::ZERO, 0);
        while self.gone < self.nodes.len() {
            self.turn(&mut events)?;
            if !all_connected && self.connected == self.nodes.len() {
                all_connected = true;
                println!("all connected after {:.1} s", self.started.elapsed().as_secs_f64());
                meter.all_connected(&self.totals);
            }
            if !leaving && self.done == self.nodes.len() {
                leaving = true;
                let messages = u64::from(self.options.clients) * u64::from(self.options.messages);
                meter.summary(self.options.clients, messages, &self.totals, self.started.elapsed());
                self.leave();
            }
            let elapsed = self.started.elapsed();
            if elapsed - reported_at >= report_every && !leaving {
                let rate = (self.totals.arrived - arrived) as f64 / (elapsed - reported_at).as_secs_f64();
                let failure = self.totals.failure.take().map_or_else(String::new, |text| format!("; {text}"));
                println!(
                    "{:5.1} s: {} connected, {rate:.0} messages/s{failure}",
                    elapsed.as_secs_f64(),
                    self.connected
                );
                (reported_at, arrived) = (elapsed, self.totals.arrived);
            }
            if elapsed > limit {
                let text = format!("not done in {} s: {:?}", limit.as_secs(), self.totals);
                return Err(text.into());
            }
        }
        if self.totals.refused > 0 {
            return Err(format!("the broker has refused something: {:?}", self.totals).into());
        }
        Ok(())
    }

    /// Waits for the next event, and handles it.
    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        self.send_on_their_way();
        let now = self.now();
        let wait =
            self.timers.next().map_or(Duration::MAX, |at| Duration::from_millis(at.saturating_sub(now)));
        let most = Duration::from_millis(self.options.report_ms.max(1).into());
        match self.poll.poll(events, Some(wait.min(most))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let now = self.now();
        for event in events.iter() {
            self.with(event.token().0, |node, options, totals, _| node.turn(options, totals, now));
        }
        while let Some(number) = self.timers.due(now) {
            self.with(number as usize, |node, options, totals, _| node.turn(options, totals, now));
        }
        Ok(())
    }

    fn send_on_their_way(&mut self) {
        let now = self.now();
        while self.connecting < CONNECTING_AT_ONCE {
            let Some(number) = self.queue.pop_front() else { return };
            self.with(number as usize, |node, options, _, poll| node.connect(options, poll.registry(), now));
        }
    }

    fn leave(&mut self) {
        let now = self.now();
        for number in 0..self.nodes.len() {
            self.with(number, |node, options, totals, _| node.leave(options, totals, now));
        }
    }

    /// Runs a turn of a node, and updates the counters.
    fn with(&mut self, number: usize, happen: impl FnOnce(&mut Node, &Options, &mut Totals, &Poll)) {
        let Some(node) = self.nodes.get_mut(number) else { return };
        let (before, was_done) = (node.place(), node.is_done());
        happen(node, self.options, &mut self.totals, &self.poll);
        let (after, now) = (node.place(), self.started.elapsed().as_millis() as Millis);
        self.done += usize::from(!was_done && node.is_done());
        self.timers.set(number as u32, node.wake_at(now));
        if before != after {
            self.connecting -= usize::from(before == Place::Connecting);
            self.connecting += usize::from(after == Place::Connecting);
            self.connected -= usize::from(before == Place::Connected);
            self.connected += usize::from(after == Place::Connected);
            self.gone += usize::from(after == Place::Gone);
            if after == Place::Queued {
                self.queue.push_back(number as u32);
            }
        }
    }

    fn now(&self) -> Millis {
        self.started.elapsed().as_millis() as Millis
    }
}

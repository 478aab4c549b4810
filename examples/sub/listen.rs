//! The conversation with the server, over as many connections as it takes.

use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::std::Error as ConnectionError;
use baremqtt::{Buffers, Client, Event, LargeMessages, Options, QoS, SubAckCode, SubAckCodes};

use crate::Task;
use crate::common::{self, Failure, Mqtt};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The first pause before a lost connection is opened again. Each that follows is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Larger messages come in pieces.
const RECEIVE_BUFFER: usize = 1 << 16;
/// What is not for the topic filters of a SUBSCRIBE.
const TRANSMIT_BUFFER: usize = 1 << 14;

struct Listener {
    task: Task,
    mqtt: Mqtt,
    /// When `-W` ends it.
    deadline: Option<Instant>,
    pause: Duration,
}

/// Listens until the task is done.
pub fn run(task: Task) -> Result<(), Failure> {
    let deadline = task.time.map(|time| Instant::now() + time);
    let connect_len = task.link.connect().encoded_len();
    let filters_len: usize = task.filters.iter().map(|filter| filter.len() + 3).sum();
    let buffers =
        Buffers { rx: vec![0; RECEIVE_BUFFER], tx: vec![0; TRANSMIT_BUFFER + connect_len + filters_len] };
    let mut options = Options::new();
    options.large_messages = LargeMessages::Pieces;
    let stream = task.link.open(within(deadline, CONNECT_TIMEOUT)?).map_err(ConnectionError::Io)?;
    let mqtt = task.link.over(stream, Client::with_options(buffers, options));
    let mut listener = Listener { task, mqtt, deadline, pause: FIRST_PAUSE };
    listener.until_done()?;
    common::disconnect(listener.mqtt)
}

/// So long, but not longer than to the deadline.
fn within(deadline: Option<Instant>, duration: Duration) -> Result<Duration, Failure> {
    match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
        Some(Duration::ZERO) => Err(Failure::TimedOut),
        Some(left) => Ok(duration.min(left)),
        None => Ok(duration),
    }
}

impl Listener {
    fn until_done(&mut self) -> Result<(), Failure> {
        loop {
            match self.listen() {
                Err(Failure::Link(error)) if self.task.reconnect => self.reopen(error)?,
                result => return result,
            }
        }
    }

    /// Opens a stream for the next connection, after a pause that grows from one attempt to the next.
    fn reopen(&mut self, error: ConnectionError) -> Result<(), Failure> {
        let mut error = error;
        loop {
            if !self.task.link.quiet {
                eprintln!("sub: {error}; trying again in {} s", self.pause.as_secs());
            }
            thread::sleep(within(self.deadline, self.pause)?);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            match self.task.link.open(within(self.deadline, CONNECT_TIMEOUT)?) {
                Ok(stream) => {
                    self.mqtt.reopen(stream);
                    return Ok(());
                }
                Err(failure) => error = ConnectionError::Io(failure),
            }
        }
    }

    /// Listens on one connection, until the task is done.
    fn listen(&mut self) -> Result<(), Failure> {
        let patience = within(self.deadline, CONNECT_TIMEOUT)?;
        self.mqtt.client().options_mut().timeouts.connack_ms = patience.as_millis() as u32;
        self.mqtt.connect(&self.task.link.connect())?;
        self.pause = FIRST_PAUSE;
        // Subscribing again does no harm where the server has kept the session, and MQTT 3.1 does not say whether.
        let filters: Vec<(&str, QoS)> =
            self.task.filters.iter().map(|filter| (filter.as_str(), self.task.qos)).collect();
        self.mqtt.subscribe(&filters)?;
        loop {
            // A deadline is looked at whatever comes.
            let patience = within(self.deadline, Duration::from_secs(3_600))?;
            match self.mqtt.next_event(Some(patience))? {
                Some(Event::Subscribed { codes, .. }) => {
                    check(&filters, codes, self.task.link.quiet)?;
                    if self.task.until_subscribed {
                        return Ok(());
                    }
                }
                Some(event) => self.task.printer.take(&event)?,
                None => {}
            }
            if self.task.printer.is_done() {
                return Ok(());
            }
        }
    }
}

/// Tells which filters the server has turned down; if it is all of them, nothing will ever come.
fn check(filters: &[(&str, QoS)], codes: SubAckCodes<'_>, quiet: bool) -> Result<(), Failure> {
    let mut granted = false;
    for ((filter, _), code) in filters.iter().zip(codes.iter()) {
        match code {
            SubAckCode::Granted(_) => granted = true,
            SubAckCode::Failure if !quiet => eprintln!("sub: the server denies a subscription to {filter}"),
            SubAckCode::Failure => {}
        }
    }
    if granted { Ok(()) } else { Err(Failure::Other("all subscriptions are denied".into())) }
}

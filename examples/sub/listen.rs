//! The conversation with the server, over as many connections as it takes.

use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, GaveUp, Reconnect, Update};
use baremqtt::{Backoff, Buffers, Client, Config, Event, LargeMessages, QoS, SubAckCode, SubAckCodes};

use crate::Task;
use crate::common::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The first pause before a lost connection is opened again. Each that follows is twice as long.
const FIRST_PAUSE_MS: u32 = 1_000;
const LONGEST_PAUSE_MS: u32 = 60_000;
/// Larger messages come in pieces.
const RECEIVE_BUFFER: usize = 1 << 16;
/// What is not for the topic filters of a SUBSCRIBE.
const TRANSMIT_BUFFER: usize = 1 << 14;

/// Listens until the task is done.
pub fn run(mut task: Task) -> Result<(), Failure> {
    let deadline = task.time.map(|time| Instant::now() + time);
    let patience = within(deadline, CONNECT_TIMEOUT)?;
    let link = task.link;
    let connect = link.connect();
    let connection = Connection::offline(client(&task.filters, connect.encoded_len(), patience));
    let backoff = Backoff::new(FIRST_PAUSE_MS, LONGEST_PAUSE_MS).seed(std::process::id());
    let mut mqtt = Reconnect::new(connection, || link.open(patience), backoff);
    let filters: Vec<(&str, QoS)> = task.filters.iter().map(|filter| (filter.as_str(), task.qos)).collect();
    let mut was_connected = false;
    while !task.printer.is_done() {
        // A deadline is looked at whatever comes.
        let patience = within(deadline, Duration::from_secs(3_600))?;
        match mqtt.next_event(&connect, Some(patience)) {
            // Subscribing again does no harm where the server has kept the session, and MQTT 3.1 does not say whether.
            Ok(Update::Event(Event::Connected { .. })) => {
                was_connected = true;
                mqtt.subscribe(&filters)?;
            }
            Ok(Update::Event(Event::Subscribed { codes, .. })) => {
                check(&filters, codes, link.quiet)?;
                if task.until_subscribed {
                    break;
                }
            }
            Ok(Update::Event(event)) => task.printer.take(&event)?,
            Ok(Update::LinkLost { error, retry_in }) => {
                let text = error.to_string();
                match Failure::from(error) {
                    Failure::Link(_) if task.reconnect && was_connected => {}
                    failure => return Err(failure),
                }
                if !link.quiet {
                    eprintln!("sub: {text}; trying again in {:.1} s", retry_in.as_secs_f32());
                }
            }
            Ok(Update::Idle) => {}
            Err(GaveUp::Limit(error)) => return Err(error.into()),
            Err(GaveUp::Refused(code)) => return Err(Failure::Refused(code)),
            Err(error) => return Err(Failure::Other(error.to_string())),
        }
    }
    Ok(mqtt.disconnect()?)
}

struct Choices {
    connack_timeout_ms: u32,
}

impl Config for Choices {
    fn connack_timeout_ms(&self) -> u32 {
        self.connack_timeout_ms
    }

    fn large_messages(&self) -> LargeMessages {
        LargeMessages::Pieces
    }
}

fn client(filters: &[String], connect_len: usize, patience: Duration) -> Client<Vec<u8>, Vec<u8>, Choices> {
    let filters_len: usize = filters.iter().map(|filter| filter.len() + 3).sum();
    let tx = vec![0; TRANSMIT_BUFFER + filters_len];
    let rx = vec![0; RECEIVE_BUFFER.max(connect_len)];
    let choices = Choices { connack_timeout_ms: patience.as_millis() as u32 };
    Client::with_config(Buffers { rx, tx }, choices)
}

/// So long, but not longer than to the deadline.
fn within(deadline: Option<Instant>, duration: Duration) -> Result<Duration, Failure> {
    match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
        Some(Duration::ZERO) => Err(Failure::TimedOut),
        Some(left) => Ok(duration.min(left)),
        None => Ok(duration),
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

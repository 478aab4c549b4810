//! The conversation with the server: from CONNECT to the last acknowledgement.

use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, Error as ConnectionError};
use baremqtt::{Buffers, Client, Config, Event, Message, QoS, RequestError, State};

use crate::common::{Failure, Tap};
use crate::{Task, payload};

type Mqtt = Connection<Tap, Vec<u8>, Vec<u8>, Choices>;

/// Allows any number of messages under way; the user sets the limit.
struct Choices;

impl Config for Choices {
    fn max_exactly_once(&self) -> u16 {
        0
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How soon a new line is noticed while nothing is received.
const GLANCE: Duration = Duration::from_millis(10);
/// For CONNECT, and for acknowledgements, which are all that is received.
const RECEIVE_BUFFER: usize = 1 << 12;
/// Room for lines.
const TRANSMIT_BUFFER: usize = 1 << 20;

/// Publishes all messages, and returns once they are delivered.
pub fn run(task: &Task) -> Result<(), Failure> {
    let whole = task.source.whole()?;
    let mut mqtt = connect(task, whole.as_ref().map_or(0, Vec::len))?;
    match whole {
        Some(payload) => publish_again_and_again(&mut mqtt, task, &payload)?,
        None => publish_lines(&mut mqtt, task)?,
    }
    mqtt.finish();
    loop {
        match watch(&mut mqtt, None) {
            Err(Failure::Link(ConnectionError::Disconnected)) => return Ok(()),
            result => result?,
        }
    }
}

fn connect(task: &Task, payload_len: usize) -> Result<Mqtt, Failure> {
    let connect = task.link.connect();
    // Room for the message with its topic and header, and for the client's answers.
    let needed = payload_len + task.topic.len() + 2_048;
    let buffers = Buffers {
        rx: vec![0; connect.encoded_len().max(RECEIVE_BUFFER)],
        tx: vec![0; needed.max(TRANSMIT_BUFFER)],
    };
    let stream = task.link.open(CONNECT_TIMEOUT).map_err(ConnectionError::Io)?;
    let mut mqtt = Connection::new(stream, Client::with_config(buffers, Choices));
    mqtt.connect(&connect)?;
    while mqtt.state() == State::Connecting {
        watch(&mut mqtt, None)?;
    }
    Ok(mqtt)
}

fn publish_again_and_again(mqtt: &mut Mqtt, task: &Task, payload: &[u8]) -> Result<(), Failure> {
    for left in (0..task.repeat).rev() {
        publish(mqtt, task, payload)?;
        let published = Instant::now();
        while left > 0 && published.elapsed() < task.delay {
            watch(mqtt, Some(task.delay.saturating_sub(published.elapsed())))?;
        }
    }
    Ok(())
}

fn publish_lines(mqtt: &mut Mqtt, task: &Task) -> Result<(), Failure> {
    let lines = payload::lines();
    loop {
        match lines.try_recv() {
            Ok(line) => publish(mqtt, task, &line?)?,
            Err(TryRecvError::Empty) => watch(mqtt, Some(GLANCE))?,
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
    }
}

/// Waits for room, and queues a message.
fn publish(mqtt: &mut Mqtt, task: &Task, payload: &[u8]) -> Result<(), Failure> {
    let message = Message { topic: &task.topic, payload, qos: task.qos, retain: task.retain };
    while mqtt.in_flight() >= task.in_flight {
        watch(mqtt, Some(GLANCE))?;
    }
    loop {
        match mqtt.publish(&message) {
            // At QoS 0, sending makes room; above, acknowledgements do.
            Err(RequestError::Full(_)) => {
                if !mqtt.flush()? || task.qos != QoS::AtMostOnce {
                    watch(mqtt, Some(GLANCE))?;
                }
            }
            result => return Ok(result.map(|_| ())?),
        }
    }
}

/// Sends queued bytes, and waits for an event.
fn watch(mqtt: &mut Mqtt, timeout: Option<Duration>) -> Result<(), Failure> {
    match mqtt.next_event(timeout)? {
        Some(Event::Ended { id, outcome }) => {
            Err(Failure::Other(format!("message {id} is not delivered: {outcome:?}")))
        }
        _ => Ok(()),
    }
}

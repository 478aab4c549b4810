//! The conversation of the programs over TLS and WebSocket.

use std::error::Error;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, Stream};
use baremqtt::{Event, Message, QoS, SubAckCode};

/// Subscribes once connected, publishes, and waits until the message is acknowledged and received.
pub fn round_trip<S: Stream>(
    mqtt: &mut Connection<S>,
    message: &Message<'_>,
    timeout: Duration,
) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let (mut published, mut came_back) = (message.qos == QoS::AtMostOnce, false);
    while !(published && came_back) {
        let left = timeout.checked_sub(started.elapsed()).ok_or("the message does not come back")?;
        match mqtt.next_event(Some(left))? {
            Some(Event::Connected { .. }) => {
                writeln!(stdout(), "connected")?;
                mqtt.subscribe(&[(message.topic, message.qos)])?;
            }
            Some(Event::Subscribed { codes, .. }) if codes.iter().any(|code| code == SubAckCode::Failure) => {
                return Err(format!("the server denies a subscription to {}", message.topic).into());
            }
            Some(Event::Subscribed { codes, .. }) => {
                writeln!(stdout(), "subscribed to {}: {codes}", message.topic)?;
                mqtt.publish(message)?;
            }
            Some(Event::Published { id, .. }) => {
                writeln!(stdout(), "message {id} is acknowledged")?;
                published = true;
            }
            Some(Event::Message(came)) => {
                writeln!(stdout(), "{}: {}", came.topic, String::from_utf8_lossy(came.payload))?;
                came_back |= came.payload == message.payload;
            }
            Some(Event::Ended { id, outcome }) => return Err(format!("request {id} is {outcome}").into()),
            _ => {}
        }
    }
    Ok(())
}

//! The blocking client.

use std::error::Error;
use std::thread;
use std::time::Duration;

use rumqttc::{
    Client, Connection, Event, Incoming, LastWill, MqttOptions, Outgoing, QoS, SubscribeReasonCode,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn connect() -> Result<(Client, Connection)> {
    let mut options = MqttOptions::new("gateway", "localhost", 1883);
    options.set_last_will(LastWill::new("status", "offline", QoS::AtMostOnce, false));
    options.set_credentials("user", "secret");
    let (client, mut connection) = Client::new(options, 10);
    for event in connection.iter() {
        if let Event::Incoming(Incoming::ConnAck(_)) = event? {
            return Ok((client, connection));
        }
    }
    Err("stopped".into())
}

pub fn publish(client: &Client) -> Result<()> {
    client.try_publish("topic", QoS::AtMostOnce, false, "payload")?;
    Ok(())
}

pub fn publish_and_wait(client: &Client, connection: &mut Connection) -> Result<()> {
    client.try_publish("topic", QoS::AtLeastOnce, false, "payload")?;
    let mut sent = None;
    for event in connection.iter() {
        match event? {
            // The first one that is sent: it is ours only if nothing else is waiting.
            Event::Outgoing(Outgoing::Publish(id)) if sent.is_none() => sent = Some(id),
            Event::Incoming(Incoming::PubAck(ack)) if Some(ack.pkid) == sent => return Ok(()),
            _ => {}
        }
    }
    Err("stopped".into())
}

pub fn subscribe(client: &Client, connection: &mut Connection) -> Result<()> {
    client.try_subscribe("topic/#", QoS::AtLeastOnce)?;
    for event in connection.iter() {
        if let Event::Incoming(Incoming::SubAck(ack)) = event? {
            match ack.return_codes.first() {
                Some(SubscribeReasonCode::Success(_)) => return Ok(()),
                _ => return Err("refused".into()),
            }
        }
    }
    Err("stopped".into())
}

pub fn receive(connection: &mut Connection) -> Result<()> {
    for event in connection.iter() {
        if let Event::Incoming(Incoming::Publish(message)) = event? {
            println!("{} {:?}", message.topic, message.payload);
        }
    }
    Ok(())
}

pub fn come_back(client: &Client, connection: &mut Connection) -> Result<()> {
    let mut delay = Duration::from_millis(500);
    for event in connection.iter() {
        match event {
            Ok(Event::Incoming(Incoming::ConnAck(ack))) => {
                delay = Duration::from_millis(500);
                if !ack.session_present {
                    client.try_subscribe("topic/#", QoS::AtLeastOnce)?;
                }
            }
            Ok(_) => {}
            Err(_) => {
                thread::sleep(delay);
                delay = Duration::from_secs(60).min(delay * 2);
            }
        }
    }
    Ok(())
}

pub fn from_another_thread(client: &Client) -> Result<()> {
    client.publish("topic", QoS::AtLeastOnce, false, "payload")?;
    Ok(())
}

pub fn keep_while_offline(client: &Client) -> Result<()> {
    client.try_publish("topic", QoS::AtLeastOnce, false, "payload")?;
    Ok(())
}

pub fn stop_once_delivered(client: &Client, connection: &mut Connection, mut left: usize) -> Result<()> {
    for event in connection.iter() {
        match event? {
            Event::Incoming(Incoming::PubAck(_) | Incoming::PubComp(_)) => left -= 1,
            Event::Outgoing(Outgoing::Disconnect) => return Ok(()),
            _ => {}
        }
        if left == 0 {
            client.try_disconnect()?;
        }
    }
    Err("stopped".into())
}

/// Up to 16 MiB, in a buffer that is allocated. `options` are those of `connect`.
pub fn receive_large(mut options: MqttOptions) -> Result<()> {
    options.set_max_packet_size(16 << 20, 16 << 20);
    let (_client, mut connection) = Client::new(options, 10);
    for event in connection.iter() {
        if let Event::Incoming(Incoming::Publish(message)) = event? {
            println!("{} {:?}", message.topic, message.payload);
        }
    }
    Ok(())
}

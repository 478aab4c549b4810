//! Over `transport::net`, on one thread; the last ones with a runner.

use std::error::Error;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use baremqtt::transport::net::{Connection, Handle, Runner, Update, open_tcp};
use baremqtt::{
    Backoff, Buffers, Client, Config, Connect, Event, LargeMessages, Message, QoS, Routes, State, SubAckCode,
    Will, transport,
};

type Mqtt = Connection<TcpStream, Vec<u8>, Vec<u8>>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn connect() -> Result<Mqtt> {
    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let mut mqtt = Connection::tcp(("localhost", 1883), Duration::from_secs(5), client)?;
    let will = Will::new("status", b"offline");
    mqtt.connect(&Connect::new("gateway").will(will).credentials("user", b"secret"))?;
    while mqtt.state() != State::Connected {
        mqtt.next_event(None)?;
    }
    Ok(mqtt)
}

pub fn publish(mqtt: &mut Mqtt) -> Result<()> {
    mqtt.publish(&Message::new("topic", b"payload"))?;
    Ok(())
}

pub fn publish_and_wait(mqtt: &mut Mqtt) -> Result<()> {
    let sent = mqtt.publish(&Message::new("topic", b"payload").at_least_once())?;
    loop {
        match mqtt.next_event(None)? {
            Some(Event::Published { id, .. }) if Some(id) == sent => return Ok(()),
            Some(Event::Ended { id, outcome }) if Some(id) == sent => return Err(outcome.to_string().into()),
            _ => {}
        }
    }
}

pub fn subscribe(mqtt: &mut Mqtt) -> Result<()> {
    let asked = mqtt.subscribe(&[("topic/#", QoS::AtLeastOnce)])?;
    loop {
        match mqtt.next_event(None)? {
            Some(Event::Subscribed { id, codes }) if id == asked => match codes.get(0) {
                Some(SubAckCode::Granted(_)) => return Ok(()),
                _ => return Err("refused".into()),
            },
            _ => {}
        }
    }
}

pub fn receive(mqtt: &mut Mqtt) -> Result<()> {
    loop {
        if let Some(Event::Message(message)) = mqtt.next_event(None)? {
            println!("{} {:?}", message.topic, message.payload);
        }
    }
}

pub fn come_back() -> Result<()> {
    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let mut routes = Routes::<_, (), 1>::new();
    routes.add("topic/#", QoS::AtLeastOnce, ())?;
    let connect = Connect::new("gateway");
    Runner::new(client, Backoff::new(500, 60_000)).run(
        |link| {
            let stream = link.open(|| open_tcp(("localhost", 1883), Duration::from_secs(5)))?;
            link.run(stream, &connect)
        },
        |update, outbound| {
            if let Update::Event(event) = update {
                routes.note(&event);
            }
            Ok(routes.subscribe(outbound)?)
        },
    )?;
    Ok(())
}

pub fn from_another_thread(handle: &Handle) -> Result<()> {
    handle.publish(&Message::new("topic", b"payload").at_least_once())?;
    Ok(())
}

pub fn keep_while_offline(mqtt: &mut Mqtt) -> Result<()> {
    mqtt.publish(&Message::new("topic", b"payload").at_least_once())?;
    Ok(())
}

pub fn stop_once_delivered(mqtt: &mut Mqtt) -> Result<()> {
    mqtt.finish();
    loop {
        match mqtt.next_event(None) {
            Ok(_) => {}
            Err(transport::Error::Disconnected) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The configuration for `receive_large`.
pub fn pieces() -> impl Config {
    struct Pieces;
    impl Config for Pieces {
        fn large_messages(&self) -> LargeMessages {
            LargeMessages::Pieces
        }
    }
    Pieces
}

/// In a buffer of 4 KiB, however large the message is.
pub fn receive_large<C: Config>(
    mqtt: &mut Connection<TcpStream, Vec<u8>, Vec<u8>, C>,
    out: &mut impl Write,
) -> Result<()> {
    loop {
        match mqtt.next_event(None)? {
            Some(Event::MessagePiece(piece)) => out.write_all(piece)?,
            Some(Event::MessageEnd) => return Ok(()),
            Some(Event::MessageAborted) => return Err("it will be sent again".into()),
            _ => {}
        }
    }
}

//! `transport::net`.

use std::error::Error;
use std::net::TcpStream;
use std::time::Duration;

use baremqtt::transport::net::Connection;
use baremqtt::{Buffers, Client, Config, Connect, Event, Message, QoS, RequestError};

use crate::job::{Job, Role, TOPIC, Trips, WINDOW, done, ready};

/// As many QoS 2 messages as others.
pub struct Bench;

impl Config for Bench {
    fn max_exactly_once(&self) -> u16 {
        0
    }
}

type Mqtt = Connection<TcpStream, Vec<u8>, Vec<u8>, Bench>;
type Done = Result<(), Box<dyn Error>>;

/// With this pause before each wait for the broker, or with the adapter's default.
pub fn run(job: &Job, pause: Option<Duration>) -> Done {
    let client = Client::with_config(Buffers { rx: job.buffer(), tx: job.buffer() }, Bench);
    let mut mqtt = Connection::tcp(job.broker, Duration::from_secs(5), client)?;
    if let Some(pause) = pause {
        mqtt.coalesce(pause);
    }
    mqtt.connect(&Connect::new(&job.client_id()).keep_alive(60))?;
    while !matches!(mqtt.next_event(None)?, Some(Event::Connected { .. })) {}
    if job.role != Role::Out {
        mqtt.subscribe(&[(TOPIC, job.qos)])?;
        while !matches!(mqtt.next_event(None)?, Some(Event::Subscribed { .. })) {}
    }
    ready()?;
    let mut trips = Trips::new();
    match job.role {
        Role::Out if job.qos == QoS::AtMostOnce => out_unanswered(job, &mut mqtt)?,
        Role::Out => out(job, &mut mqtt)?,
        Role::In => receive(&mut mqtt, job.count)?,
        Role::Ping => {
            for _ in 0..job.count {
                trips.begin();
                mqtt.publish(&message(job))?;
                receive(&mut mqtt, 1)?;
                trips.end();
            }
        }
    }
    Ok(done(&mut trips.took)?)
}

fn message(job: &Job) -> Message<'_> {
    Message::new(TOPIC, &job.payload).qos(job.qos)
}

fn out_unanswered(job: &Job, mqtt: &mut Mqtt) -> Done {
    let mut sent = 0;
    while sent < job.count {
        match mqtt.publish(&message(job)) {
            Ok(_) => sent += 1,
            Err(RequestError::Full(_)) => while !mqtt.flush()? {},
            Err(error) => return Err(error.into()),
        }
    }
    while !mqtt.flush()? {}
    Ok(())
}

fn out(job: &Job, mqtt: &mut Mqtt) -> Done {
    let (mut sent, mut published) = (0, 0);
    while published < job.count {
        while sent < job.count && sent - published < WINDOW {
            mqtt.publish(&message(job))?;
            sent += 1;
        }
        if let Some(Event::Published { .. }) = mqtt.next_event(None)? {
            published += 1;
        }
    }
    Ok(())
}

fn receive(mqtt: &mut Mqtt, count: u64) -> Done {
    let mut received = 0;
    while received < count {
        if let Some(Event::Message(_)) = mqtt.next_event(None)? {
            received += 1;
        }
    }
    Ok(())
}

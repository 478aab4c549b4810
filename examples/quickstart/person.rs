//! A person who talks over MQTT, and tells what happens.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, Error as ConnectionError};
use baremqtt::{Buffers, Client, Connect, Event, Message, Outcome, PacketId, QoS, SubAckCode};

use crate::print;

/// The time limit for everything.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A connected person.
pub struct Person {
    name: &'static str,
    mqtt: Connection<TcpStream, [u8; 1024], [u8; 1024]>,
    /// Messages that were received while waiting for something else.
    inbox: VecDeque<Heard>,
}

/// A received message.
#[derive(Debug, PartialEq, Eq)]
pub struct Heard {
    pub topic: String,
    pub text: String,
    pub qos: QoS,
    pub retained: bool,
}

/// What to wait for.
enum Answer {
    Subscribed(Vec<SubAckCode>),
    Published(QoS),
    Heard(Heard),
    Connected,
    Ended(Outcome),
}

impl Person {
    /// Connects.
    pub fn connect(name: &'static str, broker: &str, connect: &Connect<'_>) -> Result<Self, Box<dyn Error>> {
        let client = Client::new(Buffers { rx: [0; 1024], tx: [0; 1024] });
        let mqtt = Connection::tcp(broker, TIMEOUT, client)
            .map_err(|error| format!("{name} cannot reach {broker}: {error}"))?;
        let mut person = Person { name, mqtt, inbox: VecDeque::new() };
        person.mqtt.connect(connect)?;
        match person.next(TIMEOUT).map_err(|error| format!("{name} cannot connect: {error}"))? {
            Some((None, Answer::Connected)) => {}
            _ => return Err(format!("{name} gets no answer from {broker}").into()),
        }
        person.tell(format_args!("connects as {}", connect.client_id));
        Ok(person)
    }

    /// Subscribes to a topic, and waits for the granted QoS, which can be lower.
    pub fn subscribe(&mut self, topic: &str, qos: QoS) -> Result<QoS, Box<dyn Error>> {
        let id = self.mqtt.subscribe(&[(topic, qos)])?;
        self.tell(format_args!("subscribes to {topic} at QoS {qos}, id {id}"));
        match self.wait(Some(id))? {
            Answer::Subscribed(codes) => match codes.as_slice() {
                [SubAckCode::Granted(granted)] => {
                    self.tell(format_args!("is granted QoS {granted}, id {id}"));
                    Ok(*granted)
                }
                _ => Err(format!("the broker denies {} a subscription to {topic}", self.name).into()),
            },
            Answer::Ended(outcome) => Err(format!("the subscription of {} is {outcome}", self.name).into()),
            _ => Err("SUBSCRIBE got an answer other than SUBACK".into()),
        }
    }

    /// Publishes a message, and waits for the acknowledgement that its QoS requires.
    pub fn publish(&mut self, message: &Message<'_>) -> Result<(), Box<dyn Error>> {
        let id = self.mqtt.publish(message)?;
        let Message { topic, qos, .. } = message;
        let retain = if message.retain { ", to be retained" } else { "" };
        let text = String::from_utf8_lossy(message.payload);
        match id {
            None => self.tell(format_args!("says {text:?} to {topic} at QoS {qos}{retain}")),
            Some(id) => self.tell(format_args!("says {text:?} to {topic} at QoS {qos}, id {id}{retain}")),
        }
        let Some(id) = id else {
            // QoS 0 is not acknowledged, so sending is all.
            self.mqtt.flush()?;
            return Ok(());
        };
        match self.wait(Some(id))? {
            Answer::Published(qos) => {
                let packet = if qos == QoS::ExactlyOnce { "PUBCOMP" } else { "PUBACK" };
                self.tell(format_args!("knows that the broker has it, id {id}: {packet}"));
                Ok(())
            }
            Answer::Ended(outcome) => Err(format!("what {} says is {outcome}", self.name).into()),
            _ => Err("PUBLISH got an unexpected answer".into()),
        }
    }

    /// The next message.
    pub fn hear(&mut self) -> Result<Heard, Box<dyn Error>> {
        let heard = match self.inbox.pop_front() {
            Some(heard) => heard,
            None => match self.wait(None)? {
                Answer::Heard(heard) => heard,
                _ => return Err("an answer to nothing".into()),
            },
        };
        let Heard { topic, text, qos, retained } = &heard;
        let retained = if *retained { ", retained" } else { "" };
        self.tell(format_args!("hears {text:?} on {topic} at QoS {qos}{retained}"));
        Ok(heard)
    }

    /// Leaves with DISCONNECT, so that the will is not published.
    pub fn leave(mut self) -> Result<(), Box<dyn Error>> {
        self.tell(format_args!("disconnects"));
        Ok(self.mqtt.disconnect()?)
    }

    /// Drops the connection without DISCONNECT: the broker publishes the will.
    pub fn vanish(self) {
        self.tell(format_args!("vanishes without DISCONNECT"));
    }

    fn tell(&self, what: fmt::Arguments<'_>) {
        print(format_args!("{:5}  {what}", self.name));
    }

    /// Waits for the answer to this request, or, without a request, for a message.
    fn wait(&mut self, request: Option<PacketId>) -> Result<Answer, Box<dyn Error>> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("{} gets no answer from the broker", self.name).into());
            }
            match self.next(left).map_err(|error| format!("{}: {error}", self.name))? {
                Some((None, Answer::Heard(heard))) if request.is_some() => self.inbox.push_back(heard),
                Some((id, answer)) if id == request => return Ok(answer),
                _ => {}
            }
        }
    }

    /// The next event, and the request that it answers.
    fn next(&mut self, timeout: Duration) -> Result<Option<(Option<PacketId>, Answer)>, ConnectionError> {
        Ok(match self.mqtt.next_event(Some(timeout))? {
            Some(Event::Message(message)) => {
                let heard = Heard {
                    topic: message.topic.as_str().to_owned(),
                    text: String::from_utf8_lossy(message.payload).into_owned(),
                    qos: message.delivery.qos(),
                    retained: message.retain,
                };
                Some((None, Answer::Heard(heard)))
            }
            Some(Event::Published { id, qos }) => Some((Some(id), Answer::Published(qos))),
            Some(Event::Subscribed { id, codes }) => {
                Some((Some(id), Answer::Subscribed(codes.iter().collect())))
            }
            Some(Event::Connected { .. }) => Some((None, Answer::Connected)),
            Some(Event::Ended { id, outcome }) => Some((Some(id), Answer::Ended(outcome))),
            _ => None,
        })
    }
}

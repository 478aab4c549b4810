//! The broker: all sessions and retained messages. How a connection begins and ends, and where a message is delivered.

use std::collections::HashMap;
use std::sync::Arc;

use baremqtt::TopicName;
use baremqtt::codec::{ConnAck, Connect, Packet, RefusalCode, Version};

use super::link::Link;
use super::log::say;
use super::login::Users;
use super::message::Message;
use super::retained::Retained;
use super::session::{Connected, Session};
use super::{Limits, Log, Options};

pub(super) struct Broker {
    pub(super) sessions: HashMap<Arc<str>, Session>,
    pub(super) retained: Retained,
    pub(super) log: Option<Log>,
    users: Users,
    limits: Limits,
    last_made_up_id: u64,
}

impl Broker {
    pub(super) fn new(options: Options) -> Self {
        Broker {
            sessions: HashMap::new(),
            retained: Retained::new(options.limits.retained),
            log: options.log,
            users: Users::new(options.users),
            limits: options.limits,
            last_made_up_id: 0,
        }
    }

    /// Processes CONNECT: finds or creates the session, and answers with CONNACK. Returns the client identifier.
    ///
    /// # Errors
    /// The code of a CONNACK that refuses the connection.
    pub(super) fn begin_connection(
        &mut self,
        connect: &Connect<'_>,
        link: &Arc<Link>,
    ) -> Result<Arc<str>, RefusalCode> {
        self.users.check(connect.credentials)?;
        let id =
            if connect.client_id.is_empty() { self.make_up_id() } else { connect.client_id.as_str().into() };
        self.take_over(&id);
        if connect.clean_session {
            self.sessions.remove(&id);
        }
        let session_present = self.sessions.contains_key(&id);
        if !session_present && self.sessions.len() >= self.limits.sessions {
            return Err(RefusalCode::SERVER_UNAVAILABLE);
        }
        let session = self.sessions.entry(Arc::clone(&id)).or_insert_with(|| Session::new(&self.limits));
        session.clean = connect.clean_session;
        let version = connect.version;
        let will = connect.will.as_ref().map(Message::from_will);
        session.connected = Some(Connected { link: Arc::clone(link), version, will });
        // In 3.1, CONNACK cannot say that there is a session.
        let session_present = session_present && version == Version::Mqtt311;
        session.answer(&Packet::ConnAck(ConnAck::Accepted { session_present }));
        session.resume();
        Ok(id)
    }

    fn make_up_id(&mut self) -> Arc<str> {
        loop {
            self.last_made_up_id += 1;
            let id = format!("anonymous-{}", self.last_made_up_id).into();
            if !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// Closes an older connection of the same client (MQTT-3.1.4-2).
    fn take_over(&mut self, id: &Arc<str>) {
        let older = self.sessions.get(id).and_then(|session| session.connected.as_ref());
        let Some(link) = older.map(|client| Arc::clone(&client.link)) else { return };
        link.close("taken over by another connection");
        self.end_connection(id, link.id(), false);
    }

    /// The connection has ended: publishes the will unless DISCONNECT was received, and drops a clean session.
    pub(super) fn end_connection(&mut self, id: &Arc<str>, link: u64, disconnected: bool) {
        // Another connection may have taken over the session.
        let Some(session) = self.sessions.get_mut(id).filter(|session| session.is_on(link)) else { return };
        let will = session.connected.take().and_then(|client| client.will);
        if session.clean {
            self.sessions.remove(id);
        }
        if let Some(will) = will.filter(|_| !disconnected) {
            say!(self.log, "{id}: will to {}", will.topic());
            self.publish(will);
        }
    }

    /// Retains the message if requested, and delivers it to all subscribers.
    pub(super) fn publish(&mut self, message: Message) {
        let message = Arc::new(message);
        if message.retain && !self.retained.set(&message) {
            say!(self.log, "{}: not retained, too many are", message.topic());
        }
        let Ok(topic) = TopicName::new(message.topic()) else { return };
        for (id, session) in &mut self.sessions {
            let Some(subscribed) = session.subscribed_qos(topic) else { continue };
            // For existing subscriptions, it is not a retained message (MQTT-3.3.1-9).
            if !session.deliver(&message, subscribed, false) {
                say!(self.log, "{id}: queue full, a message to {topic} is dropped");
            }
        }
    }
}

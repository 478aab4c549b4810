//! Events from the broker: who is online, and whether the broker itself is reachable.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use baremqtt::codec::Publish;
use baremqtt::transport::net::{Error, Update};
use baremqtt::{Event, Outbound, PacketId, QoS, RouteError, Routes, SubAckCode};

use super::{Choices, Shared};
use crate::chat::presence::{FILTER, Presence};
use crate::lock;

/// How to handle messages on a topic.
type Handler = fn(&mut Presence, &Publish<'_>);

pub(super) struct Listener {
    shared: Arc<Shared>,
    routes: Routes<&'static str, Handler, 1>,
    /// It was already reported that the broker is away.
    said: bool,
}

impl Listener {
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self, RouteError> {
        let mut routes = Routes::<_, Handler, 1>::new();
        routes.add(FILTER, QoS::AtLeastOnce, Presence::hear)?;
        Ok(Listener { shared, routes, said: false })
    }

    pub(super) fn take(
        &mut self,
        update: Update<'_>,
        outbound: &mut Outbound<'_, Choices>,
    ) -> Result<(), Error> {
        match update {
            Update::Event(event) => self.hear(&event),
            Update::LinkLost { error, .. } => {
                self.lost(&error);
                give_all_up(outbound);
            }
            _ => {}
        }
        Ok(self.routes.subscribe(outbound)?)
    }

    fn hear(&mut self, event: &Event<'_>) {
        self.routes.note(event);
        match event {
            Event::Connected { .. } => self.connected(),
            Event::Message(message) => {
                let mut presence = lock(&self.shared.presence);
                self.routes.matching(message.topic).for_each(|handler| handler(&mut presence, message));
            }
            Event::Subscribed { codes, .. } if codes.get(0) == Some(SubAckCode::Failure) => {
                eprintln!("webchat: the broker does not say who is here");
            }
            _ => {}
        }
    }

    fn connected(&mut self) {
        if self.said {
            eprintln!("webchat: the broker is available again");
            self.said = false;
        }
        self.shared.connected.store(true, Ordering::Release);
    }

    fn lost(&mut self, error: &Error) {
        if !self.said {
            eprintln!("webchat: the broker is unavailable: {error}");
            self.said = true;
        }
        self.shared.connected.store(false, Ordering::Release);
        lock(&self.shared.presence).lost();
    }
}

/// Nobody waits for a lost connection: people are informed, and can send again. Receivers recognise a repetition by its id.
fn give_all_up(outbound: &mut Outbound<'_, Choices>) {
    let under_way: Vec<PacketId> = outbound.under_way().map(|request| request.id).collect();
    for id in under_way {
        // A subscription cannot be given up, and is lost with the connection.
        let _ = outbound.give_up(id);
    }
}

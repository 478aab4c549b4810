//! Which handler a topic belongs to, and what has to be subscribed again.

use heapless::Vec;

use crate::{
    Event, Full, Instant, Outbound, PacketId, QoS, RequestError, SubAckCode, TopicFilter, TopicName,
    Violation,
};

/// A table of at most `N` topic filters, each with a handler (a function, a number, whatever the application likes) and
/// the state of its subscription.
///
/// ```
/// use baremqtt::{QoS, Routes, TopicName};
///
/// let mut routes = Routes::<fn(&[u8]), 4>::new();
/// routes.add("sensor/+/temperature", QoS::AtLeastOnce, |payload| println!("{payload:?}"))?;
/// for handler in routes.matching(TopicName::new("sensor/17/temperature")?) {
///     handler(b"21.5");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// At each turn, [`note`](Self::note) is shown the event, and then [`subscribe`](Self::subscribe) asks the server for
/// what is missing: everything after a connection without session, only what is new otherwise.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Routes<'f, H, const N: usize> {
    table: Vec<Route<'f, H>, N>,
}

#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Route<'f, H> {
    filter: &'f str,
    qos: QoS,
    handler: H,
    subscription: Subscription,
}

/// How far the subscription of a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Subscription {
    /// The server has still to be asked.
    Wanted,
    /// The server was asked.
    Requested {
        /// The SUBSCRIBE.
        id: PacketId,
        /// The place of the filter in it.
        place: u8,
    },
    /// The server has granted it.
    Granted {
        /// The greatest QoS that messages come with, which can be less than was asked for.
        qos: QoS,
    },
    /// The server has refused it. It is asked again after a connection without session.
    Refused,
}

/// Why a route was not added. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RouteError {
    /// The topic filter is not valid.
    Forbidden(Violation),
    /// The table is full.
    Full,
}

impl core::fmt::Display for RouteError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            RouteError::Forbidden(violation) => violation.fmt(f),
            RouteError::Full => f.write_str("the table of routes is full"),
        }
    }
}

impl core::error::Error for RouteError {}

impl<'f, H, const N: usize> Routes<'f, H, N> {
    /// An empty table.
    pub const fn new() -> Self {
        Routes { table: Vec::new() }
    }

    /// Adds a route, or replaces the one of the same filter; it will be asked for with this QoS.
    ///
    /// # Errors
    /// See [`RouteError`].
    pub fn add(&mut self, filter: &'f str, qos: QoS, handler: H) -> Result<(), RouteError> {
        TopicFilter::new(filter).map_err(RouteError::Forbidden)?;
        let route = Route { filter, qos, handler, subscription: Subscription::Wanted };
        match self.table.iter_mut().find(|route| route.filter == filter) {
            Some(known) => *known = route,
            None => self.table.push(route).map_err(|_| RouteError::Full)?,
        }
        Ok(())
    }

    /// Removes the route of this filter, if there is one. The server is not told: that is
    /// [`unsubscribe`](crate::Client::unsubscribe).
    pub fn remove(&mut self, filter: &str) {
        self.table.retain(|route| route.filter != filter);
    }

    /// The handlers of all filters that cover this topic, in the order in which they were added.
    pub fn matching(&self, topic: TopicName<'_>) -> impl Iterator<Item = &H> {
        self.table.iter().filter(move |route| route.covers(topic)).map(|route| &route.handler)
    }

    /// The handlers of all filters that cover this topic, to be changed or called.
    pub fn matching_mut(&mut self, topic: TopicName<'_>) -> impl Iterator<Item = &mut H> {
        self.table.iter_mut().filter(move |route| route.covers(topic)).map(|route| &mut route.handler)
    }

    /// How far the subscription of this filter is; `None` if there is no such route.
    pub fn subscription(&self, filter: &str) -> Option<Subscription> {
        self.table.iter().find(|route| route.filter == filter).map(|route| route.subscription)
    }

    /// Learns from an event: what was granted or refused, and what a new connection has lost.
    pub fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Connected { session_present: Some(true) } => {}
            Event::Connected { .. } => {
                for route in &mut self.table {
                    route.subscription = Subscription::Wanted;
                }
            }
            Event::Subscribed { id, codes } => self.answer(*id, |place| codes.get(place)),
            Event::Ended { id, .. } => self.answer(*id, |_| None),
            _ => {}
        }
    }

    /// What became of the filters of a SUBSCRIBE; without an answer they are still wanted.
    fn answer(&mut self, subscribe: PacketId, code: impl Fn(usize) -> Option<SubAckCode>) {
        for route in &mut self.table {
            let Subscription::Requested { id, place } = route.subscription else { continue };
            if id == subscribe {
                route.subscription = match code(usize::from(place)) {
                    Some(SubAckCode::Granted(qos)) => Subscription::Granted { qos },
                    Some(SubAckCode::Failure) => Subscription::Refused,
                    None => Subscription::Wanted,
                };
            }
        }
    }

    /// Asks the server for every route that is still wanted, in as few SUBSCRIBE packets as the transmit buffer allows.
    /// Does nothing where nothing is wanted, there is no connection, or no room now: call it again at the next turn.
    ///
    /// # Errors
    /// [`RequestError::TooLarge`] where one filter alone does not fit into the transmit buffer.
    pub fn subscribe(&mut self, outbound: &mut Outbound<'_>, now: Instant) -> Result<(), RequestError> {
        let mut most = usize::from(u8::MAX);
        loop {
            let mut filters = Vec::<(&str, QoS), N>::new();
            for route in self.table.iter().filter(|route| route.is_wanted()).take(most) {
                // As many places as routes: this does not fail.
                let _ = filters.push((route.filter, route.qos));
            }
            if filters.is_empty() {
                return Ok(());
            }
            match outbound.subscribe(&filters, now) {
                Ok(id) => {
                    let wanted = self.table.iter_mut().filter(|route| route.is_wanted());
                    for (place, route) in (0..).zip(wanted.take(most)) {
                        route.subscription = Subscription::Requested { id, place };
                    }
                }
                Err(RequestError::NotConnected | RequestError::Full(Full::Requests | Full::Stream)) => {
                    return Ok(());
                }
                Err(RequestError::TooLarge { .. } | RequestError::Full(_)) if filters.len() > 1 => {
                    most = filters.len() >> 1;
                }
                Err(RequestError::Full(_)) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

impl<H, const N: usize> Default for Routes<'_, H, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> Route<'_, H> {
    fn covers(&self, topic: TopicName<'_>) -> bool {
        TopicFilter::checked_before(self.filter.as_bytes()).matches(topic)
    }

    fn is_wanted(&self) -> bool {
        self.subscription == Subscription::Wanted
    }
}

//! Which handler a topic belongs to, and what has to be subscribed again.

use heapless::Vec;

use crate::{
    Config, Event, Full, Outbound, PacketId, QoS, RequestError, State, SubAckCode, TopicFilter, TopicName,
    Violation,
};

/// How many topic filters a SUBSCRIBE has at the most, where the application does not choose: some servers (AWS IoT) close the
/// connection above 8.
const FILTERS_AT_ONCE: u8 = 8;

/// The greatest choice.
const MOST_AT_ONCE: u8 = 64;

/// A table of at most `N` topic filters, each with a handler (a function, a number, whatever the application likes) and the state of
/// its subscription. A filter is a `&str`, a `String`, or anything else that is text.
///
/// ```
/// use baremqtt::{QoS, Routes, TopicName};
///
/// let mut routes = Routes::<_, fn(&[u8]), 4>::new();
/// routes.add("sensor/+/temperature", QoS::AtLeastOnce, |payload| println!("{payload:?}"))?;
/// for handler in routes.matching(TopicName::new("sensor/17/temperature")?) {
///     handler(b"21.5");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// At each turn, [`note`](Self::note) is shown the event, and then [`subscribe`](Self::subscribe) asks the server for what is
/// missing: everything after a connection without session, only what is new otherwise.
///
/// A shared subscription (`$share/group/filter`, an extension that many servers have) matches what its `filter` matches.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Routes<F, H, const N: usize> {
    table: Vec<Route<F, H>, N>,
    at_once: u8,
}

#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Route<F, H> {
    filter: F,
    qos: QoS,
    handler: H,
    subscription: Subscription,
}

/// The state of a route's subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Subscription {
    /// The server has still to be asked.
    Wanted,
    /// The server was asked.
    Requested {
        /// The SUBSCRIBE.
        id: PacketId,
        /// The place of the filter in it.
        place: u16,
    },
    /// The server has granted it.
    Granted {
        /// The maximum QoS of its messages, which can be lower than the one requested.
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
            RouteError::Full => f.write_str("the table of routes is full; raise N of Routes"),
        }
    }
}

impl core::error::Error for RouteError {}

impl<F, H, const N: usize> Routes<F, H, N> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Routes { table: Vec::new(), at_once: FILTERS_AT_ONCE }
    }

    /// With at most `filters` topic filters in one SUBSCRIBE: 1 to 64, 8 by default. More are faster; some servers close the
    /// connection over too many.
    #[must_use]
    pub fn filters_at_once(self, filters: u8) -> Self {
        Routes { at_once: filters.clamp(1, MOST_AT_ONCE), ..self }
    }
}

impl<F: AsRef<str>, H, const N: usize> Routes<F, H, N> {
    /// Adds a route, or replaces the one of the same filter. It will be requested with this QoS.
    ///
    /// # Errors
    /// See [`RouteError`].
    pub fn add(&mut self, filter: F, qos: QoS, handler: H) -> Result<(), RouteError> {
        TopicFilter::new(filter.as_ref()).map_err(RouteError::Forbidden)?;
        let known = self.table.iter_mut().find(|route| route.filter.as_ref() == filter.as_ref());
        let route = Route { filter, qos, handler, subscription: Subscription::Wanted };
        match known {
            Some(known) => *known = route,
            None => self.table.push(route).map_err(|_| RouteError::Full)?,
        }
        Ok(())
    }

    /// Removes the route of this filter, if there is one. The server is not told: that is
    /// [`unsubscribe`](crate::Client::unsubscribe).
    pub fn remove(&mut self, filter: &str) {
        self.table.retain(|route| route.filter.as_ref() != filter);
    }

    /// The handlers of all filters that cover this topic, in the order in which they were added.
    pub fn matching(&self, topic: TopicName<'_>) -> impl Iterator<Item = &H> {
        self.table.iter().filter(move |route| route.covers(topic)).map(|route| &route.handler)
    }

    /// The handlers of all filters that cover this topic, to be changed or called.
    pub fn matching_mut(&mut self, topic: TopicName<'_>) -> impl Iterator<Item = &mut H> {
        self.table.iter_mut().filter(move |route| route.covers(topic)).map(|route| &mut route.handler)
    }

    /// The state of this filter's subscription; `None` if there is no such route.
    #[must_use]
    pub fn subscription(&self, filter: &str) -> Option<Subscription> {
        self.table.iter().find(|route| route.filter.as_ref() == filter).map(|route| route.subscription)
    }

    /// Takes note of an event: what was granted or refused, and what a new connection has lost.
    pub fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Connected { session_present } => self.connected(*session_present == Some(true)),
            Event::Subscribed { id, codes } => self.answer(*id, |place| codes.get(place)),
            Event::Ended { id, .. } => self.answer(*id, |_| None),
            _ => {}
        }
    }

    /// Subscriptions live with the session, a SUBSCRIBE under way with the connection.
    fn connected(&mut self, session_present: bool) {
        for route in &mut self.table {
            let under_way = matches!(route.subscription, Subscription::Requested { .. });
            if under_way || !session_present {
                route.subscription = Subscription::Wanted;
            }
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

    /// Requests every route that is still wanted, in as few SUBSCRIBE packets as the buffers and the
    /// [limit](Self::filters_at_once) allow. Does nothing if nothing is wanted, or if there is no connection, or no room now: call
    /// it again at the next turn.
    ///
    /// # Errors
    /// [`RequestError::TooLarge`] where one filter alone does not fit into the transmit buffer; others where the configuration or
    /// MQTT 3.1 forbids it.
    pub fn subscribe<C: Config>(&mut self, outbound: &mut Outbound<'_, C>) -> Result<(), RequestError> {
        // What is asked for before CONNACK would be asked for again after it.
        if outbound.state() != State::Connected {
            return Ok(());
        }
        let mut most = usize::from(self.at_once);
        loop {
            let (count, result) = self.ask(outbound, most);
            match result {
                _ if count == 0 => return Ok(()),
                Ok(id) => self.requested(id, count),
                Err(RequestError::NotConnected | RequestError::Full(Full::Requests | Full::Stream)) => {
                    return Ok(());
                }
                Err(RequestError::TooManyFilters | RequestError::TooLarge { .. } | RequestError::Full(_))
                    if count > 1 =>
                {
                    most = count >> 1;
                }
                Err(RequestError::Full(_)) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks for the first so many of those that are wanted; returns how many these were.
    fn ask<C: Config>(
        &self,
        outbound: &mut Outbound<'_, C>,
        most: usize,
    ) -> (usize, Result<PacketId, RequestError>) {
        let mut filters = Vec::<(&str, QoS), { MOST_AT_ONCE as usize }>::new();
        for route in self.table.iter().filter(|route| route.is_wanted()).take(most) {
            // As many places as can be taken: this does not fail.
            let _ = filters.push((route.filter.as_ref(), route.qos));
        }
        (filters.len(), outbound.subscribe(&filters))
    }

    /// The first so many of those that are wanted were asked for.
    fn requested(&mut self, id: PacketId, count: usize) {
        let wanted = self.table.iter_mut().filter(|route| route.is_wanted());
        for (place, route) in (0..).zip(wanted.take(count)) {
            route.subscription = Subscription::Requested { id, place };
        }
    }
}

impl<F: AsRef<str>, H, const N: usize> Default for Routes<F, H, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: AsRef<str>, H> Route<F, H> {
    fn covers(&self, topic: TopicName<'_>) -> bool {
        TopicFilter::checked_before(shared(self.filter.as_ref()).as_bytes()).matches(topic)
    }
}

impl<F, H> Route<F, H> {
    fn is_wanted(&self) -> bool {
        self.subscription == Subscription::Wanted
    }
}

/// The filter that messages of a shared subscription match; any other filter is what it is.
fn shared(filter: &str) -> &str {
    let rest = filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
    match rest {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => filter,
    }
}

//! Maps topic filters to handlers, and keeps track of what must be subscribed.

use core::fmt;

use heapless::Vec;

use crate::{
    Config, Event, Full, Outbound, PacketId, QoS, RequestError, State, SubAckCode, TopicFilter, TopicName,
    Violation,
};

/// The default for the maximum number of topic filters in a SUBSCRIBE: some servers (AWS IoT) close the connection if there are more than
/// 8.
const FILTERS_AT_ONCE: u8 = 8;

/// The upper limit for that number.
const MOST_AT_ONCE: u8 = 64;

/// A table of at most `N` topic filters, each with a handler (a function, a number, or any other value) and the state of its subscription.
/// A filter is a `&str`, a `String`, or any other type that can be borrowed as a `str`.
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
/// After each event, call [`note`](Self::note) with it, and then [`subscribe`](Self::subscribe), which requests the subscriptions that the
/// server does not have: all of them if a connection has started without a session, otherwise only new ones.
///
/// A shared subscription (`$share/group/filter`, an extension of many servers) matches the same topics as its `filter`.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Subscription {
    /// It has not been requested yet.
    Wanted,
    /// It has been requested, and the server has not answered yet.
    Requested {
        /// The identifier of the SUBSCRIBE.
        id: PacketId,
        /// The position of the filter in the SUBSCRIBE.
        place: u16,
    },
    /// The server has granted it.
    Granted {
        /// The maximum QoS of its messages, which can be lower than the requested one.
        qos: QoS,
    },
    /// The server has refused it. It is requested again when a connection starts without a session.
    Refused,
}

impl fmt::Display for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subscription::Wanted => f.write_str("wanted"),
            Subscription::Requested { id, .. } => write!(f, "requested, id {id}"),
            Subscription::Granted { qos } => write!(f, "granted, QoS {qos}"),
            Subscription::Refused => f.write_str("refused"),
        }
    }
}

/// Why a route was not added. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RouteError {
    /// The topic filter is not valid.
    Forbidden(Violation),
    /// The table is full.
    Full,
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

    /// With at most `filters` topic filters in one SUBSCRIBE: 1 to 64, 8 by default. More filters mean fewer packets, but some servers
    /// close the connection if there are too many.
    #[must_use]
    pub fn filters_at_once(self, filters: u8) -> Self {
        Routes { at_once: filters.clamp(1, MOST_AT_ONCE), ..self }
    }
}

impl<F: AsRef<str>, H, const N: usize> Routes<F, H, N> {
    /// Adds a route, or replaces the one with the same filter. Its subscription will be requested with this QoS.
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

    /// Removes the route with this filter, if there is one. To end the subscription, call
    /// [`unsubscribe`](crate::Client::unsubscribe) too.
    pub fn remove(&mut self, filter: &str) {
        self.table.retain(|route| route.filter.as_ref() != filter);
    }

    /// The handlers of all filters that match this topic, in the order in which they were added.
    pub fn matching(&self, topic: TopicName<'_>) -> impl Iterator<Item = &H> {
        self.table.iter().filter(move |route| route.covers(topic)).map(|route| &route.handler)
    }

    /// The same handlers, mutably.
    pub fn matching_mut(&mut self, topic: TopicName<'_>) -> impl Iterator<Item = &mut H> {
        self.table.iter_mut().filter(move |route| route.covers(topic)).map(|route| &mut route.handler)
    }

    /// The state of this filter's subscription; `None` if there is no route with this filter.
    #[must_use]
    pub fn subscription(&self, filter: &str) -> Option<Subscription> {
        self.table.iter().find(|route| route.filter.as_ref() == filter).map(|route| route.subscription)
    }

    /// Updates the subscriptions from an event: granted, refused, or lost with a new connection.
    pub fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Connected { session_present } => self.connected(*session_present == Some(true)),
            Event::Subscribed { id, codes } => self.answer(*id, |place| codes.get(place)),
            Event::Ended { id, .. } => self.answer(*id, |_| None),
            _ => {}
        }
    }

    /// Subscriptions end with the session; a SUBSCRIBE under way ends with the connection.
    fn connected(&mut self, session_present: bool) {
        for route in &mut self.table {
            let under_way = matches!(route.subscription, Subscription::Requested { .. });
            if under_way || !session_present {
                route.subscription = Subscription::Wanted;
            }
        }
    }

    /// Records the answer to a SUBSCRIBE. Filters without an answer are wanted again.
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

    /// Requests all subscriptions that are wanted, in as few SUBSCRIBE packets as the buffers and the
    /// [limit](Self::filters_at_once) allow. Does nothing if nothing is wanted, if there is no connection, or if there is no room now; so
    /// call it again after the next event.
    ///
    /// # Errors
    /// [`TooLarge`](RequestError::TooLarge) if a single filter does not fit into the transmit buffer,
    /// [`TooManyFilters`](RequestError::TooManyFilters) if the SUBACK for a single filter does not fit into the receive buffer, and
    /// [`TurnedOff`](RequestError::TurnedOff) for QoS 2 without [`Config::receives_exactly_once`].
    pub fn subscribe<C: Config>(&mut self, outbound: &mut Outbound<'_, C>) -> Result<(), RequestError> {
        // A request before CONNACK would be repeated after it.
        if outbound.state() != State::Connected {
            return Ok(());
        }
        let mut most = usize::from(self.at_once);
        loop {
            let (count, result) = self.request(outbound, most);
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

    /// Requests at most `most` of the wanted subscriptions; returns how many these were.
    fn request<C: Config>(
        &self,
        outbound: &mut Outbound<'_, C>,
        most: usize,
    ) -> (usize, Result<PacketId, RequestError>) {
        let mut filters = Vec::<(&str, QoS), N>::new();
        for route in self.table.iter().filter(|route| route.is_wanted()).take(most) {
            // There is room for the whole table: this does not fail.
            let _ = filters.push((route.filter.as_ref(), route.qos));
        }
        (filters.len(), outbound.subscribe(&filters))
    }

    /// Records that the first `count` wanted subscriptions have been requested.
    fn requested(&mut self, id: PacketId, count: usize) {
        let wanted = self.table.iter_mut().filter(|route| route.is_wanted());
        for (place, route) in (0..).zip(wanted.take(count)) {
            route.subscription = Subscription::Requested { id, place };
        }
    }
}

impl<F, H, const N: usize> Default for Routes<F, H, N> {
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

/// The filter inside a shared subscription; any other filter is returned unchanged.
fn shared(filter: &str) -> &str {
    let rest = filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
    match rest {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => filter,
    }
}

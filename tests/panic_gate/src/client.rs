//! The client in any state, with buffers of any size, and what stands beside it.

use baremqtt::session::{InboundIds, Outcome, PubRec, Request, Session, Slot};
use baremqtt::{
    Backoff, Buffers, Client, Connect, Event, LargeMessages, Message, Options, Outbound, PacketId, QoS,
    Retry, Routes, SessionLoss, StreamedMessage, TopicName,
};

use crate::codec::print;
use crate::{any, any_bytes, any_now, any_text, keep};

pub fn run() {
    let (mut rx, mut tx) = ([0; 64], [0; 128]);
    slices(any(&mut rx[..]), any(&mut tx[..]));
    let mut client = Client::<_, _, 4>::new(any(Buffers { rx: [0; 64], tx: [0; 128] }));
    outgoing(&mut client);
    incoming(&mut client);
    session();
    backoff();
}

/// Buffers of which not even the length is known.
fn slices(rx: &mut [u8], tx: &mut [u8]) {
    let mut options = Options::new();
    options.manual_acknowledgement = any(true);
    options.large_messages = any(LargeMessages::Pieces);
    options.session_loss = any(SessionLoss::Drop);
    options.assume_session_kept = any(true);
    options.retry = any(Retry::Mqtt31 { after_ms: 1 });
    options.timeouts.stall_ms = any(1);
    let mut client = Client::<_, _, 8>::with_options(Buffers { rx, tx }, options);
    keep((*client.options(), client.state(), client.in_flight(), client.ignored_acknowledgements()));
    *client.options_mut() = any(options);
    outgoing(&mut client);
    incoming(&mut client);
}

fn any_qos() -> QoS {
    QoS::from_bits(any(1)).unwrap_or(QoS::AtMostOnce)
}

fn any_message() -> Message<'static> {
    any(Message { topic: any_text(), payload: any_bytes(), qos: any_qos(), retain: any(true) })
}

fn outgoing<R, T, const N: usize>(client: &mut Client<R, T, N>)
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    // What the optimiser has seen happen to the client is forgotten again and again.
    let connect = any(Connect::new(any_text()).keep_alive(any(30)));
    print_error(any(&mut *client).connect(&connect, any_now()));
    print_error(any(&mut *client).publish(&any_message(), any_now()));
    let streamed = any(StreamedMessage::new(any_text(), any(1_000)).qos(any_qos()).repeatable());
    print_error(any(&mut *client).publish_streamed(&streamed, any_now()));
    print_error(any(&mut *client).write_payload(any_bytes(), any_now()));
    print_error(any(&mut *client).abandon_payload());
    let filters = any([(any_text(), any_qos()), (any_text(), any_qos())]);
    print_error(any(&mut *client).subscribe(any(&filters[..]), any_now()));
    let filters = any([any_text(), any_text()]);
    print_error(any(&mut *client).unsubscribe(any(&filters[..]), any_now()));
    any(&mut *client).disconnect(any_now());
    keep(any(&mut *client).pending());
    any(&mut *client).sent(any(1), any_now());
    keep((client.deadline(), client.in_flight(), client.revision()));
    let mut image = [0; 64];
    print_error(any(&mut *client).save(any(&mut image[..])));
    print_error(any(&mut *client).restore(any_bytes()));
}

fn incoming<R, T, const N: usize>(client: &mut Client<R, T, N>)
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    let mut routes = Routes::<(), 4>::new();
    print_error(routes.add(any_text(), any_qos(), ()));
    print_error(routes.add(any_text(), any_qos(), ()));
    keep(any(&mut *client).receive_buffer());
    any(&mut *client).received(any(1), any_now());
    print_error(any(&mut *client).advance(any_now()));
    if let Some(event) = any(&mut *client).event() {
        keep(event);
        any(&mut routes).note(&event);
        if let Event::Subscribed { codes, .. } = event {
            codes.iter().for_each(keep);
        }
    }
    if let Some(receipt) = any(&mut *client).receipt() {
        keep(receipt.id());
        print_error(any(&mut *client).acknowledge(any(receipt), any_now()));
    }
    let (event, mut outbound) = any(&mut *client).split();
    keep(event);
    handler(&mut outbound, &mut routes);
    any(&mut *client).link_lost();
    keep((client.state(), client.deadline()));
}

/// What is done while an event is borrowed still.
fn handler(outbound: &mut Outbound<'_>, routes: &mut Routes<'_, (), 4>) {
    print_error(any(&mut *outbound).publish(&any_message(), any_now()));
    print_error(any(&mut *routes).subscribe(any(&mut *outbound), any_now()));
    if let Ok(topic) = TopicName::new(any_text()) {
        any(&mut *routes).matching(topic).for_each(keep);
        any(&mut *routes).matching_mut(topic).for_each(keep);
    }
    keep(any(&mut *routes).subscription(any_text()));
    any(&mut *routes).remove(any_text());
}

fn print_error<T, E: core::fmt::Display>(result: Result<T, E>) {
    match result {
        Ok(value) => keep(value),
        Err(error) => print(error),
    }
}

/// A session alone, and the set of inbound identifiers.
fn session() {
    let Some(id) = PacketId::new(any(1)) else { return };
    let mut session = Session::<[Slot; 4]>::starting_at(id);
    let request = any(Request::Subscribe { filters: any(1) });
    let session = any(&mut session);
    keep((session.next_id(), session.open(any(id), request), session.in_flight()));
    keep(session.exactly_once());
    any(&mut *session).sent(any(id));
    keep(any(&mut *session).puback(any(id)));
    keep(any(&mut *session).pubrec(any(id)) == PubRec::Release);
    keep(any(&mut *session).pubcomp(any(id)));
    print_error(any(&mut *session).suback(any(id), any(1)));
    keep(any(&mut *session).unsuback(any(id)));
    any(&mut *session).link_lost();
    any(&mut *session).abandon(any(id));
    if let Some((id, Outcome::Lost | Outcome::Uncertain)) = any(&mut *session).take_ended() {
        keep(id);
    }
    inbound(any(&mut session.inbound), id);
}

fn inbound(ids: &mut InboundIds, id: PacketId) {
    keep((ids.contains(any(id)), ids.len(), ids.is_empty()));
    keep(any(&mut *ids).insert(any(id)));
    keep(any(&mut *ids).remove(any(id)));
    any(ids).clear();
}

fn backoff() {
    let mut backoff = any(Backoff::new(any(1), any(2)).limit(any(3)).seed(any(4)));
    keep(any(&mut backoff).next_ms());
    any(&mut backoff).reset();
}

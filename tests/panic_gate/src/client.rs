//! The client in any state, with buffers of any size, and everything used with it.

use baremqtt::{
    Backoff, Buffers, Client, Config, Connect, Event, LargeMessages, Message, Outbound, PacketId, QoS,
    Routes, SessionLoss, StreamedMessage, TopicName,
};

use crate::codec::print;
use crate::{any, any_bytes, any_now, any_text, keep};

pub fn run() {
    let (mut rx, mut tx, mut ids) = ([0; 64], [0; 128], [0; 32]);
    slices(any(&mut rx[..]), any(&mut tx[..]), any(&mut ids[..]));
    let mut client = any(Client::new(any(Buffers { rx: [0; 64], tx: [0; 128] })));
    outgoing(&mut client);
    incoming(&mut client);
    backoff();
}

/// A configuration about which nothing is known.
struct Any;

impl Config for Any {
    fn mqtt31(&self) -> bool {
        any(true)
    }

    fn connack_timeout_ms(&self) -> u32 {
        any(1)
    }

    fn pingresp_timeout_ms(&self) -> u32 {
        any(1)
    }

    fn ack_timeout_ms(&self) -> u32 {
        any(1)
    }

    fn stall_timeout_ms(&self) -> u32 {
        any(1)
    }

    fn ping_on_silence(&self) -> bool {
        any(true)
    }

    fn retry_ms(&self) -> u32 {
        any(1)
    }

    fn reports_loss(&self) -> bool {
        any(true)
    }

    fn session_loss(&self) -> SessionLoss {
        any(SessionLoss::Drop)
    }

    fn assume_session_kept(&self) -> bool {
        any(true)
    }

    fn max_requests(&self) -> u16 {
        any(1)
    }

    fn max_exactly_once(&self) -> u16 {
        any(1)
    }

    fn receives_exactly_once(&self) -> bool {
        any(true)
    }

    fn large_messages(&self) -> LargeMessages {
        any(LargeMessages::Pieces)
    }

    fn streams(&self) -> bool {
        any(true)
    }

    fn manual_acknowledgement(&self) -> bool {
        any(true)
    }

    fn durable(&self) -> bool {
        any(true)
    }
}

/// Buffers whose very length is unknown.
fn slices(rx: &mut [u8], tx: &mut [u8], ids: &mut [u8]) {
    let mut client = Client::with_inbound_ids(Buffers { rx, tx }, Any, ids);
    keep((client.config().durable(), client.state(), client.in_flight(), client.ignored_acknowledgements()));
    outgoing(&mut client);
    incoming(&mut client);
}

fn any_qos() -> QoS {
    QoS::from_bits(any(1)).unwrap_or(QoS::AtMostOnce)
}

fn any_message() -> Message<'static> {
    any(Message { topic: any_text(), payload: any_bytes(), qos: any_qos(), retain: any(true) })
}

fn outgoing<R, T, C, I>(client: &mut Client<R, T, C, I>)
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    // What the optimiser has derived about the client is discarded again and again.
    let connect = any(Connect::new(any_text()).keep_alive(any(30)));
    print_error(any(&mut *client).connect(&connect));
    print_error(any(&mut *client).publish(&any_message()));
    let streamed = any(StreamedMessage::new(any_text(), any(1_000)).qos(any_qos()).repeatable());
    print_error(any(&mut *client).publish_streamed(&streamed));
    print_error(any(&mut *client).write_payload(any_bytes()));
    print_error(any(&mut *client).abandon_payload());
    let filters = any([(any_text(), any_qos()), (any_text(), any_qos())]);
    print_error(any(&mut *client).subscribe(any(&filters[..])));
    let filters = any([any_text(), any_text()]);
    print_error(any(&mut *client).unsubscribe(any(&filters[..])));
    any(&mut *client).disconnect();
    any(&mut *client).finish();
    keep(any(&mut *client).pending());
    any(&mut *client).sent(any(1));
    keep((client.time_left(), client.in_flight(), client.revision()));
    keep((client.waits_for_payload(), client.waits_for_acknowledgement()));
    any(&mut *client).under_way().for_each(keep);
    if let Some(id) = PacketId::new(any(1)) {
        print_error(any(&mut *client).give_up(id));
        any(&mut *client).set_next_packet_id(id);
    }
    let mut image = [0; 64];
    print_error(any(&mut *client).save(any(&mut image[..])));
    any(&mut *client).saved(any(1));
    print_error(any(&mut *client).restore(any_bytes()));
}

fn incoming<R, T, C, I>(client: &mut Client<R, T, C, I>)
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    let mut routes = Routes::<_, (), 4>::new().filters_at_once(any(8));
    print_error(routes.add(any_text(), any_qos(), ()));
    print_error(routes.add(any_text(), any_qos(), ()));
    keep(any(&mut *client).receive_buffer());
    any(&mut *client).received(any(1));
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
        print_error(any(&mut *client).acknowledge(any(receipt)));
    }
    let (event, mut outbound) = any(&mut *client).split();
    keep(event);
    handler(&mut outbound, &mut routes);
    any(&mut *client).output_lost();
    keep(any(&mut *client).split_io());
    any(&mut *client).link_lost();
    keep((client.state(), client.time_left()));
}

/// Calls made while an event is still borrowed.
fn handler<C: Config>(outbound: &mut Outbound<'_, C>, routes: &mut Routes<&str, (), 4>) {
    print_error(any(&mut *outbound).publish(&any_message()));
    print_error(any(&mut *routes).subscribe(any(&mut *outbound)));
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

fn backoff() {
    let mut backoff = any(Backoff::new(any(1), any(2)).limit(any(3)).seed(any(4)));
    keep(any(&mut backoff).next_ms());
    any(&mut backoff).lived(any(5));
    any(&mut backoff).reset();
}

//! embedded-tls, blocking, against rustls: data that it holds back is read first, and then the socket is queried.

use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant as Clock};

use baremqtt::transport::blocking::{Buffered, Connection};
use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS};
use embedded_io_adapters::std::FromStd;
use embedded_tls::blocking::{TlsConfig, TlsConnection, TlsContext};
use embedded_tls::{Aes128GcmSha256, TlsError, UnsecureProvider};
use rand_core::OsRng;

use crate::peer::{Peer, broker};
use crate::tls_server;

const COUNT: usize = 100;

/// Whether a read of this socket would not wait.
fn is_ready(socket: &TcpStream) -> io::Result<bool> {
    socket.set_nonblocking(true)?;
    let peeked = socket.peek(&mut [0]);
    socket.set_nonblocking(false)?;
    match peeked {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        result => result.map(|_| true),
    }
}

#[test]
fn no_message_is_lost_in_either_direction() {
    let broker = broker();
    let peer = Peer::start(broker.addr(), Duration::from_millis(5));
    let socket = TcpStream::connect(tls_server::start(broker.addr()).0).unwrap();
    let beneath = socket.try_clone().unwrap();
    let (mut read_record, mut write_record) = (vec![0; 16_640], vec![0; 4096]);
    let mut tls = TlsConnection::new(FromStd::new(socket), &mut read_record, &mut write_record);
    let config = TlsConfig::new().with_server_name("localhost");
    tls.open(TlsContext::new(&config, UnsecureProvider::new::<Aes128GcmSha256>(OsRng))).unwrap();

    let stream = Buffered::new(tls, |_| {
        is_ready(&beneath).map_err(|error| TlsError::Io(embedded_io::Error::kind(&error)))
    });
    let epoch = Clock::now();
    let clock = || Instant::from_millis(epoch.elapsed().as_millis() as u32);
    let mut mqtt = Connection::new(stream, Client::new(Buffers { rx: [0; 64], tx: [0; 1024] }), clock);
    mqtt.connect(&Connect::new("tls").keep_alive(5)).unwrap();
    let (mut received, mut published, mut queued) = (Vec::new(), 0, 0);
    while published < COUNT {
        match mqtt.next_event(Some(Duration::from_millis(1))).unwrap() {
            Some(Event::Connected { .. }) => {
                mqtt.subscribe(&[("in", QoS::AtMostOnce)]).unwrap();
            }
            Some(Event::Message(message)) => {
                received.push(std::str::from_utf8(message.payload).unwrap().parse::<u32>().unwrap());
            }
            Some(Event::Published { .. }) => published += 1,
            _ => {}
        }
        let payload = format!("{queued:0300}");
        let message = Message::new("out/tls", payload.as_bytes()).at_least_once();
        // One for each message received, so that both directions continue for a while.
        if queued < COUNT.min(received.len()) && mqtt.publish(&message).is_ok() {
            queued += 1;
        }
    }
    mqtt.disconnect().unwrap();

    let expected: Vec<_> = (0..COUNT).map(|n| format!("{n:0300}")).collect();
    assert_eq!(peer.wait_for_messages(COUNT), expected);
    let gap = received.windows(2).find(|pair| pair[1] != pair[0] + 1);
    assert_eq!(gap, None, "of {}", received.len());
}

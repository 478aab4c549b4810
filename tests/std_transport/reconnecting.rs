//! A connection that comes back by itself, over loopback TCP.

use std::error::Error as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, Error, GaveUp, Reconnect, Update, open_tcp};
use baremqtt::{
    Backoff, Buffers, Client, Connect, ConnectError, Event, Message, QoS, RefusalCode, Routes, Subscription,
    Version,
};

const CONNECT: Connect<'static> = Connect::new("c").clean_session(false).keep_alive(0);
const ACCEPTED: &[u8] = &[0x20, 2, 0, 0];
const VERSION_REFUSED: &[u8] = &[0x20, 2, 0, 1];
const WRONG_PASSWORD: &[u8] = &[0x20, 2, 0, 4];

/// Answers one connection after the other, each with the bytes that follow from the protocol level in its CONNECT, and
/// closes it. Says which levels it saw.
fn serve(connections: usize, answer: fn(u8) -> &'static [u8]) -> (SocketAddr, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let mut levels = Vec::new();
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            let mut connect = [0; 64];
            let len = stream.read(&mut connect).unwrap();
            assert!(len > 10, "a whole CONNECT");
            let level = connect[4 + usize::from(connect[3])];
            levels.push(level);
            stream.write_all(answer(level)).unwrap();
        }
        levels
    });
    (address, server)
}

fn reconnect(
    address: SocketAddr,
    backoff: Backoff,
) -> Reconnect<impl FnMut() -> std::io::Result<TcpStream>, TcpStream, [u8; 256], [u8; 512]> {
    let client = Client::new(Buffers { rx: [0; 256], tx: [0; 512] });
    Reconnect::new(Connection::offline(client), move || open_tcp(address, Duration::from_secs(5)), backoff)
}

const SOON: Backoff = Backoff::new(1, 5);

#[test]
fn every_loss_and_every_connection_is_told() {
    let (address, server) = serve(3, |_| ACCEPTED);
    let mut mqtt = reconnect(address, SOON);
    let mut told = Vec::new();
    while told.len() < 6 {
        match mqtt.next_event(&CONNECT, Some(Duration::from_secs(5))).unwrap() {
            Update::Event(Event::Connected { session_present }) => told.push(format!("{session_present:?}")),
            Update::LinkLost { error: Error::Closed, retry_in } => {
                assert!(retry_in <= Duration::from_millis(5));
                told.push("lost".into());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, ["Some(false)", "lost", "Some(false)", "lost", "Some(false)", "lost"]);
    assert_eq!(server.join().unwrap(), [4, 4, 4]);
}

#[test]
fn a_server_of_the_old_version_is_met_with_it() {
    let refuses: fn(u8) -> &'static [u8] = |level| if level == 4 { VERSION_REFUSED } else { ACCEPTED };
    let closes: fn(u8) -> &'static [u8] = |level| if level == 4 { &[] } else { ACCEPTED };
    for answer in [refuses, closes] {
        let (address, server) = serve(3, answer);
        let mut mqtt = reconnect(address, SOON).fall_back_to_mqtt31();
        let mut connected = 0;
        while connected < 2 {
            match mqtt.next_event(&CONNECT, Some(Duration::from_secs(5))).unwrap() {
                Update::Event(Event::Connected { session_present }) => {
                    assert_eq!(session_present, None, "3.1 does not say");
                    connected += 1;
                }
                Update::LinkLost { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(server.join().unwrap(), [4, 3, 3], "it stays with 3.1");
    }
}

#[test]
fn nobody_falls_back_who_was_not_asked_to() {
    let (address, server) = serve(1, |_| VERSION_REFUSED);
    let mut mqtt = reconnect(address, SOON);
    let refused = mqtt.next_event(&CONNECT, Some(Duration::from_secs(5)));
    let expected = RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION;
    assert!(matches!(refused, Err(GaveUp::Refused(code)) if code == expected), "it would come to the same");
    assert_eq!(server.join().unwrap(), [4]);
}

#[test]
fn refusals_are_tried_again_where_that_is_asked_for() {
    let (address, server) = serve(3, |_| WRONG_PASSWORD);
    let mut mqtt = reconnect(address, SOON.limit(2)).retry_refusals();
    let error = loop {
        match mqtt.next_event(&CONNECT, Some(Duration::from_secs(5))) {
            Ok(Update::LinkLost { error, .. }) => assert!(error.refusal().is_some()),
            Err(error) => break error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        error.source().unwrap().to_string(),
        "the server refused the connection: bad user name or password"
    );
    assert!(matches!(error, GaveUp::Limit(error) if error.refusal().is_some()), "two delays, three attempts");
    assert_eq!(server.join().unwrap(), [4, 4, 4]);
}

#[test]
fn what_cannot_be_sent_is_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut mqtt = reconnect(listener.local_addr().unwrap(), SOON);
    let forbidden = Connect::new("an identifier that is too long").version(Version::Mqtt31);
    let result = mqtt.next_event(&forbidden, None);
    assert!(matches!(result, Err(GaveUp::Connect(ConnectError::Forbidden(_)))));
}

#[test]
fn messages_are_kept_while_nobody_listens_and_time_passes() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut mqtt = reconnect(address, Backoff::new(20, 20));
    mqtt.publish(&Message::new("a", b"").qos(QoS::AtLeastOnce)).unwrap();
    let mut failures = 0;
    loop {
        match mqtt.next_event(&CONNECT, Some(Duration::from_secs(5))).unwrap() {
            Update::LinkLost { error: Error::Io(_), .. } => failures += 1,
            Update::Idle => panic!("each attempt is told of within its delay"),
            other => panic!("{other:?}"),
        }
        if failures == 3 {
            break;
        }
    }
    assert_eq!((mqtt.in_flight(), mqtt.stream().is_none()), (1, true));
}

#[test]
fn another_thread_can_end_the_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut mqtt = reconnect(listener.local_addr().unwrap(), Backoff::new(600_000, 600_000));
    drop(listener);
    assert!(matches!(mqtt.next_event(&CONNECT, None), Ok(Update::LinkLost { .. })));
    let handle = mqtt.stop_handle();
    let stopper = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        handle.stop();
    });
    assert!(matches!(mqtt.next_event(&CONNECT, None), Err(GaveUp::Stopped)), "ten minutes early");
    stopper.join().unwrap();
}

/// The event that connected the client is the one that the routes have to see.
#[test]
fn subscriptions_come_back_by_themselves() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut mqtt = reconnect(listener.local_addr().unwrap(), SOON);
    let server = thread::spawn(move || {
        for session_present in [0, 0, 1] {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 15]).unwrap();
            stream.write_all(&[0x20, 2, session_present, 0]).unwrap();
            if session_present == 0 {
                let mut subscribe = [0; 8];
                stream.read_exact(&mut subscribe).unwrap();
                assert_eq!(subscribe[0], 0x82);
                stream.write_all(&[0x90, 3, subscribe[2], subscribe[3], 0]).unwrap();
                // The end follows the answer.
            } else {
                let rest = stream.read_to_end(&mut Vec::new()).unwrap();
                assert_eq!(rest, 0, "the session is there, and its subscription with it");
            }
        }
    });
    let mut routes = Routes::<_, (), 1>::new();
    routes.add("a", QoS::AtMostOnce, ()).unwrap();
    let (mut connected, mut granted) = (0, 0);
    while connected < 3 {
        if let Update::Event(event) = mqtt.next_event(&CONNECT, Some(Duration::from_secs(5))).unwrap() {
            routes.note(&event);
            connected += u32::from(matches!(event, Event::Connected { .. }));
            granted += u32::from(matches!(event, Event::Subscribed { .. }));
        }
        routes.subscribe(&mut mqtt.outbound()).unwrap();
    }
    assert_eq!(granted, 2);
    assert_eq!(routes.subscription("a"), Some(Subscription::Granted { qos: QoS::AtMostOnce }));
    assert!(matches!(mqtt.next_event(&CONNECT, Some(Duration::ZERO)), Ok(Update::Idle)));
    drop(mqtt);
    server.join().unwrap();
}

/// It is no success to be accepted, if the connection is closed then.
#[test]
fn a_server_that_accepts_and_closes_is_given_up() {
    let (address, server) = serve(5, |_| ACCEPTED);
    let mut mqtt = reconnect(address, Backoff::new(1, 60_000).limit(4));
    let error = loop {
        if let Err(error) = mqtt.next_event(&CONNECT, Some(Duration::from_secs(5))) {
            break error;
        }
    };
    assert!(matches!(error, GaveUp::Limit(Error::Closed)), "{error}");
    assert_eq!(server.join().unwrap().len(), 5);
}

/// A server that accepts TCP, and says nothing.
fn silence() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn timeout_and_stop_are_kept_while_a_connection_is_being_made() {
    let (_listener, address) = silence();
    let mut mqtt = reconnect(address, SOON);
    let started = Instant::now();
    assert!(matches!(mqtt.next_event(&CONNECT, Some(Duration::from_millis(100))), Ok(Update::Idle)));
    let handle = mqtt.stop_handle();
    let stopper = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        handle.stop();
    });
    assert!(matches!(mqtt.next_event(&CONNECT, None), Err(GaveUp::Stopped)));
    assert!(started.elapsed() < Duration::from_secs(8), "before CONNACK was late");
    stopper.join().unwrap();
}

/// An application that has disconnected wants no other connection.
#[test]
fn what_is_finished_does_not_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut mqtt = reconnect(listener.local_addr().unwrap(), SOON);
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 15]).unwrap();
        stream.write_all(ACCEPTED).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    assert!(matches!(mqtt.next_event(&CONNECT, None), Ok(Update::Event(Event::Connected { .. }))));
    mqtt.finish();
    assert!(matches!(mqtt.next_event(&CONNECT, None), Err(GaveUp::Disconnected)));
    assert_eq!(server.join().unwrap(), [0xE0, 0]);
}

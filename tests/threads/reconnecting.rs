//! A connection that is re-established automatically.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use baremqtt::transport::net::{Error, GaveUp, Update};
use baremqtt::{
    Backoff, Connect, ConnectError, Event, Message, QoS, RefusalCode, RequestError, Routes, Subscription,
    Version,
};

use crate::server::{Options, Server};
use crate::{
    ACCEPTED, CONNECT, Choices, Link, SHORT_BACKOFF, TIMEOUT, accept, connection_refused, open, open_and_run,
    read_all, runner, runner_with, serve as serve_one_connection, start,
};

const VERSION_REFUSED: &[u8] = &[0x20, 2, 0, 1];
const WRONG_PASSWORD: &[u8] = &[0x20, 2, 0, 4];

/// Answers one connection after the other, each with the bytes for the protocol level in its CONNECT, and
/// closes it. Returns the levels that it saw.
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

#[test]
fn every_loss_and_every_connection_is_reported() {
    let (address, server) = serve(3, |_| &ACCEPTED);
    let running = start(runner(SHORT_BACKOFF), open(address));
    for _ in 0..3 {
        running.wait_for_report("Connected { session_present: Some(false) }");
        running.wait_for_report("lost: the connection is closed");
    }
    running.stop().unwrap();
    assert_eq!(server.join().unwrap(), [4, 4, 4]);
}

#[test]
fn the_runner_falls_back_to_mqtt_3_1() {
    let refuses: fn(u8) -> &'static [u8] = |level| if level == 4 { VERSION_REFUSED } else { &ACCEPTED };
    let closes: fn(u8) -> &'static [u8] = |level| if level == 4 { &[] } else { &ACCEPTED };
    for answer in [refuses, closes] {
        let (address, server) = serve(3, answer);
        let running = start(runner(SHORT_BACKOFF).fall_back_to_mqtt31(), open(address));
        for _ in 0..2 {
            // 3.1 does not report it.
            running.wait_for_report("Connected { session_present: None }");
        }
        assert_eq!(server.join().unwrap(), [4, 3, 3], "it stays with 3.1");
        running.stop().unwrap();
    }
}

#[test]
fn falling_back_is_off_by_default() {
    let (address, server) = serve(1, |_| VERSION_REFUSED);
    let result = start(runner(SHORT_BACKOFF), open(address)).thread.join().unwrap();
    let expected = RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION;
    assert!(
        matches!(result, Err(GaveUp::Refused(code)) if code == expected),
        "it would fail in the same way"
    );
    assert_eq!(server.join().unwrap(), [4]);
}

#[test]
fn refusals_are_retried_if_configured() {
    let (address, server) = serve(3, |_| WRONG_PASSWORD);
    let running = start(runner(SHORT_BACKOFF.limit(2)).retry_refusals(), open(address));
    let error = running.thread.join().unwrap().unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with(": the server refused the connection: bad user name or password (4)"), "{text}");
    assert!(matches!(error, GaveUp::Limit(error) if error.refusal().is_some()), "two delays, three attempts");
    assert_eq!(server.join().unwrap(), [4, 4, 4]);
}

#[test]
fn an_invalid_connect_is_not_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let forbidden = Connect::new("an identifier that is too long").version(Version::Mqtt31);
    let open = open(listener.local_addr().unwrap());
    let result = runner(SHORT_BACKOFF).run(open_and_run(open, forbidden), |_, _| Ok(()));
    assert!(matches!(result, Err(GaveUp::Connect(ConnectError::Forbidden(_)))));
}

#[test]
fn messages_are_queued_while_offline() {
    let running = start(runner(Backoff::new(20, 20)), connection_refused);
    running.handle.publish(&Message::new("a", b"").at_least_once()).unwrap();
    let at_qos_0 = running.handle.publish(&Message::new("a", b""));
    assert_eq!(at_qos_0, Err(RequestError::NotConnected.into()), "QoS 0 is not queued");
    for _ in 0..3 {
        running.wait_for_report("lost: ");
    }
    let handle = running.handle.clone();
    running.stop().unwrap();
    let saved = handle.with(|client| client.save(&mut [0; 600]));
    assert_eq!(saved, Ok(Ok(13 + 7)), "the message is in it");
}

/// Tokens expire.
#[test]
fn each_attempt_has_its_own_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = open(listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut tokens = Vec::new();
        for _ in 0..3 {
            let (mut socket, _) = listener.accept().unwrap();
            let mut connect = [0; 64];
            let len = socket.read(&mut connect).unwrap();
            tokens.push(connect[..len].last().copied());
        }
        tokens
    });
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    let mut token = 0;
    let running = thread::spawn(move || {
        let connect = |link: &mut Link<'_>| {
            token += 1;
            // The token is fetched before the stream is opened. Without a token there is no attempt.
            let (open, fetched) = (open.clone(), token);
            let fetch = move || if fetched == 2 { Err(io::Error::other("no token")) } else { Ok([fetched]) };
            let (stream, token) = link.open(move || Ok((open()?, fetch()?)))?;
            link.run(stream, &CONNECT.credentials("user", &token))
        };
        runner.run(connect, |_, _| Ok(()))
    });
    assert_eq!(server.join().unwrap(), [Some(1), None, Some(3)]);
    handle.stop();
    running.join().unwrap().unwrap();
}

/// The routes have to see the event that connected the client.
#[test]
fn subscriptions_are_renewed_automatically() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = open(listener.local_addr().unwrap());
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
                // The connection is closed after the answer.
            } else {
                assert_eq!(read_all(stream), [0xE0, 0], "the session is there, and its subscription with it");
            }
        }
    });
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    let mut routes = Routes::<_, (), 1>::new();
    routes.add("a", QoS::AtMostOnce, ()).unwrap();
    let (mut connected, mut granted) = (0, 0);
    let result = runner.run(open_and_run(open, CONNECT), |update, outbound| {
        if let Update::Event(event) = update {
            routes.note(&event);
            connected += u32::from(matches!(event, Event::Connected { .. }));
            granted += u32::from(matches!(event, Event::Subscribed { .. }));
        }
        if connected == 3 {
            handle.stop();
        }
        Ok(routes.subscribe(outbound)?)
    });
    result.unwrap();
    assert_eq!(granted, 2);
    assert_eq!(routes.subscription("a"), Some(Subscription::Granted { qos: QoS::AtMostOnce }));
    server.join().unwrap();
}

/// Being accepted is no success if the connection is closed right after that.
#[test]
fn attempts_are_limited_with_a_server_that_accepts_and_closes() {
    let (address, server) = serve(5, |_| &ACCEPTED);
    let running = start(runner(Backoff::new(1, 60_000).limit(4)), open(address));
    let error = running.thread.join().unwrap().unwrap_err();
    assert!(matches!(error, GaveUp::Limit(Error::Closed)), "{error}");
    assert_eq!(server.join().unwrap().len(), 5);
}

/// Two devices with the same client identifier: a minute, thirty times as fast. Each connection ends the other.
#[test]
fn two_clients_with_the_same_identifier_reconnect_less_and_less_often() {
    let server =
        Server::start(Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::default() }).unwrap();
    let clients = [1, 2].map(|seed| {
        let runner = runner_with(512, Choices::new(), Backoff::new(17, 2_000).seed(seed));
        let open = open(server.addr());
        let (handle, (reports, reported)) = (runner.handle(), mpsc::channel());
        let running = thread::spawn(move || {
            runner.run(open_and_run(open, CONNECT), |update, _| match update {
                Update::Event(Event::Connected { .. }) => {
                    reports.send(()).unwrap();
                    Ok(())
                }
                _ => Ok(()),
            })
        });
        (handle, running, reported)
    });
    for (.., reported) in &clients {
        reported.recv_timeout(TIMEOUT).unwrap();
    }
    thread::sleep(Duration::from_secs(2));
    for (handle, running, reported) in clients {
        handle.stop();
        running.join().unwrap().unwrap();
        let connections = reported.iter().count();
        assert!((0..=14).contains(&connections), "{connections}");
    }
}

/// An application that has disconnected does not want another connection.
#[test]
fn the_runner_ends_after_finish() {
    let (address, server) = serve_one_connection(read_all);
    let result = runner(SHORT_BACKOFF).run(open_and_run(open(address), CONNECT), |update, outbound| {
        if let Update::Event(Event::Connected { .. }) = update {
            outbound.finish();
        }
        Ok(())
    });
    result.unwrap();
    assert_eq!(server.join().unwrap(), [0xE0, 0]);
}

/// Messages in flight when a connection is lost are resent on the next one, and reported once.
#[test]
fn a_message_is_resent_on_each_connection_until_it_is_acknowledged() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let running = start(runner(SHORT_BACKOFF), open(listener.local_addr().unwrap()));
    let handle = running.handle.clone();
    let waiting = thread::spawn(move || {
        handle.publish_and_wait(&Message::new("a", b"").at_least_once(), Some(TIMEOUT))
    });
    let mut publish = [0; 7];
    let mut socket = accept(&listener);
    socket.read_exact(&mut publish).unwrap();
    assert_eq!(publish[0], 0x32);
    drop(socket);
    let mut socket = accept(&listener);
    socket.read_exact(&mut publish).unwrap();
    assert_eq!(publish[0], 0x3A, "DUP");
    socket.write_all(&[0x40, 2, publish[5], publish[6]]).unwrap();
    assert_eq!(waiting.join().unwrap(), Ok(()));
    running.stop().unwrap();
}

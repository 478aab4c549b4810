//! The stream alone, against a server in the test: ends, signals, frames that arrive in parts or cannot be sent.

mod common;
#[path = "../../../tests/support/interrupted.rs"]
mod interrupted;

use std::io::{ErrorKind, Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Error as ConnectionError, Stream as _, open_tcp};
use baremqtt::{Connect, Timeout};
use baremqtt_websocket::WebSocketStream;
use common::{Stream, TIMEOUT, client_with_connack_timeout, listen, open, serve, url};
use interrupted::{Interrupted, Signal, hello};
use tungstenite::{Bytes, Message};

/// Reads over timeouts.
fn read(stream: &mut Stream, buffer: &mut [u8]) -> usize {
    let started = Instant::now();
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(started.elapsed() < TIMEOUT, "nothing arrives");
            }
            result => return result.expect("a frame"),
        }
    }
}

#[test]
fn a_frame_may_be_longer_than_the_buffer_and_may_be_empty() {
    let (addr, server) = serve(|mut server| {
        for frame in [&b""[..], b"hello", b"", b", world"] {
            server.send(Message::binary(frame)).expect("a client");
        }
        server.read().is_ok()
    });
    let mut stream = open(addr).expect("a WebSocket");
    let mut received = Vec::new();
    while received.len() < 12 {
        let mut buffer = [0; 2];
        let len = read(&mut stream, &mut buffer);
        received.extend_from_slice(&buffer[..len]);
    }
    assert_eq!(received, b"hello, world");
    drop(stream);
    assert!(server.join().expect("a server"), "dropping it sends a close frame");
}

#[test]
fn a_frame_may_arrive_byte_by_byte() {
    let (addr, server) = serve(|mut server| {
        // A ping, a frame of 300 bytes (with a length of 16 bits), and a fragmented one.
        let long = [&[0x82, 126, 1, 44][..], &[b'x'; 300]].concat();
        let frames = [&b"\x89\x00"[..], &long, b"\x02\x01y\x89\x02up\x80\x01z"].concat();
        for byte in frames {
            server.get_mut().write_all(&[byte]).expect("a client");
            thread::sleep(Duration::from_millis(2));
        }
        [server.read().expect("a pong"), server.read().expect("a pong")]
    });
    let mut stream = open(addr).expect("a WebSocket");
    stream.limit_read(Duration::from_millis(1)).expect("a socket");
    let mut received = Vec::new();
    while received.len() < 302 {
        let mut buffer = [0; 64];
        let len = read(&mut stream, &mut buffer);
        received.extend_from_slice(&buffer[..len]);
    }
    assert_eq!(received, [&[b'x'; 300][..], b"yz"].concat());
    stream.flush().expect("a server");
    let expected = [Message::Pong(Bytes::new()), Message::Pong(Bytes::from_static(b"up"))];
    assert_eq!(server.join().expect("a server"), expected);
}

#[test]
fn every_kind_of_end_is_reported() {
    for way in ["close frame", "TCP alone", "amid a frame"] {
        let (addr, server) = serve(move |mut server| match way {
            "close frame" => {
                server.close(None).expect("a client");
                // The answer, and the end.
                matches!(server.read(), Ok(Message::Close(_)) | Err(_))
            }
            "TCP alone" => true,
            _ => server.get_mut().write_all(b"\x82\x05he").is_ok(),
        });
        let mut stream = open(addr).expect("a WebSocket");
        assert_eq!(read(&mut stream, &mut [0; 16]), 0, "{way}");
        assert_eq!(read(&mut stream, &mut [0; 16]), 0, "{way}, again");
        assert!(stream.write(b"x").is_err(), "{way}");
        assert!(server.join().expect("a server"), "{way}");
    }
}

/// The server reads nothing at first: writing stalls, and nothing is lost.
#[test]
fn a_slow_server_receives_everything() {
    let (full, is_full) = mpsc::channel::<()>();
    let (addr, server) = serve(move |mut server| {
        is_full.recv().expect("the client finds it full");
        let mut received = Vec::new();
        while let Ok(message) = server.read() {
            match message {
                Message::Binary(bytes) => received.extend_from_slice(&bytes),
                Message::Close(_) => {}
                other => panic!("{other:?}"),
            }
        }
        received
    });
    let payload: Vec<u8> = (0..16_usize << 20).map(|index| (index ^ (index >> 11)) as u8).collect();
    let mut stream = open(addr).expect("a WebSocket");
    let (mut written, mut blocked) = (0, 0);
    while let Some(rest @ [_, ..]) = payload.get(written..) {
        match stream.write(rest) {
            Ok(0) => panic!("that would be the end of the stream"),
            Ok(len) => written += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                blocked += 1;
                if blocked == 3 {
                    full.send(()).expect("a server");
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(blocked >= 3, "{blocked}");
    while stream.flush().is_err() {}
    drop(stream);
    assert!(server.join().expect("a server") == payload);
}

/// The client has to check its timeouts, whatever arrives.
#[test]
fn neither_pings_nor_partial_frames_prevent_timeouts() {
    for bits in [&b"\x89\x00"[..], b"x"] {
        let (addr, server) = serve(move |mut server| {
            // A frame that is never complete.
            if bits == b"x" {
                server.get_mut().write_all(b"\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x00").expect("a client");
            }
            let started = Instant::now();
            while server.get_mut().write_all(bits).is_ok() {
                assert!(started.elapsed() < TIMEOUT, "the client does not give up");
                thread::sleep(Duration::from_millis(1));
            }
        });
        let mut mqtt = client_with_connack_timeout(open(addr).expect("a WebSocket"), 300);
        let started = Instant::now();
        let error = common::connect(&mut mqtt, &Connect::new("client")).expect_err("no CONNACK");
        let timed_out = baremqtt::Error::TimedOut(Timeout::ConnAck);
        assert!(matches!(&error, ConnectionError::Client(error) if *error == timed_out), "{error}");
        assert!(started.elapsed() < TIMEOUT / 2, "{:?}", started.elapsed());
        drop(mqtt);
        server.join().expect("a server");
    }
}

#[test]
fn a_silent_server_times_out() {
    let (stop_server, stopped) = mpsc::channel::<()>();
    let (addr, server) = listen(move |_tcp| stopped.recv());
    let started = Instant::now();
    let error = common::open_as(addr, "mqtt", Duration::from_millis(300)).expect_err("no WebSocket");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(started.elapsed() < TIMEOUT / 2, "{:?}", started.elapsed());
    stop_server.send(()).expect("a server");
    server.join().expect("a server").expect("the end");
}

#[test]
fn a_signal_ends_neither_the_handshake_nor_the_stream() {
    for call in 0.. {
        let (addr, server) = serve(|mut server| {
            let hello = server.read().expect("a client").into_data();
            server.send(Message::binary(hello.to_ascii_uppercase())).expect("a client");
            // The close frame, and the end.
            while server.read().is_ok() {}
        });
        let signal = Signal::at(call);
        let stream = open_tcp(addr, TIMEOUT).expect("a listener");
        let tcp = Interrupted { stream, signal: signal.clone() };
        let mut stream = WebSocketStream::connect(&url(addr), "mqtt", tcp, TIMEOUT).expect("a WebSocket");
        hello(&mut stream, || ());
        drop(stream);
        server.join().expect("a server");
        if !signal.has_come() {
            // The handshake alone writes, flushes and reads.
            assert!(call > 3, "{call}");
            return;
        }
    }
}

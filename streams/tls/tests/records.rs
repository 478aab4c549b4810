//! The stream alone, against a server in the test: records that arrive in parts, or cannot be sent, and signals.

mod common;
#[path = "../../../tests/support/interrupted.rs"]
mod interrupted;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Stream, open_tcp};
use baremqtt_tls::{TlsStream, config};
use common::Authority;
use interrupted::{Interrupted, Signal, hello};
use rustls::ServerConnection;
use rustls::pki_types::ServerName;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A stream of the client, and the server's end of it after the handshake.
fn pair(authority: &Authority) -> (TlsStream, ServerConnection, TcpStream) {
    pair_over(authority, |tcp| tcp)
}

/// The same over TCP in a wrapper.
fn pair_over<S: Stream>(
    authority: &Authority,
    wrap: impl FnOnce(TcpStream) -> S,
) -> (TlsStream<S>, ServerConnection, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let tcp = open_tcp(listener.local_addr().expect("an address"), TIMEOUT).expect("a listener");
    let theirs = authority.server_config();
    let server = thread::spawn(move || {
        let (mut tcp, _) = listener.accept().expect("a client");
        let mut tls = ServerConnection::new(theirs).expect("a configuration");
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).expect("a handshake");
        }
        (tls, tcp)
    });
    let config = config(&authority.file("ca.crt"), None).expect("a certificate");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsStream::connect(config, name, wrap(tcp), TIMEOUT).expect("a handshake");
    let (tls, tcp) = server.join().expect("a server");
    (stream, tls, tcp)
}

/// The records that the server has made.
fn records(tls: &mut ServerConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut bytes).expect("a Vec accepts everything");
    }
    bytes
}

#[test]
fn records_may_arrive_byte_by_byte() {
    let authority = Authority::new();
    let (mut stream, mut tls, mut tcp) = pair(&authority);
    tcp.set_nodelay(true).expect("a socket");
    stream.limit_read(Duration::from_millis(1)).expect("a socket");
    tls.writer().write_all(b"hello").expect("room");
    tls.writer().write_all(b", world").expect("room");
    let (mut received, mut timeouts) = (Vec::new(), 0);
    let mut buffer = [0; 3];
    for byte in records(&mut tls) {
        tcp.write_all(&[byte]).expect("a client");
        loop {
            match stream.read(&mut buffer) {
                Ok(len) => received.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        timeouts += 1;
    }
    // The last one may be late.
    stream.limit_read(TIMEOUT).expect("a socket");
    while received.len() < 12 {
        let len = stream.read(&mut buffer).expect("the rest");
        received.extend_from_slice(&buffer[..len]);
    }
    assert_eq!(received, b"hello, world");
    // Two records of 22 bytes and more about them.
    assert!(timeouts > 44, "{timeouts}");
}

/// Writes to a server that reads nothing at first, and sends the first bytes of a long record meanwhile if it
/// `trickles`.
fn write_against(trickles: bool, read_timeout: Duration) {
    let authority = Authority::new();
    let (mut stream, mut tls, mut tcp) = pair(&authority);
    stream.limit_read(read_timeout).expect("a socket");
    let payload: Vec<u8> = (0..16_usize << 20).map(|index| (index ^ (index >> 11)) as u8).collect();
    let (full, is_full) = mpsc::channel::<()>();
    let server = thread::spawn(move || {
        tls.writer().write_all(&[7; 8_000]).expect("room");
        let record = records(&mut tls);
        let mut bytes = record.iter();
        while is_full.try_recv().is_err() {
            thread::sleep(Duration::from_millis(10));
            if trickles && let Some(byte) = bytes.next() {
                tcp.write_all(&[*byte]).expect("a client");
            }
        }
        tcp.write_all(bytes.as_slice()).expect("a client");
        read_to_end(&mut tls, &mut tcp)
    });
    let (mut written, mut blocked) = (0, 0);
    while let Some(rest @ [_, ..]) = payload.get(written..) {
        let started = Instant::now();
        match stream.write(rest) {
            Ok(0) => panic!("that would be the end of the stream"),
            Ok(len) => written += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                blocked += 1;
                if blocked == 20 {
                    full.send(()).expect("a server");
                }
            }
            Err(error) => panic!("{error}"),
        }
        assert!(started.elapsed() < TIMEOUT / 2, "{:?}", started.elapsed());
    }
    assert!(blocked >= 20, "{blocked}");
    while stream.flush().is_err() {}
    stream.limit_read(TIMEOUT).expect("a socket");
    let mut received = [0; 8_000];
    stream.read_exact(&mut received).expect("what the server has sent");
    assert_eq!(received, [7; 8_000]);
    // This sends close_notify.
    drop(stream);
    assert!(server.join().expect("a server") == payload);
}

fn read_to_end(tls: &mut ServerConnection, tcp: &mut TcpStream) -> Vec<u8> {
    let (mut received, mut buffer) = (Vec::new(), [0; 0x4000]);
    loop {
        match tls.reader().read(&mut buffer) {
            Ok(0) => return received,
            Ok(len) => received.extend_from_slice(&buffer[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                tls.read_tls(tcp).expect("a client");
                tls.process_new_packets().expect("records");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_write_does_not_wait_for_input() {
    write_against(false, TIMEOUT);
}

#[test]
fn a_write_never_accepts_0_bytes_while_the_server_sends() {
    write_against(true, Duration::from_millis(50));
}

#[test]
fn the_stream_ends_with_and_without_close_notify() {
    let authority = Authority::new();
    for with_close_notify in [true, false] {
        let (mut stream, mut tls, mut tcp) = pair(&authority);
        tls.writer().write_all(b"last words").expect("room");
        if with_close_notify {
            tls.send_close_notify();
        }
        tcp.write_all(&records(&mut tls)).expect("a client");
        drop(tcp);
        let mut received = Vec::new();
        stream.read_to_end(&mut received).expect("an end");
        assert_eq!(received, b"last words", "close_notify: {with_close_notify}");
    }
}

#[test]
fn a_silent_server_times_out() {
    let authority = Authority::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let tcp = open_tcp(listener.local_addr().expect("an address"), TIMEOUT).expect("a listener");
    let config = config(&authority.file("ca.crt"), None).expect("a certificate");
    let name = ServerName::try_from("localhost").expect("a name");
    let started = Instant::now();
    let timeout = Duration::from_millis(300);
    let error = TlsStream::connect(config, name, tcp, timeout).expect_err("no handshake");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(started.elapsed() < TIMEOUT / 2, "{:?}", started.elapsed());
}

#[test]
fn a_signal_ends_neither_the_handshake_nor_the_stream() {
    let authority = Authority::new();
    for call in 0.. {
        let signal = Signal::at(call);
        let wrap = |stream| Interrupted { stream, signal: signal.clone() };
        let (mut stream, mut tls, mut tcp) = pair_over(&authority, wrap);
        hello(&mut stream, || {
            let mut server = rustls::Stream::new(&mut tls, &mut tcp);
            let mut received = [0; 5];
            server.read_exact(&mut received).expect("a client");
            server.write_all(&received.to_ascii_uppercase()).expect("a client");
        });
        if !signal.has_come() {
            // The handshake alone writes and flushes twice, and reads.
            assert!(call > 5, "{call}");
            return;
        }
    }
}

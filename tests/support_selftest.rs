//! The proxy of `support/proxy.rs` does what the tests rely on.

#[path = "support/proxy.rs"]
#[allow(dead_code)]
mod proxy;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use proxy::{Cut, Proxy};

const TIMEOUT: Duration = Duration::from_secs(60);

/// An echo server for this many connections, which reports what it has received on each.
fn echo(connections: usize) -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let (report, received) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let (mut stream, report) = (stream.unwrap(), report.clone());
            stream.set_read_timeout(Some(TIMEOUT)).unwrap();
            thread::spawn(move || {
                let mut all = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut buffer) {
                    all.extend_from_slice(&buffer[..n]);
                    let _ = stream.write_all(&buffer[..n]);
                }
                let _ = report.send(all);
            });
        }
    });
    (addr, received)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.addr()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
}

/// Everything received until the link ends, in whatever way.
fn read_until_end(mut stream: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("the link has not ended")
        }
        _ => all,
    }
}

fn numbers(count: usize) -> Vec<u8> {
    (0..count).map(|i| i as u8).collect()
}

#[test]
fn forwards_in_both_directions_and_half_closes() {
    let (addr, received) = echo(1);
    let proxy = Proxy::transparent(addr);
    let mut client = connect(&proxy);
    let sent = numbers(100_000);
    let reader = thread::spawn({
        let client = client.try_clone().unwrap();
        move || read_until_end(&client)
    });
    client.write_all(&sent).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(reader.join().unwrap(), sent);
    assert_eq!(received.recv_timeout(TIMEOUT).unwrap(), sent);
    assert_eq!((proxy.connections(), proxy.cuts()), (1, 0));
}

#[test]
fn cuts_after_the_exact_number_of_bytes_to_the_broker() {
    let points = [0, 1, 2, 17, 4096, 16 * 1024, 16 * 1024 + 1];
    let (addr, received) = echo(points.len());
    let proxy = Proxy::start(addr, points.map(|after| Some(Cut::to_broker(after))));
    let sent = numbers(20_000);
    for (index, &after) in points.iter().enumerate() {
        let mut client = connect(&proxy);
        // The link can be cut during this write.
        let _ = client.write_all(&sent);
        read_until_end(&client);
        assert_eq!(received.recv_timeout(TIMEOUT).unwrap(), sent[..after as usize]);
        assert_eq!((proxy.connections(), proxy.cuts()), (index + 1, index + 1));
    }
}

#[test]
fn cuts_after_the_exact_number_of_bytes_to_the_client() {
    let points = [0, 1, 5, 1000];
    let (addr, _received) = echo(points.len());
    let proxy = Proxy::start(addr, points.map(|after| Some(Cut::to_client(after))));
    let sent = numbers(1001);
    for &after in &points {
        let mut client = connect(&proxy);
        let _ = client.write_all(&sent);
        assert_eq!(read_until_end(&client), sent[..after as usize]);
    }
    assert_eq!(proxy.cuts(), points.len());
}

#[test]
fn each_connection_uses_the_next_cut_until_there_are_none() {
    let (addr, _received) = echo(4);
    let proxy = Proxy::start(addr, [None, Some(Cut::to_client(1)), None]);
    for expected in [2, 1, 2, 2] {
        let mut client = connect(&proxy);
        client.write_all(b"ab").unwrap();
        let _ = client.shutdown(Shutdown::Write);
        assert_eq!(read_until_end(&client).len(), expected);
    }
    assert_eq!((proxy.connections(), proxy.cuts()), (4, 1));
}

#[test]
fn cuts_on_request() {
    let (addr, _received) = echo(1);
    let proxy = Proxy::transparent(addr);
    let mut client = connect(&proxy);
    client.write_all(b"a").unwrap();
    client.read_exact(&mut [0]).unwrap();
    proxy.cut_now();
    assert!(read_until_end(&client).is_empty());
    assert_eq!(proxy.cuts(), 1);
}

#[test]
fn a_gentle_cut_lets_the_server_read_what_was_sent_before() {
    let (addr, received) = echo(2);
    let proxy = Proxy::start_gentle(addr, [Some(Cut::to_client(2)), Some(Cut::to_broker(3))]);
    for expected in [2, 3] {
        let mut client = connect(&proxy);
        let _ = client.write_all(&numbers(expected));
        assert!(read_until_end(&client).len() <= expected);
        assert_eq!(received.recv_timeout(TIMEOUT).unwrap(), numbers(expected));
    }
    assert_eq!(proxy.cuts(), 2);
}

#[test]
fn a_silenced_link_stays_open_and_others_continue() {
    let (addr, received) = echo(2);
    let proxy = Proxy::transparent(addr);
    let mut client = connect(&proxy);
    client.write_all(b"a").unwrap();
    client.read_exact(&mut [0]).unwrap();
    proxy.silence();
    client.write_all(b"b").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let error = client.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    let mut other = connect(&proxy);
    other.write_all(b"c").unwrap();
    other.read_exact(&mut [0]).unwrap();
    drop(proxy);
    assert_eq!(read_until_end(&client), b"");
    let mut all = [received.recv_timeout(TIMEOUT).unwrap(), received.recv_timeout(TIMEOUT).unwrap()];
    all.sort();
    assert_eq!(all, [b"a".to_vec(), b"c".to_vec()]);
}

#[test]
fn closes_at_once_without_a_broker() {
    // TCPMUX, which no machine serves.
    let proxy = Proxy::transparent((Ipv4Addr::LOCALHOST, 1).into());
    assert!(read_until_end(&connect(&proxy)).is_empty());
}

#[test]
fn dropping_it_closes_its_links_and_its_port() {
    let (addr, _received) = echo(1);
    let proxy = Proxy::transparent(addr);
    let mut client = connect(&proxy);
    client.write_all(b"a").unwrap();
    client.read_exact(&mut [0]).unwrap();
    let addr = proxy.addr();
    drop(proxy);
    assert!(read_until_end(&client).is_empty());
    assert!(TcpStream::connect(addr).is_err());
}

//! The output of `sniffer` for a conversation that passes through it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::start;
use crate::tools::{self, publish};

#[test]
fn it_shows_both_directions_in_both_versions() {
    let server = start();
    let mut sniffer = tools::start("sniffer", &["127.0.0.1:0", &server.addr().to_string()]);
    let listening = sniffer.line();
    let address: SocketAddr = listening.strip_prefix("listening on ").unwrap().parse().unwrap();
    for (number, version) in [(1, "31"), (2, "311")] {
        publish(address, version, "-t a/b -m hello -q 1 -i me -u ada -P secret");
        let mut lines: Vec<String> = (0..5).map(|_| sniffer.line()).collect();
        let connect = lines.remove(0);
        assert!(
            connect.starts_with(&format!("{number} -> CONNECT")) && !connect.contains("secret"),
            "{connect}"
        );
        assert!(lines.remove(0).starts_with(&format!("{number} <- CONNACK")));
        let rest = ["-> PUBLISH a/b qos=1 id=1 (5 B) \"hello\"", "<- PUBACK id=1", "-> DISCONNECT"];
        assert_eq!(lines, rest.map(|line| format!("{number} {line}")));
    }
}

/// Bytes that are not a packet are forwarded, and from then on nothing is shown.
#[test]
fn bytes_that_are_not_mqtt_are_reported() {
    let server = start();
    let mut sniffer = tools::start("sniffer", &["127.0.0.1:0", &server.addr().to_string()]);
    let listening = sniffer.line();
    let address: SocketAddr = listening.strip_prefix("listening on ").unwrap().parse().unwrap();
    TcpStream::connect(address).unwrap().write_all(b"\x00\x00 GET / HTTP/1.1\r\n").unwrap();
    assert!(sniffer.line().starts_with("1 -> "));
    publish(address, "311", "-t a -m hello");
    assert!(sniffer.line().starts_with("2 -> CONNECT"));
}

/// A client is then turned away, as it would be by the server, and can try again.
#[test]
fn it_continues_while_the_server_is_unreachable() {
    let mut sniffer = tools::start("sniffer", &["127.0.0.1:0", "127.0.0.1:1"]);
    let listening = sniffer.line();
    let address: SocketAddr = listening.strip_prefix("listening on ").unwrap().parse().unwrap();
    for number in 1..=3 {
        let mut client = TcpStream::connect(address).unwrap();
        assert!(sniffer.line().starts_with(&format!("{number} 127.0.0.1:1: ")));
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}

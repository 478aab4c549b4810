//! Both ends of a WebSocket: the stream, and a server in the test.

// Each test program uses some of it.
#![allow(dead_code)]

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use baremqtt::transport::net::{Connection, Error, open_tcp};
use baremqtt::{Client, Config, Connect, Event};
use baremqtt_websocket::WebSocketStream;
use tungstenite::WebSocket;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::{HeaderValue, Uri};

pub const TIMEOUT: Duration = Duration::from_secs(60);

pub type Stream = WebSocketStream<TcpStream>;
/// What the tests choose.
#[derive(Clone, Copy)]
pub struct Choices {
    pub connack_timeout_ms: u32,
}

impl Config for Choices {
    fn connack_timeout_ms(&self) -> u32 {
        self.connack_timeout_ms
    }
}

pub type Mqtt = Connection<Stream, Vec<u8>, Vec<u8>, Choices>;

/// The way to a server.
pub fn open(addr: SocketAddr) -> std::io::Result<Stream> {
    open_as(addr, "mqtt", TIMEOUT)
}

pub fn open_as(addr: SocketAddr, protocol: &str, timeout: Duration) -> std::io::Result<Stream> {
    let tcp = open_tcp(addr, TIMEOUT).expect("a listener");
    WebSocketStream::connect(&url(addr), protocol, tcp, timeout)
}

pub fn url(addr: SocketAddr) -> Uri {
    format!("ws://{addr}/mqtt").parse().expect("a URL")
}

/// A client over that, with room for a large message.
pub fn client(stream: Stream) -> Mqtt {
    client_with_connack_timeout(stream, 10_000)
}

/// One that waits so many ms for CONNACK.
pub fn client_with_connack_timeout(stream: Stream, connack_timeout_ms: u32) -> Mqtt {
    let room = (1 << 20) + 0x1_0000;
    // A message takes its room until the next event after its end.
    let buffers = baremqtt::Buffers { rx: vec![0; room], tx: vec![0; 2 * room] };
    Connection::new(stream, Client::with_config(buffers, Choices { connack_timeout_ms }))
}

/// Sends CONNECT, and waits for the answer.
pub fn connect(mqtt: &mut Mqtt, connect: &Connect<'_>) -> Result<(), Error> {
    mqtt.connect(connect)?;
    let event = mqtt.next_event(None)?;
    assert!(matches!(event, Some(Event::Connected { .. })), "{event:?}");
    Ok(())
}

/// A server for one client: `play` has the WebSocket once it is open.
pub fn serve<T: Send + 'static>(
    play: impl FnOnce(WebSocket<TcpStream>) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    listen(move |tcp| play(accept(tcp, "mqtt", |_| ()).expect("a client that wants a WebSocket")))
}

pub fn listen<T: Send + 'static>(
    play: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let addr = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let (tcp, _) = listener.accept().expect("a client");
        tcp.set_nodelay(true).expect("a socket");
        tcp.set_read_timeout(Some(TIMEOUT)).expect("a socket");
        play(tcp)
    });
    (addr, server)
}

/// Opens a WebSocket with this sub-protocol, or with none if it is empty; `None` where the client goes.
pub fn accept(
    tcp: TcpStream,
    protocol: &'static str,
    mut inspect: impl FnMut(&Request),
) -> Option<WebSocket<TcpStream>> {
    // The type is tungstenite's.
    #[allow(clippy::result_large_err)]
    let answer = |request: &Request, mut response: Response| {
        inspect(request);
        if !protocol.is_empty() {
            response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
        }
        Ok(response)
    };
    tungstenite::accept_hdr(tcp, answer).ok()
}

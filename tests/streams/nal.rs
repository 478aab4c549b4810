//! Stacks behind the traits of embedded-nal: an async one whose connection is a single object, and one that is polled.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant as Clock};

use baremqtt::transport::asynch::{Handle, Runner};
use baremqtt::transport::polled::{self, Connection, Reconnect};
use baremqtt::transport::{Error, Update};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Instant, Message, QoS};
use embedded_io_adapters::tokio_1::FromTokio;
use embedded_nal::{TcpClientStack, TcpError, TcpErrorKind};
use embedded_nal_async::TcpConnect;

use crate::peer::broker;
use crate::timer::Tokio;

struct TokioStack;

impl TcpConnect for TokioStack {
    type Error = io::Error;
    type Connection<'a> = FromTokio<tokio::net::TcpStream>;

    async fn connect<'a>(&'a self, remote: SocketAddr) -> io::Result<Self::Connection<'a>> {
        tokio::net::TcpStream::connect(remote).await.map(FromTokio::new)
    }
}

/// Publishes and receives over any stack whose connections are cancel-safe.
async fn exchange_messages<S: TcpConnect>(stack: S, server: SocketAddr) {
    let mqtt = Handle::new(Client::new(Buffers { rx: [0; 256], tx: [0; 512] }));
    let mut received = 0;
    let mut runner = Runner::new(&mqtt, Tokio::new(), [0; 256], Backoff::new(100, 100).limit(0));
    let run = runner.run(
        async |link| {
            let connection = stack.connect(server).await.map_err(Error::Io)?;
            link.run_cancel_safe(connection, &Connect::new("nal").keep_alive(5)).await
        },
        |update, outbound| {
            match update {
                Update::Event(Event::Connected { .. }) => {
                    outbound.subscribe(&[("t", QoS::ExactlyOnce)])?;
                }
                Update::Event(Event::Subscribed { .. }) => {
                    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                        outbound.publish(&Message::new("t", b"there and back").qos(qos))?;
                    }
                }
                Update::Event(Event::Message(_)) => received += 1,
                Update::LinkLost { error, .. } => panic!("{error}"),
                _ => {}
            }
            if received == 3 {
                outbound.finish();
            }
            Ok(())
        },
    );
    run.await.unwrap();
    assert_eq!(received, 3);
}

#[tokio::test(flavor = "current_thread")]
async fn an_async_stack_whose_connection_cannot_be_split() {
    let broker = broker();
    exchange_messages(TokioStack, broker.addr()).await;
}

/// A polled stack, over std sockets.
struct PolledStack;

#[derive(Debug)]
struct Failure(ErrorKind);

impl TcpError for Failure {
    fn kind(&self) -> TcpErrorKind {
        match self.0 {
            ErrorKind::BrokenPipe => TcpErrorKind::PipeClosed,
            _ => TcpErrorKind::Other,
        }
    }
}

fn polled<V>(result: io::Result<V>) -> nb::Result<V, Failure> {
    result.map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => nb::Error::WouldBlock,
        kind => nb::Error::Other(Failure(kind)),
    })
}

impl TcpClientStack for PolledStack {
    type TcpSocket = Option<TcpStream>;
    type Error = Failure;

    fn socket(&mut self) -> Result<Self::TcpSocket, Failure> {
        Ok(None)
    }

    fn connect(&mut self, socket: &mut Self::TcpSocket, remote: SocketAddr) -> nb::Result<(), Failure> {
        let stream = polled(TcpStream::connect(remote))?;
        polled(stream.set_nonblocking(true))?;
        *socket = Some(stream);
        Ok(())
    }

    fn send(&mut self, socket: &mut Self::TcpSocket, buffer: &[u8]) -> nb::Result<usize, Failure> {
        polled(socket.as_mut().unwrap().write(buffer))
    }

    fn receive(&mut self, socket: &mut Self::TcpSocket, buffer: &mut [u8]) -> nb::Result<usize, Failure> {
        polled(socket.as_mut().unwrap().read(buffer))
    }

    fn close(&mut self, _: Self::TcpSocket) -> Result<(), Failure> {
        Ok(())
    }
}

/// All the code that a program needs for such a stack.
struct Socket<S: TcpClientStack> {
    stack: S,
    socket: S::TcpSocket,
}

impl<S: TcpClientStack> polled::Stream for Socket<S> {
    type Error = S::Error;

    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, S::Error> {
        self.stack.receive(&mut self.socket, buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, S::Error> {
        self.stack.send(&mut self.socket, bytes)
    }
}

#[test]
fn a_polled_stack_reconnects() {
    let broker = broker();
    let server = broker.addr();
    let mut stack = PolledStack;
    let socket = stack.socket().unwrap();
    let connection =
        Connection::new(Socket { stack, socket }, Client::new(Buffers { rx: [0; 256], tx: [0; 512] }));
    let open = |stream: &mut Socket<PolledStack>| {
        let next = stream.stack.socket()?;
        stream.stack.close(std::mem::replace(&mut stream.socket, next))?;
        stream.stack.connect(&mut stream.socket, server)
    };
    let mut mqtt = Reconnect::new(connection, open, Backoff::new(1, 100).limit(5));
    let (epoch, mut returned) = (Clock::now(), 0);
    let mut links = 0;
    while returned < 2 {
        let now = Instant::from_millis(epoch.elapsed().as_millis() as u32);
        match mqtt.poll(&Connect::new("nal").keep_alive(5), now) {
            Ok(Update::Event(Event::Connected { .. })) => {
                links += 1;
                mqtt.subscribe(&[("t", QoS::AtLeastOnce)]).unwrap();
                mqtt.publish(&Message::new("t", b"there and back").at_least_once()).unwrap();
            }
            Ok(Update::Event(Event::Message(_))) => {
                returned += 1;
                // The first connection is closed.
                let mut connection = mqtt.into_connection();
                let socket = connection.stream_mut().socket.as_ref().unwrap();
                socket.shutdown(std::net::Shutdown::Both).unwrap();
                mqtt = Reconnect::new(connection, open, Backoff::new(1, 100).limit(5));
            }
            Ok(_) => {}
            Err(nb::Error::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            Err(nb::Error::Other(error)) => panic!("{error:?}"),
        }
    }
    assert_eq!(links, 2);
}

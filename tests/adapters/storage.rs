//! Where a connection can be stored: in a static, on another thread.

use std::sync::Mutex;

use baremqtt::transport::asynch::Timer;
use baremqtt::transport::{asynch, blocking, net, polled};
use baremqtt::{Buffers, Client, Connect, InboundIds, Instant, Standard, State};

use crate::adapters::poll;

/// A transport that accepts everything and never delivers anything.
struct Silence;

impl embedded_io::ErrorType for Silence {
    type Error = embedded_io::ErrorKind;
}

impl embedded_io::ReadReady for Silence {
    fn read_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(false)
    }
}

impl embedded_io::Read for Silence {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, Self::Error> {
        unreachable!("nothing is there")
    }
}

impl embedded_io::Write for Silence {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl embedded_io_async::Read for Silence {
    async fn read(&mut self, _: &mut [u8]) -> Result<usize, Self::Error> {
        std::future::pending().await
    }
}

impl embedded_io_async::Write for Silence {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl polled::Stream for Silence {
    type Error = ();

    fn read(&mut self, _: &mut [u8]) -> nb::Result<usize, ()> {
        Err(nb::Error::WouldBlock)
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, ()> {
        Ok(bytes.len())
    }
}

impl Timer for Silence {
    fn now(&self) -> Instant {
        ZERO
    }

    async fn sleep(&self, _: u32) {
        std::future::pending().await
    }
}

const ZERO: Instant = Instant::from_millis(0);

type Small = Client<[u8; 32], [u8; 64]>;

const fn client() -> Small {
    Client::new(Buffers { rx: [0; 32], tx: [0; 64] })
}

/// Initialised at compile time: no code, no stack.
#[test]
fn a_connection_in_a_static() {
    type Blocking = blocking::Connection<Silence, fn() -> Instant, [u8; 32], [u8; 64]>;
    static BLOCKING: Mutex<Blocking> = Mutex::new(blocking::Connection::new(Silence, client(), || ZERO));
    let mut mqtt = BLOCKING.lock().unwrap();
    mqtt.connect(&Connect::new("c")).unwrap();
    assert_eq!(mqtt.flush(), Ok(true));
    assert_eq!(mqtt.state(), State::Connecting);

    static POLLED: Mutex<polled::Connection<Silence, [u8; 32], [u8; 64]>> =
        Mutex::new(polled::Connection::new(Silence, client()));
    let mut mqtt = POLLED.lock().unwrap();
    mqtt.connect(&Connect::new("c")).unwrap();
    assert_eq!(mqtt.poll(ZERO), Err(nb::Error::WouldBlock));
    assert_eq!(mqtt.state(), State::Connecting);

    type Awaited = asynch::Connection<Silence, Silence, Silence, [u8; 32], [u8; 64]>;
    static AWAITED: Mutex<Awaited> = Mutex::new(asynch::Connection::new(Silence, Silence, client(), Silence));
    let mut mqtt = AWAITED.lock().unwrap();
    mqtt.connect(&Connect::new("c")).unwrap();
    assert!(poll(std::pin::pin!(mqtt.next_event(None))).is_pending());
    assert_eq!(mqtt.state(), State::Connecting);
}

/// A multi-threaded executor may move them.
#[test]
fn futures_are_send() {
    fn send<F: Future + Send>(_: F) {}
    let mut mqtt = asynch::Connection::new(Silence, Silence, client(), Silence);
    send(mqtt.next_event(None));
    send(mqtt.flush());
    send(mqtt.disconnect());
}

/// Clients and connections may be moved to another thread if the types they are made of may. Checked at compile time,
/// for any such types.
#[test]
fn connections_are_send_if_their_parts_are() {
    const fn send<X: Send>() {}
    const fn sync<X: Sync>() {}

    /// Buffers, the configuration and the storage for identifiers.
    const fn over_tcp<S: Send, R: Send, T: Send, C: Send, I: Send>() {
        send::<Client<R, T, C, I>>();
        send::<net::Connection<S, R, T, C, I>>();
        send::<net::Runner<R, T, C, I>>();
        send::<net::Handle<R, T, C, I>>();
        sync::<net::Handle<R, T, C, I>>();
    }

    /// A connection holds on to an error of its stream for a while.
    const fn over_embedded<S, W, K: Send, R: Send, T: Send, C: Send, I: Send>()
    where
        S: embedded_io::ErrorType<Error: Send> + Send,
        W: Send,
    {
        send::<blocking::Connection<S, K, R, T, C, I>>();
        send::<asynch::Connection<S, W, K, R, T, C, I>>();
    }

    const fn over_nb<S: polled::Stream<Error: Send> + Send, R: Send, T: Send, C: Send, I: Send>() {
        send::<polled::Connection<S, R, T, C, I>>();
    }

    over_tcp::<std::net::TcpStream, &mut [u8], Vec<u8>, Standard, InboundIds>();
    over_embedded::<Silence, Silence, fn() -> Instant, [u8; 32], [u8; 64], Standard, InboundIds>();
    over_nb::<Silence, [u8; 32], [u8; 64], Standard, InboundIds>();
}

//! Where a connection can live: in a static, on another thread.

use std::sync::Mutex;

use baremqtt::transport::embedded_io_async::Timer;
use baremqtt::transport::{embedded_io, embedded_io_async, nb};
use baremqtt::{Buffers, Client, Connect, Instant, State};

use crate::adapters::poll;

/// A line that takes everything and brings nothing.
struct Silence;

impl ::embedded_io::ErrorType for Silence {
    type Error = ::embedded_io::ErrorKind;
}

impl ::embedded_io::ReadReady for Silence {
    fn read_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(false)
    }
}

impl ::embedded_io::Read for Silence {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, Self::Error> {
        unreachable!("nothing is there")
    }
}

impl ::embedded_io::Write for Silence {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl ::embedded_io_async::Read for Silence {
    async fn read(&mut self, _: &mut [u8]) -> Result<usize, Self::Error> {
        std::future::pending().await
    }
}

impl ::embedded_io_async::Write for Silence {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl nb::Stream for Silence {
    type Error = ();

    fn read(&mut self, _: &mut [u8]) -> ::nb::Result<usize, ()> {
        Err(::nb::Error::WouldBlock)
    }

    fn write(&mut self, bytes: &[u8]) -> ::nb::Result<usize, ()> {
        Ok(bytes.len())
    }
}

impl Timer for Silence {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    async fn sleep_until(&mut self, _: Instant) {
        std::future::pending().await
    }
}

type Small = Client<[u8; 32], [u8; 64], 4>;

const fn client() -> Small {
    Client::new(Buffers { rx: [0; 32], tx: [0; 64] })
}

/// Made by the compiler: no code, no stack.
#[test]
fn a_connection_in_a_static() {
    type Blocking = embedded_io::Connection<Silence, fn() -> Instant, [u8; 32], [u8; 64], 4>;
    static BLOCKING: Mutex<Blocking> =
        Mutex::new(embedded_io::Connection::new(Silence, client(), || Instant::ZERO));
    let mut mqtt = BLOCKING.lock().unwrap();
    mqtt.client_mut().connect(&Connect::new("c"), Instant::ZERO).unwrap();
    assert_eq!(mqtt.flush(), Ok(true));
    assert_eq!(mqtt.client().state(), State::Connecting);

    static POLLED: Mutex<nb::Connection<Silence, [u8; 32], [u8; 64], 4>> =
        Mutex::new(nb::Connection::new(Silence, client()));
    let mut mqtt = POLLED.lock().unwrap();
    mqtt.client_mut().connect(&Connect::new("c"), Instant::ZERO).unwrap();
    assert_eq!(mqtt.poll(Instant::ZERO), Err(::nb::Error::WouldBlock));
    assert_eq!(mqtt.client().state(), State::Connecting);

    type Awaited = embedded_io_async::Connection<Silence, Silence, Silence, [u8; 32], [u8; 64], 4>;
    static AWAITED: Mutex<Awaited> =
        Mutex::new(embedded_io_async::Connection::new(Silence, Silence, client(), Silence));
    let mut mqtt = AWAITED.lock().unwrap();
    let connect = Connect::new("c");
    assert!(poll(std::pin::pin!(mqtt.connect(&connect))).is_pending());
    assert_eq!(mqtt.client().state(), State::Connecting);
}

/// An executor with several threads may move them.
#[test]
fn futures_are_send() {
    fn send<F: Future + Send>(_: F) {}
    let mut mqtt = embedded_io_async::Connection::new(Silence, Silence, client(), Silence);
    send(mqtt.connect(&Connect::new("c")));
    send(mqtt.next_event(None));
    send(mqtt.flush());
    send(mqtt.disconnect());
}

//! Where a connection can live: on another thread.

use baremqtt::transport::embedded_io_async::{Connection, Timer};
use baremqtt::{Buffers, Client, Connect, Instant};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

/// A line that takes everything and brings nothing.
struct Silence;

impl ErrorType for Silence {
    type Error = ErrorKind;
}

impl Read for Silence {
    async fn read(&mut self, _: &mut [u8]) -> Result<usize, ErrorKind> {
        std::future::pending().await
    }
}

impl Write for Silence {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
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

/// An executor with several threads may move them.
#[test]
fn futures_are_send() {
    fn send<F: Future + Send>(_: F) {}
    let client = Client::<_, _, 4>::new(Buffers { rx: [0; 32], tx: [0; 64] });
    let mut mqtt = Connection::new(Silence, Silence, client, Silence);
    send(mqtt.connect(&Connect::new("c")));
    send(mqtt.next_event(None));
    send(mqtt.flush());
    send(mqtt.disconnect());
}

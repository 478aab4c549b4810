//! The adapters that need no operating system, over streams that may do anything.
//!
//! The async one is not here: the compiler puts a panic of its own into every `async fn`, for an executor that polls a
//! future that has finished. (It is the only one: link with `a_panic_path_is_left` defined, and see who calls it.)

use core::time::Duration;

use baremqtt::transport::blocking::{Buffered, Halves, TimesOut, WithReady};
use baremqtt::transport::{Error, blocking, polled};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS, StreamedMessage};

use crate::{any, any_bytes, any_now, any_text, keep};

/// A stream about which nothing is known.
struct Any;

type Fault = embedded_io::ErrorKind;

fn any_result<V>(value: V) -> Result<V, Fault> {
    any(Ok(value))
}

impl embedded_io::ErrorType for Any {
    type Error = Fault;
}

impl embedded_io::ReadReady for Any {
    fn read_ready(&mut self) -> Result<bool, Fault> {
        any_result(true)
    }
}

impl embedded_io::Read for Any {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        buffer.iter_mut().for_each(|byte| *byte = any(0));
        any_result(1)
    }
}

impl embedded_io::BufRead for Any {
    fn fill_buf(&mut self) -> Result<&[u8], Fault> {
        any_result(any_bytes())
    }

    fn consume(&mut self, len: usize) {
        keep(len);
    }
}

impl embedded_io::Write for Any {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        keep(bytes);
        any_result(1)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        any_result(())
    }
}

impl polled::Stream for Any {
    type Error = Fault;

    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, Fault> {
        Ok(embedded_io::Read::read(self, buffer)?)
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, Fault> {
        keep(bytes);
        any(Err(nb::Error::WouldBlock))
    }
}

pub fn run() {
    wait();
    come_back();
    poll();
}

fn client() -> Client<[u8; 64], [u8; 128]> {
    any(Client::new(Buffers { rx: [0; 64], tx: [0; 128] }))
}

fn seen<E>(result: Result<Option<Event<'_>>, Error<E>>) {
    keep(result.is_ok_and(|event| any(event).is_some()));
}

fn wait() {
    let mut mqtt = blocking::Connection::new(Any, client(), any_now);
    keep(mqtt.connect(&Connect::new(any_text())).is_ok());
    keep(mqtt.subscribe(&[(any_text(), QoS::AtLeastOnce)]));
    keep(mqtt.unsubscribe(&[any_text()]));
    keep(mqtt.publish(&Message::new(any_text(), any_bytes())));
    keep(mqtt.publish_streamed(&StreamedMessage::new(any_text(), any(1))));
    keep(mqtt.write_payload(any_bytes()));
    seen(mqtt.next_event(any(Some(Duration::from_millis(1)))));
    keep(mqtt.flush().is_ok());
    keep(mqtt.disconnect().is_ok());
    mqtt.drain(any(Duration::from_millis(1)));
    keep(mqtt.is_open());
    mqtt.reopen(Any);
    keep(mqtt.into_parts().0.state());
}

/// Streams that are built from others, and a connection that reconnects.
fn come_back() {
    let input = WithReady::new(Any, |_: &mut Any| any_result(true));
    let stream = Halves { input: Buffered::new(Any, move |_: &mut Any| any_result(true)), output: input };
    let connection = blocking::Connection::new(stream, client(), any_now);
    let open = |_: &mut _| any_result(());
    let mut mqtt = blocking::Reconnect::new(connection, open, Backoff::new(any(1), any(2)).limit(any(3)));
    keep(mqtt.next_event(&Connect::new(any_text()), any(Some(Duration::from_millis(1)))).is_ok());
    let mut mqtt = blocking::Connection::new(TimesOut(Any), client(), any_now);
    seen(mqtt.next_event(any(None)));
}

fn poll() {
    let mut mqtt = polled::Connection::new(Any, client());
    keep(mqtt.connect(&Connect::new(any_text())));
    keep(mqtt.poll(any_now()).is_ok());
    mqtt.reopen(Any);
    keep(mqtt.into_parts().0.state());
    let open = |_: &mut Any| any(Ok(()));
    let mut mqtt =
        polled::Reconnect::new(polled::Connection::new(Any, client()), open, Backoff::new(any(1), any(2)));
    keep(mqtt.poll(&Connect::new(any_text()), any_now()).is_ok());
    let serial = polled::Serial { read: || any(Ok(0)), write: |byte| any(Ok(keep(byte))) };
    let mut mqtt = polled::Connection::new(serial, client());
    let _: nb::Result<Event<'_>, Error<()>> = mqtt.poll(any_now());
}

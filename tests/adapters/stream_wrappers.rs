//! Streams that the blocking adapter can wait for, built from other streams.

use std::cell::Cell;
use std::convert::Infallible;
use std::time::Duration;

use baremqtt::transport::blocking::{Buffered, Connection, Halves, TimesOut, WithReady};
use baremqtt::{Connect, Event};
use embedded_io::{BufRead, ErrorType, Read, ReadReady, Write};

use crate::adapters::client;
use crate::wire::Step::{Block, Move};
use crate::wire::Wire;

/// Reads records of ten bytes from a lower layer, and would wait forever if there is none.
struct Records<'a> {
    beneath: &'a Cell<usize>,
    held: usize,
}

impl ErrorType for Records<'_> {
    type Error = Infallible;
}

impl Read for Records<'_> {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, Infallible> {
        unreachable!("buffered input is read through BufRead")
    }
}

impl BufRead for Records<'_> {
    fn fill_buf(&mut self) -> Result<&[u8], Infallible> {
        if self.held == 0 {
            self.beneath.set(self.beneath.get().checked_sub(1).expect("this would block"));
            self.held = 10;
        }
        Ok(&b"0123456789"[10 - self.held..])
    }

    fn consume(&mut self, len: usize) {
        self.held -= len;
    }
}

#[test]
fn buffered_input_is_read_before_the_layer_beneath_is_checked() {
    let beneath = Cell::new(2);
    let mut stream = Buffered::new(Records { beneath: &beneath, held: 0 }, |_| Ok(beneath.get() > 0));
    let (mut read, mut buffer) = (Vec::new(), [0; 4]);
    while stream.read_ready().unwrap() {
        let len = stream.read(&mut buffer).unwrap();
        assert!(len > 0);
        read.extend_from_slice(&buffer[..len]);
    }
    assert_eq!(read, b"01234567890123456789");
    assert_eq!(stream.into_inner().held, 0);
}

/// Connects over this stream.
fn assert_connects(stream: impl Read + ReadReady + Write, wire: &Wire) {
    let clock = wire.clone();
    let mut mqtt = Connection::new(stream, client(), move || clock.now());
    mqtt.connect(&Connect::new("c")).unwrap();
    let event = mqtt.next_event(Some(Duration::from_secs(1))).unwrap();
    assert_eq!(event, Some(Event::Connected { session_present: Some(false) }));
}

#[test]
fn joined_halves_and_a_custom_readiness_check_work() {
    let wire = Wire::default();
    assert_connects(Halves { input: wire.clone(), output: wire.clone() }, &wire);

    // Has no `ReadReady` of its own; only its owner knows whether input is waiting.
    struct WithoutReadiness(Wire);
    impl ErrorType for WithoutReadiness {
        type Error = crate::wire::Fault;
    }
    impl Read for WithoutReadiness {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
            Read::read(&mut self.0, buffer)
        }
    }
    impl Write for WithoutReadiness {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
            Write::write(&mut self.0, bytes)
        }
        fn flush(&mut self) -> Result<(), Self::Error> {
            Write::flush(&mut self.0)
        }
    }
    let wire = Wire::default();
    assert_connects(WithReady::new(WithoutReadiness(wire.clone()), |stream| stream.0.read_ready()), &wire);
}

#[test]
fn a_stream_whose_reads_time_out_works() {
    /// A read fails with `TimedOut` if there is no input.
    struct TimingOut(Wire);
    impl ErrorType for TimingOut {
        type Error = crate::wire::Fault;
    }
    impl Read for TimingOut {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
            if self.0.read_ready()? {
                return Read::read(&mut self.0, buffer);
            }
            self.0.pass(50);
            Err(crate::wire::Fault::TimedOut)
        }
    }
    impl Write for TimingOut {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
            Write::write(&mut self.0, bytes)
        }
        fn flush(&mut self) -> Result<(), Self::Error> {
            Write::flush(&mut self.0)
        }
    }
    let wire = Wire::with_steps(&[Block, Move(1)], &[Move(3)], &[Move(1)]);
    assert_connects(TimesOut(TimingOut(wire.clone())), &wire);
}

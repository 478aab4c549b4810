//! A stream in which a signal interrupts one call.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use baremqtt::transport::net::Stream;

/// The signal that interrupts a certain call, counted from 0.
#[derive(Clone)]
pub struct Signal {
    at: usize,
    calls: Arc<AtomicUsize>,
}

impl Signal {
    pub fn at(call: usize) -> Self {
        Signal { at: call, calls: Arc::default() }
    }

    pub fn has_come(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > self.at
    }

    fn call(&self) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if call == self.at { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

pub struct Interrupted<S> {
    pub stream: S,
    pub signal: Signal,
}

impl<S: Read> Read for Interrupted<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.signal.call()?;
        self.stream.read(buffer)
    }
}

impl<S: Write> Write for Interrupted<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.signal.call()?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.signal.call()?;
        self.stream.flush()
    }
}

impl<S: Stream> Stream for Interrupted<S> {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        self.stream.limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.stream.limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        self.stream.finish_output()
    }
}

/// Sends `hello`, and waits for `HELLO`. `answer` plays the server, unless a thread does. What was interrupted is repeated.
pub fn hello(stream: &mut impl Stream, answer: impl FnOnce()) {
    stream.write_all(b"hello").expect("a server");
    while let Err(error) = stream.flush() {
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
    answer();
    let (mut received, mut buffer) = (Vec::new(), [0; 5]);
    while received.len() < 5 {
        match stream.read(&mut buffer) {
            Ok(0) => panic!("the stream has ended"),
            Ok(len) => received.extend_from_slice(&buffer[..len]),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(received, b"HELLO");
}

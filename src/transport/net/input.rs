//! The input of a stream that has halves: a thread blocks on it, and the runner takes the bytes that were read.

use core::task::Poll;
use core::time::Duration;
use std::boxed::Box;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant as Clock;
use std::vec::Vec;
use std::{thread, vec};

use super::bell::{Bell, lock};
use super::stream::{DRAINED, INTERVAL, is_temporary};

/// The size of one read or write.
pub(super) const CHUNK: usize = 16 << 10;

/// Bytes that were read but not yet taken.
pub(super) struct Input {
    received: Mutex<Received>,
    /// Signals that all bytes were taken.
    taken: Condvar,
    bell: Arc<Bell>,
}

#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    /// How many of the bytes were taken.
    start: usize,
    /// The stream has ended or failed, which is reported once.
    has_ended: bool,
    failure: Option<io::Error>,
    /// Input is being discarded; the number of bytes discarded so far.
    wasted: Option<usize>,
    /// The stream is closed and will not be read any more.
    is_closed: bool,
}

impl Input {
    /// An empty input, to [`put`](Self::put) bytes into.
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        Input { received: Mutex::default(), taken: Condvar::new(), bell }
    }

    /// Reads on a thread of its own, with this pause before each read, until the stream ends.
    pub(super) fn start(
        reader: Box<dyn Read + Send>,
        bell: Arc<Bell>,
        pause: Duration,
    ) -> io::Result<Arc<Self>> {
        let input = Arc::new(Input::new(bell));
        let filled = Filled(Arc::clone(&input));
        thread::Builder::new().name("mqtt-input".into()).spawn(move || {
            let failure = filled.0.fill(reader, pause);
            filled.0.end(failure);
        })?;
        Ok(input)
    }

    /// Reads until the end. Returns the failure, if it is not just the end of the stream.
    fn fill(&self, mut reader: Box<dyn Read + Send>, pause: Duration) -> Option<io::Error> {
        let mut buffer = vec![0; CHUNK];
        while !lock(&self.received).is_closed {
            if !pause.is_zero() {
                thread::sleep(pause);
            }
            let started = Clock::now();
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => self.put(&mut buffer, len),
                Err(error) if is_temporary(&error) => {
                    // A stream that does not block is polled.
                    let interval = Duration::from_millis(INTERVAL.into());
                    thread::sleep(interval.saturating_sub(started.elapsed()));
                }
                Err(error) => return Some(error),
            }
        }
        None
    }

    /// The stream has ended or failed.
    pub(super) fn end(&self, failure: Option<io::Error>) {
        let mut received = lock(&self.received);
        received.has_ended = true;
        received.failure = failure;
        drop(received);
        self.bell.ring();
    }

    /// Waits until the previous bytes have been taken, and then swaps the buffers.
    pub(super) fn put(&self, buffer: &mut Vec<u8>, len: usize) {
        let is_full =
            |received: &mut Received| received.wasted.is_none() && received.start < received.bytes.len();
        let mut received =
            self.taken.wait_while(lock(&self.received), is_full).unwrap_or_else(PoisonError::into_inner);
        if let Some(wasted) = &mut received.wasted {
            *wasted = wasted.saturating_add(len);
        } else {
            buffer.truncate(len);
            core::mem::swap(&mut received.bytes, buffer);
            received.start = 0;
            buffer.resize(CHUNK, 0);
        }
        drop(received);
        self.bell.ring();
    }

    /// Whether everything was taken and there may be more.
    pub(super) fn wants_more(&self) -> bool {
        let received = lock(&self.received);
        !received.has_ended && (received.wasted.is_some() || received.start == received.bytes.len())
    }

    /// Takes as many bytes as fit; 0 means the end of the stream, `Pending` that there is nothing now.
    pub(super) fn take(&self, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut received = lock(&self.received);
        let bytes = received.bytes.get(received.start..).unwrap_or_default();
        if bytes.is_empty() {
            return match received.failure.take() {
                Some(error) => Poll::Ready(Err(error)),
                None if received.has_ended => Poll::Ready(Ok(0)),
                None => Poll::Pending,
            };
        }
        let len = bytes.len().min(out.len());
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        received.start = received.start.saturating_add(len);
        if received.start == received.bytes.len() {
            self.taken.notify_one();
        }
        Poll::Ready(Ok(len))
    }

    /// The stream is being closed: ends the thread that reads it.
    pub(super) fn close(&self) {
        let mut received = lock(&self.received);
        received.wasted.get_or_insert(0);
        received.is_closed = true;
        self.taken.notify_one();
    }

    /// Discards input from now on. Returns whether the input has ended, or is too long.
    pub(super) fn is_drained(&self) -> bool {
        let mut received = lock(&self.received);
        let wasted = *received.wasted.get_or_insert(0);
        self.taken.notify_one();
        received.has_ended || wasted > DRAINED
    }
}

/// When dropped, reports the end of the reading thread, even after a panic.
struct Filled(Arc<Input>);

impl Drop for Filled {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end(Some(io::Error::other("a panic within a read")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString as _;
    use std::sync::mpsc;

    use super::*;

    /// A reader that does what the test requests.
    struct Scripted(mpsc::Receiver<&'static str>);

    impl Read for Scripted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.recv() {
                Ok("panic") => panic!("on purpose"),
                Ok(text) => text.as_bytes().read(buffer),
                Err(_) => Ok(0),
            }
        }
    }

    fn start() -> (mpsc::Sender<&'static str>, Arc<Input>) {
        let (sender, script) = mpsc::channel();
        (sender, Input::start(Box::new(Scripted(script)), Arc::default(), Duration::ZERO).unwrap())
    }

    /// The next bytes, read three at a time.
    fn next(input: &Input) -> io::Result<Vec<u8>> {
        let mut out = [0; 3];
        loop {
            match input.take(&mut out) {
                Poll::Ready(result) => return result.map(|len| out[..len].to_vec()),
                Poll::Pending => input.bell.wait(None),
            }
        }
    }

    #[test]
    fn all_input_arrives_in_order_before_the_end() {
        let (sender, input) = start();
        for text in ["hello", "w", "orld"] {
            sender.send(text).unwrap();
        }
        drop(sender);
        let mut all = Vec::new();
        loop {
            match next(&input).unwrap() {
                bytes if bytes.is_empty() => break,
                bytes => all.extend(bytes),
            }
        }
        assert_eq!(all, b"helloworld");
        assert!(input.is_drained());
    }

    #[test]
    fn a_panic_is_a_failure() {
        let (sender, input) = start();
        sender.send("panic").unwrap();
        assert!(next(&input).unwrap_err().to_string().contains("panic"));
    }

    /// The thread is waiting for room when the input is closed.
    #[test]
    fn closing_ends_the_thread() {
        let (sender, input) = start();
        for _ in 0..3 {
            sender.send("more").unwrap();
        }
        input.bell.wait(None);
        input.close();
        while sender.send("more").is_ok() {
            thread::yield_now();
        }
    }
}

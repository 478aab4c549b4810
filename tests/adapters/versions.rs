//! Streams of `embedded-io` 0.6, blocking and async, with their errors.

use std::future::poll_fn;
use std::task::Poll;

use baremqtt::transport::{FromV06, asynch, blocking};
use embedded_io::{BufRead, Error as _, Read};
use embedded_io_v06::{ErrorKind, ErrorType};

use crate::adapters::{Async, client};
use crate::conversation::exchange_messages;
use crate::wire::Step::{Block, Fail, Move};
use crate::wire::{Fault, Wire};

/// A stream of the previous version.
struct Old(Wire);

#[derive(Debug)]
struct OldFault(Fault);

impl embedded_io_v06::Error for OldFault {
    fn kind(&self) -> ErrorKind {
        match self.0 {
            Fault::Broken => ErrorKind::BrokenPipe,
            Fault::Interrupted => ErrorKind::Interrupted,
            Fault::TimedOut => ErrorKind::TimedOut,
        }
    }
}

impl ErrorType for Old {
    type Error = OldFault;
}

impl embedded_io_v06::Read for Old {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, OldFault> {
        embedded_io::Read::read(&mut self.0, buffer).map_err(OldFault)
    }
}

impl embedded_io_v06::ReadReady for Old {
    fn read_ready(&mut self) -> Result<bool, OldFault> {
        embedded_io::ReadReady::read_ready(&mut self.0).map_err(OldFault)
    }
}

impl embedded_io_v06::Write for Old {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, OldFault> {
        embedded_io::Write::write(&mut self.0, bytes).map_err(OldFault)
    }

    fn flush(&mut self) -> Result<(), OldFault> {
        embedded_io::Write::flush(&mut self.0).map_err(OldFault)
    }
}

impl embedded_io_async_v06::Read for Old {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, OldFault> {
        embedded_io_async::Read::read(&mut self.0, buffer).await.map_err(OldFault)
    }
}

impl embedded_io_async_v06::Write for Old {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, OldFault> {
        embedded_io_async::Write::write(&mut self.0, bytes).await.map_err(OldFault)
    }

    async fn flush(&mut self) -> Result<(), OldFault> {
        // It waits once, which it is allowed to do.
        let mut has_waited = false;
        poll_fn(|_| if std::mem::replace(&mut has_waited, true) { Poll::Ready(()) } else { Poll::Pending })
            .await;
        embedded_io_async::Write::flush(&mut self.0).await.map_err(OldFault)
    }
}

fn with_steps() -> Wire {
    let interrupted = Fail(Fault::Interrupted);
    Wire::with_steps(&[Block, Move(5), interrupted], &[interrupted, Move(7)], &[Block, Move(1)])
}

#[test]
fn one_conversation_blocking_and_async() {
    let io = with_steps();
    let clock = io.clone();
    let now = || clock.now();
    exchange_messages(&mut blocking::Connection::new(FromV06(Old(io.clone())), client(), now));

    let io = with_steps();
    let (input, output) = (FromV06(Old(io.clone())), FromV06(Old(io.clone())));
    exchange_messages(&mut Async::new(asynch::Connection::new(input, output, client(), io)));
}

#[test]
fn errors_keep_their_kind_and_what_is_buffered_is_read() {
    let io = Wire::with_steps(&[Fail(Fault::Broken)], &[Move(1)], &[Move(1)]);
    io.0.ended.set(true);
    let error = FromV06(Old(io)).read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), embedded_io::ErrorKind::BrokenPipe);
    assert_eq!(error.to_string(), "OldFault(Broken)");

    let mut bytes = FromV06(&b"abc"[..]);
    assert_eq!(bytes.fill_buf().unwrap(), b"abc");
    bytes.consume(2);
    assert_eq!(bytes.fill_buf().unwrap(), b"c");
}

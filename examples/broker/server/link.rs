//! One connection as the other threads see it: bytes on their way to the client, a deadline, and a way to close.

use std::io;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use baremqtt::codec::{EncodeError, Packet, Version};

use super::{Stream, lock};

/// How long the end of a connection may take: the last bytes out, the peer's end in.
const LINGER: Duration = Duration::from_secs(2);

/// A buffer that is empty again keeps no more than this.
const KEPT_CAPACITY: usize = 1 << 20;

pub(super) struct Link {
    id: u64,
    stream: Box<dyn Stream>,
    unsent: Mutex<Unsent>,
    changed: Condvar,
    max_unsent: usize,
    deadline: Mutex<Option<Instant>>,
    closed_because: OnceLock<&'static str>,
}

/// Bytes that wait for the writing thread.
#[derive(Default)]
struct Unsent {
    bytes: Vec<u8>,
    /// Nothing may be added any more.
    ended: bool,
}

impl Link {
    pub(super) fn new(id: u64, stream: Box<dyn Stream>, max_unsent: usize) -> Self {
        Link {
            id,
            stream,
            unsent: Mutex::default(),
            changed: Condvar::new(),
            max_unsent,
            deadline: Mutex::new(None),
            closed_because: OnceLock::new(),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Queues a packet and never waits. A peer that reads too slowly is disconnected.
    ///
    /// # Errors
    /// Where this version of the protocol has no such packet. Nothing is queued then.
    pub(super) fn send(&self, packet: &Packet<'_>, version: Version) -> Result<(), EncodeError> {
        let mut unsent = lock(&self.unsent);
        if unsent.ended {
            return Ok(());
        }
        let start = unsent.bytes.len();
        // Compared before the packet is added, so that a packet of any length finds room.
        if start > self.max_unsent {
            drop(unsent);
            self.close("reads too slowly");
            return Ok(());
        }
        unsent.bytes.resize(start + packet.encoded_len(), 0);
        if let Err(error) = packet.encode(version, &mut unsent.bytes[start..]) {
            unsent.bytes.truncate(start);
            return Err(error);
        }
        if start == 0 {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Nothing more is sent: the rest goes out, and the peer is told.
    pub(super) fn finish(&self) {
        self.set_deadline(Some(Instant::now() + LINGER));
        lock(&self.unsent).ended = true;
        self.changed.notify_one();
    }

    /// Ends the connection at once. The reading thread finds the end of the stream, and does what follows.
    pub(super) fn close(&self, why: &'static str) {
        let _ = self.closed_because.set(why);
        *lock(&self.unsent) = Unsent { bytes: Vec::new(), ended: true };
        self.changed.notify_one();
        self.stream.close();
    }

    /// Why this server has closed the connection; `None`: it has not, so it was the client.
    pub(super) fn closed_because(&self) -> Option<&'static str> {
        self.closed_because.get().copied()
    }

    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        *lock(&self.deadline) = deadline;
    }

    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        lock(&self.deadline).is_some_and(|deadline| deadline <= now)
    }

    /// Waits for bytes of the peer; 0 is the end.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Reads on after [`finish`](Self::finish) until the peer has closed too: a socket that is closed with bytes
    /// unread takes back what the peer has not read yet, a refusing CONNACK for instance.
    pub(super) fn drain(&self, buffer: &mut [u8]) {
        while self.read(buffer).is_ok_and(|count| count > 0) {}
    }

    /// The writing thread: writes what is queued until the end.
    pub(super) fn write_queued(&self) {
        let mut batch = Vec::new();
        while self.take_unsent(&mut batch) {
            if self.stream.write_all(&batch).is_err() {
                self.close("cannot write");
                return;
            }
            batch.clear();
            batch.shrink_to(KEPT_CAPACITY);
        }
        self.stream.finish();
    }

    /// Waits for bytes to write, and swaps them into `batch`; `false` at the end.
    fn take_unsent(&self, batch: &mut Vec<u8>) -> bool {
        let unsent = lock(&self.unsent);
        let idle = |unsent: &mut Unsent| unsent.bytes.is_empty() && !unsent.ended;
        let mut unsent = self.changed.wait_while(unsent, idle).unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut unsent.bytes, batch);
        !batch.is_empty()
    }
}

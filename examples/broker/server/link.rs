//! One connection as other threads see it: bytes to be sent to the client, a deadline, and a way to close it.

use std::io;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use baremqtt::codec::{EncodeError, Packet, Version};

use super::{Stream, lock};

/// How long the end of a connection may take, in both directions.
const LINGER: Duration = Duration::from_secs(2);

/// An empty buffer keeps at most this capacity.
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

/// Bytes for the writing thread.
#[derive(Default)]
struct Unsent {
    bytes: Vec<u8>,
    /// Nothing more may be added.
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

    /// Queues a packet without waiting. A peer that reads too slowly is disconnected.
    ///
    /// # Errors
    /// If this protocol version has no such packet. Then nothing is queued.
    pub(super) fn send(&self, packet: &Packet<'_>, version: Version) -> Result<(), EncodeError> {
        let mut unsent = lock(&self.unsent);
        if unsent.ended {
            return Ok(());
        }
        let start = unsent.bytes.len();
        // Checked before the packet is added, so that there is room for a packet of any length.
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

    /// Sends the rest, and then closes the output.
    pub(super) fn finish(&self) {
        self.set_deadline(Some(Instant::now() + LINGER));
        lock(&self.unsent).ended = true;
        self.changed.notify_one();
    }

    /// Closes the connection at once. The reading thread sees the end of the stream, and does the rest.
    pub(super) fn close(&self, why: &'static str) {
        let _ = self.closed_because.set(why);
        *lock(&self.unsent) = Unsent { bytes: Vec::new(), ended: true };
        self.changed.notify_one();
        self.stream.close();
    }

    /// Why this server has closed the connection; `None` if the client has.
    pub(super) fn closed_because(&self) -> Option<&'static str> {
        self.closed_because.get().copied()
    }

    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        *lock(&self.deadline) = deadline;
    }

    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        lock(&self.deadline).is_some_and(|deadline| deadline <= now)
    }

    /// Waits for bytes from the peer; 0 means the end.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Continues to read after [`finish`](Self::finish) until the peer has closed too. If a socket is closed with unread
    /// input, bytes that the peer has not read yet are lost, for instance a CONNACK that refuses.
    pub(super) fn drain(&self, buffer: &mut [u8]) {
        while self.read(buffer).is_ok_and(|count| count > 0) {}
    }

    /// The writing thread: writes queued bytes until the end.
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

    /// Waits for bytes to write, and swaps them into `batch`; returns `false` at the end.
    fn take_unsent(&self, batch: &mut Vec<u8>) -> bool {
        let unsent = lock(&self.unsent);
        let idle = |unsent: &mut Unsent| unsent.bytes.is_empty() && !unsent.ended;
        let mut unsent = self.changed.wait_while(unsent, idle).unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut unsent.bytes, batch);
        !batch.is_empty()
    }
}

//! A queue of messages for a task.

use core::fmt;
use core::future::poll_fn;
use core::task::{Poll, Waker};

use super::cell::{OneThread, SharedCell, Sharing};
use super::requests::later;
use crate::codec::{self, Decoded, Packet, Publish, Version};

/// A queue of messages for a task. The handler of a runner [puts](Self::put) messages in, and the task takes the [next](Self::next) one
/// when it has time. They are stored in a buffer of `N` bytes, in the order in which they arrived. Each takes its topic, its payload,
/// and 4 to 9 bytes more.
///
/// ```
/// use baremqtt::Event;
/// use baremqtt::transport::asynch::{Mailbox, MailboxFull};
///
/// /// The handler. This example drops messages if there is no room.
/// fn handle(event: &Event<'_>, lamp: &Mailbox<256>) -> Result<(), MailboxFull> {
///     match event {
///         Event::Message(message) if message.topic.as_str() == "lamp/set" => lamp.put(message),
///         _ => Ok(()),
///     }
/// }
///
/// /// The task.
/// async fn switch(lamp: &Mailbox<256>, mut set: impl AsyncFnMut(bool)) {
///     loop {
///         let is_on = lamp.next(|message| message.payload == b"on").await;
///         set(is_on).await;
///     }
/// }
/// ```
pub struct Mailbox<const N: usize, S: Sharing = OneThread> {
    inner: S::Cell<Inner<N>>,
}

/// A [`Mailbox`] has refused a message: the task has to take others first, or the message is larger than the mailbox. A message is also
/// refused if it is put in from within the closure of [`next`](Mailbox::next).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MailboxFull;

impl fmt::Display for MailboxFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the mailbox has no room for a message; enlarge N, or take messages faster")
    }
}

impl core::error::Error for MailboxFull {}

struct Inner<const N: usize> {
    bytes: [u8; N],
    /// Where the first message begins.
    start: usize,
    /// Where the last message ends.
    end: usize,
    waiter: Option<Waker>,
}

impl<const N: usize> Mailbox<N> {
    /// An empty mailbox, for tasks that run on one thread.
    #[must_use]
    pub const fn new() -> Self {
        Mailbox { inner: core::cell::RefCell::new(Inner::NEW) }
    }
}

impl<const N: usize> Default for Mailbox<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "std")]
impl<const N: usize> Mailbox<N, super::Threads> {
    /// An empty mailbox, for tasks that run on any thread.
    #[must_use]
    pub fn for_threads() -> Self {
        Mailbox { inner: SharedCell::new(Inner::NEW) }
    }
}

impl<const N: usize, S: Sharing> Mailbox<N, S> {
    /// Copies a message, and wakes the task.
    ///
    /// # Errors
    /// [`MailboxFull`].
    pub fn put(&self, message: &Publish<'_>) -> Result<(), MailboxFull> {
        let waiter = self.inner.with(|inner| inner.put(message)).unwrap_or(Err(MailboxFull))?;
        waiter.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Waits for the next message, and calls `f` with it.
    ///
    /// # Cancel safety
    /// Safe: a message stays in the mailbox until `f` has been called with it. Each message goes to one task. Use a mailbox for each
    /// task: if several wait on the same one, they wake each other until there is a message.
    pub async fn next<V>(&self, f: impl FnOnce(&Publish<'_>) -> V) -> V {
        let mut f = Some(f);
        poll_fn(|cx| {
            // Wakers are used and dropped while nothing is borrowed, because a task can be dropped with them.
            match self.inner.with(|inner| inner.take(&mut f).ok_or_else(|| inner.wait(cx.waker()))) {
                Some(Ok(value)) => Poll::Ready(value),
                Some(Err(other)) => {
                    other.into_iter().filter(|other| !other.will_wake(cx.waker())).for_each(Waker::wake);
                    Poll::Pending
                }
                None => later(cx),
            }
        })
        .await
    }
}

impl<const N: usize> Inner<N> {
    const NEW: Self = Inner { bytes: [0; N], start: 0, end: 0, waiter: None };

    /// Returns the task to be woken.
    fn put(&mut self, message: &Publish<'_>) -> Result<Option<Waker>, MailboxFull> {
        if N.saturating_sub(self.end) < message.encoded_len() {
            self.move_to_front();
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        let len = message.encode(Version::Mqtt311, room).map_err(|_| MailboxFull)?;
        self.end = self.end.saturating_add(len);
        Ok(self.waiter.take())
    }

    fn move_to_front(&mut self) {
        let start = core::mem::take(&mut self.start);
        if let Some(messages) = self.bytes.get_mut(..self.end).filter(|messages| start <= messages.len()) {
            messages.copy_within(start.., 0);
        }
        self.end = self.end.saturating_sub(start);
    }

    /// Calls `f` with the first message, and removes it.
    fn take<V>(&mut self, f: &mut Option<impl FnOnce(&Publish<'_>) -> V>) -> Option<V> {
        let messages = self.bytes.get(self.start..self.end).unwrap_or_default();
        // These bytes were encoded by `put`, so decoding succeeds.
        let Ok(Decoded::Complete { packet: Packet::Publish(message), len }) =
            codec::decode(messages, Version::Mqtt311)
        else {
            return None;
        };
        self.start = self.start.saturating_add(len);
        f.take().map(|f| f(&message))
    }

    /// Registers a task. Another one that waits is to be woken, so that it waits again, because there is only one place.
    fn wait(&mut self, waker: &Waker) -> Option<Waker> {
        self.waiter.replace(waker.clone())
    }
}

impl<const N: usize, S: Sharing> fmt::Debug for Mailbox<N, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.inner.with(|inner| inner.end.saturating_sub(inner.start));
        f.debug_struct("Mailbox").field("used", &used).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::sync::atomic::{AtomicU32, Ordering};
    use core::task::Context;
    use std::string::{String, ToString};
    use std::sync::Arc;
    use std::task::Wake;
    use std::vec::Vec;

    use super::*;
    use crate::TopicName;
    use crate::codec::Delivery;

    fn message(payload: &[u8]) -> Publish<'_> {
        let topic = TopicName::new("t").unwrap();
        Publish { topic, payload, delivery: Delivery::AtMostOnce, retain: false }
    }

    fn next<const N: usize, S: Sharing>(mailbox: &Mailbox<N, S>) -> Option<String> {
        let text = |message: &Publish<'_>| String::from_utf8_lossy(message.payload).into_owned();
        match pin!(mailbox.next(text)).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(text) => Some(text),
            Poll::Pending => None,
        }
    }

    #[test]
    fn messages_are_taken_in_order_however_often_the_buffer_wraps() {
        let mailbox = Mailbox::<32>::new();
        let (mut put, mut taken) = (0_u32, 0_u32);
        while taken < 500 {
            while mailbox.put(&message(put.to_string().as_bytes())).is_ok() {
                put += 1;
            }
            for _ in 0..=taken % 3 {
                assert_eq!(next(&mailbox), (taken < put).then(|| taken.to_string()));
                taken += 1;
            }
        }
    }

    #[test]
    fn a_refused_message_changes_nothing() {
        let mailbox = Mailbox::<16>::new();
        assert_eq!(mailbox.put(&message(&[b'x'; 12])), Err(MailboxFull));
        assert_eq!(next(&mailbox), None);
        mailbox.put(&message(&[b'x'; 11])).unwrap();
        assert_eq!(mailbox.put(&message(b"")), Err(MailboxFull));
        let within = pin!(mailbox.next(|_| mailbox.put(&message(b""))));
        let polled = within.poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Ready(Err(MailboxFull)));
        assert_eq!(next(&mailbox), None);
    }

    #[test]
    fn dropping_a_waiting_task_loses_no_message() {
        let mailbox = Mailbox::<16>::new();
        {
            let mut waits = pin!(mailbox.next(|_| ()));
            assert_eq!(waits.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
            mailbox.put(&message(b"kept")).unwrap();
        }
        assert_eq!(next(&mailbox).as_deref(), Some("kept"));
    }

    #[test]
    fn a_task_whose_place_is_taken_is_woken() {
        struct Count(AtomicU32);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mailbox = Mailbox::<16>::new();
        let tasks = [(); 2].map(|()| Arc::new(Count(AtomicU32::new(0))));
        let woken = || tasks.each_ref().map(|task| task.0.load(Ordering::Relaxed));
        let poll = |task: usize| {
            let waker = Waker::from(Arc::clone(&tasks[task]));
            pin!(mailbox.next(|_| ())).poll(&mut Context::from_waker(&waker)).is_ready()
        };
        assert!(!poll(0) && !poll(0));
        assert_eq!(woken(), [0, 0]);
        assert!(!poll(1));
        assert_eq!(woken(), [1, 0]);
        mailbox.put(&message(b"")).unwrap();
        assert_eq!(woken(), [1, 1]);
        assert!(poll(0) && !poll(1));
    }

    #[cfg(feature = "std")]
    #[test]
    fn a_thread_puts_and_another_takes() {
        let mailbox = Mailbox::<64, super::super::Threads>::for_threads();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..1_000_u32 {
                    while mailbox.put(&message(n.to_string().as_bytes())).is_err() {
                        std::thread::yield_now();
                    }
                }
            });
            let mut taken = Vec::new();
            while taken.len() < 1_000 {
                taken.extend(next(&mailbox));
            }
            assert!(taken.iter().enumerate().all(|(n, text)| n.to_string() == *text));
        });
    }
}

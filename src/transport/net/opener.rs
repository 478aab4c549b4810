//! Opening a stream on a thread of its own: to find a name and to connect can take long, and nothing can end it.

use std::io;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, Mutex};
use std::thread;

use super::bell::{Bell, lock};

/// A function that opens streams, and what it is at.
pub(super) struct Opener<O, S> {
    open: Arc<Mutex<O>>,
    at_work: Option<Receiver<io::Result<S>>>,
    bell: Arc<Bell>,
}

impl<O, S> Opener<O, S>
where
    O: FnMut() -> io::Result<S> + Send + 'static,
    S: Send + 'static,
{
    pub(super) fn new(open: O, bell: Arc<Bell>) -> Self {
        Opener { open: Arc::new(Mutex::new(open)), at_work: None, bell }
    }

    /// Begins to open a stream, or looks whether it is open. The bell rings when there is something to be looked at.
    pub(super) fn poll(&mut self) -> Option<io::Result<S>> {
        let Some(receiver) = &self.at_work else { return self.begin().err().map(Err) };
        let result = match receiver.try_recv() {
            Ok(result) => result,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(io::Error::other("no stream: a panic has come between")),
        };
        self.at_work = None;
        Some(result)
    }

    fn begin(&mut self) -> io::Result<()> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (open, rings) = (Arc::clone(&self.open), Rings(Arc::clone(&self.bell)));
        thread::Builder::new().name("mqtt-open".into()).spawn(move || {
            // Dropped in the reverse order, in a panic too: it rings when the sender is gone.
            let _rings = rings;
            let sender = sender;
            let result = lock(&open)();
            // Where nobody waits any more, the stream is dropped.
            let _ = sender.send(result);
        })?;
        self.at_work = Some(receiver);
        Ok(())
    }
}

struct Rings(Arc<Bell>);

impl Drop for Rings {
    fn drop(&mut self) {
        self.0.ring();
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString as _;

    use super::*;

    fn opened<O: FnMut() -> io::Result<u8> + Send + 'static>(opener: &mut Opener<O, u8>) -> io::Result<u8> {
        loop {
            match opener.poll() {
                Some(result) => return result,
                None => opener.bell.wait(None),
            }
        }
    }

    #[test]
    fn what_it_opens_comes_and_so_does_its_failure() {
        let mut count = 0;
        let open = move || {
            count += 1;
            match count {
                2 => Err(io::Error::other("closed")),
                3 => panic!("on purpose"),
                _ => Ok(count),
            }
        };
        let mut opener = Opener::new(open, Arc::default());
        assert_eq!(opened(&mut opener).unwrap(), 1);
        assert_eq!(opened(&mut opener).unwrap_err().to_string(), "closed");
        assert!(opened(&mut opener).unwrap_err().to_string().contains("panic"));
        assert_eq!(opened(&mut opener).unwrap(), 4);
    }
}

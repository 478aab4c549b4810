//! Opening a stream on a thread of its own: to find a name and to connect can take long, and nothing can end it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use super::bell::Bell;

/// What is being opened.
pub(super) struct Opening<V>(Receiver<io::Result<V>>);

/// Begins to open something. The bell rings when there is something to be looked at.
pub(super) fn begin<V: Send + 'static>(
    open: impl FnOnce() -> io::Result<V> + Send + 'static,
    bell: Arc<Bell>,
) -> io::Result<Opening<V>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let rings = Rings(bell);
    thread::Builder::new().name("mqtt-open".into()).spawn(move || {
        // Dropped in the reverse order, in a panic too: it rings when the sender is gone.
        let _rings = rings;
        let sender = sender;
        // Where nobody waits any more, the stream is dropped.
        let _ = sender.send(open());
    })?;
    Ok(Opening(receiver))
}

impl<V> Opening<V> {
    /// What it has come to.
    pub(super) fn poll(&self) -> Option<io::Result<V>> {
        match self.0.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(io::Error::other("no stream: a panic has come between")))
            }
        }
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

    fn opened(open: impl FnOnce() -> io::Result<u8> + Send + 'static) -> io::Result<u8> {
        let bell = Arc::<Bell>::default();
        let opening = begin(open, Arc::clone(&bell))?;
        loop {
            match opening.poll() {
                Some(result) => return result,
                None => bell.wait(None),
            }
        }
    }

    #[test]
    fn what_it_opens_comes_and_so_does_its_failure() {
        assert_eq!(opened(|| Ok(1)).unwrap(), 1);
        assert_eq!(opened(|| Err(io::Error::other("closed"))).unwrap_err().to_string(), "closed");
        assert!(opened(|| panic!("on purpose")).unwrap_err().to_string().contains("panic"));
    }
}

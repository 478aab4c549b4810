//! Opens a stream on a separate thread, because resolving a name and connecting can take long, and cannot be cancelled.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use super::bell::Bell;

/// A stream that is being opened.
pub(super) struct Opening<V>(Receiver<io::Result<V>>);

/// Begins to open a stream. The bell rings when there is a result.
pub(super) fn begin<V: Send + 'static>(
    open: impl FnOnce() -> io::Result<V> + Send + 'static,
    bell: Arc<Bell>,
) -> io::Result<Opening<V>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let rings = Rings(bell);
    thread::Builder::new().name("mqtt-open".into()).spawn(move || {
        // Dropped in reverse order, even in a panic, so that the bell rings after the sender is gone.
        let _rings = rings;
        let sender = sender;
        // If nobody is waiting any more, the stream is dropped.
        let _ = sender.send(open());
    })?;
    Ok(Opening(receiver))
}

impl<V> Opening<V> {
    /// The result, if there is one.
    pub(super) fn poll(&self) -> Option<io::Result<V>> {
        match self.0.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(io::Error::other("no stream: a panic while it was being opened")))
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
    fn the_result_of_open_is_returned() {
        assert_eq!(opened(|| Ok(1)).unwrap(), 1);
        assert_eq!(opened(|| Err(io::Error::other("closed"))).unwrap_err().to_string(), "closed");
        assert!(opened(|| panic!("on purpose")).unwrap_err().to_string().contains("panic"));
    }
}

//! Joins two halves into one stream.

use core::cell::{RefCell, RefMut};
use core::future::poll_fn;
use core::task::Poll;

use embedded_io_async::{ErrorType, Read, Write};

/// Joins the two halves of a stream. `&Duplex` is a stream that can be copied; a read that waits does not block a write.
///
/// Some layers require such a stream beneath them, so that they can be split themselves. For example, `embedded-tls` over a TCP socket of
/// embassy-net:
///
/// ```text
/// let (input, output) = socket.split();
/// let duplex = Duplex::new(input, output);
/// let mut tls = TlsConnection::new(&duplex, &mut read_record, &mut write_record);
/// tls.open(context).await?;
/// let (input, output) = tls.split();
/// link.run(input, output, &connect).await
/// ```
///
/// There can be one read and one write at a time. A second one waits for the first, and keeps its task busy while it does.
#[derive(Debug)]
pub struct Duplex<I, O> {
    input: RefCell<I>,
    output: RefCell<O>,
}

impl<I, O> Duplex<I, O> {
    /// Joins two halves.
    #[must_use]
    pub const fn new(input: I, output: O) -> Self {
        Duplex { input: RefCell::new(input), output: RefCell::new(output) }
    }

    /// Returns the two halves.
    #[must_use]
    pub fn into_halves(self) -> (I, O) {
        (self.input.into_inner(), self.output.into_inner())
    }
}

impl<I: ErrorType, O> ErrorType for &Duplex<I, O> {
    type Error = I::Error;
}

impl<I: Read, O> Read for &Duplex<I, O> {
    #[allow(clippy::await_holding_refcell_ref, reason = "a second caller waits: see `borrowed`")]
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, I::Error> {
        borrowed(&self.input).await.read(buf).await
    }
}

impl<I: ErrorType, O: Write<Error = I::Error>> Write for &Duplex<I, O> {
    #[allow(clippy::await_holding_refcell_ref, reason = "a second caller waits: see `borrowed`")]
    async fn write(&mut self, buf: &[u8]) -> Result<usize, I::Error> {
        borrowed(&self.output).await.write(buf).await
    }

    #[allow(clippy::await_holding_refcell_ref, reason = "a second caller waits: see `borrowed`")]
    async fn flush(&mut self) -> Result<(), I::Error> {
        borrowed(&self.output).await.flush().await
    }
}

/// Borrows the half, once it is free.
async fn borrowed<H>(half: &RefCell<H>) -> RefMut<'_, H> {
    poll_fn(|cx| match half.try_borrow_mut() {
        Ok(half) => Poll::Ready(half),
        Err(_) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

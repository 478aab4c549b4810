//! A slow stream that loses data if an operation is dropped.

use std::time::Duration;

use embedded_io_async::{ErrorType, Read, Write};
use tokio::time::sleep;

/// How many bytes pass in a millisecond.
const RATE: usize = 50;

/// Half of a stream.
pub struct SlowStream<H>(pub H);

impl<H: ErrorType> ErrorType for SlowStream<H> {
    type Error = H::Error;
}

impl<H: Read> Read for SlowStream<H> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, H::Error> {
        let most = buffer.len().min(RATE);
        let len = self.0.read(&mut buffer[..most]).await?;
        // If dropped here, what was read would be lost.
        sleep(Duration::from_millis(1)).await;
        Ok(len)
    }
}

impl<H: Write> Write for SlowStream<H> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, H::Error> {
        sleep(Duration::from_millis(1)).await;
        let len = self.0.write(&bytes[..bytes.len().min(RATE)]).await?;
        self.0.flush().await?;
        Ok(len)
    }

    async fn flush(&mut self) -> Result<(), H::Error> {
        self.0.flush().await
    }
}

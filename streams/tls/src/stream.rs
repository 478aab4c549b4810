//! A TLS connection as a stream for the std adapter.
//!
//! `rustls::StreamOwned` does nearly the same, but is made for sockets that either block forever or not at all. If
//! both directions are full, its write reads for as long as the read timeout allows, and may then return that it
//! has accepted 0 bytes, which means the end of the stream. Here a write only writes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use baremqtt::transport::net::Stream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// The size of one read from the stream beneath.
const CHUNK: usize = 16 << 10;

/// The write timeout during the handshake.
const GLANCE: Duration = Duration::from_millis(100);

/// A TLS connection over a stream, normally TCP. Dropping it tells the server that nothing more will be sent.
///
/// It has halves if that stream has.
#[derive(Debug)]
pub struct TlsStream<S: Stream = TcpStream> {
    output: Output<S>,
    /// `None` once it is read on another thread.
    input: Option<Input>,
}

/// The state that both directions share.
type Tls = Arc<Mutex<ClientConnection>>;

/// The output of records. Both directions produce some, and neither blocks the other while the stream beneath blocks.
#[derive(Debug)]
struct Output<S> {
    tls: Tls,
    stream: S,
    /// Records that the stream has not accepted yet.
    records: Vec<u8>,
}

/// The input of records.
#[derive(Debug)]
struct Input {
    tls: Tls,
    /// Received bytes, and how many of them have been processed.
    bytes: Vec<u8>,
    done: usize,
}

/// The input, to be read on another thread.
struct Reader {
    input: Input,
    stream: Box<dyn Read + Send>,
}

impl<S: Stream> TlsStream<S> {
    /// Performs the handshake, for at most `timeout`. The server's certificate must be for `name`.
    ///
    /// # Errors
    /// Those of the stream; [`InvalidData`](ErrorKind::InvalidData) with a [`rustls::Error`] if the server or its
    /// certificate is not acceptable.
    pub fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        stream: S,
        timeout: Duration,
    ) -> io::Result<Self> {
        let tls = Arc::new(Mutex::new(ClientConnection::new(config, name).map_err(invalid)?));
        let input = Input { tls: Arc::clone(&tls), bytes: Vec::new(), done: 0 };
        let output = Output { tls, stream, records: Vec::new() };
        let mut stream = TlsStream { output, input: Some(input) };
        stream.shake_hands(timeout)?;
        Ok(stream)
    }

    fn shake_hands(&mut self, timeout: Duration) -> io::Result<()> {
        let started = Instant::now();
        loop {
            let left = timeout.checked_sub(started.elapsed()).filter(|left| !left.is_zero());
            let late = || io::Error::new(ErrorKind::TimedOut, "the server does not finish the handshake");
            let left = left.ok_or_else(late)?;
            self.output.stream.limit_read(left)?;
            self.output.stream.limit_write(left.min(GLANCE))?;
            // The client sends the last records of the handshake.
            let is_last = !lock(&self.output.tls).is_handshaking();
            let step = self.output.send().and_then(|()| {
                if is_last {
                    return Ok(());
                }
                let (input, stream) = self.input()?;
                input.receive(stream)
            });
            match step {
                Ok(()) if is_last => return Ok(()),
                Ok(()) => {}
                Err(error) if is_temporary(&error) => {}
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    // Send the alert to the server, if it still reads.
                    let _ = self.output.send();
                    return Err(error);
                }
                Err(error) => {
                    let text = format!("the server has ended the handshake: {error}");
                    return Err(io::Error::new(error.kind(), text));
                }
            }
        }
    }

    /// The input, and the stream that it reads.
    fn input(&mut self) -> io::Result<(&mut Input, &mut S)> {
        let input = self.input.as_mut().ok_or_else(|| io::Error::other("it is read on another thread"))?;
        Ok((input, &mut self.output.stream))
    }
}

impl<S: Stream> Output<S> {
    /// Sends pending records, as far as the stream accepts them. After a timeout, the rest is sent next time.
    fn send(&mut self) -> io::Result<()> {
        let mut tls = lock(&self.tls);
        while tls.wants_write() {
            tls.write_tls(&mut self.records)?;
        }
        drop(tls);
        while !self.records.is_empty() {
            match self.stream.write(&self.records) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(len) => drop(self.records.drain(..len)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.stream.flush()
    }
}

impl Input {
    /// Processes received bytes, or reads once. A read can return part of a record, which is kept, or several records.
    fn receive(&mut self, stream: &mut dyn Read) -> io::Result<()> {
        if self.done == self.bytes.len() {
            self.bytes.resize(CHUNK, 0);
            self.done = CHUNK;
            let len = stream.read(&mut self.bytes)?;
            self.bytes.truncate(len);
            self.done = 0;
        }
        let mut tls = lock(&self.tls);
        // 0 bytes mean the end.
        let len = tls.read_tls(&mut self.bytes.get(self.done..).unwrap_or_default())?;
        self.done += len;
        tls.process_new_packets().map_err(invalid)?;
        if len == 0 && tls.is_handshaking() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn read(&mut self, stream: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = lock(&self.tls).reader().read(buffer);
            match result {
                // The received records contain no data: try the next one.
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.receive(stream)?,
                // The end without close_notify, which many servers do not send. It cannot truncate a packet unnoticed.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                result => return result,
            }
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(&mut self.stream, buffer)
    }
}

impl<S: Stream> Read for TlsStream<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (input, stream) = self.input()?;
        let result = input.read(stream, buffer);
        // Send answers, for instance an alert. If that fails, the next write says so: what was received comes first.
        let _ = self.output.send();
        result
    }
}

impl<S: Stream> Write for TlsStream<S> {
    /// Accepts bytes only after earlier records have been sent, so that they do not accumulate.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.send()?;
        let taken = lock(&self.output.tls).writer().write(bytes)?;
        match self.output.send() {
            Err(error) if !is_temporary(&error) => Err(error),
            // The next write, or `flush`, sends the rest.
            _ => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.send()
    }
}

impl<S: Stream> Stream for TlsStream<S> {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        self.output.stream.limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.output.stream.limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        lock(&self.output.tls).send_close_notify();
        self.output.send()?;
        self.output.stream.finish_output()
    }

    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        let Some(stream) = self.output.stream.reader()? else { return Ok(None) };
        Ok(self.input.take().map(|input| Box::new(Reader { input, stream }) as Box<dyn Read + Send>))
    }

    fn close(&mut self) {
        self.output.stream.close();
    }
}

impl<S: Stream> Drop for TlsStream<S> {
    fn drop(&mut self) {
        lock(&self.output.tls).send_close_notify();
        // A failure here cannot be reported.
        let _ = self.output.send();
    }
}

/// Ignores poisoning: after a panic in rustls, the connection fails by itself.
fn lock(tls: &Tls) -> MutexGuard<'_, ClientConnection> {
    tls.lock().unwrap_or_else(PoisonError::into_inner)
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

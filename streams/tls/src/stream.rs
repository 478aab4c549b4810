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

/// The size of one read from TCP.
const CHUNK: usize = 16 << 10;

/// The write timeout during the handshake.
const GLANCE: Duration = Duration::from_millis(100);

/// A TLS connection over TCP. Dropping it tells the server that nothing more will be sent.
#[derive(Debug)]
pub struct TlsStream {
    output: Output,
    /// `None` once it is read on another thread.
    input: Option<Input>,
}

/// The state that both directions share.
type Tls = Arc<Mutex<ClientConnection>>;

/// The output of records. Both directions produce some, and neither blocks the other while TCP blocks.
#[derive(Debug)]
struct Output {
    tls: Tls,
    tcp: TcpStream,
    /// Records that TCP has not accepted yet.
    records: Vec<u8>,
}

/// The input of records.
#[derive(Debug)]
struct Input {
    tls: Tls,
    tcp: TcpStream,
    /// Received bytes, and how many of them have been processed.
    bytes: Vec<u8>,
    done: usize,
}

impl TlsStream {
    /// Performs the handshake, for at most `timeout`. The server's certificate must be for `name`.
    ///
    /// # Errors
    /// Those of TCP; [`InvalidData`](ErrorKind::InvalidData) with a [`rustls::Error`] if the server or its
    /// certificate is not acceptable.
    pub fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        tcp: TcpStream,
        timeout: Duration,
    ) -> io::Result<Self> {
        let tls = Arc::new(Mutex::new(ClientConnection::new(config, name).map_err(invalid)?));
        let input = Input { tls: Arc::clone(&tls), tcp: tcp.try_clone()?, bytes: Vec::new(), done: 0 };
        let mut stream = TlsStream { output: Output { tls, tcp, records: Vec::new() }, input: Some(input) };
        stream.shake_hands(timeout)?;
        Ok(stream)
    }

    fn shake_hands(&mut self, timeout: Duration) -> io::Result<()> {
        let started = Instant::now();
        loop {
            let left = timeout.checked_sub(started.elapsed()).filter(|left| !left.is_zero());
            let late = || io::Error::new(ErrorKind::TimedOut, "the server does not finish the handshake");
            let left = left.ok_or_else(late)?;
            self.limit_read(left)?;
            self.limit_write(left.min(GLANCE))?;
            // The client sends the last records of the handshake.
            let is_last = !lock(&self.output.tls).is_handshaking();
            let step = self.flush();
            match if is_last { step } else { step.and_then(|()| self.input()?.receive()) } {
                Ok(()) if is_last => return Ok(()),
                Ok(()) => {}
                Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    // Send the alert to the server, if it still reads.
                    let _ = self.flush();
                    return Err(error);
                }
                Err(error) => {
                    let text = format!("the server has ended the handshake: {error}");
                    return Err(io::Error::new(error.kind(), text));
                }
            }
        }
    }

    fn input(&mut self) -> io::Result<&mut Input> {
        self.input.as_mut().ok_or_else(|| io::Error::other("it is read on another thread"))
    }
}

impl Output {
    /// Sends pending records, as far as TCP accepts them. After a timeout, the rest is sent next time.
    fn send(&mut self) -> io::Result<()> {
        let mut tls = lock(&self.tls);
        while tls.wants_write() {
            tls.write_tls(&mut self.records)?;
        }
        drop(tls);
        while !self.records.is_empty() {
            match self.tcp.write(&self.records) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(len) => drop(self.records.drain(..len)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Input {
    /// Processes received bytes, or reads once. A read can return part of a record, which is kept, or several records.
    fn receive(&mut self) -> io::Result<()> {
        if self.done == self.bytes.len() {
            self.bytes.resize(CHUNK, 0);
            self.done = CHUNK;
            let len = self.tcp.read(&mut self.bytes)?;
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
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = lock(&self.tls).reader().read(buffer);
            match result {
                // The received records contain no data: try the next one.
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.receive()?,
                // The end without close_notify, which many servers do not send. It cannot truncate a packet unnoticed.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                result => return result,
            }
        }
    }
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.input()?.read(buffer);
        // Send answers, for instance an alert. If TCP is full, the next write sends them.
        match self.output.send() {
            Err(error) if result.is_ok() && !is_timeout(&error) => Err(error),
            _ => result,
        }
    }
}

impl Write for TlsStream {
    /// Accepts bytes only after earlier records have been sent, so that they do not accumulate.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.send()?;
        let taken = lock(&self.output.tls).writer().write(bytes)?;
        match self.output.send() {
            Err(error) if !is_timeout(&error) => Err(error),
            // The next write, or `flush`, sends the rest.
            _ => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.send()
    }
}

impl Stream for TlsStream {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        self.output.tcp.limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.output.tcp.limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        lock(&self.output.tls).send_close_notify();
        self.output.send()?;
        self.output.tcp.finish_output()
    }

    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        self.output.tcp.set_read_timeout(None)?;
        Ok(self.input.take().map(|input| Box::new(input) as Box<dyn Read + Send>))
    }

    fn close(&mut self) {
        self.output.tcp.close();
    }
}

impl Drop for TlsStream {
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

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

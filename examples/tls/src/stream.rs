//! A TLS connection as a stream for the adapter of std.
//!
//! `rustls::StreamOwned` does nearly the same, but is made for sockets that either block for ever or not at all. Where
//! both directions are full, a write of it reads, for as long as the timeout of reads allows, and then may say that it
//! has taken 0 bytes, which is the end of the stream. Here a write only writes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use baremqtt::transport::net::Stream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// A TLS connection over TCP. Dropping it tells the server that nothing more comes.
pub struct TlsStream {
    tls: ClientConnection,
    tcp: TcpStream,
}

impl TlsStream {
    /// Shakes hands with the server, for at most `timeout`. `name` is what its certificate has to be for.
    ///
    /// # Errors
    /// Those of TCP; [`InvalidData`](ErrorKind::InvalidData) with a [`rustls::Error`] where the server, or its
    /// certificate, is not what it should be.
    pub fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        tcp: TcpStream,
        timeout: Duration,
    ) -> io::Result<Self> {
        let tls = ClientConnection::new(config, name).map_err(invalid)?;
        let mut stream = TlsStream { tls, tcp };
        let started = Instant::now();
        while stream.tls.is_handshaking() {
            let left = timeout.checked_sub(started.elapsed()).filter(|left| !left.is_zero());
            let late = || io::Error::new(ErrorKind::TimedOut, "the server does not finish the handshake");
            stream.limit_read(left.ok_or_else(late)?)?;
            match stream.send_records().and_then(|()| stream.receive_records()) {
                Err(error) if is_timeout(&error) => {}
                Err(error) if error.kind() == ErrorKind::InvalidData => return Err(error),
                Err(error) => {
                    let text = format!("the server has ended the handshake: {error}");
                    return Err(io::Error::new(error.kind(), text));
                }
                Ok(()) => {}
            }
        }
        Ok(stream)
    }

    /// Sends the records that are made, as far as TCP takes them. A timeout leaves the rest for the next time.
    fn send_records(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.tcp) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once. What comes may be a part of a record, or several of them; the part is kept.
    fn receive_records(&mut self) -> io::Result<()> {
        if self.tls.read_tls(&mut self.tcp)? == 0 && self.tls.is_handshaking() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let result = self.tls.process_new_packets();
        // What is owed in answer, an alert for instance. If TCP is full, it goes with the next write.
        match self.send_records() {
            Err(error) if result.is_ok() && !is_timeout(&error) => return Err(error),
            _ => {}
        }
        result.map(drop).map_err(invalid)
    }
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(buffer) {
                // There is nothing in the records that have come: the next one, then.
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.receive_records()?,
                // Without close_notify, which many servers do not send. No packet can be cut off by that unnoticed.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                result => return result,
            }
        }
    }
}

impl Write for TlsStream {
    /// Takes more once the records before it are out: so the buffer of `tls` is never full.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send_records()?;
        let taken = self.tls.writer().write(bytes)?;
        match self.send_records() {
            Err(error) if !is_timeout(&error) => Err(error),
            // The rest of them goes with the next write, or with `flush`.
            _ => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_records()
    }
}

impl Stream for TlsStream {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        self.tcp.limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.tcp.limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        self.send_records()?;
        self.tcp.finish_output()
    }
}

impl Drop for TlsStream {
    fn drop(&mut self) {
        self.tls.send_close_notify();
        // Nobody is left to tell, should it fail.
        let _ = self.send_records();
    }
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

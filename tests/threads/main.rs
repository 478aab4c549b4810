//! The `std` runner and its handles: over loopback TCP, with servers controlled by the test.

#[path = "../common/choices.rs"]
mod choices;
mod coalescing;
mod cut_links;
mod finishing;
mod handles;
#[path = "../support/proxy.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod proxy;
mod reconnecting;
#[path = "../../examples/broker/server/mod.rs"]
mod server;
mod stopping;
mod streamed_payloads;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use baremqtt::transport::net::{self, Error, GaveUp, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Connect, InboundIds};
use choices::Choices;

const CONNECT: Connect<'static> = Connect::new("c").clean_session(false).keep_alive(0);
const CONNECT_LEN: usize = 15;
const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
const TIMEOUT: Duration = Duration::from_secs(60);
const SHORT_BACKOFF: Backoff = Backoff::new(1, 5);

type Handle = net::Handle<Vec<u8>, Vec<u8>, Choices>;
type Runner = net::Runner<Vec<u8>, Vec<u8>, Choices>;
type Link<'r> = net::Link<'r, Vec<u8>, Vec<u8>, Choices, InboundIds>;

fn runner(backoff: Backoff) -> Runner {
    runner_with(512, Choices::new(), backoff)
}

fn runner_with(tx: usize, choices: Choices, backoff: Backoff) -> Runner {
    Runner::new(Client::with_config(Buffers { rx: vec![0; 512], tx: vec![0; tx] }, choices), backoff)
}

fn open(address: SocketAddr) -> impl FnOnce() -> io::Result<TcpStream> + Clone + Send + 'static {
    move || open_tcp(address, TIMEOUT)
}

/// For each attempt, opens a stream and runs the link.
fn open_and_run<S: net::Stream + Send + 'static>(
    open: impl FnOnce() -> io::Result<S> + Clone + Send + 'static,
    connect: Connect<'_>,
) -> impl FnMut(&mut Link<'_>) -> Result<(), Error> {
    move |link| {
        let stream = link.open(open.clone())?;
        link.run(stream, &connect)
    }
}

/// A server that is not there. (A port that was free just now may be in use again.)
fn connection_refused() -> io::Result<TcpStream> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// A runner at work, and what it reports, as text.
struct Running {
    handle: Handle,
    reported: Receiver<String>,
    thread: JoinHandle<Result<(), GaveUp>>,
}

impl Running {
    /// Waits until this is reported.
    fn wait_for_report(&self, text: &str) {
        loop {
            let reported =
                self.reported.recv_timeout(TIMEOUT).unwrap_or_else(|_| panic!("{text} is not reported"));
            if reported.starts_with(text) {
                return;
            }
        }
    }

    fn stop(self) -> Result<(), GaveUp> {
        self.handle.stop();
        self.thread.join().unwrap()
    }
}

/// Runs it on a thread of its own, with a handler that only reports.
fn start<S: net::Stream + Send + 'static>(
    runner: Runner,
    open: impl FnOnce() -> io::Result<S> + Clone + Send + 'static,
) -> Running {
    let (reports, reported) = mpsc::channel();
    let handle = runner.handle();
    let thread = thread::spawn(move || {
        runner.run(open_and_run(open, CONNECT), |update, _| {
            let text = match update {
                Update::Event(event) => format!("{event:?}"),
                Update::LinkLost { error, .. } => format!("lost: {error}"),
                other => format!("{other:?}"),
            };
            // The test may no longer be listening.
            let _ = reports.send(text);
            Ok(())
        })
    });
    Running { handle, reported, thread }
}

/// A server for one connection: answers CONNECT, and hands the socket to the test.
fn serve<V: Send + 'static>(
    then: impl FnOnce(TcpStream) -> V + Send + 'static,
) -> (SocketAddr, JoinHandle<V>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (address, thread::spawn(move || then(accept(&listener))))
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (mut socket, _) = listener.accept().unwrap();
    socket.read_exact(&mut [0; CONNECT_LEN]).unwrap();
    socket.write_all(&ACCEPTED).unwrap();
    socket
}

/// Everything received until the client closes its output.
fn read_all(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A stream that cannot be split into halves: the runner alternates between reading and writing.
struct Unsplit {
    tcp: TcpStream,
    is_flushed: bool,
}

fn unsplit(tcp: TcpStream) -> Unsplit {
    Unsplit { tcp, is_flushed: true }
}

/// A stream that accepts bytes, but is never flushed, as TLS over a full TCP connection for a while.
fn unflushed(tcp: TcpStream) -> Unsplit {
    Unsplit { tcp, is_flushed: false }
}

impl Read for Unsplit {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.read(buffer)
    }
}

impl Write for Unsplit {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_flushed { self.tcp.flush() } else { Err(io::ErrorKind::WouldBlock.into()) }
    }
}

impl net::Stream for Unsplit {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        self.tcp.limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.tcp.limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        self.tcp.finish_output()
    }
}

//! A small MQTT 3.1 and 3.1.1 server, built on the codec. See `main.rs` for its purpose.
//!
//! From an example or a test:
//!
//! ```text
//! #[path = "../examples/broker/server/mod.rs"]
//! mod server;
//!
//! let server = Server::start(Options { listen: "127.0.0.1:0".parse()?, ..Options::default() })?;
//! let address = server.addr();
//! server.stop(); // or drop it
//! ```
//!
//! ```text
//! listener  ->  connection  ->  broker  ->  session  ->  link
//! accepts       bytes to        effects     one          bytes to be
//!               packets         of packets  client       sent to it
//! ```
//!
//! Every connection has two threads: one reads, decodes and passes each packet to the broker, the other writes
//! the bytes in the link. The broker is one value behind one lock. It never waits for a client.

mod broker;
mod connection;
mod connections;
mod limits;
mod link;
mod listener;
mod log;
mod login;
mod message;
mod outgoing;
mod packets;
mod queue;
mod retained;
mod session;
mod stream;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use broker::Broker;
use connections::Connections;
pub use limits::Limits;
pub use log::Log;
pub use stream::Stream;

/// The options of a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The TCP address to listen on; port 0 picks a free port.
    pub listen: SocketAddr,
    /// User names and passwords. If there are any, nobody else may connect.
    pub users: Vec<(String, String)>,
    /// The limits of the server.
    pub limits: Limits,
    /// Receives log lines.
    pub log: Option<Log>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: (Ipv4Addr::LOCALHOST, 1883).into(),
            users: Vec::new(),
            limits: Limits::default(),
            log: None,
        }
    }
}

/// A running server. It stops when dropped.
pub struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
    watcher: Option<JoinHandle<()>>,
}

/// The state that all threads of a server share.
struct Shared {
    broker: Mutex<Broker>,
    connections: Connections,
    log: Option<Log>,
}

#[allow(dead_code, reason = "each program that includes this module uses a part of it")]
impl Server {
    /// Starts to listen and serve, on threads of its own.
    ///
    /// # Errors
    /// If the address is not available, or a thread cannot be started.
    pub fn start(options: Options) -> io::Result<Server> {
        let listener = TcpListener::bind(options.listen)?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            connections: Connections::new(options.limits),
            log: options.log,
            broker: Mutex::new(Broker::new(options)),
        });
        let mut server = Server { addr, shared: Arc::clone(&shared), listener: None, watcher: None };
        let watched = Arc::clone(&shared);
        server.watcher = Some(spawn("watcher", move || watched.connections.watch())?);
        server.listener = Some(spawn("listener", move || listener::accept(&listener, &shared))?);
        Ok(server)
    }

    /// The address of the server.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves a connection that was accepted in another way, for instance through a WebSocket.
    pub fn serve(&self, stream: impl Stream) {
        connection::start(&self.shared, Box::new(stream));
    }

    /// Closes every connection and ends every thread.
    pub fn stop(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.connections.stop();
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
        if let Some(thread) = self.listener.take() {
            // The listener is waiting for a connection: this is one.
            if listener::wake(self.addr).is_ok() {
                let _ = thread.join();
            }
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// Takes a lock, and ignores poisoning.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

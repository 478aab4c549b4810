//! A small MQTT 3.1 and 3.1.1 server made on the codec. See `main.rs` for what it is good for.
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
//! accepts       bytes to        what each   what one     bytes on their
//!               packets         packet does client has   way to a client
//! ```
//!
//! Every connection has two threads: one reads, decodes and hands each packet to the broker, the other writes
//! what the broker has put into the link. The broker is one value behind one lock. It never waits for a client.

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

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen for TCP; port 0 takes a free one.
    pub listen: SocketAddr,
    /// User names with their passwords. Where there are any, nobody else is let in.
    pub users: Vec<(String, String)>,
    /// How much the server takes upon itself.
    pub limits: Limits,
    /// Is told, in one line each, what happens.
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

/// A running server. It stops when it is dropped.
pub struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
    watcher: Option<JoinHandle<()>>,
}

/// What all threads of a server share.
struct Shared {
    broker: Mutex<Broker>,
    connections: Connections,
    log: Option<Log>,
}

#[allow(dead_code, reason = "each program that includes this module uses a part of it")]
impl Server {
    /// Listens, and serves from now on in threads of its own.
    ///
    /// # Errors
    /// Where the address cannot be listened on, or no thread can be started.
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

    /// Where the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves a connection that came in some other way, through a WebSocket for instance.
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
            // The listener waits for a connection: this is one.
            if listener::wake(self.addr).is_ok() {
                let _ = thread.join();
            }
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// Takes a lock, whatever has happened to a thread that held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

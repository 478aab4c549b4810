//! One connection: decoding, the first packet, the keep alive, and the end.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::Violation;
use baremqtt::codec::{self, ConnAck, Connect, Decoded, Packet, RefusalCode, Version};

use super::link::Link;
use super::log::say;
use super::{Shared, Stream, lock, spawn};

/// The size of one read.
const READ_LEN: usize = 64 << 10;

/// An empty buffer keeps at most this capacity.
const KEPT_CAPACITY: usize = 1 << 20;

/// The maximum length of a CONNECT: five strings of up to 65,535 bytes, and a little more.
const MAX_CONNECT_LEN: usize = 6 * 65_537;

/// Why a connection has ended.
pub(super) enum End {
    /// DISCONNECT, the only way to end without publishing the will.
    Disconnected,
    /// The client has closed the connection.
    ClosedByClient,
    /// This server has closed it: a slow reader, an expired keep alive, or a take-over.
    ClosedByServer(&'static str),
    Failed(io::Error),
    Violation(Violation),
    /// A packet that is well-formed, but not allowed here.
    Unexpected(&'static str),
    Refused(RefusalCode),
}

impl End {
    /// Whether this server ends the connection while the client may still be sending.
    fn is_ours(&self) -> bool {
        !matches!(self, End::ClosedByClient | End::ClosedByServer(_) | End::Failed(_))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Disconnected => f.write_str("disconnected"),
            End::ClosedByClient => f.write_str("closed by the client"),
            End::ClosedByServer(why) => write!(f, "closed: {why}"),
            End::Failed(error) => write!(f, "failed: {error}"),
            End::Violation(violation) => write!(f, "protocol violation: {violation}"),
            End::Unexpected(text) => write!(f, "protocol violation: {text}"),
            End::Refused(code) => write!(f, "refused: {code}"),
        }
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        End::Violation(violation)
    }
}

/// Serves a connection on threads of its own.
pub(super) fn start(shared: &Arc<Shared>, stream: Box<dyn Stream>) {
    let Some(link) = shared.connections.enter(stream) else {
        say!(shared.log, "too many connections: closed one more");
        return;
    };
    let (run_shared, run_link) = (Arc::clone(shared), Arc::clone(&link));
    if let Err(error) = spawn("connection", move || run(&run_shared, &run_link)) {
        say!(shared.log, "cannot start a thread: {error}");
        link.close("no thread");
        shared.connections.leave(&link);
    }
}

fn run(shared: &Shared, link: &Arc<Link>) {
    thread::scope(|scope| {
        let writer = thread::Builder::new().name("writer".to_owned());
        if writer.spawn_scoped(scope, || link.write_queued()).is_ok() {
            converse(shared, link);
        }
    });
    link.close("over");
    shared.connections.leave(link);
}

/// Reads until the connection ends, and informs the broker and the peer.
fn converse(shared: &Shared, link: &Arc<Link>) {
    let mut connection = Connection { shared, link, client: None };
    let mut chunk = vec![0; READ_LEN];
    let end = connection.read_packets(&mut chunk);
    match &connection.client {
        Some(client) => {
            say!(shared.log, "{}: {end}", client.id);
            lock(&shared.broker).end_connection(&client.id, link.id(), matches!(end, End::Disconnected));
        }
        None => say!(shared.log, "connection {}: {end}", link.id()),
    }
    link.finish();
    if end.is_ours() {
        link.drain(&mut chunk);
    }
}

struct Connection<'s> {
    shared: &'s Shared,
    link: &'s Arc<Link>,
    /// The client, after CONNECT.
    client: Option<Client>,
}

struct Client {
    id: Arc<str>,
    version: Version,
    keep_alive: Option<Duration>,
}

impl Connection<'_> {
    fn read_packets(&mut self, chunk: &mut [u8]) -> End {
        let mut received = Vec::new();
        loop {
            match (self.link.read(chunk), self.link.closed_because()) {
                (_, Some(why)) => return End::ClosedByServer(why),
                (Ok(0), None) => return End::ClosedByClient,
                (Ok(count), None) => received.extend_from_slice(&chunk[..count]),
                (Err(error), None) => return End::Failed(error),
            }
            match self.handle_packets(&received) {
                Ok(handled) => drop(received.drain(..handled)),
                Err(end) => return end,
            }
            if received.is_empty() {
                received.shrink_to(KEPT_CAPACITY);
            }
            self.restart_keep_alive();
        }
    }

    /// Handles all complete packets; returns how many bytes they took.
    fn handle_packets(&mut self, received: &[u8]) -> Result<usize, End> {
        let mut rest = received;
        loop {
            match self.decode(rest)? {
                Decoded::Complete { packet, len } => {
                    self.handle(&packet)?;
                    rest = &rest[len..];
                }
                Decoded::Incomplete { missing } if self.client.is_none() && missing > MAX_CONNECT_LEN => {
                    return Err(End::Unexpected("first packet is too long for a CONNECT"));
                }
                Decoded::Incomplete { .. } => return Ok(received.len() - rest.len()),
            }
        }
    }

    fn decode<'b>(&self, bytes: &'b [u8]) -> Result<Decoded<'b>, End> {
        match &self.client {
            Some(client) => Ok(codec::decode(bytes, client.version)?),
            None => codec::decode(bytes, Version::default()).map_err(|violation| match refusal(violation) {
                Some(code) => self.refuse(code),
                None => End::Violation(violation),
            }),
        }
    }

    fn handle(&mut self, packet: &Packet<'_>) -> Result<(), End> {
        match (&self.client, packet) {
            (None, Packet::Connect(connect)) => self.connect(connect),
            (None, _) => Err(End::Unexpected("first packet is not CONNECT [MQTT-3.1.0-1]")),
            (Some(client), packet) => {
                lock(&self.shared.broker).handle_packet(&client.id, self.link.id(), packet)
            }
        }
    }

    fn connect(&mut self, connect: &Connect<'_>) -> Result<(), End> {
        let begun = lock(&self.shared.broker).begin_connection(connect, self.link);
        let id = begun.map_err(|code| self.refuse(code))?;
        say!(self.shared.log, "{id}: connected, {}, keep alive {} s", connect.version, connect.keep_alive);
        // One and a half times the keep alive (MQTT-3.1.2-24).
        let keep_alive = Duration::from_millis(u64::from(connect.keep_alive) * 1_500);
        let keep_alive = Some(keep_alive).filter(|time| !time.is_zero());
        self.client = Some(Client { id, version: connect.version, keep_alive });
        Ok(())
    }

    /// Queues a CONNACK that refuses; the caller closes the connection (MQTT-3.2.2-5).
    fn refuse(&self, code: RefusalCode) -> End {
        // The bytes are the same in both versions.
        let _ = self.link.send(&Packet::ConnAck(ConnAck::Refused(code)), Version::default());
        End::Refused(code)
    }

    /// Any bytes count, not only complete packets: a client cannot send PINGREQ inside a long PUBLISH.
    fn restart_keep_alive(&self) {
        if let Some(client) = &self.client {
            self.link.set_deadline(client.keep_alive.map(|time| Instant::now() + time));
        }
    }
}

/// The CONNACK code for a CONNECT that cannot be decoded, if there is one.
fn refusal(violation: Violation) -> Option<RefusalCode> {
    match violation {
        Violation::ProtocolLevel => Some(RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION),
        Violation::ClientIdEmpty | Violation::ClientIdLength => Some(RefusalCode::IDENTIFIER_REJECTED),
        _ => None,
    }
}

//! A server that replies to everything. Its packets are written by hand: if it used the library, that would be compiled
//! differently.

/// The behaviour of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// It replies to all requests.
    RepliesToAll,
    /// It acknowledges every tenth message after the next one.
    Reorders,
    /// It accepts the connection and the subscription, and then stops replying.
    StopsReplying,
    /// It violates the protocol after a while.
    ViolatesProtocol,
    /// It refuses the connection.
    Refuses,
}

pub const SERVERS: [Server; 5] = [
    Server::RepliesToAll,
    Server::Reorders,
    Server::StopsReplying,
    Server::ViolatesProtocol,
    Server::Refuses,
];

const TOPIC: &[u8] = b"sensor/command";
/// Larger than the client's receive buffer.
const LARGE: usize = 600;
/// This many messages arrive before a server holds an acknowledgement back, or violates the protocol.
const MESSAGES: u32 = 10;

pub struct Peer {
    server: Server,
    received: Bytes<6144>,
    outgoing: Bytes<4096>,
    /// How many messages have arrived.
    messages: u32,
    /// An acknowledgement that is held back.
    delayed: Option<[u8; 4]>,
    /// The packet identifier of the last message sent.
    id: u16,
}

impl Peer {
    pub const fn new(server: Server) -> Self {
        Peer { server, received: Bytes::new(), outgoing: Bytes::new(), messages: 0, delayed: None, id: 0 }
    }

    /// Starts over, with the behaviour of this server.
    pub fn restart_as(&mut self, server: Server) {
        self.new_link();
        self.server = server;
        self.messages = 0;
    }

    /// Bytes from the client, some of which fit into a FIFO of this size.
    #[inline(never)]
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let bytes = &bytes[..bytes.len().min(64)];
        let is_connect = bytes.first() == Some(&0x10) && bytes.get(4..6) == Some(b"MQ");
        if is_connect {
            self.new_link();
        }
        self.received.push(bytes);
        while let Some((header, len)) = self.received.packet() {
            self.reply(header, len);
            self.received.drop_first(len);
        }
        bytes.len()
    }

    fn new_link(&mut self) {
        (self.received.len, self.outgoing.len) = (0, 0);
    }

    /// Bytes for the client.
    #[inline(never)]
    pub fn send(&mut self, buffer: &mut [u8]) -> usize {
        let len = buffer.len().min(self.outgoing.len);
        buffer[..len].copy_from_slice(&self.outgoing.bytes[..len]);
        self.outgoing.drop_first(len);
        len
    }

    /// Replies to the first packet.
    fn reply(&mut self, header: usize, len: usize) {
        let packet = &self.received.bytes[..len];
        // Most packets start with it; a PUBLISH starts with the length of its topic.
        let id = match packet[header..] {
            [high, low, ..] => [high, low],
            _ => [0; 2],
        };
        let stops_replying = self.server == Server::StopsReplying;
        match packet[0] >> 4 {
            1 => self.outgoing.push(&[0x20, 2, 0, if self.server == Server::Refuses { 5 } else { 0 }]),
            3 if packet[0] & 6 != 0 && !stops_replying => {
                let topic_len = usize::from(u16::from_be_bytes(id));
                let id = &packet[header + 2 + topic_len..][..2];
                self.acknowledge(packet[0] & 6 == 4, [id[0], id[1]]);
            }
            // PUBREC, PUBREL
            5 => self.outgoing.push(&[0x62, 2, id[0], id[1]]),
            6 => self.outgoing.push(&[0x70, 2, id[0], id[1]]),
            8 => {
                self.outgoing.push(&[0x90, 3, id[0], id[1], 1]);
                self.publish_at_each_qos();
            }
            10 => self.outgoing.push(&[0xB0, 2, id[0], id[1]]),
            12 if !stops_replying => self.outgoing.push(&[0xD0, 0]),
            _ => {}
        }
    }

    fn acknowledge(&mut self, exactly_once: bool, id: [u8; 2]) {
        self.messages += 1;
        let due = self.messages % MESSAGES == 0;
        let acknowledgement = [if exactly_once { 0x50 } else { 0x40 }, 2, id[0], id[1]];
        match self.server {
            Server::Reorders if due => self.delayed = Some(acknowledgement),
            // PUBLISH at QoS 3.
            Server::ViolatesProtocol if due => self.outgoing.push(&[0x36, 4, 0, 0, 0, 1]),
            _ => {
                self.outgoing.push(&acknowledgement);
                if let Some(delayed) = self.delayed.take() {
                    self.outgoing.push(&delayed);
                }
            }
        }
    }

    fn publish_at_each_qos(&mut self) {
        for payload_len in [4, LARGE] {
            self.publish(0x30, payload_len);
            self.publish(0x32, payload_len);
            self.publish(0x34, payload_len);
        }
        // Once more, before it is released.
        self.id -= 1;
        self.publish(0x3C, LARGE);
    }

    fn publish(&mut self, first: u8, payload_len: usize) {
        let qos_bytes = if first & 6 == 0 { 0 } else { 2 };
        let len = 2 + TOPIC.len() + qos_bytes + payload_len;
        match len {
            0..0x80 => self.outgoing.push(&[first, len as u8]),
            _ => self.outgoing.push(&[first, len as u8 | 0x80, (len >> 7) as u8]),
        }
        self.outgoing.push(&[0, TOPIC.len() as u8]);
        self.outgoing.push(TOPIC);
        if qos_bytes > 0 {
            self.id += 1;
            self.outgoing.push(&self.id.to_be_bytes());
        }
        for _ in 0..payload_len {
            self.outgoing.push(b"p");
        }
    }
}

/// A queue of bytes.
struct Bytes<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Bytes<N> {
    const fn new() -> Self {
        Bytes { bytes: [0; N], len: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn drop_first(&mut self, len: usize) {
        self.bytes.copy_within(len..self.len, 0);
        self.len -= len;
    }

    /// Where the variable header of the first packet begins, and how long the packet is.
    fn packet(&self) -> Option<(usize, usize)> {
        let mut remaining = 0;
        for at in 1..self.len {
            remaining |= usize::from(self.bytes[at] & 0x7F) << (7 * (at - 1));
            if self.bytes[at] & 0x80 == 0 {
                let header = at + 1;
                let whole = header + remaining <= self.len;
                return whole.then_some((header, header + remaining));
            }
        }
        None
    }
}

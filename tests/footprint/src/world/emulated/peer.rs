//! A server that answers everything. Its packets are written by hand: if it used the library, that would be compiled
//! differently.

/// The behaviour of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// It answers all requests.
    Answers,
    /// It acknowledges every tenth message after the next one.
    Reorders,
    /// It accepts the connection and the subscription, and then falls silent.
    FallsSilent,
    /// It violates the protocol after a while.
    BreaksRules,
    /// It refuses the connection.
    Refuses,
}

pub const SERVERS: [Server; 5] =
    [Server::Answers, Server::Reorders, Server::FallsSilent, Server::BreaksRules, Server::Refuses];

const TOPIC: &[u8] = b"sensor/command";
/// Larger than the client's receive buffer.
const LARGE: usize = 600;
/// This many messages arrive before a server holds an acknowledgement back, or violates the protocol.
const MESSAGES: u32 = 10;

pub struct Peer {
    server: Server,
    heard: Bytes<6144>,
    said: Bytes<4096>,
    /// How many messages have arrived.
    messages: u32,
    /// An acknowledgement that is held back.
    late: Option<[u8; 4]>,
    /// The packet identifier of the last message sent.
    id: u16,
}

impl Peer {
    pub const fn of(server: Server) -> Self {
        Peer { server, heard: Bytes::new(), said: Bytes::new(), messages: 0, late: None, id: 0 }
    }

    /// Starts over, as this server.
    pub fn become_(&mut self, server: Server) {
        self.new_link();
        self.server = server;
        self.messages = 0;
    }

    /// Bytes from the client, some of which fit into a FIFO of this size.
    #[inline(never)]
    pub fn hear(&mut self, bytes: &[u8]) -> usize {
        let bytes = &bytes[..bytes.len().min(64)];
        let is_connect = bytes.first() == Some(&0x10) && bytes.get(4..6) == Some(b"MQ");
        if is_connect {
            self.new_link();
        }
        self.heard.push(bytes);
        while let Some((header, len)) = self.heard.packet() {
            self.answer(header, len);
            self.heard.drop_first(len);
        }
        bytes.len()
    }

    fn new_link(&mut self) {
        (self.heard.len, self.said.len) = (0, 0);
    }

    /// Bytes for the client.
    #[inline(never)]
    pub fn speak(&mut self, buffer: &mut [u8]) -> usize {
        let len = buffer.len().min(self.said.len);
        buffer[..len].copy_from_slice(&self.said.bytes[..len]);
        self.said.drop_first(len);
        len
    }

    /// Answers the first packet.
    fn answer(&mut self, header: usize, len: usize) {
        let packet = &self.heard.bytes[..len];
        // Most packets start with it; a PUBLISH starts with the length of its topic.
        let id = match packet[header..] {
            [high, low, ..] => [high, low],
            _ => [0; 2],
        };
        let silent = self.server == Server::FallsSilent;
        match packet[0] >> 4 {
            1 => self.said.push(&[0x20, 2, 0, if self.server == Server::Refuses { 5 } else { 0 }]),
            3 if packet[0] & 6 != 0 && !silent => {
                let topic_len = usize::from(u16::from_be_bytes(id));
                let id = &packet[header + 2 + topic_len..][..2];
                self.acknowledge(packet[0] & 6 == 4, [id[0], id[1]]);
            }
            // PUBREC, PUBREL
            5 => self.said.push(&[0x62, 2, id[0], id[1]]),
            6 => self.said.push(&[0x70, 2, id[0], id[1]]),
            8 => {
                self.said.push(&[0x90, 3, id[0], id[1], 1]);
                self.publish_at_each_qos();
            }
            10 => self.said.push(&[0xB0, 2, id[0], id[1]]),
            12 if !silent => self.said.push(&[0xD0, 0]),
            _ => {}
        }
    }

    fn acknowledge(&mut self, exactly_once: bool, id: [u8; 2]) {
        self.messages += 1;
        let due = self.messages % MESSAGES == 0;
        let acknowledgement = [if exactly_once { 0x50 } else { 0x40 }, 2, id[0], id[1]];
        match self.server {
            Server::Reorders if due => self.late = Some(acknowledgement),
            // PUBLISH at QoS 3.
            Server::BreaksRules if due => self.said.push(&[0x36, 4, 0, 0, 0, 1]),
            _ => {
                self.said.push(&acknowledgement);
                if let Some(late) = self.late.take() {
                    self.said.push(&late);
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
            0..0x80 => self.said.push(&[first, len as u8]),
            _ => self.said.push(&[first, len as u8 | 0x80, (len >> 7) as u8]),
        }
        self.said.push(&[0, TOPIC.len() as u8]);
        self.said.push(TOPIC);
        if qos_bytes > 0 {
            self.id += 1;
            self.said.push(&self.id.to_be_bytes());
        }
        for _ in 0..payload_len {
            self.said.push(b"p");
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

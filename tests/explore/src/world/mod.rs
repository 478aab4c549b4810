//! One state of the whole system: the client, the broker, the link between them, the application, and its disk.

mod action;
mod disk;
mod forget;
mod link;
mod steps;

use std::collections::VecDeque;
use std::hash::Hasher;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use baremqtt::{Buffers, Client, Message, State};

use crate::app::App;
use crate::broker::{Broker, Check, check};
use crate::rules::{Choice, Feature, Rules};

pub use action::{Action, FAIR};
use disk::Image;
pub use link::Link;

/// Room for the identifiers of inbound messages.
const IDS: usize = 40;

/// Whether each step is printed.
pub static TRACE: AtomicBool = AtomicBool::new(false);

macro_rules! say {
    ($($text:tt)*) => {
        if $crate::world::TRACE.load(std::sync::atomic::Ordering::Relaxed) {
            println!("    {}", format!($($text)*));
        }
    };
}
pub(crate) use say;

pub type Real = Client<Vec<u8>, Vec<u8>, Choice, [u8; IDS]>;

/// Bytes that the transport has taken without having reported it yet.
#[derive(Clone)]
struct Offered {
    taken: usize,
    /// The messages, and the messages whose PUBREL, is among what was offered and not taken.
    beyond: (u16, u16),
}

#[derive(Clone)]
pub struct World {
    rules: &'static Rules,
    pub client: Real,
    broker: Broker,
    link: Link,
    app: App,
    offered: Option<Offered>,
    disk: Option<Rc<Image>>,
    /// Images that are to be written to disk, with their revisions.
    prepared: VecDeque<(Rc<Image>, u32)>,
    /// The revision of the image that was written last, if the client does not know that yet.
    written: Option<u32>,
    /// The revision of the last image.
    saved_revision: u32,
    /// Virtual time; 32 bits, which wrap.
    now: u32,
    /// ms since the last packet was sent.
    silent: u32,
    /// The clock has moved, and the client does not know yet.
    is_due: bool,
    /// How often the session was lost, the clock moved, a message was given up, and a disconnect was requested.
    losses: u8,
    jumps: u8,
    endings: u8,
    /// DISCONNECT was requested on this connection, after the end of all requests or not.
    finishes: bool,
    disconnects: bool,
}

impl World {
    pub fn new(rules: &'static Rules) -> Self {
        World {
            rules,
            client: new_client(rules),
            broker: Broker::default(),
            link: Link::default(),
            app: App::default(),
            offered: None,
            disk: None,
            prepared: VecDeque::new(),
            written: None,
            saved_revision: 0,
            // Wraps during the walk.
            now: u32::MAX - 12_000,
            silent: 0,
            is_due: false,
            losses: 0,
            jumps: 0,
            endings: 0,
            finishes: false,
            disconnects: false,
        }
    }

    /// Nothing happens any more: everything must be complete, and nothing may be left over.
    pub fn is_done(&self) -> Check {
        self.app.is_done(&self.broker, self.rules)?;
        check!(self.broker.owes_nothing(), "the broker waits for the client");
        // A client that treats a session as lost leaves unfinished exchanges at the broker.
        let is_released = self.broker.keeps_nothing() || self.rules.distrusts();
        check!(is_released, "the broker keeps an identifier");
        check!(self.link.down.is_empty(), "the client does not read");
        check!(self.client.state() == State::Connected, "the client is {:?}", self.client.state());
        check!(self.client.in_flight() == 0, "the client keeps a request");
        let mut client = self.client.clone();
        let mut image = [0; 256];
        let len = client.save(&mut image).unwrap_or_default();
        check!(len == 13, "the client keeps something: {:?}", &image[..len]);
        let room = self.rules.buffers().1 - 32 - 9;
        let payload = vec![0; room + if room > 127 { 0 } else { 1 }];
        let longest = Message::new("oo", &payload).at_least_once();
        let taken = client.publish(&longest);
        check!(taken.is_ok(), "room is lost: {taken:?} for {} bytes", longest.encoded_len());
        Ok(())
    }

    /// The transport is lost, with everything in transit.
    fn link_closed(&mut self) {
        if let Some(offered) = self.offered.take() {
            self.app.seen |= offered.beyond.0;
            self.app.seen_pubrel |= offered.beyond.1;
        }
        self.link = Link::default();
        let is_clean = self.broker.is_clean;
        self.broker.link_lost();
        self.app.link_lost();
        // A client that never received the CONNACK of the new session takes it for the old one. That cannot be avoided.
        if is_clean || self.broker.is_mistaken {
            self.session_lost();
        }
        self.silent = 0;
        (self.finishes, self.disconnects) = (false, false);
    }

    pub fn hash(&self) -> u64 {
        let mut key = Vec::with_capacity(512);
        self.broker.key(&mut key);
        self.app.key(self.client.state(), &mut key);
        self.link.key(&mut key);
        if let Some(offered) = &self.offered {
            key.extend([1, offered.taken as u8]);
            key.extend(offered.beyond.0.to_be_bytes());
            key.extend(offered.beyond.1.to_be_bytes());
        }
        // The client ignores all revisions but that of its last image.
        let is_last = |revision| u8::from(revision == self.saved_revision);
        if let Some(disk) = &self.disk {
            disk.key(&mut key);
        }
        for (image, revision) in &self.prepared {
            image.key(&mut key);
            key.push(is_last(*revision));
        }
        key.extend([self.prepared.len() as u8, self.written.map_or(2, is_last)]);
        key.extend(self.silent.to_be_bytes());
        key.extend([self.losses, self.jumps, self.endings]);
        key.extend([u8::from(self.is_due), u8::from(self.finishes), u8::from(self.disconnects)]);
        let mut key = Key(key);
        self.client.state_key(&mut key);
        key.finish()
    }

    /// Prints the whole state.
    pub fn show(&self) {
        if TRACE.load(Ordering::Relaxed) {
            println!("    -- {:?}, {} under way", self.client.state(), self.client.in_flight());
        }
    }

    fn has(&self, feature: Feature) -> bool {
        self.rules.has(feature)
    }
}

/// Collects everything first, and hashes it in one go, which is faster than in pieces of a few bytes.
struct Key(Vec<u8>);

impl Hasher for Key {
    fn finish(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write(&self.0);
        hasher.finish()
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }
}

fn new_client(rules: &Rules) -> Real {
    let (rx, tx) = rules.buffers();
    Client::with_inbound_ids(Buffers { rx: vec![0; rx], tx: vec![0; tx] }, rules.choice(), [0; IDS])
}

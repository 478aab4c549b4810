//! The parameters of a walk: messages, features, and the configuration of the client.

use baremqtt::{Config, LargeMessages, QoS, SessionLoss, Version};

macro_rules! features {
    ($($feature:ident $name:literal $what:literal,)*) => {
        /// What a family adds to the base.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Feature { $($feature,)* }

        impl Feature {
            pub const ALL: &'static [Feature] = &[$(Feature::$feature,)*];

            pub fn name(self) -> &'static str {
                match self { $(Feature::$feature => $name,)* }
            }

            pub fn what(self) -> &'static str {
                match self { $(Feature::$feature => $what,)* }
            }
        }
    };
}

features! {
    Loss "loss" "the broker loses the session once",
    Drop "drop" "as loss, and the client drops what it may have had",
    AtPubrel "pubrel" "the broker passes messages of QoS 2 on at PUBREL",
    Order "order" "the broker answers in any legal order",
    Late "late" "the client is told late what has left",
    Restart "restart" "the client is restored from its image, at any point",
    Saves "saves" "as restart, and images are saved without a request, two at a time",
    Time "time" "the clock moves to the next deadline, twice",
    Subscribe "subscribe" "SUBSCRIBE, and after its end UNSUBSCRIBE",
    Stream "stream" "one more message out, streamed",
    Pieces "pieces" "one more message in, in pieces",
    Manual "manual" "the application acknowledges",
    GiveUp "giveup" "one message is given up",
    Mqtt31 "mqtt31" "MQTT 3.1",
    Tight "tight" "the smallest buffers",
    Retry "retry" "requests are repeated on a living connection",
    Finish "finish" "finish or disconnect, once",
    Ids "ids" "each request asks for the first identifier again",
    OutputLost "outlost" "the transport only reads from some point on",
    Clean "clean" "each connection requests a clean session",
    Mixed "mixed" "each connection requests a clean session or one that is kept",
}

/// The payload length of a streamed message, or of one that is received in pieces.
pub const LARGE: usize = 80;

/// The messages with this QoS, as bits.
pub fn of_qos(messages: &[QoS], qos: QoS) -> u16 {
    let found = messages.iter().enumerate().filter(|(_, of)| **of == qos);
    found.fold(0, |bits, (message, _)| bits | 1 << message)
}

/// The rules of one walk.
#[derive(Clone, Debug)]
pub struct Rules {
    /// QoS of the messages to the broker, in order; the last one may be streamed.
    pub out: Vec<QoS>,
    /// QoS of the messages to the client; the last one may be large.
    pub into: Vec<QoS>,
    pub features: Vec<Feature>,
}

impl Rules {
    /// Made from QoS numbers like `12/21`, and features.
    pub fn new(mix: &str, features: &[Feature]) -> Self {
        let (out, into) = mix.split_once('/').expect("QoS out/QoS in");
        let qos = |text: &str| text.bytes().map(|b| QoS::from_bits(b - b'0').expect("0 to 2")).collect();
        let mut rules = Rules { out: qos(out), into: qos(into), features: features.to_vec() };
        if rules.has(Feature::Stream) {
            rules.out.push(rules.out.first().copied().unwrap_or(QoS::ExactlyOnce));
        }
        if rules.has(Feature::Pieces) {
            rules.into.push(rules.into.first().copied().unwrap_or(QoS::ExactlyOnce));
        }
        rules
    }

    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    pub fn name(&self) -> String {
        let numbers = |list: &[QoS]| list.iter().map(|qos| qos.bits().to_string()).collect::<String>();
        let streamed = usize::from(self.has(Feature::Stream));
        let large = usize::from(self.has(Feature::Pieces));
        let mut name = format!(
            "{}/{}",
            numbers(&self.out[..self.out.len() - streamed]),
            numbers(&self.into[..self.into.len() - large])
        );
        for feature in &self.features {
            name.push(' ');
            name.push_str(feature.name());
        }
        name
    }

    pub fn version(&self) -> Version {
        if self.has(Feature::Mqtt31) { Version::Mqtt31 } else { Version::Mqtt311 }
    }

    /// Whether this message to the broker may get lost.
    pub fn is_at_most_once(&self, message: usize) -> bool {
        self.out[message] == QoS::AtMostOnce
    }

    pub fn is_streamed(&self, message: usize) -> bool {
        self.has(Feature::Stream) && message + 1 == self.out.len()
    }

    pub fn is_large(&self, message: usize) -> bool {
        self.has(Feature::Pieces) && message + 1 == self.into.len()
    }

    pub fn is_durable(&self) -> bool {
        self.has(Feature::Restart) || self.has(Feature::Saves)
    }

    pub fn loses_session(&self) -> bool {
        self.has(Feature::Loss) || self.has(Feature::Drop)
    }

    /// MQTT 3.1 does not report a lost session, so the client treats each session as lost that may be.
    pub fn distrusts(&self) -> bool {
        self.has(Feature::Mqtt31) && self.loses_session()
    }

    pub fn has_time(&self) -> bool {
        self.has(Feature::Time) || self.has(Feature::Retry)
    }

    /// In s.
    pub fn keep_alive(&self) -> u16 {
        if self.has(Feature::Time) { 10 } else { 0 }
    }

    /// Of `rx` and `tx`.
    pub fn buffers(&self) -> (usize, usize) {
        let tight = self.has(Feature::Tight);
        // CONNECT takes 15 or 17 bytes, SUBACK 5, the longest packet in the base 9.
        let connect = if self.has(Feature::Mqtt31) { 17 } else { 15 };
        let rx = match (tight, self.has(Feature::Pieces)) {
            (true, _) => connect,
            (false, true) => 24,
            (false, false) => 64,
        };
        let log = match (tight, self.has(Feature::Stream)) {
            (false, _) => 128,
            // The topic + 14, and 64.
            (true, true) => 2 + 14 + 64,
            (true, false) => 9,
        };
        (rx, log + 32)
    }

    pub fn choice(&self) -> Choice {
        Choice {
            mqtt31: self.has(Feature::Mqtt31),
            streams: self.has(Feature::Stream),
            pieces: self.has(Feature::Pieces),
            manual: self.has(Feature::Manual),
            durable: self.is_durable(),
            drops: self.has(Feature::Drop),
            distrusts: self.distrusts(),
            time: self.has(Feature::Time),
            retry: self.has(Feature::Retry),
        }
    }
}

/// The configuration of the client.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    mqtt31: bool,
    streams: bool,
    pieces: bool,
    manual: bool,
    durable: bool,
    drops: bool,
    distrusts: bool,
    time: bool,
    retry: bool,
}

impl Choice {
    /// Without time, no timeout runs: that would only multiply the states.
    fn ms(self, ms: u32) -> u32 {
        if self.time { ms } else { 0 }
    }
}

impl Config for Choice {
    fn mqtt31(&self) -> bool {
        self.mqtt31
    }
    fn connack_timeout_ms(&self) -> u32 {
        self.ms(10_000)
    }
    fn pingresp_timeout_ms(&self) -> u32 {
        self.ms(10_000)
    }
    fn ack_timeout_ms(&self) -> u32 {
        self.ms(30_000)
    }
    fn stall_timeout_ms(&self) -> u32 {
        self.ms(30_000)
    }
    fn retry_ms(&self) -> u32 {
        if self.retry { 5_000 } else { 0 }
    }
    fn session_loss(&self) -> SessionLoss {
        if self.drops { SessionLoss::Drop } else { SessionLoss::Resend }
    }
    fn assume_session_kept(&self) -> bool {
        !self.distrusts
    }
    fn large_messages(&self) -> LargeMessages {
        if self.pieces { LargeMessages::Pieces } else { LargeMessages::Skip }
    }
    fn streams(&self) -> bool {
        self.streams
    }
    fn manual_acknowledgement(&self) -> bool {
        self.manual
    }
    fn durable(&self) -> bool {
        self.durable
    }
}

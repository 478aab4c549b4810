//! The values that every codec gets, and their encoding.

/// CONNECT of 92 bytes.
pub struct Connect {
    pub client_id: &'static str,
    pub keep_alive: u16,
    pub will_topic: &'static str,
    pub will_message: &'static [u8],
    pub username: &'static str,
    pub password: &'static str,
}

/// A PUBLISH of QoS 1, or of QoS 0 where the identifier is 0.
pub struct Publish {
    pub topic: &'static str,
    pub payload: &'static [u8],
    pub id: u16,
}

/// SUBSCRIBE of 64 bytes.
pub struct Subscribe {
    pub id: u16,
    pub filters: [(&'static str, u8); 3],
}

pub static CONNECT: Connect = Connect {
    client_id: "plant-3/gateway-0017",
    keep_alive: 60,
    will_topic: "plant/3/gateway/0017",
    will_message: b"offline",
    username: "gateway-0017",
    password: "correct-hor",
};

pub static PUBLISH_0: Publish = Publish { topic: "plant/3/temp/sensor7", payload: &[b'x'; 64], id: 0 };

pub static PUBLISH_1: Publish = Publish { topic: "plant/3/temp/sensor7", payload: &[b'x'; 1024], id: 4711 };

pub static PUBLISH_16K: Publish =
    Publish { topic: "plant/3/temp/sensor7", payload: &[b'x'; 16_384], id: 4711 };

pub static SUBSCRIBE: Subscribe = Subscribe {
    id: 4711,
    filters: [("plant/+/temperature", 1), ("plant/3/gateway/#", 0), ("site/b7/+/alarm", 2)],
};

pub const PUBACK: u16 = 4711;

/// A packet: its first byte, its length, its body.
fn packet(first: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let mut packet = vec![first];
    let mut rest = body.len();
    loop {
        let more = rest >= 0x80;
        packet.push(rest as u8 & 0x7F | if more { 0x80 } else { 0 });
        rest >>= 7;
        if !more {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// A field preceded by its length.
fn field(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

pub fn connect() -> Vec<u8> {
    let Connect { client_id, keep_alive, will_topic, will_message, username, password } = &CONNECT;
    let fields =
        [client_id.as_bytes(), will_topic.as_bytes(), will_message, username.as_bytes(), password.as_bytes()];
    // Clean session, a will of QoS 1, user name and password.
    let head = [b"\0\x04MQTT\x04\xCE", &keep_alive.to_be_bytes()[..]].concat();
    packet(0x10, &[&head, &fields.map(field).concat()])
}

pub fn publish(values: &Publish) -> Vec<u8> {
    let topic = field(values.topic.as_bytes());
    match values.id {
        0 => packet(0x30, &[&topic, values.payload]),
        id => packet(0x32, &[&topic, &id.to_be_bytes(), values.payload]),
    }
}

pub fn subscribe() -> Vec<u8> {
    let filters = SUBSCRIBE.filters.map(|(filter, qos)| [field(filter.as_bytes()), vec![qos]].concat());
    packet(0x82, &[&SUBSCRIBE.id.to_be_bytes(), &filters.concat()])
}

pub fn puback() -> Vec<u8> {
    packet(0x40, &[&PUBACK.to_be_bytes()])
}

pub fn connack() -> Vec<u8> {
    packet(0x20, &[&[1, 0]])
}

pub fn suback() -> Vec<u8> {
    packet(0x90, &[&SUBSCRIBE.id.to_be_bytes(), &[1, 0, 2]])
}

/// What a client may read in a while: 64 KiB, and the number of packets. 70 of 100 are messages of QoS 0, 10 of
/// QoS 1, the rest are answers.
pub fn stream() -> (Vec<u8>, u64) {
    let mut bytes = Vec::new();
    let mut count = 0;
    // A generator that yields the same numbers each time (Knuth's constants).
    let mut state = 1_u64;
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    while bytes.len() < 65_536 {
        let id = (below(65_535) as u16 + 1).to_be_bytes();
        let topic = field(PUBLISH_0.topic.as_bytes());
        let payload = vec![b'x'; 16 + below(145) as usize];
        bytes.extend(match below(100) {
            0..70 => packet(0x30, &[&topic, &payload]),
            70..80 => packet(0x32, &[&topic, &id, &payload]),
            80..90 => packet(0x40, &[&id]),
            90..94 => packet(0xD0, &[]),
            94..97 => packet(0x90, &[&id, &[1, 0, 2]]),
            _ => packet(0xB0, &[&id]),
        });
        count += 1;
    }
    (bytes, count)
}

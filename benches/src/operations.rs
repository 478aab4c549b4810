//! The 18 operations.

use std::hint::black_box;

use crate::Meter;
use crate::codec::Codec;
use crate::input;

pub struct Operation {
    pub group: &'static str,
    pub name: &'static str,
    pub codec: &'static str,
    /// How many times it is run in one go.
    pub times: u64,
    pub run: fn(&mut Meter, u64),
    /// Whether its result is right.
    pub check: fn() -> bool,
}

/// Repetitions of the short operations.
const TIMES: u64 = 100;

/// Encoding an existing packet, or building one and encoding it.
macro_rules! encode {
    ($name:literal, $times:expr, $make:ident, $encode:ident, $values:expr, $bytes:expr) => {
        [
            Operation {
                group: "codec",
                name: concat!("encode ", $name),
                codec: C::NAME,
                times: $times,
                run: |meter, times| {
                    let (packet, mut out) = (C::$make($values), C::out());
                    meter.measure(times, || {
                        C::$encode(black_box(&packet), &mut out);
                        black_box(&mut out);
                    });
                },
                check: || is_written::<C>(|out| C::$encode(&C::$make($values), out), &$bytes),
            },
            Operation {
                group: "codec",
                name: concat!("build + encode ", $name),
                codec: C::NAME,
                times: $times,
                run: |meter, times| {
                    let mut out = C::out();
                    meter.measure(times, || {
                        C::$encode(&C::$make(black_box($values)), &mut out);
                        black_box(&mut out);
                    });
                },
                check: || is_written::<C>(|out| C::$encode(&C::$make($values), out), &$bytes),
            },
        ]
    };
}

macro_rules! decode {
    ($name:literal, $bytes:expr) => {
        Operation {
            group: "codec",
            name: concat!("decode ", $name),
            codec: C::NAME,
            times: TIMES,
            run: |meter, times| {
                let mut input = C::input($bytes.repeat(times as usize).leak());
                meter.measure(times, || C::decode(&mut input));
            },
            check: || is_read::<C>(&$bytes),
        }
    };
}

fn is_written<C: Codec>(encode: fn(&mut C::Out), bytes: &[u8]) -> bool {
    let mut out = C::out();
    encode(&mut out);
    C::written(&out) == bytes
}

/// Whether packets are the same after they were decoded and encoded again.
fn is_read<C: Codec>(bytes: &[u8]) -> bool {
    let mut input = C::input(bytes.to_vec().leak());
    let mut out = C::out();
    let mut done = 0;
    while done < bytes.len() {
        C::transcode(&mut input, &mut out);
        let written = C::written(&out);
        if written.is_empty() || !bytes[done..].starts_with(written) {
            return false;
        }
        done += written.len();
    }
    true
}

pub fn operations<C: Codec>() -> Vec<Operation> {
    let mut encode = vec![];
    let mut build = vec![];
    for [first, second] in [
        encode!("CONNECT", TIMES, connect, encode_connect, &input::CONNECT, input::connect()),
        encode!(
            "PUBLISH QoS 0, 64 B",
            TIMES,
            publish,
            encode_publish,
            &input::PUBLISH_0,
            input::publish(&input::PUBLISH_0)
        ),
        encode!(
            "PUBLISH QoS 1, 1 KiB",
            TIMES,
            publish,
            encode_publish,
            &input::PUBLISH_1,
            input::publish(&input::PUBLISH_1)
        ),
        encode!(
            "SUBSCRIBE, 3 filters",
            TIMES,
            subscribe,
            encode_subscribe,
            &input::SUBSCRIBE,
            input::subscribe()
        ),
    ] {
        encode.push(first);
        build.push(second);
    }
    let [puback, _] = encode!("PUBACK", TIMES, puback, encode_puback, input::PUBACK, input::puback());
    encode.push(puback);
    encode.extend(build);
    encode.extend([
        decode!("CONNECT", input::connect()),
        decode!("PUBLISH QoS 0, 64 B", input::publish(&input::PUBLISH_0)),
        decode!("PUBLISH QoS 1, 1 KiB", input::publish(&input::PUBLISH_1)),
        decode!("SUBSCRIBE, 3 filters", input::subscribe()),
        decode!("PUBACK", input::puback()),
        decode!("CONNACK", input::connack()),
        decode!("SUBACK, 3 codes", input::suback()),
        Operation {
            group: "codec",
            name: "decode a stream of 64 KiB",
            codec: C::NAME,
            times: 1,
            run: |meter, _| {
                let (bytes, packets) = input::stream();
                let mut input = C::input(bytes.leak());
                meter.measure(packets, || C::decode(&mut input));
            },
            check: || is_read::<C>(&input::stream().0),
        },
        Operation {
            group: "codec",
            name: "decode + encode PUBLISH QoS 1, 16 KiB",
            codec: C::NAME,
            times: 10,
            run: |meter, times| {
                let mut input = C::input(input::publish(&input::PUBLISH_16K).repeat(times as usize).leak());
                let mut out = C::out();
                meter.measure(times, || {
                    C::transcode(&mut input, &mut out);
                    black_box(&mut out);
                });
            },
            check: || is_read::<C>(&input::publish(&input::PUBLISH_16K)),
        },
    ]);
    encode
}

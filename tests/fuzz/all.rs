//! The bodies of the fuzz targets, each run over its seeds and some thousand inputs made from them, so that a test fails when one
//! no longer compiles or no longer holds: `cargo test --manifest-path tests/properties/Cargo.toml --test fuzz`.
//!
//! To add a target: `tests/fuzz/NAME.rs` with `pub fn run(data: &[u8])`, `fuzz/targets/NAME.rs` that includes
//! it, its `[[bin]]` in `fuzz/Cargo.toml`, a test here, and seeds in `tests/fuzz/seeds/NAME/`. Inputs that a
//! fuzzer has found go there, too.

mod adapters;
#[path = "../common/choices.rs"]
mod choices;
mod client_chunks;
mod client_session;
mod decode;
#[path = "../common/image.rs"]
mod image;
#[path = "../common/model.rs"]
mod model;
mod other_codecs;
mod restore;
mod roundtrip;
mod routes;
mod topic;
#[path = "../common/topic_rules.rs"]
mod topic_rules;

use std::panic::catch_unwind;
use std::path::Path;

#[test]
fn adapters() {
    drive("adapters", adapters::run);
}

#[test]
fn client_chunks() {
    drive("client_chunks", client_chunks::run);
}

#[test]
fn client_session() {
    drive("client_session", client_session::run);
}

#[test]
fn progress() {
    drive("client_session", client_session::progress);
}

#[test]
fn decode() {
    drive("decode", decode::run);
}

#[test]
fn other_codecs() {
    drive("other_codecs", other_codecs::run);
}

#[test]
fn restore() {
    drive("restore", restore::run);
}

#[test]
fn roundtrip() {
    drive("roundtrip", roundtrip::run);
}

#[test]
fn routes() {
    drive("routes", routes::run);
}

#[test]
fn topic() {
    drive("topic", topic::run);
}

const INPUTS: usize = 20_000;

fn drive(target: &str, run: fn(&[u8])) {
    let check = |input: &[u8]| {
        if let Err(panic) = catch_unwind(|| run(input)) {
            println!("{target} fails on {input:02x?}");
            std::panic::resume_unwind(panic);
        }
    };
    let seeds = seeds(target);
    seeds.iter().for_each(|seed| check(seed));
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..INPUTS {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            random.change(&mut input);
        }
        check(&input);
    }
}

/// The files of the target's folder, always in the same order.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Xorshift: the same inputs in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Sets, inserts, removes or duplicates something.
    fn change(&mut self, input: &mut Vec<u8>) {
        let place = self.below(input.len() + 1);
        let byte = self.next() as u8;
        match self.below(5) {
            0 => input.insert(place, byte),
            1 => input.truncate(place),
            2 => input.extend_from_within(place..),
            3 if place < input.len() => input[place] ^= 1 << (byte % 8),
            _ if place < input.len() => input[place] = byte,
            _ => input.push(byte),
        }
    }
}

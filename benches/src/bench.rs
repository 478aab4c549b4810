//! Runs each operation of each codec, either counted by callgrind or timed: see README.md.
//!
//! `benches count [CODEC...]` performs each operation a number of times within one call of `measured`, for which callgrind
//! writes a file; standard output says which is which. `benches curves` does the same for the client over numbers and sizes, and
//! `benches time` prints nanoseconds. All print a line for each operation and codec: group, operation, codec, repetitions, and
//! nanoseconds or `wrong`.

mod client;
mod codec;
mod floor;
mod input;
mod matching;
mod operations;
mod ours;
#[cfg(feature = "peers")]
mod peers;

use std::time::{Duration, Instant};

use operations::{Operation, operations};

/// Measures one operation.
#[derive(Default)]
pub struct Meter {
    elapsed: Duration,
    /// Runs the operation without measuring it.
    is_off: bool,
}

impl Meter {
    /// A meter that measures nothing: used to check the result.
    pub fn off() -> Self {
        Meter { is_off: true, ..Self::default() }
    }

    /// Runs the operation `times` times.
    pub fn measure(&mut self, times: u64, mut operation: impl FnMut()) {
        if self.is_off {
            return (0..times).for_each(|_| operation());
        }
        let start = Instant::now();
        measured(&mut || {
            for _ in 0..times {
                operation();
            }
        });
        self.elapsed = start.elapsed();
        finished();
    }
}

/// The code that callgrind counts.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

/// Where callgrind writes its counts to a file.
#[inline(never)]
fn finished() {
    std::hint::black_box(());
}

fn all() -> Vec<Operation> {
    let mut all = operations::<ours::Ours>();
    all.extend(operations::<floor::Floor<false>>());
    all.extend(operations::<floor::Floor<true>>());
    #[cfg(feature = "peers")]
    all.extend(peers::all());
    all.extend(matching::all());
    all.extend(client::all());
    all
}

/// Timed rounds, of which the fastest counts.
const ROUNDS: u32 = 301;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mode, codecs) = arguments.split_first().expect("count, curves or time");
    let mut all = if mode == "curves" { client::curves() } else { all() };
    all.retain(|operation| codecs.is_empty() || codecs.iter().any(|codec| codec == operation.codec));
    // Wrong results are not measured.
    std::panic::set_hook(Box::new(|_| {}));
    let right: Vec<bool> = all
        .iter()
        .map(|operation| std::panic::catch_unwind(operation.check).is_ok_and(|right| right))
        .collect();
    let _ = std::panic::take_hook();
    let mut best = vec![Duration::MAX; all.len()];
    let rounds = if mode == "time" { ROUNDS } else { 1 };
    for _ in 0..rounds {
        for (at, operation) in all.iter().enumerate().filter(|(at, _)| right[*at]) {
            let mut meter = Meter::default();
            (operation.run)(&mut meter, operation.times);
            best[at] = best[at].min(meter.elapsed);
        }
    }
    for ((operation, right), best) in all.iter().zip(right).zip(best) {
        let Operation { group, name, codec, times, .. } = operation;
        let nanos =
            if right { format!("{:.2}", best.as_nanos() as f64 / *times as f64) } else { "wrong".into() };
        println!("{group}\t{name}\t{codec}\t{times}\t{nanos}");
    }
}

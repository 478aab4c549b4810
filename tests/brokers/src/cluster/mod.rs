//! A cluster of RabbitMQ whose first node ends while a client has messages in flight.
//! The client continues at the second one, if that accepts it.

mod counts;
mod load;
mod nodes;

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use counts::{Counts, Reported, Wire, counts};
use load::{Load, Progress};
use nodes::{Cluster, Queues};

use crate::brokers::debian;

/// How long anything may take.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How long the first node stays away, unless the client completes at the second one earlier.
const DOWNTIME: Duration = Duration::from_secs(30);
/// A wait after the last messages: anything else would have arrived by then.
const QUIET: Duration = Duration::from_secs(3);

const TRIALS: [(usize, Queues); 4] =
    [(2, Queues::Classic), (2, Queues::Mirrored), (2, Queues::Quorum), (3, Queues::Quorum)];

/// How the first node ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Stopped,
    Killed,
}

/// The result: by QoS, as the client has reported it and on the wire.
struct Outcome {
    second: String,
    reported: [Counts; 2],
    wire: [Counts; 2],
    faults: Vec<String>,
}

/// Messages of each QoS.
fn messages() -> usize {
    std::env::var("MESSAGES").map_or(10_000, |count| count.parse().expect("a number"))
}

pub fn run() -> ExitCode {
    let version = debian("rabbitmq-server").expect("run.sh installs it");
    println!("{version}; {0} messages published at QoS 1, {0} at QoS 2\n", messages());
    println!(
        "| nodes, queues | the first is | at the second | QoS 1 | QoS 2 | the same on the wire | the client |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut is_good = true;
    for (nodes, queues) in TRIALS {
        for end in [End::Stopped, End::Killed] {
            eprintln!("-- {nodes} nodes, {queues:?}, {end:?}");
            let outcome = run_trial(nodes, queues, end);
            is_good &= outcome.as_ref().is_ok_and(|outcome| outcome.faults.is_empty());
            let row =
                outcome.map_or_else(|error| format!("FAILED: {error} | | | | "), |outcome| outcome.row());
            println!("| {nodes}, {queues:?} | {end:?} | {row} |");
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_trial(nodes: usize, queues: Queues, end: End) -> Result<Outcome, String> {
    let count = 2 * messages();
    let mut cluster = Cluster::start(nodes, queues)?;
    let load = Load::start(&[cluster.addr(0), cluster.addr(1)], count);
    if !load.wait_until(TIMEOUT, |progress| progress.reported.published.len() > count / 3) {
        return Err("the load does not begin".into());
    }
    let ended = Instant::now();
    match end {
        End::Stopped => cluster.stop(0)?,
        End::Killed => cluster.kill(0),
    }
    let is_done =
        |progress: &Progress| progress.reported.published.len() + progress.reported.ended.len() == count;
    load.wait_until(DOWNTIME, is_done);
    let second = load.progress.lock().unwrap().at_second(ended);
    eprintln!("   {second}; the first is restarted");
    cluster.start_node(0)?;
    load.wait_until(TIMEOUT, is_done);
    // Once the last ones have arrived, every message still expected has arrived too.
    load.publish_up_to(count + 2);
    if !load.wait_until(TIMEOUT, |progress| progress.has_arrived(count) && progress.has_arrived(count + 1)) {
        return Err("the last messages do not arrive".into());
    }
    sleep(QUIET);
    let (progress, wire) = load.stop()?;
    Ok(Outcome::new(second, &progress.reported, &wire, count))
}

impl Outcome {
    fn new(second: String, reported: &Reported, wire: &Wire, count: usize) -> Self {
        // Including the last ones.
        let of = |list: &[usize]| [0, 1].map(|parity| counts(list, parity, count / 2 + 1));
        Outcome {
            second,
            reported: of(&reported.arrived),
            wire: of(&wire.received),
            faults: wire.faults(reported),
        }
    }

    fn row(&self) -> String {
        let Outcome { second, reported: [one, two], wire: [wire_one, wire_two], faults } = self;
        let client = if faults.is_empty() { "yes".into() } else { format!("FAILED: {}", faults.join(", ")) };
        format!("{second} | {one} | {two} | {wire_one}; {wire_two} | {client}")
    }
}

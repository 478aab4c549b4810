//! The output for the user.

use std::mem::size_of;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::node::{Mqtt, Node};

/// The totals of all clients so far.
#[derive(Debug, Default)]
pub struct Totals {
    /// Messages passed to the clients; those in `sent_again` are counted again.
    pub sent: u64,
    pub acknowledged: u64,
    /// Messages that have been received.
    pub arrived: u64,
    /// Duplicates of them, which are allowed at QoS 1.
    pub arrived_again: u64,
    /// Messages that a broker acknowledged but then forgot.
    pub sent_again: u64,
    pub connects: u64,
    /// Connections that were lost.
    pub lost: u64,
    /// The error of the last attempt to connect.
    pub failure: Option<String>,
    /// Subscriptions and messages that were refused.
    pub refused: u64,
    /// Messages that no client here has sent.
    pub foreign: u64,
}

/// The cost of the process, from when all clients were connected for the first time.
pub struct Meter {
    memory_before: Option<usize>,
    memory: Option<usize>,
    cpu: [f64; 2],
    arrived: u64,
}

impl Meter {
    /// Before there are any clients.
    pub fn new() -> Self {
        Meter { memory_before: memory(), memory: None, cpu: cpu(), arrived: 0 }
    }

    pub fn all_connected(&mut self, totals: &Totals) {
        self.memory = memory();
        self.cpu = cpu();
        self.arrived = totals.arrived;
    }

    /// Prints the result. `messages` is the expected number.
    pub fn summary(&self, clients: u32, messages: u64, totals: &Totals, took: Duration) {
        let counted = totals.arrived.saturating_sub(self.arrived);
        let [user, system] = cpu();
        let each = |from: f64, to: f64| (to - from) / counted.max(1) as f64;
        let (user, system) = (each(self.cpu[0], user), each(self.cpu[1], system));
        println!("{} of {messages} messages have arrived, in {:.1} s", totals.arrived, took.as_secs_f64());
        println!("  {} came more than once, {} were sent again", totals.arrived_again, totals.sent_again);
        println!("  {} connections were lost", totals.lost);
        println!(
            "  {user:.1} µs of CPU here, and {system:.1} µs in the kernel, for a message with its way back"
        );
        println!(
            "  {} bytes for a client with its buffers; {} with all about it",
            size_of::<Mqtt>(),
            size_of::<Node>()
        );
        if let (Some(before), Some(memory)) = (self.memory_before, self.memory) {
            let each = memory.saturating_sub(before) / clients.max(1) as usize;
            println!("  {each} bytes of memory of this process for each client");
        }
    }
}

/// The CPU time of this process so far, in µs: in user mode, and in the kernel.
fn cpu() -> [f64; 2] {
    let micros = |time: TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
    getrusage(UsageWho::RUSAGE_SELF)
        .map_or([f64::NAN; 2], |usage| [micros(usage.user_time()), micros(usage.system_time())])
}

fn memory() -> Option<usize> {
    memory_stats::memory_stats().map(|stats| stats.physical_mem)
}

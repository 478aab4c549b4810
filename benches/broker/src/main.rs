//! One end of a conversation through a broker. The programs in peers/ do the same with other libraries, and ../README.md says
//! what is compared.
//!
//! `broker-bench std|coalescing|runner|coalescing-runner|core|rumqttc out|in|ping PORT QOS SIZE COUNT` connects, says `ready`, waits for a line, publishes or receives
//! COUNT messages of SIZE bytes, says `done`, and stays until its standard input ends: so it can be measured from outside
//! between these two. `ping` sends each message once the one before has come back, and says the median and the 99th
//! percentile of the microseconds that took.

mod core_alone;
mod job;
mod rumqttc;
mod runner;
mod std_adapter;

use std::error::Error;
use std::time::Duration;

use job::Job;

const PAUSE: Duration = Duration::from_micros(50);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (client, job) = arguments.split_first().ok_or("which client?")?;
    let job = Job::read(job)?;
    match client.as_str() {
        "std" => std_adapter::run(&job, None),
        "coalescing" => std_adapter::run(&job, Some(PAUSE)),
        "runner" => runner::run(job, Duration::ZERO),
        "coalescing-runner" => runner::run(job, PAUSE),
        "core" => core_alone::run(&job),
        "rumqttc" => rumqttc::run(&job),
        other => Err(format!("there is no client {other}").into()),
    }
}

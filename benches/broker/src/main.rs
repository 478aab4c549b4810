//! One end of a conversation through a broker. The programs in peers/ do the same with other libraries, and ../README.md explains
//! what is compared.
//!
//! `broker-bench std|coalescing|runner|coalescing-runner|core|rumqttc out|in|ping PORT QOS SIZE COUNT` connects, prints `ready`,
//! waits for a line, publishes or receives COUNT messages of SIZE bytes, prints `done`, and stays until its standard input ends, so
//! that it can be measured from outside between the two. `ping` sends each message once the previous one has come back, and prints
//! the median and the 99th percentile of the round-trip times in microseconds.

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

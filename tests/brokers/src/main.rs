//! The client against other people's brokers: twenty features with each, in a table. `tests/brokers/run.sh` installs and starts it.

mod brokers;
mod cluster;
mod erlang;
mod features;
mod peer;
mod process;
mod rabbitmq;
#[path = "../../support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;

use brokers::Running;
use features::FEATURES;

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names == ["cluster"] {
        return cluster::run();
    }
    // Failures of features are reported in the table.
    set_hook(Box::new(|_| ()));
    let mut columns = Vec::new();
    for name in names {
        match brokers::start(&name) {
            Ok(mut broker) => {
                eprintln!("-- {name}: {}", broker.version);
                let column = FEATURES.iter().map(|feature| check(feature, &mut broker)).collect::<Vec<_>>();
                columns.push((broker.version.clone(), column));
            }
            Err(error) => eprintln!("-- {name} does not start: {error}"),
        }
    }
    print(&columns);
    // Mosquitto supports all of it.
    let is_bad = |version: &str, cell: &str| {
        cell.starts_with("FAILED") || (version.starts_with("mosquitto") && cell != "yes")
    };
    let is_bad = columns.iter().any(|(version, column)| column.iter().any(|cell| is_bad(version, cell)));
    if columns.is_empty() || is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn check((name, check): &(&str, features::Check), broker: &mut Running) -> String {
    let outcome = catch_unwind(AssertUnwindSafe(|| check(broker)));
    let cell = match outcome {
        Ok(Ok(())) => "yes".into(),
        Ok(Err(what)) => what,
        Err(panic) if panic.is::<peer::ConnectionClosed>() => {
            panic.downcast::<peer::ConnectionClosed>().unwrap().0
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            format!("FAILED: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?"))
        }
    };
    eprintln!("   {name}: {cell}");
    cell
}

fn print(columns: &[(String, Vec<String>)]) {
    let heads: Vec<&str> = columns.iter().map(|(version, _)| version.as_str()).collect();
    println!("| | {} |", heads.join(" | "));
    println!("|---|{}", "---|".repeat(columns.len()));
    for (row, (name, _)) in FEATURES.iter().enumerate() {
        let cells: Vec<&str> = columns.iter().map(|(_, column)| column[row].as_str()).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

//! Thousands of MQTT clients on one thread, with the sans-IO `Client` and mio. See README.md for the commands.

mod broker;
mod fleet;
mod node;
mod options;
mod report;
#[path = "../../broker/server/mod.rs"]
mod server;
mod talk;
mod timers;

use std::error::Error;
use std::process::ExitCode;

use broker::Broker;
use fleet::Fleet;
use lexopt::Parser;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use options::{Options, Role};
use report::Meter;

/// File descriptors in addition to the clients' sockets.
const OTHER_FILES: u64 = 32;

fn main() -> ExitCode {
    let result = match Role::read(Parser::from_env()) {
        Ok(Role::Clients(options)) => run(options),
        Ok(Role::Broker(clients)) => broker::be(clients),
        Ok(Role::Help) => {
            println!("{}", options::HELP);
            Ok(())
        }
        Err(error) => Err(format!("{error}\nTry --help.").into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("baremqtt-many-clients: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut options: Options) -> Result<(), Box<dyn Error>> {
    raise_file_limit(options.clients)?;
    let mut own = None;
    if !options.has_broker {
        let broker = Broker::start(options.clients)?;
        options.broker = broker.addr;
        own = Some(broker);
    }
    println!("{} clients of the broker at {}", options.clients, options.broker);
    let mut meter = Meter::new();
    Fleet::new(&options)?.run(&mut meter)?;
    drop(own);
    Ok(())
}

/// Each connection is a file for the operating system. The broker that is started has the same limit.
fn raise_file_limit(clients: u32) -> Result<(), Box<dyn Error>> {
    let needed = u64::from(clients) + OTHER_FILES;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if hard < needed {
        let text = format!(
            "{clients} clients need {needed} open files, and no more than {hard} are allowed: try fewer --clients, or as \
             root `ulimit -n {needed}`"
        );
        return Err(text.into());
    }
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft.max(needed), hard)?)
}

//! Explores all states of a client, a broker and the link between them: see README.md.

mod app;
mod broker;
mod families;
mod packets;
mod rules;
mod search;
mod world;

use std::process::ExitCode;
use std::sync::atomic::Ordering;

use rules::{Feature, Rules};
use search::{Found, Report};
use world::{Action, FAIR, TRACE, World};

/// A walk with more states than this is given up: it would not fit into memory.
const MOST: usize = 60_000_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let good = match args[..] {
        ["short"] => walks(families::short()),
        ["find"] => finds(families::short()),
        ["all"] => walks(families::all()),
        ["pairs", mix] => walks(families::pairs().iter().map(|pair| Rules::new(mix, pair)).collect()),
        ["singles", mix] => walks(Feature::ALL.iter().map(|feature| Rules::new(mix, &[*feature])).collect()),
        ["walk", mix, ref features @ ..] => walk(leak(mix, features), true),
        ["replay", script, mix, ref features @ ..] => {
            replay(leak(mix, features), script);
            true
        }
        _ => {
            eprintln!("explore short | all | find | singles MIX | pairs MIX");
            eprintln!("explore walk MIX [FEATURE]... | replay 'STEP STEP ...' MIX [FEATURE]...");
            eprintln!("MIX is the QoS of messages out and in, like 12/21; FEATURE is one of");
            for feature in Feature::ALL {
                eprintln!("  {:10} {}", feature.name(), feature.what());
            }
            false
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the walks one by one, all of them even if a fault is found.
fn walks(list: Vec<Rules>) -> bool {
    let mut faults = 0;
    let count = list.len();
    for rules in list {
        if !walk(Box::leak(Box::new(rules)), false) {
            faults += 1;
        }
    }
    println!("{count} families, {faults} with a fault");
    faults == 0
}

fn leak(mix: &str, features: &[&str]) -> &'static Rules {
    let named = |name: &&str| {
        let found = Feature::ALL.iter().copied().find(|feature| feature.name() == *name);
        found.unwrap_or_else(|| panic!("there is no feature {name}"))
    };
    Box::leak(Box::new(Rules::new(mix, &features.iter().map(named).collect::<Vec<_>>())))
}

fn walk(rules: &'static Rules, shows: bool) -> bool {
    match search::explore(rules, MOST) {
        Ok(Report { states, steps, longest, time }) => {
            println!(
                "{:24} {states:>9} states {steps:>10} steps {:>7.1} s, ends within {longest}",
                rules.name(),
                time.as_secs_f32()
            );
            true
        }
        Err(Found { fault, script }) => {
            let names: Vec<String> = script.iter().map(|action| action.name()).collect();
            println!("{}: {fault}\n  explore replay '{}' {}", rules.name(), names.join(" "), rules.name());
            if shows {
                replay(rules, &names.join(" "));
            }
            false
        }
    }
}

/// Runs walks until one finds a fault, and prints which; one has to.
fn finds(list: Vec<Rules>) -> bool {
    std::panic::set_hook(Box::new(|_| ()));
    for rules in list {
        let rules = Box::leak(Box::new(rules));
        if let Err(Found { fault, script }) = search::explore(rules, MOST) {
            println!("{}: {fault} ({} steps)", rules.name(), script.len());
            return true;
        }
    }
    println!("not found");
    false
}

/// Replays a script step by step, and shows how it continues by itself.
fn replay(rules: &'static Rules, script: &str) {
    TRACE.store(true, Ordering::Relaxed);
    let mut world = World::new(rules);
    for name in script.split_whitespace() {
        let Some(action) = Action::named(name) else { return println!("there is no step {name}") };
        println!("{name}");
        match search::step(&mut world, action) {
            Ok(true) => world.show(),
            Ok(false) => println!("    cannot be done now"),
            Err(fault) => return println!("    FAULT: {fault}"),
        }
    }
    println!("and by itself:");
    for _ in 0..40 {
        TRACE.store(false, Ordering::Relaxed);
        let before = world.hash();
        let next = FAIR[0].iter().filter(|action| world.is_fair(**action)).find(|action| {
            let mut next = world.clone();
            search::step(&mut next, **action).is_ok_and(|done| done) && next.hash() != before
        });
        TRACE.store(true, Ordering::Relaxed);
        let Some(action) = next else { break };
        println!("{}", action.name());
        if let Err(fault) = search::step(&mut world, *action) {
            return println!("    FAULT: {fault}");
        }
        world.show();
    }
    println!("{}", world.is_done().err().unwrap_or_else(|| "all is done".into()));
}

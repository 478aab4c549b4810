//! Walks through all states of a client, a broker and the link between them: see README.md.

mod app;
mod broker;
mod rules;
mod search;
mod world;

use std::process::ExitCode;
use std::sync::atomic::Ordering;

use rules::{Feature, Rules};
use search::{Found, Report};
use world::{Action, FAIR, TRACE, World};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["walk", mix, ref features @ ..] => walk(leak(mix, features)),
        ["replay", script, mix, ref features @ ..] => {
            replay(leak(mix, features), script);
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("explore walk 12/21 [FEATURE]... | explore replay 'STEP STEP ...' 12/21 [FEATURE]...");
            for feature in Feature::ALL {
                eprintln!("  {:10} {}", feature.name(), feature.what());
            }
            ExitCode::FAILURE
        }
    }
}

fn leak(mix: &str, features: &[&str]) -> &'static Rules {
    let named = |name: &&str| {
        let found = Feature::ALL.iter().copied().find(|feature| feature.name() == *name);
        found.unwrap_or_else(|| panic!("there is no feature {name}"))
    };
    Box::leak(Box::new(Rules::new(mix, &features.iter().map(named).collect::<Vec<_>>())))
}

fn walk(rules: &'static Rules) -> ExitCode {
    match search::explore(rules, 40_000_000) {
        Ok(Report { states, steps, longest, time }) => {
            println!(
                "{:24} {states:>9} states {steps:>10} steps {:>7.1} s, ends within {longest}",
                rules.name(),
                time.as_secs_f32()
            );
            ExitCode::SUCCESS
        }
        Err(Found { fault, script }) => {
            let names: Vec<String> = script.iter().map(|action| action.name()).collect();
            println!("{}: {fault}\n  explore replay '{}' {}", rules.name(), names.join(" "), rules.name());
            replay(rules, &names.join(" "));
            ExitCode::FAILURE
        }
    }
}

/// Shows a script step by step, and how it goes on by itself.
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

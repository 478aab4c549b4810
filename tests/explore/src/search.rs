//! Breadth-first search through all states, so that a fault is found by a shortest path.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::rules::Rules;
use crate::world::{Action, FAIR, World};

/// The result of an exploration.
pub struct Report {
    pub states: usize,
    pub steps: u64,
    /// Steps of the fair schedule from the state that is farthest from the end.
    pub longest: u32,
    pub time: Duration,
}

/// Steps from the beginning to a fault.
pub struct Found {
    pub fault: String,
    pub script: Vec<Action>,
}

/// Keys are hashes already.
#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 are keys");
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// How a state was first reached: from which state, and by which action.
#[derive(Clone, Copy)]
struct From(u32, Action);

const NONE: u32 = u32::MAX;

pub fn explore(rules: &'static Rules, most: usize) -> Result<Report, Found> {
    let started = Instant::now();
    let mut walk = Walk { from: Vec::new(), fair: FAIR.map(|_| Vec::new()), steps: 0 };
    let mut known: HashMap<u64, u32, BuildHasherDefault<Same>> = HashMap::default();
    let mut waiting = VecDeque::new();
    let world = World::new(rules);
    known.insert(world.hash(), 0);
    walk.from.push(From(NONE, Action::Advance));
    waiting.push_back(world);
    let actions: Vec<Action> =
        Action::ALL.iter().copied().filter(|action| action.is_part_of(rules)).collect();
    let mut at: u32 = 0;
    while let Some(world) = waiting.pop_front() {
        let mut reached = [NONE; Action::ALL.len()];
        for &action in &actions {
            let mut next = world.clone();
            match step(&mut next, action) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(fault) => return Err(walk.found(fault, at, &[action])),
            }
            walk.steps += 1;
            let index = walk.from.len() as u32;
            let to = *known.entry(next.hash()).or_insert(index);
            if to == index {
                walk.from.push(From(at, action));
                waiting.push_back(next);
            }
            reached[action as usize] = to;
        }
        for (order, fair) in FAIR.iter().zip(&mut walk.fair) {
            let next = order
                .iter()
                .filter(|action| world.is_fair(**action))
                .map(|action| reached[*action as usize])
                .find(|to| *to != NONE && *to != at);
            fair.push(next.unwrap_or(NONE));
        }
        if walk.fair.iter().any(|fair| fair.last() == Some(&NONE)) {
            // Nothing happens by itself any more.
            if let Err(fault) = world.is_done() {
                return Err(walk.found(format!("stuck: {fault}"), at, &[]));
            }
        }
        if walk.from.len() > most {
            return Err(walk.found(format!("more than {most} states"), at, &[]));
        }
        at += 1;
    }
    let longest = walk.all_end()?;
    Ok(Report { states: walk.from.len(), steps: walk.steps, longest, time: started.elapsed() })
}

/// A step; a panic is a fault as well.
pub fn step(world: &mut World, action: Action) -> Result<bool, String> {
    catch_unwind(AssertUnwindSafe(|| world.apply(action))).unwrap_or_else(|_| Err("a panic".into()))
}

struct Walk {
    from: Vec<From>,
    /// The successor of each state under each fair schedule.
    fair: [Vec<u32>; FAIR.len()],
    steps: u64,
}

impl Walk {
    /// From every state, each fair schedule leads to an end. Returns the longest path.
    fn all_end(&self) -> Result<u32, Found> {
        let mut longest = 0;
        for (schedule, next) in self.fair.iter().enumerate() {
            // Steps to the end plus 1; 0 is unknown.
            let mut left = vec![0_u32; next.len()];
            for start in 0..next.len() {
                let mut path = Vec::new();
                let mut at = start as u32;
                while at != NONE && left[at as usize] == 0 {
                    if path.len() > next.len() {
                        let fault = format!("the fair schedule {schedule} goes in circles from here on");
                        return Err(self.found(fault, start as u32, &[]));
                    }
                    path.push(at);
                    at = next[at as usize];
                }
                let mut steps = if at == NONE { 0 } else { left[at as usize] };
                for at in path.into_iter().rev() {
                    steps += 1;
                    left[at as usize] = steps;
                }
                longest = longest.max(steps);
            }
        }
        Ok(longest)
    }

    fn found(&self, fault: String, at: u32, last: &[Action]) -> Found {
        let mut script = last.to_vec();
        let mut at = at;
        while let From(before, action) = self.from[at as usize]
            && before != NONE
        {
            script.push(action);
            at = before;
        }
        script.reverse();
        Found { fault, script }
    }
}

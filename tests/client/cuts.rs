//! The link is lost at every byte of a full conversation, in either direction; then the conversation resumes and completes.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

use crate::harness::*;
use crate::model::Broker;

/// The number of bytes after which the link is lost.
#[derive(Clone, Copy)]
struct Cut {
    out: usize,
    into: usize,
}

const NEVER: usize = usize::MAX;

/// Every kind of request and message, each way. Returns how many bytes were sent and received.
fn conversation(cut: Cut, lose_session: bool) -> (usize, usize) {
    let mut rig = Rig::new();
    let mut broker = Broker::new(rig.version);
    rig.publishes("early", &1_u32.to_be_bytes(), AtLeastOnce);
    rig.connects(&CONNECT);
    let mut budget = cut;
    let mut moved = (0, 0);
    let mut events = Vec::new();
    let mut asked = false;
    for turn in 0..400 {
        if turn == 10 {
            rig.publishes("b", &2_u32.to_be_bytes(), ExactlyOnce);
            rig.publishes("b", &3_u32.to_be_bytes(), AtLeastOnce);
            rig.publishes("b", &4_u32.to_be_bytes(), ExactlyOnce);
        }
        if turn == 20 || turn == 21 {
            let number = turn - 19;
            assert!(broker.publishes(number, ExactlyOnce) || cut.out < NEVER || cut.into < NEVER);
            broker.publishes(number + 2, AtLeastOnce);
            broker.publishes(number + 4, AtMostOnce);
        }
        if !asked && rig.client.state() == baremqtt::State::Connected {
            asked = true;
            rig.subscribes(&[("to/client", ExactlyOnce)]);
            rig.unsubscribes(&["other"]);
        }
        let out = rig.sends_bytes(5.min(budget.out));
        (moved.0, budget.out) = (moved.0 + out, budget.out - out);
        broker.reads(&mut rig.wire);
        let mut bytes = broker.replies.pop_front().unwrap_or_default();
        let lost = budget.out == 0 || bytes.len() > budget.into;
        bytes.truncate(budget.into);
        (moved.1, budget.into) = (moved.1 + bytes.len(), budget.into - bytes.len());
        rig.receives_bytes(&bytes);
        events.extend(rig.events());
        if lost {
            budget = Cut { out: NEVER, into: NEVER };
            rig.cut();
            if lose_session {
                broker.loses_session();
            } else {
                broker.link_lost();
            }
            events.extend(rig.events());
            rig.connects(&CONNECT);
        }
    }
    let ended = |id: u16| {
        let starts = |line: &&String| line.split(' ').nth(1) == Some(&id.to_string());
        let told = ["published", "ended", "subscribed", "unsubscribed"];
        let of_it = |line: &&String| told.iter().any(|word| line.starts_with(word));
        events.iter().filter(of_it).filter(starts).count()
    };
    assert!((1..=6).all(|id| ended(id) == 1), "each request ends once: {events:?}");
    assert_eq!(rig.client.in_flight(), 0);
    let whole = if lose_session { 1..=2 } else { 1..=1 };
    for number in [2, 4] {
        assert!(whole.contains(&broker.arrived[&number]), "QoS 2: {:?}", broker.arrived);
    }
    for number in [1, 3] {
        assert!((1..=2).contains(&broker.arrived[&number]), "QoS 1: {:?}", broker.arrived);
    }
    if !lose_session {
        assert!(broker.is_idle());
    }
    let received: Vec<u32> = rig.numbers.into_iter().collect();
    for number in [1, 2].into_iter().filter(|_| cut.out == NEVER && cut.into == NEVER) {
        assert_eq!(received.iter().filter(|&&other| other == number).count(), 1);
    }
    let twice = |number| received.iter().filter(|&&other| other == number).count() > 1;
    assert!(!twice(1) && !twice(2), "QoS 2 is delivered once: {received:?}");
    moved
}

#[test]
fn nowhere() {
    conversation(Cut { out: NEVER, into: NEVER }, false);
}

#[test]
fn at_every_byte() {
    let (out, into) = conversation(Cut { out: NEVER, into: NEVER }, false);
    assert!(out > 100 && into > 100, "{out} {into}");
    for lose_session in [false, true] {
        for at in 1..=out {
            conversation(Cut { out: at, into: NEVER }, lose_session);
        }
        for at in 0..=into {
            conversation(Cut { out: NEVER, into: at }, lose_session);
        }
    }
}

#[test]
fn at_every_byte_of_both() {
    let (out, into) = conversation(Cut { out: NEVER, into: NEVER }, false);
    for out in (1..=out).step_by(3) {
        for into in (0..=into).step_by(3) {
            conversation(Cut { out, into }, false);
        }
    }
}

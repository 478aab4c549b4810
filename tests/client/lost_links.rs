//! The link is lost at every byte of a full conversation, in either direction; then the conversation resumes and completes.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

use crate::harness::*;
use crate::model::Broker;

/// The number of bytes after which the link is lost.
#[derive(Clone, Copy)]
struct LostAfter {
    out: usize,
    into: usize,
}

const NEVER: usize = usize::MAX;

/// Every kind of request and message, each way. Returns how many bytes were sent and received.
fn conversation(lost_after: LostAfter, lose_session: bool) -> (usize, usize) {
    let mut rig = Rig::new();
    let mut broker = Broker::new(rig.version);
    rig.publish("early", &1_u32.to_be_bytes(), AtLeastOnce);
    rig.connect(&CONNECT);
    let mut budget = lost_after;
    let mut moved = (0, 0);
    let mut events = Vec::new();
    let mut has_subscribed = false;
    for turn in 0..400 {
        if turn == 10 {
            rig.publish("b", &2_u32.to_be_bytes(), ExactlyOnce);
            rig.publish("b", &3_u32.to_be_bytes(), AtLeastOnce);
            rig.publish("b", &4_u32.to_be_bytes(), ExactlyOnce);
        }
        if turn == 20 || turn == 21 {
            let number = turn - 19;
            assert!(broker.publish(number, ExactlyOnce) || lost_after.out < NEVER || lost_after.into < NEVER);
            broker.publish(number + 2, AtLeastOnce);
            broker.publish(number + 4, AtMostOnce);
        }
        if !has_subscribed && rig.client.state() == baremqtt::State::Connected {
            has_subscribed = true;
            rig.subscribe(&[("to/client", ExactlyOnce)]);
            rig.unsubscribe(&["other"]);
        }
        let out = rig.send_bytes(5.min(budget.out));
        (moved.0, budget.out) = (moved.0 + out, budget.out - out);
        broker.receive(&mut rig.wire);
        let mut bytes = broker.replies.pop_front().unwrap_or_default();
        let lost = budget.out == 0 || bytes.len() > budget.into;
        bytes.truncate(budget.into);
        (moved.1, budget.into) = (moved.1 + bytes.len(), budget.into - bytes.len());
        rig.receive_bytes(&bytes);
        events.extend(rig.events());
        if lost {
            budget = LostAfter { out: NEVER, into: NEVER };
            rig.lose_link();
            if lose_session {
                broker.lose_session();
            } else {
                broker.link_lost();
            }
            events.extend(rig.events());
            rig.connect(&CONNECT);
        }
    }
    let ended = |id: u16| {
        let starts = |line: &&String| line.split(' ').nth(1) == Some(&id.to_string());
        let words = ["published", "ended", "subscribed", "unsubscribed"];
        let is_end = |line: &&String| words.iter().any(|word| line.starts_with(word));
        events.iter().filter(is_end).filter(starts).count()
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
    for number in [1, 2].into_iter().filter(|_| lost_after.out == NEVER && lost_after.into == NEVER) {
        assert_eq!(received.iter().filter(|&&other| other == number).count(), 1);
    }
    let twice = |number| received.iter().filter(|&&other| other == number).count() > 1;
    assert!(!twice(1) && !twice(2), "QoS 2 is delivered once: {received:?}");
    moved
}

#[test]
fn the_link_is_never_lost() {
    conversation(LostAfter { out: NEVER, into: NEVER }, false);
}

#[test]
fn the_link_is_lost_at_every_byte() {
    let (out, into) = conversation(LostAfter { out: NEVER, into: NEVER }, false);
    assert!(out > 100 && into > 100, "{out} {into}");
    for lose_session in [false, true] {
        for at in 1..=out {
            conversation(LostAfter { out: at, into: NEVER }, lose_session);
        }
        for at in 0..=into {
            conversation(LostAfter { out: NEVER, into: at }, lose_session);
        }
    }
}

#[test]
fn the_link_is_lost_at_any_pair_of_bytes() {
    let (out, into) = conversation(LostAfter { out: NEVER, into: NEVER }, false);
    for out in (1..=out).step_by(3) {
        for into in (0..=into).step_by(3) {
            conversation(LostAfter { out, into }, false);
        }
    }
}

//! Output in two pieces, for one write.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce};
use baremqtt::codec::Packet;

use crate::harness::{Rig, id};

/// A client that owes two answers and has two messages to send.
fn busy() -> Rig {
    let mut rig = Rig::online();
    rig.delivers("in", b"1", AtLeastOnce, 1);
    rig.delivers("in", b"2", AtLeastOnce, 2);
    rig.events();
    rig.publishes("out", b"1", AtLeastOnce);
    rig.publishes("out", b"2", AtMostOnce);
    rig
}

/// Takes `first` bytes of a first vectored write, then all the rest piece by piece.
fn output(rig: &mut Rig, first: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut take = first;
    loop {
        let now = rig.now();
        let pieces = rig.client.pending_vectored().concat();
        let len = pieces.len().min(take);
        if pieces.is_empty() {
            return out;
        }
        out.extend_from_slice(&pieces[..len]);
        rig.client.sent(len, now);
        take = 3;
    }
}

#[test]
fn answers_and_messages_leave_together() {
    let mut rig = busy();
    let [answers, messages] = rig.client.pending_vectored();
    assert_eq!((answers.len(), messages.is_empty()), (8, false));
    let all = [answers, messages].concat();
    let now = rig.now();
    rig.client.sent(all.len(), now);
    assert!(rig.client.pending().is_empty());
    rig.wire = all;
    let expected =
        ["PUBACK id=1", "PUBACK id=2", "PUBLISH out qos=1 id=1 (1 B) \"1\"", "PUBLISH out qos=0 (1 B) \"2\""];
    assert_eq!(rig.packets(), expected);
    rig.gives(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"], "the message counts as sent");
}

#[test]
fn any_part_of_them_may_leave() {
    let whole = output(&mut busy(), usize::MAX);
    for first in 1..=whole.len() {
        assert_eq!(output(&mut busy(), first), whole, "{first} bytes first");
    }
}

#[test]
fn a_message_that_has_left_in_part_goes_on_before_answers() {
    let mut rig = Rig::online();
    rig.publishes("out", b"1", AtLeastOnce);
    rig.publishes("out", b"2", AtMostOnce);
    let now = rig.now();
    let _ = rig.client.pending_vectored();
    rig.client.sent(4, now);
    rig.delivers("in", b"1", AtLeastOnce, 1);
    rig.events();
    rig.wire = output(&mut rig, usize::MAX);
    rig.wire.splice(0..0, [0x32, 8, 0, 3]).for_each(drop);
    let expected = ["PUBLISH out qos=1 id=1 (1 B) \"1\"", "PUBACK id=1", "PUBLISH out qos=0 (1 B) \"2\""];
    assert_eq!(rig.packets(), expected);
}

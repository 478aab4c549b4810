//! The client without the feature `large-messages`: what is larger than a buffer is refused, and said.

use baremqtt::QoS::{AtLeastOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{LargeMessages, RestoreError, State};

use crate::harness::*;
use crate::image::seal;

#[test]
fn a_packet_larger_than_the_receive_buffer_ends_the_connection() {
    for large in [LargeMessages::Skip, LargeMessages::Pieces] {
        in_all_chunkings(|chunks| {
            let mut rig = Rig::<8>::sized(32, 256).chunked(chunks);
            rig.client.options_mut().large_messages = large;
            rig.comes_online(&CONNECT, false);
            rig.delivers("a", &[0; 25], AtLeastOnce, 7);
            assert_eq!(rig.sends(), ["PUBACK id=7"], "it has just the size of the buffer");
            rig.events();
            rig.delivers("a", &[0; 26], AtLeastOnce, 8);
            assert_eq!(rig.events(), ["error ReceiveBufferTooSmall { needed: 33 }"]);
            assert_eq!(rig.client.state(), State::Offline);
        });
    }
}

#[test]
fn all_else_is_as_ever() {
    let mut rig = Rig::online();
    rig.publishes("a", b"one", AtLeastOnce);
    rig.publishes("a", b"two", ExactlyOnce);
    rig.delivers("b", b"three", ExactlyOnce, 7);
    assert_eq!(rig.events(), ["message b qos=2 id=7 (5 B) \"three\""]);
    rig.cut();
    rig.comes_online(&CONNECT, true);
    let again = ["PUBLISH a qos=1 id=1 (3 B) \"one\"", "PUBLISH a qos=2 id=2 (3 B) \"two\""];
    assert_eq!(rig.sends(), again);
    rig.gives(Packet::PubAck(id(1)));
    rig.gives(Packet::PubRec(id(2)));
    assert_eq!(rig.sends(), ["PUBREL id=2"]);
    rig.gives(Packet::PubComp(id(2)));
    assert_eq!(rig.events(), ["published 1 qos=1", "published 2 qos=2"]);
}

/// An image of a client that could stream.
#[test]
fn a_streamed_message_is_not_restored() {
    let mut image = vec![b'B', b'M', b'Q', 1, 0, 0, 2, 0];
    image.extend(b"\xF0\x09\x00\x01\x32\x08\x00\x01t\x00\x01");
    assert_eq!(Rig::new().client.restore(&seal(&image)), Err(RestoreError::Corrupt));
}

//! A session that survives a reboot exactly: bytes that reveal a new state wait until an image with that state is durable.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{State, StreamedMessage};

use crate::harness::*;

fn online() -> Rig {
    let mut rig = Rig::new();
    rig.choose(|c| c.durable = true);
    rig.go_online(&CONNECT, false);
    rig
}

/// Online; message 1 at QoS 2 is saved and sent.
fn online_with_a_sent_message() -> Rig {
    let mut rig = online();
    rig.publish("a", b"", ExactlyOnce);
    rig.events();
    save_session(&mut rig);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=2 id=1 (0 B)"]);
    rig
}

/// Saves the session and reports it durable. Returns the image.
fn save_session(rig: &mut Rig) -> Vec<u8> {
    let mut image = vec![0; 2_000];
    let len = rig.client.save(&mut image).unwrap();
    image.truncate(len);
    let revision = rig.client.revision();
    rig.client.saved(revision);
    image
}

/// The power fails, and the device restarts from its last image.
fn reboot(image: &[u8]) -> Rig {
    let mut rig = Rig::new();
    rig.choose(|c| c.durable = true);
    rig.client.restore(image).unwrap();
    rig
}

#[test]
fn only_packets_that_reveal_new_state_wait() {
    let mut rig = online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.publish("z", b"", AtMostOnce);
    assert_eq!(rig.send_all(), ["SUBSCRIBE id=1 a qos=0", "PUBLISH z qos=0 (0 B)"]);
    rig.receive_publish("in", b"", AtLeastOnce, 5);
    rig.events();
    assert_eq!(rig.send_all(), ["PUBACK id=5"]);

    for (qos, number) in [(AtLeastOnce, 2), (ExactlyOnce, 3)] {
        rig.publish("a", b"", qos);
        assert!(rig.send_all().is_empty());
        assert_eq!(rig.events(), ["SaveDue"]);
        assert!(rig.events().is_empty(), "it is reported once");
        assert!(rig.send_all().is_empty());
        save_session(&mut rig);
        assert_eq!(rig.send_all(), [format!("PUBLISH a qos={qos} id={number} (0 B)")]);
    }
    rig.receive(Packet::PubRec(id(3)));
    assert!(rig.send_all().is_empty());
    assert_eq!(rig.events(), ["SaveDue"]);
    save_session(&mut rig);
    assert_eq!(rig.send_all(), ["PUBREL id=3"]);

    rig.receive_publish("in", b"", ExactlyOnce, 6);
    assert_eq!(rig.events(), ["message in qos=2 id=6 (0 B)", "SaveDue"]);
    assert!(rig.send_all().is_empty());
    save_session(&mut rig);
    assert_eq!(rig.send_all(), ["PUBREC id=6"]);
    rig.receive(pubrel(6));
    assert!(rig.send_all().is_empty());
    assert_eq!(rig.events(), ["SaveDue"]);
    save_session(&mut rig);
    assert_eq!(rig.send_all(), ["PUBCOMP id=6"]);
}

/// Only what was in the image is released, and later changes do not hold back earlier ones.
#[test]
fn an_image_releases_packets_queued_before_it() {
    let mut rig = online();
    rig.publish("a", b"", AtLeastOnce);
    assert_eq!(rig.events(), ["SaveDue"]);
    let mut image = [0; 200];
    rig.client.save(&mut image).unwrap();
    let revision = rig.client.revision();
    rig.publish("b", b"", AtLeastOnce);
    rig.client.saved(revision + 1);
    assert!(rig.send_all().is_empty(), "no image has that revision");
    rig.client.saved(revision);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)"]);
    assert_eq!(rig.events(), ["SaveDue"]);
    save_session(&mut rig);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=2 (0 B)"]);
}

/// One image covers everything that happened before it was requested.
#[test]
fn changes_share_an_image() {
    let mut rig = online();
    for number in 1..=5 {
        rig.publish("a", b"", ExactlyOnce);
        rig.receive(publish("in", b"", ExactlyOnce, number, false));
    }
    let events = rig.events();
    assert_eq!(
        events.iter().filter(|line| *line == "SaveDue").count(),
        5,
        "each call of `advance` until false"
    );
    save_session(&mut rig);
    assert_eq!(rig.send_all().len(), 10);
}

/// No timeout blames the server while output waits for the application.
#[test]
fn a_slow_application_does_not_cause_a_timeout() {
    let mut rig = online();
    rig.publish("a", b"", AtLeastOnce);
    rig.receive_publish("in", b"", ExactlyOnce, 6);
    rig.events();
    assert!(rig.at(1_000_000).events().is_empty());
    save_session(&mut rig);
    assert_eq!(rig.send_all().len(), 2);
}

/// How many images a message costs.
#[test]
fn the_number_of_images_for_a_message() {
    let images = |rig: &mut Rig| {
        let due = rig.events().iter().filter(|line| *line == "SaveDue").count();
        if due > 0 {
            save_session(rig);
        }
        rig.send_all();
        due
    };
    let mut rig = online();
    for (qos, answers, expected) in [
        (AtLeastOnce, vec![Packet::PubAck(id(1))], [1, 0, 0]),
        (ExactlyOnce, vec![Packet::PubRec(id(2)), Packet::PubComp(id(2))], [1, 1, 0]),
    ] {
        rig.publish("a", b"", qos);
        let mut counts = vec![images(&mut rig)];
        for answer in answers {
            rig.receive(answer);
            counts.push(images(&mut rig));
        }
        counts.resize(3, 0);
        assert_eq!(counts, expected, "{qos} out");
        assert_eq!(rig.client.in_flight(), 0);
    }
    rig.receive_publish("in", b"", AtLeastOnce, 7);
    assert_eq!(images(&mut rig), 0);
    rig.receive_publish("in", b"", ExactlyOnce, 8);
    assert_eq!(images(&mut rig), 1);
    rig.receive(pubrel(8));
    assert_eq!(images(&mut rig), 1);
}

/// DISCONNECT follows the output that waits for an image, however long the application takes.
#[test]
fn disconnecting_waits_for_the_image() {
    for has_asked in [false, true] {
        let mut rig = online();
        rig.publish("a", b"", AtLeastOnce);
        if has_asked {
            assert_eq!(rig.events(), ["SaveDue"]);
        }
        rig.disconnect();
        if !has_asked {
            assert_eq!(rig.events(), ["SaveDue"]);
        }
        assert!(rig.at(1_000_000).events().is_empty());
        assert!(rig.send_all().is_empty());
        assert_eq!(rig.client.state(), State::Closing);
        save_session(&mut rig);
        assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)", "DISCONNECT"]);
        assert_eq!(rig.client.state(), State::Offline);
    }
}

/// What is resent after a reconnect is already in the image, and so is the state that a repeated answer reveals.
#[test]
fn durable_state_does_not_wait_again() {
    let mut rig = online();
    rig.publish("a", b"", ExactlyOnce);
    rig.receive_publish("in", b"", ExactlyOnce, 6);
    rig.events();
    save_session(&mut rig);
    assert_eq!(rig.send_all().len(), 2);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.receive(publish("in", b"", ExactlyOnce, 6, true));
    assert!(rig.events().is_empty());
    assert_eq!(rig.send_all(), ["PUBREC id=6", "PUBLISH a qos=2 id=1 dup (0 B)"]);
}

/// Killed at any moment between two steps: an outbound message arrives exactly once.
#[test]
fn killed_at_any_step_a_message_is_sent_exactly_once() {
    let mut steps = 0;
    loop {
        let mut server = Server::default();
        let mut rig = online();
        rig.publish("a", b"payload", ExactlyOnce);
        let mut image = save_session(&mut rig);
        let mut left = steps;
        let mut published = false;
        let killed = 'run: loop {
            for event in rig.events() {
                published |= event == "published 1 qos=2";
                if event == "SaveDue" {
                    if left == 0 {
                        break 'run true;
                    }
                    left -= 1;
                    // Killed after the image is durable, and before the client is informed.
                    let mut bytes = vec![0; 500];
                    let len = rig.client.save(&mut bytes).unwrap();
                    image = bytes[..len].to_vec();
                    if left == 0 {
                        break 'run true;
                    }
                    left -= 1;
                    let revision = rig.client.revision();
                    rig.client.saved(revision);
                }
            }
            let sent = rig.send_all();
            if sent.is_empty() && published {
                break false;
            }
            for line in sent {
                if left == 0 {
                    server.receive(&line);
                    break 'run true;
                }
                left -= 1;
                for answer in server.receive(&line) {
                    rig.receive(answer);
                }
            }
        };
        let mut rig = reboot(&image);
        rig.go_online(&CONNECT, true);
        for _ in 0..10 {
            for event in rig.events() {
                if event == "SaveDue" {
                    save_session(&mut rig);
                }
            }
            for line in rig.send_all() {
                for answer in server.receive(&line) {
                    rig.receive(answer);
                }
            }
        }
        assert_eq!(server.delivered, 1, "killed at step {steps}");
        assert_eq!(rig.client.in_flight(), 0);
        if !killed {
            break;
        }
        steps += 1;
    }
    assert_eq!(steps, 4, "PUBLISH, the image, what it releases, PUBREL");
}

/// A server that keeps its session.
#[derive(Default)]
struct Server {
    open: Option<u16>,
    delivered: u32,
}

impl Server {
    fn receive(&mut self, line: &str) -> Vec<Packet<'static>> {
        if line.starts_with("PUBLISH") {
            if self.open.is_none() {
                self.delivered += 1;
            }
            self.open = Some(1);
            return vec![Packet::PubRec(id(1))];
        }
        if line.starts_with("PUBREL") {
            self.open = None;
            return vec![Packet::PubComp(id(1))];
        }
        Vec::new()
    }
}

/// An end that was not reported before the image was made is reported after the restart (field reports: it was lost).
#[test]
fn unreported_ends_are_in_the_image() {
    let mut rig = online();
    rig.publish("a", b"", ExactlyOnce);
    rig.publish("b", b"", AtLeastOnce);
    save_session(&mut rig);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    rig.events();
    save_session(&mut rig);
    rig.send_all();
    rig.lose_link();
    rig.connect(&CONNECT);
    rig.send_all();
    // The session is lost, and the events are not handled before the power fails.
    let now = rig.now();
    rig.client.receive_buffer()[..4].copy_from_slice(&[0x20, 2, 0, 0]);
    rig.client.received(4);
    assert_eq!(rig.client.advance(now), Ok(true));
    let image = save_session(&mut rig);
    let mut rig = reboot(&image);
    assert_eq!(rig.events(), ["ended 1 Uncertain"]);
    assert_eq!(rig.client.in_flight(), 1);
}

/// The event is reported again if the power fails while it is being handled: at least once.
#[test]
fn an_answered_request_is_in_the_image_until_its_event_is_released() {
    let mut rig = online();
    rig.publish("a", b"", AtLeastOnce);
    save_session(&mut rig);
    rig.send_all();
    let now = rig.now();
    rig.client.receive_buffer()[..4].copy_from_slice(&[0x40, 2, 0, 1]);
    rig.client.received(4);
    assert_eq!(rig.client.advance(now), Ok(true));
    let meanwhile = save_session(&mut rig);
    assert_eq!(rig.client.advance(now), Ok(false));
    let after = save_session(&mut rig);
    assert_eq!(reboot(&meanwhile).events(), ["published 1 qos=1"]);
    assert!(reboot(&after).events().is_empty());
}

#[test]
fn a_streamed_message_waits_for_its_image_too() {
    let mut rig = online();
    rig.client.publish_streamed(&StreamedMessage::new("large", 3).qos(AtLeastOnce).repeatable()).unwrap();
    assert_eq!(rig.events(), ["ready 1", "SaveDue"]);
    assert_eq!(rig.client.write_payload(b"abc"), Ok(3));
    assert!(rig.send_all().is_empty());
    save_session(&mut rig);
    assert_eq!(rig.send_all(), ["PUBLISH large qos=1 id=1 (3 B) \"abc\""]);
}

/// A packet that is partly sent does not take a waiting packet along.
#[test]
fn new_state_waits_behind_a_partly_sent_packet_too() {
    for taken in 0..20 {
        let mut rig = online();
        rig.publish("a", b"payload", AtLeastOnce);
        rig.events();
        save_session(&mut rig);
        rig.send_bytes(taken);
        rig.publish("b", b"", AtLeastOnce);
        let before = rig.events().len();
        assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (7 B) \"payload\""], "{taken}");
        // An image is requested when it is the second packet's turn: the first has 14 bytes.
        assert_eq!((before, rig.events().len()), if taken < 14 { (0, 1) } else { (1, 0) }, "{taken}");
        save_session(&mut rig);
        assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=2 (0 B)"]);
    }
}

/// The older image would send the message again, after the server was told to release it.
#[test]
fn the_pubrel_of_a_given_up_message_waits_for_the_image_too() {
    let mut rig = online_with_a_sent_message();
    rig.client.give_up(id(1)).unwrap();
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert!(rig.send_all().is_empty());
    assert_eq!(rig.events(), ["SaveDue"]);
    let image = save_session(&mut rig);
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    let mut rig = reboot(&image);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
}

/// Even if the session was saved between the two.
#[test]
fn an_older_image_does_not_release_the_pubrel_of_a_given_up_message() {
    let mut rig = online_with_a_sent_message();
    rig.client.give_up(id(1)).unwrap();
    rig.publish("b", b"", ExactlyOnce);
    assert_eq!(rig.events(), ["SaveDue"]);
    save_session(&mut rig);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert!(rig.send_all().is_empty());
    assert_eq!(rig.events(), ["SaveDue"]);
    save_session(&mut rig);
    assert_eq!(rig.send_all(), ["PUBREL id=1", "PUBLISH b qos=2 id=2 (0 B)"]);
}

#[test]
fn a_given_up_message_does_not_hold_back_saved_ones() {
    let mut rig = online_with_a_sent_message();
    rig.publish("b", b"", AtLeastOnce);
    rig.events();
    save_session(&mut rig);
    rig.client.give_up(id(1)).unwrap();
    assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=2 (0 B)"]);
}

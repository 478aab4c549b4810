//! A session that survives a reboot exactly: the adapter returns before bytes are sent that reveal an unsaved state.

use baremqtt::transport::net::Error;
use baremqtt::{Event, Message, QoS};

use crate::{Buffered, CONNECT, Choices, SHORT, Stream, online_with};

fn durable() -> Choices {
    Choices::with(|values| values.durable = true)
}

/// The application reports that the image is on the disk.
fn save(mqtt: &mut Buffered<Stream>) {
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::SaveDue))));
    let mut image = [0; 2_048];
    mqtt.save(&mut image).unwrap();
    let revision = mqtt.revision();
    mqtt.saved(revision);
}

/// What was sent since the last call.
fn take_sent(stream: &Stream) -> Vec<String> {
    let sent = stream.sent();
    stream.0.output.borrow_mut().clear();
    sent
}

#[test]
fn nothing_is_sent_before_it_is_saved() {
    let (stream, mut mqtt) = online_with(&CONNECT, durable());
    mqtt.publish(&Message::new("a", b"").qos(QoS::ExactlyOnce)).unwrap();
    save(&mut mqtt);
    assert_eq!(take_sent(&stream), [""; 0]);
    assert_eq!(mqtt.next_event(SHORT).unwrap(), None);
    assert_eq!(take_sent(&stream), ["PUBLISH a qos=2 id=1 (0 B)"]);

    stream.server_sends(&[0x50, 2, 0, 1]);
    save(&mut mqtt);
    assert_eq!(take_sent(&stream), [""; 0]);
    assert_eq!(mqtt.next_event(SHORT).unwrap(), None);
    assert_eq!(take_sent(&stream), ["PUBREL id=1"]);

    stream.server_sends(&[0x70, 2, 0, 1]);
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::Published { .. }))));
}

#[test]
fn a_message_is_acknowledged_once_its_state_is_saved() {
    let (stream, mut mqtt) = online_with(&CONNECT, durable());
    stream.server_sends(&[0x34, 5, 0, 1, b't', 0, 7]);
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::Message(_)))));
    save(&mut mqtt);
    assert_eq!(take_sent(&stream), [""; 0]);
    assert_eq!(mqtt.next_event(SHORT).unwrap(), None);
    assert_eq!(take_sent(&stream), ["PUBREC id=7"]);

    stream.server_sends(&[0x62, 2, 0, 7]);
    save(&mut mqtt);
    assert_eq!(take_sent(&stream), [""; 0]);
    assert_eq!(mqtt.next_event(SHORT).unwrap(), None);
    assert_eq!(take_sent(&stream), ["PUBCOMP id=7"]);
}

/// The output before DISCONNECT waits for the application: waiting for it would never end.
#[test]
fn disconnecting_does_not_wait_for_the_application() {
    for is_reported in [false, true] {
        let (stream, mut mqtt) = online_with(&CONNECT, durable());
        mqtt.publish(&Message::new("a", b"").qos(QoS::ExactlyOnce)).unwrap();
        if is_reported {
            assert!(matches!(mqtt.next_event(None), Ok(Some(Event::SaveDue))));
        }
        assert!(matches!(mqtt.disconnect(), Err(Error::Closed)));
        assert!(take_sent(&stream).is_empty() && !mqtt.is_open());
        assert_eq!(mqtt.in_flight(), 1);
    }
}

#[test]
fn disconnect_is_graceful_once_everything_is_saved() {
    let (stream, mut mqtt) = online_with(&CONNECT, durable());
    mqtt.publish(&Message::new("a", b"").qos(QoS::ExactlyOnce)).unwrap();
    save(&mut mqtt);
    stream.server_sends(b"");
    mqtt.disconnect().unwrap();
    assert_eq!(take_sent(&stream), ["PUBLISH a qos=2 id=1 (0 B)", "DISCONNECT"]);
}

//! The application, and everything else that a client can do: MQTT 3.1 as well as 3.1.1, reconnecting with stored messages, messages in
//! pieces, streamed payloads, a session that is saved and restored.
#![no_std]
#![no_main]

mod config;
mod turn;
mod world;

use baremqtt::{Connect, Event, Message, QoS, StreamedMessage, Version, Will};

use config::Mqtt;
use turn::transfer;
use world::{any, more, now, qos};

world::program!(size_of::<config::Mqtt>() - 512, {
    let mut client = config::client();
    let _ = any(client.restore(any(&[0; 64])).is_ok());
    while more() {
        client.link_lost();
        let connect = Connect::new(any("sensor"))
            .version(any(Version::Mqtt31))
            .clean_session(any(false))
            .keep_alive(any(30))
            .will(Will::new(any("sensor/status"), any(b"gone")))
            .credentials(any("user"), any(b"secret"));
        let _ = any(client.connect(&connect).is_ok());
        turn(&mut client);
        let _ = any(client.subscribe(any(&[("sensor/command", QoS::AtLeastOnce)])).is_ok());
        while more() {
            let message = Message::new(any("sensor/temperature"), any(b"21.5")).qos(qos());
            let _ = any(client.publish(&message).is_ok());
            let streamed = StreamedMessage::new(any("sensor/log"), any(5_000)).qos(qos());
            let _ = any(client.publish_streamed(&streamed.repeatable()).is_ok());
            turn(&mut client);
            let _ = any(client.write_payload(any(b"log")).is_ok());
            for request in client.under_way() {
                any(request);
            }
            if let Ok(Some(id)) = any(client.publish(&message)) {
                let _ = any(client.give_up(id).is_ok());
            }
        }
    }
    let _ = any(client.unsubscribe(any(&["sensor/command"])).is_ok());
    client.disconnect();
    turn(&mut client);
});

fn turn(client: &mut Mqtt) {
    transfer(client);
    while let Ok(true) = client.advance(now()) {
        match client.event() {
            Some(Event::Message(message)) => {
                any((message.topic.as_bytes(), message.payload));
            }
            Some(Event::Published { id, .. } | Event::Ended { id, .. }) => {
                any(id);
            }
            Some(Event::MessageStart(message)) => {
                any((message.topic, message.payload_len));
            }
            Some(Event::MessagePiece(piece)) => {
                any(piece);
            }
            Some(Event::SaveDue) => {
                let mut image = [0; 384];
                let _ = any(client.save(any(&mut image)).is_ok());
                client.saved(client.revision());
            }
            _ => {}
        }
        if let Some(receipt) = client.receipt() {
            let _ = any(client.acknowledge(receipt).is_ok());
        }
    }
    any(client.time_left());
}

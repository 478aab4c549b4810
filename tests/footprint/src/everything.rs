//! The application, and all else that a client can do: MQTT 3.1 beside 3.1.1, reconnecting with what is kept, messages in
//! pieces, streamed payloads, a session that is saved and restored.
#![no_std]
#![no_main]

mod turn;
mod world;

use baremqtt::{
    Buffers, Client, Connect, Event, LargeMessages, Message, Options, QoS, Retry, StreamedMessage, Version,
    Will,
};

use turn::turn;
use world::{any, now};

world::program!(world::CLIENT, {
    let mut options = Options::new();
    options.large_messages = any(LargeMessages::Pieces);
    options.retry = any(Retry::Never);
    options.manual_acknowledgement = any(false);
    let mut client = Client::<_, _, 8>::with_options(Buffers { rx: [0; 256], tx: [0; 256] }, options);
    let _ = any(client.restore(any(&[0; 64])).is_ok());
    while any(true) {
        let connect = Connect::new(any("sensor"))
            .version(any(Version::Mqtt31))
            .clean_session(any(false))
            .keep_alive(any(30))
            .will(Will::new(any("sensor/status"), any(b"gone")))
            .credentials(any("user"), any(b"secret"));
        let _ = any(client.connect(&connect, now()).is_ok());
        let _ = any(client.subscribe(any(&[("sensor/command", QoS::AtLeastOnce)]), now()).is_ok());
        while any(true) {
            let message = Message::new(any("sensor/temperature"), any(b"21.5")).qos(any(QoS::ExactlyOnce));
            let _ = any(client.publish(&message, now()).is_ok());
            let streamed = StreamedMessage::new(any("sensor/log"), any(5_000)).qos(any(QoS::AtLeastOnce));
            let _ = any(client.publish_streamed(&streamed.repeatable(), now()).is_ok());
            turn(&mut client);
            events(&mut client);
            let mut image = [0; 384];
            let _ = any(client.save(any(&mut image)).is_ok());
        }
        client.link_lost();
    }
    let _ = any(client.unsubscribe(any(&["sensor/command"]), now()).is_ok());
    client.disconnect(now());
    turn(&mut client);
});

/// Those that the application alone does not look at.
fn events(client: &mut Client<[u8; 256], [u8; 256], 8>) {
    while let Ok(true) = client.advance(now()) {
        match client.event() {
            Some(Event::MessageStart(message)) => {
                any((message.topic, message.payload_len));
            }
            Some(Event::MessagePiece(piece)) => {
                any(piece);
            }
            Some(Event::StreamReady { .. }) => {
                let _ = any(client.write_payload(any(b"log"), now()).is_ok());
            }
            _ => {}
        }
        if let Some(receipt) = client.receipt() {
            let _ = any(client.acknowledge(receipt, now()).is_ok());
        }
    }
}

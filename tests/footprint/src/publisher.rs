//! A sensor that publishes at QoS 0, on the codec alone: CONNECT with will, user name and password; CONNACK; PUBLISH;
//! PINGREQ; DISCONNECT.
#![no_std]
#![no_main]

mod world;

use baremqtt::codec::{Delivery, EncodeError, PacketType, Publish};
use baremqtt::{Connect, TopicName, Version, Will};

use world::{any, more};

world::program!(0, {
    let mut buffer = [0; 128];
    let _ = run(any(&mut buffer));
});

/// CONNACK without a session, accepted.
const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

fn run(buffer: &mut [u8]) -> Result<(), EncodeError> {
    let connect = Connect::new(any("sensor"))
        .keep_alive(any(30))
        .will(Will::new(any("sensor/status"), any(b"gone")))
        .credentials(any("user"), any(b"secret"));
    let len = connect.encode(buffer)?;
    send(buffer, len);
    let len = world::read(buffer);
    if buffer.get(..len) != Some(&CONNACK) {
        return Ok(());
    }
    while more() {
        let publish = Publish {
            topic: TopicName::new(any("sensor/temperature"))?,
            payload: any(b"21.5"),
            delivery: Delivery::AtMostOnce,
            retain: any(false),
        };
        let len = publish.encode(Version::Mqtt311, buffer)?;
        send(buffer, len);
        if any(true) {
            world::write(&[PacketType::PingReq.first_byte(), 0]);
        }
    }
    world::write(&[PacketType::Disconnect.first_byte(), 0]);
    Ok(())
}

fn send(buffer: &[u8], len: usize) {
    world::write(buffer.get(..len).unwrap_or_default());
}

//! The application that other libraries were measured with: CONNECT with will, user name and password; SUBSCRIBE; PUBLISH
//! at each QoS; a receive loop with keep alive; UNSUBSCRIBE; DISCONNECT.
#![no_std]
#![no_main]

mod config;
mod turn;
mod world;

use baremqtt::{Connect, Message, QoS, Will};

use turn::turn;
use world::{any, more, qos};

world::program!(size_of::<config::Mqtt>() - 512, {
    let mut client = config::client();
    let connect = Connect::new(any("sensor"))
        .keep_alive(any(30))
        .will(Will::new(any("sensor/status"), any(b"gone")))
        .credentials(any("user"), any(b"secret"));
    let _ = any(client.connect(&connect).is_ok());
    // CONNACK arrives in time.
    turn(&mut client);
    let _ = any(client.subscribe(any(&[("sensor/command", QoS::AtLeastOnce)])).is_ok());
    while more() {
        let message = Message::new(any("sensor/temperature"), any(b"21.5")).qos(qos());
        let _ = any(client.publish(&message).is_ok());
        turn(&mut client);
    }
    let _ = any(client.unsubscribe(any(&["sensor/command"])).is_ok());
    client.disconnect();
    turn(&mut client);
});

//! MQTT 5, async.

use std::num::NonZero;

use rust_mqtt::Bytes;
use rust_mqtt::buffer::AllocBuffer;
use rust_mqtt::client::event::Event;
use rust_mqtt::client::options::{
    ConnectOptions, DisconnectOptions, PublicationOptions, SubscriptionOptions, TopicReference, WillOptions,
};
use rust_mqtt::client::{Client, MqttError};
use rust_mqtt::config::KeepAlive;
use rust_mqtt::io::Transport;
use rust_mqtt::types::{MqttBinary, MqttString, TopicFilter, TopicName};

type Mqtt<'c, N> = Client<'c, 'c, N, AllocBuffer, 1, 16, 16, 1, 0, 0, 0>;
type Result<'c, T> = std::result::Result<T, MqttError<'c, 0>>;

fn text(text: &str) -> MqttString<'_> {
    MqttString::from_str(text).expect("at most 65,535 bytes, without U+0000")
}

fn topic(name: &str) -> TopicName<'_> {
    TopicName::new(text(name)).expect("a valid topic name")
}

pub async fn connect<N: Transport>(mqtt: &mut Mqtt<'_, N>, stream: N) -> bool {
    let will = WillOptions::new(topic("status"), MqttBinary::try_from("offline").expect("short"));
    let options = ConnectOptions::new()
        .keep_alive(KeepAlive::Seconds(NonZero::new(60).expect("not 0")))
        .user_name(text("user"))
        .password(MqttBinary::try_from("secret").expect("short"))
        .will(will);
    mqtt.connect(stream, &options, Some(text("gateway"))).await.is_ok()
}

pub async fn publish<'c, N: Transport>(mqtt: &mut Mqtt<'c, N>) -> Result<'c, ()> {
    let options = PublicationOptions::new(TopicReference::Name(topic("topic")));
    mqtt.publish(&options, Bytes::from("payload")).await?;
    Ok(())
}

pub async fn publish_and_wait<'c, N: Transport>(mqtt: &mut Mqtt<'c, N>) -> Result<'c, bool> {
    let options = PublicationOptions::new(TopicReference::Name(topic("topic"))).at_least_once();
    let sent = mqtt.publish(&options, Bytes::from("payload")).await?;
    loop {
        match mqtt.poll().await? {
            Event::PublishAcknowledged(ack) if Some(ack.packet_identifier) == sent => return Ok(true),
            Event::PublishRejected(ack) if Some(ack.packet_identifier) == sent => return Ok(false),
            _ => {}
        }
    }
}

pub async fn subscribe<'c, N: Transport>(mqtt: &mut Mqtt<'c, N>) -> Result<'c, bool> {
    let filter = TopicFilter::new(text("topic/#")).expect("a valid filter");
    let asked = mqtt.subscribe(filter, &SubscriptionOptions::new().at_least_once()).await?;
    loop {
        match mqtt.poll().await? {
            Event::Suback(ack) if ack.packet_identifier == asked => return Ok(ack.reason_code.is_success()),
            _ => {}
        }
    }
}

pub async fn receive<'c, N: Transport>(mqtt: &mut Mqtt<'c, N>) -> Result<'c, ()> {
    loop {
        if let Event::Publish(message) = mqtt.poll().await? {
            println!("{:?} {:?}", message.topic, message.message);
        }
    }
}

pub async fn stop_once_delivered<'c, N: Transport>(mqtt: &mut Mqtt<'c, N>) -> Result<'c, ()> {
    while mqtt.session().active_outbound_publishes() > 0 {
        mqtt.poll().await?;
    }
    mqtt.disconnect(&DisconnectOptions::new()).await?;
    Ok(())
}

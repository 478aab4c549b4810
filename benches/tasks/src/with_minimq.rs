//! MQTT 5, async.

use embedded_io_async::{Read, Write};
use minimq::{
    Buffers, ConfigBuilder, ConfigError, ConnectEvent, Connection, Error, PubError, Publication, QoS,
    Session, TopicFilter, Will,
};

pub fn configure<'b>(rx: &'b mut [u8], tx: &'b mut [u8]) -> Result<Session<'b>, ConfigError> {
    let config = ConfigBuilder::new(Buffers::new(rx, tx))
        .client_id("gateway")?
        .auth("user", b"secret")?
        .will(Will::new("status", b"offline", &[])?)?;
    Ok(Session::new(config))
}

pub async fn connect<'s, 'b, S: Read + Write>(
    session: &'s mut Session<'b>,
    stream: S,
) -> Result<Connection<'s, 'b, S>, Error<S::Error>> {
    session.connect(stream).await
}

pub async fn publish<S: Read + Write>(
    mqtt: &mut Connection<'_, '_, S>,
) -> Result<(), PubError<(), S::Error>> {
    mqtt.publish(Publication::bytes("topic", b"payload")).await?;
    Ok(())
}

pub async fn publish_and_wait<S: Read + Write>(
    mqtt: &mut Connection<'_, '_, S>,
) -> Result<bool, PubError<(), S::Error>> {
    let publication = Publication::bytes("topic", b"payload").qos(QoS::AtLeastOnce);
    let Some(op) = mqtt.publish(publication).await? else { return Ok(true) };
    while mqtt.is_pending(&op) {
        // A message that arrives meanwhile is lost here.
        mqtt.poll().await?;
    }
    Ok(mqtt.is_complete(&op))
}

pub async fn subscribe<S: Read + Write>(mqtt: &mut Connection<'_, '_, S>) -> Result<bool, Error<S::Error>> {
    let op = mqtt.subscribe(&[TopicFilter::new("topic/#")], &[]).await?;
    while mqtt.is_pending(&op) {
        mqtt.poll().await?;
    }
    Ok(mqtt.is_complete(&op))
}

pub async fn receive<S: Read + Write>(mqtt: &mut Connection<'_, '_, S>) -> Result<(), Error<S::Error>> {
    loop {
        let message = mqtt.recv().await?;
        println!("{} {:?}", message.topic(), message.payload());
    }
}

pub async fn come_back<S: Read + Write>(
    session: &mut Session<'_>,
    open: impl AsyncFn() -> Result<S, S::Error>,
    sleep: impl AsyncFn(u32),
) -> ! {
    let mut delay = 500;
    loop {
        if let Ok(stream) = open().await
            && let Ok(mut mqtt) = session.connect(stream).await
        {
            delay = 500;
            let is_new = matches!(mqtt.connect_event(), ConnectEvent::Connected);
            if !is_new || mqtt.subscribe(&[TopicFilter::new("topic/#")], &[]).await.is_ok() {
                while mqtt.poll().await.is_ok() {}
            }
        }
        sleep(delay).await;
        delay = 60_000.min(delay * 2);
    }
}

pub async fn stop_once_delivered<S: Read + Write>(
    mqtt: &mut Connection<'_, '_, S>,
) -> Result<(), Error<S::Error>> {
    while !mqtt.session().is_publish_quiescent() {
        mqtt.poll().await?;
    }
    mqtt.disconnect().await
}

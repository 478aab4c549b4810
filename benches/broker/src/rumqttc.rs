//! rumqttc, on one thread.

use std::error::Error;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Outgoing, Packet, QoS};

use crate::job::{Job, Role, TOPIC, Trips, WINDOW, done, ready};

type Done = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
pub async fn run(job: &Job) -> Done {
    let mut options = MqttOptions::new(job.client_id(), job.broker.ip().to_string(), job.broker.port());
    options.set_keep_alive(Duration::from_secs(60)).set_inflight(WINDOW as u16);
    let (client, mut events) = AsyncClient::new(options, WINDOW as usize);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    events.set_network_options(network);
    wait_for(&mut events, 1, |event| matches!(event, Event::Incoming(Packet::ConnAck(_)))).await?;
    let qos = rumqttc::qos(job.qos as u8)?;
    if job.role != Role::Out {
        client.subscribe(TOPIC, qos).await?;
        wait_for(&mut events, 1, |event| matches!(event, Event::Incoming(Packet::SubAck(_)))).await?;
    }
    ready()?;
    let mut trips = Trips::new();
    match job.role {
        Role::Out => out(job, client, &mut events, qos).await?,
        Role::In => wait_for(&mut events, job.count, is_message(qos)).await?,
        Role::Ping => {
            for _ in 0..job.count {
                trips.begin();
                client.publish(TOPIC, qos, false, job.payload.clone()).await?;
                wait_for(&mut events, 1, is_message(qos)).await?;
                trips.end();
            }
        }
    }
    Ok(done(&mut trips.took)?)
}

async fn wait_for(events: &mut EventLoop, count: u64, is_one: fn(&Event) -> bool) -> Done {
    let mut found = 0;
    while found < count {
        found += u64::from(is_one(&events.poll().await?));
    }
    Ok(())
}

/// A QoS 2 message counts when its PUBREL arrives, as for the others.
fn is_message(qos: QoS) -> fn(&Event) -> bool {
    match qos {
        QoS::ExactlyOnce => |event| matches!(event, Event::Incoming(Packet::PubRel(_))),
        _ => |event| matches!(event, Event::Incoming(Packet::Publish(_))),
    }
}

async fn out(job: &Job, client: AsyncClient, events: &mut EventLoop, qos: QoS) -> Done {
    let (count, payload) = (job.count, job.payload.clone());
    tokio::spawn(async move {
        for _ in 0..count {
            if client.publish(TOPIC, qos, false, payload.clone()).await.is_err() {
                return;
            }
        }
        // The loop ends when the last client is dropped.
        std::future::pending::<()>().await;
    });
    let is_published: fn(&Event) -> bool = match qos {
        QoS::AtMostOnce => |event| matches!(event, Event::Outgoing(Outgoing::Publish(_))),
        QoS::AtLeastOnce => |event| matches!(event, Event::Incoming(Packet::PubAck(_))),
        QoS::ExactlyOnce => |event| matches!(event, Event::Incoming(Packet::PubComp(_))),
    };
    wait_for(events, count, is_published).await
}

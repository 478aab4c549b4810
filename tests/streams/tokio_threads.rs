//! tokio with all its threads: one task maintains the link, many others publish and wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use baremqtt::transport::asynch::{Handle, Runner, Threads};
use baremqtt::transport::{Error, Update};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, InboundIds, Message, QoS, Standard};
use embedded_io_adapters::tokio_1::FromTokio;
use tokio::net::TcpStream;

use crate::peer::{Peer, broker};
use crate::timer::Tokio;

const TASKS: usize = 20;
const COUNT: usize = 50;

type Mqtt = Handle<Vec<u8>, Vec<u8>, Standard, InboundIds, Threads>;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_wait_for_their_acknowledgements() {
    let broker = broker();
    let address = broker.addr();
    let peer = Peer::start(address, Duration::from_secs(1_000));
    let client = Client::new(Buffers { rx: vec![0; 1024], tx: vec![0; 1024] });
    let mqtt: Arc<Mqtt> = Arc::new(Handle::for_threads(client));
    let received = Arc::new(AtomicUsize::new(0));

    let (runner_handle, count) = (Arc::clone(&mqtt), Arc::clone(&received));
    let runner_task = tokio::spawn(async move {
        let backoff = Backoff::new(100, 100).limit(0);
        let mut runner = Runner::new(&runner_handle, Tokio::new(), vec![0; 4096], backoff);
        let ended = runner.run(
            async move |link| {
                let stream = TcpStream::connect(address).await.map_err(Error::Io)?;
                stream.set_nodelay(true).map_err(Error::Io)?;
                let (input, output) = stream.into_split();
                let connect = Connect::new("threads").keep_alive(5);
                link.run(FromTokio::new(input), FromTokio::new(output), &connect).await
            },
            move |update, outbound| {
                match update {
                    Update::Event(Event::Connected { .. }) => {
                        outbound.subscribe(&[("out/#", QoS::ExactlyOnce)])?;
                    }
                    Update::Event(Event::Message(_)) => {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    Update::LinkLost { error, .. } => panic!("{error}"),
                    _ => {}
                }
                Ok(())
            },
        );
        ended.await
    });
    let publishers: Vec<_> = (0..TASKS)
        .map(|task| {
            let mqtt = Arc::clone(&mqtt);
            tokio::spawn(async move {
                for n in 0..COUNT {
                    let payload = format!("{task}/{n}");
                    let qos = if n % 2 == 0 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
                    let message = Message::new("out/threads", payload.as_bytes()).qos(qos);
                    mqtt.publish_and_wait(&message).await.unwrap();
                }
            })
        })
        .collect();
    for task in publishers {
        task.await.unwrap();
    }
    mqtt.stop();
    runner_task.await.unwrap().unwrap();

    let mut arrived = peer.wait_for_messages(TASKS * COUNT);
    arrived.sort();
    arrived.dedup();
    assert_eq!(arrived.len(), TASKS * COUNT);
    let received = received.load(Ordering::Relaxed);
    assert!(received > TASKS * COUNT / 2, "{received}");
}

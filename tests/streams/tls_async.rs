//! embedded-tls, whose operations must not be dropped, over the halves of a slow TCP stream, against rustls.

use std::cell::RefCell;
use std::time::Duration;

use baremqtt::transport::Update;
use baremqtt::transport::asynch::{Duplex, Handle, Runner};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS};
use embedded_io_adapters::tokio_1::FromTokio;
use embedded_tls::{Aes128GcmSha256, TlsConfig, TlsConnection, TlsContext, UnsecureProvider};
use rand_core::OsRng;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::peer::{Peer, broker};
use crate::slow_stream::SlowStream;
use crate::timer::Tokio;
use crate::tls_server;

const COUNT: usize = 300;

#[tokio::test(flavor = "current_thread")]
async fn no_message_is_lost_in_either_direction() {
    let broker = broker();
    let (address, _) = tls_server::start(broker.addr());
    let peer = Peer::start(broker.addr(), Duration::from_millis(5));
    let mqtt = Handle::new(Client::new(Buffers { rx: [0; 512], tx: [0; 4096] }));
    let received = RefCell::new(Vec::new());

    let run_link = async {
        let mut runner = Runner::new(&mqtt, Tokio::new(), [0; 512], Backoff::new(100, 100).limit(0));
        let ended = runner.run(
            async |link| {
                let (input, output) = TcpStream::connect(address).await.unwrap().into_split();
                let duplex =
                    Duplex::new(SlowStream(FromTokio::new(input)), SlowStream(FromTokio::new(output)));
                let (mut read_record, mut write_record) = (vec![0; 16_640], vec![0; 4096]);
                let mut tls = TlsConnection::new(&duplex, &mut read_record, &mut write_record);
                let config = TlsConfig::new().with_server_name("localhost");
                let provider = UnsecureProvider::new::<Aes128GcmSha256>(OsRng);
                tls.open(TlsContext::new(&config, provider)).await.unwrap();
                let (input, output) = tls.split();
                link.run(input, output, &Connect::new("tls").keep_alive(5)).await
            },
            |update, outbound| {
                match update {
                    Update::Event(Event::Connected { .. }) => {
                        outbound.subscribe(&[("in", QoS::AtMostOnce)])?;
                    }
                    Update::Event(Event::Message(message)) => {
                        let number = std::str::from_utf8(message.payload).unwrap();
                        received.borrow_mut().push(number.parse::<u32>().unwrap());
                    }
                    Update::LinkLost { error, .. } => panic!("{error}"),
                    _ => {}
                }
                Ok(())
            },
        );
        ended.await.unwrap();
    };
    let publish = async {
        while received.borrow().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        for n in 0..COUNT {
            let payload = format!("{n:0300}");
            mqtt.publish(&Message::new("out/tls", payload.as_bytes()).at_least_once()).await.unwrap();
        }
        while mqtt.with(|client| client.in_flight()).await > 0 {
            sleep(Duration::from_millis(1)).await;
        }
        mqtt.stop();
    };
    tokio::join!(run_link, publish);

    let arrived = peer.wait_for_messages(COUNT);
    let expected: Vec<_> = (0..COUNT).map(|n| format!("{n:0300}")).collect();
    assert_eq!(arrived, expected);
    let received = received.into_inner();
    let gap = received.windows(2).find(|pair| pair[1] != pair[0] + 1);
    assert!(gap.is_none() && received.len() > COUNT, "{gap:?} of {}", received.len());
}

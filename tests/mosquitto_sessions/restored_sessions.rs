//! A client that is interrupted in the middle of a QoS 2 exchange, and a second one that restores its image and completes it. The
//! second one runs in the same process, and in another.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Clock};
use std::{env, fs, process, thread};

use baremqtt::{Connect, Event, Instant, Message, QoS, Version};

use crate::cut_links::persistent_broker;
use crate::peer::{Buffered, Peer, Setup, TIMEOUT, VERSIONS};
use crate::support::mosquitto::Mosquitto;

const QUIET: Duration = Duration::from_millis(150);
const ID: &str = "phoenix";
/// The time does not matter here.
const NOW: Instant = Instant::from_millis(0);

/// The point at which the first client is interrupted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    PublishSent,
    PubRecSeen,
    PubRelSent,
    MessageSeen,
    PubRecSent,
    PubRelSeen,
}

use Stage::*;

const STAGES: [Stage; 6] = [PublishSent, PubRecSeen, PubRelSent, MessageSeen, PubRecSent, PubRelSeen];

impl Stage {
    /// Whether the client publishes, or receives.
    fn is_outbound(self) -> bool {
        matches!(self, PublishSent | PubRecSeen | PubRelSent)
    }
}

/// A client without an adapter, which can be stopped at any point.
struct InterruptedClient {
    client: Buffered,
    stream: TcpStream,
}

impl InterruptedClient {
    fn new(broker: &Mosquitto, version: Version) -> Self {
        let client = Setup::new(broker.addr(), ID, version).buffers(512, 512).client();
        let stream = TcpStream::connect(broker.addr()).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let mut interrupted = InterruptedClient { client, stream };
        interrupted.client.connect(&Connect::new(ID).version(version).clean_session(false)).unwrap();
        interrupted.send();
        interrupted.receive_until(|client| matches!(client.event(), Some(Event::Connected { .. })));
        assert!(!interrupted.client.advance(NOW).unwrap());
        interrupted
    }

    fn send(&mut self) {
        while !self.client.pending().is_empty() {
            let len = self.stream.write(self.client.pending()).unwrap();
            self.client.sent(len);
        }
    }

    /// Reads until there is an event, or the session has changed, according to `wanted`. Sends nothing.
    fn receive_until(&mut self, mut wanted: impl FnMut(&Buffered) -> bool) {
        loop {
            let advanced = self.client.advance(NOW).unwrap();
            if wanted(&self.client) {
                return;
            }
            if !advanced {
                let len = self.stream.read(self.client.receive_buffer()).unwrap();
                assert_ne!(len, 0, "the broker has closed the connection");
                self.client.received(len);
            }
        }
    }

    /// Advances to this stage, and returns the image.
    fn image(mut self, stage: Stage) -> Vec<u8> {
        if stage.is_outbound() {
            let message = Message::new("out", b"once").qos(QoS::ExactlyOnce);
            self.client.publish(&message).unwrap();
            self.send();
            if stage != PublishSent {
                let revision = self.client.revision();
                self.receive_until(|client| client.revision() != revision);
            }
            if stage == PubRelSent {
                self.send();
            }
        } else {
            self.receive_until(|client| matches!(client.event(), Some(Event::Message(_))));
            if stage != MessageSeen {
                assert!(!self.client.advance(NOW).unwrap());
                self.send();
            }
            if stage == PubRelSeen {
                let revision = self.client.revision();
                self.receive_until(|client| client.revision() != revision);
            }
        }
        let mut image = vec![0; 1024];
        let len = self.client.save(&mut image).unwrap();
        image.truncate(len);
        image
    }
}

/// Completes the exchange that the first client has begun. Each message ends once and arrives once, including those sent later.
fn complete_session(image: &[u8], addr: SocketAddr, version: Version, outbound: bool) {
    let setup = Setup::new(addr, ID, version).buffers(512, 512);
    let mut client = setup.client();
    client.restore(image).expect("an image");
    let mut peer = Peer::with_client(&setup, client);
    let mut seen = Vec::new();
    while peer.handle_event(if seen.is_empty() { TIMEOUT } else { QUIET }, |event| {
        seen.push(match event {
            Event::Published { qos, .. } => format!("published {qos:?}"),
            Event::Message(message) => String::from_utf8_lossy(message.payload).into_owned(),
            other => panic!("{other:?}"),
        });
    }) {}
    assert_eq!(seen, [if outbound { "published ExactlyOnce" } else { "second" }]);
    assert_eq!(peer.mqtt.in_flight(), 0);
    assert!(peer.errors.is_empty(), "{:?}", peer.errors);
}

/// Interrupts a client at every stage, and continues with `complete`.
fn interrupt_at_every_stage(complete: impl Fn(&[u8], SocketAddr, Version, bool)) {
    for version in VERSIONS {
        let broker = persistent_broker(20);
        let mut other = Peer::start(&Setup::new(broker.addr(), "other", version));
        other.subscribe("out", QoS::ExactlyOnce);
        let publish = |other: &mut Peer, payload: &[u8]| {
            other.publish(&Message::new("in", payload).qos(QoS::ExactlyOnce), |event| panic!("{event:?}"));
            other.handle_event(TIMEOUT, |event| {
                assert!(matches!(event, Event::Published { .. }), "{event:?}")
            });
        };
        for stage in STAGES {
            let mut interrupted = InterruptedClient::new(&broker, version);
            if !stage.is_outbound() {
                interrupted.client.subscribe(&[("in", QoS::ExactlyOnce)]).unwrap();
                interrupted.send();
                interrupted.receive_until(|client| matches!(client.event(), Some(Event::Subscribed { .. })));
                publish(&mut other, b"first");
            }
            let image = interrupted.image(stage);
            if !stage.is_outbound() {
                publish(&mut other, b"second");
            }
            complete(&image, broker.addr(), version, stage.is_outbound());
            if stage.is_outbound() {
                other.handle_event(TIMEOUT, |event| {
                    assert!(
                        matches!(event, Event::Message(message) if message.payload == b"once"),
                        "{stage:?}: {event:?}"
                    );
                });
            }
            other.handle_event(QUIET, |event| panic!("{stage:?}: {event:?}"));
        }
    }
}

#[test]
fn a_restored_client_completes_the_exchange() {
    interrupt_at_every_stage(|image, addr, version, outbound| {
        let image = image.to_vec();
        thread::spawn(move || complete_session(&image, addr, version, outbound)).join().expect("no panic");
    });
}

const IMAGE: &str = "BAREMQTT_TEST_IMAGE";
const ADDR: &str = "BAREMQTT_TEST_ADDR";
const KIND: &str = "BAREMQTT_TEST_KIND";

#[test]
fn a_restored_process_completes_the_exchange() {
    let file = env::temp_dir().join(format!("baremqtt-image-{}", process::id()));
    interrupt_at_every_stage(|image, addr, version, outbound| {
        fs::write(&file, image).expect("a file for the image");
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "restored_sessions::run_in_second_process", "--ignored", "--nocapture"])
            .env(IMAGE, &file)
            .env(ADDR, addr.to_string())
            .env(KIND, format!("{version:?} {outbound}"))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program starts");
        let end = Clock::now() + TIMEOUT;
        let status = loop {
            if let Some(status) = child.try_wait().expect("the state of a child") {
                break Some(status);
            }
            if Clock::now() > end {
                let _ = (child.kill(), child.wait());
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        let left = fs::remove_file(&file);
        assert!(status.is_some_and(|status| status.success()), "the second process: {status:?}");
        // It has read the image, and run.
        assert!(left.is_err(), "the image is still there");
    });
}

/// Not a test by itself: the one above starts it.
#[test]
#[ignore = "started by another test"]
fn run_in_second_process() {
    let file = PathBuf::from(env::var_os(IMAGE).expect("an image"));
    let image = fs::read(&file).expect("an image");
    let addr = env::var(ADDR).expect("an address").parse().expect("an address");
    let kind = env::var(KIND).expect("a kind");
    let (version, outbound) = kind.split_once(' ').expect("two words");
    let version = VERSIONS.into_iter().find(|known| format!("{known:?}") == version).expect("a version");
    complete_session(&image, addr, version, outbound == "true");
    fs::remove_file(&file).expect("the image is done with");
}

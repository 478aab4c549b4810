//! The example broker against other clients: `mosquitto_pub`, `mosquitto_sub` and Python's
//! paho-mqtt.
//!
//! They have to be installed, so this is not part of plain `cargo test`:
//!
//! ```text
//! cargo test --test broker_clients
//! ```

#[path = "../examples/broker/server/mod.rs"]
mod server;

#[path = "clients/process.rs"]
mod process;

use std::net::SocketAddr;

use process::{Process, run};
use server::{Options, Server};

const PUB: &str = "mosquitto_pub";
const SUB: &str = "mosquitto_sub";
const VERSIONS: [&str; 2] = ["mqttv31", "mqttv311"];
const QOS: [&str; 3] = ["0", "1", "2"];

/// A server on a free port of loopback.
fn start() -> Server {
    start_with(Vec::new())
}

fn start_with(users: Vec<(String, String)>) -> Server {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::start(Options { listen, users, ..Options::default() }).expect("a free port on loopback")
}

/// The arguments common to all calls, and those of this one, which are separated by spaces.
fn arguments(server: &Server, version: &str, text: &str) -> Vec<String> {
    let common = format!("-h 127.0.0.1 -p {} -V {version} {text}", server.addr().port());
    common.split_whitespace().map(str::to_owned).collect()
}

fn publish(server: &Server, version: &str, text: &str) {
    run(PUB, &arguments(server, version, text));
}

/// A subscriber to `test/#` that prints topic and payload; returns once it has certainly subscribed.
fn subscribe(server: &Server, version: &str, text: &str) -> Process {
    publish(server, version, "-t test/ready -m now -r -q 1");
    let mut subscriber = start_subscriber(server, version, &format!("-t test/# -v {text}"));
    assert_eq!(subscriber.line(), "test/ready now");
    subscriber
}

fn start_subscriber(server: &Server, version: &str, text: &str) -> Process {
    Process::start(SUB, &arguments(server, version, text))
}

#[test]
fn mosquitto_clients_exchange_messages_at_every_qos_and_version() {
    let server = start();
    for version in VERSIONS {
        for qos in QOS {
            let mut subscriber = subscribe(&server, version, &format!("-q {qos}"));
            for sender in VERSIONS {
                publish(&server, sender, &format!("-t test/one -m from-{sender} -q {qos}"));
                assert_eq!(subscriber.line(), format!("test/one from-{sender}"));
            }
        }
    }
}

#[test]
fn mosquitto_clients_receive_a_thousand_messages_in_order() {
    let server = start();
    for version in VERSIONS {
        for qos in QOS {
            let mut subscriber = subscribe(&server, version, &format!("-q {qos}"));
            let text = format!("-t test/many -l -q {qos}");
            let mut publisher = Process::start(PUB, &arguments(&server, version, &text));
            let lines: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
            publisher.write_lines(&lines);
            for line in &lines {
                assert_eq!(subscriber.line(), format!("test/many {line}"), "{version}, QoS {qos}");
            }
            publisher.expect_success();
        }
    }
}

#[test]
fn mosquitto_clients_receive_large_messages() {
    let server = start();
    let payload = "x".repeat(100_000);
    for qos in QOS {
        let mut subscriber = subscribe(&server, "mqttv311", &format!("-q {qos}"));
        publish(&server, "mqttv311", &format!("-t test/large -m {payload} -q {qos}"));
        assert_eq!(subscriber.line(), format!("test/large {payload}"));
    }
}

#[test]
fn mosquitto_clients_receive_retained_messages() {
    let server = start();
    for version in VERSIONS {
        for qos in QOS {
            publish(&server, version, &format!("-t kept -m value -r -q {qos}"));
            let mut late = start_subscriber(&server, version, "-t kept -F %r/%q/%p -q 2 -C 1");
            assert_eq!(late.line(), format!("1/{qos}/value"));
            late.expect_success();
        }
        publish(&server, version, "-t kept -n -r -q 1");
        let mut late = start_subscriber(&server, version, "-t kept -t end -F %t");
        // A retained message would arrive before anything else, so there is none.
        publish_until_seen(&server, version, &mut late);
    }
}

/// Publishes to `end` until the subscriber, whose time of subscribing is unknown, prints that as its first
/// line.
fn publish_until_seen(server: &Server, version: &str, subscriber: &mut Process) {
    publish(server, version, "-t end -m x -r -q 1");
    assert_eq!(subscriber.line(), "end");
    publish(server, version, "-t end -n -r -q 1");
}

#[test]
fn the_will_of_a_mosquitto_client_is_published_only_if_it_is_killed() {
    let server = start();
    for version in VERSIONS {
        for qos in QOS {
            let mut watcher = subscribe(&server, version, "-q 2");
            let will = format!("--will-topic test/will --will-payload gone --will-qos {qos}");
            let text = format!("{will} -t test/ready -C 1 -q 2");
            start_subscriber(&server, version, &text).expect_success();
            let mut killed = subscribe(&server, version, &will);
            // The second `ready` is live for the watcher.
            assert_eq!(watcher.line(), "test/ready now");
            killed.kill();
            assert_eq!(watcher.line(), "test/will gone");
        }
    }
}

#[test]
fn messages_are_queued_while_a_mosquitto_client_is_offline() {
    for version in VERSIONS {
        for qos in ["1", "2"] {
            let server = start();
            let session = format!("-c -i kept -t news -q {qos}");
            run(SUB, &arguments(&server, version, &format!("{session} -E")));
            for number in 0..30 {
                publish(&server, version, &format!("-t news -m {number} -q {qos}"));
            }
            let mut back = start_subscriber(&server, version, &format!("{session} -C 30"));
            for number in 0..30 {
                assert_eq!(back.line(), number.to_string(), "{version}, QoS {qos}");
            }
            back.expect_success();
        }
    }
}

#[test]
fn mosquitto_clients_receive_the_reason_of_a_refusal() {
    let server = start_with(vec![("ada".into(), "secret".into())]);
    for version in VERSIONS {
        publish(&server, version, "-t a -m x -u ada -P secret");
        for (credentials, reason) in
            [("-u ada -P wrong", "bad user name or password"), ("", "not authorised")]
        {
            let text = format!("-t a -m x {credentials}");
            let output = process::run_expecting_failure(PUB, &arguments(&server, version, &text));
            assert!(output.contains(reason), "{version}: {output}");
        }
    }
}

#[test]
fn paho_exchanges_messages_at_every_qos_and_version() {
    let server = start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/with_paho.py");
    for version in ["3.1", "3.1.1"] {
        let port = server.addr().port().to_string();
        run("python3", &[script.to_owned(), port, version.to_owned()]);
    }
}

//! The examples against a real Mosquitto: its broker, and its clients `mosquitto_pub` and `mosquitto_sub`.
//!
//! They have to be installed, so this is not part of plain `cargo test`:
//!
//! ```text
//! cargo test --test mosquitto_cli
//! ```

#[path = "support/mosquitto.rs"]
#[allow(dead_code)]
mod mosquitto;

#[path = "clients/process.rs"]
mod process;

#[path = "examples/killed_repeatedly.rs"]
mod killed_repeatedly;
#[path = "examples/quickstart_output.rs"]
mod quickstart_output;
#[path = "examples/tools.rs"]
mod tools;

use mosquitto::{Config, Mosquitto};
use process::Process;
use quickstart_output::assert_complete;
use tools::{QOS, VERSIONS, publish, run, start_client, subscribe};

fn without_users() -> Mosquitto {
    Mosquitto::start(&Config::default())
}

fn with_users() -> Mosquitto {
    Mosquitto::start(&Config { users: vec![("ada", "secret")], ..Config::default() })
}

/// Starts one of Mosquitto's clients with the arguments common to all calls, and these, separated by spaces.
fn start_mosquitto_client(name: &str, broker: &Mosquitto, version: &str, arguments: &str) -> Process {
    let common = format!("-h 127.0.0.1 -p {} -V mqttv{version} {arguments}", broker.addr().port());
    Process::start(name, &common.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

/// Starts `mosquitto_sub`, which prints topic, QoS and payload, and returns once it has certainly subscribed to
/// `test/#`.
fn start_mosquitto_sub(broker: &Mosquitto, version: &str, arguments: &str) -> Process {
    publish(broker.addr(), version, "-t test/ready -m now -r -q 1");
    let mut subscriber = start_mosquitto_client(
        "mosquitto_sub",
        broker,
        version,
        &format!("-t test/# -F %t:%q:%p {arguments}"),
    );
    assert!(subscriber.line().starts_with("test/ready:"));
    subscriber
}

#[test]
fn quickstart_in_both_versions() {
    let broker = without_users();
    let address = broker.addr().to_string();
    for version in ["3.1", "3.1.1"] {
        assert_complete(&run("quickstart", &["--broker", &address, "--mqtt", version]));
    }
    // Nothing is left over: a retained message would come first.
    let mut subscriber = subscribe(broker.addr(), "311", "-t # -v");
    publish(broker.addr(), "311", "-t end -m x");
    assert_eq!(subscriber.line(), "end x");
}

#[test]
fn quickstart_with_user_and_password() {
    let broker = with_users();
    let address = broker.addr().to_string();
    for version in ["3.1", "3.1.1"] {
        let arguments = ["--broker", &address, "--mqtt", version];
        let login = |password| ["--user", "ada", "--password", password];
        assert_complete(&run("quickstart", &[arguments, login("secret")].concat()));
        for refused in
            [run("quickstart", &[arguments, login("guess")].concat()), run("quickstart", &arguments)]
        {
            assert_eq!(refused.code, Some(1), "{refused:?}");
            // Mosquitto answers a wrong password with code 5, not with 4.
            assert_eq!(
                refused.errors,
                ["quickstart: Alice cannot connect: the server refused the connection: not authorized (5)"],
            );
        }
    }
}

#[test]
fn a_refusal_has_the_exit_code_of_mosquitto_clients() {
    let broker = with_users();
    for version in VERSIONS {
        for (name, what) in [("pub", "-m x"), ("sub", "")] {
            let arguments = format!("-t a {what} -u ada -P guess");
            let ours = start_client(name, broker.addr(), version, &arguments).wait_for_exit();
            let mosquitto =
                start_mosquitto_client(&format!("mosquitto_{name}"), &broker, version, &arguments)
                    .wait_for_exit();
            assert_eq!(ours.errors, [format!("{name}: connection refused: not authorized (5)")]);
            assert_eq!(ours.code, mosquitto.code, "{mosquitto:?}");
        }
    }
}

#[test]
fn pub_to_mosquitto_sub() {
    let broker = without_users();
    for version in VERSIONS {
        for qos in QOS {
            let mut subscriber = start_mosquitto_sub(&broker, version, &format!("-q {qos}"));
            publish(broker.addr(), version, &format!("-t test/one -m hello -q {qos}"));
            assert_eq!(subscriber.line(), format!("test/one:{qos}:hello"));
            let mut publisher =
                start_client("pub", broker.addr(), version, &format!("-t test/l -l -q {qos}"));
            let lines: Vec<_> = (0..500).map(|number| number.to_string()).collect();
            publisher.write_lines(&lines);
            publisher.expect_success();
            for line in lines {
                assert_eq!(subscriber.line(), format!("test/l:{qos}:{line}"), "{version}");
            }
        }
    }
}

#[test]
fn mosquitto_pub_to_sub() {
    let broker = without_users();
    for version in VERSIONS {
        for qos in QOS {
            let arguments = format!("-t test/# -q {qos} -F %t:%q:%p -C 501");
            let mut subscriber = subscribe(broker.addr(), version, &arguments);
            start_mosquitto_client(
                "mosquitto_pub",
                &broker,
                version,
                &format!("-t test/one -m hello -q {qos}"),
            )
            .expect_success();
            assert_eq!(subscriber.line(), format!("test/one:{qos}:hello"));
            let mut publisher =
                start_mosquitto_client("mosquitto_pub", &broker, version, &format!("-t test/l -l -q {qos}"));
            let lines: Vec<_> = (0..500).map(|number| number.to_string()).collect();
            publisher.write_lines(&lines);
            publisher.expect_success();
            for line in lines {
                assert_eq!(subscriber.line(), format!("test/l:{qos}:{line}"), "{version}");
            }
            subscriber.expect_success();
        }
    }
}

#[test]
fn large_messages() {
    let broker = without_users();
    let content = "0123456789".repeat(100_000);
    for qos in QOS {
        let mut ours = subscribe(broker.addr(), "311", &format!("-t test/large -v -q {qos}"));
        let mut mosquitto_sub = start_mosquitto_sub(&broker, "31", &format!("-q {qos}"));
        let mut publisher = start_client("pub", broker.addr(), "311", &format!("-t test/large -s -q {qos}"));
        publisher.write(content.as_bytes());
        publisher.expect_success();
        assert!(ours.line() == format!("test/large {content}"));
        assert!(mosquitto_sub.line() == format!("test/large:{qos}:{content}"));
    }
}

#[test]
fn retained_messages_and_wills() {
    let broker = without_users();
    for version in VERSIONS {
        publish(broker.addr(), version, "-t kept -m value -r -q 1");
        let late = start_mosquitto_client("mosquitto_sub", &broker, version, "-t kept -C 1 -F %r:%p")
            .wait_for_exit();
        assert_eq!(late.output, ["1:value"]);
        start_mosquitto_client("mosquitto_pub", &broker, version, "-t kept -n -r -q 1").expect_success();
        let mut later = subscribe(broker.addr(), version, "-t kept");
        publish(broker.addr(), version, "-t kept -m first");
        assert_eq!(later.line(), "first");

        let mut watcher = start_mosquitto_sub(&broker, version, "-q 1");
        let will = "--will-topic test/will --will-payload gone --will-qos 1";
        subscribe(broker.addr(), version, &format!("{will} -t a")).kill();
        assert_eq!(watcher.line(), "test/will:1:gone");
    }
}

#[test]
fn a_session_queues_messages_and_delivers_them_once() {
    let broker = without_users();
    for version in VERSIONS {
        for qos in ["1", "2"] {
            let session = format!("-c -i kept-{version}-{qos} -t news/{version}/{qos} -q {qos}");
            start_client("sub", broker.addr(), version, &format!("{session} -E")).expect_success();
            let mut publisher = start_mosquitto_client(
                "mosquitto_pub",
                &broker,
                version,
                &format!("-t news/{version}/{qos} -l -q {qos}"),
            );
            publisher.write_lines(&["a", "b", "c", "d", "e"].map(str::to_owned));
            publisher.expect_success();
            for part in [["a", "b"], ["c", "d"]] {
                let back =
                    start_client("sub", broker.addr(), version, &format!("{session} -C 2")).wait_for_exit();
                assert_eq!(back.output, part, "{version}, QoS {qos}: {back:?}");
            }
            publish(broker.addr(), version, &format!("-t news/{version}/{qos} -m end -q {qos}"));
            let last =
                start_client("sub", broker.addr(), version, &format!("{session} -C 2")).wait_for_exit();
            assert_eq!(last.output, ["e", "end"], "{version}, QoS {qos}: {last:?}");
        }
    }
}

#[test]
fn sub_reconnects_after_the_broker_was_killed() {
    let mut broker = without_users();
    let mut subscriber = subscribe(broker.addr(), "311", "-t a -q 1");
    broker.kill();
    subscriber.wait_for_error_line("trying again");
    broker.restart();
    subscriber.wait_for_error_line("<- SUBACK");
    start_mosquitto_client("mosquitto_pub", &broker, "311", "-t a -m again -q 1").expect_success();
    assert_eq!(subscriber.line(), "again");
}

#[test]
fn each_line_arrives_once_although_outbox_and_inbox_are_killed_fifty_times() {
    let broker = without_users();
    killed_repeatedly::kill_outbox_and_inbox(broker.addr());
}

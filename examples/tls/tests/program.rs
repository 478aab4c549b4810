//! The example as a user runs it, against Mosquitto. Needs `mosquitto`.

#[path = "../../../streams/tls/tests/common/mod.rs"]
mod common;

use std::process::Command;

use common::{Authority, Broker, text};

/// The output of the program, and whether it succeeded.
fn run(broker: &str, arguments: &[&str]) -> (bool, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_tls"))
        .args(["--broker", broker])
        .args(arguments)
        .output()
        .expect("the example is built");
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8(said).expect("text"))
}

#[test]
fn a_message_comes_back_in_both_versions_and_at_each_qos() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let (ca, at) = (authority.file("ca.crt"), format!("localhost:{}", broker.tls_port));
    for version in ["3.1", "3.1.1"] {
        for qos in ["0", "1", "2"] {
            let arguments = ["--ca", text(&ca), "--mqtt", version, "--qos", qos, "--message", "21.5"];
            let (content, said) = run(&at, &arguments);
            assert!(content && said.contains("\nbaremqtt/tls: 21.5\n"), "{version}, {qos}: {said}");
            assert_eq!(said.contains("is acknowledged"), qos != "0", "{said}");
        }
    }
    // Mosquitto has received a DISCONNECT each time, and no TLS error.
    let log = broker.mosquitto.logs(" disconnected.\n", 6);
    assert_eq!(log.matches(" disconnected.\n").count(), 6, "{log}");
    assert!(!log.contains("error"), "{log}");
}

#[test]
fn a_server_of_another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let broker = Broker::start(&authority, "");
    let at = format!("localhost:{}", broker.tls_port);
    let (content, said) = run(&at, &["--ca", text(&other.file("ca.crt"))]);
    assert!(!content);
    assert!(said.contains("is not from an authority that is trusted"), "{said}");
    // No packet has been sent, so passwords stay secret.
    assert!(!broker.mosquitto.log().contains("connected from"), "{}", broker.mosquitto.log());
}

#[test]
fn a_server_of_another_name_is_refused() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let (ca, at) = (authority.file("ca.crt"), format!("127.0.0.1:{}", broker.tls_port));
    // The certificate is for this address too.
    assert!(run(&at, &["--ca", text(&ca)]).0);
    let (content, said) = run(&at, &["--ca", text(&ca), "--name", "example.org"]);
    assert!(!content);
    assert!(said.contains("is for another name") && said.contains("localhost"), "{said}");
}

#[test]
fn a_server_may_want_a_certificate() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "require_certificate true\nuse_identity_as_username true");
    let (ca, at) = (authority.file("ca.crt"), format!("localhost:{}", broker.tls_port));
    let (certificate, key) = (authority.file("client.crt"), authority.file("client.key"));
    let (content, said) = run(&at, &["--ca", text(&ca), "--cert", text(&certificate), "--key", text(&key)]);
    assert!(content, "{said}");
    let (content, said) = run(&at, &["--ca", text(&ca)]);
    assert!(!content);
    assert!(said.contains("the server does not like what this client has shown"), "{said}");
}

#[test]
fn a_port_without_tls_is_told_apart() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let at = format!("localhost:{}", broker.mosquitto.addr().port());
    let (content, said) = run(&at, &["--ca", text(&authority.file("ca.crt"))]);
    assert!(!content);
    assert!(said.contains("the server has ended the handshake"), "{said}");
}

#[test]
fn files_that_are_not_there_are_named() {
    let authority = Authority::new();
    let missing = authority.file("missing.crt");
    let (content, said) = run("localhost:1", &["--ca", text(&missing)]);
    assert!(!content && said.contains("missing.crt: "), "{said}");
    let (content, said) = run("localhost:1", &["--ca", text(&authority.file("client.key"))]);
    assert!(!content && said.contains("there is no certificate in it"), "{said}");
}

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
    let output = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8(output).expect("text"))
}

#[test]
fn receives_its_message_in_both_versions_and_at_each_qos() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let (ca, at) = (authority.file("ca.crt"), format!("localhost:{}", broker.tls_port));
    for version in ["3.1", "3.1.1"] {
        for qos in ["0", "1", "2"] {
            let arguments = ["--ca", text(&ca), "--mqtt", version, "--qos", qos, "--message", "21.5"];
            let (succeeded, output) = run(&at, &arguments);
            assert!(succeeded && output.contains("\nbaremqtt/tls: 21.5\n"), "{version}, {qos}: {output}");
            assert_eq!(output.contains("is acknowledged"), qos != "0", "{output}");
        }
    }
    // Mosquitto has received a DISCONNECT each time, and no TLS error.
    let log = broker.mosquitto.logs(" disconnected.\n", 6);
    assert_eq!(log.matches(" disconnected.\n").count(), 6, "{log}");
    assert!(!log.contains("error"), "{log}");
}

#[test]
fn rejects_a_certificate_of_another_authority() {
    let (authority, other) = (Authority::new(), Authority::new());
    let broker = Broker::start(&authority, "");
    let at = format!("localhost:{}", broker.tls_port);
    let (succeeded, output) = run(&at, &["--ca", text(&other.file("ca.crt"))]);
    assert!(!succeeded);
    assert!(output.contains("is not from an authority that is trusted"), "{output}");
    // No packet has been sent, so passwords stay secret.
    assert!(!broker.mosquitto.log().contains("connected from"), "{}", broker.mosquitto.log());
}

#[test]
fn rejects_a_certificate_for_another_name() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let (ca, at) = (authority.file("ca.crt"), format!("127.0.0.1:{}", broker.tls_port));
    // The certificate is for this address too.
    assert!(run(&at, &["--ca", text(&ca)]).0);
    let (succeeded, output) = run(&at, &["--ca", text(&ca), "--name", "example.org"]);
    assert!(!succeeded);
    assert!(output.contains("is for another name") && output.contains("localhost"), "{output}");
}

#[test]
fn presents_a_client_certificate() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "require_certificate true\nuse_identity_as_username true");
    let (ca, at) = (authority.file("ca.crt"), format!("localhost:{}", broker.tls_port));
    let (certificate, key) = (authority.file("client.crt"), authority.file("client.key"));
    let (succeeded, output) =
        run(&at, &["--ca", text(&ca), "--cert", text(&certificate), "--key", text(&key)]);
    assert!(succeeded, "{output}");
    let (succeeded, output) = run(&at, &["--ca", text(&ca)]);
    assert!(!succeeded);
    assert!(output.contains("the server does not like what this client has shown"), "{output}");
}

#[test]
fn reports_a_port_without_tls() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let at = format!("localhost:{}", broker.mosquitto.addr().port());
    let (succeeded, output) = run(&at, &["--ca", text(&authority.file("ca.crt"))]);
    assert!(!succeeded);
    assert!(output.contains("the server has ended the handshake"), "{output}");
}

#[test]
fn names_missing_files() {
    let authority = Authority::new();
    let missing = authority.file("missing.crt");
    let (succeeded, output) = run("localhost:1", &["--ca", text(&missing)]);
    assert!(!succeeded && output.contains("missing.crt: "), "{output}");
    let (succeeded, output) = run("localhost:1", &["--ca", text(&authority.file("client.key"))]);
    assert!(!succeeded && output.contains("there is no certificate in it"), "{output}");
}

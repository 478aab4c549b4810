//! The example as a user runs it, against Mosquitto's WebSocket listener. Needs `mosquitto`.

#[path = "../../../tests/support/mod.rs"]
mod support;

use std::process::Command;

use support::mosquitto::websockets;

#[test]
fn receives_its_message_in_both_versions_and_at_each_qos() {
    let (broker, addr) = websockets();
    for (version, protocol) in [("3.1", "mqtt"), ("3.1", "mqttv3.1"), ("3.1.1", "mqtt")] {
        for qos in ["0", "1", "2"] {
            let ended = Command::new(env!("CARGO_BIN_EXE_websocket"))
                .arg(format!("ws://{addr}/mqtt"))
                .args(["--mqtt", version, "--protocol", protocol, "--qos", qos, "--message", "21.5"])
                .output()
                .expect("the example is built");
            let output = String::from_utf8([ended.stdout, ended.stderr].concat()).expect("text");
            assert!(ended.status.success(), "{output}");
            assert!(output.contains("\nbaremqtt/websocket: 21.5\n"), "{version}, {qos}: {output}");
        }
    }
    let log = broker.logs(" disconnected.\n", 9);
    assert_eq!(log.matches(" disconnected.\n").count(), 9, "{log}");
}

//! A runner over TLS, against Mosquitto: many threads publish, one receives, and an idle connection wakes up no thread.

mod common;
#[path = "../../../tests/support/runner_check.rs"]
mod runner_check;

use std::time::Duration;

use baremqtt::Message;
use common::{Authority, Broker};

const TIMEOUT: Duration = Duration::from_secs(60);

#[test]
fn many_threads_share_a_connection_that_does_not_wake_up_while_idle() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let config = baremqtt_tls::config(&authority.file("ca.crt"), None).expect("a certificate");
    let port = broker.tls_port;
    let open = move || baremqtt_tls::open("localhost", port, &config, TIMEOUT);
    runner_check::check_runner(open, &Message::new("t", &[0; 300]).at_least_once(), 300);
    let log = broker.mosquitto.logs(" disconnected.\n", 1);
    assert!(!log.contains("error"), "{log}");
}

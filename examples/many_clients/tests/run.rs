//! A thousand clients and more, and a broker that is stopped and restarted. Needs `mosquitto`.

#[path = "../../../tests/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::Connection;
use baremqtt::{Buffers, Client, Connect, Event, QoS};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use support::mosquitto::{Config, Guarded, Mosquitto, Persistence};

const TIMEOUT: Duration = Duration::from_secs(180);
const CLIENTS: u64 = 1_200;
const MESSAGES: u64 = 5;

/// A Mosquitto that allows this many connections: it has the limit of this process.
fn start(persistence: Persistence) -> Mosquitto {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    assert!(hard > 2 * CLIENTS, "please raise the limit of open files: `ulimit -n {}`", 3 * CLIENTS);
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("a soft limit");
    let lines = "sys_interval 1".to_owned();
    Mosquitto::start(&Config { persistence, lines, ..Config::default() })
}

/// The example, and its output.
struct Example {
    running: Guarded,
    lines: Receiver<String>,
    output: String,
}

impl Example {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baremqtt-many-clients"));
        let mut running = Guarded::start(command.args(arguments).stdout(Stdio::piped()));
        let output = BufReader::new(running.process.stdout.take().expect("a pipe"));
        let (line, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        Example { running, lines, output: String::new() }
    }

    fn against(broker: &Mosquitto, arguments: &[&str]) -> Self {
        let (addr, clients, messages) =
            (broker.addr().to_string(), CLIENTS.to_string(), MESSAGES.to_string());
        let all = ["--broker", &addr, "--clients", &clients, "--messages", &messages];
        Self::start(&[&all, arguments].concat())
    }

    /// Waits for a line with this text.
    fn wait_for_line(&mut self, text: &str) -> String {
        let end = Instant::now() + TIMEOUT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("{text} is not printed, but\n{}", self.output));
            self.output.extend([&line, "\n"]);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The numbers in the line with this text.
    fn numbers(&mut self, text: &str) -> Vec<u64> {
        self.wait_for_line(text).split([' ', ',']).filter_map(|word| word.parse().ok()).collect()
    }

    /// All messages arrive, and it ends. Returns how many arrived more than once, how many were sent again, and how many
    /// connections were lost.
    fn wait_for_success(mut self) -> [u64; 3] {
        assert_eq!(self.numbers("messages have arrived"), [CLIENTS * MESSAGES; 2]);
        let repeated = self.numbers("came more than once");
        let lost = self.numbers("connections were lost");
        let ended = self.running.process.wait().expect("the end");
        assert!(ended.success(), "{}", self.output);
        [repeated[0], repeated[1], lost[0]]
    }
}

/// Waits until this is the broker's only client.
fn wait_for_end_of_sessions(broker: &Mosquitto) {
    let client = Client::new(Buffers { rx: vec![0; 1_024], tx: vec![0; 1_024] });
    let mut mqtt = Connection::tcp(broker.addr(), TIMEOUT, client).expect("the broker");
    mqtt.connect(&Connect::new("observer")).expect("CONNACK");
    let end = Instant::now() + TIMEOUT;
    while let Some(event) = mqtt.next_event(Some(TIMEOUT)).expect("a link") {
        assert!(Instant::now() < end, "sessions are left: {event:?}");
        match event {
            Event::Connected { .. } => {
                mqtt.subscribe(&[("$SYS/broker/clients/total", QoS::AtMostOnce)]).expect("room");
            }
            Event::Message(message) if message.payload == b"1" => return,
            _ => {}
        }
    }
    panic!("the broker wait_for_line nothing");
}

/// QoS 1 is enough to deliver every message, because the broker keeps what it has acknowledged.
#[test]
fn nothing_is_lost_when_the_broker_restarts() {
    let mut broker = start(Persistence::AtStop);
    let mut example = Example::against(&broker, &[]);
    example.wait_for_line("all connected");
    thread::sleep(Duration::from_millis(1_500));
    broker.stop();
    thread::sleep(Duration::from_millis(300));
    broker.restart();
    let [_, sent_again, lost] = example.wait_for_success();
    assert_eq!(sent_again, 0);
    assert!(lost >= CLIENTS, "{lost}");
    wait_for_end_of_sessions(&broker);
}

/// The broker forgets sessions, subscriptions and acknowledged messages, so the clients send missing messages again.
#[test]
fn missing_messages_are_resent_after_the_broker_was_killed() {
    let mut broker = start(Persistence::Off);
    let mut example = Example::against(&broker, &["--mqtt", "3.1", "--pace", "800"]);
    example.wait_for_line("all connected");
    thread::sleep(Duration::from_millis(700));
    broker.kill();
    thread::sleep(Duration::from_millis(300));
    broker.restart();
    let [.., lost] = example.wait_for_success();
    assert!(lost >= CLIENTS, "{lost}");
    wait_for_end_of_sessions(&broker);
}

/// As a user runs it who has nothing installed, with fewer clients.
#[test]
fn runs_with_its_own_broker() {
    let mut example = Example::start(&["--clients", "100", "--messages", "3", "--pace", "200"]);
    assert_eq!(example.numbers("messages have arrived"), [300, 300]);
    example.wait_for_line("bytes of memory");
    assert!(example.running.process.wait().expect("the end").success());
}

#[test]
fn reports_a_limit_of_open_files_that_is_too_low() {
    let run = "ulimit -Sn 100 && ulimit -Hn 100 && exec \"$0\" --clients 500";
    let ended = Command::new("sh")
        .args(["-c", run, env!("CARGO_BIN_EXE_baremqtt-many-clients")])
        .output()
        .expect("sh");
    let output = String::from_utf8(ended.stderr).expect("text");
    assert!(!ended.status.success() && output.contains("no more than 100 are allowed"), "{output}");
}

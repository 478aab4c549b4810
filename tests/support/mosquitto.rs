//! Debian's `mosquitto`, started for one test on a free loopback port.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

#[path = "guarded.rs"]
mod guarded;
#[path = "port.rs"]
mod port;

pub use guarded::Guarded;
#[allow(unused_imports, reason = "not every test starts a server of its own")]
pub use port::{free_port, once_free};

/// How long a broker may take to start or to stop.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The configuration of the broker. `Config::default()` admits everyone, and saves nothing when it stops.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub persistence: Persistence,
    /// User names and passwords; if there are any, other users are refused.
    pub users: Vec<(&'static str, &'static str)>,
    /// More lines for its configuration file, for instance `max_queued_messages 0`. An additional listener needs
    /// a port from [`free_port`].
    pub lines: String,
}

/// Whether sessions and retained messages survive the end of the broker's process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    #[default]
    Off,
    /// Saved by [`Mosquitto::stop`].
    AtStop,
    /// Also saved after this many changes, so that they survive [`Mosquitto::kill`]. The broker acknowledges before
    /// it saves: after one more round trip (PINGREQ) it has saved.
    EveryChanges(u32),
}

/// A running (or stopped) broker. Dropping it ends the process and removes its files.
pub struct Mosquitto {
    dir: PathBuf,
    port: u16,
    running: Option<Guarded>,
}

/// A listener for WebSockets, to be placed after the lines of its port.
/// Without `socket_domain` it would listen on all interfaces.
pub const WEBSOCKETS: &str = "protocol websockets\nsocket_domain ipv4";

/// A broker, and the address of its WebSocket listener.
pub fn websockets() -> (Mosquitto, SocketAddr) {
    let port = free_port();
    let lines = format!("listener {port} 127.0.0.1\n{WEBSOCKETS}");
    let broker = Mosquitto::start(&Config { lines, ..Config::default() });
    (broker, (Ipv4Addr::LOCALHOST, port).into())
}

impl Mosquitto {
    /// Starts a broker and waits until it accepts connections.
    pub fn start(config: &Config) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let dir = env::temp_dir().join(format!("baremqtt-mosquitto-{}-{number}", process::id()));
        // Perhaps left by a killed process that had the same number.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a folder for the broker");
        let mut broker = Mosquitto { dir, port: free_port(), running: None };
        broker.configure(config);
        broker.restart();
        broker
    }

    /// The address that clients connect to.
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Stops the broker with SIGTERM, and waits until it has saved what it is configured to save.
    pub fn stop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        terminate(running.process.id());
        let deadline = Instant::now() + TIMEOUT;
        while running.process.try_wait().expect("the state of a child").is_none() {
            assert!(Instant::now() < deadline, "mosquitto does not stop:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the broker as a power cut would.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Starts the broker again, on the same port with what it has saved. A running broker is stopped first.
    pub fn restart(&mut self) {
        self.stop();
        let mut logged = self.log().len();
        let mut running = start(&self.dir);
        let deadline = Instant::now() + TIMEOUT;
        // It logs this once all its listeners are open.
        while !self.log().get(logged..).is_some_and(|log| log.contains(" running\n")) {
            if let Some(ended) = running.process.try_wait().expect("the state of a child") {
                let log = self.log();
                // See `port::once_free`.
                let port_is_still_in_use =
                    log.get(logged..).is_some_and(|log| log.contains("Address already in use"));
                assert!(port_is_still_in_use, "mosquitto has ended ({ended}):\n{log}");
                logged = log.len();
                running = start(&self.dir);
            }
            assert!(Instant::now() < deadline, "mosquitto does not start:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
        self.running = Some(running);
    }

    /// What the broker has logged so far. Its log may lag behind: see [`Mosquitto::logs`].
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Waits until the broker has logged this text so many times, and returns the whole log.
    ///
    /// # Panics
    ///
    /// If it does not log it that often.
    pub fn logs(&self, text: &str, times: usize) -> String {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let log = self.log();
            if log.matches(text).count() >= times {
                return log;
            }
            assert!(Instant::now() < deadline, "mosquitto does not write {text:?} {times} times:\n{log}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn configure(&self, config: &Config) {
        let mut text = format!("listener {} 127.0.0.1\n", self.port);
        let mut line =
            |args: std::fmt::Arguments<'_>| writeln!(text, "{args}").expect("a String accepts everything");
        line(format_args!("allow_anonymous {}", config.users.is_empty()));
        if self.is_root() {
            // Otherwise it drops root privileges, and with them the access to its folder.
            line(format_args!("user root"));
        }
        if !config.users.is_empty() {
            let file = self.dir.join("passwords");
            fs::write(&file, "").expect("a file for passwords");
            for (name, password) in &config.users {
                let made = Command::new(find("mosquitto_passwd"))
                    .arg("-b")
                    .arg(&file)
                    .args([name, password])
                    .output();
                assert!(made.is_ok_and(|made| made.status.success()), "mosquitto_passwd fails");
            }
            line(format_args!("password_file {}", file.display()));
        }
        line(format_args!("persistence {}", config.persistence != Persistence::Off));
        if config.persistence != Persistence::Off {
            let changes = match config.persistence {
                Persistence::EveryChanges(changes) => changes,
                _ => 0,
            };
            line(format_args!("persistence_location {}/", self.dir.display()));
            line(format_args!("autosave_on_changes true\nautosave_interval {changes}"));
        }
        line(format_args!("{}", config.lines));
        fs::write(self.dir.join("mosquitto.conf"), text).expect("a configuration file");
    }

    /// Whether files that this process creates belong to root.
    fn is_root(&self) -> bool {
        fs::metadata(&self.dir).expect("the folder just made").uid() == 0
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("mosquitto's log:\n{}", self.log());
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn start(dir: &Path) -> Guarded {
    let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).expect("a log file");
    Guarded::start(
        Command::new(find("mosquitto"))
            .arg("-c")
            .arg(dir.join("mosquitto.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log),
    )
}

fn terminate(id: u32) {
    let sent = Command::new("sh").args(["-c", "kill -TERM \"$1\"", "stop", &id.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "SIGTERM cannot be sent");
}

/// The path of a program, which Debian may install where only root's `PATH` looks.
fn find(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!("{program} is missing: `apt-get install mosquitto` (or `tests/all.sh setup`)")
        })
}

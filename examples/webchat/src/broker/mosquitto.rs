//! Mosquitto: its users, and its process where it is ours.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, io};

use super::files::Files;
use super::{SERVER, wait_until_let_in};
use crate::{lock, secret};

/// How often is looked whether the process still runs.
const GLANCE: Duration = Duration::from_millis(100);
/// A process that ends sooner is not started again at once.
const SHORT_LIFE: Duration = Duration::from_secs(5);

pub struct Mosquitto {
    addr: SocketAddr,
    files: Arc<Files>,
    /// User names with the hashes of their passwords.
    users: Mutex<BTreeMap<String, String>>,
    ours: Mutex<Option<Ours>>,
}

/// The process that this program has started, and its keeper.
struct Ours {
    stop: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

impl Mosquitto {
    /// Writes the files; without a folder for them, into one of their own that goes with this program.
    pub fn new(
        addr: SocketAddr,
        websocket_port: u16,
        groups: &[String],
        password: &str,
        dir: Option<PathBuf>,
    ) -> Result<Self, String> {
        let dir = match dir {
            Some(dir) => dir,
            None => env::temp_dir().join(format!("webchat-{}", secret::random()?)),
        };
        let cannot = |error: io::Error| format!("cannot write Mosquitto's files: {error}");
        let files = Files::new(dir).map_err(cannot)?;
        files.write_config(addr.port(), websocket_port).map_err(cannot)?;
        files.write_acl(groups).map_err(cannot)?;
        let users = BTreeMap::from([(SERVER.to_owned(), secret::mosquitto_hash(password)?)]);
        let broker =
            Mosquitto { addr, files: Arc::new(files), users: Mutex::new(users), ours: Mutex::new(None) };
        broker.publish_users(&lock(&broker.users))?;
        Ok(broker)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Starts the process, and starts it again whenever it ends.
    pub fn supervise(&self) -> Result<(), String> {
        let running =
            Process::start(&self.files).map_err(|error| format!("cannot start Mosquitto: {error}"))?;
        let (files, stop) = (Arc::clone(&self.files), Arc::new(AtomicBool::new(false)));
        let stopping = Arc::clone(&stop);
        let keeper = thread::Builder::new().name("mosquitto".to_owned());
        let keeper =
            keeper.spawn(move || keep(running, &files, &stopping)).map_err(|error| error.to_string())?;
        *lock(&self.ours) = Some(Ours { stop, keeper });
        Ok(())
    }

    pub fn admit(&self, name: &str, password: &str, gone: &[String]) -> Result<(), String> {
        let hash = secret::mosquitto_hash(password)?;
        {
            let mut users = lock(&self.users);
            users.retain(|user, _| !gone.contains(user));
            users.insert(name.to_owned(), hash);
            self.publish_users(&users)?;
        }
        match wait_until_let_in(self.addr, name, password)? {
            true => Ok(()),
            false => Err("the broker does not let the new user in".to_owned()),
        }
    }

    pub fn dismiss(&self, gone: &[String]) -> Result<(), String> {
        let mut users = lock(&self.users);
        users.retain(|user, _| !gone.contains(user));
        self.publish_users(&users)
    }

    /// Writes the file of passwords, and has Mosquitto read it. It throws out who is not in it any more.
    fn publish_users(&self, users: &BTreeMap<String, String>) -> Result<(), String> {
        let hashes = users.iter().map(|(name, hash)| (name.as_str(), hash.as_str()));
        self.files.write_passwords(hashes).map_err(|error| format!("cannot write the passwords: {error}"))?;
        // A broker that does not run reads them when it starts.
        let pid = fs::read_to_string(self.files.pid()).unwrap_or_default();
        match pid.trim().parse() {
            Ok(pid) if is_mosquitto(pid) => reload(pid),
            _ => Ok(()),
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(ours) = lock(&self.ours).take() {
            ours.stop.store(true, Ordering::Relaxed);
            let _ = ours.keeper.join();
            let _ = fs::remove_dir_all(self.files.dir());
        }
    }
}

fn keep(mut running: Process, files: &Files, stopping: &AtomicBool) {
    let mut started = Instant::now();
    while !stopping.load(Ordering::Relaxed) {
        thread::sleep(GLANCE);
        if running.has_ended() && started.elapsed() >= SHORT_LIFE {
            eprintln!("webchat: Mosquitto has ended, starting it again");
            match Process::start(files) {
                Ok(process) => running = process,
                Err(error) => eprintln!("webchat: cannot start Mosquitto: {error}"),
            }
            started = Instant::now();
        }
    }
}

/// Mosquitto, with a guard that ends it should this program be killed.
struct Process {
    broker: Child,
    guard: Child,
}

impl Process {
    /// Starts it, and waits until it takes connections.
    fn start(files: &Files) -> Result<Self, String> {
        let program = program().ok_or("it is not installed")?;
        let log = File::create(files.log()).map_err(|error| error.to_string())?;
        let broker = Command::new(program)
            .arg("-c")
            .arg(files.config())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| error.to_string())?;
        // The guard reads from a pipe that nobody writes to: it ends with this program.
        let guard = Command::new("sh")
            .args(["-c", "read -r _; kill -KILL \"$1\"", "guard", &broker.id().to_string()])
            .stdin(Stdio::piped())
            .spawn();
        let mut process = match guard {
            Ok(guard) => Process { broker, guard },
            Err(error) => {
                end(broker);
                return Err(error.to_string());
            }
        };
        for _ in 0..100 {
            let said = fs::read_to_string(files.log()).unwrap_or_default();
            if said.contains(" running\n") {
                return Ok(process);
            }
            if process.has_ended() {
                return Err(format!("it says\n{}", said.trim_end()));
            }
            thread::sleep(GLANCE);
        }
        Err("it does not start".to_owned())
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.broker.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard goes first: once the broker has been waited for, its number can be another process's.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        let _ = self.broker.kill();
        let _ = self.broker.wait();
    }
}

fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Whether this process is a Mosquitto. One that was killed leaves its number behind, which can be another's by now.
fn is_mosquitto(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => name.trim() == "mosquitto",
        // A system without /proc cannot say.
        Err(_) => pid > 1 && !Path::new("/proc/self").exists(),
    }
}

fn reload(pid: u32) -> Result<(), String> {
    let sent = Command::new("sh").args(["-c", "kill -HUP \"$1\"", "reload", &pid.to_string()]).status();
    match sent.is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err("cannot send SIGHUP to Mosquitto".to_owned()),
    }
}

pub fn is_installed() -> bool {
    program().is_some()
}

/// Debian keeps it where only root looks.
fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    dirs.map(|dir| dir.join("mosquitto")).find(|file: &PathBuf| Path::is_file(file))
}

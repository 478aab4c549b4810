//! Mosquitto: its files, its users, and its process if we start it.

mod files;
mod process;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::SERVER;
use super::login::wait_until_let_in;
use crate::{lock, secret};
use files::Files;
use process::Keeper;
pub use program::find;

pub struct Mosquitto {
    addr: SocketAddr,
    files: Arc<Files>,
    /// User names with the hashes of their passwords.
    users: Mutex<BTreeMap<String, String>>,
    /// Keeps the process running, if this program has started it.
    keeper: Option<Keeper>,
}

impl Mosquitto {
    /// Starts this program, with files in a folder that is removed with it.
    pub fn start(
        program: PathBuf,
        websocket_port: u16,
        groups: &[String],
        password: &str,
    ) -> Result<Self, String> {
        let addr = free_port(0).map_err(|error| error.to_string())?;
        free_port(websocket_port).map_err(|error| {
            format!("the broker's port {websocket_port}: {error}; choose another one by --websocket-port")
        })?;
        let files = Files::temporary().map_err(cannot_write)?;
        let mut broker = Mosquitto::new(addr, files, websocket_port, groups, password)?;
        let keeper = Keeper::start(program, Arc::clone(&broker.files));
        broker.keeper = Some(keeper.map_err(|error| format!("cannot start Mosquitto: {error}"))?);
        Ok(broker)
    }

    /// Writes files for a Mosquitto that somebody else starts.
    pub fn beside(
        addr: SocketAddr,
        dir: PathBuf,
        websocket_port: u16,
        groups: &[String],
        password: &str,
    ) -> Result<Self, String> {
        let files = Files::kept(dir).map_err(cannot_write)?;
        Mosquitto::new(addr, files, websocket_port, groups, password)
    }

    fn new(
        addr: SocketAddr,
        files: Files,
        websocket_port: u16,
        groups: &[String],
        password: &str,
    ) -> Result<Self, String> {
        files.write_config(addr.port(), websocket_port).map_err(cannot_write)?;
        files.write_acl(groups).map_err(cannot_write)?;
        let users = BTreeMap::from([(SERVER.to_owned(), secret::mosquitto_hash(password)?)]);
        let broker = Mosquitto { addr, files: Arc::new(files), users: Mutex::new(users), keeper: None };
        broker.publish_users(&lock(&broker.users))?;
        Ok(broker)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The file to start Mosquitto with.
    pub fn config(&self) -> PathBuf {
        self.files.config()
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

    /// Writes the password file, and has Mosquitto reload it. That disconnects users who are no longer in it.
    fn publish_users(&self, users: &BTreeMap<String, String>) -> Result<(), String> {
        let hashes = users.iter().map(|(name, hash)| (name.as_str(), hash.as_str()));
        self.files.write_passwords(hashes).map_err(|error| format!("cannot write the passwords: {error}"))?;
        // A broker that is not running reads them when it starts.
        let pid = fs::read_to_string(self.files.pid()).unwrap_or_default();
        match pid.trim().parse() {
            Ok(pid) if is_mosquitto(pid) => reload(pid),
            _ => Ok(()),
        }
    }
}

fn cannot_write(error: io::Error) -> String {
    format!("cannot write Mosquitto's files: {error}")
}

/// Checks that nobody listens on this port now; 0 finds a free one.
fn free_port(port: u16) -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()
}

/// Whether this process is a Mosquitto. One that was killed leaves its process number behind, which may have been reused.
fn is_mosquitto(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => name.trim() == "mosquitto",
        // A system without /proc cannot tell.
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

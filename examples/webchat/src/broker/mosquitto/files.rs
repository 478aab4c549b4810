//! The files that Mosquitto reads.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::broker::SERVER;
use crate::chat::presence;
use crate::message::MAX_PACKET;
use crate::secret;

pub struct Files {
    dir: PathBuf,
    /// The folder is removed with this value.
    temporary: bool,
}

impl Files {
    /// Files in a folder of their own, for as long as this value lives.
    pub fn temporary() -> io::Result<Self> {
        let name = secret::random().map_err(io::Error::other)?;
        let dir = create(&env::temp_dir().join(format!("webchat-{name}")))?;
        Ok(Files { dir, temporary: true })
    }

    /// Files in this folder.
    pub fn kept(dir: PathBuf) -> io::Result<Self> {
        Ok(Files { dir: create(&dir)?, temporary: false })
    }

    pub fn config(&self) -> PathBuf {
        self.dir.join("mosquitto.conf")
    }

    pub fn pid(&self) -> PathBuf {
        self.dir.join("mosquitto.pid")
    }

    pub fn log(&self) -> PathBuf {
        self.dir.join("mosquitto.log")
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Nothing is kept on disk: messages that a browser has missed come from this server, and after a restart of the
    /// broker everybody announces their presence again.
    pub fn write_config(&self, port: u16, websocket_port: u16) -> io::Result<()> {
        let dir = self.dir.display();
        let pid = self.pid();
        let pid = pid.display();
        // Otherwise it drops root privileges, and with them the access to this folder.
        let user = if self.is_roots()? { "user root\n" } else { "" };
        let text = format!(
            "\
# Written by webchat at each start.
{user}per_listener_settings false
allow_anonymous false
password_file {dir}/passwords
acl_file {dir}/acl
pid_file {pid}
persistence false
max_packet_size {MAX_PACKET}
connection_messages false
max_keepalive 60

# For the server.
listener {port} 127.0.0.1

# For browsers. Without socket_domain this listener is open to other machines.
listener {websocket_port} 127.0.0.1
socket_domain ipv4
protocol websockets
"
        );
        self.replace("mosquitto.conf", &text)
    }

    /// The server may write everything, and read presence. People may read messages to themselves and to the groups, and
    /// presence; they may write only their own presence.
    pub fn write_acl(&self, groups: &[String]) -> io::Result<()> {
        let groups: String = groups.iter().map(|group| format!("pattern read {group}\n")).collect();
        let text = format!(
            "\
user {SERVER}
topic readwrite #

pattern read %u
{groups}pattern read {}
pattern write {}
",
            presence::FILTER,
            presence::topic("%u"),
        );
        self.replace("acl", &text)
    }

    pub fn write_passwords<'a>(&self, hashes: impl Iterator<Item = (&'a str, &'a str)>) -> io::Result<()> {
        let text: String = hashes.map(|(name, hash)| format!("{name}:{hash}\n")).collect();
        self.replace("passwords", &text)
    }

    /// Writes a file atomically: a reader finds either the old one or the new one.
    fn replace(&self, name: &str, text: &str) -> io::Result<()> {
        let new = self.dir.join(format!("{name}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&new)?.write_all(text.as_bytes())?;
        fs::rename(new, self.dir.join(name))
    }

    #[cfg(unix)]
    fn is_roots(&self) -> io::Result<bool> {
        Ok(std::os::unix::fs::MetadataExt::uid(&fs::metadata(&self.dir)?) == 0)
    }

    #[cfg(not(unix))]
    fn is_roots(&self) -> io::Result<bool> {
        Ok(false)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Only the user who runs this program can access the folder.
fn create(dir: &Path) -> io::Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)?;
    dir.canonicalize()
}

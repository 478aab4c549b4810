//! Brokers, each started for one run on free loopback ports, with its files in a folder of its own.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use baremqtt::Connect;

use crate::erlang::{self, erlang};
use crate::peer::{Peer, Target};
use crate::process::{Process, write};
use crate::rabbitmq;
use crate::support::mosquitto::free_port;

const TIMEOUT: Duration = Duration::from_secs(90);

/// A running broker.
pub struct Running {
    pub version: String,
    pub target: Target,
    /// The user that it knows.
    pub user: (&'static str, &'static str),
    kind: Kind,
    folder: PathBuf,
    process: Option<Process>,
    _port_mapper: Option<Process>,
}

/// How to get its version, and the command to start it on a port with a folder.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    version: fn() -> Result<String, String>,
    command: fn(u16, &Path) -> Command,
    user: (&'static str, &'static str),
}

const KINDS: [Kind; 8] = [
    Kind { name: "mosquitto", version: || debian("mosquitto"), command: mosquitto, user: ("user", "pass") },
    Kind {
        name: "rabbitmq",
        version: || debian("rabbitmq-server"),
        command: rabbitmq,
        user: ("guest", "guest"),
    },
    Kind {
        name: "ejabberd",
        version: || debian("ejabberd"),
        command: ejabberd,
        user: ("user@localhost", "pass"),
    },
    Kind { name: "nats", version: || debian("nats-server"), command: nats, user: ("user", "pass") },
    Kind { name: "aedes", version: aedes_version, command: aedes, user: ("user", "pass") },
    Kind { name: "amqtt", version: amqtt_version, command: amqtt, user: ("user", "pass") },
    Kind { name: "rumqttd", version: rumqttd_version, command: rumqttd, user: ("user", "pass") },
    Kind { name: "rmqtt", version: rmqtt_version, command: rmqtt, user: ("user", "pass") },
];

/// Starts the broker of this name.
pub fn start(name: &str) -> Result<Running, String> {
    let kind = *KINDS.iter().find(|kind| kind.name == name).ok_or("there is none of this name")?;
    let version = (kind.version)()?;
    let folder = folder(name)?;
    // These require a user name from everybody.
    let guest = match name {
        "ejabberd" => Some("guest@localhost"),
        "rumqttd" => Some("guest"),
        _ => None,
    };
    let target = Target { addr: (Ipv4Addr::LOCALHOST, free_port()).into(), guest };
    let _port_mapper = match name {
        "rabbitmq" | "ejabberd" => Some(erlang::port_mapper(&folder)?),
        _ => None,
    };
    let user = kind.user;
    let mut running = Running { version, target, user, kind, folder, process: None, _port_mapper };
    running.restart()?;
    Ok(running)
}

impl Running {
    /// Starts it, and waits until it answers a CONNECT.
    pub fn restart(&mut self) -> Result<(), String> {
        let log = self.folder.join("log");
        self.process =
            Some(Process::start((self.kind.command)(self.target.addr.port(), &self.folder), &log)?);
        wait_until_ready(self.target, TIMEOUT).map_err(|error| format!("{error}; see {}", log.display()))?;
        if self.kind.name == "ejabberd" {
            // Its users are stored in its database.
            let mut register = ejabberdctl(&self.folder);
            register
                .args(["register", "user", "localhost", "pass"])
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let _ = register.status();
        }
        Ok(())
    }

    /// As a power cut would.
    pub fn stop(&mut self) {
        self.process = None;
    }
}

/// Waits until a broker that was started answers a CONNECT.
pub fn wait_until_ready(target: Target, timeout: Duration) -> Result<(), String> {
    let end = Instant::now() + timeout;
    while Peer::connect(target, &Connect::new("starts").keep_alive(30)).is_err() {
        if Instant::now() > end {
            return Err("it does not answer".into());
        }
        sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// An empty folder for the files of a broker.
pub fn folder(name: &str) -> Result<PathBuf, String> {
    let folder = tools().join("run").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

/// Where `run.sh` installs brokers that are not Debian packages.
fn tools() -> PathBuf {
    std::env::var("BROKERS_FOLDER").expect("run.sh names it").into()
}

fn output(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Result<String, String> {
    let ended = Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&ended.stdout).trim().to_string();
    if ended.status.success() && !text.is_empty() { Ok(text) } else { Err("not installed".into()) }
}

/// `mosquitto 2.0.11` of `2.0.11-1+deb12u1`.
pub fn debian(package: &str) -> Result<String, String> {
    let version = output("dpkg-query", &["-W", "-f", "${Version}", package])?;
    let version = version.rsplit(':').next().unwrap_or_default().split('-').next().unwrap_or_default();
    Ok(format!("{} {version}", package.trim_end_matches("-server")))
}

fn mosquitto(port: u16, folder: &Path) -> Command {
    let passwords = folder.join("passwords");
    let _ =
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["user", "pass"]).status();
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npassword_file {}\npersistence true\npersistence_location {}/\n\
         autosave_interval 1\nautosave_on_changes true\nuser root\n",
        passwords.display(),
        folder.display()
    );
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(write(folder, "conf", &text));
    command
}

fn rabbitmq(port: u16, folder: &Path) -> Command {
    rabbitmq::server("matrix", port, folder, "")
}

fn ejabberd(port: u16, folder: &Path) -> Command {
    let config = format!(
        "hosts: [localhost]\nloglevel: 4\nauth_method: [internal, anonymous]\nanonymous_protocol: both\nallow_multiple_connections: true\n\
         listen:\n  -\n    port: {port}\n    ip: 127.0.0.1\n    module: mod_mqtt\n    backlog: 1000\nmodules:\n  mod_mqtt:\n    max_queue: 5000\n"
    );
    write(folder, "ejabberd.yml", &config);
    write(folder, "ejabberdctl.cfg", "");
    let mut command = ejabberdctl(folder);
    command.arg("foreground");
    command
}

/// Its script, for the configuration in this folder: the one in /etc listens on every interface.
fn ejabberdctl(folder: &Path) -> Command {
    // Debian's script runs as a user of its own, who has no access to this folder.
    let script = fs::read_to_string("/usr/sbin/ejabberdctl").unwrap_or_default();
    let script =
        write(folder, "ejabberdctl", &script.replace("\nINSTALLUSER=ejabberd\n", "\nINSTALLUSER=\n"));
    let mut command = Command::new("bash");
    erlang(&mut command, folder);
    command.arg(script).args(["-n", "matrix@localhost", "-d"]).arg(folder);
    for (option, name) in [("-s", "spool"), ("-l", "logs")] {
        let _ = fs::create_dir_all(folder.join(name));
        command.arg(option).arg(folder.join(name));
    }
    command.env("INET_DIST_INTERFACE", "127.0.0.1");
    command
}

fn nats(port: u16, folder: &Path) -> Command {
    let text = format!(
        "server_name: matrix\nlisten: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{}\" }}\nmqtt {{ listen: \"127.0.0.1:{port}\" }}\n\
         accounts {{ A {{ jetstream: enabled, users: [{{user: user, password: pass}}, {{user: guest, password: guest}}] }} }}\n\
         no_auth_user: guest\n",
        free_port(),
        folder.join("data").display()
    );
    let mut command = Command::new("nats-server");
    command.arg("-c").arg(write(folder, "conf", &text));
    command
}

fn aedes_version() -> Result<String, String> {
    let text = fs::read_to_string(tools().join("npm/node_modules/aedes/package.json"))
        .map_err(|_| "not installed")?;
    let version =
        text.lines().find_map(|line| line.trim().strip_prefix("\"version\": \"")).unwrap_or_default();
    Ok(format!("aedes {}", version.trim_end_matches(['"', ','])))
}

fn aedes(port: u16, folder: &Path) -> Command {
    let text = format!(
        "import {{ Aedes }} from 'aedes'; import net from 'node:net';\n\
         const broker = await Aedes.createBroker({{ authenticate: (client, user, password, done) => {{\n\
           if (user && String(password) !== 'pass') {{ const error = new Error('no'); error.returnCode = 4; return done(error, false) }}\n\
           done(null, true) }} }});\n\
         net.createServer(broker.handle).listen({port}, '127.0.0.1');\n"
    );
    let _ = folder;
    let mut command = Command::new("node");
    command.arg(write(&tools().join("npm"), "broker.mjs", &text));
    command
}

fn amqtt_version() -> Result<String, String> {
    let text = output(tools().join("venv/bin/pip"), &["show", "amqtt"])?;
    let version = text.lines().find_map(|line| line.strip_prefix("Version: ")).ok_or("not installed")?;
    Ok(format!("amqtt {version}"))
}

fn amqtt(port: u16, folder: &Path) -> Command {
    let hash = "from pwdlib.hashers.argon2 import Argon2Hasher; print('user:' + Argon2Hasher().hash('pass'))";
    let line = output(tools().join("venv/bin/python3"), &["-c", hash]).unwrap_or_default();
    let passwords = write(folder, "passwords", &format!("{line}\n"));
    let text = format!(
        "listeners:\n  default:\n    type: tcp\n    bind: 127.0.0.1:{port}\nplugins:\n  amqtt.plugins.authentication.AnonymousAuthPlugin:\n    \
         allow_anonymous: true\n  amqtt.plugins.authentication.FileAuthPlugin:\n    password_file: {}\n",
        passwords.display()
    );
    let mut command = Command::new(tools().join("venv/bin/amqtt"));
    command.arg("-c").arg(write(folder, "conf.yml", &text));
    command
}

fn rumqttd_version() -> Result<String, String> {
    let text = output(tools().join("cargo/bin/rumqttd"), &["--version"])?;
    Ok(text)
}

fn rumqttd(port: u16, folder: &Path) -> Command {
    let text = format!(
        "id = 0\n[router]\nid = 0\nmax_connections = 100\nmax_outgoing_packet_count = 200\nmax_segment_size = 104857600\nmax_segment_count = 10\n\
         [v4.1]\nname = \"v4\"\nlisten = \"127.0.0.1:{port}\"\nnext_connection_delay_ms = 1\n\
         [v4.1.connections]\nconnection_timeout_ms = 60000\nmax_payload_size = 2000000\nmax_inflight_count = 200\ndynamic_filters = true\n\
         [v4.1.connections.auth]\nuser = \"pass\"\nguest = \"guest\"\n"
    );
    let mut command = Command::new(tools().join("cargo/bin/rumqttd"));
    command.arg("-c").arg(write(folder, "conf.toml", &text));
    command
}

/// The version of the package that run.sh builds.
fn rmqtt_version() -> Result<String, String> {
    let text = output("cargo", &["install", "--list", "--root", &tools().join("cargo").to_string_lossy()])?;
    let line = text.lines().find_map(|line| line.strip_prefix("rmqtt-broker v")).ok_or("not installed")?;
    Ok(format!("rmqtt {}", line.split(' ').next().unwrap_or_default()))
}

fn rmqtt(port: u16, _folder: &Path) -> Command {
    let mut command = Command::new(tools().join("cargo/bin/rmqtt"));
    command.arg(port.to_string());
    command
}

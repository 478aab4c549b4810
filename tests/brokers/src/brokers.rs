//! Brokers, each started for one run on free loopback ports, with its files in a folder of its own.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use baremqtt::Connect;

use crate::peer::{Peer, Target};
use crate::port::free_port;

const PATIENCE: Duration = Duration::from_secs(90);

/// A broker that runs.
pub struct Running {
    pub version: String,
    pub target: Target,
    /// Whom it knows.
    pub user: (&'static str, &'static str),
    kind: Kind,
    folder: PathBuf,
    process: Option<Child>,
}

/// How to get its version, and its command for a port and a folder.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    version: fn() -> Result<String, String>,
    command: fn(u16, &Path) -> Command,
    user: (&'static str, &'static str),
}

const KINDS: [Kind; 7] = [
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
];

/// Starts the broker of this name.
pub fn start(name: &str) -> Result<Running, String> {
    let kind = *KINDS.iter().find(|kind| kind.name == name).ok_or("there is none of this name")?;
    let version = (kind.version)()?;
    let folder = tools().join("run").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    // These want a name from everybody.
    let guest = match name {
        "ejabberd" => Some("guest@localhost"),
        "rumqttd" => Some("guest"),
        _ => None,
    };
    let target = Target { addr: (Ipv4Addr::LOCALHOST, free_port()).into(), guest };
    let mut running = Running { version, target, user: kind.user, kind, folder, process: None };
    running.restart()?;
    Ok(running)
}

impl Running {
    /// Starts it, and waits until it answers a CONNECT.
    pub fn restart(&mut self) -> Result<(), String> {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut command = (self.kind.command)(self.target.addr.port(), &self.folder);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        self.process = Some(command.spawn().map_err(|error| format!("{command:?}: {error}"))?);
        let end = Instant::now() + PATIENCE;
        while Peer::connect(self.target, &Connect::new("starts").keep_alive(30)).is_err() {
            if Instant::now() > end {
                return Err(format!("it does not answer; see {}", self.folder.join("log").display()));
            }
            sleep(Duration::from_millis(100));
        }
        if self.kind.name == "ejabberd" {
            // Whom it knows lies in its database.
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
        if let Some(mut process) = self.process.take() {
            let group = format!("-{}", process.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            let _ = process.wait();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        // The port mapper of Erlang is a process of its own, which stays until it has missed its node.
        let Ok(port) = fs::read_to_string(self.folder.join("epmd")) else { return };
        for _ in 0..50 {
            let mut kill = Command::new("epmd");
            kill.args(["-port", &port, "-kill"]).stdout(Stdio::piped()).stderr(Stdio::null());
            match kill.output() {
                Ok(ended) if String::from_utf8_lossy(&ended.stdout).contains("Killed") => return,
                _ => sleep(Duration::from_millis(100)),
            }
        }
    }
}

/// Where `run.sh` installs what is no Debian package.
fn tools() -> PathBuf {
    std::env::var("BROKERS_FOLDER").expect("run.sh names it").into()
}

fn output(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Result<String, String> {
    let ended = Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&ended.stdout).trim().to_string();
    if ended.status.success() && !text.is_empty() { Ok(text) } else { Err("not installed".into()) }
}

/// `mosquitto 2.0.11` of `2.0.11-1+deb12u1`.
fn debian(package: &str) -> Result<String, String> {
    let version = output("dpkg-query", &["-W", "-f", "${Version}", package])?;
    let version = version.rsplit(':').next().unwrap_or_default().split('-').next().unwrap_or_default();
    Ok(format!("{} {version}", package.trim_end_matches("-server")))
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file of the broker");
    path
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

/// What nodes of Erlang need to stay on loopback, with a port mapper of their own.
fn erlang(command: &mut Command, folder: &Path) {
    let port = match fs::read_to_string(folder.join("epmd")) {
        Ok(port) => port,
        Err(_) => free_port().to_string(),
    };
    write(folder, "epmd", &port);
    command.env("ERL_EPMD_PORT", &port).env("ERL_EPMD_ADDRESS", "127.0.0.1").env("HOME", folder);
}

fn rabbitmq(port: u16, folder: &Path) -> Command {
    let amqp = free_port();
    let config = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\nmqtt.allow_anonymous = true\n\
         mqtt.default_user = guest\nmqtt.default_pass = guest\n"
    );
    let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
    erlang(&mut command, folder);
    command
        .env("RABBITMQ_NODENAME", "matrix@localhost")
        .env("RABBITMQ_CONFIG_FILE", write(folder, "rabbit.conf", &config))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", write(folder, "plugins", "[rabbitmq_mqtt]."))
        .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
        .env("RABBITMQ_LOG_BASE", folder.join("logs"))
        .env("RABBITMQ_DIST_PORT", free_port().to_string())
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
    command
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

/// Its script, for what lies in this folder: what lies in /etc listens on every interface.
fn ejabberdctl(folder: &Path) -> Command {
    // Debian's script takes a user of its own, to whom this folder is closed.
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

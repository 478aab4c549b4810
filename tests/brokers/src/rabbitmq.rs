//! Nodes of RabbitMQ.

use std::path::Path;
use std::process::Command;

use crate::erlang::erlang;
use crate::process::write;
use crate::support::mosquitto::free_port;

/// Debian's programs themselves: the scripts in /usr/sbin run as another user.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";

const ON_LOOPBACK: &str = "-kernel inet_dist_use_interface {127,0,0,1}";

/// A node with this name that accepts MQTT on this port, with further lines for its configuration.
pub fn server(name: &str, port: u16, folder: &Path, lines: &str) -> Command {
    let amqp = free_port();
    let config = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\nmqtt.allow_anonymous = true\n\
         mqtt.default_user = guest\nmqtt.default_pass = guest\n{lines}"
    );
    let mut command = Command::new(format!("{PROGRAMS}/rabbitmq-server"));
    erlang(&mut command, folder);
    command
        .env("RABBITMQ_NODENAME", format!("{name}@localhost"))
        .env("RABBITMQ_CONFIG_FILE", write(folder, &format!("{name}.conf"), &config))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", write(folder, "plugins", "[rabbitmq_mqtt]."))
        .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
        .env("RABBITMQ_LOG_BASE", folder.join("logs"))
        .env("RABBITMQ_DIST_PORT", free_port().to_string())
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ON_LOOPBACK);
    command
}

/// Runs a command of `rabbitmqctl` on the node with this name.
pub fn control(name: &str, folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(format!("{PROGRAMS}/rabbitmqctl"));
    erlang(&mut command, folder);
    command
        .env("RABBITMQ_CTL_ERL_ARGS", ON_LOOPBACK)
        .args(["-n", &format!("{name}@localhost")])
        .args(arguments);
    let ended = command.output().map_err(|error| error.to_string())?;
    let errors = || String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    if ended.status.success() {
        Ok(())
    } else {
        Err(format!("rabbitmqctl {}: {}", arguments.join(" "), errors()))
    }
}

//! The command line.

use std::path::PathBuf;

use baremqtt::{Connect, QoS, Version};
use baremqtt_tls::Identity;
use lexopt::{Arg, Error, Parser, ValueExt};

pub const HELP: &str = "\
Publishes a message over TLS and waits until it comes back.

usage: tls --ca FILE [--broker HOST:PORT] [option...]

  --broker HOST:PORT       the server [default: localhost:8883]
  --ca FILE                certificates of the authorities to trust, in PEM
  --name NAME              the name in the server's certificate [default: HOST]
  --cert FILE, --key FILE  a certificate of the client's own, for servers that ask for one
  --user NAME, --password PASSWORD
  --mqtt 3.1|3.1.1         the version [default: 3.1.1]
  --topic TOPIC            [default: baremqtt/tls]
  --message TEXT           [default: hello]
  --qos 0|1|2              [default: 1]
  --stay SECONDS           how long to stay connected afterwards [default: 0]
  --help                   print this help";

pub struct Options {
    pub host: String,
    pub port: u16,
    pub name: String,
    pub ca: PathBuf,
    pub identity: Option<Identity>,
    user: Option<String>,
    password: Option<String>,
    version: Version,
    pub topic: String,
    pub message: String,
    pub qos: QoS,
    pub stay: u16,
}

impl Options {
    /// Parses the command line; `None` if help was requested.
    pub fn read(mut parser: Parser) -> Result<Option<Self>, Error> {
        let (mut broker, mut name) = ("localhost:8883".to_owned(), None);
        let (mut ca, mut certificate, mut key) = (None, None, None);
        let (mut user, mut password, mut version) = (None, None, Version::Mqtt311);
        let (mut topic, mut message) = ("baremqtt/tls".to_owned(), "hello".to_owned());
        let (mut qos, mut stay) = (QoS::AtLeastOnce, 0);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("broker") => broker = parser.value()?.string()?,
                Arg::Long("name") => name = Some(parser.value()?.string()?),
                Arg::Long("ca") => ca = Some(PathBuf::from(parser.value()?)),
                Arg::Long("cert") => certificate = Some(PathBuf::from(parser.value()?)),
                Arg::Long("key") => key = Some(PathBuf::from(parser.value()?)),
                Arg::Long("user") => user = Some(parser.value()?.string()?),
                Arg::Long("password") => password = Some(parser.value()?.string()?),
                Arg::Long("mqtt") => version = parser.value()?.parse()?,
                Arg::Long("topic") => topic = parser.value()?.string()?,
                Arg::Long("message") => message = parser.value()?.string()?,
                Arg::Long("qos") => {
                    let bits = |text: &str| text.parse().ok().and_then(QoS::from_bits);
                    qos = parser.value()?.parse_with(|text| bits(text).ok_or("a QoS is 0, 1 or 2"))?;
                }
                Arg::Long("stay") => stay = parser.value()?.parse()?,
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        let (host, port) = host_and_port(&broker)?;
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (None, None) => None,
            _ => return Err("--cert and --key go together".into()),
        };
        if password.is_some() && user.is_none() {
            return Err("--password needs --user: MQTT 3 has no password without a user name".into());
        }
        let ca = ca.ok_or("--ca is missing: whom is this client to trust?")?;
        let name = name.unwrap_or_else(|| host.clone());
        Ok(Some(Options {
            host,
            port,
            name,
            ca,
            identity,
            user,
            password,
            version,
            topic,
            message,
            qos,
            stay,
        }))
    }

    /// The CONNECT for these options.
    pub fn connect<'a>(&'a self, client_id: &'a str) -> Connect<'a> {
        let connect = Connect::new(client_id).version(self.version).keep_alive(30);
        match (&self.user, &self.password) {
            (Some(user), password) => Connect {
                credentials: Some(baremqtt::Credentials::new(user, password.as_ref().map(String::as_bytes))),
                ..connect
            },
            (None, _) => connect,
        }
    }
}

fn host_and_port(broker: &str) -> Result<(String, u16), Error> {
    let (host, port) = broker.rsplit_once(':').ok_or("--broker is HOST:PORT")?;
    let port = port.parse().map_err(|_| "--broker is HOST:PORT, and PORT is a number")?;
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

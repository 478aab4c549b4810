//! Where and how to connect.

use std::io;
use std::process;
use std::time::Duration;

use baremqtt::transport::net::open_tcp;
use baremqtt::{Connect, Credentials, QoS, Version, Will};
use lexopt::{Parser, ValueExt};

use super::tap::Tap;
use super::{Failure, number, qos, version};

/// Where and how to connect: the options that `pub` and `sub` share.
#[derive(Clone)]
pub struct Link {
    host: String,
    port: u16,
    version: Version,
    client_id: Option<String>,
    default_id: String,
    /// The topic in a URL.
    pub topic: Option<String>,
    clean_session: bool,
    keep_alive: u16,
    username: Option<String>,
    password: Option<Vec<u8>>,
    will: OwnedWill,
    pub debug: bool,
    pub quiet: bool,
}

#[derive(Clone, Default)]
struct OwnedWill {
    topic: Option<String>,
    payload: Option<Vec<u8>>,
    qos: Option<QoS>,
    retain: bool,
}

impl Link {
    pub const HELP: &str = "  -h, --host HOST     the server [default: localhost]
  -p, --port PORT     its port [default: 1883]
  -L, --url URL       mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC, all of it at once
  -i, --id ID         the client identifier [default: one with the number of the process]
  -I, --id-prefix TEXT
                      the client identifier is this and the number of the process
  -c, --disable-clean-session
                      the server keeps the session for the next connection
  -k, --keepalive SECONDS
                      0 turns it off [default: 60]
  -u, --username USER
  -P, --pw PASSWORD
  -V, --protocol-version VERSION
                      31 or 311, also written mqttv31, 3.1 and so on [default: 311]
  --will-topic TOPIC  where the server publishes the will if this program disappears
  --will-payload TEXT
  --will-qos QOS
  --will-retain
  --nodelay           accepted for compatibility: TCP_NODELAY is always set
  -d, --debug         show every packet
  --quiet             print no errors
  --help              print this help";

    pub fn new(program: &str) -> Self {
        Link {
            host: "localhost".into(),
            port: 1883,
            version: Version::Mqtt311,
            client_id: None,
            // MQTT 3.1 allows at most 23 characters.
            default_id: format!("baremqtt-{program}-{}", process::id()),
            topic: None,
            clean_session: true,
            keep_alive: 60,
            username: None,
            password: None,
            will: OwnedWill::default(),
            debug: false,
            quiet: false,
        }
    }

    /// Parses an option with its value, if it is one of these; returns whether it is.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, lexopt::Error> {
        match option {
            "-h" => self.host = parser.value()?.string()?,
            "-p" => self.port = parser.value()?.parse_with(number)?,
            "-L" => {
                let url = parser.value()?.string()?;
                self.take_url(&url).ok_or("mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC is expected")?;
            }
            "-i" => self.client_id = Some(parser.value()?.string()?),
            "-I" => self.default_id = format!("{}{}", parser.value()?.string()?, process::id()),
            "--nodelay" => {}
            "-c" => self.clean_session = false,
            "-k" => self.keep_alive = parser.value()?.parse_with(number)?,
            "-u" => self.username = Some(parser.value()?.string()?),
            "-P" => self.password = Some(parser.value()?.into_encoded_bytes()),
            "-V" => self.version = parser.value()?.parse_with(version)?,
            "--will-topic" => self.will.topic = Some(parser.value()?.string()?),
            "--will-payload" => self.will.payload = Some(parser.value()?.into_encoded_bytes()),
            "--will-qos" => self.will.qos = Some(qos(parser)?),
            "--will-retain" => self.will.retain = true,
            "-d" => self.debug = true,
            "--quiet" => self.quiet = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `None` if this is not a URL for MQTT.
    fn take_url(&mut self, url: &str) -> Option<()> {
        let (server, topic) = url.strip_prefix("mqtt://")?.split_once('/')?;
        let (user, address) =
            server.rsplit_once('@').map_or((None, server), |(user, rest)| (Some(user), rest));
        if let Some(user) = user {
            let (name, password) =
                user.split_once(':').map_or((user, None), |(name, rest)| (name, Some(rest)));
            self.username = Some(name.to_owned());
            self.password = password.map(|password| password.as_bytes().to_vec());
        }
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (address, self.port),
        };
        (self.host, self.port, self.topic) = (host.to_owned(), port, Some(topic.to_owned()));
        Some(())
    }

    /// Checks for invalid combinations of options.
    pub fn check(&self) -> Result<(), Failure> {
        let will = &self.will;
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
        if self.password.is_some() && self.username.is_none() {
            usage("-P needs -u: MQTT 3 has no password without a user name")
        } else if !self.clean_session && self.client_id.is_none() {
            usage("-c needs -i: the server knows a session by the client identifier")
        } else if will.topic.is_none() && (will.payload.is_some() || will.qos.is_some() || will.retain) {
            usage("a will needs --will-topic")
        } else {
            Ok(())
        }
    }

    /// The CONNECT for these options.
    pub fn connect(&self) -> Connect<'_> {
        let client_id = self.client_id.as_ref().unwrap_or(&self.default_id);
        Connect {
            version: self.version,
            client_id: client_id.as_str().into(),
            clean_session: self.clean_session,
            keep_alive: self.keep_alive,
            will: self.will.borrow(),
            credentials: self
                .username
                .as_deref()
                .map(|username| Credentials::new(username, self.password.as_deref())),
        }
    }

    /// Opens a stream to the server.
    pub fn open(&self, timeout: Duration) -> io::Result<Tap> {
        let Link { host, port, .. } = self;
        let stream = open_tcp((host.as_str(), *port), timeout)
            .map_err(|error| io::Error::new(error.kind(), format!("{host}:{port}: {error}")))?;
        Ok(Tap::new(stream, self.debug))
    }
}

impl OwnedWill {
    fn borrow(&self) -> Option<Will<'_>> {
        Some(Will {
            topic: self.topic.as_deref()?.into(),
            message: self.payload.as_deref().unwrap_or_default(),
            qos: self.qos.unwrap_or_default(),
            retain: self.retain,
        })
    }
}

//! The command line.

use baremqtt::{QoS, Version};
use baremqtt_websocket::tungstenite::http::Uri;
use lexopt::{Arg, Error, Parser, ValueExt};

pub const HELP: &str = "\
Publishes a message over a WebSocket and waits until it comes back.

usage: websocket [URL] [option...]

  URL                  the server [default: ws://localhost:8080/mqtt]
  --mqtt 3.1|3.1.1     the version [default: 3.1.1]
  --protocol NAME      the sub-protocol to ask for [default: mqtt]; some servers want mqttv3.1 for MQTT 3.1
  --topic TOPIC        [default: baremqtt/websocket]
  --message TEXT       [default: hello]
  --qos 0|1|2          [default: 1]
  --help               print this help";

pub struct Options {
    pub uri: Uri,
    pub host: String,
    pub port: u16,
    pub version: Version,
    pub protocol: String,
    pub topic: String,
    pub message: String,
    pub qos: QoS,
}

impl Options {
    /// Parses the command line; `None` if help was requested.
    pub fn read(mut parser: Parser) -> Result<Option<Self>, Error> {
        let mut url = "ws://localhost:8080/mqtt".to_owned();
        let (mut version, mut protocol) = (Version::Mqtt311, "mqtt".to_owned());
        let (mut topic, mut message) = ("baremqtt/websocket".to_owned(), "hello".to_owned());
        let mut qos = QoS::AtLeastOnce;
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Value(value) => url = value.string()?,
                Arg::Long("mqtt") => version = parser.value()?.parse()?,
                Arg::Long("protocol") => protocol = parser.value()?.string()?,
                Arg::Long("topic") => topic = parser.value()?.string()?,
                Arg::Long("message") => message = parser.value()?.string()?,
                Arg::Long("qos") => {
                    let bits = |text: &str| text.parse().ok().and_then(QoS::from_bits);
                    qos = parser.value()?.parse_with(|text| bits(text).ok_or("a QoS is 0, 1 or 2"))?;
                }
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        let uri: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
        match (uri.scheme_str(), uri.host()) {
            (Some("ws"), Some(host)) => {
                let host = host.trim_matches(['[', ']']).to_owned();
                let port = uri.port_u16().unwrap_or(80);
                Ok(Some(Options { uri, host, port, version, protocol, topic, message, qos }))
            }
            (Some("wss"), _) => Err("wss is a WebSocket over TLS: two lines, see streams/tls".into()),
            _ => Err(format!("{url}: a URL is like ws://HOST:PORT/PATH").into()),
        }
    }
}

//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use crate::message::names;

pub const HELP: &str = "\
A chat for the browser, on baremqtt.

usage: webchat [options]

  --listen ADDRESS:PORT   the address of the page, on loopback [default: 127.0.0.1:8080]
  --websocket-port PORT   where the broker accepts browsers [default: 9001]
  --group NAME            a group that everybody is in; can be repeated [default: 大厅, 茶馆]
  --broker ADDRESS:PORT   use this Mosquitto on the same machine, with --files
  --files FOLDER          the folder for that Mosquitto's configuration, passwords and access list
  --own-broker            use the small broker of these examples, even if Mosquitto is installed
  --help                  print this help";

/// Which broker the chat uses.
#[derive(Debug)]
pub enum Choice {
    /// Mosquitto, if it is installed, otherwise the small one.
    Any,
    /// The small one.
    Own,
    /// A Mosquitto that somebody else starts.
    Running { addr: SocketAddr, files: PathBuf },
}

#[derive(Debug)]
pub struct Options {
    pub listen: SocketAddr,
    pub websocket_port: u16,
    pub groups: Vec<String>,
    pub broker: Choice,
}

/// The options; `None` if help was requested.
pub fn parse(mut parser: Parser) -> Result<Option<Options>, lexopt::Error> {
    let mut listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    let mut websocket_port = 9001;
    let mut groups = Vec::new();
    let (mut own, mut addr, mut files) = (false, None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("listen") => listen = parser.value()?.parse_with(loopback)?,
            Arg::Long("websocket-port") => websocket_port = parser.value()?.parse()?,
            Arg::Long("group") => groups.push(parser.value()?.parse_with(names::check)?),
            Arg::Long("broker") => addr = Some(parser.value()?.parse_with(loopback)?),
            Arg::Long("files") => files = Some(PathBuf::from(parser.value()?)),
            Arg::Long("own-broker") => own = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if groups.is_empty() {
        groups = vec!["大厅".to_owned(), "茶馆".to_owned()];
    }
    let broker = match (own, addr, files) {
        (true, None, None) => Choice::Own,
        (false, None, None) => Choice::Any,
        (false, Some(addr), Some(files)) => Choice::Running { addr, files },
        _ => return Err("--broker and --files go together, and without --own-broker".into()),
    };
    Ok(Some(Options { listen, websocket_port, groups, broker }))
}

/// Nothing here is encrypted: other machines connect through a proxy that does TLS.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let addr: SocketAddr = text.parse().map_err(|_| "an address is like 127.0.0.1:8080".to_owned())?;
    if addr.ip().is_loopback() {
        Ok(addr)
    } else {
        Err("only loopback addresses: nothing here is encrypted".into())
    }
}

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod stream;
mod trust;

pub use rustls;
pub use stream::TlsStream;
pub use trust::{Identity, config, explain};

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use baremqtt::transport::net::open_tcp;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

/// Opens a TLS connection to `host`, whose certificate must be for that name or address. `timeout` applies to each address of the name,
/// and to the handshake.
///
/// # Errors
/// Those of TCP; [`InvalidData`](ErrorKind::InvalidData) with a [`rustls::Error`] if the server or its certificate is not
/// acceptable; [`InvalidInput`](ErrorKind::InvalidInput) if `host` is not a valid name.
pub fn open(host: &str, port: u16, config: &Arc<ClientConfig>, timeout: Duration) -> io::Result<TlsStream> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    TlsStream::connect(Arc::clone(config), name, open_tcp((host, port), timeout)?, timeout)
}

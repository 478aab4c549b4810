//! Opens a stream: TCP, with TLS on top of it if there is a file with the authorities to trust.

use std::io;
use std::path::Path;

use baremqtt_tls::rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub type Input = Box<dyn AsyncRead + Send + Unpin>;
pub type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Trusts the authorities in this file.
pub fn tls(ca: &str) -> io::Result<TlsConnector> {
    Ok(baremqtt_tls::config(Path::new(ca), None)?.into())
}

/// The two halves of a stream to `HOST:PORT`. The host has to be in the certificate of the server.
pub async fn open(address: &str, tls: Option<&TlsConnector>) -> io::Result<(Input, Output)> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let Some(tls) = tls else {
        let (input, output) = tcp.into_split();
        return Ok((Box::new(input), Box::new(output)));
    };
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let (input, output) = split(tls.connect(name, tcp).await?);
    Ok((Box::new(input), Box::new(output)))
}

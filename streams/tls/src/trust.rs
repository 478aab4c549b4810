//! Trusted authorities, and the client's own certificate.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// A client certificate, for servers that require one, and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and the chain of its issuers.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// A configuration for TLS 1.2 and 1.3, with servers whose certificates are issued by one of the authorities in the file `ca`.
///
/// # Errors
/// The error names the file, and says what is wrong with it.
pub fn config(ca: &Path, identity: Option<&Identity>) -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| in_file(ca, &error))?;
    }
    // Named, because there is no default one if another crate of the program has turned on a second.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some(Identity { certificate, key }) => {
            let chain = certificates(certificate)?;
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| in_file(key, &error))?;
            config.with_client_auth_cert(chain, secret).map_err(|error| in_file(certificate, &error))?
        }
    };
    Ok(Arc::new(config))
}

/// All certificates of a PEM file; at least one.
fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(in_file(file, &"there is no certificate in it")),
        Ok(found) => Ok(found),
        Err(error) => Err(in_file(file, &error)),
    }
}

fn in_file(file: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", file.display()))
}

/// Explains an error of the handshake to the person who runs the program.
pub fn explain(error: &io::Error) -> String {
    let rustls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let meaning = match rustls {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => "the server's certificate is not from an authority that is trusted",
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "the server's certificate is for another name",
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "the server's certificate has expired",
        Some(rustls::Error::AlertReceived(_)) => "the server does not like what this client has shown",
        Some(rustls::Error::InvalidMessage(_)) => "this does not seem to be a port for TLS",
        _ => return error.to_string(),
    };
    format!("{meaning} ({error})")
}

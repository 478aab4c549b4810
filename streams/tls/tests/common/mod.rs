//! Certificates for one test, and a Mosquitto that shows them.

// Each test program uses some of it.
#![allow(dead_code)]

#[path = "../../../../tests/support/mod.rs"]
pub mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use support::mosquitto::{Config, Mosquitto, free_port};

/// A folder with the certificates of an authority, of a server on `localhost`, and of a client.
pub struct Authority {
    dir: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let dir = env::temp_dir().join(format!("baremqtt-tls-{}-{number}", process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a folder for certificates");
        let authority = Authority { dir };
        let issuer = issuer(&format!("An authority for tests, {number}"));
        authority.write("ca.crt", &issuer.pem());
        authority.certify(&issuer, "server", &["localhost", "127.0.0.1"]);
        authority.certify(&issuer, "client", &["client.test"]);
        authority
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// For a server that the test plays.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let chain = vec![CertificateDer::from_pem_file(self.file("server.crt")).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(self.file("server.key")).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        Arc::new(config.expect("a certificate with its key"))
    }

    fn certify(&self, issuer: &CertifiedIssuer<'_, KeyPair>, file: &str, names: &[&str]) {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, file);
        let certificate = params.signed_by(&key, issuer).expect("a certificate");
        self.write(&format!("{file}.crt"), &certificate.pem());
        self.write(&format!("{file}.key"), &key.serialize_pem());
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).expect("a file");
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A Mosquitto that speaks TLS on a port of its own.
pub struct Broker {
    pub mosquitto: Mosquitto,
    pub tls_port: u16,
}

impl Broker {
    /// With more lines for the listener.
    pub fn start(authority: &Authority, lines: &str) -> Self {
        let tls_port = free_port();
        let file = |name: &str| authority.file(name).display().to_string();
        let (ca, certificate, key) = (file("ca.crt"), file("server.crt"), file("server.key"));
        let lines = format!(
            "listener {tls_port} 127.0.0.1\ncafile {ca}\ncertfile {certificate}\nkeyfile {key}\n{lines}"
        );
        Broker { mosquitto: Mosquitto::start(&Config { lines, ..Config::default() }), tls_port }
    }

    pub fn tls_addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.tls_port).into()
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

//! A server that terminates TLS, and forwards the plain bytes to the broker.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

/// Serves connections to this broker over TLS, until the tests end. Returns the address, and the certificate of the issuer.
pub fn start(broker: SocketAddr) -> (SocketAddr, Vec<u8>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".into()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, config) = (stream.unwrap(), Arc::clone(&config));
            thread::spawn(move || forward(stream, TcpStream::connect(broker).unwrap(), config));
        }
    });
    (address, issuer.der().to_vec())
}

/// Forwards bytes both ways until one side ends.
fn forward(mut outside: TcpStream, mut inside: TcpStream, config: Arc<ServerConfig>) {
    let mut tls = ServerConnection::new(config).unwrap();
    for stream in [&outside, &inside] {
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
    }
    let mut buffer = [0; 4096];
    loop {
        let mut moved = false;
        while tls.wants_write() {
            match tls.write_tls(&mut outside) {
                Ok(_) => moved = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return,
            }
        }
        match tls.read_tls(&mut outside) {
            Ok(0) => return,
            Ok(_) => {
                moved = true;
                // The client is sent the error before the end.
                if tls.process_new_packets().is_err() {
                    let _ = tls.write_tls(&mut outside);
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        while let Ok(len @ 1..) = tls.reader().read(&mut buffer) {
            inside.write_all(&buffer[..len]).unwrap();
        }
        match inside.read(&mut buffer) {
            Ok(0) => return,
            Ok(len) => {
                moved = true;
                tls.writer().write_all(&buffer[..len]).unwrap();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        if !moved {
            thread::sleep(Duration::from_micros(200));
        }
    }
}

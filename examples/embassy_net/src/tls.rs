//! Trust: a server on `localhost`, with a certificate that an authority has signed.

use std::time::SystemTime;

use embedded_tls::pki::CertVerifier;
use embedded_tls::{
    Aes128GcmSha256, Certificate, CryptoProvider, CryptoRngCore, TlsConfig, TlsError, TlsVerifier,
};
use rand_core::OsRng;

/// The size of the largest certificate.
const CERTIFICATE: usize = 4096;

pub fn config() -> TlsConfig<'static> {
    TlsConfig::new().with_server_name("localhost")
}

pub struct Provider {
    rng: OsRng,
    verifier: CertVerifier<'static, Aes128GcmSha256, SystemTime, CERTIFICATE>,
}

impl Provider {
    pub fn new(ca: &'static [u8]) -> Self {
        Provider { rng: OsRng, verifier: CertVerifier::new(Certificate::X509(ca)) }
    }
}

impl CryptoProvider for Provider {
    type CipherSuite = Aes128GcmSha256;
    type Signature = &'static [u8];

    fn rng(&mut self) -> impl CryptoRngCore {
        &mut self.rng
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Aes128GcmSha256>, TlsError> {
        Ok(&mut self.verifier)
    }
}

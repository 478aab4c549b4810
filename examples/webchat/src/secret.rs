//! Secrets that nobody chooses: made at each start and each sign-in, never stored.

use std::fmt::Display;

use data_encoding::{BASE64, HEXLOWER};
use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha512;

/// Mosquitto's own number; a small one will do because these passwords are random, and cannot be guessed.
const ROUNDS: u32 = 101;

/// 128 random bits, in hexadecimal.
pub fn random() -> Result<String, String> {
    bytes::<16>().map(|bytes| HEXLOWER.encode(&bytes))
}

/// The format in which Mosquitto stores a password: PBKDF2 with SHA-512.
pub fn mosquitto_hash(password: &str) -> Result<String, String> {
    let salt = bytes::<12>()?;
    let hash = pbkdf2_hmac_array::<Sha512, 64>(password.as_bytes(), &salt, ROUNDS);
    Ok(format!("$7${ROUNDS}${}${}", BASE64.encode(&salt), BASE64.encode(&hash)))
}

/// Whether two secrets are equal, in a time that does not depend on where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

fn bytes<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error: getrandom::Error| no_randomness(&error))?;
    Ok(bytes)
}

fn no_randomness(error: &dyn Display) -> String {
    format!("the system has no random numbers: {error}")
}

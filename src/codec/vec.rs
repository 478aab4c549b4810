//! Encoding into a vector, with the feature `std`.

use std::vec::Vec;

use super::{Connect, EncodeError, Packet, Publish, Version};

/// Determines the length first, so that nothing is allocated for a packet that cannot be encoded.
fn to_vec(encode: impl Fn(&mut [u8]) -> Result<usize, EncodeError>) -> Result<Vec<u8>, EncodeError> {
    let len = match encode(&mut []) {
        Err(EncodeError::BufferTooSmall { needed }) => needed,
        other => other?,
    };
    let mut out = std::vec![0; len];
    encode(&mut out)?;
    Ok(out)
}

impl Packet<'_> {
    /// Encodes the packet into a vector of its own. Feature `std`.
    ///
    /// ```
    /// use baremqtt::codec::{Packet, Version};
    ///
    /// assert_eq!(Packet::PingReq.encode_to_vec(Version::Mqtt311)?, [0xC0, 0]);
    /// # Ok::<(), baremqtt::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) if the standard does not allow the values of the fields.
    pub fn encode_to_vec(&self, version: Version) -> Result<Vec<u8>, EncodeError> {
        to_vec(|out| self.encode(version, out))
    }
}

impl Connect<'_> {
    /// Encodes the packet into a vector of its own. Feature `std`.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) if the standard does not allow the values of the fields.
    pub fn encode_to_vec(&self) -> Result<Vec<u8>, EncodeError> {
        to_vec(|out| self.encode(out))
    }
}

impl Publish<'_> {
    /// Encodes the packet into a vector of its own. Feature `std`.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) if the packet would be longer than the protocol allows, or the
    /// topic longer than MQTT 3.1 allows.
    pub fn encode_to_vec(&self, version: Version) -> Result<Vec<u8>, EncodeError> {
        to_vec(|out| self.encode(version, out))
    }
}

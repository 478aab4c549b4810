//! The user name and password in a CONNECT.

use super::Text;

/// A user name, and optionally a password (a password alone is not valid in MQTT 3.x).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credentials<'a> {
    /// The user name; may be empty.
    pub username: Text<'a>,
    /// The password; may be empty. Any bytes in 3.1.1, UTF-8 in 3.1.
    pub password: Option<&'a [u8]>,
}

impl<'a> Credentials<'a> {
    /// A user name, and optionally a password.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn new(username: &'a str, password: Option<&'a [u8]>) -> Self {
        Credentials { username: Text::new(username), password }
    }
}

impl core::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // A password does not belong in a log.
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Credentials<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Credentials {{ username: {}, .. }}", self.username);
    }
}

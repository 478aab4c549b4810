//! The text fields of a CONNECT.

use core::cmp::Ordering;

use crate::Violation;
use crate::topic::{checked_str, text_traits};
use crate::validate::{check_text, text_flaw};

/// A text field of a CONNECT: client identifier, topic of the will, or user name.
///
/// It is checked once, when it is created. Creating it never fails; if the text is invalid, [`check`](Self::check) and encoding the
/// packet return an error.
///
/// ```
/// use baremqtt::codec::Text;
/// use baremqtt::Violation;
///
/// const NAME: Text = Text::new("sensor-17");
/// assert_eq!(NAME, "sensor-17");
/// assert_eq!(Text::new("a\0").check(), Err(Violation::NulCharacter));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<'a> {
    bytes: &'a [u8],
    /// What is wrong with it as a topic name. On small targets this is not stored, but checked when needed.
    #[cfg(target_pointer_width = "64")]
    flaw: Option<Violation>,
}

impl<'a> Text<'a> {
    /// Checks a text.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn new(text: &'a str) -> Self {
        Self::from_bytes(text.as_bytes())
    }

    /// Checks a text that was received as bytes.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) const fn from_bytes(bytes: &'a [u8]) -> Self {
        Text {
            bytes,
            #[cfg(target_pointer_width = "64")]
            flaw: text_flaw(bytes),
        }
    }

    #[inline]
    const fn flaw(self) -> Option<Violation> {
        #[cfg(target_pointer_width = "64")]
        return self.flaw;
        #[cfg(not(target_pointer_width = "64"))]
        return text_flaw(self.bytes);
    }

    /// Whether the text is valid in a packet.
    ///
    /// # Errors
    /// [`TooLong`](Violation::TooLong), [`NulCharacter`](Violation::NulCharacter).
    #[inline]
    pub const fn check(self) -> Result<(), Violation> {
        check_text(self.flaw())
    }

    /// Whether the text is valid in a packet as a topic name.
    #[inline]
    pub(super) const fn check_topic_name(self) -> Result<(), Violation> {
        match self.flaw() {
            None => Ok(()),
            Some(violation) => Err(violation),
        }
    }

    /// The text as bytes.
    #[must_use]
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The text as a string. This checks every byte again; for comparisons, use `==`.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        checked_str(self.bytes)
    }

    /// Whether the text is empty.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }
}

/// As bytes, like topic names.
impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(other.bytes)
    }
}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text::new(text)
    }
}

text_traits!(Text);

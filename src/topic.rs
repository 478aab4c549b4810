//! Topic names and topic filters: validation and matching (MQTT 3.1.1, section 4.7).

use crate::Violation;
#[cfg(target_pointer_width = "64")]
use crate::validate::is_plain;
use crate::validate::{check_topic_filter, topic_name_flaw};

/// A topic name, to which a message is published: at least one character, no wildcard, no U+0000.
///
/// It borrows its bytes, for instance from a receive buffer, and is checked once, when it is created.
///
/// ```
/// use baremqtt::TopicName;
///
/// const STATUS: TopicName = match TopicName::new("sensor/17/status") {
///     Ok(name) => name,
///     Err(_) => panic!("checked when the program is compiled"),
/// };
/// assert_eq!(STATUS, "sensor/17/status");
/// assert!(TopicName::new("sensor/+").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName<'a>(&'a [u8]);

impl<'a> TopicName<'a> {
    /// Checks a topic name.
    ///
    /// # Errors
    /// [`TopicEmpty`](Violation::TopicEmpty), [`TooLong`](Violation::TooLong),
    /// [`NulCharacter`](Violation::NulCharacter), [`WildcardInTopicName`](Violation::WildcardInTopicName).
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn new(name: &'a str) -> Result<Self, Violation> {
        Self::from_bytes(name.as_bytes())
    }

    /// Checks a topic name in the form of bytes.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Utf8`](Violation::Utf8).
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn from_bytes(name: &'a [u8]) -> Result<Self, Violation> {
        match topic_name_flaw(name) {
            None => Ok(TopicName(name)),
            Some(flaw) => Err(flaw),
        }
    }

    /// A name in ASCII, of at most 65,535 bytes; `None` if it needs a closer look.
    #[cfg(target_pointer_width = "64")]
    #[inline]
    pub(crate) const fn plain(name: &'a [u8]) -> Option<Self> {
        if is_plain(name) { Some(TopicName(name)) } else { None }
    }

    /// A name that has been checked before.
    #[inline]
    pub(crate) const fn checked_before(name: &'a [u8]) -> Self {
        TopicName(name)
    }

    /// The name as UTF-8 bytes.
    #[must_use]
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The name as a string. This checks every byte again; for comparisons, use `==`.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        checked_str(self.0)
    }
}

/// A topic filter, which selects the topics of a subscription. `+` stands for one level; `#`, as the last level, stands for the parent
/// and all levels below it.
///
/// ```
/// use baremqtt::{TopicFilter, TopicName};
///
/// let filter = TopicFilter::new("sport/#")?;
/// assert!(filter.matches(TopicName::new("sport/tennis")?));
/// assert!(filter.matches(TopicName::new("sport")?));
/// assert!(!TopicFilter::new("#")?.matches(TopicName::new("$SYS/uptime")?));
/// # Ok::<(), baremqtt::Violation>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter<'a>(&'a [u8]);

impl<'a> TopicFilter<'a> {
    /// Checks a topic filter.
    ///
    /// # Errors
    /// [`TopicEmpty`](Violation::TopicEmpty), [`TooLong`](Violation::TooLong),
    /// [`NulCharacter`](Violation::NulCharacter), [`MultiLevelWildcard`](Violation::MultiLevelWildcard),
    /// [`SingleLevelWildcard`](Violation::SingleLevelWildcard).
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn new(filter: &'a str) -> Result<Self, Violation> {
        Self::from_bytes(filter.as_bytes())
    }

    /// Checks a topic filter in the form of bytes.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Utf8`](Violation::Utf8).
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn from_bytes(filter: &'a [u8]) -> Result<Self, Violation> {
        match check_topic_filter(filter) {
            Ok(()) => Ok(TopicFilter(filter)),
            Err(violation) => Err(violation),
        }
    }

    /// A filter that has been checked before.
    #[inline]
    pub(crate) const fn checked_before(filter: &'a [u8]) -> Self {
        TopicFilter(filter)
    }

    /// The filter as UTF-8 bytes.
    #[must_use]
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The filter as a string. This checks every byte again; for comparisons, use `==`.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        checked_str(self.0)
    }

    /// Whether the filter matches this topic name (section 4.7). Levels are compared byte by byte. A filter that begins with a wildcard
    /// does not match topics that begin with `$`.
    #[must_use]
    pub fn matches(self, name: TopicName<'_>) -> bool {
        let (mut filter, mut name) = (self.0, name.0);
        if let ([b'#' | b'+', ..], [b'$', ..]) = (filter, name) {
            return false;
        }
        if cfg!(target_pointer_width = "64") {
            if filter == name {
                return true;
            }
            (filter, name) = without_equal_words(filter, name);
        }
        loop {
            match (filter, name) {
                ([b'#', ..], _) => return true,
                ([b'+', rest @ ..], _) => {
                    filter = rest;
                    while let [first, rest @ ..] = name {
                        if *first == b'/' {
                            break;
                        }
                        name = rest;
                    }
                }
                ([a, filter_rest @ ..], [b, name_rest @ ..]) => {
                    if a != b {
                        return false;
                    }
                    (filter, name) = (filter_rest, name_rest);
                }
                (rest, []) => return rest.is_empty() || rest == b"/#",
                ([], _) => return false,
            }
        }
    }
}

/// Skips the leading words in which the two are equal. A name has no wildcards, so the equal words have none either.
fn without_equal_words<'f, 'n>(filter: &'f [u8], name: &'n [u8]) -> (&'f [u8], &'n [u8]) {
    let (mut filter, mut name) = (filter, name);
    while let (Some((a, filter_rest)), Some((b, name_rest))) =
        (filter.split_first_chunk::<8>(), name.split_first_chunk())
        && a == b
    {
        (filter, name) = (filter_rest, name_rest);
    }
    (filter, name)
}

/// Text that was checked when the value was created; the fallback is never reached.
pub(crate) const fn checked_str(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// Comparison and formatting as text.
macro_rules! text_traits {
    ($name:ident) => {
        impl PartialEq<str> for $name<'_> {
            fn eq(&self, other: &str) -> bool {
                self.as_bytes() == other.as_bytes()
            }
        }

        impl PartialEq<&str> for $name<'_> {
            fn eq(&self, other: &&str) -> bool {
                self.as_bytes() == other.as_bytes()
            }
        }

        impl AsRef<str> for $name<'_> {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl core::fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        #[cfg(feature = "defmt")]
        impl defmt::Format for $name<'_> {
            fn format(&self, f: defmt::Formatter<'_>) {
                defmt::write!(f, "{=str}", self.as_str());
            }
        }
    };
}
pub(crate) use text_traits;

/// Conversion from `&str`, with a check.
macro_rules! try_from_str {
    ($name:ident) => {
        impl<'a> TryFrom<&'a str> for $name<'a> {
            type Error = Violation;

            fn try_from(text: &'a str) -> Result<Self, Violation> {
                $name::new(text)
            }
        }
    };
}

text_traits!(TopicName);
text_traits!(TopicFilter);
try_from_str!(TopicName);
try_from_str!(TopicFilter);

//! Topic names and topic filters: validation and matching (MQTT 3.1.1, section 4.7).

use core::fmt;

use crate::Violation;

/// The longest string that a length prefix of two bytes can announce, in bytes.
const MAX_LEN: usize = 65_535;

/// A topic name: what a message is published to. At least one character, no wildcard, no U+0000.
///
/// It borrows its bytes, out of a receive buffer for instance, and is checked once, when it is made.
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
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TopicName<'a>(&'a [u8]);

impl<'a> TopicName<'a> {
    /// Checks a topic name.
    ///
    /// # Errors
    /// [`TopicEmpty`](Violation::TopicEmpty), [`TooLong`](Violation::TooLong),
    /// [`NulCharacter`](Violation::NulCharacter), [`WildcardInTopicName`](Violation::WildcardInTopicName).
    pub const fn new(name: &'a str) -> Result<Self, Violation> {
        Self::from_bytes(name.as_bytes())
    }

    /// Checks a topic name that came as bytes: the errors of [`new`](Self::new), and
    /// [`Utf8`](Violation::Utf8).
    pub const fn from_bytes(name: &'a [u8]) -> Result<Self, Violation> {
        match scan_topic(name) {
            Ok(Scan { wildcard: false }) => Ok(TopicName(name)),
            Ok(_) => Err(Violation::WildcardInTopicName),
            Err(violation) => Err(violation),
        }
    }

    /// A name that was checked before, and is read again from the same place.
    #[inline]
    pub(crate) const fn checked_before(name: &'a [u8]) -> Self {
        TopicName(name)
    }

    /// The name as bytes of UTF-8.
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The name as a string. Looks at every byte once more: where only equality matters, compare with `==`.
    pub const fn as_str(self) -> &'a str {
        checked_str(self.0)
    }
}

/// A topic filter: what a subscription asks for. `+` stands for one level, `#` as the last level for all that
/// follow and for the parent.
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
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TopicFilter<'a>(&'a [u8]);

impl<'a> TopicFilter<'a> {
    /// Checks a topic filter.
    ///
    /// # Errors
    /// [`TopicEmpty`](Violation::TopicEmpty), [`TooLong`](Violation::TooLong),
    /// [`NulCharacter`](Violation::NulCharacter), [`MultiLevelWildcard`](Violation::MultiLevelWildcard),
    /// [`SingleLevelWildcard`](Violation::SingleLevelWildcard).
    pub const fn new(filter: &'a str) -> Result<Self, Violation> {
        Self::from_bytes(filter.as_bytes())
    }

    /// Checks a topic filter that came as bytes: the errors of [`new`](Self::new), and
    /// [`Utf8`](Violation::Utf8).
    pub const fn from_bytes(filter: &'a [u8]) -> Result<Self, Violation> {
        match scan_topic(filter) {
            Ok(Scan { wildcard: false }) => Ok(TopicFilter(filter)),
            Ok(_) => match check_wildcards(filter) {
                Ok(()) => Ok(TopicFilter(filter)),
                Err(violation) => Err(violation),
            },
            Err(violation) => Err(violation),
        }
    }

    /// A filter that was checked before, and is read again from the same place.
    #[inline]
    pub(crate) const fn checked_before(filter: &'a [u8]) -> Self {
        TopicFilter(filter)
    }

    /// The filter as bytes of UTF-8.
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The filter as a string. Looks at every byte once more: where only equality matters, compare with `==`.
    pub const fn as_str(self) -> &'a str {
        checked_str(self.0)
    }

    /// Whether the filter covers this topic name (section 4.7): level by level and byte by byte, `$` topics
    /// not by a filter that begins with a wildcard.
    pub fn matches(self, name: TopicName<'_>) -> bool {
        let (mut filter, mut name) = (self.0, name.0);
        if let ([b'#' | b'+', ..], [b'$', ..]) = (filter, name) {
            return false;
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

/// Text that was checked when it was taken in; the fallback is never reached.
const fn checked_str(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// Whether the text is well-formed UTF-8 without U+0000 (section 1.5.3).
pub(crate) const fn check_text(bytes: &[u8]) -> Result<(), Violation> {
    match scan(bytes) {
        Ok(_) => Ok(()),
        Err(violation) => Err(violation),
    }
}

/// The characters of a text that was checked.
pub(crate) fn chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count()
}

/// What one pass over a string finds besides errors.
struct Scan {
    wildcard: bool,
}

const fn scan_topic(bytes: &[u8]) -> Result<Scan, Violation> {
    if bytes.is_empty() {
        return Err(Violation::TopicEmpty);
    }
    scan(bytes)
}

/// One pass for UTF-8, U+0000, wildcards and length; a word at a time while nothing calls for a closer
/// look.
const fn scan(bytes: &[u8]) -> Result<Scan, Violation> {
    if bytes.len() > MAX_LEN {
        return Err(Violation::TooLong);
    }
    let mut wildcard = false;
    let mut rest = bytes;
    loop {
        while let Some((word, tail)) = rest.split_first_chunk() {
            if !is_plain(usize::from_le_bytes(*word)) {
                break;
            }
            rest = tail;
        }
        let [first, tail @ ..] = rest else { return Ok(Scan { wildcard }) };
        rest = tail;
        // The second byte of a character decides whether it is the shortest form, in range, and no surrogate.
        let (mut low, mut high, mut more): (u8, u8, u8) = match *first {
            0 => return Err(Violation::NulCharacter),
            0x01..0x80 => {
                wildcard |= matches!(*first, b'+' | b'#');
                continue;
            }
            0xC2..=0xDF => (0x80, 0xBF, 0),
            0xE0 => (0xA0, 0xBF, 1),
            0xED => (0x80, 0x9F, 1),
            0xE1..=0xEF => (0x80, 0xBF, 1),
            0xF0 => (0x90, 0xBF, 2),
            0xF1..=0xF3 => (0x80, 0xBF, 2),
            0xF4 => (0x80, 0x8F, 2),
            _ => return Err(Violation::Utf8),
        };
        loop {
            rest = match rest {
                [byte, tail @ ..] if low <= *byte && *byte <= high => tail,
                _ => return Err(Violation::Utf8),
            };
            if more == 0 {
                break;
            }
            (low, high, more) = (0x80, 0xBF, u8::wrapping_sub(more, 1));
        }
    }
}

/// No byte of the word is 0, `+`, `#` or outside ASCII. (It may say no where a 1 follows such a byte.)
const fn is_plain(word: usize) -> bool {
    const LEN: usize = size_of::<usize>();
    const ONES: usize = usize::from_le_bytes([0x01; LEN]);
    const HIGH: usize = usize::from_le_bytes([0x80; LEN]);
    // `#` is 0x23 and `+` is 0x2B: with bit 3 set both are 0x2B.
    let wild = (word | usize::from_le_bytes([0x08; LEN])) ^ usize::from_le_bytes([0x2B; LEN]);
    let below = word.wrapping_sub(ONES) | wild.wrapping_sub(ONES);
    (below | word) & HIGH == 0
}

/// Where wildcards stand in a filter that has some (MQTT-4.7.1-2, MQTT-4.7.1-3).
const fn check_wildcards(filter: &[u8]) -> Result<(), Violation> {
    let mut rest = filter;
    let mut before = b'/';
    while let [first, tail @ ..] = rest {
        match *first {
            b'#' if before != b'/' || !tail.is_empty() => return Err(Violation::MultiLevelWildcard),
            b'+' if before != b'/' || !matches!(tail, [] | [b'/', ..]) => {
                return Err(Violation::SingleLevelWildcard);
            }
            _ => {}
        }
        before = *first;
        rest = tail;
    }
    Ok(())
}

macro_rules! text_traits {
    ($name:ident) => {
        impl PartialEq<str> for $name<'_> {
            fn eq(&self, other: &str) -> bool {
                self.0 == other.as_bytes()
            }
        }

        impl PartialEq<&str> for $name<'_> {
            fn eq(&self, other: &&str) -> bool {
                self.0 == other.as_bytes()
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
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

text_traits!(TopicName);
text_traits!(TopicFilter);

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

/// The characters of a text that was checked. Wanted in MQTT 3.1 alone, and seldom.
#[inline(never)]
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

/// One pass for UTF-8, U+0000, wildcards and length.
const fn scan(bytes: &[u8]) -> Result<Scan, Violation> {
    if bytes.len() > MAX_LEN {
        return Err(Violation::TooLong);
    }
    // Small machines have little text and little flash.
    let (mut rest, mut wildcard) =
        if cfg!(target_pointer_width = "64") { skip_plain(bytes) } else { (bytes, false) };
    while let [first, tail @ ..] = rest {
        rest = match *first {
            0 => return Err(Violation::NulCharacter),
            0x01..0x80 => {
                wildcard |= matches!(*first, b'+' | b'#');
                tail
            }
            0x80.. => match behind_char(*first, tail) {
                Some(rest) => rest,
                None => return Err(Violation::Utf8),
            },
        };
    }
    Ok(Scan { wildcard })
}

/// What follows a character outside ASCII; `None` if it is ill-formed.
const fn behind_char(first: u8, mut rest: &[u8]) -> Option<&[u8]> {
    let len = first.leading_ones();
    if len < 2 {
        return None;
    }
    let mut code = (first as u32) & (0x7F_u32 >> len);
    let mut left = len;
    while left > 1 {
        let [byte @ 0x80..=0xBF, tail @ ..] = rest else { return None };
        code = (code << 6) | (*byte & 0x3F) as u32;
        rest = tail;
        left = left.wrapping_sub(1);
    }
    // No surrogate, in range, and in its shortest form.
    match char::from_u32(code) {
        Some(char) if char.len_utf8() == len as usize => Some(rest),
        _ => None,
    }
}

/// Passes over plain words; says what is left, and whether a wildcard was among them.
const fn skip_plain(bytes: &[u8]) -> (&[u8], bool) {
    let mut wildcard = false;
    let mut rest = bytes;
    while let Some((word, tail)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        if !is_plain(word) {
            return (rest, wildcard);
        }
        wildcard |= has_wildcard(word);
        rest = tail;
    }
    // The end is in one word with bytes that were looked at.
    if let Some(word) = bytes.last_chunk() {
        let word = u64::from_le_bytes(*word);
        if is_plain(word) {
            return (&[], wildcard | has_wildcard(word));
        }
    }
    (rest, wildcard)
}

const ONES: u64 = u64::from_le_bytes([0x01; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// No byte of the word is 0 or outside ASCII.
const fn is_plain(word: u64) -> bool {
    (word.wrapping_sub(ONES) | word) & HIGH == 0
}

/// Whether a plain word holds `+` or `#`.
const fn has_wildcard(word: u64) -> bool {
    // `#` is 0x23 and `+` is 0x2B: with bit 3 set both are 0x2B.
    let wild = (word | u64::from_le_bytes([0x08; 8])) ^ u64::from_le_bytes([0x2B; 8]);
    wild.wrapping_sub(ONES) & HIGH != 0
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

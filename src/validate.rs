//! Checks text against the rules of the standard (sections 1.5.3 and 4.7), in one pass.
//!
//! On 64-bit targets, text is first checked in words of eight bytes, with a single test for anything that is not plain. Text that
//! fails this test is checked byte by byte. Smaller targets have only the check by bytes.

use crate::Violation;

/// The longest string that a length prefix of two bytes can announce, in bytes.
const MAX_LEN: usize = 65_535;

const BY_WORDS: bool = cfg!(target_pointer_width = "64");

/// What is wrong with the text as a topic name (sections 1.5.3 and 4.7).
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) const fn topic_name_flaw(bytes: &[u8]) -> Option<Violation> {
    if BY_WORDS && bytes.len() <= MAX_LEN && is_plain(bytes) { None } else { scan(bytes) }
}

/// The same in a single copy, for texts that are checked in many places but rarely.
#[cfg_attr(target_pointer_width = "64", inline(never))]
pub(crate) const fn text_flaw(bytes: &[u8]) -> Option<Violation> {
    topic_name_flaw(bytes)
}

/// Keeps only flaws that apply to any text (section 1.5.3), not just to topics.
#[inline]
pub(crate) const fn check_text(flaw: Option<Violation>) -> Result<(), Violation> {
    match flaw {
        Some(flaw @ (Violation::TooLong | Violation::Utf8 | Violation::NulCharacter)) => Err(flaw),
        _ => Ok(()),
    }
}

/// Whether the text is a topic filter (section 4.7): at least one character, and no misplaced wildcard.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(crate) const fn check_topic_filter(bytes: &[u8]) -> Result<(), Violation> {
    if BY_WORDS && bytes.len() <= MAX_LEN && is_plain_filter(bytes) {
        return Ok(());
    }
    check_filter_bytes(bytes)
}

#[cfg_attr(target_pointer_width = "64", cold, inline(never))]
const fn check_filter_bytes(bytes: &[u8]) -> Result<(), Violation> {
    match scan(bytes) {
        None => Ok(()),
        Some(Violation::WildcardInTopicName) => check_wildcards(bytes),
        Some(flaw) => Err(flaw),
    }
}

/// The number of characters of a text that has been checked. Only MQTT 3.1 needs this, and rarely.
#[inline(never)]
pub(crate) fn chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count()
}

/// One pass for UTF-8, U+0000, wildcards and length. Flaws that apply to any text take precedence.
#[cfg_attr(target_pointer_width = "64", cold, inline(never))]
const fn scan(bytes: &[u8]) -> Option<Violation> {
    if bytes.len() > MAX_LEN {
        return Some(Violation::TooLong);
    }
    let mut flaw = if bytes.is_empty() { Some(Violation::TopicEmpty) } else { None };
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        rest = match *first {
            0 => return Some(Violation::NulCharacter),
            0x01..0x80 => {
                if matches!(*first, b'+' | b'#') {
                    flaw = Some(Violation::WildcardInTopicName);
                }
                tail
            }
            0x80.. => match skip_char(*first, tail) {
                Some(rest) => rest,
                None => return Some(Violation::Utf8),
            },
        };
    }
    flaw
}

/// Skips a non-ASCII character; `None` if it is ill-formed (table 3-7 of the Unicode Standard).
const fn skip_char(first: u8, mut rest: &[u8]) -> Option<&[u8]> {
    match (first, rest) {
        // Not a leading byte, or one of a character that has a shorter form or is above U+10FFFF.
        (..0xC2 | 0xF5.., _) => return None,
        // The same according to the second byte. 0xED begins the surrogates.
        (0xE0, [0x00..=0x9F, ..])
        | (0xED, [0xA0..=0xFF, ..])
        | (0xF0, [0x00..=0x8F, ..])
        | (0xF4, [0x90..=0xFF, ..]) => return None,
        _ => {}
    }
    let mut left = first.leading_ones();
    while left > 1 {
        let [0x80..=0xBF, tail @ ..] = rest else { return None };
        (rest, left) = (tail, left.wrapping_sub(1));
    }
    Some(rest)
}

/// Checks the positions of wildcards in a filter (MQTT-4.7.1-2, MQTT-4.7.1-3).
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

// --- Checks by words: each answers "yes" or "look closer" -----------------------------------------------------------

const ONES: u64 = u64::from_le_bytes([0x01; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// At least one byte, all of them ASCII, and none of them NUL or a wildcard.
#[inline]
pub(crate) const fn is_plain(bytes: &[u8]) -> bool {
    // The last word overlaps with bytes that are checked twice.
    let Some(end) = bytes.last_chunk() else { return is_plain_word(short(bytes)) };
    let mut rest = bytes;
    while let Some((word, tail)) = rest.split_first_chunk() {
        if !is_plain_word(u64::from_le_bytes(*word)) {
            return false;
        }
        rest = tail;
    }
    is_plain_word(u64::from_le_bytes(*end))
}

/// At least one byte, all of them ASCII, none of them NUL, and no misplaced wildcard.
#[inline]
const fn is_plain_filter(filter: &[u8]) -> bool {
    let Some(end) = filter.last_chunk() else { return is_plain_filter_word(short(filter), filter, 0) };
    let (mut rest, mut at) = (filter, 0_usize);
    while let Some((word, tail)) = rest.split_first_chunk() {
        if !is_plain_filter_word(u64::from_le_bytes(*word), filter, at) {
            return false;
        }
        (rest, at) = (tail, at.wrapping_add(8));
    }
    is_plain_filter_word(u64::from_le_bytes(*end), filter, filter.len().wrapping_sub(8))
}

/// Checks the word at position `at` of a filter.
#[inline]
const fn is_plain_filter_word(word: u64, filter: &[u8], at: usize) -> bool {
    if !is_ascii_without_nul(word) {
        return false;
    }
    let mut wildcards = wildcards(word);
    while wildcards != 0 {
        let place = at.wrapping_add((wildcards.trailing_zeros() >> 3) as usize);
        if !is_level(filter, place) {
            return false;
        }
        wildcards &= wildcards.wrapping_sub(1);
    }
    true
}

/// Whether the wildcard at this position is a whole level, and the last level if it is `#`.
#[inline]
const fn is_level(filter: &[u8], place: usize) -> bool {
    matches!(filter.split_at_checked(place), Some(([] | [.., b'/'], [b'#' | b'+'] | [b'+', b'/', ..])))
}

/// Fewer than eight bytes as a word, padded with plain bytes; 0 for none.
#[inline]
const fn short(bytes: &[u8]) -> u64 {
    let bits = (bytes.len() as u32).wrapping_mul(8);
    let word = match (bytes.first_chunk(), bytes.last_chunk()) {
        // Bytes that are in both are equal.
        (Some(start), Some(end)) => {
            let end = u32::from_le_bytes(*end) as u64;
            u32::from_le_bytes(*start) as u64 | end.wrapping_shl(bits.wrapping_sub(32))
        }
        _ => match *bytes {
            [] => return 0,
            [a] => u64::from_le_bytes([a, 0, 0, 0, 0, 0, 0, 0]),
            [a, b] => u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]),
            [a, b, c, ..] => u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]),
        },
    };
    word | ONES.wrapping_shl(bits)
}

#[inline]
const fn is_ascii_without_nul(word: u64) -> bool {
    (word.wrapping_sub(ONES) | word) & HIGH == 0
}

#[inline]
const fn is_plain_word(word: u64) -> bool {
    let wild = without_wildcards(word);
    (word.wrapping_sub(ONES) | word | wild.wrapping_sub(ONES)) & HIGH == 0
}

/// The word with zero bytes for wildcards: `#` is 0x23 and `+` is 0x2B; with bit 3 set, both are 0x2B.
#[inline]
const fn without_wildcards(word: u64) -> u64 {
    (word | u64::from_le_bytes([0x08; 8])) ^ u64::from_le_bytes([0x2B; 8])
}

/// The high bit of each byte that is a wildcard, in a word of ASCII.
#[inline]
const fn wildcards(word: u64) -> u64 {
    !without_wildcards(word).wrapping_add(u64::from_le_bytes([0x7F; 8])) & HIGH
}

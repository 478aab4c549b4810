//! Text as the standard wants it (sections 1.5.3 and 4.7), checked in one pass.
//!
//! Where a word has eight bytes, text is looked at by words, with one test for all that is not plain; whatever is
//! found then is left to the loop over bytes, which small machines have alone.

use crate::Violation;

/// The longest string that a length prefix of two bytes can announce, in bytes.
const MAX_LEN: usize = 65_535;

const BY_WORDS: bool = cfg!(target_pointer_width = "64");

/// What is wrong with the text as a topic name (sections 1.5.3 and 4.7), and what a text can be without.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) const fn topic_name_flaw(bytes: &[u8]) -> Option<Violation> {
    if BY_WORDS && bytes.len() <= MAX_LEN && is_plain(bytes) { None } else { scan(bytes) }
}

/// The same in one copy, for texts that are many and seldom.
#[cfg_attr(target_pointer_width = "64", inline(never))]
pub(crate) const fn text_flaw(bytes: &[u8]) -> Option<Violation> {
    topic_name_flaw(bytes)
}

/// Whether a flaw is one of any text (section 1.5.3), not of topics alone.
#[inline]
pub(crate) const fn check_text(flaw: Option<Violation>) -> Result<(), Violation> {
    match flaw {
        Some(flaw @ (Violation::TooLong | Violation::Utf8 | Violation::NulCharacter)) => Err(flaw),
        _ => Ok(()),
    }
}

/// Whether the text is a topic filter (section 4.7): at least one character, and wildcards in their places.
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

/// The characters of a text that was checked. Wanted in MQTT 3.1 alone, and seldom.
#[inline(never)]
pub(crate) fn chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count()
}

/// One pass for UTF-8, U+0000, wildcards and length. What no text may be without is told first.
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
            0x80.. => match behind_char(*first, tail) {
                Some(rest) => rest,
                None => return Some(Violation::Utf8),
            },
        };
    }
    flaw
}

/// What follows a character outside ASCII; `None` if it is ill-formed (table 3-7 of the Unicode Standard).
const fn behind_char(first: u8, mut rest: &[u8]) -> Option<&[u8]> {
    match (first, rest) {
        // No beginning, or that of a character with a shorter form or above U+10FFFF.
        (..0xC2 | 0xF5.., _) => return None,
        // The second byte says the same, and 0xED begins the surrogates.
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

// --- By words: each says yes or "look closer" -----------------------------------------------------------------------

const ONES: u64 = u64::from_le_bytes([0x01; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// At least one byte, and all of them ASCII and neither NUL nor a wildcard.
#[inline]
pub(crate) const fn is_plain(bytes: &[u8]) -> bool {
    // The end is in one word with bytes that were looked at.
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

/// At least one byte, all of them ASCII and none NUL, and wildcards in their places.
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

/// A word of a filter, which stands at this place of it.
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

/// Whether the wildcard at this place is a level of its own, and the last one if it is `#`.
#[inline]
const fn is_level(filter: &[u8], place: usize) -> bool {
    matches!(filter.split_at_checked(place), Some(([] | [.., b'/'], [b'#' | b'+'] | [b'+', b'/', ..])))
}

/// Fewer than eight bytes in a word, filled up with plain ones; 0 for none.
#[inline]
const fn short(bytes: &[u8]) -> u64 {
    let bits = (bytes.len() as u32).wrapping_mul(8);
    let word = match (bytes.first_chunk(), bytes.last_chunk()) {
        // What is in both is the same.
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

/// The word with zeros for wildcards: `#` is 0x23 and `+` is 0x2B, with bit 3 set both are 0x2B.
#[inline]
const fn without_wildcards(word: u64) -> u64 {
    (word | u64::from_le_bytes([0x08; 8])) ^ u64::from_le_bytes([0x2B; 8])
}

/// The high bit of each byte that is a wildcard, in a word of ASCII.
#[inline]
const fn wildcards(word: u64) -> u64 {
    !without_wildcards(word).wrapping_add(u64::from_le_bytes([0x7F; 8])) & HIGH
}

//! The identifiers of received QoS 2 messages that have not been released yet: a set in a caller-supplied buffer.
//!
//! ```text
//! entry = [ block, number of blocks after it | bitmap of 64 identifiers ]       10 bytes
//! ```
//!
//! Identifiers are grouped into blocks of 64. An entry is the bitmap of one block; consecutive full blocks share one entry.
//! Because servers count upwards, thousands of consecutive identifiers take only a few entries. Any subset of 1,000 consecutive
//! identifiers (some belong to QoS 1) takes at most 17. An entry of zeros is free.

use crate::PacketId;

/// Length of an entry.
pub(super) const ENTRY: usize = 10;

/// The default length of the set: 17 entries.
pub(super) const DEFAULT_LEN: usize = 17 * ENTRY;

/// There is no free entry for the operation; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoEntry;

/// The block in ten bits, the number of full blocks after it in six, and the bitmap of the block.
type Entry = [u8; ENTRY];

const BLOCK_SHIFT: u16 = 6;
/// The maximum number of blocks after the first.
const MORE: u16 = 0x3F;
const BLOCKS: u16 = 0x3FF;

/// Instead of a block: any free entry.
const FREE: u16 = 0x400;
/// Instead of a block: any entry of more than one block.
const RUN: u16 = 0x401;

const WHOLE: [u8; 8] = [0xFF; 8];

/// The first block of an entry, and the number of blocks after it.
fn run([high, low, ..]: &Entry) -> (u16, u16) {
    (u16::from_be_bytes([*high, *low]) >> BLOCK_SHIFT, u16::from(*low) & MORE)
}

fn set_run([high, low, ..]: &mut Entry, block: u16, more: u16) {
    [*high, *low] = ((block << BLOCK_SHIFT) | more).to_be_bytes();
}

/// The first entry that contains the block.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
fn find(set: &mut [u8], wanted: u16) -> Option<&mut Entry> {
    let mut rest = set;
    while let Some((entry, behind)) = rest.split_first_chunk_mut() {
        let (block, more) = run(entry);
        let [_, _, map @ ..] = &*entry;
        let found = match wanted {
            _ if *map == [0; 8] => wanted == FREE,
            FREE => false,
            RUN => more > 0,
            _ => wanted.wrapping_sub(block) & BLOCKS <= more,
        };
        if found {
            return Some(entry);
        }
        rest = behind;
    }
    None
}

/// The number of free entries.
pub(super) fn free_entries(set: &[u8]) -> usize {
    set.as_chunks::<ENTRY>().0.iter().filter(|entry| is_empty(&entry[..])).count()
}

pub(super) fn is_empty(set: &[u8]) -> bool {
    set.iter().all(|byte| *byte == 0)
}

pub(super) fn clear(set: &mut [u8]) {
    set.fill(0);
}

fn has([_, _, map @ ..]: &Entry, id: u16) -> bool {
    map.get(usize::from(id >> 3) & 7).is_some_and(|byte| byte & (1 << (id & 7)) != 0)
}

/// Adds an identifier to the bitmap, or removes it. 0 is not an identifier: its bit changes with any other bit of its block, so that the
/// block can become full.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn change([_, _, map @ ..]: &mut Entry, id: u16, add: bool) {
    let mut set = |at: usize, bit: u8| {
        if let Some(byte) = map.get_mut(at) {
            *byte = if add { *byte | bit } else { *byte & !bit };
        }
    };
    set(usize::from(id >> 3) & 7, 1 << (id & 7));
    if id >> BLOCK_SHIFT == 0 {
        set(0, 1);
    }
}

/// Frees the entry of a block.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn free(set: &mut [u8], block: u16) {
    if let Some(entry) = find(set, block) {
        *entry = [0; ENTRY];
    }
}

pub(super) fn contains(set: &mut [u8], id: PacketId) -> bool {
    find(set, id.get() >> BLOCK_SHIFT).is_some_and(|entry| has(entry, id.get()))
}

/// Adds an identifier that is not in the set.
pub(super) fn insert(set: &mut [u8], id: PacketId) -> Result<(), NoEntry> {
    let block = id.get() >> BLOCK_SHIFT;
    let known = find(set, block).is_some();
    let entry = find(set, if known { block } else { FREE }).ok_or(NoEntry)?;
    if !known {
        set_run(entry, block, 0);
    }
    change(entry, id.get(), true);
    if known {
        join(set, block);
    } else if find(set, RUN).is_some() && find(set, FREE).is_none() {
        // If full blocks share an entry, one entry is kept free, because releasing one of these identifiers takes one.
        free(set, block);
        return Err(NoEntry);
    }
    Ok(())
}

/// If the block has become full, lets it share the entry of the blocks before it.
fn join(set: &mut [u8], block: u16) {
    let before = block.wrapping_sub(1) & BLOCKS;
    let is_whole = |entry: &mut Entry| matches!(entry, [_, _, map @ ..] if *map == WHOLE);
    if find(set, block).is_some_and(is_whole)
        && find(set, before).is_some_and(|entry| is_whole(entry) && run(entry).1 < MORE)
    {
        free(set, block);
        if let Some([_, low, ..]) = find(set, before) {
            *low = low.wrapping_add(1);
        }
    }
}

/// Removes an identifier; returns whether it was in the set.
pub(super) fn remove(set: &mut [u8], id: PacketId) -> Result<bool, NoEntry> {
    let block = id.get() >> BLOCK_SHIFT;
    divide(set, block)?;
    let Some(entry) = find(set, block) else { return Ok(false) };
    let known = has(entry, id.get());
    change(entry, id.get(), false);
    let [high, low, map @ ..] = entry;
    if *map == [0; 8] {
        (*high, *low) = (0, 0);
    }
    Ok(known)
}

/// Gives this block its own entry; the blocks before and after it get others.
fn divide(set: &mut [u8], block: u16) -> Result<(), NoEntry> {
    let Some(entry) = find(set, block) else { return Ok(()) };
    let (first, more) = run(entry);
    let before = block.wrapping_sub(first) & BLOCKS;
    let behind = more.wrapping_sub(before);
    set_run(entry, block, 0);
    if take(set, first, before) {
        if take(set, block.wrapping_add(1) & BLOCKS, behind) {
            return Ok(());
        }
        if before > 0 {
            free(set, first);
        }
    }
    if let Some(entry) = find(set, block) {
        set_run(entry, first, more);
    }
    Err(NoEntry)
}

/// Gives `blocks` full blocks an entry; returns whether there was a free one.
fn take(set: &mut [u8], first: u16, blocks: u16) -> bool {
    if blocks == 0 {
        return true;
    }
    let Some(entry) = find(set, FREE) else { return false };
    set_run(entry, first, blocks.wrapping_sub(1));
    let [_, _, map @ ..] = entry;
    *map = WHOLE;
    true
}

/// Whether these bytes of an image are a valid set.
pub(super) fn is_valid(image: &[u8]) -> bool {
    let (entries, rest) = image.as_chunks::<ENTRY>();
    rest.is_empty()
        && entries
            .iter()
            .all(|[_, low, map @ ..]| *map != [0; 8] && (u16::from(*low) & MORE == 0 || *map == WHOLE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    fn used(set: &mut [u8]) -> usize {
        set.chunks_exact(ENTRY).count() - free_entries(set)
    }

    /// A generator that returns the same numbers each time.
    fn random(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut state = seed;
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        }
    }

    #[test]
    fn three_thousand_in_sequence_over_the_wrap() {
        for start in [1_u16, 63, 64, 40_000, 64_000, 65_500] {
            let mut set = [0; 5 * ENTRY];
            let all: Vec<u16> =
                (0..3_001).map(|n| start.wrapping_add(n)).filter(|&n| n != 0).take(3_000).collect();
            for &number in &all {
                assert!(!contains(&mut set, id(number)));
                assert_eq!(insert(&mut set, id(number)), Ok(()), "{number} from {start}");
            }
            assert!(used(&mut set) <= 4, "{}", used(&mut set));
            for &number in &all {
                assert_eq!(remove(&mut set, id(number)), Ok(true), "{number} from {start}");
                assert!(!contains(&mut set, id(number)));
            }
            assert!(is_empty(&set));
        }
    }

    /// More full blocks than an entry can count.
    #[test]
    fn ten_thousand_in_sequence() {
        let mut set = [0; 5 * ENTRY];
        for number in 1..=10_000 {
            assert_eq!(insert(&mut set, id(number)), Ok(()), "{number}");
        }
        assert!(is_valid(&entries_in_use(&set)));
        for number in 1..=10_100 {
            assert_eq!(contains(&mut set, id(number)), number <= 10_000, "{number}");
        }
    }

    /// An image can contain a set without a free entry.
    #[test]
    fn full_blocks_that_cannot_be_divided_stay() {
        let mut set = [0xFF; ENTRY];
        let [high, low, ..] = &mut set;
        // The blocks 5, 6 and 7.
        [*high, *low] = ((5 << BLOCK_SHIFT) | 2_u16).to_be_bytes();
        let before = set;
        for number in [5 * 64, 6 * 64 + 1, 7 * 64 + 63] {
            assert_eq!(remove(&mut set, id(number)), Err(NoEntry), "{number}");
            assert_eq!(set, before, "{number}");
        }
        assert!(is_valid(&set));
        set[9] = 0x7F;
        assert!(!is_valid(&set), "only whole blocks share an entry");
    }

    #[test]
    fn any_subset_of_a_thousand_consecutive_identifiers_fits() {
        for one_in in [1, 2, 10, 33, 500] {
            for start in [1_u16, 50, 65_000] {
                let mut random = random(0x2545_F491_4F6C_DD1D ^ u64::from(start));
                let mut set = [0; DEFAULT_LEN];
                let mut window = std::collections::VecDeque::new();
                let mut number = start;
                // Three times through all identifiers, with the last 1,000 under way.
                for _ in 0..200_000 {
                    if random(one_in) == 0 {
                        assert_eq!(insert(&mut set, id(number)), Ok(()), "1 in {one_in}, {number}");
                        window.push_back(Some(number));
                    } else {
                        window.push_back(None);
                    }
                    if window.len() == 1_000
                        && let Some(oldest) = window.pop_front().unwrap()
                    {
                        assert_eq!(remove(&mut set, id(oldest)), Ok(true));
                    }
                    number = number.wrapping_add(1).max(1);
                }
            }
        }
    }

    #[test]
    fn insert_into_a_full_set_changes_nothing() {
        let mut set = [0; 3 * ENTRY + 9];
        for number in [100, 1_000, 10_000] {
            assert_eq!(insert(&mut set, id(number)), Ok(()));
        }
        let before = set;
        assert_eq!(insert(&mut set, id(20_000)), Err(NoEntry));
        assert_eq!(set, before);
        assert_eq!(insert(&mut set, id(101)), Ok(()));
        assert_eq!(insert(&mut [], id(1)), Err(NoEntry));
    }

    #[test]
    fn behaves_like_a_set() {
        let mut random = random(0x9E37_79B9_7F4A_7C15);
        for _ in 0..50 {
            let mut set = [0; 6 * ENTRY];
            let mut model = BTreeSet::new();
            let mut number = random(65_535) as u16;
            for _ in 0..1_000 {
                // Mostly in sequence, so that blocks become full.
                number = number.wrapping_add(1 + (random(40) / 38) as u16).max(1);
                if !model.contains(&number) && insert(&mut set, id(number)) == Ok(()) {
                    model.insert(number);
                }
                if random(10) < 4 && !model.is_empty() {
                    let all: Vec<u16> = model.iter().copied().collect();
                    let gone = all[random(all.len() as u64) as usize];
                    let before = set;
                    match remove(&mut set, id(gone)) {
                        Ok(there) => assert_eq!(there, model.remove(&gone)),
                        Err(NoEntry) => assert_eq!(set, before),
                    }
                }
                assert!(is_valid(&entries_in_use(&set)));
                assert!(model.iter().all(|&number| contains(&mut set, id(number))));
                for number in
                    (number.saturating_sub(130).max(1)..=number.saturating_add(70)).chain([1, 65_535])
                {
                    assert_eq!(contains(&mut set, id(number)), model.contains(&number), "{number}");
                }
            }
        }
    }

    fn entries_in_use(set: &[u8]) -> Vec<u8> {
        set.chunks_exact(ENTRY).filter(|entry| entry[2..] != [0; 8]).flatten().copied().collect()
    }

    /// A message that waits for its receipt relies on this: its room is tested by storing its identifier and removing it again.
    #[test]
    fn an_insertion_can_be_undone_however_little_room_there_is() {
        let mut below = random(7);
        for entries in 1..7 {
            for _ in 0..60 {
                let mut set = std::vec![0; entries * ENTRY];
                for n in 0..900 {
                    let number = if below(3) > 0 { n } else { below(400) };
                    let id = id(number as u16 + 1);
                    if contains(&mut set, id) {
                        if below(60) == 0 {
                            let _ = remove(&mut set, id);
                        }
                    } else if insert(&mut set, id).is_ok() {
                        assert_eq!(remove(&mut set, id), Ok(true), "{number} in {entries} entries");
                        assert!(!contains(&mut set, id));
                        assert_eq!(insert(&mut set, id), Ok(()));
                    }
                }
            }
        }
    }
}

//! The identifiers of QoS 2 messages that came in and are not released yet: a set in lent bytes.
//!
//! ```text
//! entry = [ block and how many follow | map of 64 identifiers ]       10 bytes
//! ```
//!
//! Identifiers fall into blocks of 64. An entry has the map of one block; whole blocks that follow each other share one entry.
//! So thousands in sequence take a few entries (servers count upwards), and 1,000 identifiers of which any may be here (those of
//! QoS 1 lie between) at most 17. An entry of zeros is free.

use crate::PacketId;

/// Bytes of an entry.
pub(super) const ENTRY: usize = 10;

/// Bytes that a client has for them where the application does not choose: 17 entries.
pub(super) const DEFAULT_LEN: usize = 17 * ENTRY;

/// There is no free entry for what was asked of the set; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoEntry;

/// One entry: `first` is the block in the upper ten bits and how many whole blocks follow it in the lower six.
struct Entry<'a> {
    first: &'a mut [u8; 2],
    map: &'a mut [u8; 8],
}

const BLOCK_SHIFT: u16 = 6;
const MORE: u16 = 0x3F;

impl Entry<'_> {
    fn first(&self) -> u16 {
        u16::from_be_bytes(*self.first)
    }

    fn set_first(&mut self, block: u16, more: u16) {
        *self.first = ((block << BLOCK_SHIFT) | more).to_be_bytes();
    }

    fn block(&self) -> u16 {
        self.first() >> BLOCK_SHIFT
    }

    /// Whole blocks behind the first one, which is whole then too.
    fn more(&self) -> u16 {
        self.first() & MORE
    }

    fn is_free(&self) -> bool {
        *self.map == [0; 8]
    }

    fn is_whole(&self) -> bool {
        *self.map == [0xFF; 8]
    }

    fn covers(&self, block: u16) -> bool {
        !self.is_free() && (block.wrapping_sub(self.block()) & 0x3FF) <= self.more()
    }

    fn bit(id: u16) -> (usize, u8) {
        (usize::from((id >> 3) & 7), 1 << (id & 7))
    }

    fn has(&self, id: u16) -> bool {
        let (at, bit) = Self::bit(id);
        self.map.get(at).is_some_and(|byte| byte & bit != 0)
    }

    fn change(&mut self, id: u16, add: bool) {
        let (at, bit) = Self::bit(id);
        if let Some(byte) = self.map.get_mut(at) {
            *byte = if add { *byte | bit } else { *byte & !bit };
        }
        if self.block() == 0 {
            // 0 is no identifier: it counts as present where all others of its block are.
            let [zero, rest @ ..] = &mut *self.map;
            let others = *zero | 1 == 0xFF && *rest == [0xFF; 7];
            *zero = if others { 0xFF } else { *zero & 0xFE };
        }
    }
}

fn entries(set: &mut [u8]) -> impl Iterator<Item = Entry<'_>> {
    let (entries, _) = set.as_chunks_mut::<ENTRY>();
    entries.iter_mut().filter_map(|entry| {
        let (first, map) = entry.split_first_chunk_mut()?;
        Some(Entry { first, map: map.first_chunk_mut()? })
    })
}

fn find(set: &mut [u8], block: u16) -> Option<Entry<'_>> {
    entries(set).find(|entry| entry.covers(block))
}

/// Takes a free entry for this block; the caller puts something into its map.
fn take(set: &mut [u8], block: u16, more: u16) -> Option<Entry<'_>> {
    let mut entry = entries(set).find(Entry::is_free)?;
    entry.set_first(block, more);
    Some(entry)
}

/// How many entries are free.
pub(super) fn free_entries(set: &mut [u8]) -> usize {
    entries(set).filter(Entry::is_free).count()
}

pub(super) fn is_empty(set: &[u8]) -> bool {
    set.iter().all(|byte| *byte == 0)
}

pub(super) fn clear(set: &mut [u8]) {
    set.fill(0);
}

pub(super) fn contains(set: &mut [u8], id: PacketId) -> bool {
    find(set, id.get() >> BLOCK_SHIFT).is_some_and(|entry| entry.has(id.get()))
}

/// Adds an identifier, which is not in the set.
pub(super) fn insert(set: &mut [u8], id: PacketId) -> Result<(), NoEntry> {
    let block = id.get() >> BLOCK_SHIFT;
    let mut whole = false;
    if let Some(mut entry) = find(set, block) {
        entry.change(id.get(), true);
        whole = entry.is_whole();
    } else {
        // Where whole blocks share an entry, one is kept free: releasing the first of them takes one.
        let spare = usize::from(entries(set).any(|entry| entry.more() > 0));
        if free_entries(set) <= spare {
            return Err(NoEntry);
        }
        take(set, block, 0).ok_or(NoEntry)?.change(id.get(), true);
    }
    if whole {
        join(set, block);
    }
    Ok(())
}

/// A block has become whole: it joins those before it.
fn join(set: &mut [u8], block: u16) {
    let before = entries(set).find(|entry| {
        entry.is_whole()
            && entry.more() < MORE
            && entry.block().wrapping_add(entry.more()).wrapping_add(1) & 0x3FF == block
    });
    let Some(mut before) = before else { return };
    let (first, more) = (before.block(), before.more());
    before.set_first(first, more.wrapping_add(1));
    if let Some(entry) = entries(set).find(|entry| entry.block() == block && entry.is_whole()) {
        *entry.map = [0; 8];
        *entry.first = [0; 2];
    }
}

/// Takes an identifier out; returns whether it was there.
pub(super) fn remove(set: &mut [u8], id: PacketId) -> Result<bool, NoEntry> {
    let block = id.get() >> BLOCK_SHIFT;
    let Some(mut entry) = find(set, block) else { return Ok(false) };
    if entry.more() > 0 {
        divide(set, block)?;
        return remove(set, id);
    }
    let known = entry.has(id.get());
    entry.change(id.get(), false);
    if entry.is_free() {
        *entry.first = [0; 2];
    }
    Ok(known)
}

/// Gives this block an entry of its own.
fn divide(set: &mut [u8], block: u16) -> Result<(), NoEntry> {
    let (first, more) = match find(set, block) {
        Some(entry) => (entry.block(), entry.more()),
        None => return Ok(()),
    };
    let before = block.wrapping_sub(first) & 0x3FF;
    let behind = more.wrapping_sub(before);
    if free_entries(set) < usize::from(before > 0).wrapping_add(usize::from(behind > 0)) {
        return Err(NoEntry);
    }
    if let Some(mut entry) = find(set, block) {
        entry.set_first(block, 0);
    }
    if before > 0 {
        *take(set, first, before.wrapping_sub(1)).ok_or(NoEntry)?.map = [0xFF; 8];
    }
    if behind > 0 {
        let next = block.wrapping_add(1) & 0x3FF;
        *take(set, next, behind.wrapping_sub(1)).ok_or(NoEntry)?.map = [0xFF; 8];
    }
    Ok(())
}

/// Whether an image may hold these bytes as a set.
pub(super) fn is_valid(image: &[u8]) -> bool {
    let (entries, rest) = image.as_chunks::<ENTRY>();
    rest.is_empty()
        && entries.iter().all(|[_, low, map @ ..]| *map != [0; 8] && (low & 0x3F == 0 || *map == [0xFF; 8]))
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
        entries(set).filter(|entry| !entry.is_free()).count()
    }

    /// A generator that gives the same numbers each time.
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

    #[test]
    fn a_thousand_of_which_each_is_here_by_coin() {
        for one_in in [1, 2, 10, 33, 500] {
            for start in [1_u16, 50, 65_000] {
                let mut random = random(0x2545_F491_4F6C_DD1D ^ u64::from(start));
                let mut set = [0; DEFAULT_LEN];
                let mut window = std::collections::VecDeque::new();
                let mut number = start;
                // Three times around, with the last 1,000 under way.
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
    fn a_full_set_refuses_and_stays_as_it_is() {
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
                // Mostly in sequence, so that blocks become whole.
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
}

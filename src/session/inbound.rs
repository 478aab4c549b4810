//! The identifiers of QoS 2 messages that came in and are not released yet.

use crate::PacketId;

/// Entries of the set.
const RUNS: usize = 8;

/// A set of packet identifiers in 64 bytes.
///
/// Brokers count identifiers upwards and can have thousands of QoS 2 messages under way at once. So the set is
/// kept as a few runs, each with a map of the identifiers behind it: thousands in sequence take one entry, and gaps
/// (QoS 1 counts with) or answers out of order a few.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct InboundIds {
    runs: [Run; RUNS],
}

/// The identifiers from `first` on: `len` of them without a gap, then those whose bits are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Run {
    first: u16,
    len: u16,
    /// Bit `i` stands for the identifier `first + len + i`; so bit 0 is never set.
    bits: u32,
}

/// The set has no entry left for what was asked of it; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct InboundFull;

impl InboundIds {
    pub(super) const fn new() -> Self {
        InboundIds { runs: [Run::EMPTY; RUNS] }
    }

    /// Whether the identifier is in the set.
    pub fn contains(&self, id: PacketId) -> bool {
        self.runs.iter().any(|run| run.contains(id.get()))
    }

    /// Adds an identifier; says whether it is new.
    ///
    /// # Errors
    /// [`InboundFull`] where it begins a new run and no entry is left.
    pub fn insert(&mut self, id: PacketId) -> Result<bool, InboundFull> {
        if self.contains(id) {
            return Ok(false);
        }
        if self.runs.iter_mut().any(|run| run.insert_near(id.get())) {
            return Ok(true);
        }
        *self.free_entry()? = Run { first: id.get(), len: 1, bits: 0 };
        Ok(true)
    }

    /// Takes an identifier out; says whether it was there.
    ///
    /// # Errors
    /// [`InboundFull`] where that divides a run and no entry is left for its second half.
    pub fn remove(&mut self, id: PacketId) -> Result<bool, InboundFull> {
        let Some(index) = self.runs.iter().position(|run| run.contains(id.get())) else { return Ok(false) };
        let Some(run) = self.runs.get(index) else { return Ok(false) };
        let (before, behind) = run.without(id.get());
        if behind != Run::EMPTY {
            *self.free_entry()? = behind;
        }
        if let Some(run) = self.runs.get_mut(index) {
            *run = before;
        }
        Ok(true)
    }

    /// Takes all identifiers out.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// How many identifiers are in the set.
    pub fn len(&self) -> usize {
        self.runs
            .iter()
            .map(|run| usize::from(run.len).wrapping_add(run.bits.count_ones() as usize))
            .fold(0, usize::wrapping_add)
    }

    /// Whether no identifier is in the set.
    pub fn is_empty(&self) -> bool {
        self.runs == [Run::EMPTY; RUNS]
    }

    /// The runs as they stand in an image.
    pub(crate) fn runs(&self) -> impl Iterator<Item = [u8; 8]> {
        self.runs.iter().filter(|run| **run != Run::EMPTY).map(|run| {
            let ([a, b], [c, d]) = (run.first.to_be_bytes(), run.len.to_be_bytes());
            let [e, f, g, h] = run.bits.to_be_bytes();
            [a, b, c, d, e, f, g, h]
        })
    }

    /// Takes in a run of an image; `None` if it is none, or there is no entry left.
    pub(crate) fn push_run(&mut self, [a, b, c, d, e, f, g, h]: [u8; 8]) -> Option<()> {
        let (first, len) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let bits = u32::from_be_bytes([e, f, g, h]);
        let last = first.checked_add(len.checked_sub(1)?)?;
        // Behind 65,535 the map goes on at 0, which is no identifier.
        let zero = 1_u32.checked_shl(u32::from(u16::MAX.wrapping_sub(last))).unwrap_or(0);
        if first == 0 || bits & 1 != 0 || bits & zero != 0 {
            return None;
        }
        *self.free_entry().ok()? = Run { first, len, bits };
        Some(())
    }

    fn free_entry(&mut self) -> Result<&mut Run, InboundFull> {
        self.runs.iter_mut().find(|run| **run == Run::EMPTY).ok_or(InboundFull)
    }
}

impl Run {
    const EMPTY: Run = Run { first: 0, len: 0, bits: 0 };

    /// The bit of an identifier behind the run, if the map reaches so far.
    fn bit(&self, id: u16) -> Option<u32> {
        let offset = u32::from(id.wrapping_sub(self.first).wrapping_sub(self.len));
        1_u32.checked_shl(offset)
    }

    fn contains(&self, id: u16) -> bool {
        id.wrapping_sub(self.first) < self.len || self.bit(id).is_some_and(|bit| self.bits & bit != 0)
    }

    /// Adds an identifier that continues the run or falls into its map.
    fn insert_near(&mut self, id: u16) -> bool {
        if self.len == 0 {
            return false;
        }
        let Some(bit) = self.bit(id) else { return false };
        self.bits |= bit;
        self.absorb();
        true
    }

    /// Lengthens the run by the bits that stand right behind it.
    fn absorb(&mut self) {
        let ones = self.bits.trailing_ones();
        self.len = self.len.wrapping_add(ones as u16);
        self.bits = self.bits.checked_shr(ones).unwrap_or(0);
    }

    /// What is left of the run without this identifier: one run, or two where it must be divided.
    fn without(mut self, id: u16) -> (Run, Run) {
        let offset = id.wrapping_sub(self.first);
        if offset >= self.len {
            self.bits &= !self.bit(id).unwrap_or(0);
            return (self, Run::EMPTY);
        }
        let behind = Run {
            first: id.wrapping_add(1),
            len: self.len.wrapping_sub(offset).wrapping_sub(1),
            bits: self.bits,
        };
        if offset == 0 {
            return (behind.normal(), Run::EMPTY);
        }
        let before = Run { first: self.first, len: offset, bits: 0 };
        match behind.as_map() {
            Some(map) => (Run { bits: map, ..before }, Run::EMPTY),
            None => (before, behind.normal()),
        }
    }

    /// The run as the map of a run that ends two identifiers before it; `None` where it is too long for that.
    fn as_map(&self) -> Option<u32> {
        let len = u32::from(self.len);
        if self.bits.leading_zeros() <= len {
            return None;
        }
        let ones = 1_u32.checked_shl(len)?.wrapping_sub(1);
        Some((self.bits.checked_shl(len)? | ones) << 1)
    }

    /// The same identifiers with a run in front, if there are any.
    fn normal(mut self) -> Run {
        if self.len == 0 {
            if self.bits == 0 {
                return Run::EMPTY;
            }
            let gap = self.bits.trailing_zeros();
            self.first = self.first.wrapping_add(gap as u16);
            self.bits = self.bits.checked_shr(gap).unwrap_or(0);
            self.absorb();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    #[test]
    fn three_thousand_in_sequence_take_one_entry() {
        let mut ids = InboundIds::new();
        for number in 1..=3_000 {
            assert_eq!(ids.insert(id(number)), Ok(true));
        }
        assert_eq!(ids.runs.iter().filter(|run| **run != Run::EMPTY).count(), 1);
        assert_eq!(ids.len(), 3_000);
        for number in 1..=3_000 {
            assert_eq!(ids.remove(id(number)), Ok(true));
        }
        assert!(ids.is_empty());
    }

    #[test]
    fn a_wrap_around_takes_one_entry_more() {
        let mut ids = InboundIds::new();
        for number in (64_000..=65_535).chain(1..=1_500) {
            assert_eq!(ids.insert(id(number)), Ok(true));
        }
        assert!(ids.runs.iter().filter(|run| **run != Run::EMPTY).count() <= 2);
        for number in (64_000..=65_535).chain(1..=1_500) {
            assert_eq!(ids.remove(id(number)), Ok(true));
        }
        assert!(ids.is_empty());
    }

    #[test]
    fn a_full_set_refuses_and_stays_as_it_is() {
        let mut ids = InboundIds::new();
        for number in 1..=8 {
            assert_eq!(ids.insert(id(number * 1_000)), Ok(true));
        }
        let before = ids.clone();
        assert_eq!(ids.insert(id(9_000)), Err(InboundFull));
        assert_eq!(ids, before);
        assert_eq!(ids.insert(id(1_001)), Ok(true));
    }

    #[test]
    fn behaves_like_a_set() {
        // Windows that move upwards, with gaps and removals out of order, over the wrap-around.
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        for _ in 0..200 {
            let mut ids = InboundIds::new();
            let mut model = BTreeSet::new();
            let mut number = next(65_535) as u16;
            for _ in 0..500 {
                number = number.wrapping_add(1 + next(3) as u16).max(1);
                if let Ok(new) = ids.insert(id(number)) {
                    assert_eq!(new, model.insert(number));
                }
                if next(10) < 6 && !model.is_empty() {
                    let all: Vec<u16> = model.iter().copied().collect();
                    let gone = all[next(all.len() as u64) as usize];
                    let before = ids.clone();
                    match ids.remove(id(gone)) {
                        Ok(there) => assert_eq!(there, model.remove(&gone)),
                        Err(InboundFull) => assert_eq!(ids, before),
                    }
                }
                assert_eq!(ids.len(), model.len());
                assert!(model.iter().all(|&number| ids.contains(id(number))));
                assert!(
                    !ids.contains(id(number.wrapping_add(5).max(1)))
                        || model.contains(&number.wrapping_add(5).max(1))
                );
            }
        }
    }
}

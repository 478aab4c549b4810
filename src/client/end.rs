//! How a request has ended.

/// The first byte of the short record that remains of a request that has ended, together with [`End`].
pub(super) const ENDED: u8 = 0xE0;

/// How a request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    /// It was not answered, and will not be resent.
    Lost = 0,
    /// It was, or may have been, answered with PUBREC, and will not be resent.
    Uncertain = 1,
    /// PUBACK.
    PublishedAtLeastOnce = 2,
    /// PUBCOMP.
    PublishedExactlyOnce = 3,
}

impl End {
    pub(super) const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => End::Lost,
            1 => End::Uncertain,
            2 => End::PublishedAtLeastOnce,
            _ => End::PublishedExactlyOnce,
        }
    }
}

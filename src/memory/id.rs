//! Which id comes next? UUIDs without a source of randomness, so that a
//! simulation repeats exactly.

use crate::silence::SilenceId;

/// UUIDs of version 4 that depend on a seed alone.
#[derive(Clone, Debug)]
pub(super) struct IdSequence {
    seed: u64,
    drawn: u64,
}

impl IdSequence {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// No id comes twice: `SplitMix64` is a permutation of its counter.
    pub(super) fn next(&mut self) -> SilenceId {
        let high = self.draw() & !0xf000 | 0x4000;
        let low = self.draw() & !(0b11 << 62) | 1 << 63;
        SilenceId::new(format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        ))
    }

    /// A number below `end`; 0 if that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % end).unwrap_or_default()
    }

    /// Steele, Lea and Flood's `SplitMix64`.
    const fn draw(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed.wrapping_add(self.drawn);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

//! Tables whose keys are places in a list. Nobody chooses these, so that a quick hash is as good as a careful one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table by index.
pub(crate) type ByIndex<V, K = usize> = HashMap<K, V, BuildHasherDefault<IndexHasher>>;

/// Spreads an index over all bits: multiplication by the golden ratio, as D. Knuth describes it (The Art of Computer
/// Programming 3, 6.4).
#[derive(Default)]
pub(crate) struct IndexHasher(u64);

impl Hasher for IndexHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_u32(&mut self, index: u32) {
        self.write_usize(index as usize);
    }

    fn write_usize(&mut self, index: usize) {
        let mixed = (self.0 ^ index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

//! What happened, in order: one append-only file per run.
//!
//! ```text
//! magic and version (8 bytes)
//! frame:  length u32 | crc32c u32 | sequence u64 | record (postcard)
//! ```
//! Numbers are little-endian. The top bit of `length` marks the first frame of a batch; the check sum covers everything
//! but itself.
//!
//! Owns: frames, the writer, reading. Must never know: what a record means, except that it is one.
//!
//! Invariants: records are on disk in the order they were given. A batch is synced before the next one is written, so a
//! bad frame with a later *batch* behind it was once whole and is damage, never a torn write; a bad frame in the last
//! batch is a torn write, and the file ends before it. Reading changes nothing; only [`cut`] does, and only the engine
//! calls it. After an IO error nothing more is written.

mod frame;
mod reader;
mod writer;

pub(crate) use reader::cut;
pub use reader::{JournalError, Read, read};
pub(crate) use writer::{Entry, Journal, OnBatch, Stopped};

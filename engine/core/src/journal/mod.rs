//! What happened, in order: one append-only file per run; and other files of the same kind ([`ledger`]).
//!
//! ```text
//! kind and version of the records (8 bytes)
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
pub mod ledger;
mod past;
mod reader;
mod writer;

use crate::record::{Record, VERSION};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use past::Past;
pub(crate) use reader::cut;
pub use reader::{JournalError, Read, read};
pub(crate) use writer::{Entry, Journal, OnBatch, Stopped};

/// A whole journal of these records, as one batch.
pub(crate) fn encode(records: &[Record]) -> Result<Vec<u8>, crate::disk::DiskError> {
    use crate::disk::At;
    let mut bytes = Record::MAGIC.to_vec();
    for (sequence, record) in (0..).zip(records) {
        frame::push(&mut bytes, sequence, sequence == 0, record)
            .map_err(std::io::Error::other)
            .at("encode", std::path::Path::new("a record"))?;
    }
    Ok(bytes)
}

/// Records that are kept in a file of frames. Encoded with postcard: no internally tagged enums, no
/// `serde_json::Value`, no skipped fields; new variants and new fields only with a new version.
pub trait Logged: Serialize + DeserializeOwned {
    /// Opens each such file: seven bytes for its kind, one for the version of the records.
    const MAGIC: [u8; 8];
    /// What somebody can do who has a file that cannot be read, and what that costs; fits after "or".
    const REMEDY: &'static str;
    /// The same for a file that another version of this program wrote.
    const AFRESH: &'static str = Self::REMEDY;
}

impl Logged for Record {
    const MAGIC: [u8; 8] = [b'm', b'l', b'p', b'j', b'r', b'n', 0, VERSION as u8];
    const REMEDY: &'static str = "move its folder out of the way: what only that run made is made again";
    const AFRESH: &'static str = "move the whole state folder out of the way: runs, results and models of that mlp are then \
                                  not there for this one, and everything is made again";
}

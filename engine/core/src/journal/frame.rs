//! The bytes of a frame.

use serde::Serialize;

/// Bytes before a frame's record.
pub(super) const HEADER: usize = 16;
/// No record is longer; a larger length is damage.
pub(super) const LONGEST: usize = 1 << 30;

const FIRST_OF_BATCH: u32 = 1 << 31;

/// A frame's first sixteen bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub length: usize,
    pub first: bool,
    pub crc: u32,
    pub sequence: u64,
}

impl Header {
    pub fn parse(bytes: &[u8; HEADER]) -> Header {
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let length = u32_at(0);
        Header {
            length: (length & !FIRST_OF_BATCH) as usize,
            first: length & FIRST_OF_BATCH != 0,
            crc: u32_at(4),
            sequence: u64::from(u32_at(8)) | u64::from(u32_at(12)) << 32,
        }
    }
}

/// Adds a frame to the end of `buffer`.
pub(super) fn push<R: Serialize>(
    buffer: &mut Vec<u8>,
    sequence: u64,
    first: bool,
    record: &R,
) -> Result<(), postcard::Error> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER]);
    if let Err(error) = postcard::to_io(record, &mut *buffer) {
        buffer.truncate(start);
        return Err(error);
    }
    let length = buffer.len() - start - HEADER;
    if length > LONGEST {
        buffer.truncate(start);
        return Err(postcard::Error::SerializeBufferFull);
    }
    let marked = length as u32 | if first { FIRST_OF_BATCH } else { 0 };
    buffer[start..start + 4].copy_from_slice(&marked.to_le_bytes());
    buffer[start + 8..start + 16].copy_from_slice(&sequence.to_le_bytes());
    let crc = checksum(&buffer[start..]);
    buffer[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    Ok(())
}

/// Of a whole frame, its own four bytes left out.
pub(super) fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..])
}

/// The frame at the start of `bytes`, if there is a whole and sound one: its header and its record's bytes.
pub(super) fn sound(bytes: &[u8]) -> Result<(Header, &[u8]), &'static str> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEADER>() else { return Err("its header is cut off") };
    let header = Header::parse(head);
    if header.length > LONGEST || header.length > rest.len() {
        return Err("it is longer than the file");
    }
    if checksum(&bytes[..HEADER + header.length]) != header.crc {
        return Err("its check sum is wrong");
    }
    Ok((header, &rest[..header.length]))
}

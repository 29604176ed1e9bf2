//! As much of the tar format (POSIX.1-1988, `ustar`) as a few plain files need, so that anybody's `tar` can list and unpack
//! what is written, and what was packed again by one can be read.
//!
//! An entry is a block of 512 bytes and the content, filled up to whole blocks. Two empty blocks are the end.

use std::io::{self, Read, Write};

const BLOCK: usize = 512;
/// Where the fields of a header are.
const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const SUM: std::ops::Range<usize> = 148..156;
const KIND: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..263;
/// What fits into eleven octal digits.
const LARGEST: u64 = (1 << 33) - 1;

/// The block before a file's content.
fn header(name: &str, size: u64) -> io::Result<[u8; BLOCK]> {
    let mut block = [0u8; BLOCK];
    if name.len() >= NAME.len() {
        return Err(io::Error::other(format!("the name `{name}` is too long for an archive")));
    }
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000444");
    block[108..115].copy_from_slice(b"0000000");
    block[116..123].copy_from_slice(b"0000000");
    if size <= LARGEST {
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    } else {
        // What every tar of today does with larger ones: the number itself, marked by its first bit.
        block[SIZE.start] = 0x80;
        block[128..136].copy_from_slice(&size.to_be_bytes());
    }
    block[136..147].copy_from_slice(b"00000000000");
    block[KIND] = b'0';
    block[MAGIC].copy_from_slice(b"ustar\0");
    block[263..265].copy_from_slice(b"00");
    let sum = checksum(&block);
    block[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    block[154..156].copy_from_slice(b"\0 ");
    Ok(block)
}

/// The sum of all bytes, those of the sum itself taken as blanks.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let byte = |(at, byte): (usize, &u8)| u32::from(if SUM.contains(&at) { b' ' } else { *byte });
    block.iter().enumerate().map(byte).sum()
}

/// Writes a file's entry; the content must have this many bytes.
pub(super) fn write(out: &mut impl Write, name: &str, size: u64, content: &mut impl Read) -> io::Result<()> {
    out.write_all(&header(name, size)?)?;
    let copied = io::copy(&mut content.take(size), out)?;
    if copied != size {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} is shorter than it was")));
    }
    out.write_all(&[0; BLOCK][..padding(size)])
}

/// Writes the end.
pub(super) fn finish(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

fn padding(size: u64) -> usize {
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}

/// The next file: its name and its size. `None`: the end. The content and [`skip`] of its padding must be read before the next
/// call. Folders are passed over.
pub(super) fn next(input: &mut impl Read) -> io::Result<Option<(String, u64)>> {
    let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    loop {
        let mut block = [0u8; BLOCK];
        input.read_exact(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if block[MAGIC][..5] != *b"ustar" {
            return Err(wrong("it is not a tar archive"));
        }
        if octal(&block[SUM]) != Some(u64::from(checksum(&block))) {
            return Err(wrong("the check sum of an entry is wrong"));
        }
        let size = match block[SIZE.start] & 0x80 {
            0 => octal(&block[SIZE]),
            _ => <[u8; 8]>::try_from(&block[128..136]).ok().map(u64::from_be_bytes),
        };
        let size = size.ok_or_else(|| wrong("the size of an entry is not a number"))?;
        let name = block[NAME].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8(name.to_vec()).map_err(|_| wrong("a name is not text"))?;
        match block[KIND] {
            b'0' | 0 => return Ok(Some((name, size))),
            b'5' => {}
            _ => return Err(wrong("it holds something that is neither a file nor a folder")),
        }
    }
}

/// Reads what fills up the last block of a content of this size.
pub(super) fn skip(input: &mut impl Read, size: u64) -> io::Result<()> {
    input.read_exact(&mut [0; BLOCK][..padding(size)])
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(|c: char| c == '\0' || c == ' '), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, bytes) in files {
            write(&mut out, name, bytes.len() as u64, &mut bytes.as_slice()).unwrap();
        }
        finish(&mut out).unwrap();
        out
    }

    fn unpacked(mut input: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        while let Some((name, size)) = next(&mut input)? {
            let mut bytes = Vec::new();
            (&mut input).take(size).read_to_end(&mut bytes)?;
            skip(&mut input, size)?;
            files.push((name, bytes));
        }
        Ok(files)
    }

    #[test]
    fn what_was_packed_comes_out_again() {
        for length in [0, 1, 511, 512, 513, 5_000] {
            let files = [("a", vec![7; length]), ("deep/er/name", b"x".to_vec())];
            let found = unpacked(&packed(&files)).unwrap();
            assert_eq!(found, files.map(|(name, bytes)| (name.to_owned(), bytes)));
        }
    }

    #[test]
    fn a_cut_archive_and_one_of_something_else_are_errors() {
        let whole = packed(&[("a", vec![1; 600])]);
        for length in 0..whole.len() - 512 {
            assert!(unpacked(&whole[..length]).is_err() || length >= whole.len() - 512, "{length}");
        }
        assert!(unpacked(&[b'x'; 2048]).is_err());
        let mut other = whole;
        other[3] ^= 1;
        assert!(unpacked(&other).unwrap_err().to_string().contains("check sum"));
    }

    #[test]
    fn sizes_beyond_eight_gibibytes_are_written_and_read() {
        for size in [LARGEST, LARGEST + 1, u64::MAX] {
            let block = header("large", size).unwrap();
            assert_eq!(next(&mut block.as_slice()).unwrap(), Some(("large".to_owned(), size)));
        }
    }
}

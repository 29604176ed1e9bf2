//! The file itself: is it there, may it be read, is it what it is said to be, did it hold still.

use crate::codes;
use crate::report::{At, Report, nearest, quoted, quoted_up_to};
use mlp_lang::finding::{Code, Finding};
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

/// A file opened for reading, and what it was like then.
pub(crate) struct Source {
    /// At its first byte.
    pub file: File,
    before: Stamp,
}

#[derive(PartialEq)]
struct Stamp(u64, Option<SystemTime>);

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp(metadata.len(), metadata.modified().ok())
    }
}

/// How a source is declared.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Format {
    Csv,
    Parquet,
}

fn whole(report: &mut Report, code: Code, message: String, help: String) {
    report.add(code, At::default(), None, || message, |f: Finding| f.help(help));
}

impl Source {
    /// Opens the file, or says why not.
    pub fn open(path: &Path, shown: &str, format: Format, report: &mut Report) -> Option<Source> {
        // Asked before opening: to open a pipe would wait for its other end.
        let opened =
            std::fs::metadata(path).and_then(|m| if m.is_file() { File::open(path).map(Some) } else { Ok(None) });
        let mut file = match opened {
            Ok(Some(file)) => file,
            Ok(None) => {
                let what = if path.is_dir() { "a folder" } else { "neither a file nor a folder" };
                let message = format!("{} is {what}, and a file is wanted", quoted(shown));
                whole(report, codes::NOT_A_FILE, message, "give the path of one file in it".to_owned());
                return None;
            }
            Err(e) => {
                report_io(path, shown, &e, report);
                return None;
            }
        };
        let mut head = [0; 64];
        let read =
            fill(&mut file, &mut head).and_then(|n| file.seek(SeekFrom::Start(0)).and(file.metadata()).map(|m| (n, m)));
        let (filled, metadata) = match read {
            Ok(read) => read,
            Err(e) => {
                report_io(path, shown, &e, report);
                return None;
            }
        };
        if filled == 0 {
            let message = format!("{} is empty: not one byte in it", quoted(shown));
            whole(report, codes::FILE_EMPTY, message, "see whether the program that writes it ended well".to_owned());
            return None;
        }
        if let Some((looks, help)) = mistaken(&head[..filled], format) {
            let wanted = if format == Format::Csv { "CSV text" } else { "Parquet" };
            let message = format!("{} is not {wanted}: it looks like {looks}", quoted(shown));
            whole(report, codes::WRONG_FORMAT, message, help.to_owned());
            return None;
        }
        Some(Source { file, before: Stamp::of(&metadata) })
    }

    /// A finding if the file is no longer what it was when it was opened.
    pub fn check_still(before: Stamped, file: &File, report: &mut Report) {
        let same = file.metadata().is_ok_and(|m| Stamp::of(&m) == before.0);
        if !same {
            let message = "the file changed while it was read".to_owned();
            let help = "wait until its writer is done, or have it write aside and rename; then run again";
            whole(report, codes::FILE_CHANGED, message, help.to_owned());
        }
    }

    /// The file, and the mark for [`Source::check_still`].
    pub fn split(self) -> (File, Stamped) {
        (self.file, Stamped(self.before))
    }
}

/// What a file was like when it was opened.
pub(crate) struct Stamped(Stamp);

fn fill(file: &mut File, head: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// What the system said, as a finding.
pub(crate) fn report_io(path: &Path, shown: &str, error: &std::io::Error, report: &mut Report) {
    if let Some((message, help)) = broken_link(path, shown) {
        return whole(report, codes::FILE_MISSING, message, help.to_owned());
    }
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            let message = format!("no file is at {}", quoted(shown));
            whole(report, codes::FILE_MISSING, message, missing_help(path));
        }
        ErrorKind::PermissionDenied => {
            let message = format!("{} may not be read: permission denied", quoted(shown));
            let help = "give the user that runs mlp the right to read it, and to enter the folders above it";
            whole(report, codes::NO_PERMISSION, message, help.to_owned());
        }
        _ => {
            let message = format!("{} could not be read: {error}", quoted(shown));
            whole(
                report,
                codes::UNREADABLE,
                message,
                "see whether the disk or the share is well, then run again".to_owned(),
            );
        }
    }
}

/// What to say when links lead from the path to nowhere, or in a circle.
fn broken_link(path: &Path, shown: &str) -> Option<(String, &'static str)> {
    /// As many as systems follow.
    const FOLLOWED: usize = 40;
    let mut chain = vec![path.to_owned()];
    while chain.len() <= FOLLOWED {
        let last = chain.last()?;
        match std::fs::symlink_metadata(last) {
            Ok(m) if m.is_symlink() => {}
            Err(e) if e.kind() == ErrorKind::NotFound && chain.len() > 1 => {
                let message = format!("{} is a link to {}, which is not there", quoted(shown), named(last));
                return Some((message, "put the file there, or link to where it is"));
            }
            _ => return None,
        }
        // A relative target starts at the folder of its link.
        let target = std::fs::read_link(last).ok()?;
        let next = last.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
        if let Some(start) = chain.iter().position(|p| *p == next) {
            let circle: Vec<String> = chain[start..].iter().chain([&next]).map(|p| named(p)).collect();
            let message = format!("{} is a link that leads in a circle: {}", quoted(shown), circle.join(" -> "));
            return Some((message, "make one of the links point to the file"));
        }
        chain.push(next);
    }
    None
}

fn named(path: &Path) -> String {
    quoted_up_to(4_096, &path.to_string_lossy())
}

/// Points to a like-named neighbour, or to the first folder that is not there.
fn missing_help(path: &Path) -> String {
    const LOOKED_AT: usize = 10_000;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return "its folder is not there either; relative paths start at the folder of the `.mlp` file".to_owned();
    };
    let mut names: Vec<String> =
        entries.flatten().take(LOOKED_AT).filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    let wanted = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    match nearest(wanted, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {}, in the same folder?", quoted(near)),
        None => "relative paths start at the folder of the `.mlp` file".to_owned(),
    }
}

/// What the first bytes say, if they say that it is something else, and what to do.
fn mistaken(head: &[u8], format: Format) -> Option<(&'static str, &'static str)> {
    const UNPACK: &str = "unpack it first: compressed files are not read";
    const RECODE: &str = "save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`";
    const RECODE_32: &str = "save it as UTF-8, for example with `iconv -f UTF-32 -t UTF-8`";
    const KNOWN: &[(&[u8], &str, &str)] = &[
        (b"\x1f\x8b", "gzip", UNPACK),
        (b"PK\x03\x04", "a zip archive or a spreadsheet (.xlsx)", "unpack it, or export the sheet as CSV"),
        (b"\x28\xb5\x2f\xfd", "zstd", UNPACK),
        (b"BZh", "bzip2", UNPACK),
        (b"\xfd7zXZ\x00", "xz", UNPACK),
        (b"ARROW1", "an Arrow file", "write it as Parquet"),
        (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
        // Before UTF-16, whose mark is the first half of this one.
        (b"\xff\xfe\0\0", "UTF-32 text", RECODE_32),
        (b"\0\0\xfe\xff", "UTF-32 text", RECODE_32),
        (b"\xff\xfe", "UTF-16 text", RECODE),
        (b"\xfe\xff", "UTF-16 text", RECODE),
    ];
    if format == Format::Parquet && head.starts_with(b"PAR1") {
        return None;
    }
    if head.starts_with(b"PAR1") {
        return Some(("Parquet", "declare it as `parquet(\"...\")`"));
    }
    if let Some((_, looks, help)) = KNOWN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Some((looks, help));
    }
    // Text without a mark: of letters that ASCII has, each is one byte among NULs, always at the same place.
    let lone = |width: usize, place: usize| {
        let letters = head.chunks_exact(width);
        letters.len() > 1 && letters.clone().all(|l| l.iter().enumerate().all(|(i, b)| (*b != 0) == (i == place)))
    };
    if lone(4, 0) || lone(4, 3) {
        return Some(("UTF-32 text", RECODE_32));
    }
    if lone(2, 0) {
        return Some((
            "UTF-16 text without a byte order mark",
            "save it as UTF-8, for example with `iconv -f UTF-16LE -t UTF-8`",
        ));
    }
    if lone(2, 1) {
        return Some((
            "UTF-16 text without a byte order mark",
            "save it as UTF-8, for example with `iconv -f UTF-16BE -t UTF-8`",
        ));
    }
    (format == Format::Parquet).then_some(("something else", "if it is text, declare it as `csv(\"...\")`"))
}

/// Where the first byte stands that is no UTF-8. Read again from the start: only after one was found.
pub(crate) fn first_bad_byte(file: &mut File) -> Option<(u64, u8)> {
    file.seek(SeekFrom::Start(0)).ok()?;
    let mut chunk = vec![0; 1 << 16];
    let (mut start, mut kept) = (0u64, 0);
    loop {
        let read = fill(file, &mut chunk[kept..]).ok()?;
        let end = kept + read;
        match std::str::from_utf8(&chunk[..end]) {
            Ok(_) if read == 0 => return None,
            Ok(_) => {
                start += end as u64;
                kept = 0;
            }
            Err(e) if e.error_len().is_none() && read > 0 => {
                let valid = e.valid_up_to();
                chunk.copy_within(valid..end, 0);
                start += valid as u64;
                kept = end - valid;
            }
            Err(e) => return Some((start + e.valid_up_to() as u64, chunk[e.valid_up_to()])),
        }
    }
}

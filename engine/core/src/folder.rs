//! Folders as artifacts: one file with all that lies in them, the same bytes for the same content.
//!
//! The file is a tar archive (POSIX, with pax headers for long paths), so that people can look into it with what they
//! have: entries sorted by path, no times, no owners. Kept are paths, contents, whether a file can be run, and the targets
//! of symbolic links, which nobody follows.

use crate::disk::{At, DiskError};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

/// The unit of a tar archive, in bytes.
const BLOCK: usize = 512;
/// The longest path, or target of a link, that a header has room for.
const SHORT: usize = 100;
/// The longest pax header that is read: paths are far below.
const LONGEST_PAX: u64 = 1 << 20;

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where in the folder.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
}

/// What lies in folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A folder; what is in it are entries of their own.
    Folder,
    /// A file.
    File {
        /// Whether its owner may run it.
        executable: bool,
        /// Its length in bytes.
        size: u64,
    },
    /// A symbolic link: its target, as it is written.
    Link(Vec<u8>),
}

/// Everything in a folder, sorted by path. Links are not followed. Pipes, sockets and devices are errors.
pub fn walk(folder: &Path) -> Result<Vec<Entry>, DiskError> {
    let mut entries = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        let here = folder.join(&inside);
        for entry in fs::read_dir(&here).at("list", &here)? {
            let entry = entry.at("list", &here)?;
            let path = inside.join(entry.file_name());
            let full = entry.path();
            let about = entry.metadata().at("look at", &full)?;
            let what = if about.is_dir() {
                open.push(path.clone());
                What::Folder
            } else if about.is_symlink() {
                What::Link(fs::read_link(&full).at("read the link", &full)?.into_os_string().into_encoded_bytes())
            } else if about.is_file() {
                What::File { executable: about.permissions().mode() & 0o100 != 0, size: about.len() }
            } else {
                let odd = io::Error::new(io::ErrorKind::InvalidInput, "it is neither a file, a folder nor a link");
                return Err(odd).at("keep", &full);
            };
            entries.push(Entry { path, what });
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// Writes all of a folder to a new file.
pub fn pack(folder: &Path, to: &Path) -> Result<(), DiskError> {
    let mut out = BufWriter::with_capacity(256 << 10, File::create_new(to).at("write", to)?);
    for Entry { path, what } in walk(folder)? {
        let full = folder.join(&path);
        let name = path.as_os_str().as_bytes();
        match what {
            What::Folder => header(&mut out, &[name, b"/"].concat(), b'5', 0o755, 0, b"").at("write", to)?,
            What::Link(target) => header(&mut out, name, b'2', 0o777, 0, &target).at("write", to)?,
            What::File { executable, size } => {
                let mode = if executable { 0o755 } else { 0o644 };
                header(&mut out, name, b'0', mode, size, b"").at("write", to)?;
                let file = File::open(&full).at("read", &full)?;
                let copied = io::copy(&mut file.take(size), &mut out).at("write", to)?;
                if copied != size {
                    let short = io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter meanwhile");
                    return Err(short).at("read", &full);
                }
                out.write_all(&padding(size)).at("write", to)?;
            }
        }
    }
    out.write_all(&[0; 2 * BLOCK]).and_then(|()| out.flush()).at("write", to)
}

/// Makes the folder `to` with all that was packed. Files can be read and not written.
pub fn unpack(packed: &Path, to: &Path) -> Result<(), DiskError> {
    let mut from = BufReader::with_capacity(256 << 10, File::open(packed).at("open", packed)?);
    fs::create_dir(to).at("make the folder", to)?;
    let mut named: Option<Vec<u8>> = None;
    let mut linked: Option<Vec<u8>> = None;
    loop {
        let mut block = [0; BLOCK];
        from.read_exact(&mut block).at("read", packed)?;
        if block[0] == 0 {
            return Ok(());
        }
        let size = octal(&block[124..136]).ok_or_else(odd).at("read", packed)?;
        if block[156] == b'x' {
            let mut text = vec![0; usize::try_from(size.min(LONGEST_PAX)).unwrap_or(0)];
            from.read_exact(&mut text).at("read", packed)?;
            skip(&mut from, padding(size).len()).at("read", packed)?;
            named = record(&text, b"path").or(named);
            linked = record(&text, b"linkpath").or(linked);
            continue;
        }
        let name = named.take().unwrap_or_else(|| until_zero(&block[..SHORT]).to_vec());
        let target = linked.take().unwrap_or_else(|| until_zero(&block[157..157 + SHORT]).to_vec());
        let inside = Path::new(OsStr::from_bytes(&name));
        // Ours alone are read, by their digest; still nothing may ever be written outside.
        if !inside.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(odd()).at("read", packed);
        }
        let full = to.join(inside);
        match block[156] {
            b'5' => fs::create_dir(&full).at("make the folder", &full)?,
            b'2' => std::os::unix::fs::symlink(OsStr::from_bytes(&target), &full).at("make the link", &full)?,
            b'0' => {
                let mut file = File::create_new(&full).at("write", &full)?;
                let copied = io::copy(&mut (&mut from).take(size), &mut file).at("write", &full)?;
                if copied != size {
                    return Err(odd()).at("read", packed);
                }
                skip(&mut from, padding(size).len()).at("read", packed)?;
                let executable = octal(&block[100..108]).is_some_and(|mode| mode & 0o100 != 0);
                protect(&full, executable)?;
            }
            _ => return Err(odd()).at("read", packed),
        }
    }
}

/// Makes the folder `to` with copies of all that is in `from`. Files can be read and not written.
pub fn copy(from: &Path, to: &Path) -> Result<(), DiskError> {
    let entries = walk(from)?;
    fs::create_dir(to).at("make the folder", to)?;
    for Entry { path, what } in entries {
        let (source, full) = (from.join(&path), to.join(&path));
        match what {
            What::Folder => fs::create_dir(&full).at("make the folder", &full)?,
            What::Link(target) => {
                std::os::unix::fs::symlink(OsStr::from_bytes(&target), &full).at("make the link", &full)?;
            }
            What::File { executable, .. } => {
                fs::copy(&source, &full).at("copy", &source)?;
                protect(&full, executable)?;
            }
        }
    }
    Ok(())
}

fn protect(file: &Path, executable: bool) -> Result<(), DiskError> {
    let mode = if executable { 0o555 } else { 0o444 };
    fs::set_permissions(file, Permissions::from_mode(mode)).at("protect", file)
}

/// One header, after a pax header if a path is too long for it.
fn header(out: &mut impl Write, name: &[u8], kind: u8, mode: u32, size: u64, target: &[u8]) -> io::Result<()> {
    let mut pax = Vec::new();
    for (key, text) in [(&b"path"[..], name), (&b"linkpath"[..], target)] {
        if text.len() > SHORT {
            pax.extend_from_slice(&pax_record(key, text));
        }
    }
    if !pax.is_empty() {
        out.write_all(&block(b"././@PaxHeader", b'x', 0o644, pax.len() as u64, b""))?;
        out.write_all(&pax)?;
        out.write_all(&padding(pax.len() as u64))?;
    }
    out.write_all(&block(name, kind, mode, size, target))
}

fn block(name: &[u8], kind: u8, mode: u32, size: u64, target: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name[..name.len().min(SHORT)]);
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\x000000000\x00");
    // Beyond 8 GiB the eleven digits do not suffice: then the field is a big-endian number, as GNU tar writes it.
    match size < 1 << 33 {
        true => put(124, format!("{size:011o}\0").as_bytes()),
        false => {
            put(124, &[0x80, 0, 0, 0]);
            put(128, &size.to_be_bytes());
        }
    }
    put(136, b"00000000000\x00");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, &target[..target.len().min(SHORT)]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// `27 path=some/long/path\n`; the number is the length of the whole.
fn pax_record(key: &[u8], text: &[u8]) -> Vec<u8> {
    let rest = key.len() + text.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", text, b"\n"].concat()
}

/// The text of a pax record.
fn record(mut text: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    while !text.is_empty() {
        let space = text.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&text[..space]).ok()?.parse().ok()?;
        let line = text.get(space + 1..length.checked_sub(1)?)?;
        if let Some(value) = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(b"=")) {
            return Some(value.to_vec());
        }
        text = text.get(length..)?;
    }
    None
}

fn octal(field: &[u8]) -> Option<u64> {
    if let [0x80, _, _, _, number @ ..] = field {
        return Some(u64::from_be_bytes(number.try_into().ok()?));
    }
    let text = std::str::from_utf8(until_zero(field)).ok()?;
    u64::from_str_radix(text.trim(), 8).ok()
}

fn until_zero(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
}

fn padding(size: u64) -> Vec<u8> {
    vec![0; (BLOCK - (size % BLOCK as u64) as usize) % BLOCK]
}

fn skip(from: &mut impl Read, bytes: usize) -> io::Result<()> {
    from.read_exact(&mut vec![0; bytes])
}

fn odd() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is no folder that was packed here")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(folder: &Path, path: &str, bytes: &[u8], executable: bool) {
        let full = folder.join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(&full, bytes).unwrap();
        fs::set_permissions(&full, Permissions::from_mode(if executable { 0o755 } else { 0o644 })).unwrap();
    }

    /// What is in a folder, with the contents.
    fn content(folder: &Path) -> Vec<(Entry, Vec<u8>)> {
        let bytes = |entry: &Entry| match entry.what {
            What::File { .. } => fs::read(folder.join(&entry.path)).unwrap(),
            _ => Vec::new(),
        };
        walk(folder).unwrap().into_iter().map(|entry| (entry.clone(), bytes(&entry))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_folder_comes_out_as_it_went_in(
            files in proptest::collection::btree_map("[a-z ä]{1,120}(/[a-z]{1,40}){0,2}", (any::<Vec<u8>>(), any::<bool>()), 0..6)
        ) {
            let top = tempfile::tempdir().unwrap();
            let (from, packed, to) = (top.path().join("from"), top.path().join("packed"), top.path().join("to"));
            fs::create_dir(&from).unwrap();
            for (path, (bytes, executable)) in &files {
                // A path that another one has as its folder cannot be a file too.
                if !from.join(path).exists() && !path.split('/').any(|part| part.len() > 250) {
                    let free = Path::new(path).ancestors().skip(1).all(|above| !from.join(above).is_file());
                    if free {
                        write(&from, path, bytes, *executable);
                    }
                }
            }
            std::os::unix::fs::symlink("nowhere/".repeat(20), from.join("ZZ")).unwrap();
            pack(&from, &packed).unwrap();
            unpack(&packed, &to).unwrap();
            prop_assert_eq!(content(&from), content(&to));
            let copied = top.path().join("copied");
            copy(&from, &copied).unwrap();
            prop_assert_eq!(content(&from), content(&copied));
            let again = top.path().join("again");
            pack(&to, &again).unwrap();
            prop_assert_eq!(fs::read(&packed).unwrap(), fs::read(&again).unwrap());
        }

        #[test]
        fn no_bytes_write_outside_or_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let top = tempfile::tempdir().unwrap();
            fs::write(top.path().join("packed"), bytes).unwrap();
            let _ = unpack(&top.path().join("packed"), &top.path().join("to"));
        }
    }

    #[test]
    fn an_archive_that_leaves_its_folder_is_refused() {
        for name in ["../out", "/tmp/out", "a/../../out"] {
            let top = tempfile::tempdir().unwrap();
            let packed = top.path().join("packed");
            let bytes = [&block(name.as_bytes(), b'5', 0o755, 0, b"")[..], &[0; 1024]].concat();
            fs::write(&packed, bytes).unwrap();
            assert!(unpack(&packed, &top.path().join("to")).is_err(), "{name}");
        }
    }

    #[test]
    fn tar_reads_it() {
        let top = tempfile::tempdir().unwrap();
        let from = top.path().join("from");
        let long = format!("{}/{}", "long".repeat(30), "name".repeat(30));
        write(&from, &long, b"some", false);
        write(&from, "run", b"#!/bin/sh\n", true);
        pack(&from, &top.path().join("packed")).unwrap();
        let Ok(listed) = std::process::Command::new("tar").arg("tf").arg(top.path().join("packed")).output() else {
            return;
        };
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.lines().any(|line| line == long) && listed.lines().any(|line| line == "run"), "{listed}");
    }
}

//! Files and folders of the project that nodes read, and their digests.
//!
//! A file is read only if it changed since it was last read: its stamp says so, and the store remembers the digest that
//! goes with a stamp. The digest of a folder is that of its listing: what lies in it, by sorted relative paths, with the
//! digest of each file, whether it can be run, and the target of each symbolic link.

use crate::digest::Digest;
use crate::disk::{Stamp, hash_file};
use crate::error::EngineError;
use crate::folder::{self, Entry, What};
use crate::store::Store;
use mlp_lang::work::{ProgramInput, ProgramNode};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file touched this recently may change again without its stamp telling: time stamps are as coarse as the kernel's
/// tick. Its digest is used, but not remembered.
const TOO_FRESH: Duration = Duration::from_millis(50);

/// The fact that holds a program's own file. No input has such a name.
pub(crate) const PROGRAM: &str = "run[0]";

/// Opens the listing of a folder, so that no file has the same digest by accident.
const LISTING: &[u8] = b"mlp folder listing 1\n";

/// A file from outside, as it was when it was planned with.
#[derive(Clone, Debug)]
pub(crate) struct OutsideFile {
    pub path: PathBuf,
    /// `None`: it cannot be read.
    pub content: Option<(Digest, Stamp)>,
}

/// A file or a folder of the project that a program is given.
#[derive(Clone, Debug)]
pub(crate) struct GivenFile {
    /// As the pipeline says it.
    pub shown: String,
    pub path: PathBuf,
    pub is_folder: bool,
    /// `None`: it cannot be read.
    pub digest: Option<Digest>,
}

/// Looks at them.
pub(crate) struct Outside<'a> {
    pub store: &'a Store,
    /// Another engine may be live: change nothing, not even what is remembered.
    pub read_only: bool,
}

impl Outside<'_> {
    /// A file as it is now. `path` starts at `base` unless it is absolute.
    pub fn file(&self, base: &Path, path: &str) -> Result<OutsideFile, EngineError> {
        let path = absolute(base, path);
        let content = self.content(&path)?;
        Ok(OutsideFile { path, content })
    }

    /// All that a program is given of the project, by the names of its inputs; its own file is [`PROGRAM`].
    pub fn given(&self, base: &Path, program: &ProgramNode) -> Result<BTreeMap<String, GivenFile>, EngineError> {
        let mut given = BTreeMap::new();
        let mut add = |name: &str, shown: &str, is_folder: bool| {
            let path = absolute(base, shown);
            let mut file = GivenFile { shown: shown.to_owned(), path, is_folder, digest: None };
            file.digest = self.digest(&file)?;
            given.insert(name.to_owned(), file);
            Ok::<(), EngineError>(())
        };
        for (name, input) in &program.inputs {
            match input {
                ProgramInput::File(path) => add(name, path, false)?,
                ProgramInput::Folder(path) => add(name, path, true)?,
                ProgramInput::Output { .. } => {}
            }
        }
        // A bare word is looked for in PATH: a program of the machine. One with a path is a file like any other.
        if let Some(word) = program.run.first()
            && word.contains('/')
            && !Path::new(word).is_absolute()
            && !is_input(program, word)
        {
            add(PROGRAM, word, false)?;
        }
        Ok(given)
    }

    /// The digest of it as it is now; none if it cannot be read.
    pub fn digest(&self, given: &GivenFile) -> Result<Option<Digest>, EngineError> {
        match given.is_folder {
            true => self.folder(&given.path),
            false => Ok(self.content(&given.path)?.map(|(digest, _)| digest)),
        }
    }

    fn content(&self, path: &Path) -> Result<Option<(Digest, Stamp)>, EngineError> {
        let stamp = match std::fs::metadata(path) {
            Ok(meta) if meta.is_file() => Stamp::of(&meta),
            // What is wrong with it is said by whoever needs it.
            _ => return Ok(None),
        };
        if let Some(digest) = self.store.file(path, &stamp)? {
            return Ok(Some((digest, stamp)));
        }
        let Ok((digest, _)) = hash_file(path) else { return Ok(None) };
        let after = std::fs::metadata(path).map(|meta| Stamp::of(&meta));
        if !self.read_only && after.is_ok_and(|after| after == stamp) && has_settled(&stamp) {
            self.store.remember_file(path, &stamp, &digest)?;
        }
        Ok(Some((digest, stamp)))
    }

    fn folder(&self, path: &Path) -> Result<Option<Digest>, EngineError> {
        let Ok(entries) = folder::walk(path) else { return Ok(None) };
        let mut hasher = blake3::Hasher::new();
        hasher.update(LISTING);
        for Entry { path: inside, what } in &entries {
            let (kind, about): (u8, Vec<u8>) = match what {
                What::Folder => (b'd', Vec::new()),
                What::Link(target) => (b'l', target.clone()),
                What::File { executable, .. } => {
                    let Some((digest, _)) = self.content(&path.join(inside))? else { return Ok(None) };
                    (if *executable { b'x' } else { b'f' }, digest.0.to_vec())
                }
            };
            let name = inside.as_os_str().as_encoded_bytes();
            for text in [name, &about] {
                hasher.update(&(text.len() as u64).to_be_bytes());
                hasher.update(text);
            }
            hasher.update(&[kind]);
        }
        Ok(Some(Digest(*hasher.finalize().as_bytes())))
    }
}

/// Whether a command's first word is an input (`in/tool`, `in/code/train.sh`), which counts as such.
fn is_input(program: &ProgramNode, word: &str) -> bool {
    let name = word.strip_prefix("in/").and_then(|rest| rest.split('/').next());
    name.is_some_and(|name| program.inputs.contains_key(name))
}

fn absolute(base: &Path, path: &str) -> PathBuf {
    let path = base.join(path);
    std::path::absolute(&path).unwrap_or(path)
}

/// Whether a file was last touched long enough ago for a further change to show in its stamp.
fn has_settled(stamp: &Stamp) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i128);
    now - stamp.changed.max(stamp.modified) > TOO_FRESH.as_nanos() as i128
}

//! `.mlp` files of the editor's folders.

use mlp_lang::syntax::LARGEST_FILE;
use std::path::{Path, PathBuf};

/// How much is looked at in folders: an editor may be opened on somebody's home.
const MOST_ENTRIES: usize = 50_000;
/// How many files are read.
const MOST_FILES: usize = 2_000;

/// Reads all files in folders and below them, as far as the limits allow. What cannot be read is left out.
pub fn load(folders: &[PathBuf]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting: std::collections::VecDeque<PathBuf> = folders.iter().cloned().collect();
    let mut seen = 0;
    while let Some(folder) = waiting.pop_front() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MOST_ENTRIES || found.len() >= MOST_FILES {
                return found;
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if name.starts_with('.') {
                continue;
            }
            if kind.is_dir() && name != "target" && name != "node_modules" {
                waiting.push_back(entry.path());
            } else if !kind.is_dir() && name.ends_with(".mlp") {
                found.extend(read(&entry.path()));
            }
        }
    }
    found
}

/// A file with its path, if it is a text that is not too large.
pub fn read(path: &Path) -> Option<(String, String)> {
    let size = std::fs::metadata(path).ok()?;
    if !size.is_file() || size.len() > LARGEST_FILE as u64 {
        return None;
    }
    let text = String::from_utf8(std::fs::read(path).ok()?).ok()?;
    Some((path.to_str()?.to_owned(), text))
}

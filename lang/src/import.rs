//! Files that files use: what `use "./common.mlp" as common` and `use "./lib" as lib` lead to.
//!
//! `lang` opens no files. It asks a [`Files`], which the binary fills from the disk, tests from a map and the language
//! server from what is open in the editor.

use crate::span::Source;

/// Answers what a path in `use` leads to.
pub trait Files {
    /// The file, or the files of the folder, that `path` means in the file `importer`. Relative paths start at the
    /// folder of the importing file; [`resolve`] joins the two. The path of a source is the one to show, and the same
    /// file has the same path (up to [`identity`]) whoever asks for it.
    fn import(&self, importer: &str, path: &str) -> Result<Imported, ImportError>;
}

/// What a path in `use` leads to.
#[derive(Clone, Debug)]
pub enum Imported {
    /// A file.
    File(Source),
    /// The `.mlp` files directly in a folder, in the order of their names. None at all is a finding.
    Folder(Vec<Source>),
}

/// Why nothing can be imported from a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// Nothing is there. With a path like it that is there, as it would be written in `use`.
    NotFound {
        /// `./common.mlp`
        near: Option<String>,
    },
    /// A file is there, and it is no `.mlp` file.
    NotMlp,
    /// It is there and cannot be read; why, in a few words without a full stop.
    Unreadable(String),
}

/// No files at all: whoever checks a text by itself.
pub struct NoFiles;

impl Files for NoFiles {
    fn import(&self, _: &str, _: &str) -> Result<Imported, ImportError> {
        Err(ImportError::NotFound { near: None })
    }
}

/// The path that `path` means in the file `importer`: joined to its folder, without `./` and without `x/../`.
pub fn resolve(importer: &str, path: &str) -> String {
    let folder = importer.rfind('/').map_or("", |at| &importer[..=at]);
    if path.starts_with('/') { clean(path) } else { clean(&format!("{folder}{path}")) }
}

/// What two paths of the same file have in common: `./a.mlp` and `a.mlp` are one file.
pub fn identity(path: &str) -> String {
    let clean = clean(path);
    clean.strip_prefix("./").map(str::to_owned).unwrap_or(clean)
}

/// The candidate most like `name`, if one is like it at all: what was probably meant by a path where nothing is.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    crate::names::nearest(name, candidates)
}

/// Without `.`, empty parts and `x/../`; a leading `./` stays, as the user wrote it.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match path {
        path if path.starts_with('/') => format!("/{joined}"),
        path if path.starts_with("./") && !joined.starts_with("..") => format!("./{joined}"),
        _ if joined.is_empty() => ".".to_owned(),
        _ => joined,
    }
}

/// The way from the folder of one file to the folder of another, with its `/`; empty for the same folder. A path that is
/// written in the second file is, behind it, one that starts at the folder of the first.
pub(crate) fn way(from: &str, to: &str) -> String {
    let (from, to) = (identity(from), identity(to));
    let folder = |path: &str| path.rfind('/').map_or(String::new(), |at| path[..=at].to_owned());
    let (from, to) = (folder(&from), folder(&to));
    if to.starts_with('/') != from.starts_with('/') {
        return to;
    }
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split_terminator('/').collect(), to.split_terminator('/').collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    // Where the way up goes through an unknown folder, there is no shorter way than the whole one.
    let up = from.len() - same;
    let parts = std::iter::repeat_n("..", up).chain(to[same..].iter().copied());
    parts.map(|part| format!("{part}/")).collect()
}

/// Whether a path starts at the folder of its file: no absolute one, and no address.
pub(crate) fn is_relative(path: &str) -> bool {
    !path.starts_with('/') && !path.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_at_the_folder_of_the_importing_file() {
        for (importer, path, wanted) in [
            ("a.mlp", "./common.mlp", "./common.mlp"),
            ("a.mlp", "common.mlp", "common.mlp"),
            ("dir/a.mlp", "./common.mlp", "dir/common.mlp"),
            ("./dir/a.mlp", "../lib/b.mlp", "./lib/b.mlp"),
            ("dir/a.mlp", "../../b.mlp", "../b.mlp"),
            ("/x/a.mlp", "../b.mlp", "/b.mlp"),
            ("/a.mlp", "../../b.mlp", "/b.mlp"),
            ("dir/a.mlp", "/abs/b.mlp", "/abs/b.mlp"),
        ] {
            assert_eq!(resolve(importer, path), wanted, "{path} in {importer}");
        }
        assert_eq!(identity("./dir/../a.mlp"), "a.mlp");
    }

    #[test]
    fn the_way_between_two_files_leads_from_folder_to_folder() {
        for (from, to, wanted) in [
            ("a.mlp", "./common.mlp", ""),
            ("dir/a.mlp", "dir/lib/b.mlp", "lib/"),
            ("dir/a.mlp", "shared/b.mlp", "../shared/"),
            ("/x/y/a.mlp", "/x/b.mlp", "../"),
            ("a.mlp", "/abs/b.mlp", "/abs/"),
        ] {
            assert_eq!(way(from, to), wanted, "from {from} to {to}");
        }
    }
}

//! Files that `.mlp` files use, on the disk.

use crate::files;
use mlp_lang::import::{Files, ImportError, Imported, nearest, resolve};
use mlp_lang::span::Source;
use mlp_lang::syntax::LARGEST_FILE;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// The disk.
pub struct Disk;

impl Files for Disk {
    fn import(&self, importer: &str, path: &str) -> Result<Imported, ImportError> {
        let found = resolve(importer, path);
        let about = std::fs::metadata(&found).map_err(|error| match error.kind() {
            ErrorKind::NotFound => ImportError::NotFound { near: near(Path::new(&found), path) },
            _ => ImportError::Unreadable(words(&error)),
        })?;
        if about.is_dir() {
            return folder(&found).map(Imported::Folder);
        }
        match about.is_file() && found.ends_with(".mlp") {
            true => file(&found).map(Imported::File),
            false => Err(ImportError::NotMlp),
        }
    }
}

/// The `.mlp` files directly in a folder, by name; hidden ones are left out.
fn folder(path: &str) -> Result<Vec<Source>, ImportError> {
    let cannot = |error: std::io::Error| ImportError::Unreadable(words(&error));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".mlp") && !name.starts_with('.') && entry.path().is_file() {
            names.push(name);
        }
    }
    names.sort();
    names.iter().map(|name| file(&format!("{}/{name}", path.trim_end_matches('/')))).collect()
}

fn file(path: &str) -> Result<Source, ImportError> {
    let cannot = |error: std::io::Error| ImportError::Unreadable(words(&error));
    let mut bytes = Vec::new();
    // One byte past what is read, so that a file that is too large is told as such.
    let limit = LARGEST_FILE as u64 + 1;
    std::fs::File::open(path).map_err(cannot)?.take(limit).read_to_end(&mut bytes).map_err(cannot)?;
    files::decode(path, bytes).map_err(|fault| ImportError::Unreadable(fault.causes.join("; ")))
}

fn words(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "there is no permission".to_owned(),
        _ => error.to_string(),
    }
}

/// A path like one where nothing is, as it would be written in the same place.
fn near(missing: &Path, written: &str) -> Option<String> {
    let wanted = missing.file_name()?.to_string_lossy();
    let entries = std::fs::read_dir(files::base_of(missing)).ok()?.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = entries
        .filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "mlp"))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    let name = nearest(&wanted, names.iter().map(String::as_str))?;
    let before = written.rfind('/').map_or("", |at| &written[..=at]);
    Some(format!("{before}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_found_from_the_importing_file() {
        let top = tempfile::tempdir().unwrap();
        let at = |path: &str| top.path().join(path).display().to_string();
        std::fs::create_dir_all(top.path().join("lib/deep")).unwrap();
        for file in ["a.mlp", "lib/two.mlp", "lib/one.mlp", "lib/.hidden.mlp", "lib/notes.txt", "lib/deep/no.mlp"] {
            std::fs::write(top.path().join(file), "mlp 1\n").unwrap();
        }
        let main = at("a.mlp");
        let Ok(Imported::Folder(found)) = Disk.import(&main, "./lib") else { panic!("a folder") };
        assert_eq!(
            found.iter().map(|it| it.path.to_string()).collect::<Vec<_>>(),
            [at("lib/one.mlp"), at("lib/two.mlp")]
        );
        assert!(matches!(Disk.import(&main, "lib/one.mlp"), Ok(Imported::File(_))));
        assert_eq!(Disk.import(&main, "lib/notes.txt").unwrap_err(), ImportError::NotMlp);
        let near = Some("./lib/one.mlp".to_owned());
        assert_eq!(Disk.import(&main, "./lib/ome.mlp").unwrap_err(), ImportError::NotFound { near });
        std::fs::write(top.path().join("lib/bad.mlp"), b"mlp 1\n\xff").unwrap();
        let Err(ImportError::Unreadable(why)) = Disk.import(&main, "./lib/bad.mlp") else { panic!("unreadable") };
        assert!(why.contains("line 2"), "{why}");
    }
}

//! `.mlp` files on disk: finding them and reading them, with words for each way this can fail.

use crate::fault::Fault;
use mlp_lang::span::Source;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Reads a pipeline's file.
pub fn read(path: &Path) -> Result<Source, Fault> {
    let shown = path.display();
    let cannot = |error: std::io::Error| {
        let fault = Fault::usage(format!("cannot read {shown}"));
        match error.kind() {
            ErrorKind::NotFound => match similar(path) {
                Some(name) => fault.cause("there is no such file").next(format!("did you mean {name}?")),
                None => fault.cause("there is no such file"),
            },
            ErrorKind::PermissionDenied => fault.cause("no permission").next(format!("chmod +r {shown}")),
            _ => fault.cause(error),
        }
    };
    if path.is_dir() {
        return Err(Fault::usage(format!("{shown} is a folder, not a file")).next(match sole_pipeline(path) {
            Some(file) => format!("name the file in it: {}", file.display()),
            None => "name a .mlp file".to_owned(),
        }));
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    decode(&shown.to_string(), bytes)
}

/// Reads a pipeline from standard input.
pub fn read_stdin(name: &str) -> Result<Source, Fault> {
    let mut bytes = Vec::new();
    // One byte past what is parsed, so that a file that is too large is told as such.
    let limit = mlp_lang::syntax::LARGEST_FILE as u64 + 1;
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Fault::usage("cannot read standard input").cause(error))?;
    decode(name, bytes)
}

/// Replaces the content of a file, whole or not at all: it is written aside and then takes the other's place. A link stays
/// a link, and the permissions stay what they were.
pub fn replace(path: &Path, text: &str) -> Result<(), Fault> {
    let cannot = |error: std::io::Error| {
        Fault::new(format!("cannot write {}", path.display())).cause(error).safe("the file is as it was")
    };
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut aside = tempfile::Builder::new().prefix(".mlp-").tempfile_in(base_of(&target)).map_err(cannot)?;
    aside.write_all(text.as_bytes()).map_err(cannot)?;
    // A temporary file is for its owner alone; a new file is as the user has them.
    match std::fs::metadata(&target) {
        Ok(before) => aside.as_file().set_permissions(before.permissions()).map_err(cannot)?,
        Err(_) => return std::fs::write(&target, text).map_err(cannot),
    }
    aside.as_file().sync_all().map_err(cannot)?;
    aside.persist(&target).map_err(|error| cannot(error.error))?;
    Ok(())
}

/// Every `.mlp` file that a path stands for: itself, or those in the folder and below it, sorted. Hidden folders and
/// build folders are left out.
pub fn pipelines_at(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    walk(path, &mut found)?;
    if found.is_empty() {
        return Err(Fault::usage(format!("there is no .mlp file in the folder {} or below it", path.display()))
            .next("name a file, or a folder that has some"));
    }
    found.sort();
    Ok(found)
}

/// The folder that relative paths in a file start from.
pub fn base_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The text of a file, which must be in UTF-8.
pub fn decode(shown: &str, bytes: Vec<u8>) -> Result<Source, Fault> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(shown, &text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..valid];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let bad = error.as_bytes().get(valid).copied().unwrap_or(0);
            Err(Fault::usage(format!("{shown} is not a text file in UTF-8"))
                .cause(format!(
                    "line {line} has the byte 0x{bad:02x}, which no character in UTF-8 begins with or goes on with"
                ))
                .next("save it as UTF-8; `iconv -f latin1 -t utf-8` converts a file in the old encoding"))
        }
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Fault> {
    let cannot =
        |error: std::io::Error| Fault::usage(format!("cannot read the folder {}", folder.display())).cause(error);
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // The type of the entry itself: links to folders are not followed, so that the walk ends.
        let kind = entry.file_type().map_err(cannot)?;
        let hidden = name.starts_with('.');
        if kind.is_dir() && !hidden && name != "target" && name != "node_modules" {
            walk(&entry.path(), found)?;
        } else if !kind.is_dir() && !hidden && name.ends_with(".mlp") {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// The only pipeline directly in a folder.
fn sole_pipeline(folder: &Path) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "mlp"));
    let first = files.next()?;
    files.next().is_none().then_some(first)
}

/// A `.mlp` file beside a missing one whose name differs by little.
fn similar(path: &Path) -> Option<String> {
    let wanted = path.file_stem()?.to_string_lossy().to_lowercase();
    let folder = base_of(path);
    std::fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path()).find_map(|candidate| {
        let stem = candidate.file_stem()?.to_string_lossy().to_lowercase();
        let is_pipeline = candidate.is_file() && candidate.extension().is_some_and(|extension| extension == "mlp");
        let close = stem.starts_with(&wanted) || wanted.starts_with(&stem);
        (is_pipeline && close).then(|| candidate.strip_prefix("./").unwrap_or(&candidate).display().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_but_not_the_state_folder() {
        let top = tempfile::tempdir().unwrap();
        for file in ["b.mlp", "deep/a.mlp", ".mlp/runs/x.mlp", "target/y.mlp", "notes.txt"] {
            let path = top.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = pipelines_at(top.path()).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(top.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["b.mlp", "deep/a.mlp"]);
    }

    #[test]
    fn a_folder_without_pipelines_says_so() {
        let top = tempfile::tempdir().unwrap();
        assert!(pipelines_at(top.path()).unwrap_err().error.contains("there is no .mlp file"));
    }

    #[test]
    fn a_replaced_file_keeps_its_links_and_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let top = tempfile::tempdir().unwrap();
        let (file, link) = (top.path().join("a.mlp"), top.path().join("link.mlp"));
        replace(&file, "new").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "newer").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "newer");
        assert!(link.is_symlink());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(top.path()).unwrap().count(), 2, "nothing is left aside");
        assert!(replace(&top.path().join("no/such/folder.mlp"), "x").is_err());
    }

    #[test]
    fn bytes_that_are_not_text_are_told_with_their_line() {
        let fault = decode("x.mlp", b"mlp 1\n\nparam \xff\n".to_vec()).unwrap_err();
        assert_eq!(fault.exit, crate::exit::Exit::Usage);
        assert!(fault.causes[0].starts_with("line 3 has the byte 0xff"), "{}", fault.text());
    }
}

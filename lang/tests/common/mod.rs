//! What the tests from outside of the crate share: the standard library's signatures and the files to try things on.

#![allow(dead_code)]

use mlp_lang::signature::{ModuleError, ModuleSignature, Modules};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The standard library's signatures, as its components carry them.
pub struct Std(Vec<Arc<ModuleSignature>>);

impl Std {
    /// As recorded beside the checker's tests.
    pub fn new() -> Std {
        let recorded = include_str!("../../src/check/tests/std.json");
        let modules: Vec<ModuleSignature> = serde_json::from_str(recorded).expect("recorded signatures");
        Std(modules.into_iter().map(Arc::new).collect())
    }
}

impl Modules for Std {
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
        let found = self.0.iter().find(|module| module.name == path);
        found.cloned().ok_or_else(|| ModuleError::NotFound(path.to_owned()))
    }

    fn known(&self) -> Vec<String> {
        self.0.iter().map(|module| module.name.clone()).collect()
    }
}

/// Every `.mlp` file in these folders of the repository and below: its path from the top, and its text.
pub fn files(folders: &[&str]) -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| top.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "mlp") {
            let text = std::fs::read_to_string(&path).expect("a file");
            let name = path.strip_prefix(&top).unwrap_or(&path).display().to_string();
            found.push((name, text));
        }
    }
    found.sort();
    found
}

/// A printed tree without its places.
pub fn without_places(printed: &str) -> String {
    let mut parts = printed.split("Span { start: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('}').map_or(part, |(_, rest)| rest));
    }
    out
}

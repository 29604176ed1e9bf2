//! What the tests from outside of the crate share: the standard library's signatures and the files to try things on.

#![allow(dead_code)]

use mlp_lang::analysis::{Analysis, analyze, analyze_again};
use mlp_lang::signature::{ModuleError, ModuleSignature, Modules};
use mlp_lang::span::Source;
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

/// Checks a text after another one, and says where that differs from checking it alone.
pub fn checked_again(before: Option<Analysis>, text: &str, std: &Std) -> Result<Analysis, String> {
    let source = Source::new("again.mlp", text);
    let (again, anew) = (analyze_again(before, &source, std), analyze(&source, std));
    let differs = |what: &str, again: &dyn std::fmt::Debug, anew: &dyn std::fmt::Debug| {
        Err(format!("{what} differ on\n{text}\nagain: {again:#?}\nanew: {anew:#?}"))
    };
    if again.syntax().file != anew.syntax().file || again.syntax().broken != anew.syntax().broken {
        return differs("trees", &again.syntax(), &anew.syntax());
    }
    if again.findings != anew.findings {
        return differs("findings", &again.findings, &anew.findings);
    }
    if again.facts != anew.facts || again.facts.names.as_slice() != anew.facts.names.as_slice() {
        return differs("facts", &again.facts, &anew.facts);
    }
    if again.compiles != anew.compiles {
        return differs("outcomes", &again.compiles, &anew.compiles);
    }
    Ok(again)
}

/// Numbers that look random: xorshift, as G. Marsaglia gives it.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`; of no sides, nothing.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides.max(1)
    }
}

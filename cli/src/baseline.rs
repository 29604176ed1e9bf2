//! The baseline: lints that were there before somebody looked, and are admitted until somebody mends them.
//!
//! A lint is known by its code, its file and the text of its line, not by the line's number, so that a baseline survives
//! what happens elsewhere in the file. Errors are never admitted: a file with one does not run.

use crate::fault::Fault;
use crate::files;
use crate::render::findings::{line_text, relative};
use mlp_lang::finding::{Finding, Place};
use mlp_lang::span::Source;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const SCHEMA: &str = "mlp.baseline/1";

/// What is admitted, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    counts: BTreeMap<Key, usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    /// Relative to the folder of the baseline.
    path: String,
    code: String,
    name: String,
    text: String,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct Document {
    schema: String,
    findings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: Key,
    count: usize,
}

/// What is left when a baseline was taken off.
pub struct Rest {
    /// What it does not admit.
    pub findings: Vec<Finding>,
    /// How many it admits.
    pub admitted: usize,
    /// How many it would admit that the checked files do not give any more.
    pub gone: usize,
}

impl Baseline {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Baseline, Fault> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let fault = Fault::usage(format!("cannot read the baseline {shown}")).cause(&error);
            match error.kind() {
                std::io::ErrorKind::NotFound => fault.next("`--write-baseline` makes it from what is found now"),
                _ => fault,
            }
        })?;
        let unreadable = |cause: String| {
            Fault::usage(format!("cannot read the baseline {shown}"))
                .cause(cause)
                .next("bring it back from version control, or make it anew with `--write-baseline`")
        };
        let document: Document = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if document.schema != SCHEMA {
            return Err(unreadable(format!(
                "it is a document of the kind {}, and {SCHEMA} is wanted",
                document.schema
            )));
        }
        let mut counts = BTreeMap::new();
        for entry in document.findings {
            *counts.entry(entry.key).or_insert(0) += entry.count;
        }
        Ok(Baseline { counts })
    }

    /// Writes the file, or nothing if it is that already.
    pub fn write(&self, path: &Path) -> Result<(), Fault> {
        let findings = self.counts.iter().map(|(key, count)| Entry { key: key.clone(), count: *count }).collect();
        let document = Document { schema: SCHEMA.to_owned(), findings };
        let text = serde_json::to_string_pretty(&document).unwrap_or_default() + "\n";
        files::replace(path, &text)
    }

    /// How many lints it admits.
    pub fn len(&self) -> usize {
        self.counts.values().sum()
    }

    /// The baseline of what is found now. What it holds of files that were not checked stays.
    pub fn renewed(&self, file: &Path, findings: &[Finding], sources: &[Source]) -> Baseline {
        let keys = Keys::new(file, sources);
        let mut counts = self.counts.clone();
        counts.retain(|key, _| !keys.checked.contains(&key.path));
        for key in findings.iter().filter_map(|finding| keys.of(finding)) {
            *counts.entry(key).or_insert(0) += 1;
        }
        Baseline { counts }
    }

    /// Takes off what it admits: of many alike the first ones.
    pub fn admit(&self, file: &Path, findings: Vec<Finding>, sources: &[Source]) -> Rest {
        let keys = Keys::new(file, sources);
        let mut left = self.counts.clone();
        let before = findings.len();
        let findings: Vec<Finding> = findings
            .into_iter()
            .filter(|finding| match keys.of(finding).and_then(|key| left.get_mut(&key)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => true,
            })
            .collect();
        let gone = left.iter().filter(|(key, _)| keys.checked.contains(&key.path)).map(|(_, count)| count).sum();
        Rest { admitted: before - findings.len(), findings, gone }
    }
}

/// How findings are known in a baseline.
struct Keys<'s> {
    folder: PathBuf,
    sources: &'s [Source],
    /// The files that were looked at.
    checked: BTreeSet<String>,
}

impl<'s> Keys<'s> {
    fn new(file: &Path, sources: &'s [Source]) -> Keys<'s> {
        let mut keys = Keys { folder: whole(&files::base_of(file)), sources, checked: BTreeSet::new() };
        keys.checked = sources.iter().map(|source| keys.path(&source.path)).collect();
        keys
    }

    fn path(&self, path: &str) -> String {
        relative(&whole(Path::new(path)).to_string_lossy(), &self.folder)
    }

    /// `None`: it is an error of the language, or not in a checked file.
    fn of(&self, finding: &Finding) -> Option<Key> {
        let Place::Source { path, span } = &finding.primary.place else { return None };
        let source = self.sources.iter().find(|source| source.path == *path)?;
        finding.code.is_lint().then(|| Key {
            path: self.path(path),
            code: finding.code.id.to_string(),
            name: finding.code.name.to_string(),
            text: line_text(source, *span),
        })
    }
}

/// The path from the root, without links and `..` if it exists.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_lang::finding::Code;
    use mlp_lang::span::Span;

    const LINT: Code = Code::new("W0201", "unused-param");

    fn found(source: &Source, words: &[&str]) -> Vec<Finding> {
        let at = words
            .iter()
            .flat_map(|word| source.text.match_indices(word).map(|(at, word)| Span::new(at, at + word.len())));
        let place = |span| Place::Source { path: source.path.clone(), span };
        at.map(|span| Finding::warning(LINT, place(span), "unused")).collect()
    }

    #[test]
    fn what_moves_is_known_and_what_changes_or_comes_is_not() {
        let file = Path::new("mlp-baseline.json");
        let before = [Source::new("a.mlp", "param a: int\nparam  b: int\n")];
        let baseline = Baseline::default().renewed(file, &found(&before[0], &["a:", "b:"]), &before);
        assert_eq!(baseline.len(), 2);
        let rest = |text: &str, words: &[&str]| {
            let sources = [Source::new("./a.mlp", text)];
            let rest = baseline.admit(file, found(&sources[0], words), &sources);
            (rest.findings.len(), rest.admitted, rest.gone)
        };
        assert_eq!(rest("\n\nparam b: int\n\n  param a: int\n", &["a:", "b:"]), (0, 2, 0), "moved");
        assert_eq!(rest("param a: int = 1\nparam b: int\n", &["a:", "b:"]), (1, 1, 1), "changed");
        assert_eq!(rest("param a: int\nparam b: int\nparam a: int\n", &["a:", "b:"]), (1, 2, 0), "one more alike");
        assert_eq!(rest("param a: int\n", &["a:"]), (0, 1, 1), "gone");
    }

    #[test]
    fn errors_are_never_admitted_and_other_files_keep_theirs() {
        let file = Path::new("mlp-baseline.json");
        let sources = [Source::new("a.mlp", "param a: int\n"), Source::new("b.mlp", "param a: int\n")];
        let of = |source: &Source| {
            let error =
                Finding::error(Code::new("E0201", "unknown-name"), found(source, &["a:"])[0].primary.place.clone(), "");
            [found(source, &["a:"]), vec![error]].concat()
        };
        let both = Baseline::default().renewed(file, &[of(&sources[0]), of(&sources[1])].concat(), &sources);
        assert_eq!(both.len(), 2);
        let rest = both.admit(file, of(&sources[0]), &sources[..1]);
        assert_eq!((rest.findings.len(), rest.admitted, rest.gone), (1, 1, 0));
        assert_eq!(both.renewed(file, &[], &sources[..1]).len(), 1);
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mlp-baseline.json");
        let sources = [Source::new("a.mlp", "param a: int   # \"é\"\n")];
        let baseline = Baseline::default().renewed(&file, &found(&sources[0], &["a:"]), &sources);
        baseline.write(&file).unwrap();
        assert_eq!(Baseline::read(&file).unwrap(), baseline);
        std::fs::write(&file, "{\"schema\": \"mlp.check/1\", \"findings\": []}").unwrap();
        assert!(Baseline::read(&file).unwrap_err().causes[0].contains("mlp.check/1"));
        assert!(Baseline::read(Path::new("nowhere.json")).unwrap_err().next.unwrap().contains("--write-baseline"));
    }
}

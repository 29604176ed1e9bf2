//! What the style is, and the laws that hold for every text.

mod laws;

use super::{Refusal, format};
use crate::span::Source;

fn formatted(text: &str) -> String {
    match format(&Source::new("case.mlp", text)) {
        Ok(out) => out,
        Err(Refusal::Broken(findings)) => {
            findings.iter().map(|f| format!("refused: {} {}\n", f.code.id, f.message)).collect()
        }
        Err(Refusal::Unsafe(change)) => format!("refused: {change}\n"),
    }
}

/// Each `.mlp` of the folder of cases, as it is written and as it comes out.
#[test]
fn cases() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/format/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "mlp"));
    files.sort();
    assert!(files.len() > 10);
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let out = formatted(&text);
        assert!(!out.starts_with("refused: formatting"), "{name}: {out}");
        assert!(!out.lines().any(|line| line.ends_with(' ')) || text.contains("\"\"\""), "{name}");
        insta::with_settings!({snapshot_path => "cases", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, out);
        });
    }
}

/// Files that are read by many: as they stand.
#[test]
fn the_examples_are_formatted() {
    for (name, text) in laws::good_files() {
        if name.contains("examples/") || name.ends_with("good.mlp") {
            assert_eq!(formatted(&text), text, "{name}");
        }
    }
}

#[test]
fn tmp_write() {
    for file in std::env::var("WRITE").unwrap_or_default().split(',').filter(|f| !f.is_empty()) {
        let text = std::fs::read_to_string(file).unwrap();
        std::fs::write(file, format(&Source::new(file, &text)).unwrap()).unwrap();
    }
}

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

/// In the chapter, an example marked `loose` becomes the next one; all others stand as they are.
#[test]
fn the_specification_shows_what_happens() {
    let chapter = include_str!("../../../spec/15-formatting.md");
    let mut loose: Option<String> = None;
    let mut seen = 0;
    for (n, part) in chapter.split("```").enumerate().filter(|(n, _)| n % 2 == 1) {
        let Some((info, example)) = part.split_once('\n') else { panic!("fence {n}") };
        let text = format!("mlp 1\n\n{example}");
        match info {
            "mlp,loose" => loose = Some(formatted(&text)),
            "mlp" => {
                assert_eq!(formatted(&text), text);
                assert_eq!(loose.take().unwrap_or_else(|| text.clone()), text);
                seen += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(loose.is_none() && seen > 4);
}

//! What holds for every text, whatever is in it.

use super::super::{Change, Refusal, format};
use crate::span::Source;
use crate::syntax::lexer::{self, TokenKind};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// Every file of the repository that is right.
pub(super) fn good_files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["../examples", "src/syntax/tests", "src/check/tests", "src/format/cases", "../tests"];
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "mlp") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let read = |path: PathBuf| (path.to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap());
    let files = paths.into_iter().map(read);
    files
        .filter(|(_, text)| !text.is_empty() && !matches!(format(&Source::new("x", text)), Err(Refusal::Broken(_))))
        .collect()
}

/// What must hold of the outcome, whoever computes it: independent of the checks that the formatter itself makes.
fn check(text: &str) -> Result<bool, TestCaseError> {
    let out = match format(&Source::new("law.mlp", text)) {
        Ok(out) => out,
        Err(Refusal::Broken(findings)) => {
            prop_assert!(!findings.is_empty() || text.contains('{'), "refused without a reason: {text:?}");
            return Ok(false);
        }
        Err(Refusal::Unsafe(change)) => {
            return Err(TestCaseError::fail(format!("{change:?} of\n{text}\n{text:?}")));
        }
    };
    prop_assert_eq!(format(&Source::new("law.mlp", &out)), Ok(out.clone()), "not at rest: {:?}", text);
    prop_assert_eq!(comments(text), comments(&out), "comments: {:?}", text);
    prop_assert_eq!(characters(text), characters(&out), "characters: {:?}", text);
    prop_assert!(out.is_empty() || out.ends_with('\n'));
    prop_assert!(!out.starts_with(['\u{feff}', '\n']), "starts with nothing: {:?}", out);
    Ok(true)
}

/// The text without what a formatter may change: white space and commas.
fn characters(text: &str) -> String {
    text.trim_start_matches('\u{feff}').chars().filter(|c| !c.is_whitespace() && *c != ',').collect()
}

/// Each comment, with whether it has code before it on its line.
fn comments(text: &str) -> Vec<(String, bool)> {
    let mut comments = Vec::new();
    let mut code = false;
    for token in lexer::lex(text) {
        match token.kind {
            TokenKind::Newline => code = false,
            TokenKind::Comment | TokenKind::Doc => {
                comments.push((text[token.span.range()].trim_end().to_owned(), code));
            }
            kind => code |= !kind.is_trivia(),
        }
    }
    comments
}

fn piece() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\n",
        "\n",
        "\n\n",
        " ",
        "   ",
        "\t",
        "\r\n",
        "# c\n",
        "## d\n",
        "#\n",
        ",",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "x",
        "= ",
        ": ",
        "-",
        "..",
        "..=",
        "<",
        ">",
        "<=",
        "??",
        "?",
        "|",
        "\"a\"",
        "\"\"\"\n a\n\"\"\"",
        "10%",
        "1h",
        "and ",
        "or ",
        "not ",
        "in ",
        "when ",
        "else ",
        "after ",
        "for ",
        "because ",
        "unless ",
        "require ",
        "expect ",
        "watch ",
        "\nstep ",
        "\n\n\n",
        "\u{feff}",
        "é",
    ]);
    pieces.prop_map(str::to_owned)
}

/// A file with some of its tokens deleted, doubled or swapped for others, or with pieces put between.
fn mutated(most: usize, blank: bool) -> impl Strategy<Value = String> {
    let files = good_files();
    let change = (any::<prop::sample::Index>(), 0..4_usize, piece());
    (any::<prop::sample::Index>(), prop::collection::vec(change, 1..most)).prop_map(move |(which, changes)| {
        let (_, text) = &files[which.index(files.len())];
        let tokens = lexer::lex(text);
        let mut tokens: Vec<String> = tokens.iter().map(|t| text[t.span.range()].to_owned()).collect();
        tokens.retain(|token| !token.is_empty());
        for (at, kind, piece) in changes {
            if tokens.is_empty() {
                break;
            }
            let at = at.index(tokens.len());
            let is_blank = tokens[at].trim().is_empty();
            match kind {
                0 if !blank || is_blank => drop(tokens.remove(at)),
                1 if !blank || (is_blank && (piece.trim().is_empty() || piece.starts_with('#'))) => {
                    tokens.insert(at, piece);
                }
                2 if !blank => tokens.insert(at, tokens[at].clone()),
                _ if is_blank => tokens[at].push_str([" ", "\n", "  \n\n", "\t"][piece.len() % 4]),
                _ => {}
            }
        }
        tokens.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_formatted_or_left_alone(text in prop::collection::vec(piece(), 0..60), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&text.concat())?;
        check(&format!("mlp 1\n{}", text.concat()))?;
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn broken_files_are_formatted_or_left_alone(text in mutated(6, false)) {
        check(&text)?;
    }

    #[test]
    fn layout_alone_never_makes_it_refuse(text in mutated(12, true)) {
        check(&text)?;
    }
}

#[test]
fn good_files_are_formatted_and_their_outcome_is_at_rest() {
    for (name, text) in good_files() {
        assert!(check(&text).is_ok_and(|formatted| formatted), "{name}");
    }
}

#[test]
fn spaces_and_indentation_are_nothing_that_an_author_chooses() {
    for (name, text) in good_files() {
        let tokens = lexer::lex(&text);
        let mut other = String::new();
        let (mut line_start, mut texts) = (true, 0);
        for token in &tokens {
            let piece = &text[token.span.range()];
            match token.kind {
                TokenKind::StringStart => texts += 1,
                TokenKind::StringEnd => texts -= 1,
                _ => {}
            }
            match token.kind {
                TokenKind::Whitespace if line_start && !piece.starts_with('\u{feff}') => {
                    other.push_str(&piece.repeat(2))
                }
                TokenKind::Whitespace if texts == 0 && !line_start => other.push_str("   "),
                _ => other.push_str(piece),
            }
            line_start = token.kind == TokenKind::Newline;
        }
        let source = Source::new("x", &text);
        assert_eq!(format(&Source::new("x", &other)), format(&source), "{name}");
    }
}

#[test]
fn a_broken_file_is_left_alone_with_its_findings() {
    let Err(Refusal::Broken(findings)) = format(&Source::new("x", "mlp 1\nparam x: = 1\n")) else {
        panic!("formatted")
    };
    assert_eq!(findings.len(), 1);
}

#[test]
fn a_refusal_says_what_would_have_changed() {
    let shown = [Change::Meaning, Change::Comments, Change::Again].map(|change| change.to_string());
    assert!(shown.iter().all(|text| text.starts_with("formatting would ")), "{shown:?}");
}

/// Texts that make formatters with rescanning slow end in their own time here.
#[test]
fn hostile_texts_take_linear_time() {
    let n = 5_000;
    for unit in ["# \n", "## a\n", "\n\n", "  # a\n\n"] {
        assert!(check(&format!("mlp 1\nparam x: int = 1\n{}", unit.repeat(n))).is_ok(), "{unit:?}");
    }
    let list = |unit: &str| format!("mlp 1\nparam x: list<int> = [{}]\n", unit.repeat(n));
    for unit in ["1,", "1, # c\n", "1\n,", "f(a, b),", "{ a: 1, },"] {
        assert!(check(&list(unit)).is_ok(), "{unit:?}");
    }
    let settings = "a = 1\n".repeat(n);
    assert!(check(&format!("mlp 1\npipeline p {{\n{settings}}}\n")).is_ok());
}

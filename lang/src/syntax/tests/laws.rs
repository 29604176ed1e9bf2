//! What holds for every text, whatever is in it.

use super::print;
use crate::span::{Source, Span};
use crate::syntax::ast::Declaration;
use crate::syntax::lexer::{self, Token};
use crate::syntax::{Incremental, Syntax, parse};
use proptest::prelude::*;

const GOOD: &str = include_str!("good.mlp");

fn parse_text(text: &str) -> Syntax {
    parse(&Source::new("law.mlp", text))
}

/// Pieces of the language, and pieces that trip parsers.
fn piece() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\n",
        "\n",
        " ",
        "  ",
        "step ",
        "\nstep ",
        "\ngate ",
        "\ndata ",
        "schema ",
        "param ",
        "mlp 1",
        "use ",
        "x",
        "y ",
        "=",
        ":",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "..",
        "..=",
        "+",
        "-",
        "*",
        "/",
        "<",
        ">",
        ">=",
        "==",
        "!",
        "?",
        "??",
        "|",
        "\"",
        "\"\"\"",
        "${",
        "\\",
        "#",
        "##",
        "10%",
        "1h30m",
        "2024-02-30",
        "1e5",
        "not ",
        "and ",
        "or ",
        "in ",
        "when ",
        "else ",
        "after ",
        "require ",
        "expect ",
        "because ",
        "é",
        "\u{feff}",
        "\r\n",
        "\t",
        "\0",
        "😀",
        "card ",
        "\ndeploy ",
        "\nmonitor ",
        "\non ",
        "canary {\n",
        "check every 1s {\n",
        "fails when ",
        "tolerate = ",
        "watch ",
        "on breach {",
        "'",
    ]);
    prop_oneof![4 => pieces.prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..120).prop_map(|pieces| pieces.concat())
}

/// The good file with some of its tokens deleted, doubled, swapped for others, or with pieces put between.
fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0..3_usize, piece());
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        let mut tokens: Vec<String> =
            lexer::lex(GOOD).iter().map(|t| GOOD[t.span.range()].to_owned()).filter(|t| !t.is_empty()).collect();
        for (at, kind, piece) in changes {
            let at = at.index(tokens.len());
            match kind {
                0 => drop(tokens.remove(at)),
                1 => tokens.insert(at, piece),
                _ => tokens.insert(at, tokens[at].clone()),
            }
        }
        tokens.concat()
    })
}

fn is_lossless(text: &str) -> bool {
    let tokens = lexer::lex(text);
    let joined: String = tokens.iter().map(|t| &text[t.span.range()]).collect();
    let adjacent = |pair: &[Token]| pair[0].span.end == pair[1].span.start;
    joined == text && tokens.windows(2).all(adjacent)
}

fn spans_are_right(text: &str, syntax: &Syntax) -> bool {
    let right = |span: Span| {
        span.start <= span.end && text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize)
    };
    // `Debug` prints every span of a tree, wherever it is.
    let printed = format!("{:?}", syntax.file);
    let numbers = |after: &'static str| {
        printed.split(after).skip(1).filter_map(|s| s.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok())
    };
    let in_tree = numbers("Span { start: ").zip(numbers(", end: ")).all(|(start, end)| right(Span { start, end }));
    in_tree && print::spans(syntax).into_iter().all(right)
}

/// The declarations as text, each by itself, wherever it stands in its file.
fn printed(declarations: &[Declaration]) -> Vec<String> {
    declarations
        .iter()
        .map(|d| {
            let mut out = String::new();
            print::declaration(&mut out, d);
            out
        })
        .collect()
}

/// The good file in pieces, one declaration each.
fn good_declarations() -> Vec<String> {
    let mut pieces: Vec<String> = vec![String::new()];
    for line in GOOD.split_inclusive('\n') {
        let starts = line.starts_with(|c: char| c.is_alphabetic());
        if starts {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut()
            && !line.starts_with("##")
        {
            piece.push_str(line);
        }
    }
    pieces.retain(|p| !p.trim().is_empty());
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        max_global_rejects: 100_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn tokens_end_to_end_are_the_text(text in soup(), arbitrary in ".{0,200}", mutated in mutated()) {
        prop_assert!(is_lossless(&text));
        prop_assert!(is_lossless(&arbitrary));
        prop_assert!(is_lossless(&mutated));
    }

    #[test]
    fn parsing_never_panics_and_spans_lie_in_the_file(text in soup(), arbitrary in "(?s).{0,200}", mutated in mutated()) {
        for text in [&text, &arbitrary, &mutated] {
            prop_assert!(spans_are_right(text, &parse_text(text)), "{text:?}");
        }
    }

    /// Whatever becomes of one declaration, as long as it neither starts another one nor opens a `"""`, and does not
    /// become the docs of its neighbour.
    #[test]
    fn a_broken_declaration_leaves_the_others_equal(
        which in any::<prop::sample::Index>(),
        junk in prop::collection::vec((any::<prop::sample::Index>(), piece()), 1..5),
    ) {
        let mut pieces = good_declarations();
        let which = 1 + which.index(pieces.len() - 1);
        let good = printed(&parse_text(&pieces.concat()).file.declarations);
        for (at, piece) in junk {
            let broken = &mut pieces[which];
            // Never in front of its keyword nor right behind its last newline: both are the neighbours' places.
            let boundaries: Vec<usize> = broken.char_indices().map(|(i, _)| i).skip(1).collect();
            broken.insert_str(boundaries[at.index(boundaries.len() - 1)], &piece);
        }
        prop_assume!(!pieces[which].contains("\"\"\""));
        prop_assume!(!pieces[which].lines().any(|line| line.trim_start().starts_with("##")));
        prop_assume!(parse_text(&pieces[which]).file.declarations.len() <= 1);
        prop_assume!(parse_text(&pieces[which]).file.edition.is_none());
        let all = printed(&parse_text(&pieces.concat()).file.declarations);
        // `mlp 1` is the first piece and no declaration.
        let (before, after) = (&good[..which - 1], &good[which..]);
        prop_assert!(all.starts_with(before), "{}", pieces[which]);
        prop_assert!(all.ends_with(after), "{}", pieces[which]);
        prop_assert!(all.len() <= good.len() + 1, "{}", pieces[which]);
    }

    #[test]
    fn a_fraction_is_the_number_it_says(whole in 0..1000_u32, part in 0..1000_u32) {
        let text = format!("mlp 1\nparam x: fraction = {whole}.{part:03}%\n");
        let expected: f64 = format!("{whole}.{part:03}e-2").parse().unwrap();
        let dump = print::tree(&parse_text(&text).file);
        let expected = format!("fraction({expected:?})");
        prop_assert!(dump.contains(&expected), "{dump}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_parsed_again_after_edits_is_what_is_parsed_anew(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, piece()), 1..12),
    ) {
        let mut text = GOOD.to_owned();
        let mut parser = Incremental::default();
        for (at, length, piece) in edits {
            let boundaries: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let at = at.index(boundaries.len());
            let end = boundaries[(at + length).min(boundaries.len() - 1)];
            text.replace_range(boundaries[at]..end, &piece);
            let source = Source::new("law.mlp", &text);
            let (again, anew) = (parser.parse(&source), parse(&source));
            prop_assert_eq!(&again.file, &anew.file, "{}", text);
            prop_assert_eq!(&again.broken, &anew.broken);
            prop_assert_eq!(&again.findings, &anew.findings);
        }
    }
}

#[test]
fn an_edit_of_one_declaration_parses_one_declaration() {
    let mut parser = Incremental::default();
    parser.parse(&Source::new("x", GOOD));
    let (_, all) = parser.work();
    let edited = GOOD.replace("retry   = 3", "retry   = 4");
    parser.parse(&Source::new("x", &edited));
    assert_eq!(parser.work(), (all - 1, 1));
    parser.parse(&Source::new("x", &format!("# shifted\n{edited}")));
    assert_eq!(parser.work(), (all, 0), "all of them only move");
}

/// Deep and long texts: one finding, no overflow of the stack, on a stack of 1 MiB.
#[test]
fn depth_is_bounded() {
    let n = 100_000;
    let bodies = [
        "(".repeat(n) + "1" + &")".repeat(n),
        "(".repeat(n),
        "[".repeat(n) + &"]".repeat(n),
        "{a: ".repeat(n) + "1" + &"}".repeat(n),
        "1 + ".repeat(n) + "1",
        "- ".repeat(n) + "1",
        "not ".repeat(n) + "true",
        "a.".repeat(n) + "a",
        "a".to_owned() + &"()".repeat(n),
        "a(".repeat(n),
        "1 when true else ".repeat(n) + "2",
        "1 when (".repeat(n) + "2",
        "1 ?? ".repeat(n) + "2",
        "1 < ".repeat(n) + "2",
        "1..".repeat(n) + "2",
        "\"${".repeat(n),
        "\"${".repeat(n) + "1" + &"}\"".repeat(n),
    ];
    let test = move || {
        for body in bodies {
            for text in [
                format!("mlp 1\nparam x: int = {body}\nparam y: int = 1\n"),
                format!("mlp 1\ngate g {{\n  require {body}\n  require b\n}}\nparam y: int = 1\n"),
            ] {
                let syntax = parse_text(&text);
                assert_eq!(syntax.findings.len(), 1, "{}: {:?}", &text[..60], &syntax.findings[0].message);
                assert!(print::tree(&syntax.file).ends_with("param y: int = 1\n"));
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(test).unwrap();
    assert!(thread.join().is_ok());
}

/// As deep as is allowed, in every way at once, parses on a stack of 1 MiB.
#[test]
fn the_deepest_allowed_parses() {
    let test = || {
        let nested = "(".repeat(60) + "1" + &")".repeat(60);
        let maps = "{a: [".repeat(30) + "1" + &"]}".repeat(30);
        let chain = "1 + ".repeat(250) + "1";
        let whens = "1 when a else ".repeat(120) + "2";
        let mixed = "f(1 + ".repeat(60) + "1" + &")".repeat(60);
        for body in [nested, maps, chain, whens, mixed] {
            let syntax = parse_text(&format!("mlp 1\nparam x: int = {body}\n"));
            assert!(syntax.findings.is_empty(), "{:?}", syntax.findings);
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(test).unwrap();
    assert!(thread.join().is_ok());
}

/// Texts that make parsers with backtracking or rescanning slow end in their own time here: each would take hours.
#[test]
fn hostile_texts_take_linear_time() {
    let n = 100_000;
    for unit in [
        "[)",
        "(}",
        "{\n}\n(",
        "{(",
        "\"\"\"\nstep ",
        "\n",
        "\n\n  \n",
        "a,",
        "\"${",
        "\\\"",
        "$",
        "step {\n",
        "# \n",
        "## a\n",
        "\n\"a",
        ".",
        "canary {\n",
        "canary { check every 1s { a } }\n",
        "check every 1s {\n",
        "tolerate = 1 a, 2 b,",
    ] {
        for head in ["", "step x = f(a) {\n", "param x: int = ", "deploy d of m {\ncanary {\n", "deploy d of m {\n"] {
            parse_text(&(head.to_owned() + &unit.repeat(n)));
        }
    }
}

#[test]
fn a_file_that_is_too_large_is_one_finding() {
    let syntax = parse_text(&" ".repeat(crate::syntax::LARGEST_FILE + 1));
    assert_eq!(syntax.findings.len(), 1);
    assert_eq!(syntax.findings[0].code.id, "E0109");
}

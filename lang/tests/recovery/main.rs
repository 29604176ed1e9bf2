//! What one wrong token does to a file: measured on every token of every example.
//!
//! `cargo test --release -p mlp-lang --test recovery -- --nocapture` prints the shares that `spec/02-grammar.md` gives.
//! `MLP_RECOVERY_SHOW=20` prints so many of the worst cases, `MLP_RECOVERY_STRIDE=1` tries every change and not some.

#[path = "../common/mod.rs"]
mod common;

use common::{Std, files, without_places};
use indexmap::IndexMap;
use mlp_lang::check::inspect;
use mlp_lang::span::Source;
use mlp_lang::syntax::lexer::{self, Token};
use mlp_lang::syntax::{Syntax, parse};
use std::collections::BTreeMap;

/// What is put between any two tokens: each bracket, marks, values, an operator, words that mean something.
const PLANTED: [&str; 18] =
    ["(", ")", "[", "]", "{", "}", ",", ":", "=", ".", "|", "x", "1", "\"", ">=", "when", "step", "require"];

/// One mistake more or less than was planted is close; more than two beside it is noise.
const CLOSE: usize = 3;

/// A file with one token more or less.
struct Change {
    /// Where in the original.
    at: usize,
    /// What was deleted there, or put there.
    what: String,
    text: String,
}

/// The declarations of a file with the bytes they own: from the end of the one before to their own end.
struct Owned {
    start: usize,
    end: usize,
    tree: String,
}

fn declarations(syntax: &Syntax) -> Vec<Owned> {
    let owned = |declaration: &mlp_lang::syntax::ast::Declaration| Owned {
        start: declaration.span.start as usize,
        end: declaration.span.end as usize,
        tree: without_places(&format!("{declaration:?}")),
    };
    syntax.file.declarations.iter().map(owned).collect()
}

/// Every deletion of a token that means something, and every insertion between two tokens.
fn changes(text: &str, stride: usize) -> impl Iterator<Item = Change> + '_ {
    let tokens = lexer::lex(text);
    let significant = tokens.clone().into_iter().filter(|t| !t.kind.is_trivia() && t.span.start < t.span.end);
    let deleted = significant.map(|t: Token| Change {
        at: t.span.start as usize,
        what: format!("without {:?}", &text[t.span.range()]),
        text: format!("{}{}", &text[..t.span.start as usize], &text[t.span.end as usize..]),
    });
    let gaps = tokens.into_iter().map(|t| t.span.start as usize);
    let inserted = gaps.flat_map(move |at| {
        PLANTED.iter().map(move |planted| Change {
            at,
            what: format!("with {planted:?}"),
            text: format!("{}{planted} {}", &text[..at], &text[at..]),
        })
    });
    deleted.chain(inserted).step_by(stride)
}

/// Whether every declaration that the change did not touch is still there, as it was and in its order.
fn others_are_whole(good: &[Owned], change: &Change, text: &str) -> bool {
    // What stands on the lines above a declaration, up to the one before, may become part of either.
    let touched = |(n, declaration): (usize, &Owned)| {
        let next = good.get(n + 1).map_or(usize::MAX, |next| next.start);
        let before = if n == 0 { 0 } else { good[n - 1].end };
        let own_line = text[..declaration.start].rfind('\n').map_or(0, |newline| newline + 1);
        let from = if change.at >= before { docs(text, own_line) } else { own_line };
        (from..next).contains(&change.at)
    };
    let kept = declarations(&parse(&Source::new("x.mlp", &change.text)));
    let mut kept = kept.iter().map(|declaration| &declaration.tree);
    good.iter().enumerate().filter(|one| !touched((one.0, one.1))).all(|(_, one)| kept.any(|tree| *tree == one.tree))
}

/// Where the comment lines directly above a line start.
fn docs(text: &str, mut line: usize) -> usize {
    while line > 0 {
        let above = text[..line - 1].rfind('\n').map_or(0, |newline| newline + 1);
        if !text[above..line].trim_start().starts_with('#') {
            break;
        }
        line = above;
    }
    line
}

#[derive(Default)]
struct Tally {
    tried: usize,
    close: usize,
    unnoticed: usize,
    whole: usize,
}

impl Tally {
    fn share(&self) -> f64 {
        100.0 * self.close as f64 / self.tried.max(1) as f64
    }
}

/// Tries all changes of all files, counting what `findings` says of each.
fn measure(title: &str, findings: impl Fn(&Source) -> usize) -> Tally {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<usize>().ok());
    // Primes, so that no planted token and no place is left out by a common factor.
    let stride = number("MLP_RECOVERY_STRIDE").unwrap_or(if cfg!(debug_assertions) { 101 } else { 7 });
    let mut all = Tally::default();
    let mut worst: BTreeMap<(bool, usize), Vec<String>> = BTreeMap::new();
    let mut sources = files(&["examples", "lang/src/syntax/tests/good.mlp", "lang/src/syntax/tests/whole.mlp"]);
    sources.retain(|(name, text)| {
        let broken = parse(&Source::new(name, text)).findings.iter().any(|finding| finding.is_error());
        assert!(!broken, "{name} has mistakes");
        !broken
    });
    for (name, text) in sources {
        let source = Source::new(&name, &text);
        let good = declarations(&parse(&source));
        let already = findings(&source);
        let mut tally = Tally::default();
        for change in changes(&text, stride) {
            let count = findings(&Source::new(&name, &change.text)).saturating_sub(already);
            let whole = others_are_whole(&good, &change, &text);
            tally.tried += 1;
            tally.close += usize::from(count <= CLOSE);
            tally.unnoticed += usize::from(count == 0);
            tally.whole += usize::from(whole);
            if count > CLOSE || !whole {
                let (line, column) = source.line_column(change.at as u32);
                let damage = if whole { "" } else { ", and damages others" };
                worst
                    .entry((!whole, count))
                    .or_default()
                    .push(format!("{name}:{line}:{column} {}: {count}{damage}", change.what));
            }
        }
        let (share, tried) = (tally.share(), tally.tried);
        println!("{title}: {share:6.2}% close of {tried:6}, others whole in {}: {name}", tally.whole);
        all.tried += tally.tried;
        all.close += tally.close;
        all.unnoticed += tally.unnoticed;
        all.whole += tally.whole;
    }
    let (share, tried) = (all.share(), all.tried);
    println!("{title}: {share:6.2}% close of {tried:6} in all, {} of them no mistake", all.unnoticed);
    let shown = number("MLP_RECOVERY_SHOW").unwrap_or(0);
    worst.into_values().rev().flatten().take(shown).for_each(|case| println!("  {case}"));
    all
}

#[test]
fn one_wrong_token_is_about_one_finding_of_syntax_and_damages_no_other_declaration() {
    let tally = measure("syntax", |source| parse(source).findings.len());
    assert!(tally.share() >= 95.0, "{:.2}%", tally.share());
    assert_eq!(tally.whole, tally.tried, "a declaration that was not touched changed");
}

#[test]
fn one_wrong_token_is_about_one_finding_of_any_kind() {
    let (std, nothing) = (Std::new(), IndexMap::new());
    let tally = measure("all", |source| inspect(source, &std, &nothing).findings.len());
    assert!(tally.share() >= 95.0, "{:.2}%", tally.share());
}

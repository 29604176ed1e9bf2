//! Fuzz targets: lexer, parser, incremental parser, checker, checker after an edit and formatter on mutated files of the repository.
//!
//! `MLP_FUZZ_SECONDS=3600 cargo test --release -p mlp-lang --test fuzz -- --nocapture` runs all targets for an hour together;
//! without the variable each runs for a moment, so that the targets themselves stay in order. `MLP_FUZZ_SEED` names where to
//! begin. There is no feedback from coverage: mutations splice the corpus with itself, token by token, which reaches what random
//! bytes never do. What is found is printed as a text that shows it, made small.

#[path = "../common/mod.rs"]
mod common;

use common::{Dice, Std, checked_again, files};
use indexmap::IndexMap;
use mlp_lang::check::inspect;
use mlp_lang::finding::{Finding, Place};
use mlp_lang::format::{Refusal, format};
use mlp_lang::span::Source;
use mlp_lang::syntax::{Incremental, lexer, parse};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What must hold of any text: nothing, or why it does not.
type Target = fn(&str) -> Result<(), String>;

const TARGETS: [(&str, Target); 6] = [
    ("lexer", lexed),
    ("parser", parsed),
    ("incremental", parsed_again),
    ("checker", checked),
    ("checker again", analysed_again),
    ("formatter", formatted),
];

/// A text that takes longer than this is a finding: it is thousands of times what its size needs.
const TOO_LONG: Duration = Duration::from_secs(10);

fn lexed(text: &str) -> Result<(), String> {
    let mut end = 0;
    for token in lexer::lex(text) {
        if token.span.start != end || text.get(token.span.range()).is_none() {
            return Err(format!("token at {:?} after {end}", token.span));
        }
        end = token.span.end;
    }
    if end as usize == text.len() { Ok(()) } else { Err(format!("ends at {end} of {}", text.len())) }
}

fn in_text(text: &str, findings: &[Finding]) -> Result<(), String> {
    for finding in findings {
        let labels = std::iter::once(&finding.primary).chain(&finding.secondary).map(|label| &label.place);
        let places = labels.filter_map(|place| match place {
            Place::Source { span, .. } => Some(*span),
            Place::Data { .. } => None,
        });
        let edits = finding.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        if let Some(span) = places.chain(edits).find(|span| text.get(span.range()).is_none()) {
            return Err(format!("{} points at {span:?}", finding.code.name));
        }
    }
    Ok(())
}

fn parsed(text: &str) -> Result<(), String> {
    in_text(text, &parse(&Source::new("fuzz.mlp", text)).findings)
}

fn parsed_again(text: &str) -> Result<(), String> {
    let half = (text.len() / 2..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let mut parser = Incremental::default();
    for part in [text, &text[half..], &text[..half], text] {
        let source = Source::new("fuzz.mlp", part);
        let (again, anew) = (parser.parse(&source), parse(&source));
        if again.file != anew.file || again.findings != anew.findings || again.broken != anew.broken {
            return Err(format!("differs on {part:?}"));
        }
    }
    Ok(())
}

fn checked(text: &str) -> Result<(), String> {
    thread_local!(static STD: Std = Std::new());
    let checked = STD.with(|std| inspect(&Source::new("fuzz.mlp", text), std, &IndexMap::new()));
    in_text(text, &checked.findings)
}

fn analysed_again(text: &str) -> Result<(), String> {
    thread_local!(static STD: Std = Std::new());
    let half = (text.len() / 2..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let line = text[..half].rfind('\n').unwrap_or(0);
    let without = format!("{}{}", &text[..line], &text[half..]);
    STD.with(|std| {
        let steps = [text, &text[half..], text, &without, &text[..half], text];
        steps.into_iter().try_fold(None, |before, text| checked_again(before, text, std).map(Some)).map(|_| ())
    })
}

fn formatted(text: &str) -> Result<(), String> {
    match format(&Source::new("fuzz.mlp", text)) {
        Err(Refusal::Unsafe(change)) => Err(change.to_string()),
        Err(Refusal::Broken(_)) => Ok(()),
        Ok(out) => match format(&Source::new("fuzz.mlp", &out)) {
            Ok(again) if again == out => Ok(()),
            other => Err(format!("not at rest: {other:?}")),
        },
    }
}

const NASTY: [&str; 26] = [
    "\"\"\"",
    "\"",
    "${",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    "\n",
    "\r\n",
    "\u{feff}",
    "é",
    "😀",
    "\0",
    "\\",
    "#",
    "## d\n",
    ",",
    ">=",
    "<",
    "\nstep ",
    "\n  ",
    "..",
    "10%",
    "9223372036854775808",
];

/// A file of the corpus, changed in a few places: tokens deleted, doubled, swapped, taken from other files, or bytes broken.
fn mutate(dice: &mut Dice, corpus: &[Vec<String>]) -> String {
    let mut tokens = corpus[dice.roll(corpus.len())].clone();
    if dice.roll(3) == 0 {
        // A short piece, so that small texts are tried often.
        let start = dice.roll(tokens.len());
        tokens = tokens.into_iter().skip(start).take(40).collect();
    }
    for _ in 0..1 + dice.roll(8) {
        if tokens.is_empty() {
            break;
        }
        let at = dice.roll(tokens.len());
        match dice.roll(7) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[at].clone()),
            2 => tokens.insert(at, NASTY[dice.roll(NASTY.len())].to_owned()),
            3 => {
                let other = dice.roll(tokens.len());
                tokens.swap(at, other);
            }
            4 => {
                let other = &corpus[dice.roll(corpus.len())];
                let from = dice.roll(other.len());
                let piece = other[from..].iter().take(1 + dice.roll(30)).cloned();
                tokens.splice(at..at, piece);
            }
            5 => {
                let end = (at + 1 + dice.roll(30)).min(tokens.len());
                tokens.drain(at..end);
            }
            _ => {
                let chars: Vec<char> = tokens[at].chars().collect();
                let cut = dice.roll(chars.len() + 1);
                tokens[at] = chars[..cut].iter().collect();
            }
        }
    }
    tokens.concat()
}

/// What is wrong with a text, if anything is: a panic counts.
fn tried(target: Target, text: &str) -> Option<String> {
    let begin = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| target(text)));
    match outcome {
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            Some(said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default())
        }
        Ok(Err(reason)) => Some(reason),
        Ok(Ok(())) if begin.elapsed() > TOO_LONG => Some(format!("took {:?}", begin.elapsed())),
        Ok(Ok(())) => None,
    }
}

/// A shorter text that is wrong too: pieces are left out as long as that is so.
fn smaller(target: Target, mut text: String) -> String {
    let mut length = text.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at < text.len() {
            let end = (at + length).min(text.len());
            let without = match (text.get(..at), text.get(end..)) {
                (Some(before), Some(after)) => format!("{before}{after}"),
                _ => text.clone(),
            };
            if without.len() < text.len() && tried(target, &without).is_some() {
                text = without;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    text
}

#[test]
fn nothing_is_found() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seconds = number("MLP_FUZZ_SECONDS");
    let each = seconds.map_or(Duration::from_millis(300), Duration::from_secs) / TARGETS.len() as u32;
    let folders = ["examples", "lang/src", "tests", "spec"];
    let split = |text: String| lexer::lex(&text).iter().map(|token| text[token.span.range()].to_owned()).collect();
    let corpus: Vec<Vec<String>> = files(&folders).into_iter().map(|(_, text)| split(text)).collect();
    let corpus: Vec<Vec<String>> = corpus.into_iter().filter(|tokens| !tokens.is_empty()).collect();
    let seed = number("MLP_FUZZ_SEED").unwrap_or(20_240_229);
    let mut found = 0;
    for (name, target) in TARGETS {
        let mut dice = Dice(seed | 1);
        let (begin, mut runs, mut here) = (Instant::now(), 0_u64, 0);
        while begin.elapsed() < each && here < 5 {
            let text = mutate(&mut dice, &corpus);
            runs += 1;
            if tried(target, &text).is_some() {
                let small = smaller(target, text);
                println!("{name}: {}\n{small:?}", tried(target, &small).unwrap_or_default());
                here += 1;
            }
        }
        println!("{name}: {runs} texts in {:.1} s, {here} found", begin.elapsed().as_secs_f64());
        found += here;
    }
    assert_eq!(found, 0);
}

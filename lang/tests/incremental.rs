//! The law of editing: whatever is typed, a check after an edit says what a check of the whole text says.
//!
//! `MLP_EDITS=2000 cargo test --release -p mlp-lang --test incremental` makes that many edits in each file, and `MLP_FUZZ_SEED`
//! says where to begin; without them the test takes a moment, and is the same each time.

mod common;

use common::{Dice, Std, checked_again, files};
use mlp_lang::analysis::Analysis;
use mlp_lang::syntax::lexer;

/// What people type, and what makes declarations begin, end and run into each other.
const TYPED: [&str; 30] = [
    "a",
    "_",
    "1",
    " ",
    "\n",
    "\n\n",
    "\"",
    "\"\"\"",
    "{",
    "}",
    "(",
    ")",
    ".",
    ",",
    ":",
    "=",
    "#",
    "# mlp: allow(unused-param)\n",
    "## ",
    "10%",
    " when true",
    " after quality",
    "\nparam extra: int = 3\n",
    "\nstep ",
    "\ngate g {\n  require 1 > 0\n}\n",
    "\nuse std/tabular\n",
    "\npipeline p {\n}\n",
    "${",
    "\\",
    "é",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let words = lexer::lex(text).into_iter().filter(|token| token.kind == lexer::TokenKind::Word);
    words.map(|token| token.span.range()).collect()
}

/// One edit, as people make them.
fn edit(dice: &mut Dice, text: &str, past: &[String]) -> String {
    let mut text = text.to_owned();
    let at = (dice.roll(text.len() + 1)..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let blocks: Vec<&str> = text.split_inclusive("\n\n").collect();
    let words = words(&text);
    match dice.roll(10) {
        0 | 1 => text.insert_str(at, TYPED[dice.roll(TYPED.len())]),
        2 => drop(text[at..].chars().next().map(|c| text.replace_range(at..at + c.len_utf8(), ""))),
        // A token goes, or stands twice.
        3 => {
            let tokens = lexer::lex(&text);
            let Some(token) = tokens.get(dice.roll(tokens.len())) else { return text };
            let twice = text[token.span.range()].repeat(2 * dice.roll(2));
            text.replace_range(token.span.range(), &twice);
        }
        // A line goes.
        4 => {
            let gone = dice.roll(lines.len());
            text = lines.iter().enumerate().filter(|(line, _)| *line != gone).map(|(_, line)| *line).collect();
        }
        // A declaration moves.
        5 => {
            let mut blocks = blocks;
            if !blocks.is_empty() {
                let block = blocks.remove(dice.roll(blocks.len()));
                blocks.insert(dice.roll(blocks.len() + 1), block);
            }
            text = blocks.concat();
        }
        // A word becomes another one of the file.
        6 | 7 => {
            let (Some(from), Some(to)) = (words.get(dice.roll(words.len())), words.get(dice.roll(words.len()))) else {
                return text;
            };
            let to = text[to.clone()].to_owned();
            text.replace_range(from.clone(), &to);
        }
        // A word is renamed, wherever it stands.
        8 => {
            let Some(word) = words.get(dice.roll(words.len())) else { return text };
            let word = text[word.clone()].to_owned();
            text = text.replace(&word, &format!("{word}x"));
        }
        _ => text = past.get(dice.roll(past.len())).cloned().unwrap_or(text),
    }
    text
}

#[test]
fn a_check_after_an_edit_is_a_check_of_the_whole() {
    let std = Std::new();
    let edits = number("MLP_EDITS").unwrap_or(12);
    let mut dice = Dice(number("MLP_FUZZ_SEED").unwrap_or(20_240_229) | 1);
    let mut count = 0;
    for (path, original) in files(&["examples", "lang/src", "lang/tests", "tests", "spec"]) {
        // A long sequence of edits leaves a ruin, in which there is nothing to keep: it begins again now and then.
        let mut past = vec![original.clone()];
        let mut before: Option<Analysis> = None;
        for _ in 0..edits {
            let text = match past.len() % 9 {
                0 => original.clone(),
                _ => edit(&mut dice, &past[past.len() - 1], &past),
            };
            match checked_again(before.take(), &text, &std) {
                Ok(analysis) => before = Some(analysis),
                Err(differs) => panic!("{path} after\n{}\n{differs}", past[past.len() - 1]),
            }
            past.push(text);
            count += 1;
        }
    }
    assert!(count > 1_000, "{count}");
}

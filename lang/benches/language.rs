//! Speed of the language, as the library's own time: cold check, and one edit after another as an editor sends them, checked by
//! the call that the language server makes (`lang/ide`, `Workspace`).
//!
//! `cargo bench -p mlp-lang --bench language` prints one line a measurement: the median, and the ratio to lexing the same text,
//! which is a floor that moves with the machine. It judges nothing and never fails on a slow machine.

#[path = "../tests/common/mod.rs"]
mod common;

use common::Std;
use indexmap::IndexMap;
use mlp_lang::analysis::analyze_again;
use mlp_lang::check::inspect;
use mlp_lang::format::format;
use mlp_lang::span::Source;
use mlp_lang::syntax::{Incremental, lexer, parse};
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// As the binary does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let (std, nothing) = (Std::new(), IndexMap::new());
    for parts in [43, 430] {
        let text = long_text(parts);
        let lines = text.lines().count();
        let source = Source::new("long.mlp", &text);
        let findings = inspect(&source, &std, &nothing).findings;
        assert!(findings.iter().all(|finding| !finding.is_error()), "{findings:?}");
        let lex = median(|_| drop(black_box(lexer::lex(&text))));
        let report = |what: &str, took: Duration| {
            let ratio = took.as_secs_f64() / lex.as_secs_f64();
            println!("{lines:>6} lines  {what:>40}  {:>8.2} ms  {ratio:>6.1} x lexing", took.as_secs_f64() * 1e3);
        };
        report("lexing", lex);
        report("parsing", median(|_| drop(black_box(parse(&source)))));
        report("cold check", median(|_| drop(black_box(inspect(&Source::new("long.mlp", &text), &std, &nothing)))));
        let edits: Vec<Source> = (0..64).map(|n| edited(&text, parts, n)).collect();
        let mut parser = Incremental::default();
        report("one edit parsed again", median(|n| _ = black_box(parser.parse(&edits[n % edits.len()]))));
        for (what, edits) in places(&text, parts) {
            let mut before = None;
            report(
                &format!("{what} checked again"),
                median(|n| before = Some(analyze_again(before.take(), &edits[n % edits.len()], &std))),
            );
        }
        report("formatting", median(|_| drop(black_box(format(&source)))));
    }
}

/// The text with one number changed in the middle, another one each time.
fn edited(text: &str, parts: usize, n: usize) -> Source {
    let part = parts / 2;
    let seed = format!("seed: {part},");
    Source::new("long.mlp", &text.replace(&seed, &format!("seed: {},", 100_000 + n)))
}

/// Edits at several places of the text, each a list of texts that somebody makes one after another.
fn places(text: &str, parts: usize) -> Vec<(&'static str, Vec<Source>)> {
    let last = parts - 1;
    let made = |from: &str, to: &[&str]| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        to.iter().map(|to| Source::new("long.mlp", &text.replacen(from, to, 1))).collect::<Vec<_>>()
    };
    let seed = format!("seed: {},", parts / 2);
    let seeds: Vec<String> = (0..64).map(|n| format!("seed: {},", 100_000 + n)).collect();
    let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
    let schema = "schema Customer_0 {\n  id:";
    let step = format!("eval_{}  = classify.evaluate(", parts / 2);
    let gate = format!("require eval_{last}.auc >= 0.85");
    let line = format!("train_{}.model after quality_{}\n", parts / 2, parts / 2);
    vec![
        ("a column at the top", made(schema, &["schema Customer_0 {\n  ident:", "schema Customer_0 {\n  number:"])),
        ("a step in the middle", made(&seed, &seeds)),
        ("a gate at the end", made(&gate, &[&gate.replace("85", "86"), &gate.replace("85", "87")])),
        ("a mistake made and mended", made(&step, &[&step.replace("evaluate", "evalate"), &step])),
        ("a bracket lost and found", made(&step, &[&step.replace('(', ""), &step])),
        ("a new line", made(&line, &[&format!("{line}param more: int = 1\n"), &format!("{line}\n"), &line])),
    ]
}

/// The median of some measurements, after a few that are not counted.
fn median(mut measure: impl FnMut(usize)) -> Duration {
    let mut all = Vec::new();
    for n in 0..35 {
        let begin = Instant::now();
        measure(n);
        if n >= 4 {
            all.push(begin.elapsed());
        }
    }
    all.sort();
    all[all.len() / 2]
}

/// A thousand lines for 43 parts: everything the checker does.
fn long_text(parts: usize) -> String {
    let mut text = String::from("mlp 1\n\nuse std/tabular\nuse std/classify\n");
    for part in 0..parts {
        write!(
            text,
            r#"
param share_{part}: fraction = 20%

## Customers of region {part}.
schema Customer_{part} {{
  id:      string  unique
  age:     int     in 18..=120
  plan:    "free" | "pro" | "team"
  charges: float?  >= 0.0
  churned: bool    label
}}

data customers_{part}: Customer_{part} {{
  source = csv("data/customers_{part}.csv")
  expect rows >= 1_000 and missing(charges) <= 2%
}}

step split_{part} = tabular.split(customers_{part}, test: share_{part}, seed: {part}, stratify: churned)
step train_{part} = classify.gradient_boosting(split_{part}.train)
step eval_{part}  = classify.evaluate(train_{part}.model, split_{part}.test, by: [plan])

gate quality_{part} {{
  require eval_{part}.auc >= 0.85 - 0.5%   because "below this it loses money"
}}

model churn_{part} = train_{part}.model after quality_{part}
"#
        )
        .expect("text");
    }
    text
}

//! What is shown of a whole document: colours, hints, outlines, folds, links, lenses; and what is done about findings.

mod support;

use mlp_ide::TokenKind;
use mlp_lang::span::Span;
use std::fmt::Write;

const BIKESHARE: &str = include_str!("support/bikeshare.mlp");

fn whole(text: &str) -> Span {
    Span::new(0, text.len())
}

#[test]
fn every_word_of_the_example_has_its_colour() {
    let workspace = support::workspace(BIKESHARE);
    let mut seen = String::new();
    let mut line = 0;
    for token in workspace.tokens(support::PATH, None) {
        let here = BIKESHARE[..token.span.start as usize].matches('\n').count() + 1;
        if here != line {
            line = here;
            let _ = write!(seen, "\n{line}:");
        }
        if token.kind == TokenKind::Comment || token.kind == TokenKind::Operator {
            continue;
        }
        let declares = if token.declares { "!" } else { "" };
        let _ = write!(seen, " {}={:?}{declares}", &BIKESHARE[token.span.range()], token.kind);
    }
    insta::assert_snapshot!(seen);
    let part =
        Span::new(BIKESHARE.find("schema Hour").expect("a schema"), BIKESHARE.find("data rentals").expect("data"));
    let tokens = workspace.tokens(support::PATH, Some(part));
    let all = workspace.tokens(support::PATH, None);
    let inside: Vec<_> =
        all.into_iter().filter(|token| token.span.start < part.end && part.start < token.span.end).collect();
    assert_eq!(tokens, inside, "a part of the colours is a part of all of them");
}

#[test]
fn hints_say_what_steps_give_and_what_calls_leave_out() {
    let workspace = support::workspace(BIKESHARE);
    let mut text = BIKESHARE.to_owned();
    for hint in workspace.hints(support::PATH, whole(BIKESHARE)).iter().rev() {
        text.insert_str(hint.at as usize, &format!("\u{ab}{}\u{bb}", hint.label));
    }
    let lines: Vec<&str> = text.lines().filter(|line| line.contains('\u{ab}')).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_outline_has_every_declaration() {
    fn written(out: &mut String, symbols: &[mlp_ide::Outlined], depth: usize) {
        for symbol in symbols {
            let detail = if symbol.detail.is_empty() { String::new() } else { format!("  [{}]", symbol.detail) };
            let _ = writeln!(out, "{}{:?} {}{detail}", "  ".repeat(depth), symbol.kind, symbol.name);
            written(out, &symbol.children, depth + 1);
        }
    }
    let workspace = support::workspace(BIKESHARE);
    let outline = workspace.outline(support::PATH);
    let mut seen = String::new();
    written(&mut seen, &outline, 0);
    insta::assert_snapshot!(seen);
    for symbol in &outline {
        assert!(
            symbol.span.start <= symbol.name_span.start && symbol.name_span.end <= symbol.span.end,
            "{}",
            symbol.name
        );
    }
}

#[test]
fn declarations_of_all_documents_are_searched() {
    let mut workspace = support::workspace(BIKESHARE);
    workspace.set("/work/b.mlp", support::PRELUDE, None);
    let found = |query: &str| -> Vec<String> {
        let found = workspace.search(query);
        found.iter().map(|(location, symbol)| format!("{} {}", location.path, symbol.name)).collect()
    };
    assert_eq!(found("split"), ["/work/a.mlp split", "/work/b.mlp split"]);
    assert_eq!(found("tev"), ["/work/a.mlp trees_eval"]);
    assert!(found("nothing like it").is_empty());
}

#[test]
fn what_spans_lines_can_be_folded() {
    let workspace = support::workspace(BIKESHARE);
    let mut seen = String::new();
    for fold in workspace.folds(support::PATH) {
        let line = |offset: u32| BIKESHARE[..offset as usize].matches('\n').count() + 1;
        let first = BIKESHARE.lines().nth(line(fold.span.start) - 1).expect("a line");
        let _ = writeln!(seen, "{}-{} {:?} {first}", line(fold.span.start), line(fold.span.end), fold.kind);
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn a_selection_grows_from_word_to_file() {
    let workspace = support::workspace(BIKESHARE);
    let at = BIKESHARE.find("weathersit, temp, hum, windspeed])").expect("a list") as u32 + 2;
    let mut seen = String::new();
    for span in workspace.selections(support::PATH, at) {
        let text = &BIKESHARE[span.range()];
        let _ = match text.len() {
            0..200 => writeln!(seen, "{text}\n--"),
            long => writeln!(seen, "{long} bytes\n--"),
        };
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn a_document_that_runs_can_be_run_and_planned() {
    let titles = |text: &str| -> Vec<String> {
        support::workspace(text).lenses(support::PATH).into_iter().map(|lens| lens.title).collect()
    };
    assert_eq!(titles(BIKESHARE), ["run", "plan"]);
    assert_eq!(support::workspace(BIKESHARE).plan(support::PATH).as_deref(), Some("14 nodes"));
    assert_eq!(titles("mlp 1\nschema A { a: int }\n"), [""; 0]);
    assert_eq!(titles(&BIKESHARE.replace("tabular.split", "tabular.splitt")), ["run"]);
}

#[test]
fn fixes_are_offered_and_the_safe_ones_applied_together() {
    let text = format!(
        "{}param part: fraction = 0.1\nparam other: fraction = 0.2\nstep s = tabular.splt(customers, test: part)\n",
        support::PRELUDE
    );
    let workspace = support::workspace(&text);
    let actions = workspace.actions(support::PATH, whole(&text));
    let titles: Vec<_> = actions.iter().map(|action| (action.title.as_str(), action.preferred)).collect();
    assert_eq!(titles, [("Write `10%`", true), ("Write `20%`", true), ("Write `split`", false)]);
    let at = text.find("splt").expect("a mistake") as u32;
    let here = workspace.actions(support::PATH, Span { start: at + 1, end: at + 1 });
    assert_eq!(here.len(), 1, "only what touches the place");
    let all = workspace.fix_all(support::PATH).expect("safe fixes");
    let mut mended = text.clone();
    all.edits.iter().rev().for_each(|edit| mended.replace_range(edit.span.range(), &edit.text));
    assert!(mended.contains("= 10%\n") && mended.contains("= 20%\n") && mended.contains("splt"), "{mended}");
    assert!(support::workspace(&mended).fix_all(support::PATH).is_none(), "nothing safe is left");
}

#[test]
fn a_call_tells_what_it_takes() {
    let seen = support::cases(include_str!("cases/signature.txt"), |workspace, at| {
        let Some(signature) = workspace.signature(support::PATH, at) else { return "nothing".to_owned() };
        let active = signature.active.map(|active| {
            let ((start, end), doc) = &signature.parameters[active as usize];
            format!("{}\n{doc}", &signature.label[*start as usize..*end as usize])
        });
        format!("{}\nnow: {}", signature.label, active.unwrap_or_else(|| "none".to_owned()))
    });
    insta::assert_snapshot!(seen);
}

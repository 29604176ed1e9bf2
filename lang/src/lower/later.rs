//! What the language has and this version cannot run: one finding each, and nothing else is damaged.

use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::span::Span;
use crate::syntax::ast::{Declaration, DeclarationKind, Event};

/// Reports every declaration and clause that this version cannot run.
pub(super) fn report(cx: &mut Context<'_>) {
    let file = cx.file;
    for declaration in &file.declarations {
        for (span, word, help) in of(declaration) {
            let finding = Finding::error(
                codes::NOT_IN_THIS_VERSION,
                cx.place(span),
                format!("`{word}` is not in this version of mlp"),
            );
            cx.report(finding.label("not in this version").help(format!("leave it out for now; {help}")));
        }
    }
}

fn of(declaration: &Declaration) -> Vec<(Span, &'static str, &'static str)> {
    let keyword = declaration.keyword;
    match &declaration.kind {
        DeclarationKind::Tune { .. } => {
            vec![(keyword, "tune", "give the settings as parameters and run the file with several values")]
        }
        DeclarationKind::Test { .. } => vec![(keyword, "test", "run the file with other data and other parameters")],
        DeclarationKind::Component { .. } => {
            vec![(keyword, "component", "write its declarations where they are used")]
        }
        DeclarationKind::Trigger { event, .. } => match event {
            Event::Webhook(name) => vec![(name.span, "webhook", "start runs by a schedule")],
            Event::Commit(name) => vec![(name.span, "commit", "start runs by a schedule")],
            Event::End(name) => vec![(name.span, "end", "start runs by a schedule")],
            Event::Schedule { .. } | Event::Change(_) => Vec::new(),
        },
        DeclarationKind::Deploy { strategies, .. } => {
            let ab = strategies.iter().filter(|strategy| strategy.word.name == "ab");
            ab.map(|ab| (ab.word.span, "ab", "use `canary`, and compare the versions by hand")).collect()
        }
        DeclarationKind::Gate { approvals, .. } => {
            let approve = |span| (span, "approve", "a gate requires conditions on metrics");
            approvals.iter().map(|approval| approve(approval.span)).collect()
        }
        DeclarationKind::Step { fan, .. } => {
            fan.iter().map(|fan| (fan.span, "for", "write one step for each")).collect()
        }
        _ => Vec::new(),
    }
}

//! What the language has and this version cannot run: one finding each, and nothing else is damaged.

use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::span::Span;
use crate::syntax::ast::{Declaration, DeclarationKind};

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
    match &declaration.kind {
        DeclarationKind::Step { fan, .. } => {
            fan.iter().map(|fan| (fan.span, "for", "write one step for each")).collect()
        }
        _ => Vec::new(),
    }
}

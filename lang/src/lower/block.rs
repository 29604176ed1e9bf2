//! Settings of blocks: each known one at most once, the others reported.

use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::names::suggest;
use crate::syntax::ast::{ExprKind, Setting};
use crate::written::listed;
use std::collections::HashMap;

/// The settings of one block by name, those in `known` only. `later` are known to the language and absent today.
pub(super) fn settings<'e>(
    cx: &mut Context<'_>,
    block: &str,
    settings: &'e [Setting],
    known: &[&str],
    later: &[&str],
) -> HashMap<&'e str, &'e Setting> {
    let mut found: HashMap<&str, &Setting> = HashMap::new();
    for setting in settings {
        let name = setting.name.name.as_str();
        if later.contains(&name) {
            cx.report(
                Finding::error(
                    codes::NOT_IN_THIS_VERSION,
                    cx.place(setting.name.span),
                    format!("`{name}` of {block} is not in this version of mlp"),
                )
                .help("leave it out for now"),
            );
        } else if !known.contains(&name) {
            let near = cx.names.nearest(name, known.iter().copied());
            let finding = Finding::error(
                codes::UNKNOWN_SETTING,
                cx.place(setting.name.span),
                format!("{block} has no setting `{name}`"),
            );
            let finding = suggest(finding, setting.name.span, near, || match known {
                [] => "it has none".to_owned(),
                known => format!("it has {}", listed(known)),
            });
            cx.report(finding);
        } else if let Some(first) = found.get(name) {
            let finding = Finding::error(
                codes::DUPLICATE_SETTING,
                cx.place(setting.name.span),
                format!("`{name}` is given twice"),
            )
            .also(cx.place(first.name.span), "first given here")
            .help("remove one");
            cx.report(finding);
        } else {
            found.insert(name, setting);
        }
    }
    found
}

/// Whether a setting's value was understood at all.
pub(super) fn is_broken(setting: &Setting) -> bool {
    matches!(setting.value.kind, ExprKind::Error)
}

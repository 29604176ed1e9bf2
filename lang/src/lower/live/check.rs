//! `check every 30s { error_rate <= 1%  on_no_data = wait  tolerate = 2 failures }`

use super::{count, duration, on_no_data};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::live::{Check, Condition};
use crate::lower::{block, certainty};
use crate::names::suggest;
use crate::syntax::ast::{self, Verdict};
use crate::typing::{Scope, Typing};
use crate::written::listed;

/// How many errors in a row are borne, when nothing is said.
const ERRORS: u32 = 4;

pub(super) fn lower(cx: &mut Context<'_>, written: &ast::Check, damaged: bool) -> Option<Check> {
    let every = written.every.as_ref().map(|every| duration(cx, every, "`check every`"));
    let found = block::settings(cx, "a check", &written.settings, &["on_no_data"], &[]);
    let on_no_data = on_no_data(cx, &found, "a check", written.span, written.block, damaged);
    let counts = tolerated(cx, &written.tolerate);
    if written.verdicts.is_empty() && !damaged {
        let finding = Finding::error(codes::NOTHING_CHECKED, cx.place(written.span), "this check has no conditions");
        cx.report(finding.help("add one, such as `error_rate <= 1%`"));
        return None;
    }
    let conditions: Vec<_> = written.verdicts.iter().map(|verdict| condition(cx, verdict)).collect();
    let conditions: Vec<Condition> = conditions.into_iter().collect::<Option<_>>()?;
    let joint: Vec<_> =
        written.verdicts.iter().map(|it| &it.success).zip(conditions.iter().map(|it| &it.success)).collect();
    certainty::contradictions(cx, &joint);
    let [failures, inconclusive, errors] = counts?;
    Some(Check {
        every: every??,
        conditions,
        on_no_data: on_no_data?,
        failures: failures.unwrap_or(0),
        inconclusive: inconclusive.unwrap_or(0),
        errors: errors.unwrap_or(ERRORS),
    })
}

fn condition(cx: &mut Context<'_>, verdict: &Verdict) -> Option<Condition> {
    let success = Typing::new(cx, Scope::Service).condition(&verdict.success);
    let failure = verdict.failure.as_ref().map(|failure| Typing::new(cx, Scope::Service).condition(failure));
    if success.is_unknown() || failure.as_ref().is_some_and(|failure| failure.is_unknown()) {
        return None;
    }
    certainty::report(cx, &verdict.success, &success.expr);
    Some(Condition {
        success: success.expr,
        failure: failure.map(|failure| failure.expr),
        text: cx.text(verdict.success.span),
        span: verdict.span,
    })
}

/// `tolerate = 2 failures, 1 inconclusive, 4 errors`, in this order.
fn tolerated(cx: &mut Context<'_>, counts: &[(ast::Expr, ast::Ident)]) -> Option<[Option<u32>; 3]> {
    const WORDS: [&str; 5] = ["failures", "inconclusive", "errors", "failure", "error"];
    let mut found = [None; 3];
    let mut sound = true;
    for (number, word) in counts {
        let what = format!("the number of {}", word.name);
        let number = count(cx, number, &what, 0, u32::MAX);
        sound &= number.is_some();
        let at = match WORDS.iter().position(|known| *known == word.name) {
            Some(3) => 0,
            Some(4) => 2,
            Some(at) => at,
            None => {
                let near = cx.names.nearest(&word.name, WORDS);
                let message = format!("`{}` cannot be tolerated", word.name);
                let finding = Finding::error(codes::NOT_ONE_OF, cx.place(word.span), message);
                cx.report(suggest(finding, word.span, near, || format!("these can: {}", listed(&WORDS[..3]))));
                sound = false;
                continue;
            }
        };
        if found[at].is_some() {
            let message = format!("`{}` are counted twice", WORDS[at]);
            cx.report(Finding::error(codes::DUPLICATE_SETTING, cx.place(word.span), message).help("remove one"));
            sound = false;
        }
        found[at] = number;
    }
    sound.then_some(found)
}

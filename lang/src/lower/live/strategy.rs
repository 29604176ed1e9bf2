//! `canary { 5% for 10m  100%  check every 30s { ... } }` and the other ways to take over.

use super::{ab, check, constant, duration};
use crate::codes;
use crate::context::{Context, Trained};
use crate::finding::{Finding, Safety};
use crate::live::{CanaryStep, Check, Hold, Strategy};
use crate::lower::block;
use crate::syntax::ast::{self, Weight};
use crate::types::Type;
use crate::value::Value;
use crate::written::listed;

/// What is known of a deployment where its strategy is looked at.
pub(super) struct Deployed<'d> {
    pub(super) name: &'d str,
    pub(super) trained: Option<&'d Trained>,
    pub(super) flavor: Option<&'d str>,
    /// Whether a part of it could not be understood.
    pub(super) damaged: bool,
}

pub(super) fn lower(cx: &mut Context<'_>, written: &ast::Strategy, deployed: &Deployed<'_>) -> Option<Strategy> {
    let (word, damaged) = (&*written.word.name, deployed.damaged);
    if word == "ab" {
        let check = written.check.as_ref().map(|check| check::lower(cx, check, damaged));
        let ab = ab::lower(cx, written, deployed);
        return match check {
            None => ab,
            Some(check) => Some(with_check(ab?, check?)),
        };
    }
    block::settings(cx, &format!("`{word}`"), &written.settings, &[], &[]);
    let check = written.check.as_ref().map(|check| check::lower(cx, check, damaged));
    let strategy = match word {
        "canary" => {
            let phases = phases(cx, written, &[]);
            let steps = steps(cx, written, damaged);
            phases.zip(steps).map(|(_, steps)| Strategy::Canary { steps, check: None })
        }
        "shadow" => {
            let phases = phases(cx, written, &[]);
            let shadow = shadow(cx, written, damaged);
            phases.zip(shadow).map(|(_, (share, hold))| Strategy::Shadow { share, hold, check: None })
        }
        "blue_green" => {
            let weightless = no_weights(cx, written);
            let phases = phases(cx, written, &["preview", "keep"]);
            weightless.zip(phases).map(|(_, found)| Strategy::BlueGreen {
                preview: found[0].unwrap_or(0),
                keep: found[1].unwrap_or(0),
                check: None,
            })
        }
        _ => {
            let weightless = no_weights(cx, written);
            let phases = phases(cx, written, &["watch"]);
            weightless.zip(phases).map(|(_, found)| Strategy::Replace { watch: found[0].unwrap_or(0), check: None })
        }
    };
    if let Some(strategy @ (Strategy::Replace { .. } | Strategy::BlueGreen { .. })) = &strategy
        && !damaged
    {
        pairs_up(cx, written, strategy)?;
    }
    match check {
        None => strategy,
        Some(check) => Some(with_check(strategy?, check?)),
    }
}

fn with_check(mut strategy: Strategy, lowered: Check) -> Strategy {
    match &mut strategy {
        Strategy::Replace { check, .. }
        | Strategy::Canary { check, .. }
        | Strategy::BlueGreen { check, .. }
        | Strategy::Shadow { check, .. } => *check = Some(lowered),
        Strategy::Ab(ab) => ab.check = Some(lowered),
    }
    strategy
}

/// A check needs a time in which it runs.
fn pairs_up(cx: &mut Context<'_>, written: &ast::Strategy, strategy: &Strategy) -> Option<()> {
    let Some(check) = &written.check else { return Some(()) };
    let (never, line) = match strategy {
        Strategy::Replace { watch, .. } => (*watch == 0, "watch for 10m"),
        Strategy::BlueGreen { preview, keep, .. } => (*preview == 0 && *keep == 0, "preview for 10m"),
        _ => (false, ""),
    };
    if !never {
        return Some(());
    }
    let finding = Finding::error(
        codes::MISSING_SETTING,
        cx.place(check.span),
        format!("`{}` has no time in which this is checked", written.word.name),
    );
    cx.report(finding.label("never runs").help(format!("say how long: `{line}`")));
    None
}

/// Lengths of the phases of these names, in their order.
pub(super) fn phases(cx: &mut Context<'_>, written: &ast::Strategy, known: &[&str]) -> Option<Vec<Option<i64>>> {
    let mut found: Vec<Option<i64>> = vec![None; known.len()];
    let mut places = vec![None; known.len()];
    let mut sound = true;
    for phase in &written.phases {
        let name = &*phase.name.name;
        let length = duration(cx, &phase.length, &format!("`{name} for`"));
        let Some(at) = known.iter().position(|known| *known == name) else {
            let near = cx.names.nearest(name, known.iter().copied());
            let message = format!("`{}` has no `{name}`", written.word.name);
            let finding = Finding::error(codes::UNKNOWN_SETTING, cx.place(phase.name.span), message);
            cx.report(crate::names::suggest(finding, phase.name.span, near, || match known {
                [] => "it has lines such as `5% for 10m`".to_owned(),
                known => format!("it has {}", listed(known.iter().map(|name| format!("{name} for")))),
            }));
            sound = false;
            continue;
        };
        sound &= length.is_some();
        if let Some(first) = places[at] {
            let message = format!("`{name}` is given twice");
            let finding = Finding::error(codes::DUPLICATE_SETTING, cx.place(phase.name.span), message);
            cx.report(finding.also(cx.place(first), "first given here").help("remove one"));
            sound = false;
            continue;
        }
        places[at] = Some(phase.name.span);
        found[at] = length;
    }
    sound.then_some(found)
}

/// Weights where all traffic moves at once.
fn no_weights(cx: &mut Context<'_>, written: &ast::Strategy) -> Option<()> {
    let weight = match written.weights.first() {
        None => return Some(()),
        Some(weight) => weight,
    };
    let message = format!("`{}` moves all traffic at once, and has no weights", written.word.name);
    let finding = Finding::error(codes::BAD_WEIGHTS, cx.place(weight.span), message);
    cx.report(finding.label("a weight").help("weights belong to a `canary { ... }`"));
    None
}

pub(super) fn share(cx: &mut Context<'_>, weight: &Weight) -> Option<f64> {
    let allowed = |value: &Value| matches!(value, Value::Fraction(share) if *share > 0.0 && *share <= 1.0);
    match constant(cx, &weight.share, &Type::Fraction, "a weight", "more than 0% and at most 100%", allowed)? {
        Value::Fraction(share) => Some(share),
        _ => None,
    }
}

/// The steps of a canary.
fn steps(cx: &mut Context<'_>, written: &ast::Strategy, damaged: bool) -> Option<Vec<CanaryStep>> {
    let mut steps: Vec<CanaryStep> = Vec::new();
    let mut sound = !damaged;
    for (at, weight) in written.weights.iter().enumerate() {
        let last = at + 1 == written.weights.len();
        let share = share(cx, weight);
        let hold = hold(cx, weight, share, last && !damaged);
        let (Some(share), Some(hold)) = (share, hold) else {
            sound = false;
            continue;
        };
        if let Some(before) = steps.last().filter(|before| before.weight >= share) {
            let (before, this) = (Value::Fraction(before.weight), Value::Fraction(share));
            let finding = Finding::error(
                codes::BAD_WEIGHTS,
                cx.place(weight.share.span),
                format!("weights rise from step to step, and {this} comes after {before}"),
            );
            cx.report(finding.label("does not rise").help("put the steps in order, and leave out what stands still"));
            sound = false;
        }
        steps.push(CanaryStep { weight: share, hold });
    }
    let place = written.weights.last().map_or(written.word.span, |last| last.share.span);
    if sound && steps.last().is_none_or(|last| last.weight < 1.0) {
        let at = written.weights.last().map(|last| last.span);
        let message = match steps.last() {
            Some(last) => format!("a canary ends with 100%, and this one with {}", Value::Fraction(last.weight)),
            None => "a canary ends with 100%, and this one has no steps".to_owned(),
        };
        let mut finding = Finding::error(codes::BAD_WEIGHTS, cx.place(place), message).help("add the line `100%`");
        if let Some(at) = at {
            let line = super::added_line(cx, line_of(cx, at), "100%");
            finding = finding.fix("add `100%`", crate::span::Span { start: at.end, end: at.end }, line, Safety::Unsafe);
        }
        cx.report(finding);
        sound = false;
    }
    sound.then_some(steps)
}

/// From the newline before a line to its end, to learn its indentation; without one, the line.
fn line_of(cx: &Context<'_>, line: crate::span::Span) -> crate::span::Span {
    let before = cx.source.text.get(..line.start as usize).unwrap_or_default();
    let start = before.rfind('\n').filter(|at| before[*at..].trim().is_empty()).unwrap_or(line.start as usize);
    crate::span::Span::new(start, line.end as usize)
}

/// How long a step stands.
fn hold(cx: &mut Context<'_>, weight: &Weight, share: Option<f64>, last: bool) -> Option<Hold> {
    let whole = share == Some(1.0);
    match &weight.hold {
        ast::Hold::Unsaid if whole => Some(Hold::Done),
        // Its own finding says that it is not 100%.
        ast::Hold::Unsaid if share.is_none() || last => Some(Hold::Done),
        ast::Hold::Unsaid => {
            let finding = Finding::error(
                codes::BAD_WEIGHTS,
                cx.place(weight.span),
                "this step does not say when the next one comes",
            );
            let text = cx.text(weight.span);
            cx.report(
                finding.label("stands how long?").help(format!("write `{text} for 10m` or `{text} until promoted`")),
            );
            None
        }
        ast::Hold::For(_) | ast::Hold::UntilPromoted(_) if whole => {
            let at = crate::span::Span { start: weight.share.span.end, end: weight.span.end };
            let finding =
                Finding::error(codes::BAD_WEIGHTS, cx.place(at), "100% is the end of a canary, and stands for good");
            cx.report(
                finding.label("nothing comes after it").help("remove it; to go on watching, declare a `monitor`").fix(
                    "remove it",
                    at,
                    "",
                    Safety::Unsafe,
                ),
            );
            None
        }
        ast::Hold::For(length) => duration(cx, length, "a step's time").map(Hold::For),
        ast::Hold::UntilPromoted(_) => Some(Hold::UntilPromoted),
    }
}

/// The share and the time of a shadow.
fn shadow(cx: &mut Context<'_>, written: &ast::Strategy, damaged: bool) -> Option<(f64, i64)> {
    let [weight, others @ ..] = written.weights.as_slice() else {
        if !damaged {
            let finding = Finding::error(
                codes::MISSING_SETTING,
                cx.place(written.word.span),
                "this shadow does not say how many requests are copied, and how long",
            );
            cx.report(finding.help("write `100% for 1h`"));
        }
        return None;
    };
    if let Some(other) = others.first() {
        let finding =
            Finding::error(codes::BAD_WEIGHTS, cx.place(other.span), "a shadow has one share, and this is the second");
        cx.report(finding.also(cx.place(weight.span), "the first").help("keep one of them"));
        return None;
    }
    let share = share(cx, weight);
    let ast::Hold::For(length) = &weight.hold else {
        let text = cx.text(weight.share.span);
        let finding = Finding::error(codes::BAD_WEIGHTS, cx.place(weight.span), "a shadow says how long it lasts");
        cx.report(
            finding.help(format!("write `{text} for 1h`; when the time is over it waits for `mlp deploy promote`")),
        );
        return None;
    };
    let length = duration(cx, length, "a shadow's time");
    share.zip(length)
}

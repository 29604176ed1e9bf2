//! `ab { 50% for 14d  maximize accuracy(label: churned, delay: 7d)  on_no_data = wait }`

use super::strategy::{Deployed, phases, share};
use super::watch::{self, Direction, Watching};
use super::{constant, duration, on_no_data};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::live::{Ab, Goal, LabelMetric, LiveMetric, Strategy, Watched};
use crate::lower::{block, tune};
use crate::span::Span;
use crate::syntax::ast::{self, Hold};
use crate::types::Type;
use crate::value::Value;

/// What is taken when nothing is said: as in most of the literature.
const SIGNIFICANCE: f64 = 0.05;
const POWER: f64 = 0.8;

pub(super) fn lower(cx: &mut Context<'_>, written: &ast::Strategy, deployed: &Deployed<'_>) -> Option<Strategy> {
    let known = ["significance", "power", "smallest", "on_no_data"];
    let found = block::settings(cx, "`ab`", &written.settings, &known, &[]);
    let phases = phases(cx, written, &[]);
    let weight = weight(cx, written, deployed.damaged);
    let goal = goal(cx, written, deployed);
    let setting = |name: &str| found.get(name).filter(|setting| !block::is_broken(setting)).map(|it| &it.value);
    let broken = found.values().any(|setting| block::is_broken(setting));
    let mut part = |name: &str, otherwise: f64, highest: f64| {
        let Some(written) = setting(name) else { return Some(otherwise) };
        let inside = |value: &Value| matches!(value, Value::Fraction(part) if *part > 0.0 && *part < highest);
        let range = format!("more than 0% and less than {}", Value::Fraction(highest));
        match constant(cx, written, &Type::Fraction, &format!("`{name}`"), &range, inside)? {
            Value::Fraction(part) => Some(part),
            _ => None,
        }
    };
    // A significance of a half is a coin.
    let (significance, power) = (part("significance", SIGNIFICANCE, 0.5), part("power", POWER, 1.0));
    let smallest = match (setting("smallest"), &goal) {
        (Some(written), Some((_, _, ty))) => {
            let above = |value: &Value| match value {
                Value::Fraction(part) => *part > 0.0 && *part < 1.0,
                Value::Float(number) => *number > 0.0,
                Value::Duration(length) => *length > 0,
                Value::Int(number) => *number > 0,
                _ => false,
            };
            let range = if *ty == Type::Fraction { "more than 0% and less than 100%" } else { "above 0" };
            constant(cx, written, ty, "`smallest`", range, above)
        }
        (Some(_), None) => None,
        (None, _) => {
            if !deployed.damaged {
                let message = "this experiment does not say which difference is worth acting on";
                let finding = Finding::error(codes::MISSING_SETTING, cx.place(written.word.span), message);
                cx.report(finding.help("add `smallest = 1%`, in the unit of the goal"));
            }
            None
        }
    };
    let block = written.weights.last().map_or(written.word.span, |weight| weight.span);
    let no_data =
        on_no_data(cx, &found, "an experiment", written.word.span, last_line(written, block), deployed.damaged);
    phases?;
    let ((share, length), (maximize, goal, ty)) = (weight?, goal?);
    let (significance, power, smallest) = (significance?, power?, smallest?);
    let needed = match (&ty, &smallest) {
        (Type::Fraction, Value::Fraction(difference)) => needed(significance, power, *difference),
        _ => None,
    };
    (!broken).then_some(())?;
    Some(Strategy::Ab(Box::new(Ab {
        share,
        length,
        goal,
        maximize,
        significance,
        power,
        smallest,
        on_no_data: no_data?,
        needed,
        check: None,
    })))
}

/// The last line of the block that was understood: a new one goes behind it.
fn last_line(written: &ast::Strategy, otherwise: Span) -> Span {
    let settings = written.settings.iter().map(|setting| setting.span);
    let goals = written.goals.iter().map(|goal| goal.span);
    settings.chain(goals).chain([otherwise]).max_by_key(|span| span.end).unwrap_or(otherwise)
}

/// `50% for 14d`: the share and the length.
fn weight(cx: &mut Context<'_>, written: &ast::Strategy, damaged: bool) -> Option<(f64, i64)> {
    let [weight, others @ ..] = written.weights.as_slice() else {
        if !damaged {
            let message = "this experiment does not say how many requests the candidate answers, and how long";
            let finding = Finding::error(codes::MISSING_SETTING, cx.place(written.word.span), message);
            cx.report(finding.help("add `50% for 14d`"));
        }
        return None;
    };
    if let Some(other) = others.first() {
        let message = "an experiment has one share from beginning to end, and this is the second";
        let finding = Finding::error(codes::BAD_WEIGHTS, cx.place(other.span), message);
        cx.report(finding.also(cx.place(weight.span), "the first").help("keep one of them; a `canary` has several"));
        return None;
    }
    let share = share(cx, weight);
    if share == Some(1.0) {
        let message = "with 100% nobody is left to compare with";
        let finding = Finding::error(codes::BAD_WEIGHTS, cx.place(weight.share.span), message);
        cx.report(finding.help("write `50% for 14d`"));
        return None;
    }
    let Hold::For(length) = &weight.hold else {
        let text = cx.text(weight.share.span);
        let message = "an experiment says from the beginning how long it lasts";
        let finding = Finding::error(codes::BAD_WEIGHTS, cx.place(weight.span), message);
        cx.report(
            finding
                .note("who looks every day and stops when it looks well finds differences that are not there")
                .help(format!("write `{text} for 14d`")),
        );
        return None;
    };
    let length = duration(cx, length, "the time of an experiment");
    share.zip(length)
}

/// What is compared, whether it is to be large, and its type.
fn goal(cx: &mut Context<'_>, written: &ast::Strategy, deployed: &Deployed<'_>) -> Option<(bool, Goal, Type)> {
    let add = "add a line such as `maximize accuracy(label: churned)` or `minimize error_rate`";
    let goal = tune::only_goal(cx, &written.goals, ("an experiment", add), written.word.span, deployed.damaged);
    let first = written.goals.first()?;
    let watching = Watching {
        name: deployed.name,
        trained: deployed.trained,
        flavor: deployed.flavor,
        reference: None,
        every: None,
        online: Some(true),
    };
    let (what, ty, direction) = watch::number_of(cx, &watching, &first.metric)?;
    let what = match what {
        Watched::Service(LiveMetric::Requests) => {
            let message = "how many requests come is not up to the versions";
            let finding = Finding::error(codes::UNFIT_METRIC, cx.place(first.metric.span), message);
            cx.report(finding.help("compare `error_rate`, `p95(latency)`, or a metric against labels"));
            return None;
        }
        Watched::Service(metric) => Goal::Service(metric),
        Watched::Label { metric: LabelMetric::Bias, .. } => {
            let message = "a bias is best at 0, and neither large nor small";
            let finding = Finding::error(codes::UNFIT_METRIC, cx.place(first.metric.span), message);
            cx.report(finding.help("compare `mae` or `rmse`"));
            return None;
        }
        Watched::Label { metric, label, delay } => Goal::Label { metric, label, delay },
        Watched::Drift { .. } | Watched::Drifted { .. } => return None,
    };
    let wanted = direction == Direction::High;
    if wanted != first.maximize {
        let (right, found) = if wanted { ("maximize", "minimize") } else { ("minimize", "maximize") };
        let text = cx.text(first.metric.span);
        let kind = if wanted { "small" } else { "large" };
        let message = format!("`{text}` is {kind} when a model is bad");
        let place = Span { start: first.span.start, end: first.span.start + found.len() as u32 };
        let finding = Finding::error(codes::WRONG_DIRECTION, cx.place(place), message).label("the wrong way round");
        cx.report(finding.help(format!("write `{right}`")).fix(
            format!("write `{right}`"),
            place,
            right,
            crate::finding::Safety::Unsafe,
        ));
        return None;
    }
    goal.map(|goal| (goal.maximize, what, ty))
}

/// How many requests each version must answer so that a difference of two shares is found, whatever the shares are: they
/// lie around a half, where they vary most. Fleiss, "Statistical Methods for Rates and Proportions", formula without
/// correction for continuity:
///
/// n = ((z(1 - a/2) sqrt(2 p q) + z(power) sqrt(p1 q1 + p2 q2)) / (p1 - p2))^2
fn needed(significance: f64, power: f64, difference: f64) -> Option<u64> {
    let (p1, p2) = (0.5 - difference / 2.0, 0.5 + difference / 2.0);
    let spread = (p1 * (1.0 - p1) + p2 * (1.0 - p2)).sqrt();
    let sum = quantile(1.0 - significance / 2.0) * 0.5_f64.sqrt() + quantile(power) * spread;
    let number = (sum / difference).powi(2).ceil();
    (number.is_finite() && number < 1e18).then_some(number as u64)
}

/// The number below which a standard normal variable lies with this probability, within 1e-9: by halving on the
/// distribution function, whose error function is the series of Abramowitz and Stegun 7.1.6.
fn quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-8.0_f64, 8.0_f64);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if below(middle) < probability { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The standard normal distribution function.
fn below(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= x * x / (2 * n + 1) as f64;
        sum += term;
    }
    0.5 + sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (probability, wanted) in
            [(0.5, 0.0), (0.8, 0.841_621_233_6), (0.975, 1.959_963_984_5), (0.995, 2.575_829_303_5)]
        {
            assert!((quantile(probability) - wanted).abs() < 1e-9, "{probability}: {}", quantile(probability));
        }
    }

    #[test]
    fn the_sample_is_the_one_of_the_textbook() {
        // p1 = 0.45, p2 = 0.55, 5%, 80%: 392 in each group.
        assert_eq!(needed(0.05, 0.8, 0.1), Some(392));
        assert_eq!(needed(0.05, 0.8, 0.01), Some(39_244));
    }
}

//! `watch drift(age, plan) <= 0.1`, `watch auc(label: churned) >= 0.8`, `watch p95(latency) <= baseline(7d)`

use super::{arguments, constant, word};
use crate::codes;
use crate::context::{Context, Trained};
use crate::finding::{Finding, Safety};
use crate::live::{DriftMethod, LabelMetric, Watch, Watched};
use crate::pipeline::Expr;
use crate::span::Span;
use crate::syntax::ast::{self, Argument, ExprKind, WatchLine};
use crate::types::{Comparison, Schema, Type};
use crate::typing::functions::column_name;
use crate::typing::live::{Past, quantile};
use crate::typing::{Scope, Typing, with_article};
use crate::value::Value;
use crate::written::listed;
use std::collections::HashMap;

/// Below it a p-value is a breach, when nothing is said.
const ALPHA: f64 = 0.05;

const METHODS: [DriftMethod; 7] = [
    DriftMethod::Auto,
    DriftMethod::Ks,
    DriftMethod::ChiSquare,
    DriftMethod::Z,
    DriftMethod::Wasserstein,
    DriftMethod::JensenShannon,
    DriftMethod::Psi,
];

const METRICS: [LabelMetric; 7] = [
    LabelMetric::Rmse,
    LabelMetric::Mae,
    LabelMetric::Bias,
    LabelMetric::R2,
    LabelMetric::Accuracy,
    LabelMetric::Auc,
    LabelMetric::LogLoss,
];

/// What is known of the deployment and of the monitor around a watch.
pub(super) struct Watching<'w> {
    /// The deployment's name.
    pub(super) name: &'w str,
    pub(super) trained: Option<&'w Trained>,
    pub(super) flavor: Option<&'w str>,
    pub(super) reference: Option<&'w Schema>,
    pub(super) every: Option<i64>,
    /// Whether there are requests. `None`: not known.
    pub(super) online: Option<bool>,
}

/// What a watch measures, as it is written: a name and its arguments.
fn measured(expr: &ast::Expr) -> Option<(&str, &[Argument])> {
    match &expr.kind {
        ExprKind::Name(name) => Some((name, &[])),
        ExprKind::Call(callee, arguments) => match &callee.kind {
            ExprKind::Name(name) => Some((name, arguments)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a condition is about drift, so that it needs a reference.
pub(super) fn is_drift(condition: &ast::Expr) -> bool {
    let ExprKind::Compare(_, left, _) = &condition.kind else { return false };
    measured(left).is_some_and(|(name, _)| matches!(name, "drift" | "drifted"))
}

fn is_watchable(name: &str) -> bool {
    matches!(name, "drift" | "drifted" | "error_rate" | "requests" | "mean")
        || quantile(name).is_some()
        || METRICS.iter().any(|metric| metric.word() == name)
}

/// Which way a number must lie for all to be well.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Direction {
    Low,
    High,
    Either,
}

pub(super) fn lower(cx: &mut Context<'_>, watching: &Watching<'_>, line: &WatchLine) -> Option<Watch> {
    let condition = &line.condition;
    let ExprKind::Compare(comparison, left, right) = &condition.kind else {
        if !matches!(condition.kind, ExprKind::Error) {
            let message = "a watch compares one number with its limit";
            let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(condition.span), message);
            cx.report(finding.help("write `watch drift(age) <= 0.1`; each condition has a `watch` of its own"));
        }
        return None;
    };
    let Some((name, given)) = measured(left).filter(|(name, _)| is_watchable(name)) else {
        nothing_to_watch(cx, left, right);
        return None;
    };
    let operator = operator(cx, left, right);
    let (what, limit) = match name {
        "drift" => {
            let what = drift(cx, watching, left, given);
            let p_value = matches!(&what, Some(Watched::Drift { method, .. }) if method.gives_p_value());
            if what.is_some() {
                let (direction, why) = match p_value {
                    true => (Direction::High, "a p-value is small when there is drift"),
                    false => (Direction::Low, "a distance is large when there is drift"),
                };
                directed(cx, *comparison, operator, direction, why)?;
            }
            (what, number(cx, right, &Type::Float))
        }
        "drifted" => {
            let columns = drifted(cx, watching, left, given);
            directed(cx, *comparison, operator, Direction::Low, "many columns drift when things are bad")?;
            (columns.map(|columns| Watched::Drifted { columns }), number(cx, right, &Type::Fraction))
        }
        name => match METRICS.into_iter().find(|metric| metric.word() == name) {
            Some(metric) => {
                let what = label(cx, watching, left, metric, given);
                let (ty, direction) = shape(metric);
                let why = match direction {
                    Direction::High => format!("`{name}` is small when a model is bad"),
                    _ => format!("`{name}` is large when a model is bad"),
                };
                directed(cx, *comparison, operator, direction, &why)?;
                (what, limit(cx, watching, line, *comparison, [left, right], &ty))
            }
            None => {
                let typed = Typing::new(cx, Scope::Service).infer(left);
                let Expr::Live(metric) = typed.expr else { return None };
                has_requests(cx, watching, left, name)?;
                let direction = if name == "requests" { Direction::Either } else { Direction::Low };
                directed(cx, *comparison, operator, direction, &format!("`{name}` is large when things are bad"))?;
                (Some(Watched::Service(metric)), limit(cx, watching, line, *comparison, [left, right], &typed.ty))
            }
        },
    };
    let text = cx.text(condition.span);
    Some(Watch { what: what?, comparison: *comparison, limit: limit?, text, span: line.span })
}

/// The type of a metric against labels, and how it lies when all is well.
fn shape(metric: LabelMetric) -> (Type, Direction) {
    match metric {
        LabelMetric::Rmse | LabelMetric::Mae | LabelMetric::LogLoss => (Type::Float, Direction::Low),
        LabelMetric::Bias => (Type::Float, Direction::Either),
        LabelMetric::R2 => (Type::Float, Direction::High),
        LabelMetric::Accuracy | LabelMetric::Auc => (Type::Fraction, Direction::High),
    }
}

/// A number about a deployment that its versions can be compared by: of the service, or against labels.
pub(super) fn number_of(
    cx: &mut Context<'_>,
    watching: &Watching<'_>,
    written: &ast::Expr,
) -> Option<(Watched, Type, Direction)> {
    if matches!(written.kind, ExprKind::Error) {
        return None;
    }
    let known = |name: &str| is_watchable(name) && !matches!(name, "drift" | "drifted");
    let Some((name, given)) = measured(written).filter(|(name, _)| known(name)) else {
        let text = cx.text(written.span);
        let message = format!("versions cannot be compared by `{text}`");
        let finding = Finding::error(codes::UNKNOWN_FUNCTION, cx.place(written.span), message).label("not measured");
        let all: Vec<&str> = ["error_rate"].into_iter().chain(METRICS.map(LabelMetric::word)).collect();
        let near = measured(written).and_then(|(name, _)| cx.names.nearest(name, all.iter().copied()));
        let place = match &written.kind {
            ExprKind::Call(callee, _) => callee.span,
            _ => written.span,
        };
        cx.report(crate::names::suggest(finding, place, near, || {
            format!("they can by {}, `p95(latency)` and `mean(latency)`", listed(&all))
        }));
        return None;
    };
    match METRICS.into_iter().find(|metric| metric.word() == name) {
        Some(metric) => {
            let (ty, direction) = shape(metric);
            Some((label(cx, watching, written, metric, given)?, ty, direction))
        }
        None => {
            let typed = Typing::new(cx, Scope::Service).infer(written);
            let Expr::Live(metric) = typed.expr else { return None };
            Some((Watched::Service(metric), typed.ty, Direction::Low))
        }
    }
}

/// Numbers about requests need a deployment that answers some.
fn has_requests(cx: &mut Context<'_>, watching: &Watching<'_>, written: &ast::Expr, name: &str) -> Option<()> {
    if watching.online != Some(false) {
        return Some(());
    }
    let message = format!("`{}` answers no requests, so it has no `{name}`", watching.name);
    let finding = Finding::error(codes::UNFIT_WATCH, cx.place(written.span), message).label("never measured");
    cx.report(finding.help("watch `drift(...)`, or a metric against labels"));
    None
}

fn nothing_to_watch(cx: &mut Context<'_>, left: &ast::Expr, right: &ast::Expr) {
    if [left, right].iter().any(|side| matches!(side.kind, ExprKind::Error)) {
        return;
    }
    let turned = measured(right).is_some_and(|(name, _)| is_watchable(name));
    let name = measured(left).map(|(name, _)| name).unwrap_or_default();
    let known: Vec<&str> =
        ["drift", "drifted", "error_rate", "requests"].into_iter().chain(METRICS.map(LabelMetric::word)).collect();
    let near = cx.names.nearest(name, known.iter().copied());
    let place = match &left.kind {
        ExprKind::Call(callee, _) => callee.span,
        _ => left.span,
    };
    let text = cx.text(left.span);
    let finding =
        Finding::error(codes::UNKNOWN_FUNCTION, cx.place(left.span), format!("a monitor cannot watch `{text}`"));
    cx.report(match (turned, near) {
        (true, _) => finding.label("not measured").help("write what is measured first, and its limit behind"),
        (false, near) => crate::names::suggest(finding, place, near, || {
            format!("it can watch {}, `p95(latency)` and `mean(latency)`", listed(&known))
        }),
    });
}

/// Where the operator between two expressions stands.
fn operator(cx: &Context<'_>, left: &ast::Expr, right: &ast::Expr) -> Span {
    let between = Span { start: left.span.end, end: right.span.start };
    let text = cx.source.text.get(between.range()).unwrap_or_default();
    let found = text.find(['<', '>', '=', '!']).zip(text.rfind(['<', '>', '=', '!']));
    found.map_or(between, |(first, last)| Span::new(between.start as usize + first, between.start as usize + last + 1))
}

/// Reports a comparison that holds when it should not. `why`: "a p-value is small when there is drift".
fn directed(cx: &mut Context<'_>, comparison: Comparison, operator: Span, wanted: Direction, why: &str) -> Option<()> {
    let found = match comparison {
        Comparison::Less | Comparison::LessOrEqual => Direction::Low,
        Comparison::Greater | Comparison::GreaterOrEqual => Direction::High,
        Comparison::Equal | Comparison::NotEqual => {
            let message = format!("a watch has a limit, and `{comparison}` is none");
            let finding = Finding::error(codes::WRONG_DIRECTION, cx.place(operator), message);
            cx.report(finding.help("write `<=` or `>=`"));
            return None;
        }
    };
    if wanted == Direction::Either || found == wanted {
        return Some(());
    }
    let right = if wanted == Direction::Low { "<=" } else { ">=" };
    let finding =
        Finding::error(codes::WRONG_DIRECTION, cx.place(operator), format!("this holds when things are bad: {why}"))
            .label("the wrong way round");
    cx.report(finding.help(format!("a watch says what is well: write `{right}`")).fix(
        format!("write `{right}`"),
        operator,
        right,
        Safety::Unsafe,
    ));
    None
}

/// A limit that is a number.
fn number(cx: &mut Context<'_>, written: &ast::Expr, ty: &Type) -> Option<Expr> {
    let (_, value) = Typing::new(cx, Scope::Limit(None)).constant(written)?;
    let value = cx.fit(written, &value, ty, "the limit")?;
    let allowed = match &value {
        Value::Fraction(share) => (0.0..=1.0).contains(share),
        Value::Float(limit) => *limit >= 0.0,
        _ => true,
    };
    if !allowed {
        let message = format!("no drift measures {value}");
        cx.report(
            Finding::error(codes::OUT_OF_RANGE, cx.place(written.span), message).help("write a limit within reach"),
        );
        return None;
    }
    Some(Expr::Const(value))
}

/// A limit that may speak of the past.
fn limit(
    cx: &mut Context<'_>,
    watching: &Watching<'_>,
    line: &WatchLine,
    comparison: Comparison,
    sides: [&ast::Expr; 2],
    ty: &Type,
) -> Option<Expr> {
    let past = Past { ty, every: watching.every };
    Typing::new(cx, Scope::Limit(Some(past))).limit(line.condition.span, comparison, sides, ty)
}

/// `drift(age, charges, method: psi, alpha: 5%)`
fn drift(cx: &mut Context<'_>, watching: &Watching<'_>, call: &ast::Expr, given: &[Argument]) -> Option<Watched> {
    let (named, bare) = arguments(cx, "`drift`", given, &["method", "alpha"])?;
    let methods = METHODS.map(|method| (method.word(), method));
    let method = match named.get("method") {
        Some(written) => word(cx, written, "`method`", &methods)?,
        None => DriftMethod::Auto,
    };
    let alpha = match named.get("alpha") {
        Some(written) if method != DriftMethod::Auto => {
            let message = format!("`{}` is compared with the limit of the watch, and takes no `alpha`", method.word());
            let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(written.span), message);
            cx.report(finding.help("remove `alpha`, or `method`"));
            return None;
        }
        Some(written) => {
            let inside = |value: &Value| matches!(value, Value::Fraction(alpha) if *alpha > 0.0 && *alpha < 1.0);
            match constant(cx, written, &Type::Fraction, "`alpha`", "between 0% and 100%", inside)? {
                Value::Fraction(alpha) => alpha,
                _ => return None,
            }
        }
        None => ALPHA,
    };
    let columns = columns(cx, watching, call, &bare, method)?;
    Some(Watched::Drift { columns, method, alpha })
}

/// `drifted(age, charges)`
fn drifted(cx: &mut Context<'_>, watching: &Watching<'_>, call: &ast::Expr, given: &[Argument]) -> Option<Vec<String>> {
    let (_, bare) = arguments(cx, "`drifted`", given, &[])?;
    columns(cx, watching, call, &bare, DriftMethod::Auto)
}

/// Columns that are both in what is served and in the reference, and can drift so.
fn columns(
    cx: &mut Context<'_>,
    watching: &Watching<'_>,
    call: &ast::Expr,
    bare: &[&ast::Expr],
    method: DriftMethod,
) -> Option<Vec<String>> {
    if bare.is_empty() {
        let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(call.span), "no column is named here");
        cx.report(finding.help("name columns of what is served: `drift(age, charges)`"));
        return None;
    }
    let mut columns = Vec::with_capacity(bare.len());
    let mut seen: HashMap<&str, Span> = HashMap::new();
    let mut sound = true;
    for written in bare {
        let Some(name) = column_name(written) else {
            if !matches!(written.kind, ExprKind::Error) {
                let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(written.span), "this is no column's name");
                cx.report(finding.help("write it bare: `drift(age)`; in quotes if it is no identifier"));
            }
            sound = false;
            continue;
        };
        if let Some(first) = seen.insert(name, written.span) {
            let message = format!("the column `{name}` stands twice in this watch");
            let finding = Finding::error(codes::REPEATED_COLUMN, cx.place(written.span), message);
            cx.report(finding.also(cx.place(first), "first here").help("remove one"));
            sound = false;
            continue;
        }
        sound &= column(cx, watching, name, written.span, method).is_some();
        columns.push(name.to_owned());
    }
    sound.then_some(columns)
}

/// Whether a column can drift so; else a finding says why not.
fn column(cx: &mut Context<'_>, watching: &Watching<'_>, name: &str, span: Span, method: DriftMethod) -> Option<()> {
    let trained = watching.trained?;
    let served = trained.row.column(name);
    let is_label = trained.label.as_ref().is_some_and(|label| label.name == name);
    if served.is_none() && is_label {
        let finding = Finding::error(
            codes::UNKNOWN_COLUMN,
            cx.place(span),
            format!("`{name}` is what `{}` predicts, and no request has it", watching.name),
        );
        cx.report(
            finding.label("the label").help(format!("watch a metric against it: `watch rmse(label: {name}) <= 10.0`")),
        );
        return None;
    }
    let Some(served) = served else {
        let columns = &trained.row.columns;
        let near = cx.names.nearest(name, columns.iter().map(|column| column.name.as_str()));
        let near = near.map(crate::written::column);
        let finding = Finding::error(
            codes::UNKNOWN_COLUMN,
            cx.place(span),
            format!("no request to `{}` has a column `{name}`", watching.name),
        )
        .label("never served");
        cx.report(crate::names::suggest(finding, span, near.as_deref(), || {
            format!("requests have {}", crate::typing::listed_columns(columns))
        }));
        return None;
    };
    if served.ty == Type::Unknown {
        return None;
    }
    if let Some(reference) = watching.reference {
        let Some(before) = reference.column(name) else {
            let finding = Finding::error(
                codes::UNKNOWN_COLUMN,
                cx.place(span),
                format!("the reference has no column `{name}` to compare with"),
            );
            let all = crate::typing::listed_columns(&reference.columns);
            cx.report(finding.label("not in the reference").help(format!("its columns are {all}")));
            return None;
        };
        if kind(&before.ty) != kind(&served.ty) {
            let message = format!(
                "`{name}` is {} in the reference and {} in what is served",
                with_article(&before.ty),
                with_article(&served.ty)
            );
            let finding = Finding::error(codes::UNFIT_COLUMN, cx.place(span), message);
            cx.report(
                finding.label("two kinds of columns").help("choose the table that the model learnt from as reference"),
            );
            return None;
        }
    }
    let wanted = match (method, kind(&served.ty)) {
        (_, Kind::When) => "columns of numbers and of few values; a date always moves on",
        (DriftMethod::Ks | DriftMethod::Wasserstein, Kind::Few) => "columns of numbers",
        (DriftMethod::ChiSquare | DriftMethod::Z, Kind::Number) if served.ty != Type::Int => "columns of few values",
        (DriftMethod::Z, Kind::Few) if matches!(&served.ty, Type::Enum(values) if values.len() != 2) => {
            "columns of two values"
        }
        _ => return Some(()),
    };
    let what = if method == DriftMethod::Auto { "drift" } else { method.word() };
    let message = format!("`{what}` is for {wanted}, and `{name}` is {}", with_article(&served.ty));
    let finding = Finding::error(codes::UNFIT_COLUMN, cx.place(span), message);
    cx.report(match method {
        DriftMethod::Auto => finding.help("leave the column out"),
        _ => finding.help("leave `method` out: the rule then follows the column"),
    });
    None
}

/// How a column can be measured.
#[derive(PartialEq)]
enum Kind {
    Number,
    Few,
    When,
}

fn kind(ty: &Type) -> Kind {
    match ty {
        Type::Date | Type::Time => Kind::When,
        Type::Bool | Type::Enum(_) | Type::String => Kind::Few,
        _ => Kind::Number,
    }
}

/// `auc(label: churned, delay: 7d)`
fn label(
    cx: &mut Context<'_>,
    watching: &Watching<'_>,
    call: &ast::Expr,
    metric: LabelMetric,
    given: &[Argument],
) -> Option<Watched> {
    let word = metric.word();
    let (named, bare) = arguments(cx, &format!("`{word}`"), given, &["label", "delay"])?;
    let written = named.get("label").copied();
    let known = watching.trained.and_then(|trained| trained.label.as_ref());
    let (Some(written), true) = (written, bare.is_empty()) else {
        let label = known.map_or("column", |label| label.name.as_str());
        let message = format!("`{word}` needs to know against which column it is measured");
        let finding = Finding::error(codes::MISSING_ARGUMENT, cx.place(call.span), message);
        cx.report(finding.help(format!("write `{word}(label: {label}, delay: 1d)`")));
        return None;
    };
    let delay = match named.get("delay") {
        Some(delay) => {
            let allowed = |value: &Value| matches!(value, Value::Duration(0..));
            match constant(cx, delay, &Type::Duration, "`delay`", "0s or longer", allowed)? {
                Value::Duration(delay) => delay,
                _ => return None,
            }
        }
        None => 0,
    };
    let Some(name) = column_name(written) else {
        let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(written.span), "`label` is the name of a column");
        cx.report(finding.help(format!("write it bare: `{word}(label: churned)`")));
        return None;
    };
    watching.trained?;
    if let Some(label) = known.filter(|label| label.name != name) {
        let right = crate::written::column(&label.name);
        let message = format!("`{}` predicts `{}`, not `{name}`", watching.name, label.name);
        let finding = Finding::error(codes::WRONG_LABEL, cx.place(written.span), message);
        cx.report(finding.label("not the label").help(format!("write `label: {right}`")).fix(
            format!("write `{right}`"),
            written.span,
            right,
            Safety::Unsafe,
        ));
        return None;
    }
    fits_flavor(cx, watching, call, metric)?;
    Some(Watched::Label { metric, label: name.to_owned(), delay })
}

fn fits_flavor(cx: &mut Context<'_>, watching: &Watching<'_>, call: &ast::Expr, metric: LabelMetric) -> Option<()> {
    let classifies = matches!(metric, LabelMetric::Accuracy | LabelMetric::Auc | LabelMetric::LogLoss);
    let word = metric.word();
    let (message, help) = match watching.flavor? {
        "classifier" if !classifies => (
            format!("`{}` predicts classes, and `{word}` is about numbers", watching.name),
            "a classifier has `accuracy`, `auc` and `log_loss`",
        ),
        "regressor" if classifies => (
            format!("`{}` predicts numbers, and `{word}` is about classes", watching.name),
            "a regressor has `rmse`, `mae`, `bias` and `r2`",
        ),
        _ => {
            let label = watching.trained.and_then(|trained| trained.label.as_ref()).map(|label| &label.ty);
            match label {
                Some(Type::Enum(classes)) if metric == LabelMetric::Auc && classes.len() != 2 => (
                    format!("`auc` is about two classes, and `{}` predicts {}", watching.name, classes.len()),
                    "watch `accuracy` or `log_loss`",
                ),
                _ => return Some(()),
            }
        }
    };
    cx.report(Finding::error(codes::UNFIT_METRIC, cx.place(call.span), message).help(help));
    None
}

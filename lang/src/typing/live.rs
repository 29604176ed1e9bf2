//! Numbers about a deployment in expressions: of its requests, and of a watch's own past.

use super::{Scope, Typed, Typing};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::live::LiveMetric;
use crate::names::suggest;
use crate::pipeline::Expr;
use crate::span::Span;
use crate::syntax::ast::{self, Argument, ExprKind};
use crate::types::{Comparison, Type};
use crate::value::Value;

/// What `baseline` and `sigma` are about.
#[derive(Clone, Copy)]
pub(crate) struct Past<'s> {
    /// The type of what is watched.
    pub(crate) ty: &'s Type,
    /// Between two windows, if that is known.
    pub(crate) every: Option<i64>,
}

/// Fewer windows have no baseline.
const FEWEST_WINDOWS: i64 = 3;

const SERVICE: &str = "conditions are about `error_rate`, `requests`, `p95(latency)` and `mean(latency)`";

/// A bare number about a deployment.
pub(crate) fn number(name: &str) -> Option<Typed> {
    Some(match name {
        "error_rate" => Typed { ty: Type::Fraction, expr: Expr::Live(LiveMetric::ErrorRate) },
        "requests" => Typed { ty: Type::Int, expr: Expr::Live(LiveMetric::Requests) },
        _ => return None,
    })
}

/// `p95`: 0.95.
pub(crate) fn quantile(name: &str) -> Option<f64> {
    let digits = name.strip_prefix('p').filter(|digits| matches!(digits.len(), 1 | 2))?;
    let percent: u32 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    // From its decimal, as a fraction is read: exactly what `95%` is.
    (percent > 0).then(|| format!("{percent}e-2").parse().unwrap_or(0.0))
}

/// A function that has its place somewhere else.
pub(super) fn elsewhere(cx: &Context<'_>, scope: Scope<'_>, name: &str, span: Span) -> Option<Finding> {
    let finding = |code, message: String| Finding::error(code, cx.place(span), message);
    let live = matches!(scope, Scope::Service | Scope::Limit(_));
    Some(match name {
        "registry" => finding(codes::MISPLACED_REGISTRY, "`registry(...)` is a model, and none is wanted here".into())
            .help(
                "give it to a step that takes a model: `regress.evaluate(registry(\"demand@production\"), split.test)`",
            ),
        "policy" => finding(codes::MISPLACED_POLICY, "`policy(...)` is a whole requirement of a gate".into())
            .label("not by itself")
            .help("give it a line of its own: `require policy(\"policies/release.rego\")`"),
        "baseline" | "sigma" => {
            finding(codes::UNKNOWN_FUNCTION, format!("`{name}(...)` is about the past of what a monitor watches"))
                .help("it may stand in the limit of a `watch` of the service or of a metric against labels")
        }
        "drift" | "drifted" => finding(codes::UNKNOWN_FUNCTION, format!("`{name}(...)` is what a monitor watches"))
            .help("it stands alone to the left: `watch drift(age) <= 0.1`"),
        name if quantile(name).is_some() => {
            finding(codes::UNKNOWN_FUNCTION, format!("`{name}(latency)` is about a deployment while it is live"))
                .help("it may stand in a `check`, and alone to the left of a `watch`")
        }
        name if live => finding(codes::UNKNOWN_FUNCTION, format!("there is no function `{name}` here")).help(SERVICE),
        _ => return None,
    })
}

impl Typing<'_, '_, '_> {
    /// `p95(latency)`, `mean(latency)`
    pub(super) fn latency(&mut self, span: Span, name: &str, arguments: &[Argument]) -> Typed {
        let of_latency = match arguments {
            [Argument { name: None, value }] => match &value.kind {
                ExprKind::Error => return Typed::unknown(),
                ExprKind::Name(of) => of == "latency",
                _ => false,
            },
            _ => false,
        };
        if !of_latency {
            return self.misused(span, format!("`{name}` takes `latency`"), &format!("{name}(latency)"));
        }
        let metric = quantile(name).map_or(LiveMetric::MeanLatency, LiveMetric::Latency);
        Typed { ty: Type::Duration, expr: Expr::Live(metric) }
    }

    /// `baseline(7d)`, `sigma(7d)`
    pub(super) fn history(&mut self, span: Span, name: &str, past: Option<Past<'_>>, arguments: &[Argument]) -> Typed {
        let Some(past) = past else {
            let finding = Finding::error(
                codes::UNKNOWN_FUNCTION,
                self.cx.place(span),
                format!("`{name}(...)` is about numbers that vary from window to window, and drift has its reference"),
            );
            self.cx.report(finding.help("compare drift with a number: `watch drift(age) <= 0.1`"));
            return Typed::unknown();
        };
        let [Argument { name: None, value }] = arguments else {
            return self.misused(span, format!("`{name}` takes one duration"), &format!("{name}(7d)"));
        };
        let Some((_, constant)) = Typing::new(self.cx, Scope::Constant).constant(value) else {
            return Typed::unknown();
        };
        let Some(Value::Duration(length)) = self.cx.fit(value, &constant, &Type::Duration, &format!("`{name}`")) else {
            return Typed::unknown();
        };
        let least = past.every.unwrap_or(1).saturating_mul(FEWEST_WINDOWS);
        if length < least {
            let finding = Finding::error(
                codes::OUT_OF_RANGE,
                self.cx.place(value.span),
                format!("{} holds fewer than {FEWEST_WINDOWS} windows, so there would never be a `{name}`", constant),
            );
            let finding = match past.every {
                Some(_) => finding.help(format!("write at least {}", Value::Duration(least))),
                None => finding.help("write a longer time"),
            };
            self.cx.report(finding);
            return Typed::unknown();
        }
        let metric = if name == "sigma" { LiveMetric::Sigma(length) } else { LiveMetric::Baseline(length) };
        // A mean of whole numbers is none.
        let ty = if *past.ty == Type::Int { Type::Float } else { past.ty.clone() };
        Typed { ty, expr: Expr::Live(metric) }
    }

    /// Types the limit of a watch and compares it with what is watched, which has the type `watched`. Gives the limit.
    pub(crate) fn limit(
        &mut self,
        span: Span,
        comparison: Comparison,
        [left, right]: [&ast::Expr; 2],
        watched: &Type,
    ) -> Option<Expr> {
        // Something of that type and reach stands for what is watched, which is no expression itself.
        let stand_in = match watched {
            Type::Fraction => LiveMetric::ErrorRate,
            _ => LiveMetric::MeanLatency,
        };
        let limit = self.infer(right);
        let operands = [Typed { ty: watched.clone(), expr: Expr::Live(stand_in) }, limit];
        match self.compare_typed(span, comparison, [left, right], operands).expr {
            Expr::Compare(_, _, limit) => Some(*limit),
            _ => None,
        }
    }

    /// A bare name that is no number about a deployment.
    pub(super) fn unknown_number(&mut self, name: &str, span: Span) {
        let limit = matches!(self.scope, Scope::Limit(_));
        let finding = Finding::error(
            codes::UNKNOWN_NAME,
            self.cx.place(span),
            format!("`{name}` is no number about a deployment"),
        )
        .label("not known here");
        let built_in: &[&str] = if limit { &[] } else { &["error_rate", "requests"] };
        let params = self.cx.names.of_kind(|kind| kind == crate::names::Kind::Param);
        let near = self.cx.names.nearest(name, built_in.iter().copied().chain(params));
        let finding = suggest(finding, span, near, || match (name, limit) {
            ("latency", _) => "say which: `p95(latency)`, `mean(latency)`".to_owned(),
            (_, true) => "a limit is made of numbers, `baseline(7d)` and `sigma(7d)`".to_owned(),
            (_, false) => SERVICE.to_owned(),
        });
        self.cx.report(finding);
    }
}

//! What a name with members stands for: `split.train`, `eval.auc`, `eval.metrics.auc`, `customers`.

use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::Finding;
use crate::names::{Kind, suggest};
use crate::pipeline::NodeId;
use crate::span::Span;
use crate::syntax::ast::{self, ExprKind, Ident};
use crate::types::{MetricField, Type};
use crate::written::listed;

/// A name and the members after it.
pub(crate) struct Path<'e> {
    pub(crate) root: &'e str,
    pub(crate) root_span: Span,
    pub(crate) members: Vec<&'e Ident>,
    /// Of all of it.
    pub(crate) span: Span,
}

/// The path an expression is, if it is one.
pub(crate) fn path(expr: &ast::Expr) -> Option<Path<'_>> {
    let mut members = Vec::new();
    let mut at = expr;
    loop {
        match &at.kind {
            ExprKind::Name(root) => {
                members.reverse();
                return Some(Path { root, root_span: at.span, members, span: expr.span });
            }
            ExprKind::Member(base, member) => {
                members.push(member);
                at = base;
            }
            _ => return None,
        }
    }
}

/// Whether outputs can be asked of it.
fn is_source(kind: Kind) -> bool {
    matches!(kind, Kind::Data | Kind::Step | Kind::Tune)
}

/// What a path stands for.
pub(crate) enum Accessed {
    /// A table, a model or a set of metrics.
    Output { node: NodeId, output: String, ty: Type },
    /// One number.
    Metric { node: NodeId, output: String, field: MetricField },
    /// The mistake was reported.
    Poison,
}

impl Context<'_> {
    /// Resolves a path to an output or a metric; a mistake is reported.
    pub(crate) fn access(&mut self, path: &Path<'_>) -> Accessed {
        let Some(declared) = self.names.get(path.root) else {
            if self.names.is_broken(path.root) {
                return Accessed::Poison;
            }
            let near = self.names.nearest(path.root, self.names.of_kind(is_source));
            let finding = Finding::error(
                codes::UNKNOWN_NAME,
                self.place(path.root_span),
                format!("no step and no data is named `{}`", path.root),
            )
            .label("not declared");
            let finding = suggest(finding, path.root_span, near, || {
                let all = listed(self.names.of_kind(is_source));
                format!("declared are {all}")
            });
            self.report_once(format!("name {}", path.root), "also here", finding);
            return Accessed::Poison;
        };
        if !is_source(declared.kind) {
            let finding = Finding::error(
                codes::WRONG_KIND,
                self.place(path.root_span),
                format!("`{}` is {}, where data or a step is wanted", path.root, declared.kind.with_article()),
            )
            .also(self.place(declared.span), "declared here");
            self.report(match declared.kind {
                Kind::Model => finding.help("a model declaration is an entry of the registry: name the step's output"),
                _ => finding,
            });
            return Accessed::Poison;
        }
        let (Some(node), Some(NodeFacts { outputs: Some(outputs), .. })) =
            (self.ids.get(&declared.index).copied(), self.nodes.get(&declared.index).map(|facts| &**facts))
        else {
            return Accessed::Poison;
        };
        let output = |name: &str, ty: &Type| match ty {
            Type::Unknown => Accessed::Poison,
            ty => Accessed::Output { node, output: name.to_owned(), ty: ty.clone() },
        };
        let metric = |output: &str, field: &MetricField| Accessed::Metric {
            node,
            output: output.to_owned(),
            field: field.clone(),
        };
        let mut metric_outputs = outputs.iter().filter_map(|(name, ty)| Some((name, ty.metrics()?)));
        let only_metrics = metric_outputs.next().filter(|_| metric_outputs.next().is_none());
        let field = |fields: &[MetricField], name: &str| fields.iter().find(|field| field.name == name).cloned();
        let members = match (declared.kind, path.members.as_slice()) {
            (Kind::Tune, [best, rest @ ..]) if best.name == "best" => rest,
            (Kind::Tune, members) => {
                let span = members.first().map_or(path.root_span, |member| member.span);
                let message = format!("the search `{}` gives `best`: what the best trial gave", path.root);
                let finding = Finding::error(codes::UNKNOWN_OUTPUT, self.place(span), message).label("not given");
                let given = outputs.keys().next().map_or("model", String::as_str);
                let near = self.names.nearest(members.first().map_or("", |member| &member.name), ["best"]);
                let finding = match (near, members.first()) {
                    (Some(near), Some(member)) => suggest(finding, member.span, Some(near), String::new),
                    _ => finding.help(format!("write `{}.best.{given}`", path.root)),
                };
                self.report(finding);
                return Accessed::Poison;
            }
            (_, members) => members,
        };
        match members {
            [] => {
                if let (1, Some((name, ty))) = (outputs.len(), outputs.first()) {
                    return output(name, ty);
                }
                let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
                let finding = if names.is_empty() {
                    Finding::error(
                        codes::UNKNOWN_OUTPUT,
                        self.place(path.span),
                        format!("the step `{}` gives nothing", path.root),
                    )
                } else {
                    Finding::error(
                        codes::UNKNOWN_OUTPUT,
                        self.place(path.span),
                        format!("`{}` gives {}: say which", path.root, listed(&names)),
                    )
                    .help(format!("write `{}.{}`", path.root, names[0]))
                };
                self.report(finding);
                Accessed::Poison
            }
            [member] => {
                if let Some(ty) = outputs.get(&member.name) {
                    return output(&member.name, ty);
                }
                if let Some((name, fields)) = only_metrics
                    && let Some(field) = field(fields, &member.name)
                {
                    return metric(name, &field);
                }
                let metrics = only_metrics.map(|(_, fields)| fields.iter().map(|f| f.name.as_str()).collect());
                let outputs: Vec<String> = outputs.keys().cloned().collect();
                let metrics: Option<Vec<String>> =
                    metrics.map(|m: Vec<&str>| m.iter().map(|m| (*m).to_owned()).collect());
                self.unknown_member(path.root, declared.kind, member, &outputs, metrics.as_deref());
                Accessed::Poison
            }
            [first, second] => match outputs.get(&first.name) {
                Some(Type::Unknown) => Accessed::Poison,
                Some(ty) if ty.metrics().is_some() => match field(ty.metrics().unwrap_or_default(), &second.name) {
                    Some(found) => metric(&first.name, &found),
                    None => {
                        let fields = ty.metrics().unwrap_or_default();
                        let metrics: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
                        self.unknown_member(path.root, declared.kind, second, &[], Some(&metrics));
                        Accessed::Poison
                    }
                },
                Some(ty) => {
                    let message =
                        format!("`{}.{}` is {}, without members", path.root, first.name, super::with_article(ty));
                    self.report(Finding::error(codes::UNKNOWN_METRIC, self.place(second.span), message));
                    Accessed::Poison
                }
                None if only_metrics.is_some_and(|(_, fields)| field(fields, &first.name).is_some()) => {
                    self.no_members(second);
                    Accessed::Poison
                }
                None => {
                    let outputs: Vec<String> = outputs.keys().cloned().collect();
                    self.unknown_member(path.root, declared.kind, first, &outputs, None);
                    Accessed::Poison
                }
            },
            [_, _, third, ..] => {
                self.no_members(third);
                Accessed::Poison
            }
        }
    }

    fn no_members(&mut self, member: &Ident) {
        self.report(
            Finding::error(codes::UNKNOWN_METRIC, self.place(member.span), "a metric has no members")
                .help("write `step.metric` or `step.output.metric`"),
        );
    }

    fn unknown_member(
        &mut self,
        step: &str,
        kind: Kind,
        member: &Ident,
        outputs: &[String],
        metrics: Option<&[String]>,
    ) {
        let metrics_wanted = metrics.unwrap_or_default();
        let all = outputs.iter().chain(metrics_wanted).map(String::as_str);
        let near = self.names.nearest(&member.name, all);
        let what = match kind {
            Kind::Step => "the step",
            Kind::Tune => "the best trial of",
            _ => "the data",
        };
        let (code, message) = match metrics {
            Some(_) => (codes::UNKNOWN_METRIC, format!("{what} `{step}` gives no metric `{}`", member.name)),
            None => (codes::UNKNOWN_OUTPUT, format!("{what} `{step}` gives no output `{}`", member.name)),
        };
        let given = match metrics {
            Some(metrics) => format!("it gives {}", listed(metrics)),
            None => format!("it gives {}", listed(outputs)),
        };
        let finding = Finding::error(code, self.place(member.span), message).label("not given").note(given);
        let finding = match near {
            Some(near) => suggest(finding, member.span, Some(near), String::new),
            None => finding,
        };
        self.report(finding);
    }
}

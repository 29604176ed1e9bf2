//! `data customers: Customer { source = csv("...") expect ... }`

use super::{bounds, certainty, rules as side, source};
use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::Finding;
use crate::names::Kind;
use crate::pipeline::{DataNode, DataSource, Expectation};
use crate::syntax::ast::{self, Clause, ExprKind, Ident, Setting};
use crate::types::{Bound, Comparison, Schema, Type};
use crate::typing::{Scope, Typing};
use crate::work::Pii;
use std::sync::Arc;

pub(super) fn lower(
    cx: &mut Context<'_>,
    name: &Ident,
    schema: Option<&Ident>,
    settings: &[Setting],
    expectations: &[Clause],
    pii: Option<&Ident>,
    damaged: bool,
) -> (NodeFacts, Option<DataNode>) {
    let schema = schema_of(cx, name, schema);
    let source = source::lower(cx, name, schema.as_deref(), settings, damaged);
    let pii = pii_rule(cx, pii);
    let mut whole = Vec::new();
    let mut written = Vec::new();
    let mut folded: Option<Schema> = schema.as_deref().cloned();
    let mut sound = true;
    for clause in expectations {
        match rules(&clause.condition, schema.as_deref()) {
            Some(rules) => {
                for rule in rules {
                    match (rule.lower(cx, schema.as_deref()), folded.as_mut()) {
                        (Some((name, bound)), Some(schema)) => {
                            for column in schema.columns.iter_mut().filter(|column| column.name == name) {
                                let (ty, value) = (&column.ty, rule.value());
                                sound &= !side::against(cx, &name, ty, &column.bounds, &bound, value);
                                column.bounds.push(bound.clone());
                            }
                        }
                        _ => sound = false,
                    }
                }
            }
            None => {
                let typed = Typing::new(cx, Scope::Table(schema.as_deref())).condition(&clause.condition);
                if typed.is_unknown() {
                    sound = false;
                    continue;
                }
                certainty::report(cx, &clause.condition, &typed.expr);
                let text = cx.text(clause.condition.span);
                written.push(&clause.condition);
                whole.push(Expectation { condition: typed.expr, text, span: clause.span });
            }
        }
    }
    let joint: Vec<_> = written.into_iter().zip(whole.iter().map(|it: &Expectation| &it.condition)).collect();
    certainty::contradictions(cx, &joint);
    let rows = folded.as_ref().map_or(Type::Unknown, |schema| Type::Dataset(schema.clone()));
    let mut facts =
        NodeFacts { outputs: Some([("rows".to_owned(), rows)].into_iter().collect()), ..NodeFacts::default() };
    if let (Some(DataSource::Output(from)), Some(schema)) = (&source, &folded)
        && cx.label(from).is_some_and(|label| schema.label().is_some_and(|own| own.name == label))
    {
        let kept = cx.derived(from).unwrap_or_default().iter().filter(|name| schema.column(name).is_some());
        facts.derived.insert("rows".to_owned(), kept.cloned().collect());
    }
    let node = match (folded, source, pii) {
        (Some(schema), Some(source), Some(pii)) if sound => Some(DataNode { schema, source, expectations: whole, pii }),
        _ => None,
    };
    (facts, node)
}

/// `pii quarantine`
fn pii_rule(cx: &mut Context<'_>, word: Option<&Ident>) -> Option<Option<Pii>> {
    const RULES: [(&str, Pii); 4] =
        [("deny", Pii::Deny), ("mask", Pii::Mask), ("quarantine", Pii::Quarantine), ("allow", Pii::Allow)];
    let Some(word) = word else { return Some(None) };
    if let Some((_, rule)) = RULES.iter().find(|(name, _)| *name == word.name) {
        return Some(Some(*rule));
    }
    let near = cx.names.nearest(&word.name, RULES.iter().map(|(name, _)| *name));
    let finding = Finding::error(
        codes::NOT_ONE_OF,
        cx.place(word.span),
        format!("`{}` is nothing that can be done with personal data", word.name),
    );
    cx.report(crate::names::suggest(finding, word.span, near, || {
        "write `deny`, `mask`, `quarantine` or `allow`".to_owned()
    }));
    None
}

fn schema_of(cx: &mut Context<'_>, name: &Ident, schema: Option<&Ident>) -> Option<Arc<Schema>> {
    let Some(schema) = schema else {
        cx.report(
            Finding::error(
                codes::MISSING_SETTING,
                cx.place(name.span),
                format!("the data `{}` has no schema", name.name),
            )
            .help(format!("write `data {}: Name {{ ... }}` and declare `schema Name {{ ... }}`", name.name)),
        );
        return None;
    };
    schema_named(cx, schema)
}

/// The schema of this name; if there is none, that is reported.
pub(super) fn schema_named(cx: &mut Context<'_>, schema: &Ident) -> Option<Arc<Schema>> {
    if let Some(found) = cx.schemas.get(schema.name.as_str()) {
        return Some(found.clone());
    }
    if cx.names.is_broken(&schema.name) {
        return None;
    }
    let finding = match cx.names.get(&schema.name) {
        Some(declared) if declared.kind == Kind::Schema => return None,
        Some(declared) => Finding::error(
            codes::WRONG_KIND,
            cx.place(schema.span),
            format!("`{}` is {}, not a schema", schema.name, declared.kind.with_article()),
        )
        .also(cx.place(declared.span), "declared here"),
        None => {
            let schemas = || cx.names.of_kind(|kind| kind == Kind::Schema);
            let near = cx.names.nearest(&schema.name, schemas());
            let finding = Finding::error(
                codes::UNKNOWN_TYPE,
                cx.place(schema.span),
                format!("no schema is named `{}`", schema.name),
            );
            crate::names::suggest(finding, schema.span, near, || {
                format!("declare it: `schema {} {{ ... }}`", schema.name)
            })
        }
    };
    cx.report(finding);
    None
}

/// A rule for each row: one comparison with a bare column on one side.
enum Rule<'e> {
    In(&'e str, &'e ast::Expr),
    Compare(Comparison, &'e str, &'e ast::Expr),
}

impl<'e> Rule<'e> {
    /// What the column is held against.
    fn value(&self) -> &'e ast::Expr {
        let (Rule::In(_, value) | Rule::Compare(_, _, value)) = self;
        value
    }

    fn lower(&self, cx: &mut Context<'_>, schema: Option<&Schema>) -> Option<(String, Bound)> {
        let (Rule::In(name, _) | Rule::Compare(_, name, _)) = self;
        let column = schema?.column(name)?;
        let bound = match self {
            Rule::In(_, values) => bounds::within(cx, name, &column.ty, values),
            Rule::Compare(comparison, _, value) => bounds::compare(cx, name, &column.ty, *comparison, value),
        };
        Some(((*name).to_owned(), bound?))
    }
}

/// The condition as rules for each row, if it is nothing else.
fn rules<'e>(condition: &'e ast::Expr, schema: Option<&Schema>) -> Option<Vec<Rule<'e>>> {
    let column = |expr: &'e ast::Expr| match &expr.kind {
        ExprKind::Name(name) => {
            let name = crate::typing::functions::word(name, expr.span);
            schema?.column(name).is_some().then_some(name)
        }
        _ => None,
    };
    let mut rules = Vec::new();
    let mut waiting = vec![condition];
    while let Some(expr) = waiting.pop() {
        rules.push(match &expr.kind {
            ExprKind::And(left, right) => {
                waiting.extend([&**right, &**left]);
                continue;
            }
            ExprKind::In(left, right) => Rule::In(column(left)?, right),
            ExprKind::Compare(comparison, left, right) => match column(left) {
                Some(name) => Rule::Compare(*comparison, name, right),
                None => Rule::Compare(comparison.mirrored(), column(right)?, left),
            },
            _ => return None,
        });
    }
    Some(rules)
}

//! `data customers: Customer { source = csv("...") expect ... }`

use super::{block, bounds, certainty};
use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::{Finding, Safety};
use crate::names::Kind;
use crate::pipeline::{DataNode, DataSource, Expectation};
use crate::syntax::ast::{self, Argument, Clause, ExprKind, Ident, Setting};
use crate::types::{Bound, Comparison, Schema, Type};
use crate::typing::{Scope, Typing};
use crate::value::Value;
use crate::written::quoted;
use std::sync::Arc;

/// Kinds of sources known to the language; this version reads files only.
const LATER: &[&str] = &["jsonl", "json", "http", "https", "s3", "gcs", "sql", "postgres", "delta", "iceberg"];

pub(super) fn lower(
    cx: &mut Context<'_>,
    name: &Ident,
    schema: Option<&Ident>,
    settings: &[Setting],
    expectations: &[Clause],
    damaged: bool,
) -> (NodeFacts, Option<DataNode>) {
    let schema = schema_of(cx, name, schema);
    let source = source(cx, name, settings, damaged);
    let mut whole = Vec::new();
    let mut written = Vec::new();
    let mut folded: Option<Schema> = schema.as_deref().cloned();
    let mut sound = true;
    for clause in expectations {
        match rules(&clause.condition, schema.as_deref()) {
            Some(rules) => {
                for rule in rules {
                    match (rule.lower(cx, schema.as_deref()), folded.as_mut()) {
                        (Some((column, bound)), Some(schema)) => {
                            schema
                                .columns
                                .iter_mut()
                                .filter(|c| c.name == column)
                                .for_each(|c| c.bounds.push(bound.clone()));
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
    let facts = NodeFacts { outputs: Some([("rows".to_owned(), rows)].into_iter().collect()), ..NodeFacts::default() };
    let node = match (folded, source) {
        (Some(schema), Some(source)) if sound => Some(DataNode { schema, source, expectations: whole }),
        _ => None,
    };
    (facts, node)
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

fn source(cx: &mut Context<'_>, name: &Ident, settings: &[Setting], damaged: bool) -> Option<DataSource> {
    let found = block::settings(cx, "data", settings, &["source"], &["pii", "refresh", "version", "sample"]);
    let Some(setting) = found.get("source") else {
        let meant = |setting: &Setting| {
            setting.name.name == "source" || cx.names.nearest(&setting.name.name, ["source"]).is_some()
        };
        if !damaged && !settings.iter().any(|setting| meant(setting) || block::is_broken(setting)) {
            cx.report(
                Finding::error(
                    codes::MISSING_SETTING,
                    cx.place(name.span),
                    format!("the data `{}` has no source", name.name),
                )
                .help("add `source = csv(\"path\")` or `source = parquet(\"path\")`"),
            );
        }
        return None;
    };
    read(cx, &setting.value)
}

/// `csv("path")`: where rows are read from.
pub(super) fn read(cx: &mut Context<'_>, value: &ast::Expr) -> Option<DataSource> {
    let ExprKind::Call(callee, arguments) = &value.kind else {
        if !matches!(value.kind, ExprKind::Error) {
            let finding =
                Finding::error(codes::TYPE_MISMATCH, cx.place(value.span), "a source says how its rows are read");
            let text = cx.text(value.span);
            let reader = if text.contains(".parquet") { "parquet" } else { "csv" };
            cx.report(if matches!(value.kind, ExprKind::String(_)) {
                finding.help(format!("write `{reader}({text})`")).fix(
                    format!("write `{reader}({text})`"),
                    value.span,
                    format!("{reader}({text})"),
                    Safety::Unsafe,
                )
            } else {
                finding.help("write `csv(\"path\")` or `parquet(\"path\")`")
            });
        }
        return None;
    };
    match &callee.kind {
        ExprKind::Name(reader) if reader == "csv" => csv(cx, value, arguments),
        ExprKind::Name(reader) if reader == "parquet" => {
            let given = named(cx, "parquet", arguments, &[])?;
            let path = path(cx, value, "parquet", given.path)?;
            Some(DataSource::Parquet { path })
        }
        ExprKind::Name(reader) if LATER.contains(&reader.as_str()) => {
            cx.report(
                Finding::error(
                    codes::NOT_IN_THIS_VERSION,
                    cx.place(callee.span),
                    format!("`{reader}` sources are not in this version of mlp"),
                )
                .help("export the rows to CSV or Parquet"),
            );
            None
        }
        ExprKind::Error => None,
        _ => {
            let text = cx.text(callee.span);
            let near = cx.names.nearest(&text, ["csv", "parquet"]);
            let finding = Finding::error(
                codes::UNKNOWN_FUNCTION,
                cx.place(callee.span),
                format!("there is no kind of source `{text}`"),
            );
            cx.findings.push(crate::names::suggest(finding, callee.span, near, || {
                "sources are `csv(\"path\")` and `parquet(\"path\")`".to_owned()
            }));
            None
        }
    }
}

struct Given<'e> {
    path: Option<&'e ast::Expr>,
    options: Vec<(&'e str, &'e ast::Expr)>,
}

/// The arguments of a reader: the path first, options by name.
fn named<'e>(cx: &mut Context<'_>, reader: &str, arguments: &'e [Argument], known: &[&str]) -> Option<Given<'e>> {
    let mut given = Given { path: None, options: Vec::new() };
    let mut sound = true;
    for argument in arguments {
        match &argument.name {
            None if given.path.is_none() => given.path = Some(&argument.value),
            None => {
                sound = false;
                let help = match known {
                    [] => format!("`{reader}` takes its path alone"),
                    known => format!("after the path, options are given by name: {}", crate::written::listed(known)),
                };
                let finding = Finding::error(
                    codes::TOO_MANY_ARGUMENTS,
                    cx.place(argument.value.span),
                    format!("`{reader}` takes one argument without a name, its path"),
                );
                cx.report(finding.help(help));
            }
            Some(name) if !known.contains(&name.name.as_str()) => {
                sound = false;
                let near = cx.names.nearest(&name.name, known.iter().copied());
                let finding = Finding::error(
                    codes::UNKNOWN_ARGUMENT,
                    cx.place(name.span),
                    format!("`{reader}` has no option `{}`", name.name),
                );
                cx.report(crate::names::suggest(finding, name.span, near, || match known {
                    [] => "it takes its path alone".to_owned(),
                    known => format!("options are {}", crate::written::listed(known)),
                }));
            }
            Some(name) if given.options.iter().any(|(option, _)| *option == name.name) => {
                sound = false;
                let finding = Finding::error(
                    codes::DUPLICATE_SETTING,
                    cx.place(name.span),
                    format!("`{}` is given twice", name.name),
                );
                cx.report(finding.help("remove one"));
            }
            Some(name) => given.options.push((&name.name, &argument.value)),
        }
    }
    sound.then_some(given)
}

fn path(cx: &mut Context<'_>, call: &ast::Expr, reader: &str, written: Option<&ast::Expr>) -> Option<String> {
    let Some(written) = written else {
        let finding = Finding::error(
            codes::MISSING_ARGUMENT,
            cx.place(call.span),
            format!("`{reader}` needs the path of a file"),
        );
        cx.report(finding.help(format!("write `{reader}(\"data/rows.{reader}\")`")));
        return None;
    };
    let text = text(cx, written, "the path")?;
    if text.is_empty() {
        let finding = Finding::error(codes::OUT_OF_RANGE, cx.place(written.span), "the path is empty");
        cx.report(finding.help("name a file; a relative path starts at the folder of this file"));
        return None;
    }
    Some(text)
}

fn text(cx: &mut Context<'_>, written: &ast::Expr, what: &str) -> Option<String> {
    let (_, value) = Typing::new(cx, Scope::Constant).constant(written)?;
    match cx.fit(written, &value, &Type::String, what)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn csv(cx: &mut Context<'_>, call: &ast::Expr, arguments: &[Argument]) -> Option<DataSource> {
    let given = named(cx, "csv", arguments, &["delimiter", "missing"])?;
    let path = path(cx, call, "csv", given.path);
    let (mut delimiter, mut missing) = (Some(b','), Some(vec![String::new()]));
    for (option, written) in given.options {
        match option {
            "delimiter" => delimiter = one_byte(cx, written),
            _ => missing = texts(cx, written),
        }
    }
    Some(DataSource::Csv { path: path?, delimiter: delimiter?, missing: missing? })
}

fn one_byte(cx: &mut Context<'_>, written: &ast::Expr) -> Option<u8> {
    let text = text(cx, written, "`delimiter`")?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Some(*byte),
        _ => {
            let finding = Finding::error(
                codes::OUT_OF_RANGE,
                cx.place(written.span),
                format!("{} cannot separate cells", quoted(&text)),
            );
            cx.report(finding.help("write one plain character: `\",\"`, `\";\"`, `\"\\t\"`, `\"|\"`"));
            None
        }
    }
}

fn texts(cx: &mut Context<'_>, written: &ast::Expr) -> Option<Vec<String>> {
    let (_, value) = Typing::new(cx, Scope::Constant).constant(written)?;
    match cx.fit(written, &value, &Type::List(Box::new(Type::String)), "`missing`")? {
        Value::List(items) => Some(items.iter().map(crate::typing::plain).collect()),
        _ => None,
    }
}

/// A rule for each row: one comparison with a bare column on one side.
enum Rule<'e> {
    In(&'e str, &'e ast::Expr),
    Compare(Comparison, &'e str, &'e ast::Expr),
}

impl Rule<'_> {
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
        ExprKind::Name(name) if schema?.column(name).is_some() => Some(name.as_str()),
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

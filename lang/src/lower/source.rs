//! `source = csv("...")`: where the rows of data come from.

mod address;

use super::{block, live, secret};
use crate::codes;
use crate::context::{Context, SeenIn};
use crate::finding::{Finding, Safety};
use crate::pipeline::{DataSource, OutputRef};
use crate::syntax::ast::{self, Argument, ExprKind, Ident, Setting};
use crate::types::{Column, Schema, Type};
use crate::typing::access::{self, Accessed};
use crate::typing::{Scope, Typing, with_article};
use crate::value::Value;
use crate::written::quoted;

/// What reads rows.
const READERS: &[&str] = &["csv", "parquet", "json_lines", "sql"];

/// Kinds of sources known to the language; this version does not have them.
const LATER: &[&str] = &["delta", "iceberg", "excel", "avro"];

/// Options of every reader of files, when the file is behind an address.
const REMOTE: [&str; 3] = ["endpoint", "region", "token"];

pub(super) fn lower(
    cx: &mut Context<'_>,
    name: &Ident,
    schema: Option<&Schema>,
    settings: &[Setting],
    damaged: bool,
) -> Option<DataSource> {
    let found = block::settings(cx, "data", settings, &["source"], &["refresh", "version", "sample"]);
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
    cx.seen_in(SeenIn::Address, |cx| of(cx, &setting.value, schema))
}

/// `with customers = csv("stale.csv")` in a test: another source of the same data, from outside the pipeline.
pub(super) fn replaced(cx: &mut Context<'_>, value: &ast::Expr) -> Option<DataSource> {
    if access::path(value).is_some() {
        not_a_reader(cx, value);
        return None;
    }
    cx.seen_in(SeenIn::Address, |cx| of(cx, value, None))
}

fn of(cx: &mut Context<'_>, value: &ast::Expr, schema: Option<&Schema>) -> Option<DataSource> {
    let (callee, arguments) = match &value.kind {
        ExprKind::Call(callee, arguments) => (callee, arguments),
        ExprKind::Name(_) | ExprKind::Member(..) => return output(cx, value, schema),
        _ => {
            not_a_reader(cx, value);
            return None;
        }
    };
    match &callee.kind {
        ExprKind::Name(reader) if reader == "csv" => csv(cx, value, arguments),
        ExprKind::Name(reader) if reader == "parquet" => {
            let given = named(cx, "parquet", arguments, &REMOTE)?;
            let path = path(cx, value, "parquet", given.path)?;
            given.located(cx, DataSource::Parquet { path })
        }
        ExprKind::Name(reader) if reader == "json_lines" => {
            let given = named(cx, "json_lines", arguments, &REMOTE)?;
            let path = path(cx, value, "json_lines", given.path)?;
            given.located(cx, DataSource::JsonLines { path })
        }
        ExprKind::Name(reader) if reader == "sql" => database(cx, value, arguments),
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
            let near = meant(&text).or_else(|| cx.names.nearest(&text, READERS.iter().copied()));
            let finding = Finding::error(
                codes::UNKNOWN_FUNCTION,
                cx.place(callee.span),
                format!("there is no kind of source `{text}`"),
            );
            cx.report(crate::names::suggest(finding, callee.span, near, || {
                "sources are `csv(\"path\")`, `parquet(\"path\")`, `json_lines(\"path\")` and `sql(\"postgres://...\")`"
                    .to_owned()
            }));
            None
        }
    }
}

/// What other tools call our readers.
fn meant(name: &str) -> Option<&'static str> {
    match name {
        "jsonl" | "json" | "ndjson" => Some("json_lines"),
        "postgres" | "postgresql" | "database" => Some("sql"),
        _ => None,
    }
}

fn not_a_reader(cx: &mut Context<'_>, value: &ast::Expr) {
    if matches!(value.kind, ExprKind::Error) {
        return;
    }
    let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(value.span), "a source says how its rows are read");
    let text = cx.text(value.span);
    let reader = match () {
        () if text.contains("postgres") => "sql",
        () if text.contains(".parquet") => "parquet",
        () if text.contains(".jsonl") || text.contains(".ndjson") => "json_lines",
        () => "csv",
    };
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

/// `source = prepare.rows`: the table must be one of the schema.
fn output(cx: &mut Context<'_>, value: &ast::Expr, schema: Option<&Schema>) -> Option<DataSource> {
    let Some(path) = access::path(value) else {
        not_a_reader(cx, value);
        return None;
    };
    // A bare reader, `source = csv`, is a call that was forgotten.
    if path.members.is_empty() && READERS.contains(&path.root) {
        not_a_reader(cx, value);
        return None;
    }
    let found = match cx.access(&path) {
        Accessed::Output { node, output, ty: Type::Dataset(table) } => {
            return fits(cx, value, &table, schema?).then_some(DataSource::Output(OutputRef { node, output }));
        }
        Accessed::Output { ty, .. } => with_article(&ty),
        Accessed::Metric { field, .. } => with_article(&field.ty),
        Accessed::Poison => return None,
    };
    let message = format!("rows come from a table, and `{}` is {found}", cx.text(value.span));
    let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(value.span), message);
    cx.report(finding.help("name a step's table: `source = prepare.rows`"));
    None
}

/// Whether a table has the columns of the schema and no others; what differs is one finding.
fn fits(cx: &mut Context<'_>, value: &ast::Expr, table: &Schema, schema: &Schema) -> bool {
    let mut differences = Vec::new();
    for wanted in &schema.columns {
        match table.column(&wanted.name) {
            None => {
                let near = cx.names.nearest(&wanted.name, table.columns.iter().map(|column| column.name.as_str()));
                let near = near.map_or(String::new(), |near| format!("; there is `{near}`"));
                differences.push(format!("it has no column `{}`{near}", wanted.name));
            }
            Some(found) if !converts(found, wanted) => differences.push(format!(
                "`{}` is {}, where the schema has {}",
                wanted.name,
                with_article(&found.ty),
                with_article(&wanted.ty)
            )),
            Some(_) => {}
        }
    }
    let extra = table.columns.iter().filter(|column| schema.column(&column.name).is_none());
    differences.extend(extra.map(|column| format!("the schema does not declare its column `{}`", column.name)));
    let mut differences = differences.into_iter();
    let Some(first) = differences.next() else { return true };
    let text = cx.text(value.span);
    let of = schema.name.as_ref().map_or(String::new(), |name| format!(" `{name}`"));
    let mut finding = Finding::error(
        codes::MISFIT_SOURCE,
        cx.place(value.span),
        format!("the table `{text}` does not fit the schema{of}"),
    )
    .label(first)
    .help("change the step, or declare the columns that it gives");
    for difference in differences.by_ref().take(8) {
        finding = finding.note(difference);
    }
    let more = differences.count();
    cx.report(if more > 0 { finding.note(format!("and {more} more")) } else { finding });
    false
}

/// Whether each value of a column can be one of another without loss.
fn converts(from: &Column, to: &Column) -> bool {
    match (&from.ty, &to.ty) {
        (Type::Unknown, _) | (_, Type::Unknown) => true,
        (Type::Int, Type::Float) | (Type::Fraction, Type::Float) | (Type::Float, Type::Fraction) => true,
        (Type::Enum(_), Type::String) | (Type::String, Type::Enum(_)) => true,
        // A text outside of the list is found when the rows are read; no text in common is found here.
        (Type::Enum(from), Type::Enum(to)) => from.iter().any(|text| to.contains(text)),
        (from, to) => from == to,
    }
}

struct Given<'e> {
    path: Option<&'e ast::Expr>,
    options: Vec<(&'e Ident, &'e ast::Expr)>,
}

impl<'e> Given<'e> {
    fn option(&self, name: &str) -> Option<&'e ast::Expr> {
        self.options.iter().find(|(option, _)| option.name == name).map(|(_, value)| *value)
    }

    /// The source where its path says it is: on this machine or behind an address.
    fn located(&self, cx: &mut Context<'_>, format: DataSource) -> Option<DataSource> {
        let written = self.path?;
        let Some(scheme) = address::scheme(cx, written, format.path())? else {
            let Some((option, _)) = self.options.iter().find(|(option, _)| REMOTE.contains(&option.name.as_str()))
            else {
                return Some(format);
            };
            let message = format!("`{}` is for addresses, and this is a path", option.name);
            let finding = Finding::error(codes::MISPLACED_SETTING, cx.place(option.span), message);
            cx.report(finding.help("remove it, or write an address such as `s3://bucket/rows.csv`"));
            return None;
        };
        let remote = address::remote(cx, scheme, &self.options)?;
        Some(DataSource::Remote { remote, format: Box::new(format) })
    }
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
                let finding = Finding::error(
                    codes::TOO_MANY_ARGUMENTS,
                    cx.place(argument.value.span),
                    format!("`{reader}` takes one argument without a name, its path"),
                );
                let known = crate::written::listed(known);
                cx.report(finding.help(format!("after the path, options are given by name: {known}")));
            }
            Some(name) if !known.contains(&name.name.as_str()) => {
                sound = false;
                let near = cx.names.nearest(&name.name, known.iter().copied());
                let finding = Finding::error(
                    codes::UNKNOWN_ARGUMENT,
                    cx.place(name.span),
                    format!("`{reader}` has no option `{}`", name.name),
                );
                cx.report(crate::names::suggest(finding, name.span, near, || {
                    format!("options are {}", crate::written::listed(known))
                }));
            }
            Some(name) if given.options.iter().any(|(option, _)| option.name == name.name) => {
                sound = false;
                let finding = Finding::error(
                    codes::DUPLICATE_SETTING,
                    cx.place(name.span),
                    format!("`{}` is given twice", name.name),
                );
                cx.report(finding.help("remove one"));
            }
            Some(name) => given.options.push((name, &argument.value)),
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
        let ending = if reader == "json_lines" { "jsonl" } else { reader };
        cx.report(finding.help(format!("write `{reader}(\"data/rows.{ending}\")`")));
        return None;
    };
    let text = text(cx, written, "the path")?;
    if text.is_empty() {
        let finding = Finding::error(codes::OUT_OF_RANGE, cx.place(written.span), "the path is empty");
        cx.report(finding.help("name a file; a relative path starts at the folder of this file"));
        return None;
    }
    Some(cx.rebased(written, text))
}

fn text(cx: &mut Context<'_>, written: &ast::Expr, what: &str) -> Option<String> {
    let (_, value) = Typing::new(cx, Scope::Constant).constant(written)?;
    match cx.fit(written, &value, &Type::String, what)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn csv(cx: &mut Context<'_>, call: &ast::Expr, arguments: &[Argument]) -> Option<DataSource> {
    let known: Vec<&str> = ["delimiter", "missing"].into_iter().chain(REMOTE).collect();
    let given = named(cx, "csv", arguments, &known)?;
    let path = path(cx, call, "csv", given.path);
    let (mut delimiter, mut missing) = (Some(b','), Some(vec![String::new()]));
    if let Some(written) = given.option("delimiter") {
        delimiter = one_byte(cx, written);
    }
    if let Some(written) = given.option("missing") {
        missing = texts(cx, written);
    }
    given.located(cx, DataSource::Csv { path: path?, delimiter: delimiter?, missing: missing? })
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

/// `sql("postgres://host/db", query: "...", password: secret)`
fn database(cx: &mut Context<'_>, call: &ast::Expr, arguments: &[Argument]) -> Option<DataSource> {
    let (named, bare) = live::arguments(cx, "`sql`", arguments, &["query", "password"])?;
    let example = "write `sql(\"postgres://host/db\", query: \"select * from rows\", password: secret(\"DB\"))`";
    let (address, query) = match (bare.as_slice(), named.get("query")) {
        ([address], Some(query)) => (*address, *query),
        ([_, second, ..], _) => {
            let message = "`sql` takes one argument without a name, the address";
            cx.report(Finding::error(codes::TOO_MANY_ARGUMENTS, cx.place(second.span), message).help(example));
            return None;
        }
        (bare, _) => {
            let message = match bare {
                [] => "`sql` needs the address of a database",
                _ => "`sql` needs `query`: what is asked of the database",
            };
            cx.report(Finding::error(codes::MISSING_ARGUMENT, cx.place(call.span), message).help(example));
            return None;
        }
    };
    let password = named.get("password").map(|written| secret::given(cx, written, "`password`"));
    let text_of_address = address::database(cx, address);
    let asked = cx.seen_in(SeenIn::Query, |cx| text(cx, query, "`query`"))?;
    if asked.trim().is_empty() {
        let finding = Finding::error(codes::OUT_OF_RANGE, cx.place(query.span), "the query is empty");
        cx.report(finding.help("write `select ... from ...`"));
        return None;
    }
    let password = match password {
        Some(given) => Some(given?),
        None => None,
    };
    Some(DataSource::Database { address: text_of_address?, query: asked, password })
}

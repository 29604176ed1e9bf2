//! `serve = batch(customers, to: parquet("out.parquet"), every: 1d)`, `serve = stream(from: "kafka://a/in", to: "kafka://a/out")`

use super::{arguments, constant, duration};
use crate::codes;
use crate::context::{Context, Trained};
use crate::finding::Finding;
use crate::live::{Form, Sink, SinkFormat};
use crate::names::suggest;
use crate::pipeline::OutputRef;
use crate::span::Span;
use crate::syntax::ast::{self, Argument, DeclarationKind, ExprKind};
use crate::types::{Schema, Type};
use crate::typing::access::{self, Accessed};
use crate::typing::operators::unify;
use crate::typing::{plain, with_article};
use crate::value::Value;
use crate::written::{listed, quoted};

const FORMATS: [(&str, SinkFormat); 3] =
    [("csv", SinkFormat::Csv), ("parquet", SinkFormat::Parquet), ("json_lines", SinkFormat::JsonLines)];

/// Systems that keep streams of messages.
const STREAMS: [&str; 8] = ["kafka", "nats", "pulsar", "redis", "amqp", "mqtt", "kinesis", "pubsub"];

pub(super) fn batch(
    cx: &mut Context<'_>,
    whole: &ast::Expr,
    given: &[Argument],
    trained: Option<&Trained>,
) -> Option<Form> {
    let (named, bare) = arguments(cx, "`batch`", given, &["to", "every"])?;
    let [table] = bare.as_slice() else {
        let message = "`batch` needs one table whose rows are predicted";
        let finding = Finding::error(codes::MISSING_ARGUMENT, cx.place(whole.span), message);
        cx.report(finding.help("write `batch(customers, to: parquet(\"out/predicted.parquet\"))`"));
        return None;
    };
    let rows = rows(cx, table, trained);
    let every = match named.get("every") {
        Some(written) => duration(cx, written, "`every`").map(Some),
        None => Some(None),
    };
    let Some(to) = named.get("to") else {
        let finding = Finding::error(
            codes::MISSING_ARGUMENT,
            cx.place(whole.span),
            "`batch` does not say where its predictions go",
        );
        cx.report(finding.label("no `to`").help("add `to: parquet(\"out/predicted.parquet\")`"));
        return None;
    };
    let sink = sink(cx, to)?;
    not_its_source(cx, table, to.span, &sink)?;
    Some(Form::Batch { rows: rows?, to: sink, every: every? })
}

/// The table, if it has what the model needs.
fn rows(cx: &mut Context<'_>, written: &ast::Expr, trained: Option<&Trained>) -> Option<OutputRef> {
    let found = match access::path(written).map(|path| cx.access(&path)) {
        Some(Accessed::Output { node, output, ty: Type::Dataset(schema) }) => {
            has_features(cx, written.span, &schema, trained?)?;
            return Some(OutputRef { node, output });
        }
        Some(Accessed::Output { ty, .. }) => with_article(&ty),
        Some(Accessed::Metric { field, .. }) => with_article(&field.ty),
        Some(Accessed::Poison) => return None,
        None if matches!(written.kind, ExprKind::Error) => return None,
        None => "a value".to_owned(),
    };
    let message = format!("`batch` predicts the rows of a table, not {found}");
    let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(written.span), message);
    cx.report(finding.label(format!("this is {found}")).help("name data or a step's output: `split.test`"));
    None
}

fn has_features(cx: &mut Context<'_>, span: Span, rows: &Schema, trained: &Trained) -> Option<()> {
    let needed = trained.row.columns.iter().filter(|column| match &trained.features {
        Some(features) => features.contains(&column.name),
        // Which of the columns it learnt from is not known: only those that differ in kind are surely wrong.
        None => rows.column(&column.name).is_some(),
    });
    let mut missing = Vec::new();
    for column in needed {
        let Some(there) = rows.column(&column.name) else {
            missing.push(column.name.as_str());
            continue;
        };
        if unify(&column.ty, &there.ty).is_none() {
            let message = format!(
                "the model learnt `{}` as {}, and in these rows it is {}",
                column.name,
                with_article(&column.ty),
                with_article(&there.ty)
            );
            let finding = Finding::error(codes::MISSING_FEATURE, cx.place(span), message);
            cx.report(finding.help("predict rows that look like those the model learnt from"));
            return None;
        }
    }
    if missing.is_empty() {
        return Some(());
    }
    let message = match missing.as_slice() {
        [one] => format!("the model needs the column `{one}`, and these rows do not have it"),
        several => format!("the model needs columns that these rows do not have: {}", listed(several)),
    };
    let finding = Finding::error(codes::MISSING_FEATURE, cx.place(span), message);
    let all = crate::typing::listed_columns(&rows.columns);
    cx.report(
        finding
            .note(format!("the rows have {all}"))
            .help("add the columns, or leave them out of the `features` of the training step"),
    );
    None
}

/// `parquet("out.parquet")`
fn sink(cx: &mut Context<'_>, written: &ast::Expr) -> Option<Sink> {
    let (word, given, place) = match &written.kind {
        ExprKind::Error => return None,
        ExprKind::Call(callee, given) => match &callee.kind {
            ExprKind::Name(name) => (name.as_str(), given.as_slice(), callee.span),
            _ => ("", &[][..], callee.span),
        },
        _ => ("", &[][..], written.span),
    };
    let Some((_, format)) = FORMATS.iter().find(|(known, _)| *known == word) else {
        let known = FORMATS.map(|(word, _)| word);
        let near = cx.names.nearest(word, known);
        let message = format!("predictions are written as {}", listed(known));
        let finding = Finding::error(codes::NOT_ONE_OF, cx.place(place), message).label("none of these");
        cx.report(suggest(finding, place, near, || "write `to: parquet(\"out/predicted.parquet\")`".to_owned()));
        return None;
    };
    let [Argument { name: None, value }] = given else {
        let message = format!("`{word}` needs the path of the file that is written");
        let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(written.span), message);
        cx.report(finding.help(format!("write `to: {word}(\"out/predicted.{word}\")`")));
        return None;
    };
    let filled = |value: &Value| !plain(value).trim().is_empty();
    let path = constant(cx, value, &Type::String, "the path", "the path of a file", filled)?;
    Some(Sink { format: *format, path: plain(&path) })
}

/// Predictions would take the place of the rows they are made from.
fn not_its_source(cx: &mut Context<'_>, table: &ast::Expr, to: Span, sink: &Sink) -> Option<()> {
    let ExprKind::Name(name) = &table.kind else { return Some(()) };
    let declared = cx.names.get(name)?;
    let DeclarationKind::Data { settings, .. } = &cx.file.declarations.get(declared.index)?.kind else {
        return Some(());
    };
    let source = settings.iter().find(|setting| setting.name.name == "source");
    let read = source.and_then(|source| match &source.value.kind {
        ExprKind::Call(_, arguments) => arguments.first(),
        _ => None,
    });
    let same = read.is_some_and(|read| match &read.value.kind {
        ExprKind::String(parts) => {
            matches!(parts.as_slice(), [ast::StringPart::Text(path)] if path.trim_start_matches("./") == sink.path.trim_start_matches("./"))
        }
        _ => false,
    });
    if !same {
        return Some(());
    }
    let message = format!("the predictions would take the place of the rows of `{name}`");
    let finding = Finding::error(codes::FEEDS_ITSELF, cx.place(to), message).label("the file that is read");
    cx.report(finding.also(cx.place(declared.span), "read here").help("write to another file"));
    None
}

pub(super) fn stream(cx: &mut Context<'_>, whole: &ast::Expr, given: &[Argument]) -> Option<Form> {
    let (named, bare) = arguments(cx, "`stream`", given, &["from", "to"])?;
    let wrong = match () {
        () if !bare.is_empty() => Some("`stream` takes its arguments by name"),
        () if !named.contains_key("from") => Some("`stream` does not say where rows come from"),
        () if !named.contains_key("to") => Some("`stream` does not say where its predictions go"),
        () => None,
    };
    if let Some(message) = wrong {
        let finding = Finding::error(codes::MISSING_ARGUMENT, cx.place(whole.span), message);
        cx.report(finding.help("write `stream(from: \"kafka://host:9092/in\", to: \"kafka://host:9092/out\")`"));
        return None;
    }
    let (from, to) = (named.get("from")?, named.get("to")?);
    let (read, write) = (address(cx, from), address(cx, to));
    let (read, write) = (read?, write?);
    if read == write {
        let message = "this deployment would predict its own predictions";
        let finding = Finding::error(codes::FEEDS_ITSELF, cx.place(to.span), message).label("where it reads from");
        cx.report(finding.also(cx.place(from.span), "read here").help("write to another topic"));
        return None;
    }
    Some(Form::Stream { from: read, to: write })
}

/// `kafka://host:9092/topic`
fn address(cx: &mut Context<'_>, written: &ast::Expr) -> Option<String> {
    let text = constant(cx, written, &Type::String, "a stream", "an address", |_| true)?;
    let text = plain(&text);
    let (scheme, rest) = text.split_once("://").unwrap_or((text.as_str(), ""));
    let (host, topic) = rest.split_once('/').unwrap_or((rest, ""));
    let help = match () {
        () if !text.contains("://") => "begin with the system: `kafka://host:9092/topic`".to_owned(),
        () if !STREAMS.contains(&scheme) => match cx.names.nearest(scheme, STREAMS) {
            Some(near) => format!("did you mean `{near}://`?"),
            None => format!("systems are {}", listed(STREAMS)),
        },
        () if host.is_empty() => format!("name the machine: `{scheme}://host/topic`"),
        () if topic.trim_matches('/').is_empty() => format!("name the topic: `{scheme}://{host}/topic`"),
        () if text.contains(char::is_whitespace) => "an address has no spaces".to_owned(),
        () => return Some(text),
    };
    let finding =
        Finding::error(codes::NOT_AN_ADDRESS, cx.place(written.span), format!("{} is no stream", quoted(&text)));
    cx.report(finding.help(help));
    None
}

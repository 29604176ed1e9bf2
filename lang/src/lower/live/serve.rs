//! `serve = online(port: 8080, sticky: header("x-user"))`, and which of the ways to be served it is.

use super::{arguments, constant, count, duration, tables};
use crate::codes;
use crate::context::{Context, Trained};
use crate::finding::Finding;
use crate::live::{Form, Serve, Sticky};
use crate::lower::block;
use crate::names::suggest;
use crate::syntax::ast::{self, ExprKind, Setting};
use crate::types::{Schema, Type};
use crate::typing::functions::column_name;
use crate::value::Value;

const ARGUMENTS: &[&str] = &["port", "host", "replicas", "timeout", "batch", "sticky", "log"];

/// More copies or rows than any machine of today serves well are a slip of the keyboard.
const MOST_REPLICAS: u32 = 1024;
const MOST_ROWS: u32 = 1_000_000;

fn defaults() -> Serve {
    Serve {
        host: "127.0.0.1".to_owned(),
        port: 8080,
        replicas: 1,
        timeout: 5_000_000_000,
        batch: 256,
        sticky: None,
        log: true,
    }
}

pub(super) fn lower(
    cx: &mut Context<'_>,
    setting: Option<&Setting>,
    trained: Option<&Trained>,
) -> Option<(Serve, Form)> {
    let Some(setting) = setting else { return Some((defaults(), Form::Online)) };
    if block::is_broken(setting) {
        return None;
    }
    let (word, given) = match &setting.value.kind {
        ExprKind::Name(name) => (name.as_str(), &[][..]),
        ExprKind::Call(callee, given) => match &callee.kind {
            ExprKind::Name(name) => (name.as_str(), given.as_slice()),
            _ => ("", &[][..]),
        },
        _ => ("", &[][..]),
    };
    let row = trained.map(|trained| &trained.row);
    match word {
        "online" => online(cx, given, row).map(|serve| (serve, Form::Online)),
        "batch" => tables::batch(cx, &setting.value, given, trained).map(|form| (defaults(), form)),
        "stream" => tables::stream(cx, &setting.value, given).map(|form| (defaults(), form)),
        _ => {
            let near = cx.names.nearest(word, ["online", "batch", "stream"]);
            let span = match &setting.value.kind {
                ExprKind::Call(callee, _) => callee.span,
                _ => setting.value.span,
            };
            let message = "a deployment is served `online`, in a `batch` or from a `stream`";
            let finding = Finding::error(codes::NOT_ONE_OF, cx.place(span), message).label("none of these");
            cx.report(suggest(finding, span, near, || {
                "write `serve = online(port: 8080)`, or leave it out".to_owned()
            }));
            None
        }
    }
}

fn online(cx: &mut Context<'_>, given: &[ast::Argument], row: Option<&Schema>) -> Option<Serve> {
    let (named, bare) = arguments(cx, "`online`", given, ARGUMENTS)?;
    if let Some(first) = bare.first() {
        let finding =
            Finding::error(codes::BAD_ARGUMENTS, cx.place(first.span), "`online` takes its arguments by name");
        cx.report(finding.help("write `online(port: 8080)`"));
        return None;
    }
    let mut serve = Some(defaults());
    let mut set = |value: Option<()>| {
        if value.is_none() {
            serve = None;
        }
    };
    let mut wanted = defaults();
    for (name, value) in ordered(&named) {
        let what = format!("`{name}`");
        set(match name {
            "port" => count(cx, value, &what, 1, 65_535)
                .and_then(|port| u16::try_from(port).ok())
                .map(|port| wanted.port = port),
            "host" => host(cx, value).map(|host| wanted.host = host),
            "replicas" => count(cx, value, &what, 1, MOST_REPLICAS).map(|replicas| wanted.replicas = replicas),
            "timeout" => duration(cx, value, &what).map(|timeout| wanted.timeout = timeout),
            "batch" => count(cx, value, &what, 1, MOST_ROWS).map(|rows| wanted.batch = rows),
            "sticky" => sticky(cx, value, row).map(|sticky| wanted.sticky = Some(sticky)),
            _ => match constant(cx, value, &Type::Bool, &what, "true or false", |_| true) {
                Some(Value::Bool(log)) => {
                    wanted.log = log;
                    Some(())
                }
                _ => None,
            },
        });
    }
    serve.map(|_| wanted)
}

/// In the order of the documentation, so that findings come in one order.
fn ordered<'e>(named: &std::collections::HashMap<&'e str, &'e ast::Expr>) -> Vec<(&'static str, &'e ast::Expr)> {
    ARGUMENTS.iter().filter_map(|name| Some((*name, *named.get(name)?))).collect()
}

fn host(cx: &mut Context<'_>, written: &ast::Expr) -> Option<String> {
    let plain = |value: &Value| match value {
        Value::String(host) => {
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
        }
        _ => false,
    };
    let range = "a name or an address, such as \"0.0.0.0\"";
    match constant(cx, written, &Type::String, "`host`", range, plain)? {
        Value::String(host) => Some(host),
        _ => None,
    }
}

/// `header("x-user")`, `column(customer)`
fn sticky(cx: &mut Context<'_>, written: &ast::Expr, row: Option<&Schema>) -> Option<Sticky> {
    let (word, value) = match &written.kind {
        ExprKind::Error => return None,
        ExprKind::Call(callee, given) => match (&callee.kind, given.as_slice()) {
            (ExprKind::Name(word), [ast::Argument { name: None, value }]) => (word.as_str(), value),
            _ => ("", written),
        },
        _ => ("", written),
    };
    match word {
        "header" => {
            let token = |value: &Value| match value {
                Value::String(name) => {
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                }
                _ => false,
            };
            match constant(cx, value, &Type::String, "the header", "a header's name, such as \"x-user\"", token)? {
                Value::String(name) => Some(Sticky::Header(name.to_ascii_lowercase())),
                _ => None,
            }
        }
        "column" => {
            let Some(name) = column_name(value) else {
                let finding =
                    Finding::error(codes::BAD_ARGUMENTS, cx.place(value.span), "`column` takes the name of a column");
                cx.report(finding.help("write it bare: `sticky: column(customer)`"));
                return None;
            };
            let row = row?;
            if row.column(name).is_none() {
                cx.unknown_column(name, value.span, &row.columns);
                return None;
            }
            Some(Sticky::Column(name.to_owned()))
        }
        _ => {
            let finding = Finding::error(
                codes::BAD_ARGUMENTS,
                cx.place(written.span),
                "requests stick by a header or by a column of their row",
            );
            cx.report(finding.help("write `sticky: header(\"x-user\")` or `sticky: column(customer)`"));
            None
        }
    }
}

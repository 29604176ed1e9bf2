//! `secret token = env("TOKEN")`: where credentials are found, and the few places that take one.

use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::names::{Kind, suggest};
use crate::span::Span;
use crate::syntax::ast::{Argument, DeclarationKind, Expr, ExprKind, StringPart};
use crate::types::Type;
use crate::typing::{Scope, Typing, with_article};
use crate::value::Value;
use crate::work::SecretSource;
use crate::written::quoted;

/// Reads every `secret` of the file.
pub(super) fn lower_all(cx: &mut Context<'_>) {
    let file = cx.file;
    for (index, declaration) in file.declarations.iter().enumerate() {
        let DeclarationKind::Secret { name, source } = &declaration.kind else { continue };
        let source = declared(cx, &name.name, source);
        if cx.names.owns(&name.name, index) {
            cx.secrets.insert(&name.name, source);
        }
    }
}

/// What stands behind `secret name =`.
fn declared(cx: &mut Context<'_>, name: &str, source: &Expr) -> Option<SecretSource> {
    let (word, arguments) = match &source.kind {
        ExprKind::Error => return None,
        ExprKind::Call(callee, arguments) => match &callee.kind {
            ExprKind::Error => return None,
            ExprKind::Name(word) => (word.as_str(), arguments.as_slice()),
            _ => return not_a_source(cx, name, source),
        },
        _ => return not_a_source(cx, name, source),
    };
    match word {
        "env" => variable(cx, source.span, "env", arguments).map(SecretSource::Env),
        "file" => {
            text(cx, source.span, arguments, "`file`", "a path", "file(\"/run/secrets/token\")").map(|(path, _)| {
                SecretSource::File(arguments.first().map_or(path.clone(), |it| cx.rebased(&it.value, path)))
            })
        }
        "command" => command(cx, source.span, arguments),
        "secret" => variable(cx, source.span, "secret", arguments).map(SecretSource::Env),
        other => {
            let ExprKind::Call(callee, _) = &source.kind else { return None };
            let near = cx.names.nearest(other, ["env", "file", "command"]);
            let finding = Finding::error(
                codes::BAD_SECRET,
                cx.place(callee.span),
                format!("a secret cannot be read from `{other}(...)`"),
            );
            cx.report(suggest(finding, callee.span, near, || {
                "a secret comes from `env(\"NAME\")`, `file(\"path\")` or `command([\"program\", \"word\"])`".to_owned()
            }));
            None
        }
    }
}

/// A literal, or something else that is no source: the most likely wish is to write the credential itself.
fn not_a_source(cx: &mut Context<'_>, name: &str, source: &Expr) -> Option<SecretSource> {
    let variable = name.to_uppercase();
    let (message, label) = match &source.kind {
        ExprKind::String(_) => ("a secret is not written in the file", "everybody who reads the file would know it"),
        _ => ("this does not say where the secret is found", "no source of secrets"),
    };
    let finding = Finding::error(codes::BAD_SECRET, cx.place(source.span), message).label(label).help(format!(
        "say where it is found: `env({})`, `file(\"/run/secrets/{name}\")` or `command([...])`",
        quoted(&variable)
    ));
    cx.report(match &source.kind {
        ExprKind::String(_) => finding.fix(
            format!("read it from the variable {variable}"),
            source.span,
            format!("env({})", quoted(&variable)),
            Safety::Unsafe,
        ),
        _ => finding,
    });
    None
}

/// One text without a name, with its place.
fn text(
    cx: &mut Context<'_>,
    whole: Span,
    arguments: &[Argument],
    what: &str,
    wanted: &str,
    example: &str,
) -> Option<(String, Span)> {
    let [Argument { name: None, value }] = arguments else {
        let finding =
            Finding::error(codes::BAD_ARGUMENTS, cx.place(whole), format!("{what} takes {wanted}, and nothing else"));
        cx.report(finding.help(format!("write `{example}`")));
        return None;
    };
    let (_, constant) = Typing::new(cx, Scope::Constant).constant(value)?;
    match cx.fit(value, &constant, &Type::String, what)? {
        Value::String(text) if !text.is_empty() => Some((text, value.span)),
        _ => {
            let finding = Finding::error(codes::OUT_OF_RANGE, cx.place(value.span), format!("{what} names nothing"));
            cx.report(finding.help(format!("write `{example}`")));
            None
        }
    }
}

/// The name of a variable of the environment.
fn variable(cx: &mut Context<'_>, whole: Span, word: &str, arguments: &[Argument]) -> Option<String> {
    let example = format!("{word}(\"TOKEN\")");
    let (name, span) = text(cx, whole, arguments, &format!("`{word}`"), "the name of a variable", &example)?;
    is_variable(cx, &name, span).then_some(name)
}

/// Whether a program can have a variable of this name; if not, it is reported.
pub(super) fn is_variable(cx: &mut Context<'_>, name: &str, span: Span) -> bool {
    let sound = !name.is_empty() && !name.contains(['=', '\0']) && !name.contains(char::is_whitespace);
    if !sound {
        let finding = Finding::error(
            codes::OUT_OF_RANGE,
            cx.place(span),
            format!("{} cannot be the name of a variable", quoted(name)),
        );
        cx.report(finding.help("write letters, digits and `_`, as in `API_TOKEN`"));
    }
    sound
}

/// `command(["pass", "show", "token"])`
fn command(cx: &mut Context<'_>, whole: Span, arguments: &[Argument]) -> Option<SecretSource> {
    let example = "write `command([\"pass\", \"show\", \"token\"])`";
    let [Argument { name: None, value }] = arguments else {
        let message = "`command` takes the words of one command";
        cx.report(Finding::error(codes::BAD_ARGUMENTS, cx.place(whole), message).help(example));
        return None;
    };
    let (_, constant) = Typing::new(cx, Scope::Constant).constant(value)?;
    let Value::List(words) = cx.fit(value, &constant, &Type::List(Box::new(Type::String)), "`command`")? else {
        return None;
    };
    let words: Vec<String> = words.iter().map(crate::typing::plain).collect();
    if words.first().is_none_or(String::is_empty) {
        cx.report(Finding::error(codes::OUT_OF_RANGE, cx.place(value.span), "the command is empty").help(example));
        return None;
    }
    Some(SecretSource::Command(words))
}

/// A secret where one is wanted: by its name, or inline as `secret("TOKEN")`. `what` is the setting it is for. A mistake
/// is reported; `None` then.
pub(crate) fn given(cx: &mut Context<'_>, written: &Expr, what: &str) -> Option<SecretSource> {
    match &written.kind {
        ExprKind::Error => return None,
        ExprKind::Call(callee, arguments) if matches!(&callee.kind, ExprKind::Name(name) if name == "secret") => {
            return variable(cx, written.span, "secret", arguments).map(SecretSource::Env);
        }
        ExprKind::Name(name) => match cx.names.get(name) {
            Some(declared) if declared.kind == Kind::Secret => {
                return cx.secrets.get(name.as_str()).cloned().flatten();
            }
            Some(_) => {}
            None if cx.names.is_broken(name) => return None,
            None => {
                let near = cx.names.nearest(name, cx.names.of_kind(|kind| kind == Kind::Secret));
                let finding =
                    Finding::error(codes::UNKNOWN_NAME, cx.place(written.span), format!("no secret is named `{name}`"))
                        .label("not declared");
                let finding = suggest(finding, written.span, near, || {
                    format!("declare it: `secret {name} = env({})`", quoted(&name.to_uppercase()))
                });
                cx.report_once(format!("name {name}"), "also here", finding);
                return None;
            }
        },
        _ => {}
    }
    let plain =
        matches!(&written.kind, ExprKind::String(parts) if parts.iter().all(|p| matches!(p, StringPart::Text(_))));
    let finding = if plain {
        Finding::error(codes::NOT_A_SECRET, cx.place(written.span), format!("{what} is a secret, and this is its text"))
            .label("everybody who reads the file would know it")
            .help("declare `secret token = env(\"TOKEN\")` and write `token` here")
    } else {
        let found = Typing::new(cx, Scope::Constant).infer(written);
        if found.is_unknown() {
            return None;
        }
        let found = with_article(&found.ty);
        Finding::error(codes::NOT_A_SECRET, cx.place(written.span), format!("{what} is a secret, not {found}"))
            .label(format!("this is {found}"))
            .help("declare `secret token = env(\"TOKEN\")` and write `token` here")
    };
    cx.report(finding);
    None
}

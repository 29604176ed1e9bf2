//! `param holdout: fraction = 20%`: types and values, with what the command line says instead.

use crate::check::Purpose;
use crate::codes;
use crate::context::{Context, KnownParam};
use crate::finding::Finding;
use crate::link::is_joined;
use crate::names::Kind;
use crate::pipeline::Param;
use crate::span::{Source, Span};
use crate::syntax::ast::{self, DeclarationKind, ExprKind, StringPart};
use crate::types::Type;
use crate::typing::fit::coerce;
use crate::typing::{Scope, Typing, operators, units, with_article};
use crate::value::Value;
use indexmap::IndexMap;

/// All parameters with their values; `None` when one has none.
pub(super) fn lower(
    cx: &mut Context<'_>,
    overrides: &IndexMap<String, String>,
    purpose: Purpose,
) -> Option<IndexMap<String, Param>> {
    let mut params = IndexMap::new();
    let mut whole = true;
    let file = cx.file;
    for (index, declaration) in file.declarations.iter().enumerate() {
        let DeclarationKind::Param { name, ty: written, default } = &declaration.kind else { continue };
        let before = cx.findings.len();
        let ty = cx.param_type(written);
        // A default of a type that no parameter has is no mistake of its own.
        let understood = ty != Type::Unknown || cx.findings.len() == before;
        let default = default.as_ref().filter(|_| understood);
        let default = default.map(|default| default_value(cx, default, &ty, &name.name));
        // Of other files and of components: constants.
        let joined = is_joined(&name.name);
        let owned = cx.names.owns(&name.name, index);
        let given = overrides.get(&name.name).filter(|_| owned && !joined);
        let value = match (given, default) {
            _ if ty == Type::Unknown => None,
            (Some(text), _) => override_value(cx, &name.name, name.span, text, &ty),
            (None, Some(value)) => value,
            (None, None) if purpose == Purpose::Inspection || joined => None,
            (None, None) => {
                let finding = Finding::error(
                    codes::PARAM_WITHOUT_VALUE,
                    cx.place(name.span),
                    format!("the parameter `{}` has no value", name.name),
                )
                .help(format!("give it one on the command line: --param {}=value, or a default here", name.name));
                cx.report(finding);
                None
            }
        };
        if !owned {
            continue;
        }
        cx.params.insert(&name.name, KnownParam { ty: ty.clone(), value: value.clone() });
        match value {
            Some(_) if joined => {}
            Some(value) => {
                params.insert(name.name.clone(), Param { ty, value, overridden: given.is_some() });
            }
            None => whole = false,
        }
    }
    for name in overrides.keys() {
        if is_joined(name) || cx.names.get(name).is_none_or(|declared| declared.kind != Kind::Param) {
            whole = false;
            if !cx.names.is_broken(name) {
                unknown_override(cx, name);
            }
        }
    }
    whole.then_some(params)
}

fn default_value(cx: &mut Context<'_>, default: &ast::Expr, ty: &Type, name: &str) -> Option<Value> {
    let binding = cx.linked.and_then(|linked| linked.bindings.get(name));
    let before = cx.findings.len();
    let value = Typing::new(cx, Scope::Constant).constant(default).and_then(|(_, value)| match binding {
        Some(binding) => cx.fit(default, &value, ty, &binding.what),
        None => cx.fit(default, &value, ty, &format!("the parameter `{name}`")),
    });
    if let Some(binding) = binding {
        cx.findings[before..].iter_mut().for_each(|finding| finding.notes.push(binding.note.clone()));
        cx.blame_around(before, binding.instance);
    }
    value
}

fn unknown_override(cx: &mut Context<'_>, name: &str) {
    let near = cx.names.nearest(name, cx.names.of_kind(|kind| kind == Kind::Param));
    let finding = Finding::error(
        codes::UNKNOWN_PARAM,
        cx.place(Span::default()),
        format!("--param {name}: the file has no parameter `{name}`"),
    );
    let declared = crate::written::listed(cx.names.of_kind(|kind| kind == Kind::Param));
    if let Some((_, own)) = name.split_once('.') {
        return cx.report(finding.help(format!(
            "parameters of other files are constants: declare `param {own}` in this file, and give its value to what needs it"
        )));
    }
    cx.report(match near {
        Some(near) => finding.help(format!("did you mean `--param {near}=...`?")),
        None => finding.help(format!("parameters of this file: {declared}")),
    });
}

fn override_value(cx: &mut Context<'_>, name: &str, span: Span, text: &str, ty: &Type) -> Option<Value> {
    let value = parse(text, ty);
    let fitting = value.as_ref().and_then(|value| coerce(value, ty));
    if fitting.is_none() {
        let mut finding = Finding::error(
            codes::BAD_OVERRIDE,
            cx.place(span),
            format!("--param {name}={text}: `{text}` is not {}", with_article(ty)),
        )
        .label(format!("declared as {}", with_article(ty)));
        let inner = operators::present(ty);
        if let Some(value) = value.filter(|value| units::lacks_unit(value, inner)) {
            finding = finding.help(match (inner, &value) {
                (Type::Fraction, Value::Float(part)) if part.abs() <= 1.0 => {
                    format!("write `--param {name}={}%`", crate::written::percent(*part))
                }
                (Type::Fraction, value) => format!("write `--param {name}={value}%`"),
                (Type::Duration, value) => format!("write its unit: `{value}s`, `{value}m`, `{value}h` or `{value}d`"),
                (_, value) => format!("write its unit: `{value}MiB` or `{value}GiB`"),
            });
        }
        cx.report(finding);
    }
    fitting
}

/// A value in the syntax of its type. Texts may stand without quotes, as shells take them away.
fn parse(text: &str, ty: &Type) -> Option<Value> {
    let inner = operators::present(ty);
    let literal = literal(text);
    if matches!(inner, Type::String | Type::Enum(_)) && !matches!(literal, Some(Value::String(_) | Value::Null)) {
        return Some(Value::String(text.to_owned()));
    }
    literal
}

/// A literal, read by the parser of files. `None` when it is anything else.
fn literal(text: &str) -> Option<Value> {
    if text.contains(['\n', '\r']) {
        return None;
    }
    let syntax = crate::syntax::parse(&Source::new("--param", &format!("mlp 1\nparam value: int = {text}\n")));
    if !syntax.findings.is_empty() || syntax.file.declarations.len() != 1 {
        return None;
    }
    match &syntax.file.declarations[0].kind {
        DeclarationKind::Param { default: Some(value), .. } => literal_value(value),
        _ => None,
    }
}

fn literal_value(expr: &ast::Expr) -> Option<Value> {
    Some(match &expr.kind {
        ExprKind::Null => Value::Null,
        ExprKind::Bool(value) => Value::Bool(*value),
        ExprKind::Int(value) => Value::Int(*value),
        ExprKind::Float(value) => Value::Float(*value),
        ExprKind::Fraction(value) => Value::Fraction(*value),
        ExprKind::Duration(value) => Value::Duration(*value),
        ExprKind::Size(value) => Value::Size(*value),
        ExprKind::Date(text) => Value::Date(text.clone()),
        ExprKind::Time(text) => Value::Time(text.clone()),
        ExprKind::String(parts) => match parts.as_slice() {
            [] => Value::String(String::new()),
            [StringPart::Text(text)] => Value::String(text.clone()),
            _ => return None,
        },
        ExprKind::List(items) => Value::List(items.iter().map(literal_value).collect::<Option<_>>()?),
        ExprKind::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| Some((key.name.clone(), literal_value(value)?)))
                .collect::<Option<_>>()?,
        ),
        ExprKind::Range { low, high, inclusive } => {
            let (low, high) = (Box::new(literal_value(low)?), Box::new(literal_value(high)?));
            let upper = crate::eval::order(&low, &high)?;
            if upper.is_gt() || upper.is_eq() && !inclusive {
                return None;
            }
            Value::Range { low, high, inclusive: *inclusive }
        }
        ExprKind::Negate(inner) => match literal_value(inner)? {
            Value::Int(number) => Value::Int(number.checked_neg()?),
            Value::Float(number) => Value::Float(-number),
            Value::Fraction(number) => Value::Fraction(-number),
            Value::Duration(length) => Value::Duration(length.checked_neg()?),
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typing::fit::type_of;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let number = proptest::num::f64::NORMAL | proptest::num::f64::ZERO;
        let text = "[ -~\\n\\t\u{e9}\u{1F600}]{0,12}";
        let scalar = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            // The lowest int has no literal of its own: its digits are no int before the minus is read.
            (i64::MIN + 1..=i64::MAX).prop_map(Value::Int),
            number.prop_map(Value::Float),
            number.prop_map(Value::Fraction),
            (i64::MIN + 1..=i64::MAX).prop_map(Value::Duration),
            any::<u64>().prop_map(Value::Size),
            text.prop_map(Value::String),
        ];
        scalar.prop_recursive(2, 8, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                proptest::collection::vec(("[a-z ]{1,6}", inner), 0..4)
                    .prop_map(|entries| Value::Map(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_written_value_is_read_back(value in values()) {
            let text = value.to_string();
            prop_assert_eq!(literal(&text), Some(value), "written as {}", text);
        }
    }

    #[test]
    fn type_of_agrees_with_coerce() {
        for text in ["1", "0.5", "20%", "1h30m", "4GiB", "2011-04-01", "\"a\"", "[1, 2]", "1..=3", "{ a: 1 }"] {
            let value = literal(text).unwrap_or(Value::Null);
            assert_eq!(coerce(&value, &type_of(&value)), Some(value), "{text}");
        }
    }
}

//! Settings of a step by its signature: what was written, else what stands for it, so that a step always sees all of
//! them.

use super::arguments::Arguments;
use super::step::written_type;
use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::names::Kind;
use crate::signature::{ParamDefault, ParamSignature, ParamType, StepSignature};
use crate::span::Span;
use crate::syntax::ast::{self, ExprKind};
use crate::types::{Schema, Type};
use crate::typing::functions::column_name;
use crate::typing::{Scope, Typing, plain};
use crate::value::Value;
use indexmap::IndexMap;
use std::collections::HashMap;

/// Every setting of the signature with its value, in its order. `None`: its mistake was reported.
pub(super) fn resolve(
    cx: &mut Context<'_>,
    signature: &StepSignature,
    callee: Span,
    arguments: &Arguments<'_>,
    inputs: &HashMap<String, Type>,
) -> IndexMap<String, Option<Value>> {
    let mut resolved: Vec<Option<Option<Value>>> = vec![None; signature.params.len()];
    // A value of a column needs that column, and default features leave out the label: columns come first.
    for columns_first in [true, false] {
        for (at, param) in signature.params.iter().enumerate() {
            if resolved[at].is_some() || names_columns(param, arguments.settings[at]) != columns_first {
                continue;
            }
            let mut resolver = Resolver { cx, signature, callee, inputs, resolved: &resolved };
            let value = match arguments.settings[at] {
                Some(written) => resolver.given(param, &param.ty, written),
                None => resolver.left_out(param),
            };
            let value = value.filter(|value| within_limits(cx, param, arguments.settings[at], callee, value));
            resolved[at] = Some(value);
        }
    }
    leaking_labels(cx, signature, arguments, &mut resolved);
    signature.params.iter().zip(resolved).map(|(param, value)| (param.name.clone(), value.flatten())).collect()
}

/// A label among the features that a call names: the model would be told what it shall find out.
fn leaking_labels(
    cx: &mut Context<'_>,
    signature: &StepSignature,
    arguments: &Arguments<'_>,
    resolved: &mut [Option<Option<Value>>],
) {
    for (at, param) in signature.params.iter().enumerate() {
        let Some(ParamDefault::Features { of }) = &param.default else { continue };
        let Some(ExprKind::List(items)) = arguments.settings[at].map(|written| &written.kind) else { continue };
        let is_label =
            |other: &ParamSignature| matches!(&other.default, Some(ParamDefault::Label { of: input }) if input == of);
        let labels = signature.params.iter().zip(resolved.iter()).filter(|(other, _)| is_label(other));
        let label = labels.filter_map(|(_, value)| value.as_ref()?.as_ref()).next();
        let Some(Value::Column(label)) = label else { continue };
        let Some(leak) = items.iter().find(|item| column_name(item) == Some(label)) else { continue };
        cx.report(
            Finding::error(
                codes::LEAKING_LABEL,
                cx.place(leak.span),
                format!("`{label}` is the label of this step, and cannot be one of its `{}`", param.name),
            )
            .label("what is to be predicted")
            .help("remove it: a model that is told the answer learns nothing"),
        );
        resolved[at] = Some(None);
    }
}

/// Whether a setting can be resolved before the others: it does not look at any.
fn names_columns(param: &ParamSignature, written: Option<&ast::Expr>) -> bool {
    match (&param.default, written) {
        (Some(ParamDefault::Features { .. }), None) => false,
        _ => !is_value_of(&param.ty),
    }
}

fn is_value_of(ty: &ParamType) -> bool {
    match ty {
        ParamType::ValueOf { .. } => true,
        ParamType::Optional(inner) | ParamType::List(inner) => is_value_of(inner),
        ParamType::Plain(_) | ParamType::Column { .. } => false,
    }
}

struct Resolver<'r, 'a> {
    cx: &'r mut Context<'a>,
    signature: &'r StepSignature,
    callee: Span,
    inputs: &'r HashMap<String, Type>,
    resolved: &'r [Option<Option<Value>>],
}

impl<'r> Resolver<'r, '_> {
    /// The columns of an input, if they are known.
    fn schema(&self, input: &str) -> Option<&'r Schema> {
        match self.inputs.get(input)? {
            Type::Dataset(schema) => Some(schema),
            _ => None,
        }
    }

    fn given(&mut self, param: &ParamSignature, ty: &ParamType, written: &ast::Expr) -> Option<Value> {
        match (ty, &written.kind) {
            (_, ExprKind::Error) => None,
            (ParamType::Optional(_), ExprKind::Null) => Some(Value::Null),
            (ParamType::Optional(inner), _) => self.given(param, inner, written),
            (ParamType::Plain(ty), _) => self.plain(param, ty, written),
            (ParamType::List(element), _) if plain_type(element).is_some() => {
                let ty = Type::List(Box::new(plain_type(element)?));
                self.plain(param, &ty, written)
            }
            (ParamType::List(element), ExprKind::List(items)) => {
                let values: Vec<_> = items.iter().map(|item| self.given(param, element, item)).collect();
                let values = values.into_iter().collect::<Option<Vec<_>>>()?;
                self.is_sensible_list(param, written.span, items, &values).then_some(Value::List(values))
            }
            (ParamType::List(element), _) => self.not_a_list(param, element, written),
            (ParamType::Column { of }, _) => self.column(param, of, written),
            (ParamType::ValueOf { param: column }, _) => self.value_of(param, column, written),
        }
    }

    /// Whether a list of columns names each once, and some if there must be some.
    fn is_sensible_list(&mut self, param: &ParamSignature, whole: Span, items: &[ast::Expr], values: &[Value]) -> bool {
        if values.is_empty() && matches!(param.default, Some(ParamDefault::Features { .. })) {
            let finding = Finding::error(
                codes::NO_FEATURES,
                self.cx.place(whole),
                format!("`{}` names no column to learn from", param.name),
            );
            self.cx
                .report(finding.help(format!("name columns, or leave `{}` out for all that can be used", param.name)));
            return false;
        }
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for (item, value) in items.iter().zip(values) {
            let Value::Column(column) = value else { continue };
            if let Some(first) = seen.insert(column, item.span) {
                let finding = Finding::error(
                    codes::REPEATED_COLUMN,
                    self.cx.place(item.span),
                    format!("the column `{column}` stands twice in `{}`", param.name),
                )
                .also(self.cx.place(first), "first here");
                self.cx.report(finding.help("remove one"));
                return false;
            }
        }
        true
    }

    fn plain(&mut self, param: &ParamSignature, ty: &Type, written: &ast::Expr) -> Option<Value> {
        let (_, value) = Typing::new(self.cx, Scope::Constant).constant(written)?;
        self.cx.fit(written, &value, ty, &format!("`{}`", param.name))
    }

    fn not_a_list(&mut self, param: &ParamSignature, element: &ParamType, written: &ast::Expr) -> Option<Value> {
        let text = self.cx.text(written.span);
        let finding = Finding::error(
            codes::TYPE_MISMATCH,
            self.cx.place(written.span),
            format!("`{}` is a list<{}>", param.name, written_type(element)),
        )
        .help(format!("write `[{text}]`"));
        self.cx.report(if column_name(written).is_some() {
            finding.fix(format!("write `[{text}]`"), written.span, format!("[{text}]"), Safety::Safe)
        } else {
            finding
        });
        None
    }

    /// A column, bare; or a parameter that holds its name.
    fn column(&mut self, param: &ParamSignature, of: &str, written: &ast::Expr) -> Option<Value> {
        let Some(name) = column_name(written) else {
            let finding = Finding::error(
                codes::TYPE_MISMATCH,
                self.cx.place(written.span),
                format!("`{}` is the name of a column of `{of}`", param.name),
            );
            self.cx.report(finding.help("write it bare: `label: churned`; in quotes if it is no identifier"));
            return None;
        };
        let schema = self.schema(of)?;
        if schema.column(name).is_some() {
            return Some(Value::Column(name.to_owned()));
        }
        if let ExprKind::Name(declared) = &written.kind
            && self.cx.names.get(declared).is_some_and(|declared| declared.kind == Kind::Param)
        {
            let value = self.plain(param, &Type::String, written)?;
            let column = plain(&value);
            if schema.column(&column).is_some() {
                return Some(Value::Column(column));
            }
            self.cx.unknown_column(&column, written.span, &schema.columns);
            return None;
        }
        self.cx.unknown_column(name, written.span, &schema.columns);
        None
    }

    /// A value of the column that another setting names, as the text a step reads.
    fn value_of(&mut self, param: &ParamSignature, column_param: &str, written: &ast::Expr) -> Option<Value> {
        let (_, value) = Typing::new(self.cx, Scope::Constant).constant(written)?;
        let at = self.signature.params.iter().position(|other| other.name == column_param)?;
        let column = match self.resolved[at].as_ref()? {
            Some(Value::Column(column)) => column.clone(),
            Some(_) => {
                let finding = Finding::error(
                    codes::MISSING_ARGUMENT,
                    self.cx.place(written.span),
                    format!("`{}` is a value of the column that `{column_param}` names", param.name),
                );
                self.cx.report(finding.help(format!("add `{column_param}: column`")));
                return None;
            }
            None => return None,
        };
        let of = column_of(&self.signature.params[at].ty)?;
        let ty = self.schema(of)?.column(&column)?.ty.clone();
        let what = format!("`{}`, a value of the column `{column}`,", param.name);
        let value = self.cx.fit(written, &value, &ty, &what)?;
        Some(Value::String(plain(&value)))
    }

    fn left_out(&mut self, param: &ParamSignature) -> Option<Value> {
        match (&param.default, &param.ty) {
            (Some(ParamDefault::Value(json)), ty) => {
                let value = from_json(json, ty);
                if value.is_none() {
                    let finding = Finding::error(
                        codes::UNUSABLE_MODULE,
                        self.cx.place(self.callee),
                        format!("the module's own default for `{}` is not {}", param.name, article(&written_type(ty))),
                    );
                    self.cx.report(finding.help(format!("give `{}`, and tell the module's author", param.name)));
                }
                value
            }
            (Some(ParamDefault::Label { of }), ty) => self.default_label(param, of, ty),
            (Some(ParamDefault::Features { of }), _) => self.default_features(param, of),
            (None, ParamType::Optional(_)) => Some(Value::Null),
            (None, ty) => {
                let finding = Finding::error(
                    codes::MISSING_ARGUMENT,
                    self.cx.place(self.callee),
                    format!("`{}` must be given", param.name),
                )
                .label(format!("called without `{}`", param.name))
                .note(format!("`{}` is {}", param.name, article(&written_type(ty))));
                self.cx.report(finding.help(format!("add `{}: ...`", param.name)));
                None
            }
        }
    }

    fn default_label(&mut self, param: &ParamSignature, of: &str, ty: &ParamType) -> Option<Value> {
        let schema = self.schema(of)?;
        match (schema.label(), ty) {
            (Some(label), _) => Some(Value::Column(label.name.clone())),
            (None, ParamType::Optional(_)) => Some(Value::Null),
            (None, _) => {
                let table = schema.name.as_ref().map_or(String::new(), |name| format!(" of schema `{name}`"));
                let finding = Finding::error(
                    codes::NO_LABEL,
                    self.cx.place(self.callee),
                    format!("no column of `{of}` is the label, and `{}` was not given", param.name),
                )
                .label(format!("needs `{}`", param.name))
                .help(format!("write `label` behind a column{table}, or `{}: column` in the call", param.name));
                match &schema.name {
                    Some(name) => self.cx.report_once(format!("label of {name}"), "needs it too", finding),
                    None => self.cx.report(finding),
                }
                None
            }
        }
    }

    /// What a model can learn from: numbers, truths and enums; not what it shall predict, not what names a row.
    fn default_features(&mut self, param: &ParamSignature, of: &str) -> Option<Value> {
        let schema = self.schema(of)?;
        let mut label_is_known = true;
        let labels: Vec<&str> = self
            .signature
            .params
            .iter()
            .zip(self.resolved)
            .filter(|(other, _)| matches!(&other.default, Some(ParamDefault::Label { of: input }) if input == of))
            .filter_map(|(_, value)| match value {
                Some(Some(Value::Column(column))) => Some(column.as_str()),
                Some(None) => {
                    label_is_known = false;
                    None
                }
                _ => None,
            })
            .collect();
        if !label_is_known {
            return None;
        }
        let features: Vec<Value> = schema
            .columns
            .iter()
            .filter(|column| !column.label && !column.unique && !labels.contains(&column.name.as_str()))
            .filter(|column| {
                matches!(
                    column.ty,
                    Type::Bool | Type::Int | Type::Float | Type::Fraction | Type::Enum(_) | Type::Unknown
                )
            })
            .map(|column| Value::Column(column.name.clone()))
            .collect();
        if features.is_empty() {
            let finding = Finding::error(
                codes::NO_FEATURES,
                self.cx.place(self.callee),
                format!("`{of}` has no column to learn from"),
            )
            .note(
                "features are columns of type bool, int, float, fraction or of fixed texts, unless unique or the label",
            );
            self.cx.report(finding.help(format!("name them: `{}: [column]`", param.name)));
            return None;
        }
        Some(Value::List(features))
    }
}

/// With "a" or "an".
pub(super) fn article(words: &str) -> String {
    let vowel = words.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {words}", if vowel { "an" } else { "a" })
}

fn column_of(ty: &ParamType) -> Option<&str> {
    match ty {
        ParamType::Column { of } => Some(of),
        ParamType::Optional(inner) | ParamType::List(inner) => column_of(inner),
        ParamType::Plain(_) | ParamType::ValueOf { .. } => None,
    }
}

fn plain_type(ty: &ParamType) -> Option<Type> {
    match ty {
        ParamType::Plain(ty) => Some(ty.clone()),
        ParamType::Optional(inner) => plain_type(inner).map(|inner| Type::Optional(Box::new(inner))),
        ParamType::List(inner) => plain_type(inner).map(|inner| Type::List(Box::new(inner))),
        ParamType::Column { .. } | ParamType::ValueOf { .. } => None,
    }
}

/// Checks `min` and `max`.
pub(super) fn within_limits(
    cx: &mut Context<'_>,
    param: &ParamSignature,
    written: Option<&ast::Expr>,
    callee: Span,
    value: &Value,
) -> bool {
    let numbers: Vec<(Option<&ast::Expr>, &Value)> = match (value, written.map(|w| &w.kind)) {
        (Value::List(items), Some(ExprKind::List(parts))) if parts.len() == items.len() => {
            parts.iter().map(Some).zip(items).collect()
        }
        (Value::List(items), _) => items.iter().map(|item| (written, item)).collect(),
        (value, _) => vec![(written, value)],
    };
    for (written, value) in numbers {
        let number = match value {
            Value::Int(number) => *number as f64,
            Value::Float(number) | Value::Fraction(number) => *number,
            Value::Duration(length) => *length as f64,
            Value::Size(bytes) => *bytes as f64,
            _ => continue,
        };
        let like = |limit: f64| match value {
            Value::Fraction(_) => Value::Fraction(limit),
            Value::Float(_) => Value::Float(limit),
            Value::Duration(_) => Value::Duration(limit as i64),
            Value::Size(_) => Value::Size(limit as u64),
            _ => Value::Int(limit as i64),
        };
        let wanted = match (param.min, param.max) {
            (Some(min), Some(max)) if number < min || number > max => {
                format!("between {} and {}", like(min), like(max))
            }
            (Some(min), None) if number < min => format!("at least {}", like(min)),
            (None, Some(max)) if number > max => format!("at most {}", like(max)),
            _ => continue,
        };
        let span = written.map_or(callee, |written| written.span);
        let finding = Finding::error(
            codes::OUT_OF_RANGE,
            cx.place(span),
            format!("`{}` must be {wanted}, not {value}", param.name),
        );
        cx.report(if param.doc.is_empty() { finding } else { finding.note(param.doc.clone()) });
        return false;
    }
    true
}

/// A default as plain JSON, as a value of the type.
fn from_json(json: &serde_json::Value, ty: &ParamType) -> Option<Value> {
    match ty {
        ParamType::Optional(_) if json.is_null() => Some(Value::Null),
        ParamType::Optional(inner) => from_json(json, inner),
        ParamType::List(inner) => {
            json.as_array()?.iter().map(|item| from_json(item, inner)).collect::<Option<_>>().map(Value::List)
        }
        ParamType::Column { .. } => Some(Value::Column(json.as_str()?.to_owned())),
        ParamType::ValueOf { .. } => Some(Value::String(json.as_str()?.to_owned())),
        ParamType::Plain(ty) => plain_from_json(json, ty),
    }
}

fn plain_from_json(json: &serde_json::Value, ty: &Type) -> Option<Value> {
    match ty {
        Type::Optional(_) if json.is_null() => Some(Value::Null),
        Type::Optional(inner) => plain_from_json(json, inner),
        Type::Bool => json.as_bool().map(Value::Bool),
        Type::Int => json.as_i64().map(Value::Int),
        Type::Float => json.as_f64().map(Value::Float),
        Type::Fraction => json.as_f64().map(Value::Fraction),
        Type::Duration => json.as_i64().map(Value::Duration),
        Type::Size => json.as_u64().map(Value::Size),
        Type::Date => json.as_str().map(|text| Value::Date(text.to_owned())),
        Type::Time => json.as_str().map(|text| Value::Time(text.to_owned())),
        Type::String => json.as_str().map(|text| Value::String(text.to_owned())),
        Type::Enum(variants) => {
            json.as_str().filter(|text| variants.iter().any(|v| v == text)).map(|text| Value::String(text.to_owned()))
        }
        Type::List(inner) => {
            json.as_array()?.iter().map(|item| plain_from_json(item, inner)).collect::<Option<_>>().map(Value::List)
        }
        _ => None,
    }
}

//! Functions in expressions: of values, of a table's columns, of metrics over groups.

use super::access::{self, Accessed};
use super::{Scope, Typed, Typing, live, operators, with_article};
use crate::codes;
use crate::finding::Finding;
use crate::names::{FUNCTIONS, suggest};
use crate::pipeline::{Arithmetic, Expr, Function, MetricRef, OverGroups, Reduce, Stat};
use crate::span::Span;
use crate::syntax::ast::{self, Argument, ExprKind, StringPart};
use crate::types::{Column, Type};
use crate::value::Value;
use crate::written::listed;

impl Typing<'_, '_, '_> {
    pub(super) fn call(&mut self, expr: &ast::Expr, callee: &ast::Expr, arguments: &[Argument]) -> Typed {
        let ExprKind::Name(name) = &callee.kind else {
            if !matches!(callee.kind, ExprKind::Error) {
                self.cx.report(
                    Finding::error(
                        codes::NOT_A_VALUE,
                        self.cx.place(expr.span),
                        format!("`{}` cannot be called here", self.cx.text(callee.span)),
                    )
                    .help("a module's step is called in `step name = module.step(...)`"),
                );
            }
            return Typed::unknown();
        };
        match (name.as_str(), self.scope) {
            (name, Scope::Service) if name == "mean" || live::quantile(name).is_some() => {
                self.latency(expr.span, name, arguments)
            }
            ("secret", _) => {
                self.secret_seen("secret(...)", expr.span);
                Typed::unknown()
            }
            ("baseline" | "sigma", Scope::Limit(past)) => self.history(expr.span, name, past, arguments),
            ("missing" | "unique" | "distinct" | "mean" | "fresh", Scope::Table(_)) => self.stat(expr, name, arguments),
            ("mean", Scope::Run) if let Some(typed) = self.across(expr, Reduce::Mean, arguments) => typed,
            ("lowest", Scope::Run) if let Some(typed) = self.across(expr, Reduce::Lowest, arguments) => typed,
            ("highest", Scope::Run) if let Some(typed) = self.across(expr, Reduce::Highest, arguments) => typed,
            ("min" | "max", Scope::Table(_)) if arguments.len() == 1 => self.stat(expr, name, arguments),
            ("rows", Scope::Table(_)) => {
                self.misused(expr.span, "`rows` takes no arguments".to_owned(), "rows >= 1_000")
            }
            ("missing" | "unique" | "distinct" | "mean" | "fresh" | "rows", _) => {
                self.cx.report(
                    Finding::error(
                        codes::UNKNOWN_FUNCTION,
                        self.cx.place(callee.span),
                        format!("`{name}` is a statistic of a table"),
                    )
                    .help("it may stand in an `expect` of `data`"),
                );
                Typed::unknown()
            }
            ("disparity", Scope::Run) => self.over_groups(expr, Reduce::Disparity, arguments),
            ("lowest", Scope::Run) => self.over_groups(expr, Reduce::Lowest, arguments),
            ("highest", Scope::Run) => self.over_groups(expr, Reduce::Highest, arguments),
            ("mod", _) => self.remainder(expr.span, arguments),
            (name, _) => match function(name) {
                Some(function) => self.function(expr.span, name, function, arguments),
                None => self.unknown_function(name, callee.span),
            },
        }
    }

    fn unknown_function(&mut self, name: &str, span: Span) -> Typed {
        if let Some(finding) = live::elsewhere(self.cx, self.scope, name, span) {
            self.cx.report(finding);
            return Typed::unknown();
        }
        let near = self.cx.names.nearest(name, FUNCTIONS.iter().copied());
        let finding =
            Finding::error(codes::UNKNOWN_FUNCTION, self.cx.place(span), format!("there is no function `{name}` here"));
        self.cx.report(suggest(finding, span, near, || format!("functions are {}", listed(FUNCTIONS))));
        Typed::unknown()
    }

    /// Reports arguments that do not fit and gives nothing.
    pub(super) fn misused(&mut self, span: Span, message: String, example: &str) -> Typed {
        let finding = Finding::error(codes::BAD_ARGUMENTS, self.cx.place(span), message);
        self.cx.report(finding.help(format!("write `{example}`")));
        Typed::unknown()
    }

    fn function(&mut self, span: Span, name: &str, function: Function, arguments: &[Argument]) -> Typed {
        let several = matches!(function, Function::Min | Function::Max);
        let example = if several { format!("{name}(a, b)") } else { format!("{name}(a)") };
        if arguments.is_empty() || !several && arguments.len() > 1 || arguments.iter().any(|a| a.name.is_some()) {
            let wanted = if several { "values without names" } else { "one value" };
            return self.misused(span, format!("`{name}` takes {wanted}"), &example);
        }
        let typed: Vec<Typed> = arguments.iter().map(|argument| self.infer(&argument.value)).collect();
        if typed.iter().any(Typed::is_unknown) {
            return Typed::unknown();
        }
        let mut ty = typed[0].ty.clone();
        for (argument, typed) in arguments.iter().zip(&typed) {
            let inner = operators::present(&typed.ty);
            let takes = match function {
                Function::Min | Function::Max => operators::comparable(crate::types::Comparison::Less, inner, inner),
                Function::Abs => operators::is_number(inner) || *inner == Type::Duration,
                Function::Round | Function::Sqrt | Function::Log | Function::Exp => operators::is_number(inner),
            };
            match operators::unify(&ty, &typed.ty) {
                Some(joined) if takes => ty = joined,
                None if takes && several => {
                    let message = format!(
                        "`{name}` compares values of one kind, and here are {} and {}",
                        with_article(&ty),
                        with_article(&typed.ty)
                    );
                    return self.misused(argument.value.span, message, &example);
                }
                _ => {
                    let message = format!("`{name}` does not take {}", with_article(&typed.ty));
                    return self.misused(argument.value.span, message, &example);
                }
            }
        }
        let ty = match function {
            Function::Min | Function::Max | Function::Abs => ty,
            Function::Round => Type::Int,
            Function::Sqrt | Function::Log | Function::Exp => Type::Float,
        };
        let constant = typed.iter().all(|typed| matches!(typed.expr, Expr::Const(_)));
        let absent = typed.iter().any(|typed| matches!(typed.expr, Expr::Const(Value::Null)));
        let expr = Expr::Call(function, typed.into_iter().map(|typed| typed.expr).collect());
        self.fold(ty, span, expr, constant, absent)
    }

    fn remainder(&mut self, span: Span, arguments: &[Argument]) -> Typed {
        match arguments {
            [left, right] if left.name.is_none() && right.name.is_none() => {
                self.arithmetic(span, Arithmetic::Remainder, &left.value, &right.value)
            }
            _ => self.misused(span, "`mod` takes two ints".to_owned(), "mod(a, b)"),
        }
    }

    /// `missing(charges)`
    fn stat(&mut self, expr: &ast::Expr, name: &str, arguments: &[Argument]) -> Typed {
        let [Argument { name: None, value }] = arguments else {
            return self.misused(expr.span, format!("`{name}` takes one column"), &format!("{name}(column)"));
        };
        let Scope::Table(schema) = self.scope else { return Typed::unknown() };
        let Some(column) = column_name(value) else {
            if !matches!(value.kind, ExprKind::Error) {
                let message = format!("`{name}` takes the name of a column");
                return self.misused(value.span, message, &format!("{name}(column)"));
            }
            return Typed::unknown();
        };
        let Some(schema) = schema else { return Typed::unknown() };
        let Some(found) = schema.column(column) else {
            self.cx.unknown_column(column, value.span, &schema.columns);
            return Typed::unknown();
        };
        if found.ty == Type::Unknown {
            return Typed::unknown();
        }
        let ordered = operators::comparable(crate::types::Comparison::Less, &found.ty, &found.ty);
        let (stat, ty, takes, wanted): (fn(String) -> Stat, Type, bool, &str) = match name {
            "missing" => (Stat::Missing, Type::Fraction, true, ""),
            "unique" => (Stat::Unique, Type::Bool, true, ""),
            "distinct" => (Stat::Distinct, Type::Int, true, ""),
            "min" => (Stat::Min, found.ty.clone(), ordered, "numbers, dates or times"),
            "max" => (Stat::Max, found.ty.clone(), ordered, "numbers, dates or times"),
            "mean" => (Stat::Mean, Type::Float, operators::is_number(&found.ty), "numbers"),
            _ => (Stat::Fresh, Type::Duration, matches!(found.ty, Type::Date | Type::Time), "dates or times"),
        };
        if !takes {
            let finding = Finding::error(
                codes::TYPE_MISMATCH,
                self.cx.place(value.span),
                format!("`{name}` takes a column of {wanted}; `{column}` is {}", with_article(&found.ty)),
            );
            self.cx.report(finding);
            return Typed::unknown();
        }
        Typed { ty, expr: Expr::Stat(stat(column.to_owned())) }
    }

    /// `disparity(eval.auc, by: plan)`
    fn over_groups(&mut self, expr: &ast::Expr, reduce: Reduce, arguments: &[Argument]) -> Typed {
        self.met_groups = true;
        let example = format!("{reduce}(eval.accuracy, by: column)");
        let [Argument { name: None, value }, Argument { name: Some(by), value: column }] = arguments else {
            return self.misused(expr.span, format!("`{reduce}` takes a metric and `by: column`"), &example);
        };
        if by.name != "by" {
            return self.misused(by.span, format!("`{reduce}` takes `by`, not `{}`", by.name), &example);
        }
        let (Some(path), Some(column_name)) = (access::path(value), column_name(column)) else {
            return self.misused(expr.span, format!("`{reduce}` takes a metric and `by: column`"), &example);
        };
        let (node, output, field) = match self.cx.access(&path) {
            Accessed::Metric { node, output, .. } if self.cx.is_collected(node, &output) => {
                self.collected(value.span);
                return Typed::unknown();
            }
            Accessed::Metric { node, output, field } => (node, output, field),
            Accessed::Output { .. } => {
                return self.misused(value.span, format!("`{reduce}` takes one metric of a step"), &example);
            }
            Accessed::Poison => return Typed::unknown(),
        };
        let facts = self.cx.order.get(node.index()).and_then(|index| self.cx.nodes.get(index));
        match facts.and_then(|facts| facts.groups.get(&output)) {
            Some(None) => return Typed::unknown(),
            Some(Some(asked)) if asked.iter().any(|asked| asked == column_name) => {}
            asked => {
                let finding = Finding::error(
                    codes::NO_GROUPS,
                    self.cx.place(column.span),
                    format!("`{}` does not measure by `{column_name}`", path.root),
                );
                let finding = match asked {
                    None => finding.note(format!("its output `{output}` is never given per group")),
                    Some(Some(asked)) if asked.is_empty() => {
                        finding.help(format!("add `by: [{column_name}]` to the call of `{}`", path.root))
                    }
                    Some(asked) => {
                        let asked = asked.as_deref().unwrap_or_default();
                        finding
                            .note(format!("it measures by {}", listed(asked)))
                            .help(format!("add `{column_name}` to the `by` of `{}`", path.root))
                    }
                };
                self.cx.report(finding);
                return Typed::unknown();
            }
        }
        let over = OverGroups { reduce, by: column_name.to_owned(), min_support: self.min_support };
        let text = self.cx.text(expr.span);
        let metric = MetricRef { node, output, metric: field.name, over: Some(over), across: None, text };
        Typed { ty: field.ty, expr: Expr::Metric(metric) }
    }
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "min" => Function::Min,
        "max" => Function::Max,
        "abs" => Function::Abs,
        "round" => Function::Round,
        "sqrt" => Function::Sqrt,
        "log" => Function::Log,
        "exp" => Function::Exp,
        _ => return None,
    })
}

/// The column an expression names: bare, or in quotes when its header is no identifier.
pub(crate) fn column_name(expr: &ast::Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) => Some(word(name, expr.span)),
        ExprKind::String(parts) => match parts.as_slice() {
            [StringPart::Text(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// A bare word as it was written: a parameter of another file or of a component is known under a longer name.
pub(crate) fn word(name: &str, span: Span) -> &str {
    let last = name.rsplit('.').next().unwrap_or(name);
    if (span.end.saturating_sub(span.start)) as usize == last.len() { last } else { name }
}

impl crate::context::Context<'_> {
    /// Reports a column that a table does not have.
    pub(crate) fn unknown_column(&mut self, name: &str, span: Span, columns: &[Column]) {
        let near = self.names.nearest(name, columns.iter().map(|column| column.name.as_str()));
        let near = near.map(crate::written::column);
        let finding = Finding::error(codes::UNKNOWN_COLUMN, self.place(span), format!("there is no column `{name}`"))
            .label("not in the schema");
        let finding =
            suggest(finding, span, near.as_deref(), || format!("columns are {}", super::listed_columns(columns)));
        self.report(finding);
    }
}

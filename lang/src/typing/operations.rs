//! Operators in expressions: their operands are typed, their units compared, the result folded.

use super::{Typed, Typing, operators, units, with_article};
use crate::codes;
use crate::finding::Finding;
use crate::pipeline::{Arithmetic, Expr};
use crate::span::Span;
use crate::syntax::ast;
use crate::types::{Comparison, Type};
use crate::value::Value;
use crate::written::quoted;

impl Typing<'_, '_, '_> {
    pub(super) fn negate(&mut self, span: Span, inner: &ast::Expr) -> Typed {
        let inner = self.infer(inner);
        if inner.is_unknown() {
            return inner;
        }
        if !matches!(operators::present(&inner.ty), Type::Int | Type::Float | Type::Fraction | Type::Duration) {
            self.cx.report(Finding::error(
                codes::BAD_OPERANDS,
                self.cx.place(span),
                format!("{} has no negative", with_article(&inner.ty)),
            ));
            return Typed::unknown();
        }
        self.compose(inner.ty.clone(), span, [inner], |[inner]| Expr::Negate(inner))
    }

    pub(super) fn compare(&mut self, span: Span, comparison: Comparison, left: &ast::Expr, right: &ast::Expr) -> Typed {
        let operands = [self.infer(left), self.infer(right)];
        self.compare_typed(span, comparison, [left, right], operands)
    }

    /// A comparison of what was typed before.
    pub(super) fn compare_typed(
        &mut self,
        span: Span,
        comparison: Comparison,
        [left, right]: [&ast::Expr; 2],
        operands: [Typed; 2],
    ) -> Typed {
        if operands.iter().any(Typed::is_unknown) || !self.units_agree([left, right], &operands) {
            return Typed::unknown();
        }
        let [a, b] = &operands;
        if !operators::comparable(comparison, &a.ty, &b.ty) {
            let finding = Finding::error(
                codes::BAD_OPERANDS,
                self.cx.place(span),
                format!("{} and {} cannot be compared by `{comparison}`", with_article(&a.ty), with_article(&b.ty)),
            )
            .also(self.cx.place(left.span), with_article(&a.ty))
            .also(self.cx.place(right.span), with_article(&b.ty));
            self.cx.report(finding);
            return Typed::unknown();
        }
        for (variants, text, place) in [(a, b, right), (b, a, left)] {
            if let (Type::Enum(variants), Type::String, Expr::Const(Value::String(text))) =
                (&variants.ty, &text.ty, &text.expr)
                && !variants.contains(text)
            {
                self.never_one_of(place.span, text, variants);
                return Typed::unknown();
            }
        }
        self.compose(Type::Bool, span, operands, |[left, right]| Expr::Compare(comparison, left, right))
    }

    pub(super) fn never_one_of(&mut self, span: Span, text: &str, variants: &[String]) {
        let near = self.cx.names.nearest(text, variants.iter().map(String::as_str)).map(quoted);
        let finding = Finding::error(
            codes::NOT_ONE_OF,
            self.cx.place(span),
            format!("{} is not one of {}", quoted(text), Type::Enum(variants.to_vec())),
        );
        let finding = crate::names::suggest(finding, span, near.as_deref(), || "write one of them".to_owned());
        self.cx.report(finding);
    }

    pub(super) fn membership(&mut self, span: Span, left: &ast::Expr, right: &ast::Expr) -> Typed {
        let operands = [self.infer(left), self.infer(right)];
        if operands.iter().any(Typed::is_unknown) {
            return Typed::unknown();
        }
        let [a, b] = &operands;
        let joins = match operators::present(&b.ty) {
            Type::List(element) | Type::Range(element) => {
                **element == Type::Unknown || operators::comparable(Comparison::Equal, &a.ty, element)
            }
            _ => {
                let finding = Finding::error(
                    codes::BAD_OPERANDS,
                    self.cx.place(right.span),
                    format!("`in` wants a list or a range on its right, not {}", with_article(&b.ty)),
                )
                .help("write `[1, 2]`, `1..=10`");
                self.cx.report(finding);
                return Typed::unknown();
            }
        };
        if !joins {
            let finding = Finding::error(
                codes::BAD_OPERANDS,
                self.cx.place(span),
                format!("{} is never in a {}", with_article(&a.ty), b.ty),
            )
            .also(self.cx.place(left.span), with_article(&a.ty))
            .also(self.cx.place(right.span), with_article(&b.ty));
            self.cx.report(finding);
            return Typed::unknown();
        }
        self.compose(Type::Bool, span, operands, |[left, right]| Expr::In(left, right))
    }

    pub(super) fn arithmetic(
        &mut self,
        span: Span,
        operator: Arithmetic,
        left: &ast::Expr,
        right: &ast::Expr,
    ) -> Typed {
        let operands = [self.infer(left), self.infer(right)];
        let joined_units = matches!(operator, Arithmetic::Add | Arithmetic::Subtract);
        if operands.iter().any(Typed::is_unknown) || joined_units && !self.units_agree([left, right], &operands) {
            return Typed::unknown();
        }
        let [a, b] = &operands;
        let Some(ty) = operators::arithmetic(operator, &a.ty, &b.ty) else {
            let finding = Finding::error(
                codes::BAD_OPERANDS,
                self.cx.place(span),
                format!("`{operator}` does not join {} and {}", with_article(&a.ty), with_article(&b.ty)),
            )
            .also(self.cx.place(left.span), with_article(&a.ty))
            .also(self.cx.place(right.span), with_article(&b.ty));
            let texts = [a, b].iter().any(|it| matches!(operators::present(&it.ty), Type::String | Type::Enum(_)));
            self.cx.report(if texts && operator == Arithmetic::Add {
                finding.help("to join texts, write them into one: `\"${a}${b}\"`")
            } else {
                finding
            });
            return Typed::unknown();
        };
        if matches!(operator, Arithmetic::Divide | Arithmetic::Remainder) && is_zero(&b.expr) {
            let finding =
                Finding::error(codes::NO_VALUE, self.cx.place(span), format!("`{}` has no value", self.cx.text(span)));
            let finding = finding.also(self.cx.place(right.span), "this is zero");
            self.cx.report(finding.label("a division by zero"));
            return Typed::unknown();
        }
        self.compose(ty, span, operands, |[left, right]| Expr::Arithmetic(operator, left, right))
    }

    pub(super) fn coalesce(&mut self, span: Span, left: &ast::Expr, right: &ast::Expr) -> Typed {
        let operands = [self.infer(left), self.infer(right)];
        if operands.iter().any(Typed::is_unknown) || !self.units_agree([left, right], &operands) {
            return Typed::unknown();
        }
        let [a, b] = operands;
        let Some(mut ty) = operators::unify(&a.ty, &b.ty) else {
            self.cx.report(
                Finding::error(
                    codes::TYPE_MISMATCH,
                    self.cx.place(span),
                    format!("{} cannot stand in for {}", with_article(&b.ty), with_article(&a.ty)),
                )
                .help("both sides of `??` must have one type"),
            );
            return Typed::unknown();
        };
        if let (Type::Optional(inner), false) = (&ty, matches!(b.ty, Type::Optional(_))) {
            ty = (**inner).clone();
        }
        match (a.expr, b.expr) {
            (Expr::Const(Value::Null), right) => Typed { ty, expr: right },
            (Expr::Const(value), _) => Typed { ty, expr: Expr::Const(value) },
            (left, right) => Typed { ty, expr: Expr::Coalesce(Box::new(left), Box::new(right)) },
        }
    }

    pub(super) fn when(&mut self, span: Span, then: &ast::Expr, condition: &ast::Expr, otherwise: &ast::Expr) -> Typed {
        let condition = self.condition(condition);
        let operands = [self.infer(then), self.infer(otherwise)];
        if condition.is_unknown()
            || operands.iter().any(Typed::is_unknown)
            || !self.units_agree([then, otherwise], &operands)
        {
            return Typed::unknown();
        }
        let [then, otherwise] = operands;
        let Some(ty) = operators::unify(&then.ty, &otherwise.ty) else {
            self.cx.report(
                Finding::error(
                    codes::TYPE_MISMATCH,
                    self.cx.place(span),
                    format!(
                        "this is {} or {}, depending on its condition",
                        with_article(&then.ty),
                        with_article(&otherwise.ty)
                    ),
                )
                .help("both sides of `else` must have one type"),
            );
            return Typed::unknown();
        };
        match condition.expr {
            Expr::Const(Value::Bool(true)) => Typed { ty, expr: then.expr },
            Expr::Const(Value::Bool(false)) => Typed { ty, expr: otherwise.expr },
            condition => {
                let (then, otherwise) = (Box::new(then.expr), Box::new(otherwise.expr));
                Typed { ty, expr: Expr::When { then, condition: Box::new(condition), otherwise } }
            }
        }
    }

    /// Reports a bare number beside a quantity that has a unit.
    fn units_agree(&mut self, written: [&ast::Expr; 2], operands: &[Typed; 2]) -> bool {
        for (index, other) in [(0, 1), (1, 0)] {
            let Expr::Const(value) = &operands[index].expr else { continue };
            let wanted = operators::present(&operands[other].ty);
            if units::lacks_unit(value, wanted) && units::is_implausible(self.cx, value, wanted, &operands[other].expr)
            {
                let finding = units::missing_unit(self.cx, written[index], value, wanted)
                    .also(self.cx.place(written[other].span), with_article(wanted));
                self.cx.report(finding);
                return false;
            }
        }
        true
    }
}

fn is_zero(expr: &Expr) -> bool {
    match expr {
        Expr::Const(Value::Int(0) | Value::Duration(0) | Value::Size(0)) => true,
        Expr::Const(Value::Float(number) | Value::Fraction(number)) => *number == 0.0,
        _ => false,
    }
}

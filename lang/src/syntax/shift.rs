//! Moves what was parsed from a chunk to its place in the file.
//!
//! A chunk is parsed as if it were a file of its own, so that what comes out depends on its text alone.

use super::ast::*;
use crate::finding::{Finding, Label, Place};
use crate::span::Span;
use std::sync::Arc;

/// Something with places in it.
pub trait Shift {
    /// Moves every span `by` bytes further on.
    fn shift(&mut self, by: usize);
}

/// Moves a finding `by` bytes further on, into the file `path`.
pub fn place_finding(finding: &mut Finding, path: &Arc<str>, by: usize) {
    let place = |label: &mut Label| {
        if let Place::Source { path: p, span } = &mut label.place {
            *p = path.clone();
            span.shift(by);
        }
    };
    place(&mut finding.primary);
    finding.secondary.iter_mut().for_each(place);
    for edit in finding.fix.iter_mut().flat_map(|f| &mut f.edits) {
        edit.span.shift(by);
    }
}

impl Shift for Span {
    fn shift(&mut self, by: usize) {
        *self = self.shifted(by);
    }
}

impl<T: Shift> Shift for Option<T> {
    fn shift(&mut self, by: usize) {
        self.iter_mut().for_each(|t| t.shift(by));
    }
}

impl<T: Shift> Shift for Vec<T> {
    fn shift(&mut self, by: usize) {
        self.iter_mut().for_each(|t| t.shift(by));
    }
}

impl<T: Shift> Shift for Box<T> {
    fn shift(&mut self, by: usize) {
        T::shift(self, by);
    }
}

impl<A: Shift, B: Shift> Shift for (A, B) {
    fn shift(&mut self, by: usize) {
        self.0.shift(by);
        self.1.shift(by);
    }
}

/// Shifts each of several things.
macro_rules! shift {
    ($by:expr; $($part:expr),*) => { { $( $part.shift($by); )* } };
}

impl Shift for Ident {
    fn shift(&mut self, by: usize) {
        self.span.shift(by);
    }
}

impl Shift for Edition {
    fn shift(&mut self, by: usize) {
        self.span.shift(by);
    }
}

impl Shift for Declaration {
    fn shift(&mut self, by: usize) {
        use DeclarationKind::*;
        shift!(by; self.span, self.keyword);
        match &mut self.kind {
            Pipeline { name, settings } => shift!(by; name, settings),
            Use { path: _, path_span, quoted: _, alias } => shift!(by; path_span, alias),
            Param { name, ty, default } => shift!(by; name, ty, default),
            Schema { name, fields } => shift!(by; name, fields),
            Secret { name, source } => shift!(by; name, source),
            Component { name, params, declarations, outputs } => shift!(by; name, params, declarations, outputs),
            Data { name, schema, settings, expectations, pii } => {
                shift!(by; name, schema, settings, expectations, pii);
            }
            Step { name, body, fan, when, after, task, settings } => {
                shift!(by; name, body, fan, when, after, task, settings);
            }
            Tune { name, over, space, goals, settings } => shift!(by; name, over, space, goals, settings),
            Gate { name, requirements, approvals, after } => shift!(by; name, requirements, approvals, after),
            Model { name, value, after, card, settings } => shift!(by; name, value, after, card, settings),
            Deploy { name, model, settings, strategies, rollback } => {
                shift!(by; name, model, settings, strategies, rollback);
            }
            Monitor { name, deployment, rhythm, settings, watches, breaches, block } => {
                shift!(by; name, deployment, rhythm, settings, watches, breaches, block);
            }
            Trigger { event, actions, settings } => shift!(by; event, actions, settings),
            Test { name, withs, expectations } => shift!(by; name, withs, expectations),
        }
    }
}

impl Shift for Setting {
    fn shift(&mut self, by: usize) {
        shift!(by; self.name, self.value, self.span);
    }
}

impl Shift for Clause {
    fn shift(&mut self, by: usize) {
        shift!(by; self.condition, self.min_support, self.unless, self.span);
    }
}

impl Shift for Field {
    fn shift(&mut self, by: usize) {
        shift!(by; self.name, self.ty, self.attributes, self.span);
    }
}

impl Shift for Attribute {
    fn shift(&mut self, by: usize) {
        match self {
            Attribute::Unique(span) | Attribute::Label(span) => span.shift(by),
            Attribute::In(expr) | Attribute::Compare(_, expr) => expr.shift(by),
        }
    }
}

impl Shift for TypeExpr {
    fn shift(&mut self, by: usize) {
        self.span.shift(by);
        match &mut self.kind {
            TypeKind::Named(_) | TypeKind::Enum(_) => {}
            TypeKind::Optional(inner) => inner.shift(by),
            TypeKind::Generic(name, inner) => shift!(by; name, inner),
            TypeKind::Metrics(fields) => fields.shift(by),
        }
    }
}

impl Shift for FanOut {
    fn shift(&mut self, by: usize) {
        shift!(by; self.variable, self.values, self.span);
    }
}

impl Shift for Task {
    fn shift(&mut self, by: usize) {
        shift!(by; self.with, self.inputs, self.outputs);
    }
}

impl Shift for Entries {
    fn shift(&mut self, by: usize) {
        shift!(by; self.entries, self.span);
    }
}

impl Shift for Outputs {
    fn shift(&mut self, by: usize) {
        shift!(by; self.entries, self.span);
    }
}

impl Shift for ComponentParam {
    fn shift(&mut self, by: usize) {
        shift!(by; self.name, self.ty, self.default, self.span);
    }
}

impl Shift for OutputLine {
    fn shift(&mut self, by: usize) {
        shift!(by; self.name, self.ty, self.value, self.span);
    }
}

impl Shift for SpaceLine {
    fn shift(&mut self, by: usize) {
        shift!(by; self.name, self.values, self.span);
    }
}

impl Shift for Goal {
    fn shift(&mut self, by: usize) {
        shift!(by; self.metric, self.span);
    }
}

impl Shift for Approval {
    fn shift(&mut self, by: usize) {
        shift!(by; self.count, self.people, self.within, self.span);
    }
}

impl Shift for With {
    fn shift(&mut self, by: usize) {
        shift!(by; self.name, self.value, self.span);
    }
}

impl Shift for TestLine {
    fn shift(&mut self, by: usize) {
        self.span.shift(by);
        match &mut self.kind {
            TestKind::Ends(name, word) => shift!(by; name, word),
            TestKind::Holds(condition) => condition.shift(by),
        }
    }
}

impl Shift for Strategy {
    fn shift(&mut self, by: usize) {
        shift!(by; self.word, self.weights, self.phases, self.check, self.goals, self.settings);
    }
}

impl Shift for Weight {
    fn shift(&mut self, by: usize) {
        shift!(by; self.share, self.hold, self.span);
    }
}

impl Shift for Hold {
    fn shift(&mut self, by: usize) {
        match self {
            Hold::Unsaid => {}
            Hold::For(length) => length.shift(by),
            Hold::UntilPromoted(span) => span.shift(by),
        }
    }
}

impl Shift for Phase {
    fn shift(&mut self, by: usize) {
        shift!(by; self.name, self.length);
    }
}

impl Shift for Check {
    fn shift(&mut self, by: usize) {
        shift!(by; self.every, self.verdicts, self.settings, self.tolerate, self.span, self.block);
    }
}

impl Shift for Verdict {
    fn shift(&mut self, by: usize) {
        shift!(by; self.success, self.failure, self.span);
    }
}

impl Shift for Rhythm {
    fn shift(&mut self, by: usize) {
        shift!(by; self.every, self.over);
    }
}

impl Shift for WatchLine {
    fn shift(&mut self, by: usize) {
        shift!(by; self.condition, self.span);
    }
}

impl Shift for Breach {
    fn shift(&mut self, by: usize) {
        shift!(by; self.windows, self.actions, self.span);
    }
}

impl Shift for ActionLine {
    fn shift(&mut self, by: usize) {
        shift!(by; self.what, self.span);
    }
}

impl Shift for Event {
    fn shift(&mut self, by: usize) {
        match self {
            Event::Schedule { cron, zone } => shift!(by; cron, zone),
            Event::Change(name) | Event::Webhook(name) | Event::Commit(name) | Event::End(name) => name.shift(by),
        }
    }
}

impl Shift for Argument {
    fn shift(&mut self, by: usize) {
        shift!(by; self.name, self.value);
    }
}

impl Shift for StringPart {
    fn shift(&mut self, by: usize) {
        match self {
            StringPart::Text(_) => {}
            StringPart::Hole(expr) => expr.shift(by),
        }
    }
}

impl Shift for Expr {
    fn shift(&mut self, by: usize) {
        use ExprKind::*;
        self.span.shift(by);
        match &mut self.kind {
            Null | Bool(_) | Int(_) | Float(_) | Fraction(_) | Duration(_) | Size(_) | Date(_) | Time(_) => {}
            Name(_) | Error => {}
            String(parts) => parts.shift(by),
            Member(of, name) => shift!(by; of, name),
            Call(callee, arguments) => shift!(by; callee, arguments),
            List(items) => items.shift(by),
            Map(entries) => entries.shift(by),
            Not(inner) | Negate(inner) => inner.shift(by),
            Range { low: a, high: b, inclusive: _ } => shift!(by; a, b),
            And(a, b) | Or(a, b) | Compare(_, a, b) | In(a, b) | Arithmetic(_, a, b) | Coalesce(a, b) => {
                shift!(by; a, b);
            }
            When { then, condition, otherwise } => shift!(by; then, condition, otherwise),
        }
    }
}

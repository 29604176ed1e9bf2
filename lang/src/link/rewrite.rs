//! A declaration moved into the whole: its names become those under which the whole knows what they mean.
//!
//! A bare word may name a column, so that a node is looked for only where no column can stand: among the inputs of a
//! step, in conditions on metrics, behind `model x =`. A plain parameter is renamed everywhere; whoever looks for a
//! column reads it as it was written (see [`crate::typing::functions::column_name`]).

use super::Linker;
use super::scope::{At, Followed, Meaning};
use crate::lower::references::REDUCTIONS;
use crate::names::{Kind, SCALARS};
use crate::syntax::ast::*;

impl<'w> Linker<'w> {
    /// Rewrites every name of a declaration that stands at `at`.
    pub(super) fn rewrite(&mut self, declaration: &mut Declaration, at: At) {
        use DeclarationKind::*;
        match &mut declaration.kind {
            Use { .. } | Component { .. } => {}
            Pipeline { settings, .. } => self.settings(settings, at),
            Param { ty, default, .. } => {
                self.ty(ty, at);
                self.values(default, at);
            }
            Schema { fields, .. } => {
                for attribute in fields.iter_mut().flat_map(|field| &mut field.attributes) {
                    if let Attribute::In(value) | Attribute::Compare(_, value) = attribute {
                        self.value(value, at);
                    }
                }
            }
            Secret { source, .. } => self.value(source, at),
            Data { schema, settings, expectations, .. } => {
                if let Some(schema) = schema {
                    self.schema(&mut schema.name, schema.span, at);
                }
                for setting in settings {
                    let piped = matches!(setting.value.kind, ExprKind::Name(_) | ExprKind::Member(..));
                    self.expr(&mut setting.value, at, piped, &[]);
                }
                self.clauses(expectations, at, false);
            }
            Step { body, fan, when, after, task, settings, .. } => {
                // `for x in ...` gives a value to a word, and `with { x: 1 }` does in the settings of a program.
                let mut bound: Vec<String> = fan.iter().map(|fan| fan.variable.name.clone()).collect();
                fan.iter_mut().for_each(|fan| self.value(&mut fan.values, at));
                self.body(body, at, &bound);
                when.iter_mut().for_each(|condition| self.expr(condition, at, true, &bound));
                self.idents(after, at);
                for (clause, piped) in [(&mut task.with, false), (&mut task.inputs, true)] {
                    for (_, value) in clause.iter_mut().flat_map(|clause| &mut clause.entries) {
                        self.expr(value, at, piped, &bound);
                    }
                }
                task.outputs.iter_mut().flat_map(|it| &mut it.entries).for_each(|(_, ty)| self.ty(ty, at));
                bound.extend(task.with.iter().flat_map(|with| &with.entries).map(|(name, _)| name.name.clone()));
                for setting in settings {
                    self.expr(&mut setting.value, at, false, &bound);
                }
            }
            Tune { over, space, goals, settings, .. } => {
                self.ident(over, at);
                space.iter_mut().for_each(|line| self.value(&mut line.values, at));
                goals.iter_mut().for_each(|goal| self.expr(&mut goal.metric, at, true, &[]));
                self.settings(settings, at);
            }
            Gate { requirements, approvals, after, .. } => {
                self.clauses(requirements, at, true);
                for approval in approvals {
                    self.values(&mut approval.count, at);
                    self.value(&mut approval.people, at);
                    self.values(&mut approval.within, at);
                }
                self.idents(after, at);
            }
            Model { value, after, card, settings, .. } => {
                self.expr(value, at, true, &[]);
                self.idents(after, at);
                card.iter_mut().for_each(|(_, value)| self.value(value, at));
                self.settings(settings, at);
            }
            Deploy { settings, strategies, rollback, .. } => {
                self.settings(settings, at);
                strategies.iter_mut().for_each(|strategy| self.strategy(strategy, at));
                self.values(rollback, at);
            }
            Monitor { rhythm, settings, watches, breaches, .. } => {
                if let Some(rhythm) = rhythm {
                    self.value(&mut rhythm.every, at);
                    self.values(&mut rhythm.over, at);
                }
                for setting in settings {
                    self.expr(&mut setting.value, at, true, &[]);
                }
                watches.iter_mut().for_each(|watch| self.value(&mut watch.condition, at));
                for breach in breaches {
                    self.values(&mut breach.windows, at);
                    breach.actions.iter_mut().for_each(|action| self.value(&mut action.what, at));
                }
            }
            Trigger { event, actions, settings } => {
                if let Event::Change(data) = event {
                    self.ident(data, at);
                }
                actions.iter_mut().for_each(|action| self.value(&mut action.what, at));
                self.settings(settings, at);
            }
            Test { withs, expectations, .. } => {
                withs.iter_mut().for_each(|with| self.value(&mut with.value, at));
                for line in expectations {
                    if let TestKind::Holds(condition) = &mut line.kind {
                        self.expr(condition, at, true, &[]);
                    }
                }
            }
        }
    }

    fn strategy(&mut self, strategy: &mut Strategy, at: At) {
        for weight in &mut strategy.weights {
            self.value(&mut weight.share, at);
            if let Hold::For(length) = &mut weight.hold {
                self.value(length, at);
            }
        }
        strategy.phases.iter_mut().for_each(|phase| self.value(&mut phase.length, at));
        strategy.goals.iter_mut().for_each(|goal| self.value(&mut goal.metric, at));
        self.settings(&mut strategy.settings, at);
        let Some(check) = &mut strategy.check else { return };
        self.values(&mut check.every, at);
        for verdict in &mut check.verdicts {
            self.value(&mut verdict.success, at);
            self.values(&mut verdict.failure, at);
        }
        self.settings(&mut check.settings, at);
        check.tolerate.iter_mut().for_each(|(count, _)| self.value(count, at));
    }

    fn settings(&mut self, settings: &mut [Setting], at: At) {
        settings.iter_mut().for_each(|setting| self.value(&mut setting.value, at));
    }

    fn clauses(&mut self, clauses: &mut [Clause], at: At, nodes: bool) {
        for clause in clauses {
            self.expr(&mut clause.condition, at, nodes, &[]);
            self.values(&mut clause.min_support, at);
        }
    }

    fn values(&mut self, value: &mut Option<Expr>, at: At) {
        value.iter_mut().for_each(|value| self.value(value, at));
    }

    /// An expression in which a bare word is no node.
    pub(super) fn value(&mut self, value: &mut Expr, at: At) {
        self.expr(value, at, false, &[]);
    }

    /// What a step calls, with its arguments.
    fn body(&mut self, body: &mut Expr, at: At, bound: &[String]) {
        let ExprKind::Call(callee, arguments) = &mut body.kind else { return self.expr(body, at, true, bound) };
        let mut inputs: Vec<String> = Vec::new();
        if let ExprKind::Member(base, step) = &mut callee.kind
            && let ExprKind::Name(module) = &mut base.kind
        {
            match self.meaning(at, module) {
                Meaning::Top(file, index, Kind::Module) => {
                    if let Some(DeclarationKind::Use { path, .. }) =
                        self.world.declaration(file, index).map(|it| &it.kind)
                        && let Ok(signature) = self.world.modules.module(&self.rebased(file, path))
                        && let Some(signature) = signature.step(&step.name)
                    {
                        inputs.extend(signature.inputs.iter().map(|input| input.name.clone()));
                    }
                    *module = self.need(file, index);
                }
                Meaning::Import(..) | Meaning::Broken => callee.kind = ExprKind::Error,
                _ => {}
            }
        }
        for argument in arguments {
            let piped = argument.name.as_ref().is_none_or(|name| inputs.contains(&name.name));
            self.expr(&mut argument.value, at, piped, bound);
        }
    }

    /// An expression. `nodes`: whether a bare word may be a node. `bound`: words that have a value here.
    pub(super) fn expr(&mut self, expr: &mut Expr, at: At, nodes: bool, bound: &[String]) {
        let mut waiting = vec![expr];
        while let Some(expr) = waiting.pop() {
            if matches!(expr.kind, ExprKind::Name(_)) || root(expr).is_some() {
                self.path(expr, at, nodes, bound);
                continue;
            }
            match &mut expr.kind {
                ExprKind::Name(_) => {}
                ExprKind::Member(base, _) => waiting.push(base),
                ExprKind::Call(callee, arguments) => {
                    let over_groups =
                        matches!(&callee.kind, ExprKind::Name(name) if REDUCTIONS.contains(&name.as_str()));
                    if !matches!(callee.kind, ExprKind::Name(_)) {
                        waiting.push(callee);
                    }
                    let read = arguments.iter_mut().filter(|argument| !(over_groups && argument.name.is_some()));
                    waiting.extend(read.map(|argument| &mut argument.value));
                }
                ExprKind::Not(inner) | ExprKind::Negate(inner) => waiting.push(inner),
                ExprKind::List(items) => waiting.extend(items),
                ExprKind::Map(entries) => waiting.extend(entries.iter_mut().map(|(_, value)| value)),
                ExprKind::Range { low, high, .. } => waiting.extend([&mut **low, &mut **high]),
                ExprKind::And(left, right)
                | ExprKind::Or(left, right)
                | ExprKind::Compare(_, left, right)
                | ExprKind::In(left, right)
                | ExprKind::Arithmetic(_, left, right)
                | ExprKind::Coalesce(left, right) => waiting.extend([&mut **left, &mut **right]),
                ExprKind::When { then, condition, otherwise } => {
                    waiting.extend([&mut **then, &mut **condition, &mut **otherwise]);
                }
                ExprKind::String(parts) => waiting.extend(parts.iter_mut().filter_map(|part| match part {
                    StringPart::Hole(hole) => Some(hole),
                    StringPart::Text(_) => None,
                })),
                ExprKind::Null
                | ExprKind::Bool(_)
                | ExprKind::Int(_)
                | ExprKind::Float(_)
                | ExprKind::Fraction(_)
                | ExprKind::Duration(_)
                | ExprKind::Size(_)
                | ExprKind::Date(_)
                | ExprKind::Time(_)
                | ExprKind::Error => {}
            }
        }
    }

    /// A name, or members of one.
    fn path(&mut self, expr: &mut Expr, at: At, nodes: bool, bound: &[String]) {
        let bare = match &expr.kind {
            ExprKind::Name(word) => Some(word.clone()),
            _ => None,
        };
        if root(expr).is_some_and(|root| bound.iter().any(|word| word == root)) {
            return;
        }
        let Some(word) = bare else { return self.followed(expr, at) };
        let name = match self.meaning(at, &word) {
            Meaning::Value(name) => name,
            Meaning::Top(file, index, Kind::Param | Kind::Secret) => self.need(file, index),
            _ if nodes => return self.followed(expr, at),
            _ => return,
        };
        expr.kind = ExprKind::Name(name);
    }

    fn followed(&mut self, expr: &mut Expr, at: At) {
        match self.follow(at, expr) {
            Followed::To(found) => *expr = found,
            Followed::Left => {}
            Followed::Poison => expr.kind = ExprKind::Error,
        }
    }

    fn idents(&mut self, idents: &mut Vec<Ident>, at: At) {
        idents.retain_mut(|ident| self.ident(ident, at));
    }

    /// A name that stands alone. `false`: a mistake, which was reported.
    fn ident(&mut self, ident: &mut Ident, at: At) -> bool {
        match self.meaning(at, &ident.name) {
            Meaning::Node(name) => ident.name = name,
            Meaning::Top(file, index, Kind::Data) => ident.name = self.need(file, index),
            Meaning::Instance(Some(instance)) => ident.name = self.instances[instance].name.clone(),
            Meaning::Instance(None) => {
                if let At::In(outer) = at {
                    ident.name = self.inner_name(outer, &ident.name);
                }
            }
            Meaning::Hidden(kind) if self.definition.is_some() => {
                self.hidden(&ident.name, ident.span, kind);
                return false;
            }
            _ => {}
        }
        true
    }

    /// A type: names of schemas in it become those of the whole.
    pub(super) fn ty(&mut self, ty: &mut TypeExpr, at: At) {
        match &mut ty.kind {
            TypeKind::Named(name) if !SCALARS.contains(&name.as_str()) => self.schema(name, ty.span, at),
            // Flavors are no names of the file.
            TypeKind::Generic(name, _) if name.name == "model" => {}
            TypeKind::Optional(inner) | TypeKind::Generic(_, inner) => self.ty(inner, at),
            TypeKind::Metrics(fields) => fields.iter_mut().for_each(|(_, ty)| self.ty(ty, at)),
            TypeKind::Named(_) | TypeKind::Enum(_) => {}
        }
    }

    /// The name of a schema, or of one of another file.
    fn schema(&mut self, name: &mut String, span: crate::span::Span, at: At) {
        let Some((alias, member)) = name.split_once('.') else {
            if let Meaning::Top(file, index, Kind::Schema) = self.meaning(at, name) {
                *name = self.need(file, index);
            }
            return;
        };
        let after_dot = span.end.saturating_sub(member.len() as u32);
        let member = Ident { name: member.to_owned(), span: crate::span::Span { start: after_dot, end: span.end } };
        match self.meaning(at, alias) {
            Meaning::Import(file, index) => {
                let found = self.export(file, index, alias, &member);
                match found {
                    Some((file, index, Kind::Schema)) => *name = self.need(file, index),
                    Some((_, _, kind)) => {
                        let message = format!("`{name}` is {}, not a schema", kind.with_article());
                        self.report(crate::finding::Finding::error(
                            crate::codes::WRONG_KIND,
                            self.place(span),
                            message,
                        ));
                        self.broken.push(Ident { name: name.clone(), span });
                    }
                    None => self.broken.push(Ident { name: name.clone(), span }),
                }
            }
            Meaning::Broken => self.broken.push(Ident { name: name.clone(), span }),
            _ => {}
        }
    }
}

/// The name that a path begins with.
fn root(expr: &Expr) -> Option<&str> {
    let mut at = expr;
    loop {
        match &at.kind {
            ExprKind::Name(name) => return Some(name),
            ExprKind::Member(base, _) => at = base,
            _ => return None,
        }
    }
}

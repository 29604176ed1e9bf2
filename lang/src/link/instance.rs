//! What makes a step an instance: what it calls, and whether it is called as the component wants.

use super::scope::{At, Callee, is_piped, shifted};
use super::{Instance, Linker, load};
use crate::codes;
use crate::finding::Finding;
use crate::names::{Kind, declared_name, suggest};
use crate::span::Span;
use crate::syntax::ast::*;
use crate::syntax::tree_error;
use crate::typing::access;
use std::collections::HashMap;

impl Linker<'_> {
    /// The instance that a step is. `None`: it cannot be understood, which was reported.
    pub(super) fn instance(
        &mut self,
        at: At,
        declaration: &Declaration,
        name: String,
        outer: Option<usize>,
    ) -> Option<usize> {
        if let Some(known) = self.by_name.get(&name) {
            return *known;
        }
        // While it is looked at it is none: what it calls cannot depend on it.
        self.by_name.insert(name.clone(), None);
        let instance = self.new_instance(at, declaration, &name, outer);
        self.by_name.insert(name, instance);
        instance
    }

    fn new_instance(&mut self, at: At, declaration: &Declaration, name: &str, outer: Option<usize>) -> Option<usize> {
        let base = match at {
            At::File(file) => self.base(file),
            At::In(instance) => self.base(self.instances[instance].file),
        };
        let declaration = shifted(declaration, base);
        let DeclarationKind::Step { name: ident, body, fan, task, settings, when, .. } = &declaration.kind else {
            return None;
        };
        let (file, index) = match self.callee(at, body) {
            Callee::Component(file, index) => (file, index),
            Callee::Failed | Callee::Other => return None,
        };
        let clauses = [&task.with, &task.inputs].into_iter().flatten().map(|clause| clause.span);
        let clauses = clauses.chain(task.outputs.iter().map(|outputs| outputs.span));
        let misplaced =
            fan.iter().map(|fan| fan.span).chain(settings.iter().map(|setting| setting.span)).chain(clauses);
        let misplaced: Vec<Span> = misplaced.collect();
        let sound = misplaced.is_empty();
        for span in misplaced {
            let is_fan = fan.as_ref().is_some_and(|fan| fan.span == span);
            let message = match is_fan {
                true => "an instance of a component is not fanned out",
                false => "an instance of a component has no settings of its own",
            };
            let finding = Finding::error(codes::MISPLACED_CLAUSE, self.place(span), message);
            self.report(match is_fan {
                true => finding.help("fan out a step inside the component, or make one instance for each value"),
                false => finding.help("write it at a step inside the component; give it as a parameter if it differs"),
            });
        }
        if let Some(exists) = when.as_ref().filter(|it| matches!(&it.kind, ExprKind::Name(word) if word == "exists")) {
            let finding = Finding::error(
                codes::MISPLACED_CLAUSE,
                self.place(exists.span),
                "`exists` is about one step that reads from the registry, and this is an instance of a component",
            );
            self.report(finding.help("write `when exists` at the step inside the component"));
            return None;
        }
        let arguments = self.arguments(file, index, body)?;
        if !sound {
            return None;
        }
        let instance = Instance {
            name: name.to_owned(),
            file,
            index,
            caller: at,
            arguments,
            outer,
            span: ident.span,
            definition: false,
        };
        self.instances.push(instance);
        Some(self.instances.len() - 1)
    }

    /// The arguments of a call, by parameter.
    fn arguments(&mut self, file: load::FileId, index: usize, body: &Expr) -> Option<HashMap<usize, Expr>> {
        let ExprKind::Call(callee, given) = &body.kind else { return None };
        let component = self.component(file, index)?;
        let (called, note) = (&component.name.name, self.written(file, index));
        let mut found: HashMap<usize, Expr> = HashMap::new();
        let mut sound = true;
        let mut inputs = component.params.iter().enumerate().filter(|(_, param)| is_piped(param)).map(|(at, _)| at);
        for argument in given {
            let value = &argument.value;
            let at = match &argument.name {
                None => match inputs.next() {
                    Some(at) => at,
                    None => {
                        sound = false;
                        let finding = Finding::error(
                            codes::TOO_MANY_ARGUMENTS,
                            self.place(value.span),
                            format!("`{called}` takes no more arguments without a name"),
                        );
                        let text = self.map.text(value.span);
                        let plain = component.params.iter().find(|param| !is_piped(param));
                        self.report(finding.note(note.clone()).help(match plain {
                            Some(param) => format!("plain values are given by name: `{}: {text}`", param.name.name),
                            None => "remove it".to_owned(),
                        }));
                        continue;
                    }
                },
                Some(name) => match component.params.iter().position(|param| param.name.name == name.name) {
                    Some(at) => at,
                    None => {
                        sound = false;
                        let names = component.params.iter().map(|param| param.name.name.as_str());
                        let near = self.suggestions.nearest(&name.name, names);
                        let finding = Finding::error(
                            codes::UNKNOWN_ARGUMENT,
                            self.place(name.span),
                            format!("`{called}` takes no `{}`", name.name),
                        )
                        .note(note.clone());
                        self.report(suggest(finding, name.span, near, || "remove it".to_owned()));
                        continue;
                    }
                },
            };
            let Some(param) = component.params.get(at) else { continue };
            if let Some(first) = found.get(&at) {
                sound = false;
                let place = argument.name.as_ref().map_or(value.span, |name| name.span);
                let finding = Finding::error(
                    codes::DUPLICATE_SETTING,
                    self.place(place),
                    format!("`{}` is given twice", param.name.name),
                )
                .also(self.place(first.span), "first given here");
                self.report(finding.help("remove one"));
                continue;
            }
            if is_piped(param) && access::path(value).is_none() {
                sound = false;
                if !matches!(value.kind, ExprKind::Error) {
                    let wanted = wanted(param);
                    let finding = Finding::error(
                        codes::TYPE_MISMATCH,
                        self.place(value.span),
                        format!("`{}` of `{called}` is {wanted}, not a value", param.name.name),
                    )
                    .note(note.clone());
                    self.report(finding.help("give data by its name, or what a step gives: `split.train`"));
                }
                continue;
            }
            found.insert(at, value.clone());
        }
        for (at, param) in component.params.iter().enumerate() {
            if found.contains_key(&at) || param.default.is_some() || !sound {
                continue;
            }
            sound = false;
            let name = &param.name.name;
            let finding = Finding::error(
                codes::MISSING_ARGUMENT,
                self.place(callee.span),
                format!("`{called}` needs `{name}`, {}", wanted(param)),
            )
            .label(format!("called without `{name}`"))
            .note(note.clone());
            self.report(finding.help(format!("add `{name}: ...`")));
        }
        sound.then_some(found)
    }

    /// A step whose body calls no component, and the name is like one.
    pub(super) fn suggest_component(&mut self, declaration: &mut Declaration, at: At, file: load::FileId) {
        let DeclarationKind::Step { body, .. } = &mut declaration.kind else { return };
        let ExprKind::Call(callee, _) = &body.kind else { return };
        let ExprKind::Name(word) = &callee.kind else { return };
        if crate::names::is_built_in(word, Kind::Step) {
            return;
        }
        let world = self.world;
        let known = world.files[file].syntax.file.declarations.iter();
        let known = known.filter_map(declared_name).filter(|(_, kind, _)| *kind == Kind::Component);
        let Some(near) = self.suggestions.nearest(word, known.map(|(name, ..)| name)) else { return };
        let finding = Finding::error(
            codes::UNKNOWN_COMPONENT,
            self.place(callee.span),
            format!("no component is named `{word}`"),
        );
        let (finding, own) = (suggest(finding, callee.span, Some(near), String::new), file == self.own);
        if own || matches!(at, At::File(_)) {
            self.report(finding);
        }
        body.kind = tree_error(body.span).kind;
    }
}

/// What a parameter of a component is, for messages.
fn wanted(param: &ComponentParam) -> String {
    match &param.ty.kind {
        TypeKind::Generic(name, inner) => match (name.name.as_str(), &inner.kind) {
            ("dataset", TypeKind::Named(schema)) => format!("a table with the columns of `{schema}`"),
            ("model", TypeKind::Named(flavor)) => format!("a model<{flavor}>"),
            (other, _) => format!("a {other}"),
        },
        TypeKind::Named(name) if name == "int" => "an int".to_owned(),
        TypeKind::Named(name) => format!("a {name}"),
        _ => "a value".to_owned(),
    }
}

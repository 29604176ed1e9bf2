//! Instances written out: the declarations of a component under the instance's name.

use super::scope::{At, is_piped, shifted};
use super::{Binding, Fit, Instance, Linked, Linker, MOST_NODES, is_gate, load, rename};
use crate::codes;
use crate::finding::Finding;
use crate::names::{Kind, declared_name};
use crate::span::Span;
use crate::syntax::ast::*;
use crate::syntax::tree_error;
use crate::typing::access;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// What may still be written out: nodes, and bytes of the components that are copied for them.
pub(super) struct Budget {
    nodes: usize,
    bytes: usize,
    exceeded: bool,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { nodes: MOST_NODES, bytes: 64 << 20, exceeded: false }
    }
}

/// How many names `after` may stand for in all.
const MOST_WAITS: usize = 1_000_000;

/// What an instance says about each of its nodes.
#[derive(Default)]
struct Wishes {
    when: Option<Expr>,
    after: Vec<Ident>,
}

/// A declaration that is to be written out.
struct Waiting<'w> {
    declaration: &'w Declaration,
    at: At,
    /// The instance it belongs to.
    instance: Option<usize>,
    wishes: Rc<Wishes>,
}

/// What was written out.
#[derive(Default)]
struct Written {
    declarations: Vec<Declaration>,
    origin: Vec<Option<usize>>,
    /// Parameters of instances.
    params: Vec<Declaration>,
}

impl<'w> Linker<'w> {
    /// The checked file with all that it uses.
    pub(super) fn whole(mut self) -> Linked {
        let world = self.world;
        let own = self.own;
        let mut waiting: Vec<Waiting<'w>> = Vec::new();
        let none = Rc::new(Wishes::default());
        for (index, declaration) in world.files[own].syntax.file.declarations.iter().enumerate() {
            // What is declared a second time is reported, and not an instance of anything.
            let owns = declared_name(declaration)
                .is_none_or(|(name, ..)| world.files[own].names.get(name).is_some_and(|(_, first)| *first == index));
            if owns || !self.calls_component(At::File(own), declaration) {
                waiting.push(Waiting { declaration, at: At::File(own), instance: None, wishes: none.clone() });
            }
        }
        let written = self.write_out(waiting);
        self.finish(written, HashMap::new())
    }

    /// A component with its parameters: tables as data, models as what stands for a step.
    pub(super) fn alone(mut self, index: usize) -> Option<Linked> {
        let own = self.own;
        let component = self.component(own, index)?;
        self.instances.push(Instance {
            name: String::new(),
            file: own,
            index,
            caller: At::File(own),
            arguments: HashMap::new(),
            outer: None,
            span: component.name.span,
            definition: true,
        });
        let mut params: Vec<Declaration> = Vec::new();
        let mut flavors: HashMap<String, String> = HashMap::new();
        let mut stand_ins: Vec<Declaration> = Vec::new();
        for param in component.params {
            let mut ty = param.ty.clone();
            self.ty(&mut ty, At::File(own));
            match (&ty.kind, &param.ty.kind) {
                (TypeKind::Generic(generic, inner), _) if generic.name == "dataset" => {
                    stand_ins.push(table(param, inner));
                }
                (TypeKind::Generic(generic, inner), _) if generic.name == "model" => {
                    if let TypeKind::Named(flavor) = &inner.kind {
                        flavors.insert(param.name.name.clone(), flavor.clone());
                        stand_ins.push(stand_in(param));
                    }
                }
                _ => {
                    let mut default = param.default.clone();
                    default.iter_mut().for_each(|default| self.value(default, At::File(own)));
                    params.push(plain_param(param.name.clone(), ty, default, param.span));
                }
            }
        }
        let none = Rc::new(Wishes::default());
        let inner = component.declarations.iter();
        let waiting: Vec<Waiting<'w>> = inner
            .map(|declaration| Waiting { declaration, at: At::In(0), instance: Some(0), wishes: none.clone() })
            .collect();
        let mut written = self.write_out(waiting);
        for output in component.outputs {
            let mut value = output.value.clone();
            if access::path(&value).is_none() {
                if !matches!(value.kind, ExprKind::Error) {
                    let finding = Finding::error(
                        codes::UNFIT_OUTPUT,
                        self.place(value.span),
                        format!(
                            "the output `{}` is an expression, and an output is what a step gives",
                            output.name.name
                        ),
                    );
                    self.report(finding.help("name what a step gives: `output clf = fit.model`"));
                }
                continue;
            }
            self.expr(&mut value, At::In(0), true, &[]);
            let mut ty = output.ty.clone();
            ty.iter_mut().for_each(|ty| self.ty(ty, At::File(own)));
            let what = format!("the output `{}`", output.name.name);
            self.fits.push(Fit { what, value, ty, note: None, instance: None });
        }
        self.report_double_outputs(index);
        stand_ins.append(&mut written.declarations);
        let stood_in = stand_ins.len() - written.origin.len();
        written.origin.splice(0..0, std::iter::repeat_n(None, stood_in));
        written.declarations = stand_ins;
        params.append(&mut written.params);
        written.params = params;
        Some(self.finish(written, flavors))
    }

    fn report_double_outputs(&mut self, index: usize) {
        let Some(component) = self.component(self.own, index) else { return };
        let mut first: HashMap<&str, Span> = HashMap::new();
        for output in component.outputs {
            let name = &output.name;
            match first.get(name.name.as_str()) {
                Some(before) => {
                    let finding = Finding::error(
                        codes::DUPLICATE_DECLARATION,
                        self.place(name.span),
                        format!("the output `{}` is declared twice", name.name),
                    )
                    .also(self.place(*before), "first declared here")
                    .help("rename one");
                    self.report(finding);
                }
                None => drop(first.insert(&name.name, name.span)),
            }
        }
    }

    fn write_out(&mut self, mut waiting: Vec<Waiting<'w>>) -> Written {
        let mut written = Written::default();
        waiting.reverse();
        while let Some(next) = waiting.pop() {
            let declaration = next.declaration;
            let joined = match (&declaration.kind, declared_name(declaration)) {
                (DeclarationKind::Step { .. }, Some((name, ..))) if self.calls_component(next.at, declaration) => {
                    let name = match next.instance {
                        Some(instance) => self.inner_name(instance, name),
                        None => name.to_owned(),
                    };
                    Some((name.clone(), self.instance(next.at, declaration, name, next.instance)))
                }
                _ => None,
            };
            match joined {
                Some((name, None)) => self.broken.push(Ident { name, span: declaration.span }),
                Some((_, Some(instance))) => {
                    if !self.spend(instance, 0) {
                        continue;
                    }
                    let wishes = Rc::new(self.wishes(&next));
                    self.bind(instance, &mut written);
                    let (file, index) = (self.instances[instance].file, self.instances[instance].index);
                    let Some(component) = self.component(file, index) else { continue };
                    let (at, instance) = (At::In(instance), Some(instance));
                    let inner = component.declarations.iter().rev();
                    waiting.extend(inner.map(|declaration| Waiting {
                        declaration,
                        at,
                        instance,
                        wishes: wishes.clone(),
                    }));
                }
                None => self.write(&next, &mut written),
            }
        }
        written
    }

    /// One declaration.
    fn write(&mut self, next: &Waiting<'w>, written: &mut Written) {
        let (declaration, file) = match next.at {
            At::File(file) => (next.declaration.clone(), file),
            At::In(instance) => {
                let length = next.declaration.span.end.saturating_sub(next.declaration.span.start);
                if !self.instances[instance].definition && !self.spend(instance, length as usize) {
                    return;
                }
                let file = self.instances[instance].file;
                (shifted(next.declaration, self.base(file)), file)
            }
        };
        let mut declaration = declaration;
        if let (Some(instance), Some((name, ..))) = (next.instance, declared_name(next.declaration)) {
            let name = self.inner_name(instance, name);
            rename(&mut declaration, name);
        }
        self.suggest_component(&mut declaration, next.at, file);
        self.rewrite(&mut declaration, next.at);
        match &mut declaration.kind {
            DeclarationKind::Step { when, after, .. } => {
                *when = joined(next.wishes.when.clone(), when.take());
                after.extend(next.wishes.after.iter().cloned());
            }
            DeclarationKind::Gate { after, .. } => after.extend(next.wishes.after.iter().cloned()),
            _ => {}
        }
        written.declarations.push(declaration);
        written.origin.push(next.instance.filter(|instance| !self.instances[*instance].definition));
    }

    /// Takes from what may still be written out. `false`: there is nothing left, which is reported.
    fn spend(&mut self, instance: usize, bytes: usize) -> bool {
        if self.budget.nodes > 0 && self.budget.bytes >= bytes {
            self.budget.nodes -= 1;
            self.budget.bytes -= bytes;
            return true;
        }
        if !std::mem::replace(&mut self.budget.exceeded, true) {
            let outermost = self.facts().get(instance).map_or(Span::default(), |facts| facts.span);
            let finding = Finding::error(
                codes::TOO_MANY_NODES,
                self.place(outermost),
                format!("the instances of components have more than {MOST_NODES} nodes together"),
            )
            .label("no more is written out from here on")
            .help("make fewer instances, or smaller components");
            self.report(finding);
        }
        false
    }

    /// What a table or model of an instance is, and where those words were written.
    pub(super) fn given(&self, instance: usize, param: usize) -> Option<(Expr, At)> {
        let found = &self.instances[instance];
        if let Some(value) = found.arguments.get(&param) {
            return Some((value.clone(), found.caller));
        }
        let component = self.component(found.file, found.index)?;
        let default = component.params.get(param)?.default.as_ref()?;
        Some((shifted(default, self.base(found.file)), At::File(found.file)))
    }

    /// The parameters of an instance: plain ones become constants of the whole, tables and models are to be judged.
    fn bind(&mut self, instance: usize, written: &mut Written) {
        let (file, index, caller) = {
            let instance = &self.instances[instance];
            (instance.file, instance.index, instance.caller)
        };
        let Some(component) = self.component(file, index) else { return };
        let note = self.written(file, index);
        for (at, param) in component.params.iter().enumerate() {
            let argument = self.instances[instance].arguments.get(&at).cloned();
            let mut ty = shifted(&param.ty, self.base(file));
            self.ty(&mut ty, At::File(file));
            let what = format!("`{}` of `{}`", param.name.name, component.name.name);
            if is_piped(param) {
                if let Some(mut value) = argument {
                    self.expr(&mut value, caller, true, &[]);
                    let (ty, note) = (Some(ty), Some(note.clone()));
                    self.fits.push(Fit { what, value, ty, note, instance: Some(instance) });
                }
                continue;
            }
            let (mut value, at) = match argument {
                Some(value) => (value, caller),
                None => match &param.default {
                    Some(default) => (shifted(default, self.base(file)), At::File(file)),
                    None => continue,
                },
            };
            let span = value.span;
            self.value(&mut value, at);
            let name = self.inner_name(instance, &param.name.name);
            self.bindings.insert(name.clone(), Binding { what, note: note.clone(), written: span, instance });
            written.params.push(plain_param(Ident { name, span }, ty, Some(value), span));
        }
    }

    /// What `when` and `after` of an instance mean for each of its nodes, with those of the one around it.
    fn wishes(&mut self, next: &Waiting<'w>) -> Wishes {
        let base = match next.at {
            At::File(file) => self.base(file),
            At::In(instance) => self.base(self.instances[instance].file),
        };
        let mut declaration = shifted(next.declaration, base);
        if let DeclarationKind::Step { body, .. } = &mut declaration.kind {
            // Arguments are looked at where they are bound.
            body.kind = ExprKind::Error;
        }
        self.rewrite(&mut declaration, next.at);
        let DeclarationKind::Step { when, after, .. } = declaration.kind else { return Wishes::default() };
        let mut all = next.wishes.after.clone();
        all.extend(after);
        Wishes { when: joined(next.wishes.when.clone(), when), after: all }
    }

    /// The component as it is called, with its doc, for notes.
    pub(super) fn written(&self, file: load::FileId, index: usize) -> String {
        let Some(component) = self.component(file, index) else { return String::new() };
        let text = |span: Span| {
            let text = self.world.files[file].source.text.get(span.range()).unwrap_or_default();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let params = listed_plainly(component.params.iter().map(|param| text(param.span)));
        let outputs = listed_plainly(component.outputs.iter().map(|output| output.name.name.clone()));
        let gives = if outputs.is_empty() { String::new() } else { format!(" -> {outputs}") };
        let doc = component.declaration.doc.as_deref().and_then(|doc| doc.lines().next()).unwrap_or_default();
        let doc = if doc.trim().is_empty() { String::new() } else { format!(": {}", doc.trim()) };
        format!("{}({params}){gives}{doc}", component.name.name)
    }

    fn finish(mut self, mut written: Written, flavors: HashMap<String, String>) -> Linked {
        let mut declarations = self.bring();
        let brought = declarations.len();
        let mut origin = vec![None; brought];
        origin.append(&mut written.origin);
        declarations.append(&mut written.declarations);
        declarations.append(&mut written.params);
        origin.resize(declarations.len(), None);
        self.wait_for_all(&mut declarations, &origin);
        let given = declarations.iter().enumerate().filter_map(|(index, declaration)| match &declaration.kind {
            DeclarationKind::Step { name, .. } => Some((index, flavors.get(&name.name)?.clone())),
            _ => None,
        });
        let given: HashMap<usize, String> = given.collect();
        let instances = self.facts();
        let imports = self.world.files[self.own].imports.iter();
        let missing = imports.filter(|(_, target)| matches!(target, load::Target::Failed));
        let missing = missing.filter_map(|(index, _)| declared_name(self.world.declaration(self.own, *index)?));
        let missing = missing.map(|(name, ..)| name.to_owned()).collect();
        let edition = self.world.files[self.own].syntax.file.edition.clone();
        Linked {
            file: File { edition, declarations },
            broken: self.broken,
            map: self.map,
            origin,
            instances,
            bindings: self.bindings,
            fits: self.fits,
            given,
            findings: self.findings,
            missing,
            alone: self.definition.is_some(),
        }
    }

    /// `after` an instance waits for all its nodes; behind a model, for all its gates.
    fn wait_for_all(&mut self, declarations: &mut [Declaration], origin: &[Option<usize>]) {
        let names: HashSet<&str> = self.instances.iter().map(|instance| instance.name.as_str()).collect();
        let mut inside: HashMap<String, Vec<(String, bool)>> = HashMap::new();
        for (declaration, mut at) in declarations.iter().zip(origin.iter().copied()) {
            let Some((name, Kind::Step | Kind::Gate, _)) = declared_name(declaration) else { continue };
            while let Some(instance) = at {
                let found = inside.entry(self.instances[instance].name.clone()).or_default();
                found.push((name.to_owned(), is_gate(declaration)));
                at = self.instances[instance].outer;
            }
        }
        let mut left = MOST_WAITS;
        let mut findings = Vec::new();
        for declaration in declarations.iter_mut() {
            let (after, only_gates) = match &mut declaration.kind {
                DeclarationKind::Step { after, .. } | DeclarationKind::Gate { after, .. } => (after, false),
                DeclarationKind::Model { after, .. } => (after, true),
                _ => continue,
            };
            if !after.iter().any(|ident| names.contains(ident.name.as_str())) {
                continue;
            }
            let mut all = Vec::with_capacity(after.len());
            for ident in after.drain(..) {
                if !names.contains(ident.name.as_str()) {
                    all.push(ident);
                    continue;
                }
                let nodes = inside.get(&ident.name).map(Vec::as_slice).unwrap_or_default();
                let nodes = nodes.iter().filter(|(_, gate)| *gate || !only_gates).take(left);
                let before = all.len();
                all.extend(nodes.map(|(name, _)| Ident { name: name.clone(), span: ident.span }));
                left -= all.len() - before;
                if only_gates && all.len() == before {
                    let finding = Finding::error(
                        codes::WRONG_KIND,
                        self.place(ident.span),
                        format!("`{}` has no gate, and a model waits for gates", ident.name),
                    );
                    findings.push(finding.help("add a `gate` to the component, or name one of this file"));
                }
            }
            *after = all;
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }
}

/// Both conditions.
fn joined(outer: Option<Expr>, own: Option<Expr>) -> Option<Expr> {
    match (outer, own) {
        (Some(outer), Some(own)) => {
            let span = own.span;
            Some(Expr { kind: ExprKind::And(Box::new(outer), Box::new(own)), span })
        }
        (outer, own) => outer.or(own),
    }
}

fn listed_plainly(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn plain_param(name: Ident, ty: TypeExpr, default: Option<Expr>, span: Span) -> Declaration {
    declared(span, DeclarationKind::Param { name, ty, default })
}

/// Data that stands for a table that a component is given.
fn table(param: &ComponentParam, schema: &TypeExpr) -> Declaration {
    let text = vec![StringPart::Text("-".to_owned())];
    let path = Argument { name: None, value: Expr { kind: ExprKind::String(text), span: param.span } };
    let reader = Expr { kind: ExprKind::Name("csv".to_owned()), span: param.span };
    let value = Expr { kind: ExprKind::Call(Box::new(reader), vec![path]), span: param.span };
    let source = Setting { name: Ident { name: "source".to_owned(), span: param.span }, value, span: param.span };
    let schema = match &schema.kind {
        TypeKind::Named(name) => Ident { name: name.clone(), span: schema.span },
        // `dataset<int?>`: no schema has this name.
        _ => Ident { name: "?".to_owned(), span: schema.span },
    };
    let kind = DeclarationKind::Data {
        name: param.name.clone(),
        schema: Some(schema),
        settings: vec![source],
        expectations: Vec::new(),
        pii: None,
    };
    declared(param.span, kind)
}

/// A step that stands for a model that a component is given.
fn stand_in(param: &ComponentParam) -> Declaration {
    let kind = DeclarationKind::Step {
        name: param.name.clone(),
        body: tree_error(param.span),
        fan: None,
        when: None,
        after: Vec::new(),
        task: Task::default(),
        settings: Vec::new(),
    };
    declared(param.span, kind)
}

fn declared(span: Span, kind: DeclarationKind) -> Declaration {
    Declaration { doc: None, span, keyword: span, damaged: false, kind }
}

//! Names that can be written: what the file declares, and what stands behind a dot.

use super::ItemKind;
use super::items::List;
use crate::builtin;
use crate::hover::{about_step, plain_type};
use crate::view::{Declared, View};
use mlp_lang::signature::{InputKind, StepSignature};
use mlp_lang::types::{MetricField, Type};
use std::collections::HashSet;

/// How many outputs and metrics are offered at once.
const MOST: usize = 500;

impl List<'_, '_> {
    /// Data and outputs of a kind.
    pub(super) fn inputs(&mut self, kind: &InputKind) {
        let view = self.view;
        let fits = |ty: &Type| match (kind, ty) {
            (InputKind::Dataset, Type::Dataset(_)) => true,
            (InputKind::Model(wanted), Type::Model(flavor)) => wanted.is_empty() || wanted == flavor,
            _ => false,
        };
        self.component_parameters();
        for (name, declared) in self.visible() {
            let keyword = view.word(declared.keyword);
            if !matches!(keyword, "data" | "step") {
                continue;
            }
            let outputs = view.outputs(declared);
            if keyword == "data" {
                if *kind == InputKind::Dataset {
                    let item = self.push(name, ItemKind::Node, 1);
                    item.detail = outputs.values().next().map_or(String::new(), plain_type);
                    item.doc = view.doc(declared).unwrap_or_default().to_owned();
                }
                continue;
            }
            for (output, ty) in outputs.iter().filter(|(_, ty)| fits(ty) || **ty == Type::Unknown).take(MOST) {
                let item = self.push(&format!("{name}.{output}"), ItemKind::Output, if fits(ty) { 1 } else { 3 });
                item.detail = plain_type(ty);
            }
        }
        if matches!(kind, InputKind::Model(_)) {
            let item = self.push("registry", ItemKind::Function, 4);
            item.insert = "registry(\"$0\")".to_owned();
            item.doc = "A model that an earlier run registered: `registry(\"churn@production\")`.".to_owned();
        }
    }

    pub(super) fn metrics(&mut self) {
        let view = self.view;
        for (name, declared) in self.visible() {
            if view.word(declared.keyword) != "step" && view.word(declared.keyword) != "tune" {
                continue;
            }
            let outputs = view.outputs(declared);
            for (output, ty) in &outputs {
                let Type::Metrics(fields) = ty else { continue };
                for field in fields.iter().take(MOST.saturating_sub(self.items.len())) {
                    self.metric(&format!("{name}.{}", field.name), (name, output, field), 1);
                }
            }
            let item = self.push(name, ItemKind::Node, 3);
            item.doc = view.doc(declared).unwrap_or_default().to_owned();
        }
    }

    pub(super) fn metric(&mut self, label: &str, of: (&str, &str, &MetricField), rank: u8) {
        let (node, output, field) = of;
        let last = self.view.workspace.environment().last_value(self.view.document.path(), node, output, field);
        let item = self.push(label, ItemKind::Output, rank);
        item.detail = match last {
            Some(last) => format!("{} = {} ({})", field.ty, last.value, last.run),
            None => field.ty.to_string(),
        };
        item.doc = field.doc.clone();
    }

    pub(super) fn names(&mut self, keywords: &[&str]) {
        let view = self.view;
        for (name, declared) in self.visible() {
            let keyword = view.word(declared.keyword);
            if keywords.contains(&keyword) {
                let item = self.push(name, ItemKind::Node, 1);
                item.detail = keyword.to_owned();
                item.doc = view.doc(declared).unwrap_or_default().to_owned();
            }
        }
    }

    /// What a step can run.
    pub(super) fn bodies(&mut self) {
        let view = self.view;
        for (alias, declared) in view.declared_in(0) {
            match view.word(declared.keyword) {
                "use" => {
                    let item = self.push(alias, ItemKind::Module, 2);
                    item.insert = format!("{alias}.");
                    if let Some(module) = view.facts().modules.get(alias) {
                        self.items.last_mut().into_iter().for_each(|item| {
                            item.doc = module.doc.clone();
                            item.detail = module.name.clone();
                        });
                        for step in &module.steps {
                            let name = format!("{alias}.{}", step.name);
                            let item = self.push(&name, ItemKind::Function, 1);
                            item.insert = format!("{name}({})", inputs_of(step));
                            item.doc = about_step(module, step);
                        }
                    }
                }
                "component" => {
                    let item = self.push(alias, ItemKind::Function, 1);
                    item.insert = format!("{alias}($0)");
                    item.doc = view.doc(declared).unwrap_or_default().to_owned();
                }
                _ => {}
            }
        }
        self.keywords(builtin::BODIES, ItemKind::Function);
    }

    /// What may stand behind a dot.
    pub(super) fn members(&mut self, tok: usize) {
        let view = self.view;
        let first = view.outline().path_start(view.text(), tok);
        let Some(site) = view.site(first) else { return };
        let root = view.word(first);
        let Some(declared) = view.lookup(site.group, root) else { return };
        if view.word(declared.keyword) == "use" {
            return self.of_module(root, tok);
        }
        let outputs = view.outputs(declared);
        let first = match view.word(declared.keyword) {
            "tune" if tok == first + 2 => {
                self.push("best", ItemKind::Output, 1).doc =
                    "The step with the settings that came out best.".to_owned();
                return;
            }
            "tune" => first + 2,
            _ => first,
        };
        if tok == first + 4 {
            let output = view.word(first + 2);
            if let Some(Type::Metrics(fields)) = outputs.get(output) {
                fields.iter().for_each(|field| self.metric(&field.name, (root, output, field), 1));
            }
            return;
        }
        for (output, ty) in &outputs {
            let item = self.push(output, ItemKind::Output, 1);
            item.detail = plain_type(ty);
            if let Type::Metrics(fields) = ty {
                fields.iter().for_each(|field| self.metric(&field.name, (root, output, field), 1));
            }
        }
    }

    pub(super) fn of_module(&mut self, alias: &str, tok: usize) {
        let view = self.view;
        if let Some(module) = view.facts().modules.get(alias) {
            let called = view.word(tok + 1) == "(";
            for step in &module.steps {
                let item = self.push(&step.name, ItemKind::Function, 1);
                if !called {
                    item.insert = format!("{}({})", step.name, inputs_of(step));
                }
                item.doc = about_step(module, step);
            }
        }
        for document in view.imported(alias) {
            let Some(other) = view.workspace.view(document.path()) else { continue };
            for (name, declared) in other.declared_in(0) {
                let kind = match other.word(declared.keyword) {
                    "schema" => ItemKind::Schema,
                    "param" | "secret" => ItemKind::Param,
                    "component" => ItemKind::Function,
                    "data" => ItemKind::Node,
                    _ => continue,
                };
                let item = self.push(name, kind, 1);
                item.detail = document.path().rsplit('/').next().unwrap_or_default().to_owned();
                item.doc = other.doc(declared).unwrap_or_default().to_owned();
            }
        }
    }

    pub(super) fn schemas(&mut self) {
        let view = self.view;
        for (name, declared) in view.declared_in(0) {
            let keyword = view.word(declared.keyword);
            match keyword {
                "schema" => {
                    let count = view.facts().schemas.get(name).map_or(0, |schema| schema.columns.len());
                    let item = self.push(name, ItemKind::Schema, 1);
                    item.detail = format!("{count} columns");
                    item.doc = view.doc(declared).unwrap_or_default().to_owned();
                }
                "use" => {
                    let foreign = foreign_schemas(view, name);
                    for label in foreign {
                        self.push(&label, ItemKind::Schema, 2);
                    }
                }
                _ => {}
            }
        }
    }

    /// Modules that need no path and are not used yet.
    pub(super) fn modules(&mut self) {
        let view = self.view;
        let used: HashSet<&str> = view.facts().modules.values().map(|module| module.name.as_str()).collect();
        for module in view.facts().known_modules.iter().filter(|module| !used.contains(module.as_str())) {
            self.push(module, ItemKind::Module, 1);
        }
    }

    /// Other documents, as a path from this one's folder.
    pub(super) fn files(&mut self) {
        let view = self.view;
        let here = view.document.path();
        let folder = here.rfind('/').map_or("", |at| &here[..=at]);
        for document in view.workspace.documents().filter(|document| document.path() != here) {
            if let Some(below) = document.path().strip_prefix(folder) {
                self.push(&format!("./{below}"), ItemKind::File, 1);
            }
        }
    }

    /// Tables of a query, and the columns of those that it names.
    pub(super) fn query(&mut self, tok: usize) {
        let view = self.view;
        for (name, declared) in self.visible() {
            let outputs = view.outputs(declared);
            for (output, ty) in outputs.iter().filter(|(_, ty)| matches!(ty, Type::Dataset(_))) {
                let label =
                    if view.word(declared.keyword) == "data" { name.to_owned() } else { format!("{name}.{output}") };
                self.push(&label, ItemKind::Node, 2).detail = plain_type(ty);
            }
        }
        for table in view.tables(tok) {
            for ty in view.outputs(table.declared).values() {
                if let Type::Dataset(schema) = ty {
                    self.columns(Some(schema), 1);
                }
            }
        }
    }

    /// Models that the documents register.
    pub(super) fn models(&mut self) {
        for (name, declared) in self.view.declared_in(0) {
            match self.view.word(declared.keyword) {
                "model" => {
                    self.push(&format!("{name}@latest"), ItemKind::Value, 2);
                    self.deployments(name);
                }
                _ => continue,
            }
        }
    }

    pub(super) fn deployments(&mut self, model: &str) {
        let of_model = |declared: &Declared| self.view.word(declared.name + 2) == model;
        let names: Vec<String> = self
            .view
            .declared_in(0)
            .iter()
            .filter(|(_, declared)| self.view.word(declared.keyword) == "deploy" && of_model(declared))
            .map(|(name, _)| format!("{model}@{name}"))
            .collect();
        for name in names {
            self.push(&name, ItemKind::Value, 1);
        }
    }
}

fn foreign_schemas(view: &View<'_>, alias: &str) -> Vec<String> {
    let documents = view.imported(alias);
    let views = documents.into_iter().filter_map(|document| view.workspace.view(document.path()));
    views
        .flat_map(|other| {
            let names: Vec<String> = other
                .declared_in(0)
                .iter()
                .filter(|(_, declared)| other.word(declared.keyword) == "schema")
                .map(|(name, _)| format!("{alias}.{name}"))
                .collect();
            names
        })
        .collect()
}

/// The inputs of a step as places to fill.
fn inputs_of(step: &StepSignature) -> String {
    let inputs: Vec<_> =
        step.inputs.iter().enumerate().map(|(at, input)| format!("${{{}:{}}}", at + 1, input.name)).collect();
    inputs.join(", ")
}

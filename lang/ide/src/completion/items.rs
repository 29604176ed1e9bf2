//! Lists of what can be written.

use super::values::could_fit;
use super::{Item, ItemKind};
use crate::builtin::{self, Word};
use crate::hover::{about_param, input_type, written_column, written_param};
use crate::outline::Part;
use crate::view::{Callee, Declared, View};
use crate::wanted::{Site, Wanted};
use mlp_lang::analysis::{written_column as column_name, written_type};
use mlp_lang::span::Span;
use mlp_lang::types::{Schema, Type};
use std::collections::HashSet;

/// A list of what can be written at a place.
pub(super) struct List<'v, 'w> {
    pub(super) view: &'v View<'w>,
    span: Span,
    /// The group that is written in.
    pub(super) group: usize,
    pub(super) items: Vec<Item>,
}

impl<'v, 'w> List<'v, 'w> {
    pub(super) fn new(view: &'v View<'w>, span: Span, group: usize) -> List<'v, 'w> {
        List { view, span, group, items: Vec::new() }
    }

    /// What is declared where something is written: in the component around, and in the file. Not what is being declared.
    pub(super) fn visible(&self) -> Vec<(&'v str, Declared)> {
        let view = self.view;
        let inside = view.component_around(self.group).map(|block| view.declared_in(block)).unwrap_or_default();
        let others = |declared: &Declared| {
            view.part_span(declared.part).is_none_or(|span| self.span.start < span.start || span.end < self.span.start)
        };
        let all = inside.into_iter().chain(view.declared_in(0));
        all.filter(|(_, declared)| others(declared)).collect()
    }

    /// Each label once, the better ones first.
    pub(super) fn done(mut self) -> Vec<Item> {
        self.items.sort_by_key(|item| item.rank);
        let mut seen = HashSet::new();
        self.items.retain(|item| seen.insert((item.label.clone(), item.kind as u8)));
        self.items
    }

    pub(super) fn push(&mut self, label: &str, kind: ItemKind, rank: u8) -> &mut Item {
        self.items.push(Item {
            label: label.to_owned(),
            kind,
            detail: String::new(),
            doc: String::new(),
            insert: escaped(label),
            span: self.span,
            rank,
        });
        let last = self.items.len() - 1;
        &mut self.items[last]
    }

    pub(super) fn keywords(&mut self, words: &[Word], kind: ItemKind) {
        for word in words {
            let item = self.push(word.word, kind, 5);
            item.insert = word.insert.to_owned();
            item.doc = word.doc.to_owned();
        }
    }

    /// Members of a block: those that are not there yet.
    pub(super) fn block(&mut self, group: usize, here: Part) {
        let view = self.view;
        let owner = view.block(group);
        let parts = view.outline().groups.get(group).map(|group| group.parts.as_slice()).unwrap_or_default();
        let given: HashSet<&str> = parts
            .iter()
            .filter(|part| part.first != here.first && view.word(part.first + 1) == "=")
            .map(|part| view.word(part.first))
            .collect();
        // Settings of programs are none of a module's step; a check's numbers come with what a service can tell.
        let of_module = owner == "step"
            && view.outline().part_around(group).is_some_and(|part| {
                let step = view.declared_by(part).and_then(|declared| view.body_of(declared));
                matches!(step, Some(Callee::Step(..)))
            });
        let fits = |word: &Word| {
            let program = matches!(word.word, "run" | "with" | "in" | "out" | "platform");
            let number = owner == "check" && (word.insert.contains("<=") || word.insert.contains(">="));
            !(given.contains(word.word) || of_module && program || number)
        };
        for word in builtin::members(owner).iter().filter(|word| fits(word)) {
            let setting = word.insert.strip_prefix(word.word).is_some_and(|rest| rest.starts_with(" = "));
            let item = self.push(word.word, if setting { ItemKind::Setting } else { ItemKind::Keyword }, 3);
            item.insert = word.insert.to_owned();
            item.doc = word.doc.to_owned();
        }
        match owner {
            "tune" => self.tunable(group),
            "check" => self.wanted(&Wanted::Service, Site { group, part: 0, clause: None }),
            _ => {}
        }
    }

    /// Settings of the step that a search is over.
    pub(super) fn tunable(&mut self, group: usize) {
        let view = self.view;
        let search = view.outline().part_around(group).and_then(|part| view.declared_by(part));
        let Some(step) = search.and_then(|search| view.tuned_step(search)) else { return };
        let Some(Callee::Step(_, signature)) = view.body_of(step) else { return };
        for param in &signature.params {
            let item = self.push(&param.name, ItemKind::Argument, 1);
            item.insert = format!("{} in $0", param.name);
            item.detail = written_type(&param.ty);
            item.doc = about_param(param);
        }
    }

    /// What follows the name in a header.
    pub(super) fn after_name(&mut self, head: &str, part: Part, tok: usize) {
        if tok != part.first + 2 {
            return;
        }
        match head {
            "deploy" | "monitor" => drop(self.push("of", ItemKind::Keyword, 1)),
            "tune" => drop(self.push("over", ItemKind::Keyword, 1)),
            _ => {}
        }
    }

    pub(super) fn operators(&mut self) {
        for word in [">=", "<=", "==", "and", "or", "in"] {
            self.push(word, ItemKind::Keyword, 6);
        }
    }

    /// Arguments that a call takes and was not given.
    pub(super) fn arguments(&mut self, group: usize, here: Part) {
        let view = self.view;
        let parts = view.outline().groups.get(group).map(|group| group.parts.as_slice()).unwrap_or_default();
        let others = || parts.iter().filter(|part| part.first != here.first);
        let given: HashSet<&str> = others().filter_map(|part| part.name.map(|name| view.word(name))).collect();
        match view.callee(group) {
            Callee::Step(_, signature) => {
                let before = parts.iter().take_while(|part| part.first < here.first);
                let bare = before.filter(|part| part.name.is_none()).count();
                for input in signature.inputs.iter().skip(bare).filter(|input| !given.contains(input.name.as_str())) {
                    let item = self.push(&input.name, ItemKind::Argument, 4);
                    item.insert = format!("{}: ", input.name);
                    item.detail = input_type(&input.kind);
                    item.doc = input.doc.clone();
                }
                for param in signature.params.iter().filter(|param| !given.contains(param.name.as_str())) {
                    let item = self.push(&param.name, ItemKind::Argument, 2);
                    item.insert = format!("{}: ", param.name);
                    item.detail = written_param(param);
                    item.doc = about_param(param);
                }
            }
            Callee::Component(component) => {
                let parameters = view.parameters_of(component.part).and_then(|group| view.outline().groups.get(group));
                for part in parameters.into_iter().flat_map(|group| &group.parts) {
                    let Some(name) = part.name.map(|name| view.word(name)).filter(|name| !given.contains(name)) else {
                        continue;
                    };
                    let item = self.push(name, ItemKind::Argument, 2);
                    item.insert = format!("{name}: ");
                    item.detail = view.slice(part.first, part.end);
                }
            }
            Callee::Word(word) => {
                let words = builtin::arguments(word).iter().filter(|word| !given.contains(word.word));
                for word in words {
                    let item = self.push(word.word, ItemKind::Argument, 2);
                    item.insert = word.insert.to_owned();
                    item.doc = word.doc.to_owned();
                }
                if matches!(word, "retrain" | "run") {
                    self.params(None, 2, ": ");
                }
            }
            Callee::Unknown => {}
        }
    }

    /// What is wanted at a place.
    pub(super) fn wanted(&mut self, wanted: &Wanted, site: Site) {
        match wanted {
            Wanted::Columns(schema) => {
                self.columns(schema.as_deref(), 1);
            }
            Wanted::Expectation(schema) => {
                self.columns(schema.as_deref(), 2);
                self.keywords(builtin::STATS, ItemKind::Function);
                self.params(None, 4, "");
            }
            Wanted::Input(kind) => self.inputs(kind),
            Wanted::Value(ty) => self.values(ty, site),
            Wanted::Setting(ty) => self.setting(ty, site),
            Wanted::Metric => {
                self.metrics();
                self.params(None, 4, "");
                self.keywords(builtin::REDUCTIONS, ItemKind::Function);
                self.keywords(builtin::FUNCTIONS, ItemKind::Function);
                if site.clause.is_some_and(|clause| self.view.word(clause) == "when") {
                    self.push("exists", ItemKind::Keyword, 1).doc =
                        "What the step reads from the registry is there; a first run skips the step.".to_owned();
                }
            }
            Wanted::Watch => {
                self.keywords(builtin::WATCHED, ItemKind::Function);
                self.keywords(builtin::PAST, ItemKind::Function);
                self.params(None, 6, "");
            }
            Wanted::Service => {
                let words: Vec<Word> = builtin::members("check")
                    .iter()
                    .filter(|word| word.insert.contains("<=") || word.insert.contains(">="))
                    .copied()
                    .collect();
                self.keywords(&words, ItemKind::Function);
                self.params(None, 6, "");
            }
            Wanted::Names(keywords) => self.names(keywords),
            Wanted::Words(words) => {
                self.keywords(words, ItemKind::Value);
            }
            Wanted::Body => self.bodies(),
            Wanted::Type { column } => {
                self.keywords(builtin::SCALARS, ItemKind::Type);
                if !column {
                    self.keywords(builtin::GENERICS, ItemKind::Type);
                }
            }
            Wanted::Schema => self.schemas(),
            Wanted::Module => {
                self.modules();
            }
            Wanted::Any => {
                self.params(None, 2, "");
                self.keywords(builtin::CONSTANTS, ItemKind::Value);
                self.keywords(builtin::FUNCTIONS, ItemKind::Function);
            }
            Wanted::Nothing => {}
        }
    }

    pub(super) fn columns(&mut self, schema: Option<&Schema>, rank: u8) {
        for column in schema.into_iter().flat_map(|schema| &schema.columns) {
            let label = column_name(&column.name);
            let item = self.push(&label, ItemKind::Column, rank);
            item.detail = written_column(column);
        }
    }

    /// Columns where a quote is open already.
    pub(super) fn quoted_columns(&mut self, schema: Option<&Schema>) {
        for column in schema.into_iter().flat_map(|schema| &schema.columns) {
            let item = self.push(&column.name, ItemKind::Column, 1);
            item.detail = written_column(column);
        }
    }

    /// Parameters, those of a type if one is given.
    pub(super) fn params(&mut self, ty: Option<&Type>, rank: u8, suffix: &str) {
        let view = self.view;
        self.component_parameters();
        for (name, declared) in self.visible() {
            if view.word(declared.keyword) != "param" {
                continue;
            }
            let known = view.facts().params.get(name);
            if let (Some(wanted), Some((found, _))) = (ty, known)
                && !could_fit(found, wanted)
            {
                continue;
            }
            let detail = known.map_or(String::new(), |(ty, value)| match value {
                Some(value) => format!("{ty} = {value}"),
                None => ty.to_string(),
            });
            let item = self.push(name, ItemKind::Param, rank);
            item.insert = format!("{name}{suffix}");
            item.detail = detail;
            item.doc = view.doc(declared).unwrap_or_default().to_owned();
        }
    }

    /// Parameters of the component that is written in.
    pub(super) fn component_parameters(&mut self) {
        let view = self.view;
        let component = view.component_around(self.group).and_then(|block| view.outline().part_around(block));
        let parameters = component.and_then(|part| view.outline().groups.get(view.parameters_of(part)?));
        for part in parameters.into_iter().flat_map(|group| &group.parts) {
            if let Some(name) = part.name {
                self.push(view.word(name), ItemKind::Param, 2).detail = view.slice(part.first, part.end);
            }
        }
    }
}

/// A text as it stands in what is inserted.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

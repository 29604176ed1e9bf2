//! Lists of what can be written.

use super::{Item, ItemKind};
use crate::builtin::{self, Word};
use crate::hover::{about_param, about_step, input_type, plain_type, written_column, written_param};
use crate::meaning::{Site, Wanted, unquoted};
use crate::outline::{Part, TokKind};
use crate::view::{Callee, Declared, Target, View};
use mlp_lang::analysis::{written_column as column_name, written_text, written_type};
use mlp_lang::signature::{InputKind, ParamType, StepSignature};
use mlp_lang::span::Span;
use mlp_lang::types::{Schema, Type};
use std::collections::HashSet;

/// A list of what can be written at a place.
pub(super) struct List<'v, 'w> {
    view: &'v View<'w>,
    span: Span,
    /// The group that is written in.
    group: usize,
    items: Vec<Item>,
}

/// How many outputs and metrics are offered at once.
const MOST: usize = 500;

impl<'v, 'w> List<'v, 'w> {
    pub(super) fn new(view: &'v View<'w>, span: Span, group: usize) -> List<'v, 'w> {
        List { view, span, group, items: Vec::new() }
    }

    /// What is declared where something is written: in the component around, and in the file. Not what is being declared.
    fn visible(&self) -> Vec<(&'v str, Declared)> {
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

    fn push(&mut self, label: &str, kind: ItemKind, rank: u8) -> &mut Item {
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
            !given.contains(word.word) && !(of_module && program) && !(number && word.word != "on_no_data")
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
    fn tunable(&mut self, group: usize) {
        let view = self.view;
        let Some(part) = view.outline().part_around(group) else { return };
        let over = (part.first..part.end).find(|at| view.word(*at) == "over");
        let Some(step) = over.and_then(|over| view.declared(view.word(over + 1))) else { return };
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

    fn columns(&mut self, schema: Option<&Schema>, rank: u8) {
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
    fn params(&mut self, ty: Option<&Type>, rank: u8, suffix: &str) {
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
    fn component_parameters(&mut self) {
        let view = self.view;
        let component = view.component_around(self.group).and_then(|block| view.outline().part_around(block));
        let parameters = component.and_then(|part| view.outline().groups.get(view.parameters_of(part)?));
        for part in parameters.into_iter().flat_map(|group| &group.parts) {
            if let Some(name) = part.name {
                self.push(view.word(name), ItemKind::Param, 2).detail = view.slice(part.first, part.end);
            }
        }
    }

    fn values(&mut self, ty: &Type, site: Site) {
        match ty {
            Type::Bool => self.keywords(&builtin::CONSTANTS[..2], ItemKind::Value),
            Type::Enum(_) => self.enum_values(ty, true),
            Type::Optional(inner) | Type::List(inner) => self.values(inner, site),
            Type::Time | Type::Date if matches!(self.view.callee(site.group), Callee::Word("retrain" | "run")) => {
                self.push("now", ItemKind::Value, 1).doc =
                    "When the breach was found, or the trigger fired.".to_owned();
            }
            _ => {}
        }
        self.params(Some(ty), 3, "");
    }

    fn setting(&mut self, ty: &ParamType, site: Site) {
        match ty {
            ParamType::Plain(ty) => self.values(ty, site),
            ParamType::Optional(inner) | ParamType::List(inner) => self.setting(inner, site),
            ParamType::ValueOf { param } => {
                if let Some(ty) = self.type_of_column(param, site) {
                    self.values(&ty, site);
                } else {
                    self.params(None, 3, "");
                }
            }
            ParamType::Column { .. } => {}
        }
    }

    /// The type of the column that another setting of the call names.
    fn type_of_column(&self, param: &str, site: Site) -> Option<Type> {
        let view = self.view;
        let group = view.outline().around(site.group).find(|group| matches!(view.callee(*group), Callee::Step(..)))?;
        let parts = &view.outline().groups.get(group)?.parts;
        let named = (0..parts.len())
            .find(|part| matches!(view.target(group, *part), Some(Target::Setting(found)) if found.name == param))?;
        let Some(Target::Setting(signature)) = view.target(group, named) else { return None };
        let of = crate::meaning::column_of(&signature.ty)?;
        let name = view.word(parts.get(named)?.name? + 2);
        let name = unquoted(name).unwrap_or(name);
        view.columns_of_input(group, of)?.column(name).map(|column| column.ty.clone())
    }

    pub(super) fn quoted_values(&mut self, ty: &ParamType, site: Site) {
        match ty {
            ParamType::Plain(ty) => self.enum_values(ty, false),
            ParamType::Optional(inner) | ParamType::List(inner) => self.quoted_values(inner, site),
            ParamType::ValueOf { param } => {
                if let Some(ty) = self.type_of_column(param, site) {
                    self.enum_values(&ty, false);
                }
            }
            ParamType::Column { .. } => {}
        }
    }

    /// The texts of an enum, with quotes or within.
    pub(super) fn enum_values(&mut self, ty: &Type, quotes: bool) {
        match ty {
            Type::Enum(values) => {
                for value in values {
                    let label = if quotes { written_text(value) } else { value.clone() };
                    self.push(&label, ItemKind::Value, 1).detail = ty.to_string();
                }
            }
            Type::Optional(inner) | Type::List(inner) => self.enum_values(inner, quotes),
            _ => {}
        }
    }

    /// Data and outputs of a kind.
    fn inputs(&mut self, kind: &InputKind) {
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

    fn metrics(&mut self) {
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

    fn metric(&mut self, label: &str, of: (&str, &str, &mlp_lang::types::MetricField), rank: u8) {
        let (node, output, field) = of;
        let last = self.view.workspace.environment().last_value(self.view.document.path(), node, output, field);
        let item = self.push(label, ItemKind::Output, rank);
        item.detail = match last {
            Some(last) => format!("{} = {} ({})", field.ty, last.value, last.run),
            None => field.ty.to_string(),
        };
        item.doc = field.doc.clone();
    }

    fn names(&mut self, keywords: &[&str]) {
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
    fn bodies(&mut self) {
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

    fn of_module(&mut self, alias: &str, tok: usize) {
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

    fn schemas(&mut self) {
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
    fn modules(&mut self) {
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

    fn deployments(&mut self, model: &str) {
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

    /// Zones that people live in.
    pub(super) fn zones(&mut self) {
        const ZONES: [&str; 18] = [
            "UTC",
            "Europe/Paris",
            "Europe/Berlin",
            "Europe/London",
            "Europe/Madrid",
            "Europe/Warsaw",
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Los_Angeles",
            "America/Sao_Paulo",
            "Asia/Tokyo",
            "Asia/Shanghai",
            "Asia/Singapore",
            "Asia/Kolkata",
            "Asia/Dubai",
            "Africa/Johannesburg",
            "Australia/Sydney",
        ];
        for zone in ZONES {
            self.push(zone, ItemKind::Value, 1);
        }
    }

    /// Units behind a number, those of the type that is wanted first.
    pub(super) fn units(&mut self, digits: &str, wanted: &Wanted) {
        let (time, bytes, share) = match wanted {
            Wanted::Value(ty) | Wanted::Setting(ParamType::Plain(ty)) => match present(ty) {
                Type::Duration => (1, 9, 9),
                Type::Size => (9, 1, 9),
                Type::Fraction => (9, 9, 1),
                Type::Int | Type::Float => return,
                _ => (5, 5, 5),
            },
            Wanted::Setting(ParamType::Optional(inner)) => {
                return self.units(digits, &Wanted::Setting((**inner).clone()));
            }
            _ => (5, 5, 4),
        };
        for unit in builtin::UNITS {
            let rank = match unit.word {
                "%" => share,
                "ms" | "s" | "m" | "h" | "d" => time,
                _ => bytes,
            };
            if rank == 9 {
                continue;
            }
            let item = self.push(&format!("{digits}{}", unit.word), ItemKind::Unit, rank);
            item.doc = unit.doc.to_owned();
        }
    }
}

impl View<'_> {
    /// The type of what a string is compared with: of `plan` in `plan == "`.
    pub(super) fn compared(&self, tok: usize) -> Option<Type> {
        let operator = tok.checked_sub(1)?;
        let left = operator.checked_sub(1)?;
        if self.kind(operator)? != TokKind::Operator || self.kind(left)? != TokKind::Word {
            return None;
        }
        let site = self.site(left)?;
        let name = self.word(left);
        if let Wanted::Expectation(Some(schema)) | Wanted::Columns(Some(schema)) = self.wanted(site)
            && let Some(column) = schema.column(name)
        {
            return Some(column.ty.clone());
        }
        self.facts().params.get(name).map(|(ty, _)| ty.clone())
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

fn present(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) | Type::List(inner) => present(inner),
        ty => ty,
    }
}

/// Whether a parameter of one type could stand where another is wanted.
fn could_fit(found: &Type, wanted: &Type) -> bool {
    match (present(found), present(wanted)) {
        (_, Type::Unknown) | (Type::Unknown, _) => true,
        (Type::Int, Type::Float) | (Type::Enum(_), Type::String) | (Type::String, Type::Enum(_)) => true,
        (found, wanted) => found == wanted,
    }
}

/// A text as it stands in what is inserted.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

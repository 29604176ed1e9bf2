//! Several files and their components as one tree, before names are collected.
//!
//! ```text
//! use -> load: every file once -> link: what is needed of them, under names of the whole; instances written out -> File
//! ```
//!
//! Owns: which files there are, what a word means in each, what a component becomes where it is called. Must never know:
//! types, except that the names of schemas are followed.
//!
//! A file that uses no files and has no components is not touched. In all others the names of what comes from elsewhere
//! have dots, which no name in a file has: `common.Customer`, `churn_model.split`. Spans of other files are moved behind
//! the checked one, so that a span tells its file ([`SourceMap`]).
//!
//! Invariants: whatever stands in a file, this ends, and the tree it gives is bounded ([`MOST_NODES`]). A mistake in a
//! component is told once, at its definition; a mistake in another file is told by the check of that file.

mod expand;
mod instance;
pub(crate) mod judge;
pub(crate) mod load;
mod map;
mod rewrite;
mod scope;

use crate::finding::Finding;
use crate::import::{is_relative, way};
use crate::names::{Kind, Suggestions, declared_name};
use crate::span::Span;
use crate::syntax::ast::{Declaration, DeclarationKind, Expr, File, Ident, TypeExpr};
use load::{FileId, World};
pub(crate) use map::SourceMap;
use scope::{At, Table};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// How many nodes instances may have together, each instance counted as one.
pub(crate) const MOST_NODES: usize = 10_000;

/// A file with what it uses, as one tree.
pub(crate) struct Linked {
    pub(crate) file: File,
    /// Names that stand for something that could not be understood.
    pub(crate) broken: Vec<Ident>,
    pub(crate) map: SourceMap,
    /// By declaration: the instance it was written out for.
    pub(crate) origin: Vec<Option<usize>>,
    pub(crate) instances: Vec<InstanceFacts>,
    /// Parameters of instances, by name.
    pub(crate) bindings: HashMap<String, Binding>,
    /// Tables and models that must fit what a component declares.
    pub(crate) fits: Vec<Fit>,
    /// Steps that stand for a model that a component is given, by declaration: the flavor.
    pub(crate) given: HashMap<usize, String>,
    pub(crate) findings: Vec<Finding>,
    /// Names of a `use` of files that brings nothing, which was reported.
    pub(crate) missing: HashSet<String>,
    /// A component by itself.
    pub(crate) alone: bool,
}

/// An instance, for messages.
#[derive(Clone, Debug)]
pub(crate) struct InstanceFacts {
    /// `churn_model`
    pub(crate) name: String,
    /// `trained`
    pub(crate) component: String,
    /// Where it was written, among the declarations of the checked file: of the outermost one.
    pub(crate) span: Span,
    /// The one whose component it stands in.
    pub(crate) outer: Option<usize>,
}

/// A plain parameter of an instance.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    /// What it is, for messages: "`seed` of `trained`".
    pub(crate) what: String,
    /// How the component is called.
    pub(crate) note: String,
    /// Where its value was written.
    pub(crate) written: Span,
    /// Whose it is.
    pub(crate) instance: usize,
}

/// Something that must be of a declared type.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    /// What it is, for messages: "`rows` of `trained`".
    pub(crate) what: String,
    /// What was given.
    pub(crate) value: Expr,
    /// What is wanted; nothing, if it only has to be there.
    pub(crate) ty: Option<TypeExpr>,
    /// How the component is called; of an output, nothing.
    pub(crate) note: Option<String>,
    /// Whose argument it is.
    pub(crate) instance: Option<usize>,
}

/// An instance while files are joined.
struct Instance {
    /// Under which its nodes are known; empty for the component by itself.
    name: String,
    file: FileId,
    /// Of the component's declaration in its file.
    index: usize,
    /// Where it was called.
    caller: At,
    /// By parameter, with spans of the whole.
    arguments: HashMap<usize, Expr>,
    outer: Option<usize>,
    span: Span,
    /// The component by itself, as it was declared.
    definition: bool,
}

/// Joins files and writes out instances.
struct Linker<'w> {
    world: &'w World<'w>,
    own: FileId,
    /// The component that is looked at by itself.
    definition: Option<usize>,
    map: SourceMap,
    prefixes: Vec<Option<String>>,
    canonical: HashMap<(FileId, usize), String>,
    taken: HashSet<String>,
    /// Declarations of other files that are needed.
    needed: Vec<(FileId, usize)>,
    tables: HashMap<(FileId, usize), Rc<Table>>,
    instances: Vec<Instance>,
    by_name: HashMap<String, Option<usize>>,
    bindings: HashMap<String, Binding>,
    fits: Vec<Fit>,
    broken: Vec<Ident>,
    findings: Vec<Finding>,
    told: HashSet<(String, Span)>,
    /// Whether instances that lead nowhere were reported: each of them leads to the others.
    circle_told: bool,
    suggestions: Suggestions,
    /// What may still be written out.
    budget: expand::Budget,
}

/// Whether there is something to join in a file.
pub(crate) fn joins(file: &File) -> bool {
    file.declarations.iter().any(|declaration| match &declaration.kind {
        DeclarationKind::Component { .. } => true,
        DeclarationKind::Use { path, quoted, .. } => load::is_import(path, *quoted),
        _ => false,
    })
}

/// Joins a file with what it uses. `None`: there is nothing to join.
pub(crate) fn link(world: &World<'_>, own: FileId) -> Option<Linked> {
    joins(&world.files[own].syntax.file).then(|| Linker::new(world, own, None).whole())
}

/// Whether a file declares only what others use, and runs nothing by itself.
pub(crate) fn is_library(file: &File) -> bool {
    use DeclarationKind::*;
    let runs = |declaration: &Declaration| {
        !matches!(
            declaration.kind,
            Use { .. } | Param { .. } | Schema { .. } | Secret { .. } | Data { .. } | Component { .. }
        )
    };
    !file.declarations.iter().any(runs)
}

/// A component by itself, with its parameters as it declares them.
pub(crate) fn define(world: &World<'_>, own: FileId, component: usize) -> Option<Linked> {
    Linker::new(world, own, Some(component)).alone(component)
}

impl Linked {
    /// An instance, and those around it.
    pub(crate) fn around(&self, instance: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(instance), |at| self.instances.get(*at)?.outer)
    }
}

impl<'w> Linker<'w> {
    fn new(world: &'w World<'w>, own: FileId, definition: Option<usize>) -> Linker<'w> {
        let mut linker = Linker {
            world,
            own,
            definition,
            map: SourceMap::new(world, own),
            prefixes: prefixes(world, own),
            canonical: HashMap::new(),
            taken: HashSet::new(),
            needed: Vec::new(),
            tables: HashMap::new(),
            instances: Vec::new(),
            by_name: HashMap::new(),
            bindings: HashMap::new(),
            fits: Vec::new(),
            broken: world.files[own].syntax.broken.clone(),
            findings: Vec::new(),
            told: HashSet::new(),
            circle_told: false,
            suggestions: Suggestions::new(),
            budget: expand::Budget::default(),
        };
        if let Some(component) = definition {
            let inner: Vec<String> = linker.table(own, component).names.keys().cloned().collect();
            linker.taken.extend(inner);
        }
        linker
    }

    fn base(&self, file: FileId) -> u32 {
        self.map.base(file)
    }

    /// Reports a mistake once, however often it is met.
    fn report(&mut self, finding: Finding) {
        let span = match &finding.primary.place {
            crate::finding::Place::Source { span, .. } => *span,
            crate::finding::Place::Data { .. } => Span::default(),
        };
        if self.told.insert((finding.code.id.to_string(), span)) {
            self.findings.push(finding);
        }
    }

    /// The name under which the whole knows a declaration of a file; from now on the whole has it.
    fn need(&mut self, file: FileId, index: usize) -> String {
        let declared = self.world.declaration(file, index).and_then(declared_name).map_or("", |(name, ..)| name);
        if file == self.own && self.definition.is_none() {
            return declared.to_owned();
        }
        if let Some(name) = self.canonical.get(&(file, index)) {
            return name.clone();
        }
        let mut name = match self.prefixes.get(file).and_then(Option::as_deref) {
            None | Some("") => declared.to_owned(),
            Some(prefix) => format!("{prefix}.{declared}"),
        };
        // A name of the file that a component has too, or of two files of a folder.
        if self.taken.contains(&name) {
            let unique = (1_usize..).map(|n| format!("{name}.{n}")).find(|unique| !self.taken.contains(unique));
            name = unique.unwrap_or(name);
        }
        self.taken.insert(name.clone());
        self.canonical.insert((file, index), name.clone());
        self.needed.push((file, index));
        name
    }

    /// The declarations that are needed of files, under their names in the whole, with what these need in turn.
    fn bring(&mut self) -> Vec<Declaration> {
        let mut brought: Vec<((usize, usize), Declaration)> = Vec::new();
        while let Some((file, index)) = self.needed.pop() {
            let Some(declaration) = self.world.declaration(file, index) else { continue };
            let mut declaration = scope::shifted(declaration, self.base(file));
            if let Some(name) = self.canonical.get(&(file, index)) {
                rename(&mut declaration, name.clone());
            }
            if let DeclarationKind::Use { path, quoted: true, .. } = &mut declaration.kind {
                *path = self.rebased(file, path);
            }
            self.rewrite(&mut declaration, At::File(file));
            // A default sees the parameters above it: those of used files come first.
            let rank = self.world.order.iter().position(|id| *id == file).unwrap_or(usize::MAX);
            brought.push(((rank, index), declaration));
        }
        brought.sort_by_key(|(rank, _)| *rank);
        brought.into_iter().map(|(_, declaration)| declaration).collect()
    }

    /// A path of a file as one that starts at the folder of the checked one.
    fn rebased(&self, file: FileId, path: &str) -> String {
        let shown = |id: FileId| &*self.world.files[id].source.path;
        match file == self.own || !is_relative(path) || path.starts_with("std/") {
            true => path.to_owned(),
            false => format!("{}{path}", way(shown(self.own), shown(file))),
        }
    }

    fn facts(&self) -> Vec<InstanceFacts> {
        let outermost = |mut at: usize| {
            while let Some(outer) = self.instances[at].outer.filter(|outer| !self.instances[*outer].definition) {
                at = outer;
            }
            at
        };
        (0..self.instances.len())
            .map(|at| {
                let (instance, outermost) = (&self.instances[at], outermost(at));
                let component = self.component(instance.file, instance.index);
                InstanceFacts {
                    name: instance.name.clone(),
                    component: component.map_or_else(String::new, |component| component.name.name.clone()),
                    span: self.instances[outermost].span,
                    outer: instance.outer.filter(|outer| !self.instances[*outer].definition),
                }
            })
            .collect()
    }
}

/// Under which words the declarations of each file are known in a file that uses them.
fn prefixes(world: &World<'_>, own: FileId) -> Vec<Option<String>> {
    let mut prefixes: Vec<Option<String>> = vec![None; world.files.len()];
    let mut taken: HashSet<String> = HashSet::new();
    prefixes[own] = Some(String::new());
    let mut waiting = std::collections::VecDeque::from([own]);
    while let Some(file) = waiting.pop_front() {
        let loaded = &world.files[file];
        let mut imports: Vec<_> = loaded.imports.iter().collect();
        imports.sort_unstable_by_key(|(index, _)| **index);
        for (index, target) in imports {
            let load::Target::Files(files) = target else { continue };
            let alias = world.declaration(file, *index).and_then(declared_name).map_or("", |(alias, ..)| alias);
            let mut prefix = match prefixes[file].as_deref() {
                None | Some("") => alias.to_owned(),
                Some(outer) => format!("{outer}.{alias}"),
            };
            while !taken.insert(prefix.clone()) {
                prefix.push('.');
                prefix.push_str(alias);
            }
            for id in files {
                if prefixes[*id].is_none() {
                    prefixes[*id] = Some(prefix.clone());
                    waiting.push_back(*id);
                }
            }
        }
    }
    prefixes
}

/// Gives a declaration another name.
fn rename(declaration: &mut Declaration, name: String) {
    use DeclarationKind::*;
    match &mut declaration.kind {
        Use { alias: Some(ident), .. } => ident.name = name,
        Use { alias, path_span, .. } => *alias = Some(Ident { name, span: *path_span }),
        Param { name: ident, .. }
        | Schema { name: ident, .. }
        | Data { name: ident, .. }
        | Secret { name: ident, .. }
        | Component { name: ident, .. }
        | Step { name: ident, .. }
        | Tune { name: ident, .. }
        | Gate { name: ident, .. }
        | Model { name: ident, .. }
        | Deploy { name: ident, .. }
        | Monitor { name: ident, .. } => ident.name = name,
        Pipeline { .. } | Trigger { .. } | Test { .. } => {}
    }
}

/// Whether a name is one that no file can declare, of something that came from elsewhere.
pub(crate) fn is_joined(name: &str) -> bool {
    name.contains('.')
}

/// What the names of a kind of node may wait for.
fn is_gate(declaration: &Declaration) -> bool {
    matches!(declared_name(declaration), Some((_, Kind::Gate, _)))
}

//! Names: what each one was declared as, and which one was probably meant.
//!
//! A file has one namespace for parameters, schemas, data, steps, gates, models, modules, deployments and monitors. The first declaration of a
//! name counts; the second is a finding. What is built in cannot be declared again.

use crate::codes;
use crate::context::place;
use crate::finding::{Finding, Safety};
use crate::span::{Source, Span};
use crate::syntax::ast::{Declaration, DeclarationKind, File, Ident};
use crate::written::is_identifier;
use std::cell::Cell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `param`
    Param,
    /// `schema`
    Schema,
    /// `data`
    Data,
    /// `step`
    Step,
    /// `gate`
    Gate,
    /// `model`
    Model,
    /// `use`
    Module,
    /// `deploy`
    Deploy,
    /// `monitor`
    Monitor,
    /// `secret`
    Secret,
    /// `component`
    Component,
    /// `tune`
    Tune,
}

impl Kind {
    /// With its article, for messages.
    pub fn with_article(self) -> &'static str {
        match self {
            Kind::Param => "a parameter",
            Kind::Schema => "a schema",
            Kind::Data => "data",
            Kind::Step => "a step",
            Kind::Gate => "a gate",
            Kind::Model => "a model",
            Kind::Module => "a module",
            Kind::Deploy => "a deployment",
            Kind::Monitor => "a monitor",
            Kind::Secret => "a secret",
            Kind::Component => "a component",
            Kind::Tune => "a search",
        }
    }
}

/// A declared name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    pub(crate) kind: Kind,
    /// Index of its declaration in the file.
    pub(crate) index: usize,
    /// Where the name stands.
    pub(crate) span: Span,
}

/// Everything declared in a file.
pub(crate) struct Names<'a> {
    table: HashMap<&'a str, Declared>,
    /// In the order written, for suggestions that do not depend on hashing.
    order: Vec<(&'a str, Kind)>,
    /// Names whose declarations the parser could not understand, which it reported: they fit everywhere.
    broken: HashSet<&'a str>,
    suggestions: Suggestions,
}

/// Names of functions and sources, and of types: not to be declared.
pub(crate) const FUNCTIONS: &[&str] = &[
    "rows",
    "missing",
    "unique",
    "distinct",
    "min",
    "max",
    "mean",
    "fresh",
    "abs",
    "round",
    "sqrt",
    "log",
    "exp",
    "mod",
    "disparity",
    "lowest",
    "highest",
];
const SOURCES: &[&str] = &["csv", "parquet", "json_lines"];
const LATER: &[&str] = &["sql", "docker", "process", "registry", "policy", "secret"];
/// Types that stand by their name alone.
pub(crate) const SCALARS: &[&str] = &["bool", "int", "float", "fraction", "duration", "size", "date", "time", "string"];
const CONTAINERS: &[&str] = &["list", "map", "range", "dataset", "model", "metrics"];

/// Words that stand bare where a parameter could stand: numbers about a deployment, `when exists`, `until: now`.
const LIVE_WORDS: &[&str] = &["error_rate", "requests", "exists", "now"];

/// Whether the language itself gives this name a meaning.
pub fn is_built_in(name: &str, kind: Kind) -> bool {
    static TAKEN: LazyLock<HashSet<&str>> =
        LazyLock::new(|| [FUNCTIONS, SOURCES, LATER, SCALARS, CONTAINERS].into_iter().flatten().copied().collect());
    TAKEN.contains(name)
        || kind == Kind::Param && LIVE_WORDS.contains(&name)
        // `registry("demand@latest")` would have two meanings.
        || kind == Kind::Deploy && name == "latest"
}

impl<'a> Names<'a> {
    /// Reads the declarations of a file. Duplicates and reserved names become findings.
    pub(crate) fn collect(
        source: &Source,
        file: &'a File,
        broken: &'a [Ident],
        findings: &mut Vec<Finding>,
    ) -> Names<'a> {
        let mut names = Names {
            table: HashMap::with_capacity(file.declarations.len()),
            order: Vec::with_capacity(file.declarations.len()),
            broken: broken.iter().map(|ident| ident.name.as_str()).collect(),
            suggestions: Suggestions::new(),
        };
        for (index, declaration) in file.declarations.iter().enumerate() {
            let Some((name, kind, span)) = declared_name(declaration) else { continue };
            if is_built_in(name, kind) {
                findings.push(
                    Finding::error(
                        codes::RESERVED_NAME,
                        place(source, span),
                        format!("`{name}` is built in and cannot be declared again"),
                    )
                    .label("this name is taken")
                    .help("choose another name"),
                );
            }
            match names.table.entry(name) {
                Entry::Vacant(vacant) => {
                    vacant.insert(Declared { kind, index, span });
                    names.order.push((name, kind));
                }
                Entry::Occupied(first) => {
                    let first = first.get();
                    findings.push(
                        Finding::error(
                            codes::DUPLICATE_DECLARATION,
                            place(source, span),
                            format!("`{name}` is declared twice"),
                        )
                        .label(format!("{} with the same name", kind.with_article()))
                        .also(place(source, first.span), format!("first declared here, as {}", first.kind.with_article()))
                        .help(
                            "parameters, schemas, data, steps, gates, models, modules, deployments and monitors share one \
                             namespace: rename one",
                        ),
                    );
                }
            }
        }
        names
    }

    /// The names of a file together with those that it uses: what is suggested are the names of the file alone.
    pub(crate) fn joined(source: &Source, file: &'a File, broken: &'a [Ident], own: &Names<'a>) -> Names<'a> {
        let mut names = Names::collect(source, file, broken, &mut Vec::new());
        names.order.clone_from(&own.order);
        names
    }

    /// What `name` was declared as.
    pub(crate) fn get(&self, name: &str) -> Option<Declared> {
        self.table.get(name).copied()
    }

    /// Whether the name's declaration could not be understood: what refers to it is poison, not a mistake.
    pub(crate) fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name) && !self.table.contains_key(name)
    }

    /// Whether the declaration at `index` is the one its name stands for (not a duplicate).
    pub(crate) fn owns(&self, name: &str, index: usize) -> bool {
        self.table.get(name).is_some_and(|declared| declared.index == index)
    }

    /// Declared names of the kinds wanted, in the order written.
    pub(crate) fn of_kind(&self, wanted: impl Fn(Kind) -> bool) -> impl Iterator<Item = &'a str> {
        self.order.iter().filter(move |(_, kind)| wanted(*kind)).map(|(name, _)| *name)
    }

    /// The candidate most like `name`, if one is like it at all.
    pub(crate) fn nearest<'c>(&self, name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
        self.suggestions.nearest(name, candidates)
    }
}

/// The name a declaration gives, if it gives one that can be referred to.
pub(crate) fn declared_name(declaration: &Declaration) -> Option<(&str, Kind, Span)> {
    let (name, kind) = match &declaration.kind {
        DeclarationKind::Pipeline { .. } | DeclarationKind::Trigger { .. } | DeclarationKind::Test { .. } => {
            return None;
        }
        DeclarationKind::Secret { name, .. } => (name, Kind::Secret),
        DeclarationKind::Component { name, .. } => (name, Kind::Component),
        DeclarationKind::Tune { name, .. } => (name, Kind::Tune),
        DeclarationKind::Use { alias: Some(alias), .. } => (alias, Kind::Module),
        DeclarationKind::Use { path, path_span, quoted, alias: None } => {
            return default_alias(path, *quoted).map(|name| (name, Kind::Module, *path_span));
        }
        DeclarationKind::Param { name, .. } => (name, Kind::Param),
        DeclarationKind::Schema { name, .. } => (name, Kind::Schema),
        DeclarationKind::Data { name, .. } => (name, Kind::Data),
        DeclarationKind::Step { name, .. } => (name, Kind::Step),
        DeclarationKind::Gate { name, .. } => (name, Kind::Gate),
        DeclarationKind::Model { name, .. } => (name, Kind::Model),
        DeclarationKind::Deploy { name, .. } => (name, Kind::Deploy),
        DeclarationKind::Monitor { name, .. } => (name, Kind::Monitor),
    };
    Some((&name.name, kind, name.span))
}

/// `use std/tabular` binds `tabular`. A file must be given a name.
fn default_alias(path: &str, quoted: bool) -> Option<&str> {
    if quoted {
        return None;
    }
    path.rsplit('/').next().filter(|last| is_identifier(last))
}

/// How many letters of candidates are compared in one check: suggestions must not make a hopeless file slow.
const BUDGET: usize = 1_000_000;

/// The candidate most like `name`, if one is like it at all.
pub(crate) fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    Suggestions::new().nearest(name, candidates)
}

/// Finds names that are alike, until it has looked at enough.
pub(crate) struct Suggestions {
    left: Cell<usize>,
}

impl Suggestions {
    pub(crate) fn new() -> Suggestions {
        Suggestions { left: Cell::new(BUDGET) }
    }

    pub(crate) fn nearest<'c>(&self, name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
        let length = name.chars().count();
        // One letter is like every other letter.
        let allowed = if length < 2 { 0 } else { (length / 3).clamp(1, 4) };
        let mut best: Option<(usize, &str)> = None;
        for candidate in candidates {
            let spent = self.left.get();
            if spent == 0 || length > 200 {
                return best.map(|(_, name)| name);
            }
            self.left.set(spent.saturating_sub(candidate.len() + 8));
            if candidate.len().abs_diff(name.len()) > allowed + 3 {
                continue;
            }
            let distance =
                if candidate.eq_ignore_ascii_case(name) { 0 } else { strsim::damerau_levenshtein(name, candidate) };
            if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, candidate));
            }
        }
        best.map(|(_, name)| name)
    }
}

/// Adds "did you mean" with its fix, or `otherwise` as help when nothing is near.
pub(crate) fn suggest(finding: Finding, span: Span, near: Option<&str>, otherwise: impl FnOnce() -> String) -> Finding {
    match near {
        Some(name) => {
            finding.help(format!("did you mean `{name}`?")).fix(format!("write `{name}`"), span, name, Safety::Unsafe)
        }
        None => finding.help(otherwise()),
    }
}

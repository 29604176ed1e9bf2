//! What a check found out about a file, kept for those who ask questions about it: editors, and whoever documents it.
//!
//! Owns: nothing of the checking itself; [`analyze`] says the same as [`inspect`](crate::check::inspect), and tells besides
//! what each name was declared as, which values parameters have, and what each node gives. All of it is there for broken
//! files too, as far as it could be understood. [`analyze_again`] says the same after an edit, sooner.

pub use crate::context::{NodeFacts, Trained};
pub use crate::names::{Kind, is_built_in};
pub use crate::syntax::Syntax;
pub use crate::written::{column as written_column, quoted as written_text};

use crate::check::{Purpose, Question, check_and};
use crate::context::Context;
use crate::finding::Finding;
use crate::kept::Kept;
use crate::names::declared_name;
use crate::signature::{ModuleSignature, Modules, ParamType};
use crate::span::{Source, Span};
use crate::syntax::Incremental;
use crate::types::{Schema, Type};
use crate::value::Value;
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::Arc;

/// A file with everything that is known about it.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// What was analysed.
    pub source: Source,
    /// As of [`inspect`](crate::check::inspect).
    pub findings: Vec<Finding>,
    /// Whether [`inspect`](crate::check::inspect) makes a pipeline of it.
    pub compiles: bool,
    /// What the checker knew at its end.
    pub facts: Facts,
    parsed: Incremental,
    kept: Kept,
}

impl Analysis {
    /// The tree. Its findings are among [`Analysis::findings`] too.
    pub fn syntax(&self) -> &Syntax {
        self.parsed.syntax()
    }
}

/// What the checker knew at its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Every declared name in the order written, each with its first declaration.
    pub names: IndexMap<String, Named>,
    /// What each module that could be loaded offers, by the name it goes by.
    pub modules: HashMap<String, Arc<ModuleSignature>>,
    /// Modules that need no path.
    pub known_modules: Vec<String>,
    /// Type and value of each parameter; the value is absent when it is not known.
    pub params: HashMap<String, (Type, Option<Value>)>,
    /// Schemas by name, those that could be understood whole.
    pub schemas: HashMap<String, Arc<Schema>>,
    /// What each node gives, by its name. Absent: poison.
    pub nodes: HashMap<String, Arc<NodeFacts>>,
}

/// A declared name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// What it stands for.
    pub kind: Kind,
    /// Index of its declaration in the tree.
    pub index: usize,
    /// Where the name stands: of a module without an alias, its path.
    pub span: Span,
}

/// Checks a file as it stands, as [`inspect`](crate::check::inspect) does, and keeps what was found out.
pub fn analyze(source: &Source, modules: &dyn Modules) -> Analysis {
    analyze_again(None, source, modules)
}

/// Checks a file after an edit: says what [`analyze`] says of the same text, whatever the text before was. What the edit does
/// not reach is neither parsed nor checked again.
pub fn analyze_again(before: Option<Analysis>, source: &Source, modules: &dyn Modules) -> Analysis {
    let (mut parsed, mut kept, known) =
        before.map(|before| (before.parsed, before.kept, before.facts)).unwrap_or_default();
    let edit = parsed.edit(source);
    kept.edit(source, &parsed, edit);
    let none = IndexMap::new();
    let question = Question { modules, overrides: &none, purpose: Purpose::Inspection };
    let (checked, facts) = check_and(source, parsed.syntax(), question, &mut kept, |cx| facts(cx, known));
    Analysis { source: source.clone(), findings: checked.findings, compiles: checked.whole, facts, parsed, kept }
}

/// How a setting's type is written for people: `column of rows`, `fraction?`.
pub fn written_type(ty: &ParamType) -> String {
    crate::lower::written_type(ty)
}

/// What the checker knows, told in place of what it knew before: most of it is the same.
fn facts(cx: &Context<'_>, mut facts: Facts) -> Facts {
    facts.known_modules.clone_from(&cx.known_modules);
    let own = cx.own.file.declarations.iter().enumerate().filter_map(|(index, declaration)| {
        let (name, kind, span) = declared_name(declaration)?;
        cx.own_names().owns(name, index).then_some((name, Named { kind, index, span }))
    });
    let own: Vec<(&str, Named)> = own.collect();
    if own.len() == facts.names.len() && own.iter().zip(facts.names.keys()).all(|((name, _), known)| name == known) {
        facts.names.values_mut().zip(own).for_each(|(known, (_, named))| *known = named);
    } else {
        facts.names = own.into_iter().map(|(name, named)| (name.to_owned(), named)).collect();
    }
    let whole = || {
        cx.file.declarations.iter().enumerate().filter_map(|(index, declaration)| {
            let (name, ..) = declared_name(declaration)?;
            Some((index, name)).filter(|_| cx.modules.contains_key(&index) || cx.nodes.contains_key(&index))
        })
    };
    let owned = || whole().filter(|(index, name)| cx.names.owns(name, *index));
    let modules = owned().filter_map(|(index, name)| Some((name, cx.modules.get(&index)?.as_ref()?.signature.clone())));
    facts.modules = modules.map(|(name, module)| (name.to_owned(), module)).collect();
    renew(&mut facts.nodes, || owned().filter_map(|(index, name)| Some((name, cx.nodes.get(&index)?))), Arc::clone);
    let params = || cx.params.iter().map(|(name, known)| (*name, known));
    renew(&mut facts.params, params, |known| (known.ty.clone(), known.value.clone()));
    renew(&mut facts.schemas, || cx.schemas.iter().map(|(name, schema)| (*name, schema)), Arc::clone);
    facts
}

/// Gives a table other entries: in place, if it has the same keys.
fn renew<'n, T: 'n, V, I: Iterator<Item = (&'n str, &'n T)>>(
    table: &mut HashMap<String, V>,
    entries: impl Fn() -> I,
    value: impl Fn(&T) -> V,
) {
    let mut count = 0;
    let same = entries().all(|(name, now)| {
        count += 1;
        table.get_mut(name).map(|known| *known = value(now)).is_some()
    });
    if !same || count != table.len() {
        *table = entries().map(|(name, now)| (name.to_owned(), value(now))).collect();
    }
}

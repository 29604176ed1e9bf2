//! What a check found out about a file, kept for those who ask questions about it: editors, and whoever documents it.
//!
//! Owns: nothing of the checking itself; [`analyze`] says the same as [`inspect`](crate::check::inspect), and tells besides
//! what each name was declared as, which values parameters have, and what each node gives. All of it is there for broken
//! files too, as far as it could be understood.

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
    let (mut parsed, mut kept) = before.map(|before| (before.parsed, before.kept)).unwrap_or_default();
    let edit = parsed.edit(source);
    kept.edit(source, &parsed, edit);
    let none = IndexMap::new();
    let question = Question { modules, overrides: &none, purpose: Purpose::Inspection };
    let (checked, facts) = check_and(source, parsed.syntax(), question, &mut kept, facts);
    Analysis { source: source.clone(), findings: checked.findings, compiles: checked.whole, facts, parsed, kept }
}

/// How a setting's type is written for people: `column of rows`, `fraction?`.
pub fn written_type(ty: &ParamType) -> String {
    crate::lower::written_type(ty)
}

fn facts(cx: &Context<'_>) -> Facts {
    let mut facts = Facts { known_modules: cx.known_modules.clone(), ..Facts::default() };
    for (index, declaration) in cx.own.file.declarations.iter().enumerate() {
        let Some((name, kind, span)) = declared_name(declaration) else { continue };
        if cx.own_names().owns(name, index) {
            facts.names.insert(name.to_owned(), Named { kind, index, span });
        }
    }
    for (index, declaration) in cx.file.declarations.iter().enumerate() {
        let Some((name, ..)) = declared_name(declaration) else { continue };
        if !cx.names.owns(name, index) {
            continue;
        }
        if let Some(Some(module)) = cx.modules.get(&index) {
            facts.modules.insert(name.to_owned(), module.signature.clone());
        }
        if let Some(node) = cx.nodes.get(&index) {
            facts.nodes.insert(name.to_owned(), node.clone());
        }
    }
    facts.params =
        cx.params.iter().map(|(name, known)| ((*name).to_owned(), (known.ty.clone(), known.value.clone()))).collect();
    facts.schemas = cx.schemas.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    facts
}

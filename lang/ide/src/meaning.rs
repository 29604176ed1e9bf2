//! What each word stands for.

use crate::builtin;
use crate::outline::{GroupKind, Part, TokKind};
use crate::view::{Callee, Declared, View};
use crate::wanted::{Site, Wanted};
use mlp_lang::types::{Schema, Type};
use std::sync::Arc;

/// What a word stands for, the same wherever it is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Symbol {
    /// A name that a document declares.
    Named { path: Arc<str>, name: Arc<str> },
    /// A name that holds within one declaration: a member or a parameter of a component, the variable of a `for`.
    Local { path: Arc<str>, declaration: u32, name: Arc<str> },
    /// A column of a declared schema.
    Column { path: Arc<str>, schema: Arc<str>, name: Arc<str> },
    /// An output of a node, and a metric in one.
    Output { path: Arc<str>, node: Arc<str>, output: Arc<str>, metric: Option<Arc<str>> },
    /// A step of a module.
    Step { module: Arc<str>, step: Arc<str> },
    /// An input or a setting of a step of a module.
    Argument { module: Arc<str>, step: Arc<str>, name: Arc<str> },
}

/// What a word is, for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Keyword,
    Function,
    Type,
    Schema,
    Module,
    Param,
    Node,
    Column,
    Output,
    Argument,
    Setting,
    Choice,
    /// A name that nothing is known about.
    Unknown,
}

/// A word with its meaning.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    pub(crate) role: Role,
    pub(crate) symbol: Option<Symbol>,
    /// Whether it is declared here.
    pub(crate) declares: bool,
}

impl Meaning {
    fn of(role: Role) -> Option<Meaning> {
        Some(Meaning { role, symbol: None, declares: false })
    }

    fn refers(role: Role, symbol: Symbol) -> Option<Meaning> {
        Some(Meaning { role, symbol: Some(symbol), declares: false })
    }
}

impl View<'_> {
    /// What a token stands for. `None`: it is no word, and no name in quotes.
    pub(crate) fn meaning(&self, tok: usize) -> Option<Meaning> {
        match self.kind(tok)? {
            TokKind::Word => self.meaning_of_word(tok),
            TokKind::Text => self.meaning_of_text(tok),
            _ => None,
        }
    }

    /// What every token stands for.
    pub(crate) fn meanings(&self) -> &[Option<Meaning>] {
        self.looked.meanings.get_or_init(|| (0..self.outline().toks.len()).map(|tok| self.meaning(tok)).collect())
    }

    fn path(&self) -> Arc<str> {
        self.document.path().clone()
    }

    fn named(&self, name: &str) -> Symbol {
        Symbol::Named { path: self.path(), name: name.into() }
    }

    /// A column's name in quotes.
    fn meaning_of_text(&self, tok: usize) -> Option<Meaning> {
        let site = self.site(tok)?;
        let part = self.outline().part(tok)?;
        let name = unquoted(self.word(tok))?;
        let is_field = self.block(site.group) == "schema"
            && self.outline().groups.get(site.group)?.kind == GroupKind::Block
            && part.first == tok;
        if is_field {
            return self.field(site.group, name);
        }
        match self.wanted(site) {
            Wanted::Columns(Some(schema)) | Wanted::Expectation(Some(schema)) => self.column(&schema, name),
            _ => None,
        }
    }

    /// A column where it is declared.
    fn field(&self, group: usize, name: &str) -> Option<Meaning> {
        let declaration = self.outline().part_around(group)?;
        let schema = self.declared_by(declaration)?;
        let schema = self.word(schema.name).into();
        let symbol = Symbol::Column { path: self.path(), schema, name: name.into() };
        Some(Meaning { role: Role::Column, symbol: Some(symbol), declares: true })
    }

    /// A column of a table, if it has one of this name.
    fn column(&self, schema: &Schema, name: &str) -> Option<Meaning> {
        let column = schema.column(name)?;
        let symbol = schema.name.as_ref().and_then(|schema| {
            let (path, schema) = self.schema_place(schema)?;
            Some(Symbol::Column { path, schema, name: column.name.as_str().into() })
        });
        Some(Meaning { role: Role::Column, symbol, declares: false })
    }

    /// The document that declares a schema, and its name there.
    fn schema_place(&self, schema: &str) -> Option<(Arc<str>, Arc<str>)> {
        if self.declared(schema).is_some() {
            return Some((self.path(), schema.into()));
        }
        let (alias, name) = schema.split_once('.').unwrap_or(("", schema));
        let documents = self.imported(alias);
        let document = documents
            .into_iter()
            .find(|document| self.workspace.view(document.path()).is_some_and(|view| view.declared(name).is_some()))?;
        Some((document.path().clone(), name.into()))
    }

    fn meaning_of_word(&self, tok: usize) -> Option<Meaning> {
        let site = self.site(tok)?;
        let part = self.outline().part(tok)?;
        let word = self.word(tok);
        let before = tok.checked_sub(1).map_or("", |before| self.word(before));
        if before == "." && tok >= 2 {
            return self.member(tok);
        }
        let kind = self.outline().groups.get(site.group)?.kind;
        if matches!(kind, GroupKind::File | GroupKind::Block) {
            if let Some(found) = self.declaring(tok, site, part, kind) {
                return found;
            }
        } else if part.name == Some(tok) {
            return self.argument_name(tok, site, kind);
        }
        if builtin::RESERVED.contains(&word) || site.clause == Some(tok) {
            return Meaning::of(Role::Keyword);
        }
        self.value(tok, site)
    }

    /// Words of headers and the first words of members. `None`: it is a value, or part of one.
    fn declaring(&self, tok: usize, site: Site, part: Part, kind: GroupKind) -> Option<Option<Meaning>> {
        let word = self.word(tok);
        let after = self.word(tok + 1);
        if self.declares(site.group) {
            let declared = self.declared_by(part);
            if tok == part.first {
                return Some(Meaning::of(Role::Keyword));
            }
            if let Some(declared) = declared.filter(|declared| declared.name == tok) {
                return Some(self.declaration(site, declared));
            }
            let clause = site.clause.map_or("", |clause| self.word(clause));
            let marker = |at: usize| self.outline().toks.get(at + 1).is_none_or(|next| next.clause == Some(at));
            return match (self.head(part), clause) {
                ("use", "use") if word == "as" => Some(Meaning::of(Role::Keyword)),
                ("use", _) => Some(Meaning::of(Role::Module)),
                ("on", _) if builtin::EVENTS.iter().any(|event| event.word == word) || word == "of" => {
                    Some(Meaning::of(Role::Keyword))
                }
                ("step", "for") if word != "in" => {
                    Some(Some(Meaning { role: Role::Param, symbol: self.local(tok, word), declares: true }))
                }
                _ if MARKED.contains(&word) && (marker(tok) || word == "end") => Some(Meaning::of(Role::Keyword)),
                _ => None,
            };
        }
        if kind != GroupKind::Block {
            return None;
        }
        let block = self.block(site.group);
        let marker = self
            .outline()
            .toks
            .get(tok + 1)
            .is_some_and(|next| next.clause == Some(tok) && next.group == site.group && next.part == site.part);
        if tok == part.first {
            return match (block, after) {
                ("schema", _) => Some(self.field(site.group, word)),
                ("tune", "in") => Some(self.tuned(site.group, word)),
                (_, "=") => Some(Meaning::of(Role::Setting)),
                _ => builtin::members(block).iter().find(|member| member.word == word).map(|member| {
                    let number = member.insert.contains("<=") || member.insert.contains(">=");
                    let measured = block == "check" && number && word != "check";
                    Meaning::of(if measured { Role::Function } else { Role::Keyword })
                }),
            };
        }
        let last = tok + 1 == part.end;
        if MARKED.contains(&word) && (marker || last && word != "in") {
            return Some(Meaning::of(Role::Keyword));
        }
        let keyword = match (block, self.word(part.first)) {
            ("schema", _) => matches!(word, "unique" | "label"),
            ("gate", "require") => site.clause.is_some_and(|clause| self.word(clause) == "unless"),
            ("monitor", "on") => matches!(word, "breach" | "windows" | "window"),
            ("test", "expect") => matches!(word, "fails" | "passes" | "skipped") && last,
            ("check", "tolerate") => true,
            ("canary", _) => word == "promoted",
            ("breach", "alert") => matches!(word, "webhook" | "slack"),
            ("check", _) => word == "when",
            _ => false,
        };
        keyword.then(|| Meaning::of(Role::Keyword))
    }

    /// The name of a declaration, where it is declared.
    fn declaration(&self, site: Site, declared: Declared) -> Option<Meaning> {
        let name = self.word(declared.name);
        let role = self.role(declared);
        let keyword = self.word(declared.keyword);
        let symbol = match self.outline().groups.get(site.group)?.kind {
            GroupKind::File if keyword == "pipeline" => None,
            GroupKind::File => Some(self.named(name)),
            _ => self.local(declared.name, name),
        };
        let declares = keyword != "use" || self.word(declared.name.saturating_sub(1)) == "as";
        Some(Meaning { role, symbol, declares })
    }

    fn local(&self, tok: usize, name: &str) -> Option<Symbol> {
        let site = self.site(tok)?;
        let (declaration, _) = self.outline().declaration(site.group, site.part)?;
        Some(Symbol::Local { path: self.path(), declaration: declaration as u32, name: name.into() })
    }

    /// How a declared name is coloured.
    pub(crate) fn role(&self, declared: Declared) -> Role {
        match self.word(declared.keyword) {
            "param" | "secret" => Role::Param,
            "schema" => Role::Schema,
            "use" => Role::Module,
            "component" => Role::Function,
            "output" => Role::Output,
            _ => Role::Node,
        }
    }

    /// A setting of the step that a search is over.
    fn tuned(&self, group: usize, word: &str) -> Option<Meaning> {
        let search = self.outline().part_around(group).and_then(|part| self.declared_by(part));
        match search.and_then(|search| self.tuned_step(search)).and_then(|step| self.body_of(step)) {
            Some(Callee::Step(module, step)) => {
                let (module, step) = (module.name.as_str().into(), step.name.as_str().into());
                Meaning::refers(Role::Argument, Symbol::Argument { module, step, name: word.into() })
            }
            _ => Meaning::of(Role::Argument),
        }
    }

    /// `name` of `name: value`.
    fn argument_name(&self, tok: usize, site: Site, kind: GroupKind) -> Option<Meaning> {
        if kind == GroupKind::Map {
            if self.outline().owner(self.text(), site.group) == "with" {
                return Some(Meaning { role: Role::Param, symbol: self.local(tok, self.word(tok)), declares: true });
            }
            return Meaning::of(Role::Setting);
        }
        let name = self.word(tok);
        let owner = self.outline().callee(self.text(), site.group).map(|(first, _)| first);
        if let Some(first) = owner
            && first > 0
            && self.word(first - 1) == "component"
        {
            return Some(Meaning { role: Role::Param, symbol: self.local(tok, name), declares: true });
        }
        match self.callee(site.group) {
            Callee::Step(module, step) => {
                let (module, step) = (module.name.as_str().into(), step.name.as_str().into());
                Meaning::refers(Role::Argument, Symbol::Argument { module, step, name: name.into() })
            }
            Callee::Component(component) => {
                let (declaration, _) = self.outline().declaration(0, self.outline().toks.get(component.name)?.part)?;
                let symbol = Symbol::Local { path: self.path(), declaration: declaration as u32, name: name.into() };
                Meaning::refers(Role::Argument, symbol)
            }
            Callee::Word("retrain" | "run") if self.declared(name).is_some() => {
                Meaning::refers(Role::Param, self.named(name))
            }
            _ => Meaning::of(Role::Argument),
        }
    }

    /// A word in an expression, or where a name is wanted.
    fn value(&self, tok: usize, site: Site) -> Option<Meaning> {
        let word = self.word(tok);
        let calls = self.word(tok + 1) == "(";
        let wanted = self.wanted(site);
        match &wanted {
            Wanted::Columns(Some(schema)) | Wanted::Expectation(Some(schema)) if !calls => {
                if let Some(column) = self.column(schema, word) {
                    return Some(column);
                }
            }
            Wanted::Columns(None) if self.lookup(site.group, word).is_none() => return Meaning::of(Role::Column),
            Wanted::Words(words) if words.iter().any(|known| known.word == word) => {
                return Meaning::of(if calls { Role::Function } else { Role::Choice });
            }
            Wanted::Type { .. } | Wanted::Schema => return self.type_name(site, word),
            _ => {}
        }
        if let Some(found) = self.name(site, word) {
            return Some(found);
        }
        let known = |words: &[builtin::Word]| words.iter().any(|known| known.word == word);
        match word {
            _ if calls => Meaning::of(Role::Function),
            "rows" if matches!(wanted, Wanted::Expectation(_)) => Meaning::of(Role::Function),
            "error_rate" | "requests" | "latency" => Meaning::of(Role::Function),
            "exists" | "now" | "first" => Meaning::of(Role::Keyword),
            _ if known(builtin::SCALARS) || known(builtin::GENERICS) => Meaning::of(Role::Type),
            _ if known(builtin::BODIES) => Meaning::of(Role::Function),
            "retrain" | "rollback" | "run" | "replace" => Meaning::of(Role::Keyword),
            _ => Meaning::of(Role::Unknown),
        }
    }

    /// A type's name, or a schema's.
    fn type_name(&self, site: Site, word: &str) -> Option<Meaning> {
        let known = |words: &[builtin::Word]| words.iter().any(|known| known.word == word);
        match self.declared(word) {
            Some(declared) => Meaning::refers(self.role(declared), self.named(word)),
            None if known(builtin::SCALARS) || known(builtin::GENERICS) => Meaning::of(Role::Type),
            None if self.block(site.group) == "schema" && matches!(word, "unique" | "label") => {
                Meaning::of(Role::Keyword)
            }
            None => Meaning::of(Role::Unknown),
        }
    }

    /// A name that something declares: the variable of a `for`, a parameter or a member of the component, the file.
    fn name(&self, site: Site, word: &str) -> Option<Meaning> {
        let (at, declaration) = self.outline().declaration(site.group, site.part)?;
        let local = |role: Role| {
            Meaning::refers(role, Symbol::Local { path: self.path(), declaration: at as u32, name: word.into() })
        };
        if self.head(declaration) == "step"
            && (self.loop_variable(declaration) == Some(word) || self.given_with(declaration, word).is_some())
        {
            return local(Role::Param);
        }
        if self.head(declaration) == "component" {
            let parameters = self.parameters_of(declaration);
            let parts = parameters.and_then(|group| self.outline().groups.get(group)).map(|group| &group.parts);
            if parts.into_iter().flatten().any(|part| part.name.is_some_and(|name| self.word(name) == word)) {
                return local(Role::Param);
            }
            if let Some(block) = self.component_around(site.group)
                && let Some(member) = self.declared_in(block).get(word)
            {
                return local(self.role(*member));
            }
        }
        let declared = self.declared(word)?;
        Meaning::refers(self.role(declared), self.named(word))
    }

    /// `x` of `for x in list`.
    fn loop_variable(&self, declaration: Part) -> Option<&str> {
        let toks = &self.outline().toks;
        let marker = (declaration.first..declaration.end)
            .find(|at| toks.get(*at).is_some_and(|tok| tok.group == 0) && self.word(*at) == "for")?;
        (self.kind(marker + 1) == Some(TokKind::Word)).then(|| self.word(marker + 1))
    }

    /// The key of an entry of `with`: the name holds within the step.
    fn given_with(&self, declaration: Part, word: &str) -> Option<usize> {
        let groups = &self.outline().groups;
        let members = &groups.get(self.block_of(declaration)?)?.parts;
        let with = members.iter().find(|member| self.head(**member) == "with")?;
        let entries = &groups.get(self.block_of(*with)?)?.parts;
        entries.iter().filter_map(|entry| entry.name).find(|name| self.word(*name) == word)
    }

    /// What stands behind a dot.
    fn member(&self, tok: usize) -> Option<Meaning> {
        let first = self.outline().path_start(self.text(), tok);
        let site = self.site(first)?;
        let (root, member) = (self.word(first), self.word(tok));
        let Some(declared) = self.lookup(site.group, root) else { return Meaning::of(Role::Unknown) };
        if self.word(declared.keyword) == "use" {
            return self.of_module(root, first, tok);
        }
        let outputs = self.outputs(declared);
        let node: Arc<str> = root.into();
        // `search.best` says the same as `search`, and the output stands behind it.
        let best = self.word(declared.keyword) == "tune" && self.word(first + 2) == "best";
        if best && tok == first + 2 {
            return Meaning::of(Role::Output);
        }
        let first = if best { first + 2 } else { first };
        let output = |output: &str, metric: Option<&str>| {
            let (path, node) = (self.path(), node.clone());
            Meaning::refers(
                Role::Output,
                Symbol::Output { path, node, output: output.into(), metric: metric.map(Into::into) },
            )
        };
        let inside = |ty: &Type| matches!(ty, Type::Metrics(fields) if fields.iter().any(|field| field.name == member));
        if tok == first + 2 {
            if outputs.contains_key(member) {
                // An output of an instance is declared in the component.
                if let Some(Callee::Component(component)) = self.body_of(declared) {
                    let declaration = self.outline().toks.get(component.name)?.part as u32;
                    let symbol = Symbol::Local { path: self.path(), declaration, name: member.into() };
                    return Meaning::refers(Role::Output, symbol);
                }
                return output(member, None);
            }
            if let Some((name, _)) = outputs.iter().find(|(_, ty)| inside(ty)) {
                return output(name, Some(member));
            }
            return Meaning::of(Role::Unknown);
        }
        let given = self.word(first + 2);
        match outputs.get(given) {
            Some(ty) if inside(ty) => output(given, Some(member)),
            _ => Meaning::of(Role::Unknown),
        }
    }

    /// A step of a module, or what another file declares.
    fn of_module(&self, alias: &str, first: usize, tok: usize) -> Option<Meaning> {
        let member = self.word(tok);
        if tok != first + 2 {
            return Meaning::of(Role::Output);
        }
        if let Some(module) = self.facts().modules.get(alias)
            && let Some(step) = module.step(member)
        {
            let symbol = Symbol::Step { module: module.name.as_str().into(), step: step.name.as_str().into() };
            return Meaning::refers(Role::Function, symbol);
        }
        for document in self.imported(alias) {
            let Some(view) = self.workspace.view(document.path()) else { continue };
            if let Some(declared) = view.declared(member) {
                let symbol = Symbol::Named { path: document.path().clone(), name: member.into() };
                return Meaning::refers(view.role(declared), symbol);
            }
        }
        Meaning::of(if self.word(tok + 1) == "(" { Role::Function } else { Role::Unknown })
    }
}

/// Words that begin a clause.
const MARKED: &[&str] = &[
    "when",
    "after",
    "for",
    "in",
    "of",
    "as",
    "because",
    "unless",
    "min_support",
    "every",
    "over",
    "within",
    "fails",
    "until",
    "by",
    "breach",
];

/// A string's text, if it has no escapes.
pub(crate) fn unquoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then_some(inner)
}

//! What each word stands for, and what is wanted at each place.

use crate::builtin;
use crate::outline::{GroupKind, TokKind};
use crate::view::{Callee, Declared, Target, View};
use mlp_lang::signature::{InputKind, ParamType};
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

/// A place: in which part of which group, and behind which marker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) group: usize,
    pub(crate) part: usize,
    pub(crate) clause: Option<usize>,
}

/// What is wanted at a place.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// Columns of this table. `None`: it is not known.
    Columns(Option<Arc<Schema>>),
    /// A condition on this table: its columns, statistics, parameters.
    Expectation(Option<Arc<Schema>>),
    /// Data, or an output of this kind.
    Input(InputKind),
    /// A value of this type.
    Value(Type),
    /// A setting of a step that is no column.
    Setting(ParamType),
    /// A condition on metrics.
    Metric,
    /// What a monitor watches, or measures against.
    Watch,
    /// A number about a deployment.
    Service,
    /// Names declared by these keywords.
    Names(&'static [&'static str]),
    /// One of these words.
    Words(&'static [builtin::Word]),
    /// What a step runs.
    Body,
    /// A type: of a column, or of a value.
    Type { column: bool },
    /// A schema's name.
    Schema,
    /// A module's path.
    Module,
    /// Anything that is known before the run.
    Any,
    /// Nothing that could be told.
    Nothing,
}

const STEPS_AND_GATES: &[&str] = &["gate", "step"];
const LATENCY: &[builtin::Word] =
    &[builtin::Word { word: "latency", insert: "latency", doc: "From a request's arrival to its answer." }];
const FIRST: &[builtin::Word] =
    &[builtin::Word { word: "first", insert: "first", doc: "Nothing is registered yet to compare with." }];
const PROMOTED: &[builtin::Word] =
    &[builtin::Word { word: "promoted", insert: "promoted", doc: "A person said `mlp deploy promote`." }];
const STICKY: &[builtin::Word] = &[
    builtin::Word { word: "header", insert: "header(\"$0\")", doc: "A header of the request." },
    builtin::Word { word: "column", insert: "column($0)", doc: "A column of the request's first row." },
];

impl View<'_> {
    /// Where a token stands.
    pub(crate) fn site(&self, tok: usize) -> Option<Site> {
        self.outline().toks.get(tok).map(|tok| Site { group: tok.group, part: tok.part, clause: tok.clause })
    }

    /// What is wanted at a place.
    pub(crate) fn wanted(&self, site: Site) -> Wanted {
        let mut site = site;
        loop {
            let Some(group) = self.outline().groups.get(site.group) else { return Wanted::Nothing };
            match group.kind {
                GroupKind::List | GroupKind::Round => {
                    let Some(outer) = self.site(group.open) else { return Wanted::Nothing };
                    site = outer;
                }
                GroupKind::Call => return self.wanted_by_call(site),
                GroupKind::Map => return self.wanted_in_map(site),
                GroupKind::Quote => return Wanted::Nothing,
                GroupKind::Hole => return Wanted::Any,
                GroupKind::File | GroupKind::Block => return self.wanted_in_member(site),
            }
        }
    }

    fn wanted_by_call(&self, site: Site) -> Wanted {
        let name = self.outline().groups.get(site.group).and_then(|group| group.parts.get(site.part)?.name);
        let name = name.map(|name| self.word(name));
        match self.callee(site.group) {
            Callee::Step(..) => match self.target(site.group, site.part) {
                Some(Target::Input(input)) => Wanted::Input(input.kind.clone()),
                Some(Target::Setting(param)) => match column_of(&param.ty) {
                    Some(of) => Wanted::Columns(self.columns_of_input(site.group, of)),
                    None => Wanted::Setting(param.ty.clone()),
                },
                None => Wanted::Nothing,
            },
            Callee::Component(_) => Wanted::Any,
            Callee::Word(word) => self.wanted_by_word(site, word, name),
            Callee::Unknown => Wanted::Any,
        }
    }

    fn wanted_by_word(&self, site: Site, word: &str, name: Option<&str>) -> Wanted {
        let Some(declaration) = self.outline().declaration(site.group, site.part) else { return Wanted::Nothing };
        let head = self.head(declaration.1);
        let outer = self.outline().groups.get(site.group).and_then(|group| self.site(group.open));
        let served = || self.served_around(site.group, site.part);
        match (word, name) {
            ("component", None) | ("secret" | "env" | "file" | "command" | "header" | "webhook" | "registry", _) => {
                Wanted::Nothing
            }
            ("disparity" | "lowest" | "highest", Some("by")) => Wanted::Columns(self.grouped(site.group)),
            ("disparity" | "lowest" | "highest", None) => Wanted::Metric,
            ("drift" | "drifted", None) => Wanted::Columns(served().map(|(row, _)| row)),
            ("drift", Some("method")) => Wanted::Words(builtin::METHODS),
            ("drift", Some("alpha")) => Wanted::Value(Type::Fraction),
            ("rmse" | "mae" | "bias" | "r2" | "accuracy" | "auc" | "log_loss", Some("label")) => {
                Wanted::Columns(self.label_around(site))
            }
            ("rmse" | "mae" | "bias" | "r2" | "accuracy" | "auc" | "log_loss", Some("delay")) => {
                Wanted::Value(Type::Duration)
            }
            ("column", None) if head == "deploy" => Wanted::Columns(served().map(|(row, _)| row)),
            ("online", Some("sticky")) => Wanted::Words(STICKY),
            ("online", Some("timeout")) => Wanted::Value(Type::Duration),
            ("online", Some("log")) => Wanted::Value(Type::Bool),
            ("online", Some(_)) => Wanted::Value(Type::Int),
            ("batch", None) => Wanted::Input(InputKind::Dataset),
            ("p50" | "p95" | "p99" | "mean", None) if head == "deploy" || head == "monitor" => Wanted::Words(LATENCY),
            ("baseline" | "sigma", None) => Wanted::Value(Type::Duration),
            ("missing" | "unique" | "distinct" | "min" | "max" | "mean" | "fresh", None) if head == "data" => {
                Wanted::Columns(self.schema_around(site.group, site.part))
            }
            ("retrain" | "run", Some(param)) => {
                Wanted::Value(self.facts().params.get(param).map_or(Type::Unknown, |(ty, _)| ty.clone()))
            }
            (name, _) if builtin::SOURCES.iter().any(|source| source.word == name) && head == "data" => Wanted::Nothing,
            _ if builtin::FUNCTIONS.iter().any(|function| function.word == word) => {
                outer.map_or(Wanted::Any, |outer| self.wanted(outer))
            }
            _ if name.is_some() => Wanted::Any,
            _ => Wanted::Nothing,
        }
    }

    /// The label of what is watched, as a table of one column.
    fn label_around(&self, site: Site) -> Option<Arc<Schema>> {
        let (_, part) = self.outline().declaration(site.group, site.part)?;
        let declared = self.declared_by(part)?;
        let name = match self.head(part) {
            "monitor" => self.word(declared.name + 2),
            _ => self.word(declared.name),
        };
        let trained = self.node(name)?.trained.as_ref()?;
        let label = trained.label.clone()?;
        Some(Arc::new(Schema { name: trained.row.name.clone(), columns: vec![label] }))
    }

    /// The columns by which the metric of a reduction is given: those that its step was asked for.
    fn grouped(&self, call: usize) -> Option<Arc<Schema>> {
        let first = self.outline().groups.get(call)?.parts.first()?.first;
        let node = self.node(self.word(first))?;
        let columns = node.groups.values().find_map(|columns| columns.clone())?;
        let schema =
            self.facts().schemas.values().find(|schema| columns.iter().all(|name| schema.column(name).is_some()))?;
        let columns = columns.iter().filter_map(|name| schema.column(name).cloned()).collect();
        Some(Arc::new(Schema { name: schema.name.clone(), columns }))
    }

    fn wanted_in_map(&self, site: Site) -> Wanted {
        let Some(group) = self.outline().groups.get(site.group) else { return Wanted::Nothing };
        let named = group.parts.get(site.part).and_then(|part| part.name);
        if named.is_none() {
            return Wanted::Nothing;
        }
        match self.outline().owner(self.text(), site.group) {
            "card" | "tags" => Wanted::Nothing,
            "in" => Wanted::Input(InputKind::Dataset),
            "out" => Wanted::Type { column: false },
            "secrets" => Wanted::Names(&["secret"]),
            _ => Wanted::Any,
        }
    }

    fn wanted_in_member(&self, site: Site) -> Wanted {
        let Some(group) = self.outline().groups.get(site.group) else { return Wanted::Nothing };
        let Some(part) = group.parts.get(site.part) else { return Wanted::Nothing };
        let head = self.head(*part);
        let clause = site.clause.map_or("", |clause| self.word(clause));
        if self.declares(site.group) {
            return self.wanted_in_header(head, clause, *part);
        }
        match (self.block(site.group), head, clause) {
            (_, "on_no_data", "=") => Wanted::Words(builtin::NO_DATA),
            ("schema", _, ":") => Wanted::Type { column: true },
            ("schema", _, "in") => Wanted::Any,
            ("data", "expect", "expect") => Wanted::Expectation(self.schema_around(site.group, site.part)),
            ("data", "source", "=") => Wanted::Words(builtin::SOURCES),
            ("data", "pii", _) => Wanted::Words(builtin::PII),
            ("gate", "require", "require") => Wanted::Metric,
            ("gate", "require", "unless") => Wanted::Words(FIRST),
            ("gate", "require", "min_support") => Wanted::Value(Type::Int),
            ("step", "timeout" | "backoff", "=") => Wanted::Value(Type::Duration),
            ("step", "memory", "=") => Wanted::Value(Type::Size),
            ("step", "retry" | "gpu", "=") => Wanted::Value(Type::Int),
            ("step", "cpu", "=") => Wanted::Value(Type::Float),
            ("step", "cache" | "network", "=") => Wanted::Value(Type::Bool),
            ("deploy", "serve", "=") => Wanted::Words(builtin::SERVES),
            ("deploy", "rollback", "within") => Wanted::Value(Type::Duration),
            ("canary" | "shadow" | "ab" | "replace" | "blue_green", _, "for") => Wanted::Value(Type::Duration),
            ("canary", _, "until") => Wanted::Words(PROMOTED),
            ("check" | "monitor", _, "every" | "over" | "within") => Wanted::Value(Type::Duration),
            ("check", ..) => Wanted::Service,
            ("monitor", "reference", "=") => Wanted::Input(InputKind::Dataset),
            ("monitor", "cooldown", "=") => Wanted::Value(Type::Duration),
            ("monitor", "watch", _) => Wanted::Watch,
            ("ab", "maximize" | "minimize", _) => Wanted::Watch,
            ("ab", _, "=") => Wanted::Value(Type::Fraction),
            ("tune", "maximize" | "minimize", _) => Wanted::Metric,
            ("tune", "prune", "=") => Wanted::Words(builtin::PRUNE),
            ("tune", "trials" | "parallel" | "seed", "=") => Wanted::Value(Type::Int),
            ("test", "with", "with") => Wanted::Names(&["data", "param"]),
            ("test", "with", "=") => Wanted::Words(builtin::SOURCES),
            ("test", "expect", _) => Wanted::Metric,
            ("trigger", "secret", "=") => Wanted::Names(&["secret"]),
            ("breach" | "trigger", ..) => Wanted::Nothing,
            ("pipeline", _, "=") => Wanted::Nothing,
            (_, _, "=") => Wanted::Any,
            _ => Wanted::Nothing,
        }
    }

    fn wanted_in_header(&self, head: &str, clause: &str, part: crate::outline::Part) -> Wanted {
        match (head, clause) {
            ("use", "use") => Wanted::Module,
            ("param" | "output", ":") => Wanted::Type { column: false },
            ("param", "=") => {
                let ty = self.declared_by(part).and_then(|declared| self.facts().params.get(self.word(declared.name)));
                Wanted::Value(ty.map_or(Type::Unknown, |(ty, _)| ty.clone()))
            }
            ("output", "=") => Wanted::Metric,
            ("secret", "=") => Wanted::Words(builtin::SECRETS),
            ("data", ":") => Wanted::Schema,
            ("step", "=") => Wanted::Body,
            ("step", "when") => Wanted::Metric,
            ("step", "in") => Wanted::Any,
            ("step" | "gate", "after") => Wanted::Names(STEPS_AND_GATES),
            ("model", "=") => Wanted::Input(InputKind::Model(String::new())),
            ("model", "after") => Wanted::Names(&["gate"]),
            ("deploy", "of") => Wanted::Names(&["model"]),
            ("monitor", "of") => Wanted::Names(&["deploy"]),
            ("tune", "over") => Wanted::Names(&["step"]),
            ("on", "on") => Wanted::Words(builtin::EVENTS),
            ("on", "change") => Wanted::Names(&["data"]),
            _ => Wanted::Nothing,
        }
    }

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
    fn declaring(
        &self,
        tok: usize,
        site: Site,
        part: crate::outline::Part,
        kind: GroupKind,
    ) -> Option<Option<Meaning>> {
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
            ("breach", "alert") => word == "webhook",
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
        let over = self.outline().part_around(group).and_then(|part| {
            let over = (part.first..part.end).find(|at| self.word(*at) == "over")?;
            self.declared(self.word(over + 1))
        });
        match over.and_then(|step| self.body_of(step)) {
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
        if let Some(found) = self.name(tok, site, word) {
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
    fn name(&self, tok: usize, site: Site, word: &str) -> Option<Meaning> {
        let (at, declaration) = self.outline().declaration(site.group, site.part)?;
        let local = |role: Role| {
            Meaning::refers(role, Symbol::Local { path: self.path(), declaration: at as u32, name: word.into() })
        };
        if self.head(declaration) == "step" && self.loop_variable(declaration) == Some(word) {
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
        let _ = tok;
        Meaning::refers(self.role(declared), self.named(word))
    }

    /// `x` of `for x in list`.
    fn loop_variable(&self, declaration: crate::outline::Part) -> Option<&str> {
        let toks = &self.outline().toks;
        let marker = (declaration.first..declaration.end)
            .find(|at| toks.get(*at).is_some_and(|tok| tok.group == 0) && self.word(*at) == "for")?;
        (self.kind(marker + 1) == Some(TokKind::Word)).then(|| self.word(marker + 1))
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

/// The input whose columns a setting names.
pub(crate) fn column_of(ty: &ParamType) -> Option<&str> {
    match ty {
        ParamType::Column { of } => Some(of),
        ParamType::Optional(inner) | ParamType::List(inner) => column_of(inner),
        ParamType::Plain(_) | ParamType::ValueOf { .. } => None,
    }
}

/// A string's text, if it has no escapes.
pub(crate) fn unquoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then_some(inner)
}

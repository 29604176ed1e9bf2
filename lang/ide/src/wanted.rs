//! What is wanted at each place: a column, a table, a value of a type, a name of a kind.

use crate::builtin;
use crate::outline::{GroupKind, Part};
use crate::view::{Callee, Target, View};
use mlp_lang::signature::{InputKind, ParamType};
use mlp_lang::types::{Schema, Type};
use std::sync::Arc;

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
            ("step", "timeout" | "deadline" | "backoff", "=") => Wanted::Value(Type::Duration),
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

    fn wanted_in_header(&self, head: &str, clause: &str, part: Part) -> Wanted {
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
}

/// The input whose columns a setting names.
pub(crate) fn column_of(ty: &ParamType) -> Option<&str> {
    match ty {
        ParamType::Column { of } => Some(of),
        ParamType::Optional(inner) | ParamType::List(inner) => column_of(inner),
        ParamType::Plain(_) | ParamType::ValueOf { .. } => None,
    }
}

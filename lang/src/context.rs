//! What the checker knows while it works: the names, what was found out about each declaration, and the findings.

use crate::by_index::ByIndex;
use crate::finding::{Finding, Label, Place};
use crate::import::{is_relative, way};
use crate::kept::Kept;
use crate::link::Linked;
use crate::live::Pick;
use crate::names::Names;
use crate::pipeline::{MetricRef, NodeId, OutputRef};
use crate::signature::ModuleSignature;
use crate::span::{Source, Span};
use crate::syntax::ast::{Expr, ExprKind, File};
use crate::types::{Column, Schema, Type};
use crate::value::Value;
use crate::work::SecretSource;
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The state of one check. Passes fill it from left to right: modules, parameters, schemas, then nodes in topological
/// order, so that whatever a node refers to is known when the node is looked at.
pub(crate) struct Context<'a> {
    pub(crate) source: &'a Source,
    /// What is looked at: the file with all that it uses, instances of components written out.
    pub(crate) file: &'a File,
    pub(crate) names: Names<'a>,
    /// The file as it is written, and its names.
    pub(crate) own: Own<'a>,
    /// Where the parts of `file` come from; nothing, if it is the file as written.
    pub(crate) linked: Option<&'a Linked>,
    /// Which findings were made while a declaration of an instance was looked at: where they begin, and whose it was.
    pub(crate) blamed: Vec<(usize, usize)>,
    /// Instances that are given what does not fit.
    pub(crate) unfit: Vec<usize>,
    pub(crate) findings: Vec<Finding>,
    /// How often something was said, as a finding or as one more place of a finding.
    pub(crate) told: usize,
    /// What the last check of the file leaves for this one.
    pub(crate) kept: Kept,
    /// By index of the `use`. `None`: it could not be loaded, which was reported.
    pub(crate) modules: HashMap<usize, Option<Module>>,
    /// Names of modules that need no path.
    pub(crate) known_modules: Vec<String>,
    /// Parameters looked at so far.
    pub(crate) params: HashMap<&'a str, KnownParam>,
    /// Schemas by name.
    pub(crate) schemas: HashMap<&'a str, Arc<Schema>>,
    /// Secrets by name. `None`: its mistake was reported.
    pub(crate) secrets: HashMap<&'a str, Option<SecretSource>>,
    /// Where a value that is being looked at would be seen, if it were a secret.
    pub(crate) seen_in: SeenIn,
    /// Names that stand for values within one step: entries of `with`, the variable of a `for`.
    pub(crate) locals: HashMap<String, KnownParam>,
    /// Some of those names are not known, because of a mistake that was reported: an unknown name may be one of them.
    pub(crate) blind: bool,
    /// What the pipeline's block says about steps.
    pub(crate) house: House,
    /// By index of the declaration. Absent or `None` inside: poison.
    pub(crate) nodes: ByIndex<Arc<NodeFacts>>,
    /// Declarations of nodes in topological order: `order[id]` is the index of the declaration.
    pub(crate) order: Vec<usize>,
    /// By index of the declaration.
    pub(crate) ids: ByIndex<NodeId>,
    /// The pipeline's name.
    pub(crate) pipeline: String,
    /// What each node lowered so far needs directly. Absent: it could not be lowered.
    pub(crate) needs: ByIndex<Vec<NodeId>, NodeId>,
    /// Parameters that the command line has set.
    pub(crate) overridden: HashSet<String>,
    /// References to what is registered. Among declarations, the one at `k` has the index `declarations.len() + k`.
    pub(crate) registry: Vec<Reference>,
    /// Steps that a first run skips, as what they read from the registry cannot be there yet.
    pub(crate) skipped_first: HashSet<NodeId>,
    /// Mistakes that have one cause and many places: which finding tells of it, and at how many more places it was met.
    pub(crate) once: HashMap<String, (usize, usize)>,
}

/// A file as it is written.
pub(crate) struct Own<'a> {
    pub(crate) file: &'a File,
    /// `None`: those of the context are its own.
    pub(crate) names: Option<Names<'a>>,
}

/// Where a value ends up that stands in an expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SeenIn {
    /// Somewhere in the pipeline.
    #[default]
    Plan,
    /// A setting of a module's step, or `with` of a program.
    Settings,
    /// The words of a command.
    Command,
    /// `env` of a program.
    Environment,
    /// A tag.
    Tag,
    /// The text of a query.
    Query,
    /// A condition.
    Verdict,
    /// The address of a table.
    Address,
}

/// What the pipeline's block allows and declares.
#[derive(Clone, Debug, Default)]
pub(crate) struct House {
    /// `allow = ["process"]`
    pub(crate) allows_processes: bool,
    /// `resources = { cpu: 8 }`, with the place of the map.
    pub(crate) resources: Option<(Resources, Span)>,
    /// The pipeline's block: where its `{` opens, and its `allow` setting if there is one.
    pub(crate) block: Option<Span>,
    /// The value of its `allow`.
    pub(crate) allow: Option<Span>,
    /// A part of the block was not understood: nothing is said to be missing in it.
    pub(crate) damaged: bool,
}

/// What the machines that run steps have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resources {
    /// Processors.
    pub(crate) cpu: Option<f64>,
    /// Bytes.
    pub(crate) memory: Option<u64>,
    /// Devices.
    pub(crate) gpu: Option<u32>,
}

/// How many further places a finding shows; more are counted.
pub(crate) const MOST_PLACES: usize = 3;

/// A module and the name it goes by.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    /// As written in `use`.
    pub(crate) path: Arc<str>,
    pub(crate) signature: Arc<ModuleSignature>,
}

/// A parameter's type and value. The value is absent when its mistake was reported.
#[derive(Clone)]
pub(crate) struct KnownParam {
    pub(crate) ty: Type,
    pub(crate) value: Option<Value>,
}

/// What others may ask of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeFacts {
    /// What it gives. `None`: not known, because of a mistake that was reported.
    pub outputs: Option<IndexMap<String, Type>>,
    /// For each metrics output that can be given per group: the columns asked for. `None`: not known.
    pub groups: HashMap<String, Option<Vec<String>>>,
    /// Columns of a table output that were computed from the label, row by row.
    pub(crate) derived: HashMap<String, Vec<String>>,
    /// Of a step that trains, and of a model: what it learnt from.
    pub trained: Option<Trained>,
    /// Of a model: what it predicts with. Of a deployment: its model's.
    pub flavor: Option<String>,
    /// Of a deployment: whether it logs its predictions.
    pub logs: Option<bool>,
    /// Of a deployment: whether it answers requests. `None`: not known.
    pub online: Option<bool>,
    /// Of a step of a module: every setting with its value, those left out included. `None` inside: not known.
    pub settings: IndexMap<String, Option<Value>>,
}

/// The table that a model learnt from.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Its columns without the label.
    pub row: Schema,
    /// What is predicted, if that is known.
    pub label: Option<Column>,
    /// The columns of `row` that it was told to learn from, if that is known.
    pub features: Option<Vec<String>>,
}

/// `registry("demand@production")`
pub(crate) struct Reference {
    pub(crate) model: String,
    pub(crate) pick: Pick,
    /// Of the text, where it first stands.
    pub(crate) span: Span,
    /// The declaration where it first stands.
    pub(crate) first: usize,
    /// Who reads it.
    pub(crate) uses: Vec<Use>,
}

/// A step that reads a reference.
pub(crate) struct Use {
    /// What it takes.
    pub(crate) flavor: String,
    /// Of the call.
    pub(crate) span: Span,
    /// `when exists`
    pub(crate) exists: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        source: &'a Source,
        own: &'a File,
        names: Names<'a>,
        findings: Vec<Finding>,
        linked: Option<&'a Linked>,
    ) -> Context<'a> {
        let (file, names, own_names) = match linked {
            None => (own, names, None),
            Some(linked) => (&linked.file, Names::joined(source, &linked.file, &linked.broken, &names), Some(names)),
        };
        Context {
            source,
            file,
            names,
            own: Own { file: own, names: own_names },
            linked,
            blamed: Vec::new(),
            unfit: Vec::new(),
            findings,
            told: 0,
            kept: Kept::default(),
            modules: HashMap::new(),
            known_modules: Vec::new(),
            params: HashMap::new(),
            schemas: HashMap::new(),
            secrets: HashMap::new(),
            seen_in: SeenIn::default(),
            locals: HashMap::new(),
            blind: false,
            house: House::default(),
            nodes: ByIndex::default(),
            order: Vec::new(),
            ids: ByIndex::default(),
            pipeline: String::new(),
            needs: ByIndex::default(),
            overridden: HashSet::new(),
            registry: Vec::new(),
            skipped_first: HashSet::new(),
            once: HashMap::new(),
        }
    }

    /// Notes that what was found since is about what an instance is given: that stands in the component around it.
    pub(crate) fn blame_around(&mut self, before: usize, instance: usize) {
        let around = self.linked.and_then(|linked| linked.instances.get(instance)?.outer);
        if let Some(around) = around {
            self.blamed.extend((before..self.findings.len()).map(|at| (at, around)));
        }
    }

    /// The names of the file as it is written.
    pub(crate) fn own_names(&self) -> &Names<'a> {
        self.own.names.as_ref().unwrap_or(&self.names)
    }

    /// A path as one that starts at the folder of the checked file: it may be written in another one.
    pub(crate) fn rebased(&self, written: &Expr, path: String) -> String {
        let Some(linked) = self.linked.filter(|_| is_relative(&path)) else { return path };
        let span = match &written.kind {
            ExprKind::Name(name) => linked.bindings.get(name).map_or(written.span, |binding| binding.written),
            _ => written.span,
        };
        let (_, source, _) = linked.map.find(span);
        format!("{}{path}", way(&self.source.path, &source.path))
    }

    /// Columns of a table that were computed from the label, row by row.
    pub(crate) fn derived(&self, from: &OutputRef) -> Option<&[String]> {
        let facts = self.nodes.get(self.order.get(from.node.index())?)?;
        facts.derived.get(&from.output).map(Vec::as_slice)
    }

    /// The name of the label of a table.
    pub(crate) fn label(&self, from: &OutputRef) -> Option<&str> {
        let outputs = self.nodes.get(self.order.get(from.node.index())?)?.outputs.as_ref()?;
        match outputs.get(&from.output)? {
            Type::Dataset(schema) => schema.label().map(|column| column.name.as_str()),
            _ => None,
        }
    }

    pub(crate) fn place(&self, span: Span) -> Place {
        place(self.source, span)
    }

    /// Looks at something whose values end up in `place`.
    pub(crate) fn seen_in<T>(&mut self, place: SeenIn, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.seen_in, place);
        let seen = look(self);
        self.seen_in = before;
        seen
    }

    pub(crate) fn report(&mut self, finding: Finding) {
        self.told += 1;
        self.findings.push(finding);
    }

    /// Notes that what was found since there were `before` findings is about a declaration of an instance.
    pub(crate) fn blame(&mut self, before: usize, declaration: usize) {
        let instance = self.linked.and_then(|linked| linked.origin.get(declaration).copied().flatten());
        if let Some(instance) = instance {
            self.blamed.extend((before..self.findings.len()).map(|at| (at, instance)));
        }
    }

    /// Reports a mistake whose cause may be met at many places: the first is the finding, the others are labels on it.
    pub(crate) fn report_once(&mut self, cause: String, again: &str, finding: Finding) {
        self.told += 1;
        let Some((first, more)) = self.once.get_mut(&cause) else {
            self.once.insert(cause, (self.findings.len(), 0));
            return self.findings.push(finding);
        };
        let told = &mut self.findings[*first];
        let shown = std::iter::once(&told.primary).chain(&told.secondary);
        // What an instance is given is met once for each use of it, what a `for` repeats once for each value.
        if shown.into_iter().any(|label| label.place == finding.primary.place) {
            return;
        }
        *more += 1;
        if *more <= MOST_PLACES {
            let label = Label { place: finding.primary.place, text: again.to_owned() };
            self.findings[*first].secondary.push(label);
        }
    }

    /// Says how many places were not shown.
    pub(crate) fn count_repetitions(&mut self) {
        for (first, more) in self.once.values().filter(|(_, more)| *more > MOST_PLACES) {
            let more = more - MOST_PLACES;
            let places = if more == 1 { "place" } else { "places" };
            self.findings[*first].notes.push(format!("and at {more} more {places}"));
        }
    }

    /// The type of a metric that was resolved before.
    pub(crate) fn metric_type(&self, metric: &MetricRef) -> Option<&Type> {
        let facts = self.nodes.get(self.order.get(metric.node.index())?)?;
        let fields = facts.outputs.as_ref()?.get(&metric.output)?.metrics()?;
        fields.iter().find(|field| field.name == metric.metric).map(|field| &field.ty)
    }

    /// Whether an output is there once for each value of a fanned-out step.
    pub(crate) fn is_collected(&self, node: NodeId, output: &str) -> bool {
        let facts = self.order.get(node.index()).and_then(|index| self.nodes.get(index));
        let outputs = facts.and_then(|facts| facts.outputs.as_ref());
        matches!(outputs.and_then(|outputs| outputs.get(output)), Some(Type::List(_)))
    }

    /// The text of a place, as it stands in its file.
    pub(crate) fn slice(&self, span: Span) -> &str {
        match self.linked {
            Some(linked) => linked.map.text(span),
            None => self.source.text.get(span.range()).unwrap_or_default(),
        }
    }

    /// The text of a place on one line, as the author wrote it.
    pub(crate) fn text(&self, span: Span) -> String {
        let text = self.slice(span);
        if text.contains('\n') { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text.trim().to_owned() }
    }
}

/// A place in the checked file.
pub(crate) fn place(source: &Source, span: Span) -> Place {
    Place::Source { path: source.path.clone(), span }
}

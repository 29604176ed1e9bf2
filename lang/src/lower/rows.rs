//! Whose rows a table has: where they come from, and which cuts they went through on the way.
//!
//! What is told here is certain: of a table that may have any rows it is said that they are its own.

use crate::context::Context;
use crate::pipeline::{DataNode, DataSource, Node, NodeId, NodeKind, OutputRef, StepNode};
use crate::signature::{RowsOf, StepSignature};
use crate::sql;
use crate::work::{Pii, QueryNode, Work};
use std::collections::{BTreeMap, HashMap};

/// Rows that went through more cuts, or come from more places, are a table's own: a bound on time and memory.
const MOST: usize = 48;

/// Rows of one table: those of one place that went through some cuts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Piece {
    /// The node that made the rows, and which of the tables in it.
    origin: (NodeId, String),
    /// For each cut which part was taken; empty, if the others are nowhere.
    cuts: BTreeMap<Cut, String>,
}

/// A cut: the node that made it, and which of the cuts in it.
type Cut = (NodeId, usize);

/// All rows of a table.
pub(super) type Rows = Vec<Piece>;

/// What two tables have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Common {
    /// Nothing that is certain.
    Unknown,
    /// Some rows.
    Some,
    /// Each row of the second is one of the first.
    All,
}

/// A step that cuts tables into parts, the first of all that do the very same.
struct Draw<'n> {
    step: &'n StepNode,
    id: NodeId,
}

/// What steps that cut have in common which differ in their settings alone: module, step, and the rows that they cut.
type Alike<'n> = (&'n str, &'n str, Rows);

/// The rows of every table of a pipeline.
#[derive(Default)]
pub(super) struct Tables<'n> {
    known: HashMap<(NodeId, &'n str), Rows>,
    /// By path: what is read there, and by whom first.
    sources: HashMap<&'n str, Vec<(&'n DataSource, NodeId)>>,
    draws: HashMap<Alike<'n>, Vec<Draw<'n>>>,
}

impl<'n> Tables<'n> {
    /// Of a table by its place in the graph.
    pub(super) fn of(&self, from: &OutputRef) -> Rows {
        self.known.get(&(from.node, from.output.as_str())).cloned().unwrap_or_else(|| own(from.node, &from.output))
    }

    /// Learns the tables of a node, after those of all that it reads.
    pub(super) fn learn(&mut self, cx: &Context<'_>, node: &'n Node) {
        match &node.kind {
            NodeKind::Data(data) => {
                let rows = self.data(node.id, data);
                self.known.insert((node.id, "rows"), rows);
            }
            NodeKind::Step(step) => self.step(cx, node.id, step),
            NodeKind::Query(query) => {
                let rows = self.query(cx, node.id, query);
                self.known.insert((node.id, "rows"), rows);
            }
            _ => {}
        }
    }

    fn data(&mut self, id: NodeId, data: &'n DataNode) -> Rows {
        let rows = match &data.source {
            DataSource::Output(from) => self.of(from),
            source => {
                let same = self.sources.entry(source.path()).or_default();
                let first = match same.iter().find(|(other, _)| *other == source) {
                    Some((_, first)) => *first,
                    None => {
                        same.push((source, id));
                        id
                    }
                };
                own(first, "rows")
            }
        };
        // Rows with personal data are put aside.
        if data.pii == Some(Pii::Quarantine) { cut(rows, (id, 0), "") } else { rows }
    }

    fn step(&mut self, cx: &Context<'_>, id: NodeId, step: &'n StepNode) {
        let Some(signature) = signature(cx, step) else { return };
        let mut first: Option<NodeId> = None;
        for output in &signature.outputs {
            let Some((name, _)) = step.outputs.get_key_value(&output.name) else { continue };
            let rows = match &output.rows {
                Some(RowsOf::AllOf(input)) => step.inputs.get(input).map(|from| self.of(from)),
                Some(RowsOf::PartOf(input)) => step.inputs.get(input).map(|from| {
                    let rows = self.of(from);
                    let drawn = *first.get_or_insert_with(|| self.draw(id, step, &rows));
                    cut(rows, (drawn, 0), name)
                }),
                None => None,
            };
            if let Some(rows) = rows {
                self.known.insert((id, name), rows);
            }
        }
    }

    /// The first step that takes the very same parts.
    fn draw(&mut self, id: NodeId, step: &'n StepNode, rows: &Rows) -> NodeId {
        let same = self.draws.entry((&step.module, &step.step, rows.clone())).or_default();
        if let Some(known) = same.iter().find(|other| other.step.params == step.params) {
            return known.id;
        }
        same.push(Draw { step, id });
        id
    }

    fn query(&self, cx: &Context<'_>, id: NodeId, query: &QueryNode) -> Rows {
        let Ok(parsed) = sql::parse(&query.text) else { return own(id, "rows") };
        let has_label = |table: &str| query.tables.get(table).is_some_and(|from| cx.label(from).is_some());
        let mut all = Rows::new();
        for (at, arm) in sql::arms(&parsed, &has_label).into_iter().enumerate() {
            let rows = match arm.table.and_then(|table| query.tables.get(&table)) {
                Some(from) => self.of(from),
                None => own(id, &format!("arm {at}")),
            };
            all.extend(if arm.cut { cut(rows, (id, at), "") } else { rows });
        }
        if all.len() > MOST { own(id, "rows") } else { all }
    }

    /// What is certain about a table that is looked at beside one that was looked at before.
    pub(super) fn common(&self, first: &Rows, second: &Rows) -> Common {
        let of =
            |piece: &Piece| first.iter().map(|other| self.of_pieces(other, piece)).max().unwrap_or(Common::Unknown);
        let each: Vec<Common> = second.iter().map(of).collect();
        match each.iter().max() {
            Some(Common::Unknown) | None => Common::Unknown,
            _ if each.iter().all(|common| *common == Common::All) => Common::All,
            _ => Common::Some,
        }
    }

    fn of_pieces(&self, first: &Piece, second: &Piece) -> Common {
        if first.origin != second.origin {
            return Common::Unknown;
        }
        let lacks = |one: &Piece, other: &Piece| -> Option<Vec<Cut>> {
            let mut lacking = Vec::new();
            for (cut, part) in &one.cuts {
                match other.cuts.get(cut) {
                    None => lacking.push(*cut),
                    Some(other) if other != part => return None,
                    Some(_) => {}
                }
            }
            Some(lacking)
        };
        // Other parts of one cut have nothing in common.
        let (Some(in_first), Some(in_second)) = (lacks(first, second), lacks(second, first)) else {
            return Common::Unknown;
        };
        match (in_first.as_slice(), in_second.as_slice()) {
            ([], _) => Common::All,
            (_, []) => Common::Some,
            ([a], [b]) if self.are_chance(*a, *b) => Common::Some,
            _ => Common::Unknown,
        }
    }

    /// Whether two cuts of the same rows differ by chance alone: by their seed.
    fn are_chance(&self, a: Cut, b: Cut) -> bool {
        let holds = |draws: &&Vec<Draw<'_>>| draws.iter().any(|draw| draw.id == a.0);
        let Some(alike) = self.draws.values().find(holds) else { return false };
        let find = |cut: Cut| alike.iter().find(|draw| draw.id == cut.0);
        let (Some(a), Some(b)) = (find(a), find(b)) else { return false };
        let differs = |name: &str| a.step.params.get(name) != b.step.params.get(name);
        a.step.params.keys().all(|name| differs(name) == (name == "seed"))
    }
}

/// Rows that come from nowhere else.
fn own(id: NodeId, table: &str) -> Rows {
    vec![Piece { origin: (id, table.to_owned()), cuts: BTreeMap::new() }]
}

fn cut(mut rows: Rows, cut: Cut, part: &str) -> Rows {
    for piece in &mut rows {
        piece.cuts.insert(cut, part.to_owned());
        if piece.cuts.len() > MOST {
            *piece = Piece { origin: (cut.0, format!("{} {part}", cut.1)), cuts: BTreeMap::new() };
        }
    }
    rows
}

/// What the module of a step says about it.
pub(super) fn signature<'c>(cx: &'c Context<'_>, step: &StepNode) -> Option<&'c StepSignature> {
    let module = cx.modules.values().flatten().find(|module| *module.path == *step.module)?;
    module.signature.step(&step.step)
}

/// Steps of modules in a node: one, or one for each value of a `for`.
pub(super) fn module_steps(node: &Node) -> Vec<&StepNode> {
    match &node.kind {
        NodeKind::Step(step) => vec![step],
        NodeKind::Fan(fan) => {
            let steps = fan.members.iter().filter_map(|member| match member {
                Work::Step(step) => Some(step),
                _ => None,
            });
            steps.collect()
        }
        _ => Vec::new(),
    }
}

//! What a test is: the pipeline with other data and other parameters, and what is expected of it.
//!
//! A test is no node. To run one, check the file again with its parameters ([`TestCase::params`]), take the test of the
//! same place from what comes out, and let [`Pipeline::for_test`] put in its data and leave out what it does not need.

use crate::pipeline::{DataSource, Expr, GateNode, Node, NodeId, NodeKind, Pipeline, Requirement};
use crate::span::Span;
use crate::value::Value;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// `test "stale data never reaches training" { with ... expect ... }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestCase {
    /// Its text; unique in the file.
    pub name: String,
    /// The `##` comment above it.
    pub doc: Option<String>,
    /// Where its text stands.
    pub span: Span,
    /// `with holdout = 50%`: parameters by name.
    pub params: IndexMap<String, Value>,
    /// `with customers = csv("stale.csv")`: data nodes and what they read instead.
    pub data: Vec<(NodeId, DataSource)>,
    /// What is expected, in the order written; never empty.
    pub expectations: Vec<Expected>,
}

/// One line of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// What.
    pub what: ExpectedKind,
    /// As the author wrote it.
    pub text: String,
    /// `because "..."`.
    pub because: Option<String>,
    /// Where.
    pub span: Span,
}

/// What a line of a test expects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedKind {
    /// `customers fails`
    Ends {
        /// Data, a step or a gate.
        node: NodeId,
        /// How it is to end.
        how: Ending,
    },
    /// `eval.auc >= 0.7`: boolean over [`Expr::Metric`] and constants.
    Holds(Expr),
}

/// How a node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Data that are not as expected, a step with an error, a gate that says no.
    Fails,
    /// It gives what it declares; of a gate, it says yes.
    Passes,
    /// It does not run: its condition is false, or what it needs failed or was skipped.
    Skipped,
}

impl Ending {
    /// As written.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Fails => "fails",
            Ending::Passes => "passes",
            Ending::Skipped => "skipped",
        }
    }
}

/// A pipeline cut down to what one test needs.
#[derive(Clone, Debug, PartialEq)]
pub struct TestRun {
    /// With the test's data, without what no expectation asks about: no model is registered, nothing is deployed.
    pub pipeline: Pipeline,
    /// For each expectation, in order, the name of the node that tells how it came out. A condition has become a gate of
    /// its own.
    pub told_by: Vec<String>,
}

impl Pipeline {
    /// The run that answers a test. `test` is one of [`Pipeline::tests`].
    pub fn for_test(&self, test: &TestCase) -> TestRun {
        let mut pipeline = self.clone();
        pipeline.tests.clear();
        for (node, source) in &test.data {
            if let Some(Node { kind: NodeKind::Data(data), needs, .. }) = pipeline.nodes.get_mut(node.index()) {
                data.source = source.clone();
                // What a test reads comes from outside, whatever the data were made from.
                needs.clear();
            }
        }
        let mut told_by = Vec::with_capacity(test.expectations.len());
        let mut wanted = Vec::new();
        let mut gates = Vec::new();
        for (at, expected) in test.expectations.iter().enumerate() {
            match &expected.what {
                ExpectedKind::Ends { node, .. } => {
                    wanted.push(*node);
                    told_by.push(self.nodes.get(node.index()).map(|node| node.name.clone()).unwrap_or_default());
                }
                ExpectedKind::Holds(condition) => {
                    let gate = condition_gate(at, expected, condition);
                    wanted.extend(gate.needs.iter().copied());
                    told_by.push(gate.name.clone());
                    gates.push(gate);
                }
            }
        }
        // Gates of conditions come behind everything they read.
        let batch = pipeline.batch().len();
        pipeline.nodes.truncate(batch);
        for mut gate in gates {
            gate.id = NodeId(pipeline.nodes.len() as u32);
            wanted.push(gate.id);
            pipeline.nodes.push(gate);
        }
        pipeline.keep_only(&wanted);
        TestRun { pipeline, told_by }
    }

    /// Leaves out every node that none of these needs, directly or not, and numbers the others anew.
    fn keep_only(&mut self, wanted: &[NodeId]) {
        let mut kept = vec![false; self.nodes.len()];
        wanted.iter().for_each(|node| kept.iter_mut().skip(node.index()).take(1).for_each(|it| *it = true));
        // Nodes stand behind what they need.
        for at in (0..self.nodes.len()).rev() {
            if kept[at] {
                keep_needs(&self.nodes, at, &mut kept);
            }
        }
        let mut new = Vec::with_capacity(kept.len());
        let mut next = 0;
        for keep in &kept {
            new.push(NodeId(next));
            next += u32::from(*keep);
        }
        let mut at = 0;
        self.nodes.retain(|_| {
            at += 1;
            kept[at - 1]
        });
        for node in &mut self.nodes {
            node.renumber(&|id| new.get(id.index()).copied().unwrap_or(id));
        }
    }
}

fn keep_needs(nodes: &[Node], at: usize, kept: &mut [bool]) {
    for need in &nodes[at].needs {
        kept.iter_mut().skip(need.index()).take(1).for_each(|it| *it = true);
    }
}

/// A condition of a test as a gate: the engine judges it, and says what it measured.
fn condition_gate(at: usize, expected: &Expected, condition: &Expr) -> Node {
    let mut needs = Vec::new();
    condition.visit(&mut |expr| {
        if let Expr::Metric(metric) = expr {
            needs.push(metric.node);
        }
    });
    needs.sort_unstable();
    needs.dedup();
    let requirement = Requirement {
        condition: condition.clone(),
        text: expected.text.clone(),
        because: expected.because.clone(),
        unless_first: false,
        span: expected.span,
    };
    Node {
        id: NodeId(0),
        name: format!("expect {}", at + 1),
        doc: None,
        span: expected.span,
        needs,
        when: None,
        kind: NodeKind::Gate(GateNode { requirements: vec![requirement], ..GateNode::default() }),
    }
}

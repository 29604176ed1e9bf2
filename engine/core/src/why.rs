//! Why a node of a run ran or was reused, as it was then: from the journals alone, whatever the files say now.

use crate::error::EngineError;
use crate::history::History;
use crate::manifest::{Fact, Manifest};
use crate::plan::Reason;
use crate::view::{NodeState, NodeView, RunView};

/// What a node's result is compared with, and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// The run before in which a node of this name gave a result, if there is one.
    pub before: Option<u64>,
    /// What differs from that result, most telling first. Empty with `before`: nothing does.
    pub changed: Vec<Reason>,
    /// How many facts the result depends on; 0: nobody wrote them down, since it gave none.
    pub facts: usize,
}

impl History {
    /// Compares a node's result with the one before it: the last earlier run of the same pipeline in which a node of
    /// this name ran to its end or was reused.
    pub fn account(&self, run: &RunView, node: &NodeView) -> Result<Account, EngineError> {
        let facts = self.facts(node);
        let mut account = Account { facts: facts.len(), ..Account::default() };
        let earlier = self.run_numbers()?.into_iter().rev().filter(|number| *number < run.started.run);
        for number in earlier {
            // What a journal that cannot be read says is left out.
            let Ok(Some(view)) = self.view(number) else { continue };
            if view.started.pipeline != run.started.pipeline {
                continue;
            }
            let given = |node: &&NodeView| matches!(node.state, NodeState::Done | NodeState::Reused);
            let Some(then) = view.node(&node.name).filter(given) else { continue };
            account.before = Some(number);
            if then.fingerprint != node.fingerprint && !facts.is_empty() {
                // The first word of a table is its format; what follows is how people call its file.
                let shown = node.what.split_once(' ').map_or("", |(_, shown)| shown);
                account.changed = Manifest::between(&self.facts(then), &facts, shown);
            }
            break;
        }
        Ok(account)
    }

    /// Everything that a node's result depends on. It is kept by the run that made the result, in which the node may
    /// have had another name.
    pub fn facts(&self, node: &NodeView) -> Vec<Fact> {
        match node.from {
            Some(from) if node.facts.is_empty() => self.view(from).ok().flatten().map_or(Vec::new(), |run| {
                let made = run.nodes.into_iter().find(|other| other.fingerprint == node.fingerprint);
                made.map_or(Vec::new(), |made| made.facts)
            }),
            _ => node.facts.clone(),
        }
    }
}

//! What is live: the fold over all entries.

use super::{Asked, Duty, Entry, Illegal};
use crate::routes::Routes;
use mlp_core::record::Millis;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One line of the story, for people: `production: demand@2 takes 10% of the requests`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Millis,
    /// The deployment, monitor or trigger it is about.
    pub about: String,
    /// What there is to say.
    pub words: String,
}

/// What is live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    story: Vec<Arc<Told>>,
}

impl Live {
    /// What is live after these entries.
    pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Live, Illegal> {
        let mut live = Live::default();
        for entry in entries {
            live.apply(entry)?;
        }
        Ok(live)
    }

    /// Takes an entry in. An illegal one changes nothing.
    pub fn apply(&mut self, _entry: &Entry) -> Result<(), Illegal> {
        Ok(())
    }

    /// Whether [`Live::apply`] would take it. Asked before an entry is written: what is in the journal must be legal.
    pub fn admits(&self, _entry: &Entry) -> Result<(), Illegal> {
        Ok(())
    }

    /// Whether it would be carried out now; else why not, in words.
    pub fn ask(&self, _deployment: &str, _what: &Asked) -> Result<(), String> {
        Ok(())
    }

    /// When [`Live::due`] will have more to say because time passed. May be in the past: then it is due already.
    pub fn next_due(&self) -> Option<Millis> {
        None
    }

    /// All that must be done at `now`.
    pub fn due(&self, _now: Millis) -> Vec<Duty> {
        Vec::new()
    }

    /// Where requests to a deployment go.
    pub fn routes(&self, _deployment: &str) -> Routes {
        Routes::default()
    }

    /// The versions that must be loaded: stable, candidate (from its first [`Duty::Load`] on), kept old one. A new engine
    /// loads them before it takes requests; what is not in here may be dropped.
    pub fn loaded(&self, _deployment: &str) -> BTreeSet<u64> {
        BTreeSet::new()
    }

    /// Model and version that are stable: what `registry("demand@production")` means.
    pub fn serving(&self, _deployment: &str) -> Option<(String, u64)> {
        None
    }

    /// Past statistics of a watch in the windows that ended in the last `over` nanoseconds before `now`, oldest first:
    /// for `baseline` and `sigma`.
    pub fn past(&self, _monitor: &str, _watch: u32, _over: i64, _now: Millis) -> Vec<f64> {
        Vec::new()
    }

    /// All there is to tell, in order.
    pub fn story(&self) -> &[Arc<Told>] {
        &self.story
    }

    /// What [`Live::apply`] would add to the story.
    pub fn tells(&self, _entry: &Entry) -> Vec<Told> {
        Vec::new()
    }
}

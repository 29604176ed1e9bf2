//! From values to text and JSON.
//!
//! Owns: every word that results are told in. Must not know: files, engines, terminals (it is told a width, and writes
//! colours as escape sequences that [`crate::screen`] takes out again where they are not wanted).
//!
//! One file for each thing that is shown; [`json`] has them all for programs. Everything that comes from a file, a step or
//! data passes through [`text::clean`], so that nobody's bytes move the cursor.

pub mod approvals;
pub mod compare;
pub mod diff;
pub mod doc;
pub mod events;
pub mod explain;
pub mod export;
pub mod findings;
pub mod graph;
pub mod json;
pub mod live;
pub mod metrics;
pub mod models;
pub mod nodes;
pub mod page;
pub mod plan;
pub mod runs;
pub mod story;
pub mod summary;
pub mod table;
pub mod testing;
pub mod text;
pub mod time;
pub mod trace;
pub mod upkeep;
pub mod values;
pub mod verdicts;
pub mod why;

#[cfg(test)]
mod tests;

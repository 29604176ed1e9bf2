//! The language: text in, a checked [`pipeline::Pipeline`] and [`finding::Finding`]s out.
//!
//! Owns: the lexer, the splitter, the grammar, names, types, units, the evaluator of expressions.
//! Must never know: files, clocks, threads, engines, terminals, editors. It also builds for `wasm32`.
//!
//! ```text
//! Source -> syntax (lexer, splitter, pest per line) -> names -> lower (with typing) -> lint -> Pipeline, Findings
//! ```
//!
//! - [`syntax`]: text to tree. [`check`]: tree to pipeline. [`eval`]: conditions to verdicts, for checker and engine alike.
//! - [`import`]: files that files use. `link`: several files and their components as one tree, before names are collected.
//! - `names`: what each name was declared as, and which one was meant. `typing`: expressions, operators, units. `lower`:
//!   declarations to nodes in topological order. `lint`: what runs and is not what was meant.
//! - [`signature`]: what the checker asks about modules. [`codes`]: every code beyond syntax.
//! - [`tune`]: what a search is. [`testing`]: what a test is, and the run that answers it.
//! - [`work`]: what steps do that are no modules. [`capability`]: what an engine must be able to do for a pipeline.
//! - [`schedule`]: when a schedule fires.
//! - [`silence`]: which lints are heard. [`fix`]: applying what findings propose.
//! - [`analysis`]: what a check found out, for editors and for whoever documents a file. `kept`: what a check leaves for the
//!   next one of the same file, so that an edit costs what it reaches.
//! - `written`: the canonical notation of values, types and expressions.
//!
//! Invariants: parsing never fails and never panics; it gives a tree *and* findings. A broken declaration never damages
//! the next. One mistake is one finding: what follows from a reported mistake has the type `Unknown` and stays silent.

// What pest generates names `alloc`.
extern crate alloc;

pub mod analysis;
mod by_index;
pub mod capability;
pub mod check;
pub mod codes;
mod context;
pub mod eval;
pub mod finding;
pub mod fix;
pub mod format;
pub mod import;
mod kept;
mod link;
mod lint;
pub mod live;
mod lower;
mod names;
pub mod pipeline;
mod renumber;
pub mod schedule;
pub mod signature;
pub mod silence;
pub mod span;
mod sql;
pub mod syntax;
pub mod testing;
pub mod tune;
pub mod types;
mod typing;
pub mod value;
pub mod work;
mod written;

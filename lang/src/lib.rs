//! The language: text in, a checked [`pipeline::Pipeline`] and [`finding::Finding`]s out.
//!
//! Owns: the lexer, the splitter, the grammar, names, types, units, the evaluator of expressions.
//! Must never know: files, clocks, threads, engines, terminals, editors. It also builds for `wasm32`.
//!
//! ```text
//! Source -> lexer -> splitter -> pest per declaration -> syntax::Syntax -> names -> types -> Pipeline
//! ```
//!
//! Invariants: parsing never fails and never panics; it gives a tree *and* findings. A broken declaration never damages
//! the next. One mistake is one finding: what follows from a reported mistake has the type `Unknown` and stays silent.

pub mod check;
pub mod codes;
mod context;
pub mod eval;
pub mod finding;
mod lint;
mod lower;
mod names;
pub mod pipeline;
pub mod signature;
pub mod span;
pub mod syntax;
pub mod types;
mod typing;
pub mod value;
mod written;

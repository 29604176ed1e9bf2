//! What an editor asks about `.mlp` files, and the answers.
//!
//! Owns: which documents there are, and every question about a place in one of them: findings, hover, completion, signature
//! help, definitions, references, renaming, fixes, highlighting, hints, outlines, folding, selection, links, lenses.
//! Must never know: the language server protocol, files, threads, clocks. Places are bytes; [`text`] counts lines.
//!
//! ```text
//! texts -> Workspace -> outline (tokens, for every text) + analysis (mlp_lang) -> meaning of each word -> answers
//! ```
//!
//! - [`Workspace`]: documents by path; cheap to clone, so that a question is answered about texts that stand still.
//! - [`Environment`]: what the documents' world knows: modules, values of the last run, what a run would do.
//! - `outline`: brackets, members and arguments, from tokens alone. `wanted` and `meaning`: what may stand at a place, and what each word stands for. `builtin`: the
//!   words of the language with their documentation.
//!
//! Invariants: every question has an answer for every text and every place, also where nothing is right; no answer
//! changes anything; an edit that is answered is one of the document's text as it was asked about.

mod actions;
mod builtin;
mod completion;
mod hints;
mod hover;
mod lens;
mod links;
mod meaning;
mod navigate;
mod outline;
mod rename;
mod selection;
mod signature;
mod sql;
mod symbols;
pub mod text;
mod text_edit;
mod tokens;
mod view;
mod wanted;
mod workspace;

pub use actions::Action;
pub use completion::{Item, ItemKind};
pub use hints::Hint;
pub use hover::Hover;
pub use lens::{Lens, LensKind};
pub use links::Link;
pub use navigate::{Highlight, Location};
pub use rename::{FileEdit, Refused};
pub use selection::{Fold, FoldKind};
pub use signature::Signature;
pub use symbols::{Outlined, OutlinedKind};
pub use text_edit::TextEdit;
pub use tokens::{Token, TokenKind};
pub use workspace::{Document, Environment, LastValue, Workspace};

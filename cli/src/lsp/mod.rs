//! `mlp lsp`: the language server protocol over standard input and output.
//!
//! Owns: messages, positions and URIs of the protocol, which request is asked of what, threads, cancellation. Must not
//! know: any answer; [`mlp_ide`] has them.
//!
//! ```text
//! stdin -> wire (a thread) -> server: one loop that changes the workspace -> workers: requests, each on a snapshot
//!                                                                        \-> checker: findings of the newest texts
//! all of them -> wire (a thread) -> stdout
//! ```
//!
//! Invariants
//! - No input ends the server but `exit` and the end of input: what cannot be read is answered with an error, what panics is
//!   reported as an internal error.
//! - The loop never waits for a check: an edit is taken up while the one before is still looked at.
//! - A request is answered about the texts as they were when it came.

mod capabilities;
mod checker;
mod convert;
mod documents;
mod environment;
mod requests;
mod server;
mod uri;
mod wire;
mod workers;

use crate::exit::Exit;

/// Serves an editor until it says `exit`, or closes the pipe.
pub fn serve() -> Exit {
    let (itself, input, output) = wire::stdio();
    let exit = server::Server::new(output.sender(), itself).run(&input);
    output.finish();
    exit
}

//! The `mlp` binary.
//!
//! Owns: arguments, what is printed and how, progress, exit codes, and the wiring of all other crates ([`world`]).
//! Must not know: how any of it works. Nothing here decides what a pipeline means or what a run does.
//!
//! ```text
//! args -> commands/<one file each> -> world (lang + engine) -> render/ (text or JSON) -> screen -> exit
//!                                                            \-> progress/ while a run is live
//! ```
//!
//! Invariants
//! - Every command ends with a code of [`exit::Exit`], and prints to a closed pipe without complaint.
//! - What is for people goes through `render`, which prints no control characters from anybody's data.
//! - `--version`, `completions` and `check` start neither a runtime nor the sandbox nor the store.

mod args;
mod baseline;
mod commands;
mod exit;
mod fault;
mod files;
mod imports;
mod living;
mod lsp;
mod pages;
mod progress;
mod render;
mod screen;
mod world;

/// A check makes many small things and drops them all: docs/decisions/0010.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // Not a command for people: what the engine starts to look after the programs that it starts.
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(mlp_exec::process::watch::ARGUMENT) {
        mlp_exec::process::watch::watch(&arguments.next().unwrap_or_default());
        return std::process::ExitCode::SUCCESS;
    }
    commands::main().into()
}

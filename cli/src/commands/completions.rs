//! `mlp completions`: what a shell needs to complete our command line.

use crate::args::Cli;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::screen::Screen;
use clap::CommandFactory;

/// Prints the script.
pub fn completions(screen: &Screen, shell: clap_complete::Shell) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mlp", &mut script);
    screen.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

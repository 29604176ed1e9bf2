//! One file for each command: what it reads, what it asks of the other crates, what it prints, how it ends.

mod approve;
mod cancel;
mod check;
mod completions;
mod deploy;
mod detach;
mod diff;
mod doc;
mod evidence;
mod explain;
mod explain_run;
mod fmt;
mod follow;
mod graph;
mod label;
pub mod load;
mod logs;
mod plan;
mod profile;
mod replay;
mod resident;
mod retry;
mod run;
mod runs;
mod serve;
mod show;
mod state;
mod status;
mod story;
mod test;
mod trace;

use crate::args::{Cli, Command, Options, Output, State};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::screen::Screen;
use clap::{CommandFactory, Parser};
use mlp_core::clock::{Clock, SystemClock};
use mlp_core::project::Project;
use mlp_core::record::Millis;
use std::io::ErrorKind;
use std::path::Path;

/// Reads the command line and does what it says.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let fits = match &cli.command {
        Command::Check(_) => true,
        Command::Test(_) => !cli.options.output.is_of_findings() || cli.options.output == Output::Junit,
        _ => !cli.options.output.is_of_findings(),
    };
    if !fits {
        let message = match &cli.command {
            Command::Test(_) => {
                "only `mlp check` writes its results like this; `mlp test` has `text`, `json` and `junit`"
            }
            _ => "only `mlp check` writes its results like this; this command has `text` and `json`",
        };
        return usage(&Cli::command().error(clap::error::ErrorKind::InvalidValue, message));
    }
    start_tracing();
    let screen = Screen::new(&cli.options);
    let ended = match &cli.command {
        Command::Check(args) => check::check(&screen, args),
        Command::Explain(args) => explain::explain(&screen, args),
        Command::Fmt(args) => fmt::fmt(&screen, args),
        Command::Plan(args) => plan::plan(&screen, args),
        Command::Graph(args) => graph::graph(&screen, args),
        Command::Export(args) => graph::export(&screen, args),
        Command::Doc(args) => doc::doc(&screen, args),
        Command::Run(args) => run::run(&screen, args),
        Command::Retry(args) => retry::retry(&screen, args),
        Command::Cancel(args) => cancel::cancel(&screen, args),
        Command::Approve(args) => approve::approve(&screen, args),
        Command::ExplainRun(args) => explain_run::explain_run(&screen, args),
        Command::Diff(args) => diff::diff(&screen, args),
        Command::Trace(args) => trace::trace(&screen, args),
        Command::Test(args) => test::test(&screen, args),
        Command::Serve(args) => serve::serve(&screen, args),
        Command::Deploy { command } => deploy::deploy(&screen, command),
        Command::Label { command } => label::label(&screen, command),
        Command::Replay(args) => replay::replay(&screen, args),
        Command::Story(args) => story::story(&screen, args),
        Command::Status => status::status(&screen),
        Command::Runs(args) => runs::runs(&screen, args),
        Command::Logs(args) => logs::logs(&screen, args),
        Command::Show(args) => show::show(&screen, args),
        Command::Lsp { .. } => Ok(crate::lsp::serve()),
        Command::State { command } => match command {
            State::Rebuild => state::rebuild(&screen),
            State::Verify { fast } => state::verify(&screen, *fast),
            State::Gc { old, grace } => state::gc(&screen, old, *grace),
            State::Compact { old } => state::compact(&screen, old),
            State::Export { file, runs } => state::export(&screen, file, runs),
            State::Import { file, wait } => state::import(&screen, file, *wait),
        },
        Command::Completions { shell } => completions::completions(&screen, *shell),
    };
    ended.unwrap_or_else(|fault| screen.fault(&fault))
}

/// What clap has to say: help, the version, or what is wrong with the command line.
fn usage(error: &clap::Error) -> Exit {
    match error.print() {
        Err(failed) if failed.kind() != ErrorKind::BrokenPipe => Exit::Failed,
        _ if error.use_stderr() => Exit::Usage,
        _ => Exit::Done,
    }
}

/// The engine's own log, for those who look for a defect. Costs nothing unless `MLP_LOG` is set.
fn start_tracing() {
    let Some(wanted) = std::env::var("MLP_LOG").ok().filter(|wanted| !wanted.is_empty()) else { return };
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(wanted);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// The project that `start` belongs to, unless the command line names its state folder.
fn project(options: &Options, start: &Path) -> Project {
    match &options.state {
        Some(state) => Project::at(state),
        None => Project::discover(start),
    }
}

/// The project of the current folder.
fn project_here(options: &Options) -> Result<Project, Fault> {
    let here = std::env::current_dir().map_err(|error| Fault::new("cannot tell the current folder").cause(error))?;
    Ok(project(options, &here))
}

fn now() -> Millis {
    SystemClock.now()
}

//! The command line: what can be typed. What it means is the business of [`crate::commands`].

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    something failed
  2    the command line or a file is wrong; nothing ran
  3    a gate said no; nothing was registered
  4    all ran, and a deployment waits for `mlp serve` to take it up
  130  interrupted (Ctrl-C or SIGTERM)

Environment:
  MLP_STATE   the state folder, like --state
  MLP_STDLIB  a folder with the standard library's components, instead of the built-in ones
  MLP_LOG     what the engine logs to standard error, for example `debug` or `mlp_core=trace`
  NO_COLOR    no colours, like --color never";

/// A declarative workflow engine for machine learning.
#[derive(Debug, Parser)]
#[command(name = "mlp", version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, propagate_version = false)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Options {
    /// How results are written
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, value_name = "FORMAT", hide_default_value = true)]
    pub output: Output,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_default_value = true)]
    pub color: Color,
    /// The project's state folder [default: .mlp at the project's root]
    #[arg(long, global = true, env = "MLP_STATE", hide_env = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state: Option<PathBuf>,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: reused steps, reasons, what steps log
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// One JSON document; `run` writes one per line
    Json,
    /// One line for each finding (`check` only)
    Concise,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check files without running anything
    Check(Check),
    /// Tell what would run, and why
    Plan(Plan),
    /// Run a pipeline
    Run(Run),
    /// Tell what is running, or how the last run ended, and the registered models
    Status,
    /// List all runs, the newest first
    Runs(Runs),
    /// Print what the steps of a run said
    Logs(Logs),
    /// Tell the story of a run, a step of a run, or a model
    #[command(after_help = "Examples:\n  mlp show last\n  mlp show 3 train\n  mlp show churn\n  mlp show churn@2")]
    Show(Show),
    /// Look after the state folder
    State {
        #[command(subcommand)]
        command: State,
    },
    /// Print a completion script for a shell
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// Parameters, the same for every command that reads a pipeline.
#[derive(Debug, Args)]
pub struct Params {
    /// Set a parameter, written as in the file: `-p holdout=25%`; may be repeated
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = name_and_value, action = ArgAction::Append)]
    pub params: Vec<(String, String)>,
}

/// `mlp check`
#[derive(Debug, Args)]
pub struct Check {
    /// Files, folders with `.mlp` files in them, or `-` for standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// What to call standard input in findings; plugins' paths start at its folder
    #[arg(long, value_name = "PATH", default_value = "<stdin>", hide_default_value = true)]
    pub stdin_name: String,
    #[command(flatten)]
    pub params: Params,
}

/// `mlp plan`
#[derive(Debug, Args)]
pub struct Plan {
    /// The pipeline's file
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub params: Params,
    #[command(flatten)]
    pub force: Force,
}

/// What to run even if its result is known.
#[derive(Debug, Args)]
pub struct Force {
    /// Run this step even if its result is known; may be repeated
    #[arg(long, value_name = "STEP", action = ArgAction::Append)]
    pub force: Vec<String>,
    /// Run every step even if its result is known
    #[arg(long, conflicts_with = "force")]
    pub force_all: bool,
}

/// `mlp run`
#[derive(Debug, Args)]
pub struct Run {
    /// The pipeline's file
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub params: Params,
    /// How many steps may run at once [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub force: Force,
    /// After a failure, go on with everything that does not need what failed
    #[arg(short, long)]
    pub keep_going: bool,
    /// If another mlp is at work in this project, wait for it to end
    #[arg(long)]
    pub wait: bool,
}

/// `mlp runs`
#[derive(Debug, Args)]
pub struct Runs {
    /// How many to list; 0 for all
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

/// `mlp logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// A run's number, or `last`
    pub run: String,
    /// A step of it; all of them if left out
    pub node: Option<String>,
}

/// `mlp show`
#[derive(Debug, Args)]
pub struct Show {
    /// A run (its number, or `last`) or a model (`churn`, `churn@2`)
    #[arg(value_name = "RUN|MODEL")]
    pub what: String,
    /// A step, gate, model or data set of the run
    pub node: Option<String>,
}

/// `mlp state`
#[derive(Debug, Subcommand)]
pub enum State {
    /// Make the store anew from the journals
    Rebuild,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write it as NAME=VALUE, for example `seed=7`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_parameter_is_a_name_and_a_value() {
        assert_eq!(name_and_value("seed = 7"), Ok(("seed".to_owned(), "7".to_owned())));
        assert_eq!(name_and_value("where=a=b"), Ok(("where".to_owned(), "a=b".to_owned())));
        assert!(name_and_value("seed").is_err());
        assert!(name_and_value("=7").is_err());
    }
}

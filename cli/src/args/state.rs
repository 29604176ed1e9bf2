//! The arguments of `mlp state`.

use super::lasting;
use clap::{ArgAction, Args, Subcommand, ValueHint};
use mlp_core::record::Millis;
use std::path::PathBuf;

const VERIFY_HELP: &str = "\
Looks at every journal, every artifact, every reference from runs, the registry and deployments, and at the store. Changes
nothing, and works beside a live run, whose store is then left out.

Exit codes: 0 sound, 1 something is wrong or could not be looked at, 2 the command line is wrong.

Examples:
  mlp state verify
  mlp state verify --fast
  mlp --output json state verify";
const GC_HELP: &str = "\
Registered versions, what is served, and what kept runs gave are never removed. What is removed is made again when it is
needed. Beside a live run nothing is removed: the command is refused, or waits with --wait.

Exit codes: 0 done, 1 it could not be done, 2 the command line is wrong.

Examples:
  mlp state gc --dry-run
  mlp state gc --keep-runs 3 --keep-for 7d
  mlp state gc --keep 12 --wait";
const COMPACT_HELP: &str = "\
Everything the journals say is kept: runs, show, the registry and the cache are as before. What goes is what the steps of
old runs said (mlp logs). Beside a live run the command is refused, or waits with --wait.

Exit codes: 0 done, 1 it could not be done, 2 the command line is wrong.

Examples:
  mlp state compact --dry-run
  mlp state compact --keep-runs 20 --keep-for 7d";
const STATE_EXPORT_HELP: &str = "\
Writes a tar archive: a manifest with digests, the journals of runs that have ended, and what they gave. What the steps said
(mlp logs) and what happened to deployments stays here. Works beside a live run. A run takes those along whose results it
reused. FILE must not be there yet.

Exit codes: 0 done, 1 it could not be done, 2 the command line is wrong.

Examples:
  mlp state export history.tar
  mlp state export run-12.tar --run 12";
const STATE_IMPORT_HELP: &str = "\
Everything is checked before anything of it is taken in. What is here is never replaced: where there are runs, those that
come get the next numbers, and so do the versions of a model that is registered here. Runs that are here already are not taken
in again, so that a second import changes nothing; results of theirs that were lost or damaged here are mended. Nothing is
deployed.

Exit codes: 0 done, 1 it could not be done, 2 the command line is wrong.

Examples:
  mlp state import history.tar";

/// `mlp state`
#[derive(Debug, Subcommand)]
pub enum State {
    /// Make the store anew from the journals
    Rebuild,
    /// Look whether everything is there that something refers to, and is what it was
    #[command(after_help = VERIFY_HELP)]
    Verify {
        /// Look whether artifacts are there and as long as they were, and do not read them
        #[arg(long)]
        fast: bool,
    },
    /// Remove the results that nothing rests on
    #[command(after_help = GC_HELP)]
    Gc {
        #[command(flatten)]
        old: Old,
        /// Leave files alone that are younger than this, whatever refers to them
        #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = lasting)]
        grace: Millis,
    },
    /// Fold the journals of old runs into one file
    #[command(after_help = COMPACT_HELP)]
    Compact {
        #[command(flatten)]
        old: Old,
    },
    /// Write runs, with everything they gave, to one file
    #[command(after_help = STATE_EXPORT_HELP)]
    Export {
        /// Where to write it
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Only this run, and those whose results it reused; may be repeated
        #[arg(long = "run", value_name = "RUN", action = ArgAction::Append)]
        runs: Vec<u64>,
    },
    /// Take in what `mlp state export` wrote
    #[command(after_help = STATE_IMPORT_HELP)]
    Import {
        /// What to take in
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// If another mlp is at work in this project, wait for it to end
        #[arg(long)]
        wait: bool,
    },
}

/// Which runs are old.
#[derive(Debug, Args)]
pub struct Old {
    /// Keep the last N runs of each pipeline
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_runs: u32,
    /// Keep runs that are younger than this
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = lasting)]
    pub keep_for: Millis,
    /// Keep this run; may be repeated
    #[arg(long, value_name = "RUN", action = ArgAction::Append)]
    pub keep: Vec<u64>,
    /// Change nothing, and say what would be done
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// If another mlp is at work in this project, wait for it to end
    #[arg(long)]
    pub wait: bool,
}

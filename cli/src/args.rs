//! The command line: what can be typed. What it means is the business of [`crate::commands`].

mod state;

pub use state::{Old, State};

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use mlp_core::record::Millis;
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

const SERVE_HELP: &str = "\
Without FILE, what was served before is served again.

Requests:
  POST /deployments/NAME/predict        {\"rows\": [{...}]}
  POST /v2/models/NAME/infer            Open Inference Protocol v2, also /v2/health/ready and the rest
  GET  /metrics                         Prometheus";

const REPLAY_HELP: &str = "\
Examples:
  mlp replay data/hours.csv --through bikeshare.mlp --from 2011-04-01   plays the whole loop in this process
  mlp serve bikeshare.mlp --virtual-from 2011-04-01                     lets it live on virtual time, and in another shell
  mlp replay data/hours.csv --to production --from 2011-04-01 --at 86400x   plays a day a second to it";

const FMT_HELP: &str = "\
Exit codes: 0 all is formatted (now); 1 with --check or --diff, something would change; 2 a file has mistakes of syntax.

Examples:
  mlp fmt .                                       formats every .mlp file in this folder and below
  mlp fmt --check --diff .                        for CI
  mlp fmt - --stdin-name churn.mlp < churn.mlp    for editors";

const PLAN_HELP: &str = "\
Times are the median of a step's last runs in this project; what never ran is told as unknown.

Examples:
  mlp plan churn.mlp                     what would run, why, and for how long
  mlp plan churn.mlp --jobs 4            the time it takes four at a time
  mlp plan churn.mlp --from train        what running `train` and everything after it again would mean";

const RUN_HELP: &str = "\
Examples:
  mlp run churn.mlp --profile ci -p seed=7   the parameters of a profile, one of them set otherwise
  mlp run churn.mlp --from train             runs `train` and everything after it again
  mlp run churn.mlp --only eval              runs `eval` and what it needs; registers and deploys nothing
  mlp run churn.mlp --dry-run                tells what would run; 1 if it would fail
  mlp run churn.mlp --detach                 runs in the background: mlp logs last -f, mlp cancel

Profiles stand in mlp-profiles.json beside the file or in a folder above it, up to the project's root:
  {\"profiles\": {\"ci\": {\"params\": {\"rows\": 1000, \"holdout\": \"25%\"}}}}";

const EXPLAIN_RUN_HELP: &str = "\
Examples:
  mlp explain-run train            why `train` ran or was reused in the last run
  mlp explain-run train --run 12   in run 12, as it was then";

const CANCEL_HELP: &str = "\
The request is durable when this command has told it. Steps are told to stop, nothing more starts, and what was done is kept.

Exit codes: 0 the run was stopped, or with --no-wait asked to; 1 nothing runs, or it had ended before it heard.

Examples:
  mlp cancel              the run that is live
  mlp cancel 12           run 12, if it is the live one
  mlp cancel --no-wait    asks, and does not wait for its end";

const RETRY_HELP: &str = "\
The pipeline is the text that the run kept, with the parameters it had, whatever the file says now; other files that it uses
are taken as they are. Results of that run and of others are reused, so what was done is not done again.

Examples:
  mlp retry last
  mlp retry 12 --keep-going";

const DIFF_HELP: &str = "\
Examples:
  mlp diff 3 last                  parameters, source, nodes, inputs, metrics, artifacts
  mlp diff 3 4 --output json";

const TRACE_HELP: &str = "\
Open the file in https://ui.perfetto.dev or chrome://tracing.

Examples:
  mlp trace last -o run.json
  mlp trace 3 > run.json";

const LOGS_HELP: &str = "\
Examples:
  mlp logs last            what all steps said
  mlp logs last train      what one said
  mlp logs last -f         goes on until the run ends";

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
    #[value(alias = "full")]
    Text,
    /// One JSON document; `run` writes one per line
    Json,
    /// One line for each finding (`check` only)
    Concise,
    /// SARIF 2.1.0, for code hosts and editors (`check` only)
    Sarif,
    /// Annotations of GitHub Actions (`check` only)
    Github,
    /// GitLab's code quality report (`check` only)
    Gitlab,
    /// A JUnit report (`check` and `test`)
    Junit,
}

impl Output {
    /// Whether it is a way to write findings, and nothing else.
    pub fn is_of_findings(self) -> bool {
        !matches!(self, Output::Text | Output::Json)
    }
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
    /// Explain a code of a finding, with examples; without a code, list all
    Explain(Explain),
    /// Bring files into the one style
    #[command(after_help = FMT_HELP)]
    Fmt(Fmt),
    /// Tell what would run, why, and for how long
    #[command(after_help = PLAN_HELP)]
    Plan(Plan),
    /// Draw the graph of a pipeline, as SVG or for Mermaid or Graphviz
    Graph(Graph),
    /// Write the compiled pipeline as a JSON document that other programs may read
    Export(Export),
    /// Write a page about a file or a folder: pipelines, data, steps, gates, models, deployments
    Doc(Doc),
    /// Run a pipeline
    #[command(after_help = RUN_HELP)]
    Run(Run),
    /// Run what a run of the past was to do, with what it did reused
    #[command(after_help = RETRY_HELP)]
    Retry(Retry),
    /// Stop the run that is live, in good order
    #[command(after_help = CANCEL_HELP)]
    Cancel(Cancel),
    /// Say yes or no to a gate that waits for people
    Approve(Approve),
    /// Run the tests of files, each with data and parameters of its own
    Test(Test),
    /// Let deployments live: answer requests, roll out, watch, retrain
    #[command(after_help = SERVE_HELP)]
    Serve(Serve),
    /// Look at deployments, or steer them
    Deploy {
        #[command(subcommand)]
        command: Deploy,
    },
    /// Hand over labels that came after the predictions
    Label {
        #[command(subcommand)]
        command: Label,
    },
    /// Play rows of the past to a deployment, with their own time
    #[command(after_help = REPLAY_HELP)]
    Replay(Replay),
    /// Tell what happened to deployments, from the first candidate to the last alert
    Story(Story),
    /// Tell what is running, or how the last run ended, and the registered models
    Status,
    /// List all runs, the newest first
    Runs(Runs),
    /// Print what the steps of a run said
    #[command(after_help = LOGS_HELP)]
    Logs(Logs),
    /// Tell why a step ran or was reused in a run, as it was then
    #[command(after_help = EXPLAIN_RUN_HELP)]
    ExplainRun(ExplainRun),
    /// Compare two runs: parameters, source, nodes, inputs, metrics, artifacts
    #[command(after_help = DIFF_HELP)]
    Diff(Diff),
    /// Write when each step of a run ran, in the format of Chrome's trace viewer
    #[command(after_help = TRACE_HELP)]
    Trace(Trace),
    /// Tell the story of a run, a step of a run, or a model
    #[command(after_help = "Examples:\n  mlp show last\n  mlp show 3 train\n  mlp show churn\n  mlp show churn@2")]
    Show(Show),
    /// Serve an editor: the language server protocol over standard input and output
    Lsp {
        /// Taken for editors that insist on saying it; there is no other way
        #[arg(long, hide = true)]
        stdio: bool,
    },
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
#[derive(Debug, Default, Args)]
pub struct Params {
    /// Set a parameter, written as in the file: `-p holdout=25%`; may be repeated
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = name_and_value, action = ArgAction::Append)]
    pub params: Vec<(String, String)>,
    /// Set the parameters that this profile of mlp-profiles.json names; --param goes before it
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
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
    /// Apply the safe fixes and write the files; with `-` print the mended text
    #[arg(long)]
    pub fix: bool,
    /// Apply also the fixes that a person should look at
    #[arg(long, requires = "fix")]
    pub unsafe_fixes: bool,
    /// Show what `--fix` would change, and write nothing
    #[arg(long, requires = "fix")]
    pub diff: bool,
    /// Do not tell this lint, by name or code; `warnings` stands for all; may be repeated
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    pub allow: Vec<String>,
    /// Tell this lint as a warning
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    pub warn: Vec<String>,
    /// Tell this lint as an error
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    pub deny: Vec<String>,
    /// Admit the lints that this file lists, for example mlp-baseline.json
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// List in the baseline what is found now
    #[arg(long, requires = "baseline")]
    pub write_baseline: bool,
    #[command(flatten)]
    pub params: Params,
}

/// `mlp explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// A code or a name: `E0203`, `unknown-step`
    pub code: Option<String>,
}

/// `mlp fmt`
#[derive(Debug, Args)]
pub struct Fmt {
    /// Files, folders with `.mlp` files in them, or `-` for standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// What to call standard input in findings
    #[arg(long, value_name = "PATH", default_value = "<stdin>", hide_default_value = true)]
    pub stdin_name: String,
    /// Write nothing; name the files that would change
    #[arg(long)]
    pub check: bool,
    /// Write nothing; show what would change
    #[arg(long)]
    pub diff: bool,
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
    #[command(flatten)]
    pub only: Only,
    /// Tell the time it takes with so many steps at once [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// `mlp graph`
#[derive(Debug, Args)]
pub struct Graph {
    /// The pipeline's file
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// How it is written [default: as --out ends, else mermaid]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<GraphFormat>,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub params: Params,
}

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz
    Dot,
    /// For Markdown that draws Mermaid
    Mermaid,
    /// A picture
    Svg,
    /// Nodes and edges
    Json,
}

/// `mlp export`
#[derive(Debug, Args)]
pub struct Export {
    /// The pipeline's file
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// As JSON, of the schema in spec/pipeline.schema.json; the only form there is
    #[arg(long)]
    pub json: bool,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub params: Params,
}

/// `mlp doc`
#[derive(Debug, Args)]
pub struct Doc {
    /// A file, or a folder with `.mlp` files in it
    #[arg(value_hint = ValueHint::AnyPath)]
    pub path: PathBuf,
    /// The folder to write `index.html` to; it is made if need be
    #[arg(short, long, value_name = "DIR", default_value = "doc", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

/// What to run even if its result is known.
#[derive(Debug, Args)]
pub struct Force {
    /// Run this step even if its result is known; may be repeated
    #[arg(long, value_name = "STEP", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new())]
    pub force: Vec<String>,
    /// Run this step and everything after it even if their results are known; may be repeated
    #[arg(long, value_name = "STEP", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new())]
    pub from: Vec<String>,
    /// Run every step even if its result is known
    #[arg(long, conflicts_with_all = ["force", "from"])]
    pub force_all: bool,
}

/// A part of a pipeline.
#[derive(Debug, Args)]
pub struct Only {
    /// Only these and what they need: nothing else runs, registers or deploys; several with commas or by repeating
    #[arg(long, value_name = "STEP", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub only: Vec<String>,
}

/// Where a run goes on.
#[derive(Debug, Default, Args)]
pub struct Background {
    /// Run in the background: print the run's number and leave it to itself
    #[arg(long)]
    pub detach: bool,
    /// The log of a detached run
    #[arg(long, hide = true, value_name = "FILE", conflicts_with = "detach")]
    pub announce: Option<PathBuf>,
}

/// `mlp test`
#[derive(Debug, Args)]
pub struct Test {
    /// Files, or folders with `.mlp` files in them
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// Run only tests with this in their name
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    #[command(flatten)]
    pub params: Params,
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
    #[command(flatten)]
    pub only: Only,
    /// Tell what would run, like `mlp plan`, and run nothing; exit code 1 if it would fail
    #[arg(long, conflicts_with_all = ["detach", "wait"])]
    pub dry_run: bool,
    #[command(flatten)]
    pub background: Background,
    /// After a failure, go on with everything that does not need what failed
    #[arg(short, long)]
    pub keep_going: bool,
    /// If another mlp is at work in this project, wait for it to end
    #[arg(long)]
    pub wait: bool,
}

impl Run {
    /// `mlp run FILE` with these parameters and nothing else.
    pub fn of(file: &std::path::Path, params: &Params) -> Run {
        Run {
            file: file.to_owned(),
            params: Params { params: params.params.clone(), profile: params.profile.clone() },
            jobs: None,
            force: Force { force: Vec::new(), from: Vec::new(), force_all: false },
            only: Only { only: Vec::new() },
            dry_run: false,
            background: Background::default(),
            keep_going: false,
            wait: false,
        }
    }
}

/// `mlp retry`
#[derive(Debug, Args)]
pub struct Retry {
    /// A run's number, or `last`
    pub run: String,
    /// How many steps may run at once [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub background: Background,
    /// After a failure, go on with everything that does not need what failed
    #[arg(short, long)]
    pub keep_going: bool,
    /// If another mlp is at work in this project, wait for it to end
    #[arg(long)]
    pub wait: bool,
}

/// `mlp cancel`
#[derive(Debug, Args)]
pub struct Cancel {
    /// A run's number, or `last`; the live one if left out
    pub run: Option<String>,
    /// Do not wait for the run's end
    #[arg(long)]
    pub no_wait: bool,
}

/// `mlp approve`
#[derive(Debug, Args)]
pub struct Approve {
    /// The gate; the only one that waits if left out
    pub gate: Option<String>,
    /// In whose name: one of those that the gate asks
    #[arg(long = "as", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
    /// Say no
    #[arg(long)]
    pub reject: bool,
    /// What there is to say about it
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// A run's number, or `last`
    #[arg(long, value_name = "RUN", default_value = "last")]
    pub run: String,
}

/// `mlp explain-run`
#[derive(Debug, Args)]
pub struct ExplainRun {
    /// A step or a data set
    pub step: String,
    /// A run's number, or `last`
    #[arg(long, value_name = "RUN", default_value = "last")]
    pub run: String,
}

/// `mlp diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// A run's number, or `last`
    #[arg(value_name = "RUN")]
    pub before: String,
    /// Another one
    #[arg(value_name = "OTHER")]
    pub after: String,
}

/// `mlp trace`
#[derive(Debug, Args)]
pub struct Trace {
    /// A run's number, or `last`
    pub run: String,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
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
    /// Go on as the run says more, until it ends
    #[arg(short, long)]
    pub follow: bool,
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

/// `mlp serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Files whose deployments are to live
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Live on virtual time, which stands at this date or time until `mlp replay` moves it
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub virtual_from: Option<Millis>,
}

/// `mlp deploy`
#[derive(Debug, Subcommand)]
pub enum Deploy {
    /// Tell which versions answer, how the rollout goes, and what the monitors say
    Status {
        /// A deployment; all of them if left out
        deployment: Option<String>,
    },
    /// Tell everything that happened to a deployment, who asked for what included
    History {
        /// Which deployment
        deployment: String,
    },
    /// Go on to the next step of the rollout now, or let a waiting candidate take over
    Promote {
        /// Which deployment
        deployment: String,
    },
    /// Hold the rollout where it is
    Pause {
        /// Which deployment
        deployment: String,
    },
    /// Go on with a paused rollout
    Resume {
        /// Which deployment
        deployment: String,
    },
    /// End the rollout: all requests go to the stable version
    Abort {
        /// Which deployment
        deployment: String,
    },
    /// Go back to the version that was stable before, at once
    Rollback {
        /// Which deployment
        deployment: String,
        /// To this version instead
        #[arg(long, value_name = "VERSION")]
        to: Option<u64>,
    },
    /// Roll the candidate that was rejected last out again
    Retry {
        /// Which deployment
        deployment: String,
    },
}

/// `mlp label`
#[derive(Debug, Subcommand)]
pub enum Label {
    /// Join the labels in a file to the predictions they belong to
    Import {
        /// CSV or Parquet with the columns `id` (of the prediction) and the label
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Whose predictions
        #[arg(long, value_name = "NAME")]
        deployment: String,
    },
}

/// `mlp replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// CSV or Parquet with the columns that the deployment is asked with, a time, and the label
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub data: PathBuf,
    /// Run this pipeline and let it live in this process, on virtual time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "to")]
    pub through: Option<PathBuf>,
    /// Which deployment [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// How fast: `1x`, `3600x` (an hour a second), or `max`
    #[arg(long, value_name = "SPEED", default_value = "max", value_parser = speed)]
    pub at: Speed,
    /// The column that tells the time [default: the only one of type `time`]
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// The first moment to play
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<Millis>,
    /// Where to stop: before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Millis>,
    /// How long after a row its label comes
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = lasting)]
    pub labels_after: Millis,
    #[command(flatten)]
    pub params: Params,
}

/// Seconds of the data in a second; `None`: as fast as possible.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(pub Option<f64>);

/// `mlp story`
#[derive(Debug, Args)]
pub struct Story {
    /// A deployment or a pipeline; everything if left out
    pub name: Option<String>,
    /// Write a page with pictures instead: drift and errors over time, with the versions marked
    #[arg(long)]
    pub html: bool,
    /// Where to write the page [default: NAME-story.html]
    #[arg(short = 'O', long, value_name = "FILE", requires = "html", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write it as NAME=VALUE, for example `seed=7`".to_owned()),
    }
}

/// `2011-04-01`, `2011-04-01T12:00:00Z`
fn moment(text: &str) -> Result<Millis, String> {
    let time = text.parse::<jiff::Timestamp>();
    let day = || text.parse::<jiff::civil::Date>().and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC));
    match time.or_else(|_| day().map(|day| day.timestamp())) {
        Ok(time) => Ok(time.as_millisecond()),
        Err(_) => Err("write a date or a time: 2011-04-01, 2011-04-01T12:00:00Z".to_owned()),
    }
}

/// `max`, `3600x`
fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed(None));
    }
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(Speed(Some(factor))),
        _ => Err("write `max`, or how much faster than it happened: `1x`, `3600x`".to_owned()),
    }
}

/// `36h`, `1d`: a duration as in the language, in milliseconds.
fn lasting(text: &str) -> Result<Millis, String> {
    match mlp_lang::syntax::duration(text) {
        Some(nanos) => Ok(nanos / 1_000_000),
        None => Err("write a duration: `90m`, `36h`, `7d`".to_owned()),
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

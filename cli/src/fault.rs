//! Faults: why a command could not do its work, in four lines that are always the same.
//!
//! ```text
//! error: cannot write the journal of run 3
//! cause: No space left on device (os error 28)
//! safe:  everything that was reported as done is kept
//! next:  make room, then run the same command again
//! ```
//!
//! Mistakes in a `.mlp` file or in data are not faults but findings.

use crate::exit::Exit;
use crate::render::text::clean;
use mlp_core::error::EngineError;
use mlp_core::lock::Holder;
use mlp_core::transfer::TransferError;
use serde_json::{Value, json};
use std::error::Error;

/// Why a command could not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What failed, on what.
    pub error: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What was not harmed.
    pub safe: Option<String>,
    /// What to do.
    pub next: Option<String>,
    /// How the command ends.
    pub exit: Exit,
}

impl Fault {
    /// A fault of the machine or of a file.
    pub fn new(error: impl Into<String>) -> Fault {
        Fault { error: error.into(), causes: Vec::new(), safe: None, next: None, exit: Exit::Failed }
    }

    /// A fault of the command line.
    pub fn usage(error: impl Into<String>) -> Fault {
        Fault { exit: Exit::Usage, ..Fault::new(error) }
    }

    /// Why.
    pub fn cause(mut self, cause: impl ToString) -> Fault {
        self.causes.push(cause.to_string());
        self
    }

    /// What was not harmed.
    pub fn safe(mut self, safe: impl Into<String>) -> Fault {
        self.safe = Some(safe.into());
        self
    }

    /// What to do.
    pub fn next(mut self, next: impl Into<String>) -> Fault {
        self.next = Some(next.into());
        self
    }

    /// The lines, without the last newline.
    pub fn text(&self) -> String {
        let mut lines = vec![format!("error: {}", clean(&self.error))];
        lines.extend(self.causes.iter().map(|cause| format!("cause: {}", clean(cause))));
        lines.extend(self.safe.iter().map(|safe| format!("safe:  {}", clean(safe))));
        lines.extend(self.next.iter().map(|next| format!("next:  {}", clean(next))));
        lines.join("\n")
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        json!({
            "schema": "mlp.error/1",
            "error": self.error,
            "causes": self.causes,
            "safe": self.safe,
            "next": self.next,
            "exit": self.exit.code(),
        })
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Fault {
        let mut fault = match &error {
            EngineError::Busy { holder } => {
                let next = match holder {
                    Some(Holder { run: Some(run), .. }) => format!(
                        "look at it with `mlp status`, stop it with `mlp cancel {run}`, or run after it with `mlp run --wait`"
                    ),
                    Some(holder) => {
                        format!("run after it with `mlp run --wait`, or stop it with `kill {}`", holder.pid)
                    }
                    None => "run after it with `mlp run --wait`".to_owned(),
                };
                let who = holder.as_ref().map_or("another process".to_owned(), ToString::to_string);
                return Fault::new("this project is in use by another mlp")
                    .cause(format!("held by {who}"))
                    .safe("nothing was started or changed")
                    .next(next);
            }
            EngineError::UnknownNode { near, .. } => Fault::usage(error.to_string()).next(match near {
                Some(near) => format!("did you mean `{near}`? `mlp plan` lists all names"),
                None => "use a name that `mlp plan` lists".to_owned(),
            }),
            EngineError::UnknownRun { wanted } if wanted == "last" => {
                Fault::new("nothing has run in this project yet").next("`mlp run FILE` runs a pipeline")
            }
            EngineError::UnknownRun { .. } => Fault::new(error.to_string()).next("`mlp runs` lists all runs"),
            EngineError::UnknownModel { .. } => {
                Fault::new(error.to_string()).next("`mlp status` lists the registered models")
            }
            EngineError::NotDurable { why, .. } => {
                let fault = Fault::new(error.to_string())
                    .safe("every step that was reported as done is kept; the next run takes up from there");
                match is_full(why) {
                    true => fault.next(MAKE_ROOM),
                    false => fault.next("look at the disk (permissions, errors), then run the same command again"),
                }
            }
            EngineError::Store(_) => {
                let fault = Fault::new(error.to_string())
                    .safe("the journals hold everything that happened; the store is only derived from them");
                // A store that was kept from working is not a broken one: making it anew would fail the same way.
                match is_full(&error.to_string()) {
                    true => fault.next(MAKE_ROOM),
                    false => fault.next("if nothing else uses the project, `mlp state rebuild` makes the store anew"),
                }
            }
            EngineError::Journal(_) => Fault::new(error.to_string())
                .safe("nothing was changed; other runs and what the store knows are untouched")
                .next("bring the journal back from a copy, or move that run's folder away and run `mlp state rebuild`"),
            EngineError::Disk(disk) => {
                Fault::new(error.to_string()).safe("what was reported as done before is kept").next(
                    hint(disk.source.kind()).unwrap_or("mend what the message names, then run the same command again"),
                )
            }
            _ => Fault::new(error.to_string()),
        };
        // An error that tells its source in its own words need not tell it twice.
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !fault.error.contains(&cause_text) {
                fault.causes.push(cause_text);
            }
            source = cause.source();
        }
        fault
    }
}

impl From<TransferError> for Fault {
    fn from(error: TransferError) -> Fault {
        let fault = Fault::new(error.to_string());
        match error {
            TransferError::Engine(error) => error.into(),
            TransferError::Unsound { .. } => fault
                .safe("nothing of it was taken in, and nothing here was changed")
                .next("write or copy the file once more, and run the same command again"),
            TransferError::Exists { .. } => fault.next("name another file, or move that one away"),
            TransferError::Damaged { .. } => fault.safe("no file was written").next("run `mlp state verify`"),
            TransferError::NotEnded { .. } => fault.next("wait for it to end, or export other runs"),
            TransferError::Nothing => fault.next("run a pipeline first"),
        }
    }
}

/// The words of the system for a full disk or a used up quota; sled and the journal pass on nothing else.
pub fn is_full(words: &str) -> bool {
    ["No space left", "no space left", "quota exceeded"].iter().any(|known| words.contains(known))
}

/// What to do then.
pub const MAKE_ROOM: &str =
    "make room on the disk (`mlp state gc` removes old results), then run the same command again";

/// What to do about a file operation that failed like this.
fn hint(kind: std::io::ErrorKind) -> Option<&'static str> {
    use std::io::ErrorKind;
    match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("give yourself access to it, or name another state folder with `--state DIR`")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(MAKE_ROOM),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            Some("move what stands in the way, or name another state folder with `--state DIR`")
        }
        _ => None,
    }
}

//! What a command tells its caller when it ends.

use mlp_core::record::Outcome;
use std::process::ExitCode;

/// How a command ended. The numbers are documented and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what it was asked.
    Done = 0,
    /// Something failed: a step, a file, the machine.
    Failed = 1,
    /// The command line, the file or its data's declaration is wrong; nothing ran.
    Usage = 2,
    /// A gate said no.
    Blocked = 3,
    /// Everything ran, and something waits for somebody else: a deployment for the resident engine.
    Waiting = 4,
    /// It was told to stop.
    Interrupted = 130,
}

impl Exit {
    /// The code of a run that ended like this.
    pub fn of(outcome: Outcome) -> Exit {
        match outcome {
            Outcome::Succeeded => Exit::Done,
            Outcome::Failed | Outcome::Interrupted => Exit::Failed,
            Outcome::Blocked => Exit::Blocked,
            Outcome::Cancelled => Exit::Interrupted,
            Outcome::Waiting => Exit::Waiting,
        }
    }

    /// The code of a run that ended like this, and whose deployments nobody has taken up.
    pub fn waiting(outcome: Outcome) -> Exit {
        match Exit::of(outcome) {
            Exit::Done => Exit::Waiting,
            other => other,
        }
    }

    /// As a number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

//! How a resident engine is spoken to: one JSON document a line over a Unix socket, one line back for each.
//!
//! The socket is open to the user who started the engine, and to nobody else.

use crate::evidence::{LabelReport, LabelValue};
use crate::home::Home;
use crate::machine::{Asked, Live};
use mlp_core::record::Millis;
use mlp_lang::finding::Finding;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long an answer may take that does not move time.
const PATIENCE: Duration = Duration::from_secs(30);

/// What can be asked of a resident engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Who are you, and what do you listen on?
    Hello,
    /// Do this with a deployment.
    Ask {
        /// Which.
        deployment: String,
        /// What.
        what: Asked,
    },
    /// A run ended: look whether it hands something over.
    RunEnded,
    /// Move a virtual clock; answered when everything due until then is done.
    Advance {
        /// To when.
        to: Millis,
    },
    /// Labels for predictions of a deployment: the file's path, absolute.
    ImportLabels {
        /// Which deployment.
        deployment: String,
        /// The file.
        file: PathBuf,
        /// Its path as the user wrote it.
        shown: String,
    },
    /// Labels for predictions of a deployment.
    Labels {
        /// Which deployment.
        deployment: String,
        /// Prediction id and what really happened.
        labels: Vec<(String, LabelValue)>,
    },
    /// What happened.
    Story {
        /// How many lines of it are known already.
        after: usize,
    },
}

/// What a resident engine answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Request::Hello`].
    Hello {
        /// Process id.
        pid: u32,
        /// Its time.
        now: Millis,
        /// Whether somebody must move it.
        virtual_time: bool,
        /// Addresses it answers requests on, by deployment.
        listening: Vec<(String, String)>,
    },
    /// Done; a sentence about it.
    Done(String),
    /// Not done, and why.
    Refused(String),
    /// What became of labels.
    Labels(LabelReport),
    /// A file of labels is wrong; nothing of it was taken.
    Findings(Vec<Finding>),
    /// To [`Request::Story`].
    Story {
        /// When, about what, and what happened.
        lines: Vec<Line>,
        /// How many lines are known now.
        known: usize,
    },
}

/// A line of the story: when, about what, and what happened.
pub type Line = (Millis, String, String);

/// Why a resident engine could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// Nobody is there.
    #[error("no resident engine is at work in this project")]
    Nobody,
    /// It is there and does not answer.
    #[error("the resident engine did not answer: {0}")]
    Failed(#[from] std::io::Error),
    /// It answered in another language.
    #[error("the resident engine answered what this version does not understand: {0}")]
    Strange(String),
}

/// A line to a resident engine.
pub struct Client {
    reader: BufReader<UnixStream>,
}

impl Client {
    /// Opens one.
    pub fn connect(home: &Home) -> Result<Client, NotAsked> {
        match UnixStream::connect(home.socket()) {
            Ok(stream) => Ok(Client { reader: BufReader::new(stream) }),
            // A socket file without a listener was left behind by a killed engine.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                Err(NotAsked::Nobody)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks and waits for the answer. To move time takes as long as it takes.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, NotAsked> {
        let patience = (!matches!(request, Request::Advance { .. } | Request::ImportLabels { .. })).then_some(PATIENCE);
        self.reader.get_ref().set_read_timeout(patience)?;
        let mut line = serde_json::to_vec(request).map_err(std::io::Error::from)?;
        line.push(b'\n');
        self.reader.get_mut().write_all(&line)?;
        let mut answer = String::new();
        if self.reader.read_line(&mut answer)? == 0 {
            return Err(std::io::Error::new(ErrorKind::UnexpectedEof, "it ended before it answered").into());
        }
        serde_json::from_str(&answer).map_err(|_| NotAsked::Strange(answer.trim().to_owned()))
    }
}

/// What happened, in words, from the entry with this number on.
pub(crate) fn story(live: &Live, after: usize) -> Vec<Line> {
    let told = live.story().iter().skip(after);
    told.map(|told| (told.at, told.about.clone(), told.words.clone())).collect()
}

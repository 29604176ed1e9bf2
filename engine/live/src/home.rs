//! Where the live half keeps its state, and who is at work there.
//!
//! ```text
//! <state>/live/
//!   lock                  held by the resident engine; says who
//!   journal               what happened to deployments, monitors and triggers
//!   control               the socket through which it is spoken to (below /tmp if the path is too long for a socket)
//!   <deployment>/         its prediction log and its labels
//! ```

use crate::machine::{Entry, Live};
use mlp_core::aliases::Aliases;
use mlp_core::clock::{Clock, SystemClock};
use mlp_core::disk::{At, DiskError, make_folders};
use mlp_core::journal::ledger::read_ledger;
use mlp_core::journal::{JournalError, Logged};
use mlp_core::lock::{self, Holder, Lock, NotLocked};
use mlp_core::project::Project;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest path that every system takes for a socket.
const LONGEST_SOCKET: usize = 100;

impl Logged for Entry {
    const MAGIC: [u8; 8] = *b"mlplive\x03";
    const REMEDY: &'static str = "move it out of the way: deployments then begin anew with the next run, and runs and models are \
                                  untouched";
}

/// The live half of a project's state folder.
#[derive(Clone, Debug)]
pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// Of a project. Makes nothing.
    pub fn of(project: &Project) -> Home {
        Home { folder: project.state.join("live") }
    }

    /// Makes its folder, if need be.
    pub fn create(&self) -> Result<(), DiskError> {
        if !self.folder.is_dir() {
            make_folders(&self.folder)?;
        }
        let ignore = self.folder.join("../.gitignore");
        if !ignore.exists() {
            std::fs::write(&ignore, "*\n").at("write", &ignore)?;
        }
        Ok(())
    }

    /// The lock of the resident engine.
    pub fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// The journal of the resident engine.
    pub fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Where the resident engine listens to people and to runs.
    pub fn socket(&self) -> PathBuf {
        let near = std::path::absolute(self.folder.join("control")).unwrap_or_else(|_| self.folder.join("control"));
        if near.as_os_str().len() <= LONGEST_SOCKET {
            return near;
        }
        let name = blake3::hash(near.as_os_str().as_encoded_bytes()).to_hex();
        Path::new("/tmp").join(format!("mlp-{}.sock", &name[..24]))
    }

    /// A file that the holder of the lock may use for a moment.
    pub(crate) fn aside(&self) -> PathBuf {
        self.folder.join("aside")
    }

    /// The folder of a deployment's evidence. Names are identifiers.
    pub fn deployment(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Who lets deployments live right now, if anybody.
    pub fn resident(&self) -> Result<Option<Holder>, DiskError> {
        lock::holder(&self.lock())
    }

    /// Becomes the resident engine, or the one process that may write here while there is none.
    pub fn take_lock(&self) -> Result<Lock, NotLocked> {
        let command = std::env::args().collect::<Vec<_>>().join(" ");
        let holder = Holder { pid: std::process::id(), command, run: None, pipeline: None, since: SystemClock.now() };
        // A reader that asks who is there holds the lock for an instant.
        Lock::take(&self.lock(), &holder, Duration::from_millis(50))
    }

    /// Everything that was written down. Reads only; nothing there is no error.
    pub fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        match self.journal().exists() {
            true => read_ledger(&self.journal()),
            false => Ok(Vec::new()),
        }
    }

    /// What is live, as written down, and the versions that `registry("model@deployment")` stands for.
    pub fn aliases(&self) -> Result<Aliases, String> {
        let entries = self.entries().map_err(|error| error.to_string())?;
        Live::fold(&entries).map(|live| aliases(&live)).map_err(|error| error.to_string())
    }
}

/// Each deployment's stable version.
pub fn aliases(live: &Live) -> Aliases {
    let mut aliases = Aliases::default();
    for (name, _) in live.deployments() {
        if let Some((model, version)) = live.serving(name) {
            aliases.set(name, model, version);
        }
    }
    aliases
}

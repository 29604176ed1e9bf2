//! A scratch project, and the words the stories are written in.

use mlp_core::history::{History, records};
use mlp_core::project::Project;
use mlp_core::record::Record;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A project of its own in a temporary folder, removed when dropped.
pub struct Space {
    folder: TempDir,
}

/// The repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("cli/ lies in the repository").to_owned()
}

impl Space {
    /// An empty project.
    pub fn new() -> Space {
        let space = Space { folder: TempDir::new().expect("a temporary folder") };
        std::fs::create_dir(space.path(".mlp")).expect("the state folder marks the project's root");
        space
    }

    /// A project with a copy of `examples/<name>`, at its root.
    pub fn with_example(name: &str) -> Space {
        let space = Space::new();
        copy_folder(&repository().join("examples").join(name), space.folder.path());
        space
    }

    /// A path in the project.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().expect("in the project")).expect("folders");
        std::fs::write(path, content).expect("a written file");
    }

    /// The text of a file.
    pub fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).expect("a readable file")
    }

    /// Changes a file: every `from` becomes `to`, and there must be one.
    pub fn replace(&self, relative: &str, from: &str, to: &str) {
        let text = self.read(relative);
        assert!(text.contains(from), "{relative} has no {from:?}");
        self.write(relative, text.replace(from, to));
    }

    /// `mlp` with these arguments, ready to start in the project's folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["MLP_STATE", "MLP_STDLIB", "MLP_LOG", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs `mlp` to its end.
    pub fn mlp(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("mlp starts");
        Ran { command: format!("mlp {}", arguments.join(" ")), output }
    }

    /// Starts `mlp` and does not wait.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("mlp starts")
    }

    /// What another process can know of the project.
    pub fn history(&self) -> History {
        History::open(&Project::at(self.path(".mlp")))
    }

    /// Every durable record of every run, in order.
    pub fn records(&self) -> Vec<Record> {
        let project = Project::at(self.path(".mlp"));
        let runs = self.history().runs().expect("readable journals");
        runs.iter().flat_map(|run| records(&project, run.run).expect("a readable journal")).collect()
    }

    /// The metrics document that a step of the last run gave.
    pub fn metrics(&self, step: &str) -> serde_json::Value {
        let view = self.history().run("last").expect("a run");
        let outputs = &view.node(step).expect("a step of the last run").outputs;
        let artifact = outputs.iter().find(|output| output.output == "metrics").expect("metrics");
        let bytes = self.history().artifact_bytes(artifact).expect("its bytes");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// Every file below a folder of the project, relative to it, sorted.
    pub fn files(&self, relative: &str) -> Vec<String> {
        let root = self.path(relative);
        let mut found = Vec::new();
        let mut open = vec![root.clone()];
        while let Some(folder) = open.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    open.push(entry.path());
                } else {
                    found.push(entry.path().strip_prefix(&root).expect("below").to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }
}

/// What a command did.
pub struct Ran {
    command: String,
    output: Output,
}

impl Ran {
    /// Standard output.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// Standard error.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Both.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout(), self.stderr())
    }

    /// How it ended; `None`: by a signal.
    pub fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    /// It must have ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(
            self.output.status.code(),
            Some(code),
            "{}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.stdout(),
            self.stderr()
        );
        self
    }

    /// Its output, either stream, must hold this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Ran {
        assert!(self.text().contains(text), "{} does not say {text:?}:\n{}", self.command, self.text());
        self
    }

    /// Its output must not hold this text.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Ran {
        assert!(!self.text().contains(text), "{} says {text:?}:\n{}", self.command, self.text());
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout())
            .unwrap_or_else(|error| panic!("{}: {error}\n{}\n{}", self.command, self.stdout(), self.stderr()))
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a readable example").flatten() {
        let target = to.join(entry.file_name());
        if entry.file_name() == ".mlp" {
            continue;
        }
        if entry.file_type().expect("a type").is_dir() {
            std::fs::create_dir_all(&target).expect("a folder");
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

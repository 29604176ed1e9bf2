//! Where a project is, and where its state lies.
//!
//! ```text
//! <root>/.mlp/
//!   .gitignore                 *
//!   lock                       held by the live engine; says who
//!   runs/000001/journal        what happened
//!   runs/000001/logs/          what steps said
//!   runs/000001/cancel         somebody asked for this run to stop
//!   detached/000001.log        what `mlp run --detach` would have printed
//!   archive/000001-000950      old runs, many in one file
//!   artifacts/ab/<hex>         published outputs, read-only
//!   store/                     sled: what is true now, rebuildable
//!   work/<run>-<node>-<n>/     an attempt's private folder
//! ```

use crate::digest::Digest;
use crate::disk::{At, DiskError, make_folders, names};
use std::path::{Path, PathBuf};

/// More runs than any project has; a folder with a larger number was not made by an engine.
pub(crate) const LAST_RUN: u64 = 999_999_999;

/// A project: the folder people work in, and the folder the engine keeps its state in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// What belongs together: a repository, or the folder of a lone file.
    pub root: PathBuf,
    /// `.mlp` in it.
    pub state: PathBuf,
}

impl Project {
    /// The project that `start` (a file or a folder) belongs to: the nearest folder above with a `.mlp` folder, else
    /// the nearest repository, else the folder of `start` itself. Makes nothing.
    pub fn discover(start: &Path) -> Project {
        let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
        let folder = match start.is_dir() {
            true => start.clone(),
            false => start.parent().map_or_else(|| start.clone(), Path::to_owned),
        };
        let above = |wanted: &dyn Fn(&Path) -> bool| folder.ancestors().find(|at| wanted(at)).map(Path::to_owned);
        let root = above(&|at| at.join(".mlp").is_dir())
            .or_else(|| above(&|at| at.join(".git").exists()))
            .unwrap_or(folder.clone());
        Project { state: root.join(".mlp"), root }
    }

    /// The project whose state is this folder.
    pub fn at(state: impl Into<PathBuf>) -> Project {
        let state = state.into();
        let root = match state.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Project { root, state }
    }

    /// A path as it is called from the project's root, so that it still leads there when the project was moved; a path
    /// outside of it from the machine's.
    pub fn shortened(&self, path: &Path) -> String {
        let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
        let (Ok(path), Ok(root)) = (whole(path), whole(&self.root)) else { return path.display().to_string() };
        path.strip_prefix(&root).unwrap_or(&path).display().to_string()
    }

    /// Makes the state folder, if need be.
    pub(crate) fn create(&self) -> Result<(), DiskError> {
        for folder in [self.runs(), self.artifacts(), self.work()] {
            if !folder.is_dir() {
                make_folders(&folder)?;
            }
        }
        let ignore = self.state.join(".gitignore");
        match ignore.exists() {
            true => Ok(()),
            false => std::fs::write(&ignore, "*\n").at("write", &ignore),
        }
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    pub(crate) fn run(&self, run: u64) -> PathBuf {
        self.runs().join(format!("{run:06}"))
    }

    pub(crate) fn journal(&self, run: u64) -> PathBuf {
        self.run(run).join("journal")
    }

    pub(crate) fn cancel(&self, run: u64) -> PathBuf {
        self.run(run).join("cancel")
    }

    pub(crate) fn log(&self, run: u64, node: &str, attempt: u32) -> PathBuf {
        self.run(run).join("logs").join(format!("{}.{attempt}.log", file_name(node)))
    }

    pub(crate) fn detached(&self) -> PathBuf {
        self.state.join("detached")
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.state.join("archive")
    }

    pub(crate) fn artifacts(&self) -> PathBuf {
        self.state.join("artifacts")
    }

    pub(crate) fn artifact(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        self.artifacts().join(&hex[..2]).join(hex)
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.state.join("work")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.state.join("store")
    }

    /// The numbers of all runs that have a folder, ascending. Whatever else lies there is not ours.
    pub(crate) fn run_numbers(&self) -> Result<Vec<u64>, DiskError> {
        let names = names(&self.runs())?;
        let mut runs: Vec<u64> = names.iter().filter_map(|name| self.run_named(name)).collect();
        runs.sort_unstable();
        Ok(runs)
    }

    fn run_named(&self, name: &str) -> Option<u64> {
        let run: u64 = name.parse().ok().filter(|run| (1..=LAST_RUN).contains(run))?;
        (format!("{run:06}") == name && self.run(run).is_dir()).then_some(run)
    }
}

/// A node's name as part of a file name. Names are identifiers, so this changes nothing; were one ever not, it could
/// still not leave its folder.
pub(crate) fn file_name(node: &str) -> String {
    let mut name = String::with_capacity(node.len());
    for byte in node.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => name.push(byte as char),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_state_folder_wins_then_the_repository_then_the_folder_itself() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        let deep = top.join("repository/pipelines/churn");
        std::fs::create_dir_all(&deep).unwrap();
        let file = deep.join("churn.mlp");
        std::fs::write(&file, "").unwrap();
        assert_eq!(Project::discover(&file).root, deep);
        std::fs::create_dir(top.join("repository/.git")).unwrap();
        assert_eq!(Project::discover(&file).root, top.join("repository"));
        std::fs::create_dir(top.join("repository/pipelines/.mlp")).unwrap();
        assert_eq!(Project::discover(&file).state, top.join("repository/pipelines/.mlp"));
    }

    #[test]
    fn no_node_name_leaves_its_folder() {
        assert_eq!(file_name("train_2"), "train_2");
        assert_eq!(file_name("../x"), "%2e%2e%2fx");
    }
}

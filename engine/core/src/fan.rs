//! Steps for each of several values: what their members are called, what they do, what the whole depends on, and how what
//! the members gave is put together.

use crate::artifacts::{self, Published};
use crate::canonical;
use crate::digest::Digest;
use crate::disk::{self, At, DiskError};
use crate::executor::{ArtifactMeta, Tables, Task};
use crate::folder;
use crate::manifest::{Manifest, Section};
use crate::metrics::{Each, Metrics};
use crate::project::Project;
use crate::record::{Artifact, Failure};
use mlp_lang::types::Type;
use mlp_lang::value::Value;
use mlp_lang::work::{FanNode, Work};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Part of the identity of what is put together: to be raised when the same parts come out otherwise.
const COLLECTED: &str = "for 1";
/// The longest value that is a part of a name as it is, in bytes.
const LONGEST: usize = 40;
/// The longest list of values that a manifest tells in full.
const TOLD: usize = 100;

/// What a member is called: `part[0.1]`. No two of a fan are called the same.
pub(crate) fn name(fan: &str, values: &[Value], member: usize) -> String {
    let Some(value) = values.get(member) else { return format!("{fan}[#{}]", member + 1) };
    let written = written(value);
    let mut text: String = written.chars().filter(|c| !c.is_control()).collect();
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    // Cut, two of them may look the same.
    if text == written { format!("{fan}[{text}]") } else { format!("{fan}[{text}...#{}]", member + 1) }
}

/// The fan that something with this name is a member of.
pub(crate) fn of_member(name: &str) -> Option<&str> {
    // Names of nodes have no brackets.
    Some(name.split_once('[')?.0)
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}: {}", canonical::value(value)));
            entries.collect::<Vec<_>>().join(", ")
        }
        other => canonical::value(other),
    }
}

/// What a member does.
pub(crate) fn task(fan: &FanNode, member: usize) -> Option<Task> {
    match fan.members.get(member)? {
        Work::Step(step) => Some(Task::Step(Arc::new(step.clone()))),
        Work::Program(program) => Some(Task::Program(Arc::new((**program).clone()))),
        Work::Query(_) => None,
    }
}

/// The input that stands for everything its members depend on.
pub(crate) const EACH: &str = "each";

/// Everything that the whole depends on, from what its members depend on: open as long as that of one is. What is the same
/// for all of them is told, so that a difference has words.
pub(crate) fn manifest(fan: &FanNode, members: &[Option<Digest>], shared: Manifest) -> Manifest {
    let mut manifest = shared;
    manifest.set(Section::Runs, "collects", COLLECTED);
    let values = canonical::value(&Value::List(fan.values.clone()));
    let told = match fan.values.len() {
        ..=TOLD => values,
        many => format!("{many} values, {}", Digest::of(values.as_bytes())),
    };
    manifest.set(Section::Setting, fan.variable.clone(), told);
    let mut bytes = Vec::with_capacity(members.len() * 32);
    let known = members.iter().all(|member| member.map(|digest| bytes.extend_from_slice(&digest.0)).is_some());
    manifest.input(EACH, known.then(|| Digest::of(&bytes)));
    for (name, ty) in &fan.outputs {
        manifest.set(Section::Output, name, canonical::ty(ty));
    }
    manifest
}

/// What all members of a fan gave, to be put together.
pub(crate) struct Collection {
    pub project: Project,
    pub tables: Arc<dyn Tables>,
    pub fan: Arc<FanNode>,
    /// In the order of the values.
    pub given: Vec<Arc<Vec<Artifact>>>,
    /// A private folder, not made yet.
    pub work: PathBuf,
}

impl Collection {
    /// Puts it together and publishes it. The folder is gone when this ends.
    pub fn make(self) -> Result<Vec<Published>, Failure> {
        let made = disk::make_folders(&self.work).map_err(|error| operational(&error));
        let published = made.and_then(|()| {
            let all = self.fan.outputs.iter().enumerate();
            all.map(|(number, (name, ty))| self.output(number, name, ty)).collect()
        });
        if let Err(error) = disk::remove_tree(&self.work) {
            // Swept up when the project is next opened.
            tracing::warn!(%error, "a work folder stays behind");
        }
        published
    }

    fn output(&self, number: usize, name: &str, ty: &Type) -> Result<Published, Failure> {
        let out = self.work.join(format!("out{number}"));
        let meta = match ty {
            Type::Dataset(schema) => {
                let parts: Vec<PathBuf> =
                    self.parts(name)?.iter().map(|part| self.project.artifact(&part.digest)).collect();
                let rows = self.tables.concat(schema, &parts, &out);
                let rows = rows.map_err(|why| failed(format!("the tables cannot be put together: {why}")))?;
                ArtifactMeta { format: "parquet".to_owned(), rows: Some(rows), ..ArtifactMeta::default() }
            }
            Type::List(inner) if matches!(**inner, Type::Metrics(_)) => {
                let parts = self.parts(name)?;
                let metrics: Result<Vec<Metrics>, Failure> = parts.iter().map(|part| self.metrics(part)).collect();
                let values = self.fan.values.iter().map(canonical::value).collect();
                let bytes = serde_json::to_vec(&Each { values, metrics: metrics? });
                let bytes = bytes.map_err(|error| failed(error.to_string()))?;
                std::fs::write(&out, bytes).at("write", &out).map_err(|error| operational(&error))?;
                ArtifactMeta { format: "json".to_owned(), ..ArtifactMeta::default() }
            }
            _ => {
                self.folder(name, &out)?;
                ArtifactMeta { format: "folder".to_owned(), ..ArtifactMeta::default() }
            }
        };
        artifacts::publish(&self.project, name, &out, meta).map_err(|error| operational(&error))
    }

    /// One file for each value, named by its place in the list, from `1`.
    fn folder(&self, name: &str, out: &Path) -> Result<(), Failure> {
        let folder = out.with_extension("each");
        let lay_out = |parts: Vec<&Artifact>| {
            std::fs::create_dir(&folder).at("make the folder", &folder)?;
            for (member, part) in parts.into_iter().enumerate() {
                let (from, to) = (self.project.artifact(&part.digest), folder.join((member + 1).to_string()));
                std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(drop)).at("copy", &from)?;
            }
            folder::pack(&folder, out)
        };
        lay_out(self.parts(name)?).map_err(|error| operational(&error))
    }

    fn metrics(&self, part: &Artifact) -> Result<Metrics, Failure> {
        let bytes = crate::planner::bytes_of(&self.project, part);
        let bytes = bytes.ok_or_else(|| failed(format!("the numbers {} are gone", part.digest)))?;
        Metrics::parse(&bytes).map_err(failed)
    }

    fn parts(&self, name: &str) -> Result<Vec<&Artifact>, Failure> {
        let part = |given: &'_ Arc<Vec<Artifact>>| given.iter().position(|artifact| artifact.output == name);
        let all: Option<Vec<&Artifact>> = self.given.iter().map(|given| given.get(part(given)?)).collect();
        all.ok_or_else(|| failed(format!("a member did not give `{name}`")))
    }
}

fn failed(message: String) -> Failure {
    Failure { message, findings: Vec::new(), kind: "output".to_owned() }
}

fn operational(error: &DiskError) -> Failure {
    Failure { message: error.to_string(), findings: Vec::new(), kind: "operational".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_called_by_their_values_and_none_like_another() {
        let texts = ["north", "a\nb", &"x".repeat(41), &"é".repeat(30)].map(|text| Value::String(text.to_owned()));
        let names: Vec<String> = (0..4).map(|member| name("part", &texts, member)).collect();
        assert_eq!(names[0], "part[north]");
        assert_eq!(names[1], "part[ab...#2]");
        assert_eq!(names[2], format!("part[{}...#3]", "x".repeat(40)));
        assert_eq!(names[3], format!("part[{}...#4]", "é".repeat(20)));
        let numbers = [Value::Float(0.1), Value::Int(3), Value::Fraction(0.2)];
        let names: Vec<String> = (0..3).map(|member| name("part", &numbers, member)).collect();
        assert_eq!(names, ["part[0.1]", "part[3]", "part[20%]"]);
        assert_eq!(names.iter().map(|name| of_member(name)).collect::<Vec<_>>(), [Some("part"); 3]);
        assert_eq!(of_member("part"), None);
    }
}

//! Which version a `registry(...)` means. Decided once, when a run is planned, so that a deployment that moves on meanwhile
//! changes neither what the plan said nor what two steps of one run read.

use crate::aliases::Aliases;
use crate::executor::ArtifactMeta;
use crate::manifest::{Manifest, Section};
use crate::project::Project;
use crate::record::{Artifact, ModelVersion};
use crate::store::{Action, Store, StoreError};
use mlp_lang::live::{Pick, RegistryNode};

/// The output of a registry node.
const MODEL: &str = "model";

/// What there is in the registry.
#[derive(Clone, Debug)]
pub(crate) enum Lookup {
    /// This version.
    Found(Box<ModelVersion>),
    /// Nothing yet, which is no fault: in words.
    Absent(String),
    /// What is there cannot be used, or nothing is and it must be: what is wrong and what to do.
    Wrong(String),
}

/// Looks a version up; its bytes are not looked at.
pub(crate) fn look_up(store: &Store, aliases: &Aliases, node: &RegistryNode, name: &str) -> Result<Lookup, StoreError> {
    let model = &node.model;
    let (entry, missing) = match &node.pick {
        Pick::Latest => (store.latest_model(model)?, format!("no version of `{model}` is registered yet")),
        Pick::Version(version) => {
            (store.model(model, *version)?, format!("version {version} of `{model}` is not registered yet"))
        }
        Pick::Serving(deployment) => {
            let missing = format!("no version of `{model}` is `{deployment}` yet");
            match aliases.serving(deployment) {
                None => (None, missing),
                Some((other, _)) if other != model => (None, format!("{missing}: it serves `{other}`")),
                Some((_, version)) => match store.model(model, version)? {
                    None => return Ok(Lookup::Wrong(lost_entry(model, deployment, version))),
                    found => (found, missing),
                },
            }
        }
    };
    Ok(match entry {
        None if node.required => Lookup::Wrong(format!(
            "{missing}, and `{name}` is read without `when exists`. {}, or let what reads it run `when exists`",
            match &node.pick {
                Pick::Serving(deployment) => format!("Deploy a version of `{model}` as `{deployment}` first"),
                Pick::Latest | Pick::Version(_) => format!("Register `{model}` first"),
            }
        )),
        None => Lookup::Absent(missing),
        Some(entry) if entry.flavor != node.flavor => Lookup::Wrong(format!(
            "version {} of `{model}` is a `{}`, and what reads `{name}` wants a `{}`: read another model, or compare \
             with a step made for it",
            entry.version, entry.flavor, node.flavor
        )),
        Some(entry) => Lookup::Found(Box::new(entry)),
    })
}

fn lost_entry(model: &str, deployment: &str, version: u64) -> String {
    format!(
        "`{deployment}` serves version {version} of `{model}`, which no run of this project registered: bring back the \
         journal of the run that did, or deploy another version"
    )
}

/// Its bytes are not there.
pub(crate) fn lost_bytes(project: &Project, entry: &ModelVersion) -> String {
    format!(
        "the bytes of version {} of `{}` are gone or damaged: bring back {} from a backup, or run the pipeline that made \
         it again (run {} of `{}`)",
        entry.version,
        entry.name,
        project.artifact(&entry.digest).display(),
        entry.run,
        entry.pipeline
    )
}

/// The version as a remembered result.
pub(crate) fn as_action(project: &Project, entry: &ModelVersion) -> Action {
    let mut manifest = Manifest::default();
    manifest.set(Section::Setting, "model", &*entry.name);
    manifest.set(Section::Setting, "version", entry.version.to_string());
    manifest.set(Section::Content, "file", entry.digest.to_string());
    let file = std::fs::symlink_metadata(project.artifact(&entry.digest));
    let artifact = Artifact {
        output: MODEL.to_owned(),
        digest: entry.digest,
        size: file.map_or(0, |meta| meta.len()),
        meta: ArtifactMeta {
            format: "model".to_owned(),
            rows: None,
            flavor: Some(entry.flavor.clone()),
            features: entry.features.clone(),
        },
        inline: None,
    };
    Action { run: entry.run, at: entry.at, outputs: vec![artifact], manifest: manifest.bytes() }
}

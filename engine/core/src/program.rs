//! What the result of a program depends on.

use crate::canonical;
use crate::digest::Digest;
use crate::executor::Task;
use crate::manifest::{Manifest, Section};
use crate::outside::{GivenFile, PROGRAM};
use crate::request::Parts;
use mlp_lang::pipeline::OutputRef;
use mlp_lang::types::Type;
use mlp_lang::value::Value;
use mlp_lang::work::{Network, ProgramInput, ProgramNode};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The manifest of a program. Of secrets only the names are in it; limits, labels and where files lie are not.
pub(crate) fn manifest(
    parts: &Parts,
    program: &Arc<ProgramNode>,
    given: &BTreeMap<String, GivenFile>,
    output: &dyn Fn(&OutputRef) -> Option<Digest>,
) -> Manifest {
    let mut manifest = Manifest::default();
    manifest.set(Section::Runs, "executor", parts.executor.name());
    for (name, value) in parts.executor.identity(&Task::Program(program.clone())) {
        manifest.set(Section::Runs, name, value);
    }
    let words = program.run.iter().cloned().map(Value::String).collect();
    manifest.set(Section::Runs, "command", canonical::value(&Value::List(words)));
    for (name, value) in &program.params {
        manifest.set(Section::Setting, name, canonical::value(value));
    }
    for (name, text) in &program.env {
        manifest.set(Section::Setting, format!("env {name}"), text);
    }
    for name in program.secrets.keys() {
        manifest.set(Section::Setting, format!("secret {name}"), "given");
    }
    match &program.network {
        Network::None => {}
        Network::All => manifest.set(Section::Setting, "network", "all"),
        Network::Hosts(hosts) => manifest.set(Section::Setting, "network", hosts.join(", ")),
    }
    for (name, ty) in &program.outputs {
        manifest.set(Section::Output, name, canonical::ty(ty));
    }
    for (name, input) in &program.inputs {
        if let ProgramInput::Output { from, ty } = input {
            manifest.input(name, output(from));
            // Decides under which name the program finds it.
            manifest.set(Section::Runs, format!("kind of {name}"), kind(ty));
        }
    }
    for (name, file) in given {
        let is_input = program.inputs.contains_key(name) || name == PROGRAM;
        debug_assert!(is_input, "given without being asked for");
        manifest.content(name, &file.shown, file.digest);
    }
    manifest
}

fn kind(ty: &Type) -> &'static str {
    match ty {
        Type::Dataset(_) => "table",
        Type::Metrics(_) => "metrics",
        Type::Model(_) => "model",
        Type::Folder => "folder",
        Type::List(_) => "list",
        _ => "file",
    }
}

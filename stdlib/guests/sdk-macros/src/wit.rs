//! The interfaces of a plugin, in WIT.

use crate::manifest::Manifest;
use crate::module::{Input, Output, OutputKind, Param, ParamType, Step};

/// The world that plugins are built against.
pub const WORLD: &str = "mlp:step@1.0.0";

/// Its text, the contract in `spec/`.
const STEP: &str = include_str!("../../../../spec/wit/step.wit");

/// The world of what serves models.
const PREDICTOR_WORLD: &str = "mlp:predictor@1.0.0";

/// Its text.
const PREDICTOR: &str = include_str!("../../../../spec/wit/predictor.wit");

/// A whole document: the plugin's package with this step's interface and a world that exports it.
pub fn document(manifest: &Manifest, step: &Step) -> String {
    let interface = kebab(&step.name);
    let mut text = format!("package {}:{}@{};\n", manifest.namespace, manifest.name, manifest.version);
    text += &nested(WORLD, STEP);
    text += &format!("interface {interface} {{\n  use {}.{{{}}};\n", types(), used_types(step).join(", "));
    let mut arguments = vec![];
    if let Some(params) = &step.params {
        text += &record("params", params.iter().map(|p: &Param| (&p.name, param_type(&p.ty))));
        arguments.push("p: params");
    }
    if let Some(inputs) = &step.inputs {
        text += &record("inputs", inputs.iter().map(|i: &Input| (&i.name, input_type(i).to_owned())));
        arguments.push("i: inputs");
    }
    text += &record("outputs", step.outputs.iter().map(|o: &Output| (&o.name, output_type(o).to_owned())));
    text += &format!("  run: func({}) -> result<outputs, error>;\n}}\n", arguments.join(", "));
    text += &format!("world {} {{ export {interface}; }}\n", world(step));
    text
}

/// The name of the world in [`document`].
pub fn world(step: &Step) -> String {
    format!("{}-plugin", kebab(&step.name))
}

/// `max_depth` is `max-depth`.
pub fn kebab(snake: &str) -> String {
    snake.replace('_', "-")
}

/// A whole document, with the world [`PREDICTOR_PLUGIN`] that exports `predict`.
pub fn predictor_document(manifest: &Manifest) -> String {
    let mut text = format!("package {}:{}@{};\n", manifest.namespace, manifest.name, manifest.version);
    text += &nested(PREDICTOR_WORLD, PREDICTOR);
    let predict = PREDICTOR_WORLD.replacen('@', "/predict@", 1);
    text += &format!("world {PREDICTOR_PLUGIN} {{ export {predict}; }}\n");
    text
}

/// The name of the world in [`predictor_document`].
pub const PREDICTOR_PLUGIN: &str = "predictor-plugin";

/// A contract's own package, nested into a document.
fn nested(name: &str, text: &str) -> String {
    let head = format!("package {name};");
    format!("{}\n}}\n", text.replacen(&head, &format!("package {name} {{"), 1))
}

fn types() -> String {
    WORLD.replacen('@', "/types@", 1)
}

fn used_types(step: &Step) -> Vec<&'static str> {
    let mut used: Vec<&str> = step.outputs.iter().map(output_type).collect();
    used.extend(step.inputs.iter().flatten().map(input_type));
    used.push("error");
    used.sort_unstable();
    used.dedup();
    used
}

fn record<'a>(name: &str, fields: impl Iterator<Item = (&'a String, String)>) -> String {
    let lines: Vec<String> = fields.map(|(name, ty)| format!("    %{}: {ty},\n", kebab(name))).collect();
    format!("  record {name} {{\n{}  }}\n", lines.concat())
}

fn param_type(ty: &ParamType) -> String {
    match ty {
        ParamType::Bool => "bool".into(),
        ParamType::Int | ParamType::Duration => "s64".into(),
        ParamType::Float | ParamType::Fraction => "f64".into(),
        ParamType::Size => "u64".into(),
        ParamType::Text | ParamType::OneOf(_) | ParamType::Column { .. } | ParamType::ValueOf { .. } => "string".into(),
        ParamType::Optional(inner) => format!("option<{}>", param_type(inner)),
        ParamType::List(inner) => format!("list<{}>", param_type(inner)),
    }
}

fn input_type(input: &Input) -> &'static str {
    if input.flavor.is_some() { "model" } else { "dataset" }
}

fn output_type(output: &Output) -> &'static str {
    match output.kind {
        OutputKind::SameAs(_) | OutputKind::Table(_) => "dataset",
        OutputKind::Model(_) => "model",
        OutputKind::Metrics { .. } => "metrics",
    }
}

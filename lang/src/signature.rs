//! Signatures: what a module of steps offers, as the checker sees it.
//!
//! `lang` cannot open a component. It asks a [`Modules`], which the binary fills from the standard library and from the
//! plugins on disk, so that the editor, CI and a browser run the same checks.
//!
//! The JSON form of [`ModuleSignature`] is what the SDK writes into a component's `mlp-signature` custom section.

use crate::import::{Files, NoFiles};
use crate::types::{MetricField, Schema, Type};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Answers which steps a module offers.
pub trait Modules {
    /// The signature of `std/classify`, or of a plugin by its path as written in `use`.
    fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError>;
    /// Names of modules that need no path, for suggestions: `std/tabular`, ...
    fn known(&self) -> Vec<String>;
    /// The files that files use. None, unless whoever checks has some.
    fn files(&self) -> &dyn Files {
        &NoFiles
    }
}

/// Why a module cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// Nothing of that name or path.
    #[error("there is no module `{0}`")]
    NotFound(String),
    /// It is there, but is not a plugin this version can use.
    #[error("{path}: {reason}")]
    Unusable {
        /// The path as written.
        path: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
}

/// What a module offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleSignature {
    /// `std/classify`, or the plugin's package `acme/churn`.
    pub name: String,
    /// Semantic version of the module.
    pub version: String,
    /// The step world it was built against: `mlp:step@1.0.0`.
    pub world: String,
    /// First paragraph for people.
    #[serde(default)]
    pub doc: String,
    /// blake3 of the component, lower-case hex; filled by the loader, not stored in the component.
    #[serde(default)]
    pub digest: String,
    /// The steps.
    pub steps: Vec<StepSignature>,
}

impl ModuleSignature {
    /// The step of this name.
    pub fn step(&self, name: &str) -> Option<&StepSignature> {
        self.steps.iter().find(|s| s.name == name)
    }
}

/// One step: `classify.evaluate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepSignature {
    /// As called, snake_case; kebab-case in WIT.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub doc: String,
    /// Datasets and models it takes, in call order: positional arguments fill these first.
    pub inputs: Vec<InputSignature>,
    /// Settings it takes, by name.
    pub params: Vec<ParamSignature>,
    /// What it gives.
    pub outputs: Vec<OutputSignature>,
}

/// A dataset or model a step takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputSignature {
    /// As named in a call.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub doc: String,
    /// What fits.
    pub kind: InputKind,
}

/// What fits an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Any table.
    Dataset,
    /// A model of this flavor.
    Model(String),
}

/// A setting a step takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParamSignature {
    /// As named in a call.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub doc: String,
    /// What fits.
    pub ty: ParamType,
    /// When it is left out. Absent: it must be given, unless `ty` is optional.
    #[serde(default)]
    pub default: Option<ParamDefault>,
    /// Lowest allowed number, inclusive (a fraction's is in 0..1).
    #[serde(default)]
    pub min: Option<f64>,
    /// Highest allowed number, inclusive.
    #[serde(default)]
    pub max: Option<f64>,
}

/// What fits a setting. In WIT: column and value-of are `string`, fraction and float `f64`, int `s64`,
/// duration `s64` nanoseconds, size `u64` bytes, enum `string`, optional `option<T>`, list `list<T>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    /// A plain type: bool, int, float, fraction, duration, size, string, enum.
    Plain(Type),
    /// The name of a column of this input, written bare: `label: churned`.
    Column {
        /// Which input.
        of: String,
    },
    /// A value of the type of the column that another setting names; given to the step as canonical text.
    ValueOf {
        /// Which setting.
        param: String,
    },
    /// May be left out or null.
    Optional(Box<ParamType>),
    /// Several.
    List(Box<ParamType>),
}

/// What stands for a setting that is left out. The checker resolves it, so that a step always sees explicit settings
/// and the fingerprint holds them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamDefault {
    /// This value, as plain JSON.
    Value(serde_json::Value),
    /// The column that the input's schema declares `label`.
    Label {
        /// Which input.
        of: String,
    },
    /// Every column of the input that a model can learn from: bool, numbers, enums; not the label, not a unique one.
    Features {
        /// Which input.
        of: String,
    },
}

/// What a step gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputSignature {
    /// As named after the dot: `split.train`.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub doc: String,
    /// What it is.
    pub kind: OutputKind,
    /// Of a table: whether its rows are rows of an input. Absent: they may be any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowsOf>,
}

/// Whose rows a table has, by the name of an input. Its columns may be others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowsOf {
    /// Each row of this input, and no other.
    AllOf(String),
    /// Rows of this input that no other such output of the same call has.
    PartOf(String),
}

/// What an output is, and for a table how its columns follow from the inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// A table with the columns of this input.
    SameAs(String),
    /// A table with these columns.
    Table(Schema),
    /// A model of this flavor.
    Model(String),
    /// Named numbers.
    Metrics {
        /// The names, with types.
        fields: Vec<MetricField>,
        /// The setting (a list of columns) by which each is also given per group, if any.
        #[serde(default)]
        by: Option<String>,
    },
}

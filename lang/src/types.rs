//! Types: what a name can stand for.

use crate::value::Value;
use serde::{Deserialize, Serialize};

/// The type of an expression, a parameter, a column or an output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`, 64 bits.
    Int,
    /// `float`, 64 bits, finite.
    Float,
    /// `fraction`: `20%`.
    Fraction,
    /// `duration`: `10m`.
    Duration,
    /// `size`: `4GiB`.
    Size,
    /// `date`: a day.
    Date,
    /// `time`: an instant.
    Time,
    /// `string`
    String,
    /// `"free" | "pro"`: one of these texts.
    Enum(Vec<String>),
    /// `T?`
    Optional(Box<Type>),
    /// A list of one type.
    List(Box<Type>),
    /// A map from text to one type.
    Map(Box<Type>),
    /// A range of one type.
    Range(Box<Type>),
    /// A table with these columns.
    Dataset(Schema),
    /// A model of a flavor: `model<classifier>`.
    Model(String),
    /// Named numbers.
    Metrics(Vec<MetricField>),
    /// A file of any kind that a program wrote.
    File,
    /// A folder of files that a program wrote.
    Folder,
    /// A credential: known by where it is found, and never as a value.
    Secret,
    /// Poison: the mistake was reported where it was made; fits everywhere.
    Unknown,
}

/// One named number that a step gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricField {
    /// `auc`
    pub name: String,
    /// `Fraction`, `Float` or `Int`.
    pub ty: Type,
    /// What it is.
    #[serde(default)]
    pub doc: String,
}

/// The columns of a table, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The name it was declared under, for messages; a computed schema has none.
    pub name: Option<String>,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

impl Schema {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The column declared `label`.
    pub fn label(&self) -> Option<&Column> {
        self.columns.iter().find(|c| c.label)
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// As in the file's header.
    pub name: String,
    /// A scalar: bool, int, float, fraction, date, time, string or enum; never `Optional`.
    pub ty: Type,
    /// `T?`: cells may be missing.
    pub nullable: bool,
    /// `unique`: no two rows share a value.
    pub unique: bool,
    /// `label`: what a model learns to predict.
    pub label: bool,
    /// `in 18..=120`, `>= 0.0`: every present cell must satisfy all of them.
    pub bounds: Vec<Bound>,
}

/// A rule for each present cell of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// `in a..b`, `in a..=b`: a `Value::Range`.
    Within(Value),
    /// `in ["a", "b"]`: a `Value::List`.
    OneOf(Value),
    /// `>= v`, `< v`, ...
    Compare(Comparison, Value),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    LessOrEqual,
    /// `>`
    #[serde(rename = ">")]
    Greater,
    /// `>=`
    #[serde(rename = ">=")]
    GreaterOrEqual,
}

impl Comparison {
    /// The same with its sides exchanged: `0 <= age` is `age >= 0`.
    pub fn mirrored(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same => same,
        }
    }
}

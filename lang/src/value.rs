//! Values with units, and how they are written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// A value the language can hold once every name in it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Missing.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number; always finite.
    Float(f64),
    /// `20%` is `0.2`.
    Fraction(f64),
    /// In nanoseconds; `10m`, `1h30m`.
    Duration(i64),
    /// In bytes; `4GiB`.
    Size(u64),
    /// `2011-04-01`, ISO 8601.
    Date(String),
    /// `2011-04-01T12:00:00Z`, RFC 3339.
    Time(String),
    /// Text.
    String(String),
    /// The name of a column of some dataset.
    Column(String),
    /// `[a, b]`.
    List(Vec<Value>),
    /// `{ a: 1 }`, in the order written.
    Map(IndexMap<String, Value>),
    /// `a..b`, `a..=b`.
    Range {
        /// Lowest.
        low: Box<Value>,
        /// Highest.
        high: Box<Value>,
        /// Whether `high` itself is in it.
        inclusive: bool,
    },
}

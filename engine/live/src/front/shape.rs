//! What a row may look like, made ready to be asked a million times: from a value of a request to a cell of a column.

use mlp_core::predictor::Cells;
use mlp_data::{Cell, Rule, nearest, quoted};
use mlp_lang::types::{Schema, Type};
use std::collections::HashMap;

/// The columns a request may have.
pub(super) struct Shape {
    pub columns: Vec<ShapeColumn>,
    by_name: HashMap<String, usize>,
}

/// One of them.
pub(super) struct ShapeColumn {
    pub name: String,
    pub ty: Type,
    pub nullable: bool,
    rules: Vec<Rule>,
}

/// A value as a request gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    /// A list or an object, in words.
    Other(&'static str),
}

/// A value as a column holds it; missing is NaN or `None`.
#[derive(Debug, PartialEq)]
pub(super) enum Kept<'a> {
    Number(f64),
    Text(Option<&'a str>),
}

impl Shape {
    pub fn new(schema: &Schema) -> Shape {
        let columns: Vec<ShapeColumn> = schema
            .columns
            .iter()
            .map(|column| ShapeColumn {
                name: column.name.clone(),
                ty: column.ty.clone(),
                nullable: column.nullable,
                // The checker has refused bounds that cannot be compared with their column.
                rules: column.bounds.iter().filter_map(|bound| Rule::new(bound, &column.ty)).collect(),
            })
            .collect();
        let by_name = columns.iter().enumerate().map(|(i, c)| (c.name.clone(), i)).collect();
        Shape { columns, by_name }
    }

    /// The column of this name. `guess`: where it probably stands, since most clients write fields in one order.
    pub fn index(&self, name: &str, guess: usize) -> Option<usize> {
        match self.columns.get(guess) {
            Some(column) if column.name == name => Some(guess),
            _ => self.by_name.get(name).copied(),
        }
    }

    /// Why a name is refused that is no column's.
    pub fn unknown(&self, name: &str) -> String {
        match nearest(name, self.columns.iter().map(|c| c.name.as_str())) {
            Some(near) => format!("no column has this name; did you mean `{near}`?"),
            None => {
                let mut names: Vec<String> = self.columns.iter().take(12).map(|c| format!("`{}`", c.name)).collect();
                if self.columns.len() > names.len() {
                    names.push(format!("{} more", self.columns.len() - names.len()));
                }
                format!("no column has this name; there are {}", names.join(", "))
            }
        }
    }
}

impl ShapeColumn {
    /// Whether its cells are texts.
    pub fn is_text(&self) -> bool {
        !matches!(self.ty, Type::Bool | Type::Int | Type::Float | Type::Fraction)
    }

    /// An empty column with room for `rows` cells.
    pub fn empty(&self, rows: usize) -> Cells {
        if self.is_text() { Cells::Texts(Vec::with_capacity(rows)) } else { Cells::Numbers(Vec::with_capacity(rows)) }
    }

    /// What stands for a missing cell.
    pub fn missing<'a>(&self) -> Kept<'a> {
        if self.is_text() { Kept::Text(None) } else { Kept::Number(f64::NAN) }
    }

    /// What it wants, in words.
    pub fn wants(&self) -> &'static str {
        match &self.ty {
            Type::Bool => "true or false",
            Type::Int => "a whole number",
            Type::Float | Type::Fraction => "a number",
            Type::Date => "a date such as \"2011-04-01\"",
            Type::Time => "a time such as \"2011-04-01T12:00:00Z\"",
            _ => "a text",
        }
    }

    /// The cell that a value makes; otherwise why it does not fit.
    pub fn keep<'a>(&self, value: Scalar<'a>) -> Result<Kept<'a>, String> {
        if value == Scalar::Null {
            return if self.nullable {
                Ok(self.missing())
            } else {
                Err(format!("it is missing, and {} is wanted", self.wants()))
            };
        }
        let cell = self.typed(value)?;
        if let Some(rule) = self.rules.iter().find(|rule| !rule.allows(&cell)) {
            return Err(format!("{} is not {}", said(value), rule.text));
        }
        Ok(match (cell, value) {
            (Cell::Bool(b), _) => Kept::Number(f64::from(u8::from(b))),
            // Beyond 2^53 the nearest float: what predictors compute with.
            (Cell::Int(i), _) => Kept::Number(i as f64),
            (Cell::Float(f), _) => Kept::Number(f),
            (_, Scalar::Text(text)) => Kept::Text(Some(text)),
            _ => self.missing(),
        })
    }

    fn typed<'a>(&self, value: Scalar<'a>) -> Result<Cell<'a>, String> {
        Ok(match (&self.ty, value) {
            (Type::Bool, Scalar::Bool(b)) => Cell::Bool(b),
            (Type::Bool, Scalar::Int(i @ 0..=1)) => Cell::Bool(i == 1),
            (Type::Bool, Scalar::Float(f)) if f == 0.0 || f == 1.0 => Cell::Bool(f == 1.0),
            (Type::Int, Scalar::Int(i)) => Cell::Int(i),
            (Type::Int, Scalar::Float(f)) if f.fract() == 0.0 && f.abs() <= 9_007_199_254_740_992.0 => {
                Cell::Int(f as i64)
            }
            (Type::Float | Type::Fraction, Scalar::Int(i)) => Cell::Float(i as f64),
            (Type::Float | Type::Fraction, Scalar::Float(f)) if f.is_finite() => Cell::Float(f),
            (Type::Enum(_), Scalar::Text(text)) => Cell::Text(self.one_of(text)?),
            (Type::Date | Type::Time, Scalar::Text(text)) => {
                mlp_data::parse(&self.ty, text).map_err(|_| self.wanted(value))?
            }
            (Type::Bool | Type::Int | Type::Float | Type::Fraction, _)
            | (Type::Enum(_) | Type::Date | Type::Time, _) => return Err(self.wanted(value)),
            (_, Scalar::Text(text)) if text.contains('\0') => return Err("the text holds a NUL character".to_owned()),
            (_, Scalar::Text(text)) => Cell::Text(text),
            (_, _) => return Err(self.wanted(value)),
        })
    }

    fn one_of<'a>(&self, text: &'a str) -> Result<&'a str, String> {
        let Type::Enum(values) = &self.ty else { return Ok(text) };
        if values.iter().any(|v| v == text) {
            return Ok(text);
        }
        if let Some(near) = nearest(text, values.iter().map(String::as_str)) {
            return Err(format!("{} is not one of the declared values; did you mean `{near}`?", quoted(text)));
        }
        let mut few: Vec<String> = values.iter().take(8).map(|v| quoted(v)).collect();
        if values.len() > few.len() {
            few.push(format!("{} more", values.len() - few.len()));
        }
        Err(format!("{} is not one of {}", quoted(text), few.join(", ")))
    }

    fn wanted(&self, value: Scalar<'_>) -> String {
        format!("{} is wanted, not {}", self.wants(), said(value))
    }
}

/// A value in a message: short, whatever it is.
fn said(value: Scalar<'_>) -> String {
    match value {
        Scalar::Null => "null".to_owned(),
        Scalar::Bool(b) => b.to_string(),
        Scalar::Int(i) => i.to_string(),
        Scalar::Float(f) => format!("{f:?}"),
        Scalar::Text(text) => format!("the text {}", quoted(text)),
        Scalar::Other(what) => what.to_owned(),
    }
}

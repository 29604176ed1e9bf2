//! One column as it grows: its rules, its statistics, its Arrow array.

use crate::cell::Cell;
use crate::codes;
use crate::report::{At, Report, quoted};
use crate::rule::{Rule, written};
use crate::writer::UTC;
use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use mlp_lang::pipeline::Stat;
use mlp_lang::types::{Column, Type};
use mlp_lang::value::Value;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Takes the cells of one column.
pub(crate) struct Sink<'a> {
    column: &'a Column,
    rules: Vec<Rule>,
    builder: Builder,
    /// Where each value was seen first; only kept for `unique`, `unique(c)` and `distinct(c)`.
    seen: Option<HashMap<u128, u64>>,
    repeats: u64,
    min: Option<Extreme>,
    max: Option<Extreme>,
    mean: Option<Sum>,
    missing: u64,
    present: u64,
}

enum Builder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Text(StringBuilder),
}

impl<'a> Sink<'a> {
    /// For a column whose type or rules make no sense in a table there is a finding instead.
    pub fn new(column: &'a Column, stats: &[Stat], report: &mut Report) -> Option<Sink<'a>> {
        let builder = match &column.ty {
            Type::Bool => Builder::Bool(BooleanBuilder::new()),
            Type::Int => Builder::Int(Int64Builder::new()),
            Type::Float | Type::Fraction => Builder::Float(Float64Builder::new()),
            Type::Date => Builder::Date(Date32Builder::new()),
            Type::Time => Builder::Time(TimestampMicrosecondBuilder::new().with_timezone(UTC)),
            Type::String | Type::Enum(_) => Builder::Text(StringBuilder::new()),
            _ => {
                let message = || format!("a table cannot hold the type of column {}", quoted(&column.name));
                let help = "columns are bool, int, float, fraction, date, time, string or a choice of texts";
                report.add(codes::RULE_UNUSABLE, At::default(), Some(&column.name), message, |f| f.help(help));
                return None;
            }
        };
        let mut rules = Vec::with_capacity(column.bounds.len());
        for bound in &column.bounds {
            match Rule::new(bound, &column.ty) {
                Some(rule) => rules.push(rule),
                None => {
                    let message =
                        || format!("a rule of column {} cannot be compared with its cells", quoted(&column.name));
                    let help = "write a value of the column's own type; dates and times lie in the years 0001 to 9999";
                    report.add(codes::RULE_UNUSABLE, At::default(), Some(&column.name), message, |f| f.help(help));
                }
            }
        }
        let name = &column.name;
        let asked = |wanted: &[fn(String) -> Stat]| wanted.iter().any(|w| stats.contains(&w(name.clone())));
        let numeric = matches!(column.ty, Type::Int | Type::Float | Type::Fraction);
        Some(Sink {
            column,
            rules,
            builder,
            seen: (column.unique || asked(&[Stat::Unique, Stat::Distinct])).then(HashMap::new),
            repeats: 0,
            min: asked(&[Stat::Min]).then(Extreme::default),
            max: asked(&[Stat::Max, Stat::Fresh]).then(Extreme::default),
            mean: (numeric && asked(&[Stat::Mean])).then(Sum::default),
            missing: 0,
            present: 0,
        })
    }

    /// As declared.
    pub fn name(&self) -> &str {
        &self.column.name
    }

    /// Checks, counts and keeps a cell.
    pub fn push(&mut self, cell: Cell<'_>, at: At, report: &mut Report) {
        self.append(cell);
        let name = Some(self.column.name.as_str());
        if cell == Cell::Null {
            self.missing += 1;
            if !self.column.nullable {
                let message = || format!("a cell of column {} is missing", quoted(&self.column.name));
                let help = || {
                    format!(
                        "fill it in, or let cells be missing with `?`: `{}: {}?`",
                        spelled_name(self.column),
                        spelled(&self.column.ty)
                    )
                };
                report.add(codes::CELL_MISSING, at, name, message, |f| f.label("nothing here").help(help()));
            }
            return;
        }
        self.present += 1;
        for rule in &self.rules {
            if !rule.allows(&cell) {
                let value = cell.to_value(&self.column.ty).map_or(String::new(), |v| clip(written(&v)));
                let message =
                    || format!("column {} must be {}, and is {value} here", quoted(&self.column.name), rule.text);
                let help = "mend the data, or widen the column's rule if the value is right";
                report.add(codes::OUT_OF_BOUNDS, at, name, message, |f| {
                    f.label(format!("wanted: {}", rule.text)).help(help)
                });
            }
        }
        self.count(cell, at, report);
    }

    fn count(&mut self, cell: Cell<'_>, at: At, report: &mut Report) {
        if let Some(seen) = &mut self.seen {
            let first = *seen.entry(cell.key()).or_insert(at.row);
            if first != at.row {
                self.repeats += 1;
                if self.column.unique {
                    let value = cell.to_value(&self.column.ty).map_or(String::new(), |v| clip(written(&v)));
                    let name = &self.column.name;
                    let message = || {
                        format!(
                            "column {} is `unique`, and {value} stands in row {first} and in row {}",
                            quoted(name),
                            at.row
                        )
                    };
                    let there = report.place(At { row: first, line: 0 }, Some(name));
                    report.add(codes::NOT_UNIQUE, at, Some(name), message, |f| {
                        f.also(there, "first seen here").help("remove one of the rows, or the word `unique`")
                    });
                }
            }
        }
        if let Some(min) = &mut self.min {
            min.take(cell, Ordering::Less);
        }
        if let Some(max) = &mut self.max {
            max.take(cell, Ordering::Greater);
        }
        match (&mut self.mean, cell) {
            (Some(sum), Cell::Int(i)) => sum.add(i as f64),
            (Some(sum), Cell::Float(f)) => sum.add(f),
            _ => {}
        }
    }

    /// Keeps the place of a cell that was reported elsewhere.
    pub fn push_wrong(&mut self) {
        self.append(Cell::Null);
    }

    fn append(&mut self, cell: Cell<'_>) {
        match (&mut self.builder, cell) {
            (Builder::Bool(b), Cell::Bool(v)) => b.append_value(v),
            (Builder::Int(b), Cell::Int(v)) => b.append_value(v),
            (Builder::Float(b), Cell::Float(v)) => b.append_value(v),
            (Builder::Date(b), Cell::Date(v)) => b.append_value(v),
            (Builder::Time(b), Cell::Time(v)) => b.append_value(v),
            (Builder::Text(b), Cell::Text(v)) => b.append_value(v),
            (Builder::Bool(b), _) => b.append_null(),
            (Builder::Int(b), _) => b.append_null(),
            (Builder::Float(b), _) => b.append_null(),
            (Builder::Date(b), _) => b.append_null(),
            (Builder::Time(b), _) => b.append_null(),
            (Builder::Text(b), _) => b.append_null(),
        }
    }

    /// The cells since the last time, as an array.
    pub fn take(&mut self) -> ArrayRef {
        let builder: &mut dyn ArrayBuilder = match &mut self.builder {
            Builder::Bool(b) => b,
            Builder::Int(b) => b,
            Builder::Float(b) => b,
            Builder::Date(b) => b,
            Builder::Time(b) => b,
            Builder::Text(b) => b,
        };
        builder.finish()
    }

    /// A statistic of this column that was asked for when it was made.
    pub fn stat(&self, stat: &Stat) -> Option<Value> {
        let cells = self.missing + self.present;
        match stat {
            Stat::Missing(_) => (cells > 0).then(|| Value::Fraction(self.missing as f64 / cells as f64)),
            Stat::Unique(_) => Some(Value::Bool(self.repeats == 0)),
            Stat::Distinct(_) => i64::try_from(self.seen.as_ref()?.len()).ok().map(Value::Int),
            Stat::Min(_) => self.min.as_ref()?.value(&self.column.ty),
            Stat::Max(_) | Stat::Fresh(_) => self.max.as_ref()?.value(&self.column.ty),
            Stat::Mean(_) => self.mean.as_ref()?.mean(self.present),
            Stat::Rows => None,
        }
    }
}

/// A type as it is written, for suggestions.
pub(crate) fn spelled(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::Int => "int".into(),
        Type::Float => "float".into(),
        Type::Fraction => "fraction".into(),
        Type::Date => "date".into(),
        Type::Time => "time".into(),
        Type::String => "string".into(),
        Type::Enum(values) => values.iter().map(|v| format!("{v:?}")).collect::<Vec<_>>().join(" | "),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// A column's name as it is written: quoted unless it is an identifier.
fn spelled_name(column: &Column) -> String {
    let plain = column.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && column.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if plain { column.name.clone() } else { format!("{:?}", column.name) }
}

fn clip(text: String) -> String {
    if text.chars().count() <= 60 { text } else { text.chars().take(60).chain("...".chars()).collect() }
}

/// The smallest or largest value so far.
#[derive(Default)]
struct Extreme {
    value: Option<Cell<'static>>,
    text: Option<String>,
}

impl Extreme {
    fn take(&mut self, cell: Cell<'_>, wanted: Ordering) {
        match cell {
            Cell::Text(s) => {
                if self.text.as_deref().is_none_or(|t| s.cmp(t) == wanted) {
                    self.text = Some(s.to_owned());
                }
            }
            Cell::Null => {}
            Cell::Bool(v) => self.plain(Cell::Bool(v), wanted),
            Cell::Int(v) => self.plain(Cell::Int(v), wanted),
            Cell::Float(v) => self.plain(Cell::Float(v), wanted),
            Cell::Date(v) => self.plain(Cell::Date(v), wanted),
            Cell::Time(v) => self.plain(Cell::Time(v), wanted),
        }
    }

    fn plain(&mut self, cell: Cell<'static>, wanted: Ordering) {
        if self.value.is_none_or(|v| cell.order(&v) == Some(wanted)) {
            self.value = Some(cell);
        }
    }

    fn value(&self, ty: &Type) -> Option<Value> {
        self.text.clone().map(Value::String).or_else(|| self.value?.to_value(ty))
    }
}

/// A sum whose rounding errors are carried along (Neumaier), so that the order of magnitude of the cells and their
/// number do not show in the mean.
#[derive(Default)]
struct Sum {
    sum: f64,
    carry: f64,
}

impl Sum {
    fn add(&mut self, x: f64) {
        let next = self.sum + x;
        self.carry += if self.sum.abs() >= x.abs() { (self.sum - next) + x } else { (x - next) + self.sum };
        self.sum = next;
    }

    fn mean(&self, count: u64) -> Option<Value> {
        let mean = (self.sum + self.carry) / count as f64;
        mean.is_finite().then_some(Value::Float(mean))
    }
}

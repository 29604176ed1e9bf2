//! Columns: adjacent lines of one shape have what is alike below one another.

use super::items::{Item, Kind};
use super::rows::Row;
use super::spacing::is_reserved;
use crate::syntax::lexer::Bracket;

/// Padding beyond this is worth less than the line it costs the eye to follow: such lines are not aligned.
const FURTHEST: usize = 40;

/// What lines have in common that are aligned with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `param seed: int = 7`, `step a = f(x)`: by its first word.
    Named(String),
    /// `name = value`, `name { entry: value }`
    Setting,
    /// `name: value`
    Entry,
    /// `p95(latency) <= 250ms`
    Condition,
    /// `5% for 10m`
    Weight,
    /// Begins with a keyword: by that.
    Clause(String),
}

/// The columns of a line, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// Behind `name:`, or behind a number.
    Value,
    /// `=`, a comparison, or the `{` of `name { ... }`.
    Operator,
    /// The first thing behind a column's type.
    Attribute,
    /// What is set off, and aligned with nothing.
    Aside,
    /// The last `because`, `unless`, `min_support` or `fails when` of a line.
    Trailing,
}

/// A place in a line where a column starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// The item that stands there.
    pub at: usize,
    /// Which column.
    pub column: Column,
    /// Spaces before it, at least.
    pub gap: usize,
    /// Whether it takes part in the alignment.
    pub aligned: bool,
}

impl Cut {
    fn new(at: usize, column: Column, gap: usize) -> Cut {
        Cut { at, column, gap, aligned: true }
    }
}

/// The shape of a row without its comment, which ends before item `end`, and its columns. `None`: it is like no other.
pub(super) fn shape(items: &[Item<'_>], row: &Row, end: usize, partners: &[usize]) -> Option<(Shape, Vec<Cut>)> {
    let start = row.items.start;
    let own = &items[start..end];
    let whole = (start..end).all(|i| (start..end).contains(&partners[i]));
    let place = row.inside == Some(Bracket::Curly) || (row.inside.is_none() && row.declares);
    if !whole || !place || row.continues || own.iter().any(Item::is_tall) {
        return None;
    }
    let kind = |i: usize| own.get(i).map(|item| item.kind);
    let is = |i: usize, text: &str| own.get(i).is_some_and(|item| item.is(text));
    let name = matches!(kind(0), Some(Kind::Word | Kind::Text));
    let first = own.first()?.text.to_string();
    if kind(0) == Some(Kind::Word) && is(1, "=") {
        return Some((Shape::Setting, vec![Cut::new(start + 1, Column::Operator, 1)]));
    }
    if kind(0) == Some(Kind::Word) && is(1, "{") && is(3, ":") && row.inside.is_some() {
        return Some((Shape::Setting, vec![Cut::new(start + 1, Column::Operator, 1)]));
    }
    if name && is(1, ":") && row.inside.is_some() {
        let schema = row.indent == 1 && row.keyword.is_some_and(|keyword| items[keyword].is("schema"));
        let mut cuts = vec![Cut::new(start + 2, Column::Value, 1)];
        if schema {
            attributes(items, start + 2, end, partners, &mut cuts);
        }
        cuts.retain(|cut| cut.at < end);
        return Some((Shape::Entry, cuts));
    }
    if kind(0) == Some(Kind::Word) && kind(1) == Some(Kind::Word) && (is(2, ":") || is(2, "=")) {
        let typed = is(2, ":") && own.len() > 3;
        let mut cuts = Vec::new();
        cuts.extend(typed.then(|| Cut::new(start + 3, Column::Value, 1)));
        if let Some(equals) = top_level(start, end, partners).find(|i| items[*i].is("=")) {
            // A long choice would push everything else to the right.
            let choice = top_level(start, equals, partners).any(|i| items[i].is("|"));
            cuts.push(Cut { aligned: !choice, ..Cut::new(equals, Column::Operator, 1) });
        }
        return Some((Shape::Named(first), cuts));
    }
    row.inside?;
    if kind(0) == Some(Kind::Number) && (own.len() == 1 || kind(1) == Some(Kind::Word)) {
        let cut = (own.len() > 1).then(|| Cut::new(start + 1, Column::Value, 1));
        return Some((Shape::Weight, cut.into_iter().collect()));
    }
    let mut cuts = Vec::new();
    let shape = match comparison(items, start, end, partners) {
        Some(at) => {
            cuts.push(Cut::new(at, Column::Operator, 1));
            Shape::Condition
        }
        None => Shape::Clause(first),
    };
    trailing(items, start, end, partners, &mut cuts);
    Some((shape, cuts))
}

/// The items between `start` and `end` that stand in no bracket of their own.
fn top_level(start: usize, end: usize, partners: &[usize]) -> impl Iterator<Item = usize> {
    let mut at = start;
    std::iter::from_fn(move || {
        let here = (at < end).then_some(at)?;
        at = partners[here].max(here) + 1;
        Some(here)
    })
}

/// The attributes of a column of a schema, whose type starts at `from`.
fn attributes(items: &[Item<'_>], from: usize, end: usize, partners: &[usize], cuts: &mut Vec<Cut>) {
    let choice = items.get(from).is_some_and(|item| item.kind == Kind::Text);
    let mut open = 0_usize;
    for i in top_level(from + 1, end, partners) {
        let item = &items[i];
        let angle = item.is("<") && items[i - 1].kind == Kind::Word && i == from + 1 || item.is("<") && open > 0;
        if angle || (item.is(">") && open > 0) {
            open = if angle { open + 1 } else { open - 1 };
            continue;
        }
        let starts = match item.kind {
            Kind::Word => ["unique", "label", "in"].contains(&&*item.text) && !items[i - 1].is("."),
            Kind::Operator => is_comparison(item),
            _ => false,
        };
        if starts && open == 0 {
            let first = !cuts.iter().any(|cut| cut.column >= Column::Attribute);
            let column = if first { Column::Attribute } else { Column::Aside };
            cuts.push(Cut { aligned: first && !choice, ..Cut::new(i, column, 2) });
        }
    }
}

fn is_comparison(item: &Item<'_>) -> bool {
    item.kind == Kind::Operator && ["==", "!=", "<", "<=", ">", ">="].contains(&&*item.text)
}

/// The comparison of a line that is a condition and begins with no keyword: no two values stand side by side before it.
fn comparison(items: &[Item<'_>], start: usize, end: usize, partners: &[usize]) -> Option<usize> {
    let mut value_before = false;
    for i in top_level(start, end, partners) {
        let item = &items[i];
        if is_comparison(item) || item.is("in") {
            return (i > start).then_some(i);
        }
        let arguments = matches!(item.kind, Kind::Open(Bracket::Round)) && value_before;
        let value = matches!(item.kind, Kind::Word | Kind::Number | Kind::Text | Kind::Open(_)) && !is_reserved(item);
        if value && value_before && !arguments {
            return None;
        }
        value_before = value;
    }
    None
}

/// What trails a clause: each set off by three spaces, the last one aligned.
fn trailing(items: &[Item<'_>], start: usize, end: usize, partners: &[usize], cuts: &mut Vec<Cut>) {
    let first = cuts.len();
    for i in top_level(start + 1, end, partners) {
        let next = |kinds: &[Kind]| i + 1 < end && kinds.contains(&items[i + 1].kind);
        let trails = items[i].kind == Kind::Word
            && match &*items[i].text {
                "because" => next(&[Kind::Text]),
                "min_support" => next(&[Kind::Number, Kind::Word]),
                "unless" => next(&[Kind::Word]),
                "fails" => i + 1 < end && items[i + 1].is("when"),
                _ => false,
            };
        if trails {
            cuts.push(Cut::new(i, Column::Aside, 3));
        }
    }
    if cuts.len() > first
        && let Some(last) = cuts.last_mut()
    {
        last.column = Column::Trailing;
    }
}

/// Where a column starts in each of some lines, given how wide they are before it and how many spaces it needs.
pub(super) fn pads(widths: &[usize], gap: usize) -> Vec<usize> {
    let (widest, narrowest) = widths.iter().fold((0, usize::MAX), |(w, n), width| (w.max(*width), n.min(*width)));
    let even = widest.saturating_sub(narrowest) <= FURTHEST;
    widths.iter().map(|width| if even { widest - width + gap } else { gap }).collect()
}

//! The rows of a text, each with its indentation.
//!
//! A row inside of a bracket is one step deeper than the row that opened it, however many brackets that row opened. A row
//! that goes on with the member above it is one step deeper than that member.

use super::items::{Item, Kind};
use super::spacing::is_reserved;
use crate::syntax::keywords;
use crate::syntax::lexer::Bracket;
use std::ops::Range;

/// Spaces for one step.
pub(super) const STEP: usize = 2;

/// One line of items.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its items.
    pub items: Range<usize>,
    /// In steps.
    pub indent: usize,
    /// The innermost bracket that is open where it starts.
    pub inside: Option<Bracket>,
    /// Whether it goes on with what stands above it.
    pub continues: bool,
    /// Whether a declaration starts with it.
    pub declares: bool,
    /// The first word of the declaration it stands in.
    pub keyword: Option<usize>,
}

struct Frame {
    bracket: Bracket,
    /// Of the row that opened it.
    indent: usize,
    /// Whether the last member seen is `name = ...`.
    setting: bool,
}

/// The rows of all items, in order. Brackets have to be balanced.
pub(super) fn rows(items: &[Item<'_>]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    // Rows of comments only, which are indented as the row below them.
    let mut waiting = 0;
    let mut previous: Option<usize> = None;
    let mut keyword = None;
    let mut start = 0;
    while start < items.len() {
        let end = (start + 1..items.len()).find(|i| items[*i].breaks > 0).unwrap_or(items.len());
        let inside = frames.last().map(|frame| frame.bracket);
        let inner = frames.last().map_or(0, |frame| frame.indent + 1);
        let mut row = Row { items: start..end, indent: inner, inside, continues: false, declares: false, keyword };
        let first = &items[start];
        if first.is_comment() {
            waiting += 1;
        } else {
            let closing = items[start..end].iter().take_while(|item| matches!(item.kind, Kind::Close(_))).count();
            let mut above = inner;
            if closing > 0 {
                row.indent = frames.len().checked_sub(closing).and_then(|at| frames.get(at)).map_or(0, |f| f.indent);
            } else {
                match frames.last() {
                    None if first.kind == Kind::Open(Bracket::Curly) => {}
                    None => row.declares = first.first_column || previous.is_none(),
                    Some(_) => {}
                }
                row.continues = match frames.last() {
                    None => !row.declares && first.kind != Kind::Open(Bracket::Curly),
                    Some(frame) => goes_on(items, frame.bracket, previous, start, frame.setting),
                };
                row.indent += usize::from(row.continues);
                above = row.indent;
            }
            if row.declares {
                keyword = Some(start);
                row.keyword = keyword;
            }
            let first_waiting = rows.len() - waiting;
            rows[first_waiting..].iter_mut().for_each(|row| row.indent = above);
            waiting = 0;
        }
        // What opens behind a bracket that closes is as deep as the row that opened that one.
        let mut level = row.indent;
        for i in start..end {
            track(items, i, &mut level, &mut frames);
            if !items[i].is_comment() {
                previous = Some(i);
            }
        }
        rows.push(row);
        start = end;
    }
    rows
}

fn track(items: &[Item<'_>], i: usize, level: &mut usize, frames: &mut Vec<Frame>) {
    match items[i].kind {
        Kind::Open(bracket) => frames.push(Frame { bracket, indent: *level, setting: false }),
        Kind::Close(_) => *level = frames.pop().map_or(0, |frame| frame.indent.min(*level)),
        _ => {
            if let (Some(frame), Some(setting)) = (frames.last_mut(), starts_setting(items, i)) {
                frame.setting = setting;
            }
        }
    }
}

/// Whether the items from `i` on are `name = ...`; `None` when they start no member at all.
pub(super) fn starts_setting(items: &[Item<'_>], i: usize) -> Option<bool> {
    let next = items.get(i + 1)?;
    match items.get(i)?.kind {
        Kind::Word if next.is("=") => Some(true),
        Kind::Word | Kind::Text if next.is(":") => Some(false),
        _ => None,
    }
}

/// Whether the row that starts with item `next` goes on with what stands above it, in a bracket of this kind. The last item
/// above it is `previous`; `setting` is whether that belongs to a `name = ...`.
pub(super) fn goes_on(
    items: &[Item<'_>],
    bracket: Bracket,
    previous: Option<usize>,
    next: usize,
    setting: bool,
) -> bool {
    let (Some(before), Some(item)) = (previous.and_then(|p| items.get(p)), items.get(next)) else { return false };
    if matches!(before.kind, Kind::Open(_)) || matches!(item.kind, Kind::Close(_)) {
        return false;
    }
    if bracket != Bracket::Curly {
        return !before.is_comma();
    }
    if starts_setting(items, next).is_some() || is_word_of(item, &keywords::CLAUSES) {
        return false;
    }
    if before.is_comma() {
        let named = item.kind == Kind::Word && previous.is_some_and(|p| names_after(items, p));
        return named || (setting && item.kind == Kind::Number);
    }
    let closes_type = before.is(">") && previous.is_some_and(|p| closes_type(items, p));
    item.kind == Kind::Operator
        || is_word_of(item, &["and", "or", "because", "min_support", "unless", "fails", "when", "else", "after", "for"])
        || (before.kind == Kind::Operator && !closes_type)
        || is_reserved(before)
        || before.is("|")
}

/// Whether the comma at `i` parts the names behind `after`.
fn names_after(items: &[Item<'_>], i: usize) -> bool {
    for pair in items[..i].rchunks(2).take(256) {
        match pair {
            [word, name] if word.is("after") && name.kind == Kind::Word => return true,
            [comma, name] if comma.is_comma() && name.kind == Kind::Word => {}
            _ => return false,
        }
    }
    false
}

fn is_word_of(item: &Item<'_>, words: &[&str]) -> bool {
    item.kind == Kind::Word && words.contains(&&*item.text)
}

/// Whether the `>` at `i` ends a type. A row cannot end with a comparison and be followed by a member.
fn closes_type(items: &[Item<'_>], i: usize) -> bool {
    let mut open = 0_usize;
    for item in items[..=i].iter().rev().take(256) {
        match &*item.text {
            ">" => open += 1,
            "<" => open = open.saturating_sub(1),
            _ if open == 0 => return item.kind == Kind::Word && keywords::GENERICS.contains(&&*item.text),
            _ => {}
        }
    }
    false
}

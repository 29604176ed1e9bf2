//! Commas, line breaks and empty lines: everything about items that is not a space.

use super::WIDTH;
use super::items::{Item, Kind, partners, previous};
use super::rows::{Row, STEP, goes_on, rows, starts_setting};
use super::spacing::{is_call, spaces};
use crate::syntax::lexer::Bracket;
use std::borrow::Cow;

/// Brings the breaks of a text into order. `None` when its brackets do not match.
pub(super) fn arrange(mut items: Vec<Item<'_>>) -> Option<Vec<Item<'_>>> {
    let partners = partners(&items)?;
    join(&mut items);
    close_rows(&mut items, &partners);
    let mut items = commas(items)?;
    // A comma that went may have stood between a bracket and the end of its row.
    let partners = super::items::partners(&items)?;
    close_rows(&mut items, &partners);
    let items = break_long_rows(items)?;
    let mut items = commas(items)?;
    empty_lines(&mut items);
    Some(items)
}

/// A declaration's `{` stands behind its header, and brackets around nothing stand together.
fn join(items: &mut [Item<'_>]) {
    let mut depth = 0_usize;
    for i in 0..items.len() {
        let before = i.checked_sub(1).map(|p| items[p].kind);
        match items[i].kind {
            Kind::Open(bracket) => {
                if bracket == Bracket::Curly && depth == 0 && before.is_some_and(|kind| kind != Kind::Comment) {
                    items[i].breaks = 0;
                }
                depth += 1;
            }
            Kind::Close(_) => {
                if matches!(before, Some(Kind::Open(_))) {
                    items[i].breaks = 0;
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
}

/// A bracket that ends its row closes on a row of its own.
fn close_rows(items: &mut [Item<'_>], partners: &[usize]) {
    for i in 0..items.len() {
        let close = partners[i];
        let commented = usize::from(items.get(i + 1).is_some_and(|next| next.is_comment() && next.breaks == 0));
        if close > i + 1 && items[i + 1 + commented].breaks > 0 {
            items[close].breaks = items[close].breaks.max(1);
        }
    }
}

/// What a comma needs to know of the place it stands in.
#[derive(Clone, Copy)]
struct Around {
    bracket: Option<Bracket>,
    /// Whether the last member before it is `name = ...`.
    setting: bool,
}

fn surroundings(items: &[Item<'_>]) -> Vec<Around> {
    let mut frames: Vec<Around> = vec![Around { bracket: None, setting: false }];
    let step = |(i, item): (usize, &Item<'_>)| {
        let around = frames.last().copied().unwrap_or(Around { bracket: None, setting: false });
        match item.kind {
            Kind::Open(bracket) => frames.push(Around { bracket: Some(bracket), setting: false }),
            Kind::Close(_) if frames.len() > 1 => drop(frames.pop()),
            _ => {
                if let (Some(frame), Some(setting)) = (frames.last_mut(), starts_setting(items, i)) {
                    frame.setting = setting;
                }
            }
        }
        around
    };
    items.iter().enumerate().map(step).collect()
}

/// The last argument of a call and the last element of a list are followed by a comma if the bracket closes on a row of its
/// own, and by none otherwise. Between braces a comma at the end of a row says what the end of the row says, and goes.
fn commas(items: Vec<Item<'_>>) -> Option<Vec<Item<'_>>> {
    let around = surroundings(&items);
    let previous = previous(&items);
    let partners = partners(&items)?;
    let mut wanted = vec![false; items.len()];
    let mut dropped = vec![false; items.len()];
    // Backwards, so that what follows a comma is known: it may be a comma that goes.
    let mut next: Option<usize> = None;
    let mut breaks = vec![0_u8; items.len()];
    for i in (0..items.len()).rev() {
        let item = &items[i];
        breaks[i] = item.breaks;
        if item.is_comment() {
            continue;
        }
        if item.is_comma()
            && let Some(n) = next
        {
            let ends_row = breaks[n] > 0 || items.get(i + 1).is_some_and(Item::is_comment);
            let curly = around[i].bracket == Some(Bracket::Curly);
            let closes = matches!(items[n].kind, Kind::Close(_));
            dropped[i] = match around[i].bracket {
                Some(_) if closes => curly || breaks[n] == 0,
                Some(Bracket::Curly) if items[n].is_comma() => true,
                Some(Bracket::Curly) if ends_row && item.breaks == 0 => {
                    let goes_on = |p| goes_on(&items, Bracket::Curly, p, n, around[i].setting);
                    !goes_on(Some(i)) && !goes_on(previous[i])
                }
                _ => false,
            };
            if dropped[i] {
                // The break before the comma is kept, unless a comment stands between and breaks anyway.
                if !items.get(i + 1).is_some_and(Item::is_comment) {
                    breaks[n] = breaks[n].max(item.breaks);
                }
                continue;
            }
        }
        if let (Kind::Close(bracket), Some(p)) = (item.kind, previous[i]) {
            let takes = match bracket {
                Bracket::Square => true,
                Bracket::Round => is_call(&items, &previous, partners[i]),
                _ => false,
            };
            let last = if items[p].is_comma() { None } else { Some(p) };
            if let Some(last) = last.filter(|p| takes && !matches!(items[*p].kind, Kind::Open(_)))
                && item.breaks > 0
            {
                wanted[last] = true;
            }
        }
        next = Some(i);
    }
    let mut out = Vec::with_capacity(items.len());
    for (i, mut item) in items.into_iter().enumerate() {
        if dropped[i] {
            continue;
        }
        item.breaks = breaks[i];
        out.push(item);
        if wanted[i] {
            out.push(Item::comma());
        }
    }
    Some(out)
}

/// Rows that are too long are broken at their widest bracket, one argument a row.
fn break_long_rows(items: Vec<Item<'_>>) -> Option<Vec<Item<'_>>> {
    let (spaces, previous, partners) = (spaces(&items), previous(&items), partners(&items)?);
    let mut breaker = Breaker { items: &items, spaces, previous, partners, out: Vec::with_capacity(items.len()) };
    for row in rows(&items) {
        breaker.row(&row);
    }
    Some(breaker.out)
}

struct Breaker<'i, 't> {
    items: &'i [Item<'t>],
    spaces: Vec<bool>,
    previous: Vec<Option<usize>>,
    partners: Vec<usize>,
    out: Vec<Item<'t>>,
}

impl Breaker<'_, '_> {
    fn row(&mut self, row: &Row) {
        let (start, mut end) = (row.items.start, row.items.end);
        if self.items[end - 1].is_comment() {
            end -= 1;
        }
        let breaks = self.items[start].breaks;
        if self.items[start..end].iter().any(Item::is_tall) {
            self.push(start, end, breaks);
        } else if start < end {
            self.split(start, end, row.indent, 0, breaks);
        }
        self.push(end, row.items.end, self.items.get(end).map_or(0, |item| item.breaks));
    }

    /// The items from `start` to `end`, the first with so many breaks before it.
    fn push(&mut self, start: usize, end: usize, breaks: u8) {
        for i in start..end {
            let breaks = if i == start { breaks } else { 0 };
            self.out.push(Item { breaks, ..self.items[i].clone() });
        }
    }

    fn width(&self, start: usize, end: usize) -> usize {
        let of = |i: usize| self.items[i].text.chars().count() + usize::from(self.spaces[i] && i > start);
        (start..end).map(of).sum()
    }

    /// Prints the items from `start` to `end` at this indentation, on several rows if they do not fit on one with `extra`
    /// columns to spare.
    fn split(&mut self, start: usize, end: usize, indent: usize, extra: usize, breaks: u8) {
        let room = WIDTH.saturating_sub(indent * STEP);
        let widest = if self.width(start, end) + extra <= room { None } else { self.widest(start, end) };
        let Some((open, close)) = widest else { return self.push(start, end, breaks) };
        let (head, tail) = (self.width(start, open + 1), self.width(close, end) + extra);
        // Breaking the brackets of what is long for another reason, such as a text behind them, would help nobody.
        if head > room || tail > room || tail > self.width(open, close + 1) {
            return self.push(start, end, breaks);
        }
        self.push(start, open + 1, breaks);
        let takes_comma = match self.items[open].kind {
            Kind::Open(Bracket::Square) => true,
            Kind::Open(Bracket::Round) => is_call(self.items, &self.previous, open),
            _ => false,
        };
        let mut from = open + 1;
        while from < close {
            let mut to = from;
            while to < close && !self.items[to].is_comma() {
                to = self.partners[to].max(to) + 1;
            }
            let last = to >= close;
            if last {
                self.split(from, close, indent + 1, usize::from(takes_comma), 1);
                if takes_comma {
                    self.out.push(Item { text: Cow::Borrowed(","), ..Item::comma() });
                }
            } else {
                self.split(from, to + 1, indent + 1, 0, 1);
            }
            from = to + 1;
        }
        self.split(close, end, indent, extra, 1);
    }

    /// The widest bracket with something in it that opens and closes between `start` and `end`, inside of no other.
    fn widest(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize, usize)> = None;
        let mut at = start;
        while at < end {
            let close = self.partners[at];
            let opens = matches!(self.items[at].kind, Kind::Open(_));
            if opens && close < end {
                let width = self.width(at, close + 1);
                if close > at + 1 && best.is_none_or(|(widest, ..)| width > widest) {
                    best = Some((width, at, close));
                }
                at = close;
            }
            at += 1;
        }
        best.map(|(_, open, close)| (open, close))
    }
}

/// No empty line at the start of the file or a block, before a closing bracket or inside of a member; one between
/// declarations, unless both are one row and start with the same word.
fn empty_lines(items: &mut [Item<'_>]) {
    let rows = rows(items);
    for row in &rows {
        let start = row.items.start;
        let opened = match start {
            0 => true,
            1 => matches!(items[0].kind, Kind::Open(_)),
            _ => {
                let above = if items[start - 1].is_comment() && items[start - 1].breaks == 0 { 2 } else { 1 };
                matches!(items[start - above].kind, Kind::Open(_))
            }
        };
        if opened || row.continues || matches!(items[start].kind, Kind::Close(_)) {
            items[start].breaks = items[start].breaks.min(1);
        }
    }
    let starts: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].declares).collect();
    for pair in starts.windows(2) {
        let (one, two) = (pair[0], pair[1]);
        // The rows of comments above the second belong to it.
        let comment = |i: &usize| items[rows[*i].items.start].is_comment();
        let first = (one + 1..two).rev().take_while(comment).last().unwrap_or(two);
        let apart = (first..=two).any(|i| items[rows[i].items.start].breaks > 1);
        let word = |i: usize| &items[rows[i].items.start].text;
        let siblings = first == one + 1 && is_one_row(&rows, items, two) && word(one) == word(two);
        if !apart && !siblings {
            items[rows[first].items.start].breaks = 2;
        }
    }
}

/// Whether the declaration that starts with this row has no other row.
fn is_one_row(rows: &[Row], items: &[Item<'_>], at: usize) -> bool {
    let next = rows[at + 1..].iter().find(|row| !items[row.items.start].is_comment());
    next.is_none_or(|row| row.declares) && !items[rows[at].items.clone()].iter().any(Item::is_tall)
}

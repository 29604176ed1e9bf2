//! Items to text.

use super::align::{Column, Cut, Shape, pads, shape};
use super::items::{Item, partners};
use super::rows::{Row, STEP, rows};
use super::spacing::spaces;
use std::ops::Range;

/// Spaces before a comment behind code, at least.
const COMMENT_GAP: usize = 2;

/// A line as it grows from left to right.
struct Line {
    text: String,
    /// Where the next piece of it starts.
    at: usize,
    /// Where its code ends.
    end: usize,
    shape: Option<Shape>,
    cuts: Vec<Cut>,
    /// Whether there is no code on it.
    only_comment: bool,
    /// Whether an empty line stands above it.
    apart: bool,
}

/// The text of all items. `None` when their brackets do not match.
pub(super) fn print(items: &[Item<'_>]) -> Option<String> {
    let (spaces, partners) = (spaces(items), partners(items)?);
    let rows = rows(items);
    let mut lines: Vec<Line> = rows.iter().map(|row| start_line(items, row, &partners)).collect();
    let mut from = 0;
    while from < lines.len() {
        let to = end_of_run(&lines, from);
        for column in [Column::Value, Column::Operator, Column::Attribute, Column::Aside, Column::Trailing] {
            place(items, &spaces, &mut lines[from..to], column);
        }
        lines[from..to].iter_mut().for_each(|line| line.finish(items, &spaces));
        from = to;
    }
    comments(items, &rows, &mut lines);
    let mut out = String::new();
    for line in lines {
        if line.apart {
            out.push('\n');
        }
        out.push_str(&line.text);
        out.push('\n');
    }
    Some(out)
}

fn start_line(items: &[Item<'_>], row: &Row, partners: &[usize]) -> Line {
    let Range { start, end } = row.items;
    let only_comment = items[start].is_comment();
    let code = if items[end - 1].is_comment() { end - 1 } else { end };
    let (shape, cuts) = match shape(items, row, code, partners) {
        Some((shape, cuts)) if !only_comment => (Some(shape), cuts),
        _ => (None, Vec::new()),
    };
    let mut text = " ".repeat(row.indent * STEP);
    if only_comment {
        text.push_str(&items[start].text);
    }
    Line { text, at: start, end: code, shape, cuts, only_comment, apart: items[start].breaks > 1 }
}

impl Line {
    /// Adds the items up to `to`.
    fn grow(&mut self, items: &[Item<'_>], spaces: &[bool], to: usize) {
        let begin = self.at;
        for i in begin..to {
            // What stands at the start of a piece has its space already.
            if spaces[i] && i > begin {
                self.text.push(' ');
            }
            self.text.push_str(&items[i].text);
        }
        self.at = self.at.max(to);
    }

    fn finish(&mut self, items: &[Item<'_>], spaces: &[bool]) {
        self.grow(items, spaces, self.end);
    }

    /// Characters in the last line of the text.
    fn width(&self) -> usize {
        let line = self.text.rfind('\n').map_or(0, |newline| newline + 1);
        self.text[line..].chars().count()
    }
}

/// The first line after `from` that is not aligned with it. Comments between do not part lines, empty lines do.
fn end_of_run(lines: &[Line], from: usize) -> usize {
    let mut end = from + 1;
    let Some(shape) = &lines[from].shape else { return end };
    for (i, line) in lines.iter().enumerate().skip(end) {
        if line.apart || !(line.only_comment || line.shape.as_ref() == Some(shape)) {
            break;
        }
        if !line.only_comment {
            end = i + 1;
        }
    }
    end
}

/// Starts a column in all lines of a run that have it.
fn place(items: &[Item<'_>], spaces: &[bool], run: &mut [Line], column: Column) {
    let mut widths = Vec::new();
    let mut aligned = Vec::new();
    for (n, line) in run.iter_mut().enumerate() {
        let cuts: Vec<Cut> = line.cuts.iter().filter(|cut| cut.column == column).copied().collect();
        for cut in cuts {
            line.grow(items, spaces, cut.at);
            if cut.aligned && column != Column::Aside {
                widths.push(line.width());
                aligned.push((n, cut.gap));
            } else {
                line.text.push_str(&" ".repeat(cut.gap));
            }
        }
    }
    let gap = aligned.iter().map(|(_, gap)| *gap).max().unwrap_or(0);
    for ((n, _), pad) in aligned.into_iter().zip(pads(&widths, gap)) {
        run[n].text.push_str(&" ".repeat(pad));
    }
}

/// Puts the comments behind code, below one another on adjacent lines.
fn comments(items: &[Item<'_>], rows: &[Row], lines: &mut [Line]) {
    let has = |lines: &[Line], i: usize| !lines[i].only_comment && rows[i].items.end > lines[i].end;
    let mut from = 0;
    while from < lines.len() {
        if !has(lines, from) {
            from += 1;
            continue;
        }
        let to = (from + 1..lines.len()).find(|i| lines[*i].apart || !has(lines, *i)).unwrap_or(lines.len());
        let widths: Vec<usize> = lines[from..to].iter().map(Line::width).collect();
        for (line, pad) in lines[from..to].iter_mut().zip(pads(&widths, COMMENT_GAP)) {
            line.text.push_str(&" ".repeat(pad));
            line.text.push_str(&items[line.end].text);
        }
        from = to;
    }
}

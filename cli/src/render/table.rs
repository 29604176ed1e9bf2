//! Tables: aligned columns, fitted to the terminal's width.

use super::text::{PLAIN, one_line, styled};
use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    style: Style,
}

/// Lines of cells under a header.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<&'static str>,
    right: Vec<usize>,
    wraps: bool,
    rows: Vec<Vec<Cell>>,
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::styled(PLAIN, &text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::styled(PLAIN, text)
    }
}

impl Cell {
    /// A text in a style. What could harm a terminal is written out.
    pub fn styled(style: Style, text: &str) -> Cell {
        Cell { text: one_line(text), style }
    }
}

impl Table {
    /// A table with these columns. An empty header is not printed.
    pub fn new(header: &[&'static str]) -> Table {
        Table { header: header.to_vec(), ..Table::default() }
    }

    /// Numbers stand to the right.
    pub fn right(mut self, columns: &[usize]) -> Table {
        self.right = columns.to_vec();
        self
    }

    /// The last column is never cut: it goes on below its own start.
    pub fn wrapping(mut self) -> Table {
        self.wraps = true;
        self
    }

    /// Adds a line.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has no lines.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, each after `indent`. With a width, the widest column gives way until the line fits.
    pub fn render(&self, indent: &str, width: Option<usize>) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let widths = self.widths(indent, width);
        let mut text = String::new();
        if self.header.iter().any(|title| !title.is_empty()) {
            let cells: Vec<Cell> =
                self.header.iter().map(|title| Cell { text: (*title).to_owned(), style: super::text::DIM }).collect();
            self.line(&cells, &widths, indent, &mut text);
        }
        for row in &self.rows {
            self.line(row, &widths, indent, &mut text);
        }
        text
    }

    /// How wide its widest line is if nothing gives way.
    pub fn natural_width(&self) -> usize {
        let widths = self.widths("", None);
        widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
    }

    fn widths(&self, indent: &str, width: Option<usize>) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).chain([self.header.len()]).max().unwrap_or(0);
        let mut widths = vec![0; columns];
        for (index, title) in self.header.iter().enumerate() {
            widths[index] = title.width();
        }
        for row in &self.rows {
            for (index, cell) in row.iter().enumerate() {
                widths[index] = widths[index].max(cell.text.width());
            }
        }
        let Some(width) = width else { return widths };
        let room = width.saturating_sub(indent.width() + 2 * columns.saturating_sub(1));
        match widths.split_last_mut() {
            Some((last, others)) if self.wraps => {
                shrink(others, room.saturating_sub(WRAPPED.min(*last)));
                *last = room.saturating_sub(others.iter().sum()).clamp(WRAPPED, WRAPPED.max(*last));
            }
            _ => shrink(&mut widths, room),
        }
        widths
    }

    fn line(&self, cells: &[Cell], widths: &[usize], indent: &str, text: &mut String) {
        let mut line = indent.to_owned();
        let last = cells.iter().rposition(|cell| !cell.text.is_empty()).unwrap_or(0);
        let mut below = Vec::new();
        for (index, cell) in cells.iter().enumerate().take(last + 1) {
            let shown = if self.wraps && index + 1 == widths.len() {
                let mut parts = wrapped(&cell.text, widths[index]).into_iter();
                let first = parts.next().unwrap_or_default();
                below = parts.map(|part| styled(cell.style, part)).collect();
                first
            } else {
                cut(&cell.text, widths[index])
            };
            let padding = " ".repeat(widths[index].saturating_sub(shown.width()));
            let shown = if cell.style == PLAIN { shown } else { styled(cell.style, shown) };
            match (self.right.contains(&index), index == last) {
                (true, _) => line.push_str(&format!("{padding}{shown}")),
                (false, true) => line.push_str(&shown),
                (false, false) => line.push_str(&format!("{shown}{padding}")),
            }
            if index != last {
                line.push_str("  ");
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
        let start: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
        for part in below {
            text.push_str(&format!("{indent}{}{part}\n", " ".repeat(start)));
        }
    }
}

/// What a wrapped column is given at least.
const WRAPPED: usize = 30;

/// The text in lines of at most so many columns, broken between words where it can be.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let needed = word.trim_end().width();
        if used > 0 && used + needed > width {
            lines.push(String::new());
            used = 0;
        }
        for character in word.chars() {
            let columns = character.width().unwrap_or(0);
            if used + columns > width && character != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
            used += columns;
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

/// The widest column gives way first; none below what still says something.
fn shrink(widths: &mut [usize], room: usize) {
    const LEAST: usize = 8;
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max_by_key(|width| **width).filter(|width| **width > LEAST) else {
            return;
        };
        *widest -= 1;
    }
}

/// The text in at most so many columns of the terminal.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        shown.push(character);
    }
    shown.push('…');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&["run", "pipeline", "took"]).right(&[0]);
        table.row(["1".into(), "churn".into(), "1.2s".into()]);
        table.row(["12".into(), "住房价格预测模型".into(), "3m 05s".into()]);
        table
    }

    #[test]
    fn columns_align_by_what_a_terminal_shows() {
        let text = anstream::adapter::strip_str(&sample().render("", None)).to_string();
        assert_eq!(text, "run  pipeline          took\n  1  churn             1.2s\n 12  住房价格预测模型  3m 05s\n");
    }

    #[test]
    fn a_wrapping_table_loses_nothing() {
        let mut table = Table::new(&["node", "why"]).wrapping();
        table.row(["train".into(), "setting `seed` changed from 1234567 to 7654321".into()]);
        let text = anstream::adapter::strip_str(&table.render("", Some(40))).to_string();
        assert_eq!(text, "node   why\ntrain  setting `seed` changed from\n       1234567 to 7654321\n");
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column() {
        let text = anstream::adapter::strip_str(&sample().render("", Some(22))).to_string();
        assert!(text.lines().all(|line| line.width() <= 22), "{text}");
        assert!(text.contains('…'));
    }
}

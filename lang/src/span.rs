//! Places in text: byte ranges, and the lines and columns people read.

use serde::{Deserialize, Serialize};

/// A half-open byte range in one source file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end`. Files are capped at 4 GiB long before this is called.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    /// The smallest range that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The same range, `by` bytes further on: chunk-relative to file-relative. To move it back, give what wraps around.
    pub fn shifted(self, by: usize) -> Span {
        Span { start: self.start.wrapping_add(by as u32), end: self.end.wrapping_add(by as u32) }
    }

    /// As a range for slicing text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One `.mlp` file: its path as the user wrote it, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user wrote it; only ever shown, never opened here.
    pub path: std::sync::Arc<str>,
    /// The whole text, UTF-8.
    pub text: std::sync::Arc<str>,
    /// Where each line starts, found when first asked for: a thousand findings must not read the text a thousand times.
    line_starts: std::sync::OnceLock<std::sync::Arc<[u32]>>,
}

impl Source {
    /// A source file in memory.
    pub fn new(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into(), line_starts: std::sync::OnceLock::new() }
    }

    /// One-based line and column (in characters) of a byte offset. An offset past the end is the end.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let mut at = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start as usize <= at).max(1);
        let start = starts.get(line - 1).map_or(0, |start| *start as usize);
        (line, self.text[start..at].chars().count() + 1)
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let after_newlines =
                self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| i as u32 + 1);
            std::iter::once(0).chain(after_newlines).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_and_columns_are_counted_as_people_count(text in "[a\\n\\r\u{e9}\u{1F600}]{0,30}", offset in 0u32..80) {
            let source = Source::new("a.mlp", &text);
            let mut at = (offset as usize).min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let line = text[..at].matches('\n').count() + 1;
            let column = text[..at].chars().rev().take_while(|c| *c != '\n').count() + 1;
            prop_assert_eq!(source.line_column(offset), (line, column));
        }
    }
}

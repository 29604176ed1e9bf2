//! Lines and columns, as editors count them, and changes to a text.

use mlp_lang::span::Span;

/// In which units an editor counts columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Code units of UTF-16, what editors count in unless they agree on something else.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

/// A line and a column, both from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, in units of an [`Encoding`].
    pub column: u32,
}

/// Where the lines of a text start.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    /// The lines of a text. They end with `\n`, `\r\n` or `\r`.
    pub fn new(text: &str) -> Lines {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        Lines { starts: std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect() }
    }

    /// How many lines there are, at least 1.
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The place of a byte. What is past the end is the end; what is inside a character is its start.
    pub fn position(&self, text: &str, offset: u32, encoding: Encoding) -> Position {
        let at = floor(text, offset as usize);
        let line = self.starts.partition_point(|start| *start as usize <= at).saturating_sub(1);
        let start = self.starts.get(line).map_or(0, |start| *start as usize);
        let before = text.get(start..at).unwrap_or_default();
        let column = match encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.chars().map(char::len_utf16).sum(),
            Encoding::Utf32 => before.chars().count(),
        };
        Position { line: line as u32, column: column as u32 }
    }

    /// The byte at a place. A column past the end of its line is the line's end, a line past the last the text's end; what
    /// is inside a character is its start.
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> u32 {
        let Some(start) = self.starts.get(position.line as usize).map(|start| *start as usize) else {
            return text.len() as u32;
        };
        let next = self.starts.get(position.line as usize + 1).map_or(text.len(), |next| *next as usize);
        let line = text.get(start..next).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let mut left = position.column as usize;
        for (at, c) in line.char_indices() {
            let width = match encoding {
                Encoding::Utf8 => c.len_utf8(),
                Encoding::Utf16 => c.len_utf16(),
                Encoding::Utf32 => 1,
            };
            if left < width {
                return (start + at) as u32;
            }
            left -= width;
        }
        (start + line.len()) as u32
    }
}

/// The start of the character that a byte belongs to; what is past the end is the end.
pub fn floor(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The text with a range replaced. A range that is none in this text is mended first.
pub fn replaced(text: &str, span: Span, with: &str) -> String {
    let start = floor(text, span.start as usize);
    let end = floor(text, span.end as usize).max(start);
    let mut out = String::with_capacity(text.len() + with.len());
    out.push_str(&text[..start]);
    out.push_str(with);
    out.push_str(&text[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_are_counted_in_the_units_agreed_on() {
        let text = "a\u{e9}\u{1F600}b\r\nc\rd";
        let lines = Lines::new(text);
        assert_eq!(lines.count(), 3);
        let at = text.find('b').unwrap() as u32;
        for (encoding, column) in [(Encoding::Utf8, 7), (Encoding::Utf16, 4), (Encoding::Utf32, 3)] {
            assert_eq!(lines.position(text, at, encoding), Position { line: 0, column });
            assert_eq!(lines.offset(text, Position { line: 0, column }, encoding), at);
        }
        assert_eq!(lines.offset(text, Position { line: 0, column: 3 }, Encoding::Utf16), 3, "inside a pair: its start");
        assert_eq!(lines.offset(text, Position { line: 0, column: 99 }, Encoding::Utf16), 8, "past the line: its end");
        assert_eq!(lines.offset(text, Position { line: 99, column: 0 }, Encoding::Utf16), text.len() as u32);
    }

    proptest! {
        #[test]
        fn places_of_characters_are_found_again(text in "[a\u{e9}\u{1F600}\\n\\r]{0,20}", offset in 0u32..90) {
            let lines = Lines::new(&text);
            let at = floor(&text, offset as usize) as u32;
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                let position = lines.position(&text, at, encoding);
                let back = lines.offset(&text, position, encoding);
                // Between `\r` and `\n` there is no place of its own.
                prop_assert!(back == at || text[..at as usize].ends_with('\r') && text[at as usize..].starts_with('\n'));
            }
        }
    }
}

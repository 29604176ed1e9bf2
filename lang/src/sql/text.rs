//! The text of a query as it is meant, and where each piece of it stands in the file: indentation and escapes are gone,
//! holes are filled.

use crate::span::Span;
use crate::syntax::ast::{Expr, StringPart};
use crate::syntax::literals::{self, RawPart};
use crate::value::Value;
use std::ops::Range;

/// A query's text with the place of each byte.
pub(crate) struct Text {
    /// What is parsed.
    pub(crate) text: String,
    /// For each byte of it, the place in the file that it came from.
    places: Vec<Span>,
    /// Of the whole string.
    whole: Span,
}

impl Text {
    /// The text of the string `whole`, which stands at `span` in `source`. `fill` gives the text for a hole.
    pub(crate) fn new(source: &str, span: Span, parts: &[StringPart], fill: &mut dyn FnMut(&Expr) -> String) -> Text {
        let mut out = Text { text: String::new(), places: Vec::new(), whole: span };
        let written = source.get(span.range()).unwrap_or_default();
        let marks = if written.starts_with("\"\"\"") { 3 } else { 1 };
        let holes: Vec<&Expr> = parts
            .iter()
            .filter_map(|part| match part {
                StringPart::Hole(hole) => Some(hole),
                StringPart::Text(_) => None,
            })
            .collect();
        let end = (span.end as usize).saturating_sub(marks);
        let mut at = span.start as usize + marks;
        let mut texts: Vec<(usize, &str)> = Vec::new();
        for hole in &holes {
            let opens = source.get(at..hole.span.start as usize).and_then(|text| text.rfind("${"));
            let opens = opens.map_or(at, |opens| at + opens);
            let closes = source.get(hole.span.end as usize..end).and_then(|text| text.find('}'));
            texts.push((at, source.get(at..opens).unwrap_or_default()));
            at = closes.map_or(end, |closes| hole.span.end as usize + closes + 1);
        }
        texts.push((at, source.get(at..end).unwrap_or_default()));
        let dedented = match marks {
            3 => {
                let mut raw = Vec::with_capacity(2 * texts.len());
                for (n, (_, text)) in texts.iter().enumerate() {
                    if n > 0 {
                        raw.push(RawPart::Hole);
                    }
                    raw.push(RawPart::Text(text));
                }
                let mut dedented = literals::dedent(&raw);
                // Every other one is a hole's, and empty.
                let mut n = 0;
                dedented.retain(|_| {
                    n += 1;
                    n % 2 == 1
                });
                dedented
            }
            _ => texts.iter().map(|(_, text)| (*text).to_owned()).collect(),
        };
        for (n, ((start, raw), text)) in texts.iter().zip(&dedented).enumerate() {
            out.push(*start, raw, text);
            if let Some(hole) = holes.get(n) {
                let filled = fill(hole);
                out.places.extend(std::iter::repeat_n(hole.span, filled.len()));
                out.text.push_str(&filled);
            }
        }
        out
    }

    /// Adds `text`, which is `raw` without some of its white space, and resolves its escapes.
    fn push(&mut self, start: usize, raw: &str, text: &str) {
        let mut raw_chars = raw.char_indices().peekable();
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            // What dedenting took away is white space: the next character that is no space is the one looked for.
            while raw_chars.next_if(|(_, other)| *other != c).is_some() {}
            let Some((from, _)) = raw_chars.next() else { return };
            let escape = text.get(at..).filter(|_| c == '\\').map(literals::escape);
            let (resolved, length) = match escape {
                Some((length, Ok(resolved))) => (resolved, length),
                _ => (c, c.len_utf8()),
            };
            let place = Span::new(start + from, start + from + length);
            self.places.extend(std::iter::repeat_n(place, resolved.len_utf8()));
            self.text.push(resolved);
            // The rest of an escape stands for nothing more.
            let mut skipped = c.len_utf8();
            while skipped < length {
                let Some((_, rest)) = chars.next() else { break };
                raw_chars.next();
                skipped += rest.len_utf8();
            }
        }
    }

    /// Where a range of the text stands in the file.
    pub(crate) fn place(&self, range: Range<usize>) -> Span {
        let last = self.places.len().saturating_sub(1);
        let first = self.places.get(range.start.min(last));
        let end = self.places.get(range.end.saturating_sub(1).clamp(range.start.min(last), last));
        match (first, end) {
            (Some(first), Some(end)) => first.to(*end),
            _ => self.whole,
        }
    }
}

/// A value as it stands in a query. `None`: a value that queries do not have.
pub(crate) fn literal(value: &Value) -> Option<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    Some(match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) | Value::Fraction(number) => format!("{number:?}"),
        Value::Size(bytes) => bytes.to_string(),
        Value::Date(day) => format!("DATE {}", quoted(day)),
        Value::Time(time) => format!("TIMESTAMP {}", quoted(time)),
        Value::Duration(nanoseconds) => {
            let (whole, part) = (nanoseconds / 1_000_000_000, (nanoseconds % 1_000_000_000).unsigned_abs());
            match part {
                0 => format!("INTERVAL '{whole} seconds'"),
                _ => format!("INTERVAL '{} nanoseconds'", nanoseconds),
            }
        }
        Value::String(text) => quoted(text),
        Value::Column(name) => format!("\"{}\"", name.replace('"', "\"\"")),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(literal).collect::<Option<_>>()?;
            format!("({})", items.join(", "))
        }
        Value::Map(_) | Value::Range { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Source;
    use crate::syntax::ast::{DeclarationKind, ExprKind};

    fn text_of(source: &str) -> Text {
        let syntax = crate::syntax::parse(&Source::new("a.mlp", source));
        let Some(DeclarationKind::Step { body, .. }) = syntax.file.declarations.first().map(|it| &it.kind) else {
            panic!("{source}")
        };
        let ExprKind::Call(_, arguments) = &body.kind else { panic!() };
        let value = &arguments[0].value;
        let ExprKind::String(parts) = &value.kind else { panic!() };
        Text::new(source, value.span, parts, &mut |_| "42".to_owned())
    }

    #[test]
    fn each_word_knows_where_it_stands() {
        let sources = [
            "step a = sql \"\"\"\n    select age,\n      charges as \\\"x\\\"\n    from t where n > ${limit} and plan = 'a'\n  \"\"\"\n",
            "step a = sql \"select age, charges from t where n > ${limit} and plan = 'a'\"\n",
            "step a = sql \"\"\"select age,\r\n   charges,\u{e9}\\u{e9}, plan = 'a'\r\n from t where n\"\"\"\r\n",
        ];
        for source in sources {
            let text = text_of(source);
            assert_eq!(text.text.len(), text.places.len());
            for word in ["select", "age", "charges", "from", "where", "plan", "'a'"] {
                let at = text.text.find(word).unwrap_or_else(|| panic!("{word} in {:?}", text.text));
                assert_eq!(&source[text.place(at..at + word.len()).range()], word, "{:?}", text.text);
            }
        }
        let text = text_of(sources[0]);
        assert_eq!(text.text, "select age,\n  charges as \"x\"\nfrom t where n > 42 and plan = 'a'");
        let hole = text.text.find("42").unwrap();
        assert_eq!(&sources[0][text.place(hole..hole + 2).range()], "limit");
        let escaped = text.text.find("\"x\"").unwrap();
        assert_eq!(&sources[0][text.place(escaped..escaped + 3).range()], "\\\"x\\\"");
    }

    #[test]
    fn values_are_written_so_that_they_stay_values() {
        assert_eq!(literal(&Value::String("it's".into())).as_deref(), Some("'it''s'"));
        let list = Value::List(vec![Value::Int(1), Value::String("a".into())]);
        assert_eq!(literal(&list).as_deref(), Some("(1, 'a')"));
        assert_eq!(literal(&Value::Fraction(0.5)).as_deref(), Some("0.5"));
        assert_eq!(literal(&Value::Map(Default::default())), None);
    }
}

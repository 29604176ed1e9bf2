//! Names of tables in queries: what stands behind `from` and `join` in `sql """..."""`.

use crate::meaning::Symbol;
use crate::outline::{GroupKind, TokKind};
use crate::view::{Declared, View};
use mlp_lang::span::Span;

/// A table that a query reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// The name, without an output behind it.
    pub(crate) span: Span,
    /// What declares it.
    pub(crate) declared: Declared,
}

impl View<'_> {
    /// Whether a string is the query of a step.
    pub(crate) fn is_query(&self, tok: usize) -> bool {
        let Some(found) = self.outline().toks.get(tok) else { return false };
        if !matches!(found.kind, TokKind::Text | TokKind::Piece) {
            return false;
        }
        let group = self.outline().groups.get(found.group);
        let start = match group.filter(|group| group.kind == GroupKind::Quote) {
            Some(quote) => quote.open,
            None => tok,
        };
        let of_step = self.outline().part(start).is_some_and(|part| self.head(part) == "step");
        let called = start > 1 && self.word(start - 1) == "(" && self.word(start - 2) == "sql";
        of_step && start > 0 && self.word(start - 1) == "sql" || called && self.declares_step(start)
    }

    fn declares_step(&self, tok: usize) -> bool {
        let declaration = self.site(tok).and_then(|site| self.outline().declaration(site.group, site.part));
        declaration.is_some_and(|(_, part)| self.head(part) == "step")
    }

    /// The tables that a query names, as far as this file declares them.
    pub(crate) fn tables(&self, tok: usize) -> Vec<Table> {
        if !self.is_query(tok) {
            return Vec::new();
        }
        let Some(found) = self.outline().toks.get(tok) else { return Vec::new() };
        let start = found.span.start as usize;
        let mut tables = Vec::new();
        let mut reads = false;
        for (at, word) in words(self.word(tok)) {
            match word.to_ascii_lowercase().as_str() {
                "from" | "join" => reads = true,
                // `from a, b` reads both.
                "," => {}
                _ if reads => {
                    reads =
                        self.word(tok).get(at + word.len()..).is_some_and(|rest| rest.trim_start().starts_with(','));
                    if let Some(declared) = self.lookup(found.group, word)
                        && matches!(self.word(declared.keyword), "data" | "step")
                    {
                        tables.push(Table { span: Span::new(start + at, start + at + word.len()), declared });
                    }
                }
                _ => {}
            }
        }
        tables
    }

    /// The table at a byte of a query, and what it stands for.
    pub(crate) fn table_at(&self, tok: usize, offset: u32) -> Option<(Symbol, Span)> {
        let inside = |table: &Table| table.span.start <= offset && offset <= table.span.end;
        let table = self.tables(tok).into_iter().find(inside)?;
        let meaning = self.meaning(table.declared.name)?;
        Some((meaning.symbol?, table.span))
    }
}

/// Words of a query outside of its texts and comments, with their places.
fn words(query: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        loop {
            let text = query.get(rest..)?;
            let first = text.chars().next()?;
            let here = rest;
            let until = |end: Option<usize>, width: usize| end.map_or(query.len(), |end| here + end + width);
            match first {
                '\'' => rest = until(text[1..].find('\''), 2),
                '-' if text.starts_with("--") => rest = until(text.find('\n'), 1),
                c if c.is_ascii_alphabetic() || c == '_' => {
                    let length = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
                    rest += length;
                    return Some((here, &text[..length]));
                }
                // A word behind a dot is a column or an output.
                '.' => {
                    let after = text[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    rest = until(after, 1);
                }
                c => rest += c.len_utf8(),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_texts_and_comments_of_a_query_are_none() {
        let found: Vec<_> = words("select a.b, 'from x' -- from y\nfrom z \u{e9}").map(|(_, word)| word).collect();
        assert_eq!(found, ["select", "a", "from", "z"]);
        assert_eq!(words("'open").count(), 0);
    }
}

//! Where a name is declared, and where it is meant.

use crate::meaning::Symbol;
use crate::outline::TokKind;
use crate::view::{View, resolved};
use crate::workspace::Workspace;
use mlp_lang::span::Span;
use std::sync::Arc;

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The document's path.
    pub path: Arc<str>,
    /// The bytes meant.
    pub span: Span,
}

/// A place in the same document where the same thing is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// The bytes meant.
    pub span: Span,
    /// Whether it is declared here.
    pub declares: bool,
}

impl Workspace {
    /// Where the name at a byte is declared. Of a path in quotes: the file.
    pub fn definition(&self, path: &str, offset: u32) -> Option<Location> {
        let view = self.view(path)?;
        let tok = view.outline().at(offset)?;
        if view.kind(tok) == Some(TokKind::Text)
            && let Some(target) = view.linked(tok)
            && let Some(document) = self.document(&target)
        {
            return Some(Location { path: document.path().clone(), span: Span::default() });
        }
        self.declaration(&view.symbol_at(offset)?.0)
    }

    /// Where a symbol is declared.
    pub(crate) fn declaration(&self, symbol: &Symbol) -> Option<Location> {
        let place = |view: &View<'_>, tok: usize| {
            let span = view.outline().toks.get(tok)?.span;
            Some(Location { path: view.document.path().clone(), span })
        };
        match symbol {
            Symbol::Named { path, name } => {
                let view = self.view(path)?;
                place(&view, view.declared(name)?.name)
            }
            Symbol::Output { path, node, .. } => {
                let view = self.view(path)?;
                place(&view, view.declared(node)?.name)
            }
            Symbol::Local { path, .. } | Symbol::Column { path, .. } => {
                let view = self.view(path)?;
                let found = |meaning: &Option<crate::meaning::Meaning>| {
                    meaning.as_ref().is_some_and(|found| found.declares && found.symbol.as_ref() == Some(symbol))
                };
                place(&view, view.meanings().iter().position(found)?)
            }
            Symbol::Step { .. } | Symbol::Argument { .. } => None,
        }
    }

    /// Every place where what stands at a byte is meant, in all documents, by path and place.
    pub fn references(&self, path: &str, offset: u32, with_declaration: bool) -> Vec<Location> {
        let Some(symbol) = self.symbol_at(path, offset) else { return Vec::new() };
        let mut found = Vec::new();
        for document in self.documents() {
            // A file in which the word does not stand cannot mean it.
            if !document.text().contains(word_of(&symbol)) {
                continue;
            }
            let Some(view) = self.view(document.path()) else { continue };
            let places = view.places(&symbol).into_iter().filter(|place| with_declaration || !place.declares);
            found.extend(places.map(|place| Location { path: document.path().clone(), span: place.span }));
        }
        found
    }

    /// Every place in the document where what stands at a byte is meant.
    pub fn highlights(&self, path: &str, offset: u32) -> Vec<Highlight> {
        let Some(symbol) = self.symbol_at(path, offset) else { return Vec::new() };
        self.view(path).map(|view| view.places(&symbol)).unwrap_or_default()
    }

    /// What stands at a byte.
    pub(crate) fn symbol_at(&self, path: &str, offset: u32) -> Option<Symbol> {
        Some(self.view(path)?.symbol_at(offset)?.0)
    }
}

/// The word that stands for a symbol.
pub(crate) fn word_of(symbol: &Symbol) -> &str {
    match symbol {
        Symbol::Named { name, .. } | Symbol::Local { name, .. } | Symbol::Column { name, .. } => name,
        Symbol::Output { output, metric, .. } => metric.as_ref().unwrap_or(output),
        Symbol::Step { step, .. } => step,
        Symbol::Argument { name, .. } => name,
    }
}

impl View<'_> {
    /// What stands at a byte, and its place.
    pub(crate) fn symbol_at(&self, offset: u32) -> Option<(Symbol, Span)> {
        let tok = self.outline().at(offset)?;
        match self.meaning(tok) {
            Some(meaning) => Some((meaning.symbol?, self.outline().toks.get(tok)?.span)),
            None => self.table_at(tok, offset),
        }
    }

    /// Where a symbol is meant in this document.
    pub(crate) fn places(&self, symbol: &Symbol) -> Vec<Highlight> {
        let mut places = self.places_of_words(symbol);
        if matches!(symbol, Symbol::Named { .. } | Symbol::Local { .. }) {
            let read = (0..self.outline().toks.len()).flat_map(|tok| self.tables(tok));
            let same = read.filter(|table| {
                self.meaning(table.declared.name).is_some_and(|meaning| meaning.symbol.as_ref() == Some(symbol))
            });
            places.extend(same.map(|table| Highlight { span: table.span, declares: false }));
            places.sort_by_key(|place| place.span);
        }
        places
    }

    fn places_of_words(&self, symbol: &Symbol) -> Vec<Highlight> {
        let toks = &self.outline().toks;
        let meanings = self.meanings().iter().zip(toks);
        meanings
            .filter_map(|(meaning, tok)| {
                let meaning = meaning.as_ref()?;
                let fits = meaning.symbol.as_ref()? == symbol;
                fits.then_some(Highlight { span: tok.span, declares: meaning.declares })
            })
            .collect()
    }

    /// The path of the file that a string in a `use` or in a source names.
    pub(crate) fn linked(&self, tok: usize) -> Option<String> {
        let written = self.written_path(tok)?;
        if written.contains("://") || written.contains("${") {
            return None;
        }
        let site = self.site(tok)?;
        let part = self.outline().part(tok)?;
        let group = self.outline().groups.get(site.group)?;
        let of_use = group.parent == site.group && self.head(part) == "use";
        let of_call = self.outline().callee(self.text(), site.group).is_some_and(|(first, last)| {
            first == last && matches!(self.word(first), "csv" | "parquet" | "json_lines" | "policy" | "file")
        });
        (of_use || of_call && part.first == tok).then(|| resolved(self.document.path(), written))
    }
}

//! Another name for what somebody named, everywhere it is meant.

use crate::builtin;
use crate::meaning::Symbol;
use crate::navigate::word_of;
use crate::text_edit::TextEdit;
use crate::workspace::Workspace;
use mlp_lang::analysis::{Kind, is_built_in, written_column};
use mlp_lang::span::Span;
use mlp_lang::syntax::keywords;
use std::sync::Arc;

/// Changes to one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// Its path.
    pub path: Arc<str>,
    /// Changes that do not overlap, in order.
    pub edits: Vec<TextEdit>,
}

/// Why something cannot be renamed, in a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl Workspace {
    /// The word at a byte that could be renamed, and what it is called now.
    pub fn prepare_rename(&self, path: &str, offset: u32) -> Result<(Span, String), Refused> {
        let (symbol, span) = self.renameable(path, offset)?;
        Ok((span, word_of(&symbol).to_owned()))
    }

    /// Gives what stands at a byte another name, in all documents.
    pub fn rename(&self, path: &str, offset: u32, name: &str) -> Result<Vec<FileEdit>, Refused> {
        let (symbol, _) = self.renameable(path, offset)?;
        self.allowed(&symbol, name)?;
        let mut changed = Vec::new();
        for document in self.documents() {
            if !document.text().contains(word_of(&symbol)) {
                continue;
            }
            let Some(view) = self.view(document.path()) else { continue };
            let edits: Vec<TextEdit> = view
                .places(&symbol)
                .into_iter()
                .map(|place| {
                    // A column's name in quotes stays in quotes.
                    let quoted = view.text().get(place.span.start as usize..).is_some_and(|rest| rest.starts_with('"'));
                    let text = match (&symbol, quoted) {
                        (Symbol::Column { .. }, true) => mlp_lang::analysis::written_text(name),
                        (Symbol::Column { .. }, false) => written_column(name),
                        _ => name.to_owned(),
                    };
                    TextEdit { span: place.span, text }
                })
                .collect();
            if !edits.is_empty() {
                changed.push(FileEdit { path: document.path().clone(), edits });
            }
        }
        Ok(changed)
    }

    fn renameable(&self, path: &str, offset: u32) -> Result<(Symbol, Span), Refused> {
        let no = |why: &str| Err(Refused(why.to_owned()));
        let Some(view) = self.view(path) else { return no("this file is not open") };
        let Some(tok) = view.outline().at(offset) else { return no("there is no name here") };
        let Some((symbol, span)) = view.symbol_at(offset) else {
            return no(match view.meaning(tok) {
                Some(_) => "this is a word of the language, or a name that nothing declares",
                None => "there is no name here",
            });
        };
        match symbol {
            Symbol::Output { .. } => return no("a step's outputs are named by its module"),
            Symbol::Step { .. } | Symbol::Argument { .. } => return no("this is named by the module"),
            _ => {}
        }
        if let Symbol::Named { path, name } = &symbol
            && let Some(view) = self.view(path)
            && let Some(declared) = view.declared(name)
            && view.word(declared.keyword) == "use"
            && view.word(declared.name.saturating_sub(1)) != "as"
        {
            return no("this module goes by its own name; write `as name` behind it to give it another");
        }
        // The name in quotes is what is edited.
        let quoted = view.text().get(span.start as usize..).is_some_and(|rest| rest.starts_with('"'));
        let span = match quoted {
            true => Span { start: span.start + 1, end: span.end.saturating_sub(1).max(span.start + 1) },
            false => span,
        };
        Ok((symbol, span))
    }

    fn allowed(&self, symbol: &Symbol, name: &str) -> Result<(), Refused> {
        let no = |why: String| Err(Refused(why));
        if let Symbol::Column { path, schema, .. } = symbol {
            if name.is_empty() || name.contains(['\n', '\r']) {
                return no("a column's name is one line of text".to_owned());
            }
            let view = self.view(path);
            let taken = view.is_some_and(|view| {
                view.facts().schemas.get(&**schema).is_some_and(|schema| schema.column(name).is_some())
            });
            return if taken { no(format!("`{schema}` has a column `{name}` already")) } else { Ok(()) };
        }
        let mut chars = name.chars();
        let identifier = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !identifier {
            return no("a name has letters, digits and `_`, and does not begin with a digit".to_owned());
        }
        if builtin::RESERVED.contains(&name) || keywords::is_declaration(name) {
            return no(format!("`{name}` is a word of the language"));
        }
        let (path, current) = match symbol {
            Symbol::Named { path, name } | Symbol::Local { path, name, .. } => (path, name),
            _ => return Ok(()),
        };
        let Some(view) = self.view(path) else { return Ok(()) };
        let kind = match view.declared(current).map(|declared| view.word(declared.keyword)) {
            Some("param") => Kind::Param,
            Some("deploy") => Kind::Deploy,
            _ => Kind::Step,
        };
        if is_built_in(name, kind) {
            return no(format!("`{name}` is built in and cannot be declared again"));
        }
        if view.declared(name).is_some() {
            return no(format!("`{name}` is declared already"));
        }
        Ok(())
    }
}

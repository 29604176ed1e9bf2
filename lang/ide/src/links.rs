//! Paths in a text that lead to files.

use crate::outline::TokKind;
use crate::workspace::Workspace;
use mlp_lang::span::Span;

/// A path in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The path, without its quotes.
    pub span: Span,
    /// The file, from the document's folder.
    pub target: String,
}

impl Workspace {
    /// Every path in a document that leads to a file.
    pub fn links(&self, path: &str) -> Vec<Link> {
        let Some(view) = self.view(path) else { return Vec::new() };
        let toks = view.outline().toks.iter().enumerate();
        let texts = toks.filter(|(_, tok)| tok.kind == TokKind::Text && tok.span.end > tok.span.start + 2);
        texts
            .filter_map(|(at, tok)| {
                let target = view.linked(at)?;
                Some(Link { span: Span { start: tok.span.start + 1, end: tok.span.end - 1 }, target })
            })
            .collect()
    }
}

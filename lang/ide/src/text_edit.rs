//! Changes to a text.

use mlp_lang::span::Span;

/// Replace these bytes by this text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// The text after edits that do not overlap.
#[cfg(test)]
pub(crate) fn applied(text: &str, edits: &[TextEdit]) -> String {
    let mut edits: Vec<_> = edits.to_vec();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    edits.iter().fold(text.to_owned(), |text, edit| crate::text::replaced(&text, edit.span, &edit.text))
}

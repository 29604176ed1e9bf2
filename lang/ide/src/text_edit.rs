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

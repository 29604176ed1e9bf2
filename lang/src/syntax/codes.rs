//! The codes of every finding that syntax can give. Codes are never reused.

use crate::finding::Code;

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ pub const $constant:ident: Code = $code:expr;)*) => {
        $($(#[doc = $meaning])+ pub const $constant: Code = $code;)*

        /// Every code of syntax with its meaning, in order.
        pub const ALL: &[(Code, &str)] = &[$(($constant, concat!($($meaning),+).trim_ascii())),*];
    };
}

codes! {
    /// A character that the language does not use, or does not use like this: `&&`, `;`, `'`.
    pub const UNEXPECTED_CHARACTER: Code = Code::new("E0101", "unexpected-character");
    /// A string whose closing quote is missing: on its line, or for `"""` before the next declaration.
    pub const UNCLOSED_STRING: Code = Code::new("E0102", "unclosed-string");
    /// `${` without its `}` on the same line.
    pub const UNCLOSED_HOLE: Code = Code::new("E0103", "unclosed-hole");
    /// `(`, `[` or `{` without its partner.
    pub const UNCLOSED_BRACKET: Code = Code::new("E0104", "unclosed-bracket");
    /// Something else was expected here.
    pub const UNEXPECTED_SYNTAX: Code = Code::new("E0105", "unexpected-syntax");
    /// A line that begins with a word that starts no declaration.
    pub const UNKNOWN_DECLARATION: Code = Code::new("E0106", "unknown-declaration");
    /// Text that belongs to no declaration.
    pub const STRAY_TEXT: Code = Code::new("E0107", "stray-text");
    /// Brackets or operators nested deeper than the language allows.
    pub const TOO_DEEP: Code = Code::new("E0108", "too-deep");
    /// A file larger than the language allows.
    pub const FILE_TOO_LARGE: Code = Code::new("E0109", "file-too-large");
    /// `a < b < c`.
    pub const CHAINED_COMPARISON: Code = Code::new("E0110", "chained-comparison");
    /// A number that cannot be read, or is too large for its type.
    pub const BAD_NUMBER: Code = Code::new("E0111", "bad-number");
    /// A unit that the language does not know, as in `10M`.
    pub const UNKNOWN_UNIT: Code = Code::new("E0112", "unknown-unit");
    /// A date or time that does not exist, as in `2024-02-30`.
    pub const BAD_DATE: Code = Code::new("E0113", "bad-date");
    /// `\q` in a string.
    pub const BAD_ESCAPE: Code = Code::new("E0114", "bad-escape");
    /// A declaration that needs a `{ ... }` and has none.
    pub const MISSING_BLOCK: Code = Code::new("E0115", "missing-block");
    /// `mlp 9`: an edition this version does not know.
    pub const UNSUPPORTED_EDITION: Code = Code::new("E0116", "unsupported-edition");
    /// `mlp 1` somewhere else than at the top, or twice.
    pub const MISPLACED_EDITION: Code = Code::new("E0117", "misplaced-edition");
    /// A declaration that does not start in the first column.
    pub const INDENTED_DECLARATION: Code = Code::new("E0118", "indented-declaration");
    /// A clause given twice on one line: `because "..." because "..."`.
    pub const REPEATED_CLAUSE: Code = Code::new("E0119", "repeated-clause");
    /// `not` where an operator binds tighter: `a == not b`.
    pub const LOOSE_NOT: Code = Code::new("E0120", "loose-not");
    /// So much is wrong that the rest of the file was not read.
    pub const TOO_MANY_FINDINGS: Code = Code::new("E0121", "too-many-findings");
    /// A file without its edition line.
    pub const MISSING_EDITION: Code = Code::new("W0101", "missing-edition");
    /// Part of the language, but this version cannot run it.
    pub const NOT_IN_THIS_VERSION: Code = Code::new("E0901", "not-in-this-version");
}

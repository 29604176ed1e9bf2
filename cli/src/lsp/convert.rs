//! From what the language knows to what the protocol shows.

use super::uri;
use gen_lsp_types as lsp;
use mlp_ide::text::{Encoding, Lines, Position};
use mlp_ide::{Document, FoldKind, ItemKind, OutlinedKind, TokenKind, Workspace};
use mlp_lang::finding::{Finding, Place, Severity};
use mlp_lang::span::Span;
use std::collections::HashMap;

/// How things are shown to this editor.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// What columns are counted in.
    pub encoding: Encoding,
    /// Whether it fills in snippets.
    pub snippets: bool,
    /// Whether findings may point at other places.
    pub related: bool,
}

/// A text with its lines: what places are counted in.
pub struct Places<'d> {
    text: &'d str,
    lines: &'d Lines,
    encoding: Encoding,
}

impl<'d> Places<'d> {
    pub fn of(document: &'d Document, shown: &Shown) -> Places<'d> {
        Places { text: document.text(), lines: document.lines(), encoding: shown.encoding }
    }

    pub fn position(&self, offset: u32) -> lsp::Position {
        let position = self.lines.position(self.text, offset, self.encoding);
        lsp::Position { line: position.line, character: position.column }
    }

    pub fn range(&self, span: Span) -> lsp::Range {
        lsp::Range { start: self.position(span.start), end: self.position(span.end) }
    }

    pub fn offset(&self, position: lsp::Position) -> u32 {
        let position = Position { line: position.line, column: position.character };
        self.lines.offset(self.text, position, self.encoding)
    }

    pub fn span(&self, range: lsp::Range) -> Span {
        let start = self.offset(range.start);
        Span { start, end: self.offset(range.end).max(start) }
    }

    /// How long a piece of one line is.
    pub fn width(&self, span: Span) -> u32 {
        let text = self.text.get(span.range()).unwrap_or_default();
        match self.encoding {
            Encoding::Utf8 => text.len() as u32,
            Encoding::Utf16 => text.encode_utf16().count() as u32,
            Encoding::Utf32 => text.chars().count() as u32,
        }
    }

    pub fn edit(&self, edit: &mlp_ide::TextEdit) -> lsp::TextEdit {
        lsp::TextEdit { range: self.range(edit.span), new_text: edit.text.clone() }
    }
}

impl Shown {
    /// What is wrong in a document.
    pub fn diagnostics(&self, workspace: &Workspace, path: &str) -> Vec<lsp::Diagnostic> {
        let Some(document) = workspace.document(path) else { return Vec::new() };
        let findings = workspace.findings(path);
        findings.iter().map(|finding| self.diagnostic(workspace, document, finding)).collect()
    }

    pub fn diagnostic(&self, workspace: &Workspace, document: &Document, finding: &Finding) -> lsp::Diagnostic {
        let places = Places::of(document, self);
        let range = match &finding.primary.place {
            Place::Source { path, span } if **path == **document.path() => places.range(*span),
            _ => lsp::Range::default(),
        };
        let mut message = finding.message.clone();
        if !finding.primary.text.is_empty() {
            message.push_str(": ");
            message.push_str(&finding.primary.text);
        }
        for note in &finding.notes {
            message.push_str("\nnote: ");
            message.push_str(note);
        }
        if let Some(help) = &finding.help {
            message.push_str("\nhelp: ");
            message.push_str(help);
        }
        let related: Vec<lsp::DiagnosticRelatedInformation> = (finding.secondary.iter())
            .filter_map(|label| {
                let Place::Source { path, span } = &label.place else { return None };
                let other = workspace.document(path)?;
                let range = Places::of(other, self).range(*span);
                let location = lsp::Location { uri: uri::of_path(path), range };
                Some(lsp::DiagnosticRelatedInformation { location, message: label.text.clone() })
            })
            .collect();
        let unused = finding.code.name.starts_with("unused");
        lsp::Diagnostic {
            range,
            severity: Some(match finding.severity {
                Severity::Error => lsp::DiagnosticSeverity::Error,
                _ => lsp::DiagnosticSeverity::Warning,
            }),
            code: Some(lsp::Code::String(finding.code.id.to_string())),
            code_description: None,
            source: Some("mlp".to_owned()),
            message: lsp::Message::String(message),
            tags: unused.then(|| vec![lsp::DiagnosticTag::Unnecessary]),
            related_information: (self.related && !related.is_empty()).then_some(related),
            data: None,
        }
    }

    /// Changes to documents.
    pub fn workspace_edit(&self, workspace: &Workspace, files: &[mlp_ide::FileEdit]) -> lsp::WorkspaceEdit {
        let mut changes: HashMap<lsp::Uri, Vec<lsp::TextEdit>> = HashMap::new();
        for file in files {
            let Some(document) = workspace.document(&file.path) else { continue };
            let places = Places::of(document, self);
            changes.insert(uri::of_path(&file.path), file.edits.iter().map(|edit| places.edit(edit)).collect());
        }
        lsp::WorkspaceEdit { changes: Some(changes), ..lsp::WorkspaceEdit::default() }
    }
}

pub fn markdown(text: String) -> lsp::MarkupContent {
    lsp::MarkupContent { kind: lsp::MarkupKind::Markdown, value: text }
}

pub fn completion_kind(kind: ItemKind) -> lsp::CompletionItemKind {
    use lsp::CompletionItemKind as Kind;
    match kind {
        ItemKind::Keyword => Kind::Keyword,
        ItemKind::Setting | ItemKind::Argument => Kind::Property,
        ItemKind::Function => Kind::Function,
        ItemKind::Param => Kind::Constant,
        ItemKind::Node => Kind::Variable,
        ItemKind::Output | ItemKind::Column => Kind::Field,
        ItemKind::Value => Kind::EnumMember,
        ItemKind::Type => Kind::TypeParameter,
        ItemKind::Schema => Kind::Struct,
        ItemKind::Module => Kind::Module,
        ItemKind::Unit => Kind::Unit,
        ItemKind::File => Kind::File,
    }
}

pub fn symbol_kind(kind: OutlinedKind) -> lsp::SymbolKind {
    use lsp::SymbolKind as Kind;
    match kind {
        OutlinedKind::Pipeline => Kind::Package,
        OutlinedKind::Module => Kind::Module,
        OutlinedKind::Param => Kind::Constant,
        OutlinedKind::Schema => Kind::Struct,
        OutlinedKind::Column => Kind::Field,
        OutlinedKind::Data => Kind::Array,
        OutlinedKind::Step => Kind::Function,
        OutlinedKind::Component => Kind::Class,
        OutlinedKind::Gate => Kind::Boolean,
        OutlinedKind::Model => Kind::Object,
        OutlinedKind::Deploy => Kind::Interface,
        OutlinedKind::Monitor => Kind::Method,
        OutlinedKind::Trigger => Kind::Event,
        OutlinedKind::Test => Kind::Method,
        OutlinedKind::Member => Kind::Property,
    }
}

pub fn fold_kind(kind: FoldKind) -> lsp::FoldingRangeKind {
    match kind {
        FoldKind::Region => lsp::FoldingRangeKind::Region,
        FoldKind::Comment => lsp::FoldingRangeKind::Comment,
        FoldKind::Imports => lsp::FoldingRangeKind::Imports,
    }
}

/// The names of semantic tokens, in the order of [`token_index`]. All of them are standard, so that every theme has colours.
pub const TOKEN_TYPES: [&str; 13] = [
    "keyword",
    "comment",
    "string",
    "number",
    "operator",
    "function",
    "type",
    "struct",
    "namespace",
    "parameter",
    "variable",
    "property",
    "enumMember",
];

/// Which of [`TOKEN_TYPES`].
pub fn token_index(kind: TokenKind) -> u32 {
    match kind {
        TokenKind::Keyword => 0,
        TokenKind::Comment => 1,
        TokenKind::Text => 2,
        TokenKind::Number => 3,
        TokenKind::Operator => 4,
        TokenKind::Function => 5,
        TokenKind::Type => 6,
        TokenKind::Schema => 7,
        TokenKind::Module => 8,
        TokenKind::Param => 9,
        TokenKind::Node => 10,
        TokenKind::Column | TokenKind::Output | TokenKind::Argument | TokenKind::Setting => 11,
        TokenKind::Choice => 12,
    }
}

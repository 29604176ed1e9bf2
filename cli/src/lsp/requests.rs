//! Each request: its parameters, what is asked of the workspace, and how the answer is shown.

use super::convert::{Places, Shown, completion_kind, fold_kind, markdown, symbol_kind, token_index};
use super::uri;
use gen_lsp_types as lsp;
use lsp_server::ErrorCode;
use mlp_ide::{Document, LensKind, Location, Outlined, Workspace};
use mlp_lang::span::Span;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

type Answer = Result<Value, (ErrorCode, String)>;

/// Answers one request.
pub fn answer(workspace: &Workspace, shown: &Shown, method: &str, params: Value) -> Answer {
    let ask = Ask { workspace, shown };
    match method {
        "textDocument/diagnostic" => ask.with(params, Ask::diagnostic),
        "textDocument/hover" => ask.with(params, Ask::hover),
        "textDocument/completion" => ask.with(params, Ask::completion),
        "textDocument/signatureHelp" => ask.with(params, Ask::signature),
        "textDocument/definition" => ask.with(params, Ask::definition),
        "textDocument/references" => ask.with(params, Ask::references),
        "textDocument/documentHighlight" => ask.with(params, Ask::highlights),
        "textDocument/documentSymbol" => ask.with(params, Ask::document_symbols),
        "workspace/symbol" => ask.with(params, Ask::workspace_symbols),
        "textDocument/codeAction" => ask.with(params, Ask::code_actions),
        "textDocument/codeLens" => ask.with(params, Ask::code_lenses),
        "codeLens/resolve" => ask.with(params, Ask::resolved_lens),
        "textDocument/documentLink" => ask.with(params, Ask::links),
        "textDocument/prepareRename" => ask.with(params, Ask::prepared_rename),
        "textDocument/rename" => ask.with(params, Ask::rename),
        "textDocument/formatting" => ask.with(params, Ask::formatted),
        "textDocument/foldingRange" => ask.with(params, Ask::folds),
        "textDocument/selectionRange" => ask.with(params, Ask::selections),
        "textDocument/inlayHint" => ask.with(params, Ask::hints),
        "textDocument/semanticTokens/full" => ask.with(params, Ask::all_tokens),
        "textDocument/semanticTokens/range" => ask.with(params, Ask::tokens_in),
        _ => Err((ErrorCode::MethodNotFound, format!("`{method}` is not supported"))),
    }
}

struct Ask<'w> {
    workspace: &'w Workspace,
    shown: &'w Shown,
}

/// Nothing to say.
const NOTHING: Answer = Ok(Value::Null);

impl<'w> Ask<'w> {
    fn with<P: DeserializeOwned>(&self, params: Value, answer: impl FnOnce(&Self, P) -> Answer) -> Answer {
        match serde_json::from_value(params) {
            Ok(params) => answer(self, params),
            Err(error) => Err((ErrorCode::InvalidParams, error.to_string())),
        }
    }

    fn document(&self, identifier: &lsp::TextDocumentIdentifier) -> Option<(String, &'w Arc<Document>, Places<'w>)> {
        let path = uri::to_path(&identifier.uri);
        let document = self.workspace.document(&path)?;
        Some((path, document, Places::of(document, self.shown)))
    }

    /// The document, its places, and the byte that a request is about.
    fn at(&self, params: &lsp::TextDocumentPositionParams) -> Option<(String, Places<'w>, u32)> {
        let (path, _, places) = self.document(&params.text_document)?;
        let offset = places.offset(params.position);
        Some((path, places, offset))
    }

    fn location(&self, location: &Location) -> Option<lsp::Location> {
        let document = self.workspace.document(&location.path)?;
        let range = Places::of(document, self.shown).range(location.span);
        Some(lsp::Location { uri: uri::of_path(&location.path), range })
    }

    fn diagnostic(&self, params: lsp::DocumentDiagnosticParams) -> Answer {
        let path = uri::to_path(&params.text_document.uri);
        let items = self.shown.diagnostics(self.workspace, &path);
        told(json!({ "kind": "full", "items": items }))
    }

    fn hover(&self, params: lsp::HoverParams) -> Answer {
        let Some((path, places, offset)) = self.at(&params.text_document_position_params) else { return NOTHING };
        let Some(hover) = self.workspace.hover(&path, offset) else { return NOTHING };
        told(lsp::Hover {
            contents: lsp::Contents::MarkupContent(markdown(hover.text)),
            range: Some(places.range(hover.span)),
        })
    }

    fn completion(&self, params: lsp::CompletionParams) -> Answer {
        let Some((path, places, offset)) = self.at(&params.text_document_position_params) else { return NOTHING };
        let items = self.workspace.complete(&path, offset).into_iter().map(|item| {
            let snippet = self.shown.snippets && item.insert.contains('$');
            let new_text = if snippet { item.insert } else { plain(&item.insert) };
            let edit = lsp::TextEdit { range: places.range(item.span), new_text };
            lsp::CompletionItem {
                sort_text: Some(format!("{:02}{}", item.rank, item.label)),
                label: item.label,
                kind: Some(completion_kind(item.kind)),
                detail: Some(item.detail).filter(|detail| !detail.is_empty()),
                documentation: (!item.doc.is_empty()).then(|| lsp::Documentation::MarkupContent(markdown(item.doc))),
                insert_text_format: snippet.then_some(lsp::InsertTextFormat::Snippet),
                text_edit: Some(lsp::CompletionItemTextEdit::TextEdit(edit)),
                ..lsp::CompletionItem::default()
            }
        });
        told(items.collect::<Vec<_>>())
    }

    fn signature(&self, params: lsp::SignatureHelpParams) -> Answer {
        let Some((path, _, offset)) = self.at(&params.text_document_position_params) else { return NOTHING };
        let Some(signature) = self.workspace.signature(&path, offset) else { return NOTHING };
        // Labels are ASCII unless a doc comment's default is not: then places are told as texts.
        let ascii = signature.label.is_ascii();
        let parameters = signature.parameters.iter().map(|((start, end), doc)| {
            let text = signature.label.get(*start as usize..*end as usize).unwrap_or_default();
            lsp::ParameterInformation {
                label: match ascii {
                    true => lsp::ParameterInformationLabel::Tuple((*start, *end)),
                    false => lsp::ParameterInformationLabel::String(text.to_owned()),
                },
                documentation: (!doc.is_empty()).then(|| lsp::Documentation::MarkupContent(markdown(doc.clone()))),
            }
        });
        let information = json!({
            "label": signature.label,
            "documentation": markdown(signature.doc.clone()),
            "parameters": parameters.collect::<Vec<_>>(),
        });
        // Without an active parameter the protocol takes the first; one past the last is none.
        let active = signature.active.unwrap_or(signature.parameters.len() as u32);
        told(json!({ "signatures": [information], "activeSignature": 0, "activeParameter": active }))
    }

    fn definition(&self, params: lsp::DefinitionParams) -> Answer {
        let Some((path, _, offset)) = self.at(&params.text_document_position_params) else { return NOTHING };
        let location = self.workspace.definition(&path, offset).and_then(|location| self.location(&location));
        told(location)
    }

    fn references(&self, params: lsp::ReferenceParams) -> Answer {
        let Some((path, _, offset)) = self.at(&params.text_document_position_params) else { return NOTHING };
        let found = self.workspace.references(&path, offset, params.context.include_declaration);
        told(found.iter().filter_map(|location| self.location(location)).collect::<Vec<_>>())
    }

    fn highlights(&self, params: lsp::DocumentHighlightParams) -> Answer {
        let Some((path, places, offset)) = self.at(&params.text_document_position_params) else { return NOTHING };
        let found = self.workspace.highlights(&path, offset).into_iter().map(|highlight| lsp::DocumentHighlight {
            range: places.range(highlight.span),
            kind: Some(match highlight.declares {
                true => lsp::DocumentHighlightKind::Write,
                false => lsp::DocumentHighlightKind::Read,
            }),
        });
        told(found.collect::<Vec<_>>())
    }

    fn document_symbols(&self, params: lsp::DocumentSymbolParams) -> Answer {
        let Some((path, _, places)) = self.document(&params.text_document) else { return NOTHING };
        let outline = self.workspace.outline(&path);
        told(outline.iter().map(|outlined| symbol(outlined, &places)).collect::<Vec<_>>())
    }

    fn workspace_symbols(&self, params: lsp::WorkspaceSymbolParams) -> Answer {
        let found = self.workspace.search(&params.query);
        let symbols = found.iter().filter_map(|(location, outlined)| {
            let container = location.path.rsplit('/').next().unwrap_or_default();
            Some(json!({
                "name": outlined.name,
                "kind": symbol_kind(outlined.kind),
                "location": self.location(location)?,
                "containerName": container,
            }))
        });
        told(symbols.collect::<Vec<_>>())
    }

    fn code_actions(&self, params: lsp::CodeActionParams) -> Answer {
        let Some((path, document, places)) = self.document(&params.text_document) else { return NOTHING };
        let only = params.context.only;
        // `source` asks for `source.fixAll.mlp` too.
        let wanted = |kind: &str| {
            only.as_ref().is_none_or(|only| {
                only.iter().any(|asked| {
                    let asked = asked.to_string();
                    kind == asked || kind.strip_prefix(&asked).is_some_and(|rest| rest.starts_with('.'))
                })
            })
        };
        let mut actions = Vec::new();
        if wanted("quickfix") {
            for action in self.workspace.actions(&path, places.span(params.range)) {
                let edits: Vec<_> = action.edits.iter().map(|edit| places.edit(edit)).collect();
                let finding =
                    action.finding.iter().map(|finding| self.shown.diagnostic(self.workspace, document, finding));
                actions.push(json!({
                    "title": action.title,
                    "kind": "quickfix",
                    "diagnostics": finding.collect::<Vec<_>>(),
                    "isPreferred": action.preferred,
                    "edit": { "changes": { params.text_document.uri.as_ref(): edits } },
                }));
            }
        }
        if wanted("source.fixAll.mlp")
            && let Some(action) = self.workspace.fix_all(&path)
        {
            let edits: Vec<_> = action.edits.iter().map(|edit| places.edit(edit)).collect();
            actions.push(json!({
                "title": action.title,
                "kind": "source.fixAll.mlp",
                "edit": { "changes": { params.text_document.uri.as_ref(): edits } },
            }));
        }
        told(actions)
    }

    fn code_lenses(&self, params: lsp::CodeLensParams) -> Answer {
        let Some((path, _, places)) = self.document(&params.text_document) else { return NOTHING };
        let lenses = self.workspace.lenses(&path).into_iter().map(|lens| {
            let range = places.range(lens.span);
            match lens.kind {
                LensKind::Run => json!({
                    "range": range,
                    "command": { "title": "\u{25b6} run", "command": "mlp.run", "arguments": [params.text_document.uri] },
                }),
                LensKind::Plan => json!({ "range": range, "data": { "plan": params.text_document.uri } }),
            }
        });
        told(lenses.collect::<Vec<_>>())
    }

    /// What would run takes a look at the data: it is found out for lenses that are seen.
    fn resolved_lens(&self, lens: Value) -> Answer {
        let Some(uri) = lens["data"]["plan"].as_str().map(lsp::Uri::from) else { return Ok(lens) };
        let title = match self.workspace.plan(&uri::to_path(&uri)) {
            Some(planned) => format!("plan: {planned}"),
            None => "plan".to_owned(),
        };
        let mut lens = lens;
        lens["command"] = json!({ "title": title, "command": "mlp.plan", "arguments": [uri] });
        Ok(lens)
    }

    fn links(&self, params: lsp::DocumentLinkParams) -> Answer {
        let Some((path, _, places)) = self.document(&params.text_document) else { return NOTHING };
        let links = self.workspace.links(&path).into_iter().map(|link| lsp::DocumentLink {
            range: places.range(link.span),
            target: Some(uri::of_path(&link.target)),
            tooltip: None,
            data: None,
        });
        told(links.collect::<Vec<_>>())
    }

    fn prepared_rename(&self, params: lsp::PrepareRenameParams) -> Answer {
        let Some((path, places, offset)) = self.at(&params.text_document_position_params) else { return NOTHING };
        match self.workspace.prepare_rename(&path, offset) {
            Ok((span, name)) => told(json!({ "range": places.range(span), "placeholder": name })),
            Err(refused) => Err((ErrorCode::RequestFailed, refused.0)),
        }
    }

    fn rename(&self, params: lsp::RenameParams) -> Answer {
        let Some((path, _, offset)) = self.at(&params.text_document_position_params) else { return NOTHING };
        match self.workspace.rename(&path, offset, &params.new_name) {
            Ok(files) => told(self.shown.workspace_edit(self.workspace, &files)),
            Err(refused) => Err((ErrorCode::RequestFailed, refused.0)),
        }
    }

    fn formatted(&self, params: lsp::DocumentFormattingParams) -> Answer {
        let Some((path, _, places)) = self.document(&params.text_document) else { return NOTHING };
        match self.workspace.format(&path) {
            Ok(edits) => told(edits.iter().map(|edit| places.edit(edit)).collect::<Vec<_>>()),
            Err(why) => Err((ErrorCode::RequestFailed, why)),
        }
    }

    fn folds(&self, params: lsp::FoldingRangeParams) -> Answer {
        let Some((path, _, places)) = self.document(&params.text_document) else { return NOTHING };
        let folds = self.workspace.folds(&path).into_iter().map(|fold| {
            let range = places.range(fold.span);
            lsp::FoldingRange {
                start_line: range.start.line,
                start_character: None,
                end_line: range.end.line,
                end_character: None,
                kind: Some(fold_kind(fold.kind)),
                collapsed_text: None,
            }
        });
        told(folds.collect::<Vec<_>>())
    }

    fn selections(&self, params: lsp::SelectionRangeParams) -> Answer {
        let Some((path, _, places)) = self.document(&params.text_document) else { return NOTHING };
        let chains = params.positions.iter().map(|position| {
            let offset = places.offset(*position);
            let here = Span { start: offset, end: offset };
            let ranges = self.workspace.selections(&path, offset);
            let outer = ranges
                .into_iter()
                .rev()
                .fold(None, |parent, span| Some(Box::new(lsp::SelectionRange { range: places.range(span), parent })));
            outer.unwrap_or_else(|| Box::new(lsp::SelectionRange { range: places.range(here), parent: None }))
        });
        told(chains.collect::<Vec<_>>())
    }

    fn hints(&self, params: lsp::InlayHintParams) -> Answer {
        let Some((path, _, places)) = self.document(&params.text_document) else { return NOTHING };
        let hints = self.workspace.hints(&path, places.span(params.range)).into_iter().map(|hint| lsp::InlayHint {
            position: places.position(hint.at),
            label: lsp::Label::String(hint.label),
            kind: Some(if hint.is_type { lsp::InlayHintKind::Type } else { lsp::InlayHintKind::Parameter }),
            text_edits: None,
            tooltip: (!hint.tooltip.is_empty()).then(|| lsp::Tooltip::MarkupContent(markdown(hint.tooltip))),
            padding_left: None,
            padding_right: None,
            data: None,
        });
        told(hints.collect::<Vec<_>>())
    }

    fn all_tokens(&self, params: lsp::SemanticTokensParams) -> Answer {
        self.tokens(&params.text_document, None)
    }

    fn tokens_in(&self, params: lsp::SemanticTokensRangeParams) -> Answer {
        self.tokens(&params.text_document, Some(params.range))
    }

    /// Five numbers a token, each line and column counted from the token before.
    fn tokens(&self, identifier: &lsp::TextDocumentIdentifier, range: Option<lsp::Range>) -> Answer {
        let Some((path, _, places)) = self.document(identifier) else { return NOTHING };
        let mut before = lsp::Position::default();
        let mut data: Vec<u32> = Vec::new();
        for token in self.workspace.tokens(&path, range.map(|range| places.span(range))) {
            let at = places.position(token.span.start);
            let lines = at.line.saturating_sub(before.line);
            let columns = if lines == 0 { at.character.saturating_sub(before.character) } else { at.character };
            let modifiers = u32::from(token.declares);
            data.extend([lines, columns, places.width(token.span), token_index(token.kind), modifiers]);
            before = at;
        }
        told(json!({ "data": data }))
    }
}

fn told(answer: impl Serialize) -> Answer {
    serde_json::to_value(answer).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

fn symbol(outlined: &Outlined, places: &Places<'_>) -> lsp::DocumentSymbol {
    let children: Vec<_> = outlined.children.iter().map(|child| symbol(child, places)).collect();
    #[expect(deprecated, reason = "the type still has the field")]
    lsp::DocumentSymbol {
        name: if outlined.name.is_empty() { "?".to_owned() } else { outlined.name.clone() },
        detail: Some(outlined.detail.clone()).filter(|detail| !detail.is_empty()),
        kind: symbol_kind(outlined.kind),
        tags: None,
        deprecated: None,
        range: places.range(outlined.span),
        selection_range: places.range(outlined.name_span),
        children: (!children.is_empty()).then_some(children),
    }
}

/// A snippet as plain text: places to fill keep their proposals.
fn plain(snippet: &str) -> String {
    let mut out = String::with_capacity(snippet.len());
    let mut chars = snippet.chars().peekable();
    let mut open = 0;
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '$' if chars.peek() == Some(&'{') => {
                chars.next();
                while chars.next_if(char::is_ascii_digit).is_some() {}
                match chars.next() {
                    Some(':') => open += 1,
                    // Of a choice the first.
                    Some('|') => {
                        let choices: String = chars.by_ref().take_while(|c| *c != '}').collect();
                        out.push_str(choices.trim_end_matches('|').split(',').next().unwrap_or_default());
                    }
                    _ => {}
                }
            }
            '$' => while chars.next_if(char::is_ascii_digit).is_some() {},
            '}' if open > 0 => open -= 1,
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_become_plain_text() {
        for (snippet, text) in [
            ("a($0)", "a()"),
            ("on_no_data = ${1|wait,pass|}", "on_no_data = wait"),
            ("step ${1:name} = $0", "step name = "),
            ("{ a: ${1:b} }", "{ a: b }"),
            ("\\$x\\}", "$x}"),
        ] {
            assert_eq!(plain(snippet), text);
        }
    }
}

//! What editor and server can do.

use super::convert::{Shown, TOKEN_TYPES};
use mlp_ide::text::Encoding;
use serde_json::{Value, json};

/// What the editor said about itself.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub shown: Shown,
    /// It asks for findings, and need not be told.
    pub pulls: bool,
    /// It can be asked to ask again.
    pub refreshes_findings: bool,
    /// It watches files when it is told which.
    pub watches: bool,
    /// Its folders, as URIs.
    pub folders: Vec<String>,
}

impl Client {
    /// Reads `initialize`. Whatever is not there, or is not as it should be, is taken for not supported.
    pub fn new(params: &Value) -> Client {
        let can = &params["capabilities"];
        let is = |value: &Value| value.as_bool() == Some(true);
        let encodings = can["general"]["positionEncodings"].as_array();
        let offered = |name: &str| encodings.is_some_and(|offered| offered.iter().any(|found| found == name));
        let folder = |value: &Value| value.as_str().map(str::to_owned);
        let mut folders: Vec<String> =
            params["workspaceFolders"].as_array().into_iter().flatten().filter_map(|it| folder(&it["uri"])).collect();
        if folders.is_empty() {
            folders.extend(folder(&params["rootUri"]));
        }
        Client {
            shown: Shown {
                encoding: if offered("utf-8") { Encoding::Utf8 } else { Encoding::Utf16 },
                snippets: is(&can["textDocument"]["completion"]["completionItem"]["snippetSupport"]),
                related: is(&can["textDocument"]["publishDiagnostics"]["relatedInformation"])
                    || is(&can["textDocument"]["diagnostic"]["relatedInformation"]),
            },
            pulls: can["textDocument"]["diagnostic"].is_object(),
            refreshes_findings: is(&can["workspace"]["diagnostics"]["refreshSupport"]),
            watches: is(&can["workspace"]["didChangeWatchedFiles"]["dynamicRegistration"]),
            folders,
        }
    }

    /// The answer to `initialize`.
    pub fn answer(&self) -> Value {
        let encoding = match self.shown.encoding {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16 => "utf-16",
            Encoding::Utf32 => "utf-32",
        };
        let mut capabilities = json!({
            "positionEncoding": encoding,
            "textDocumentSync": { "openClose": true, "change": 2, "save": false },
            "hoverProvider": true,
            "completionProvider": { "triggerCharacters": [".", "(", ",", ":", "\"", "=", " ", "%", "/"] },
            "signatureHelpProvider": { "triggerCharacters": ["(", ","], "retriggerCharacters": [":"] },
            "definitionProvider": true,
            "referencesProvider": true,
            "documentHighlightProvider": true,
            "documentSymbolProvider": true,
            "workspaceSymbolProvider": true,
            "codeActionProvider": { "codeActionKinds": ["quickfix", "source.fixAll.mlp"] },
            "codeLensProvider": { "resolveProvider": true },
            "documentLinkProvider": { "resolveProvider": false },
            "documentFormattingProvider": true,
            "renameProvider": { "prepareProvider": true },
            "foldingRangeProvider": true,
            "selectionRangeProvider": true,
            "inlayHintProvider": true,
            "semanticTokensProvider": {
                "legend": { "tokenTypes": TOKEN_TYPES, "tokenModifiers": ["declaration"] },
                "full": true,
                "range": true,
            },
            "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
        });
        if self.pulls {
            capabilities["diagnosticProvider"] =
                json!({ "identifier": "mlp", "interFileDependencies": true, "workspaceDiagnostics": false });
        }
        json!({
            "capabilities": capabilities,
            "serverInfo": { "name": "mlp", "version": env!("CARGO_PKG_VERSION") },
        })
    }
}

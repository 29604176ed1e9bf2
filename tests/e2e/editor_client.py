"""A language client from PyPI, unchanged, against `mlp lsp`; see editor.rs. Needs pygls 2."""

import asyncio
import pathlib
import sys

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

binary, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
path = folder / "breast_cancer.mlp"
uri, text = path.as_uri(), path.read_text()
document = lsp.TextDocumentIdentifier(uri)


class Editor(LanguageClient):
    def __init__(self):
        super().__init__("a-test", "1")
        self.published = asyncio.Queue()

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params):
            self.published.put_nowait(params)

    async def findings(self, version):
        while True:
            params = await asyncio.wait_for(self.published.get(), 120)
            if params.uri == uri and params.version == version:
                return list(params.diagnostics)

    def change(self, version, text):
        identifier = lsp.VersionedTextDocumentIdentifier(version, uri)
        whole = [lsp.TextDocumentContentChangeWholeDocument(text)]
        self.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, whole))


def at(text, what, further=0):
    before = text[: text.index(what) + further]
    return lsp.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)


def edited(text, edits):
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:line])) for line in range(len(lines) + 1)]
    offset = lambda position: starts[position.line] + position.character
    for edit in sorted(edits, key=lambda edit: offset(edit.range.start), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


async def main():
    editor = Editor()
    await editor.start_io(binary, "lsp")
    folders = [lsp.WorkspaceFolder(folder.as_uri(), "project")]
    capabilities = lsp.ClientCapabilities(
        general=lsp.GeneralClientCapabilities(position_encodings=[lsp.PositionEncodingKind.Utf8])
    )
    answer = await editor.initialize_async(
        lsp.InitializeParams(capabilities=capabilities, workspace_folders=folders)
    )
    assert answer.capabilities.position_encoding == lsp.PositionEncodingKind.Utf8
    editor.initialized(lsp.InitializedParams())

    # It opens the example and gets its findings: none.
    item = lsp.TextDocumentItem(uri, "mlp", 1, text)
    editor.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    assert await editor.findings(1) == []

    # It completes a column's name, in a file that is broken while it is written.
    broken = text.replace("shuffle: false)", "shuffle: false, stratify: dia")
    editor.change(2, broken)
    assert any(found.severity == lsp.DiagnosticSeverity.Error for found in await editor.findings(2))
    here = at(broken, "stratify: dia", len("stratify: dia"))
    items = await editor.text_document_completion_async(lsp.CompletionParams(document, here))
    column = next(item for item in items if item.label == "diagnosis")
    completed = edited(broken, [column.text_edit])
    assert "stratify: diagnosis" in completed

    # It renames a step.
    editor.change(3, text)
    assert await editor.findings(3) == []
    here = at(text, "step eval", 6)
    renamed = await editor.text_document_rename_async(lsp.RenameParams(document, here, "judged"))
    changed = edited(text, renamed.changes[uri])
    assert "require judged.auc >= 0.99" in changed and "eval.auc" not in changed
    editor.change(4, changed)
    assert await editor.findings(4) == []

    # It applies a fix.
    wrong = text.replace("split.test", "split.tests")
    editor.change(5, wrong)
    (found,) = await editor.findings(5)
    context = lsp.CodeActionContext([found], only=[lsp.CodeActionKind.QuickFix])
    (action,) = await editor.text_document_code_action_async(lsp.CodeActionParams(document, found.range, context))
    assert edited(wrong, action.edit.changes[uri]) == text
    editor.change(6, text)
    assert await editor.findings(6) == []

    # Everything else is in the form that the client's types demand.
    hover = await editor.text_document_hover_async(lsp.HoverParams(document, at(text, "eval.auc", 6)))
    assert "eval.auc" in hover.contents.value
    signature = await editor.text_document_signature_help_async(
        lsp.SignatureHelpParams(document, at(text, "train_rows: train_rows", 14))
    )
    assert signature.signatures[0].parameters[signature.active_parameter]
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(text.count("\n"), 0))
    assert await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))
    assert await editor.text_document_inlay_hint_async(lsp.InlayHintParams(document, whole))
    assert await editor.text_document_folding_range_async(lsp.FoldingRangeParams(document))
    assert await editor.text_document_document_link_async(lsp.DocumentLinkParams(document))
    assert await editor.text_document_code_lens_async(lsp.CodeLensParams(document))
    assert await editor.text_document_selection_range_async(
        lsp.SelectionRangeParams(document, [at(text, "eval.auc", 6)])
    )
    tokens = await editor.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document))
    assert tokens.data and len(tokens.data) % 5 == 0
    assert await editor.workspace_symbol_async(lsp.WorkspaceSymbolParams("split"))
    references = await editor.text_document_references_async(
        lsp.ReferenceParams(lsp.ReferenceContext(True), document, at(text, "step split", 6))
    )
    assert len(references) == 3

    await editor.shutdown_async(None)
    editor.exit(None)
    await asyncio.wait_for(editor._server.wait(), 60)
    assert editor._server.returncode == 0
    await editor.stop()
    print("ok")


asyncio.run(main())

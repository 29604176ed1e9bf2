// `mlp explain`: the page of a finding, beside the file.

import * as vscode from 'vscode';
import { ask } from './program';

const SCHEME = 'mlp-explain';

/** Shows the pages that `mlp explain` prints. */
export const pages: vscode.TextDocumentContentProvider = {
  async provideTextDocumentContent(uri) {
    const code = uri.path.replace(/^\//, '').replace(/\.md$/, '');
    const said = await ask(['explain', code]);
    return said.ok ? said.output : `# ${code}\n\n${said.errors}`;
  },
};

/** Registers what `explain` needs. */
export function register(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, pages);
}

/** Explains the given code, or the finding at the cursor, or one that is asked for. */
export async function explain(given?: string): Promise<void> {
  const code = given ?? atCursor() ?? (await vscode.window.showInputBox({ prompt: 'The code of a finding', placeHolder: 'E0203' }));
  if (!code) {
    return;
  }
  const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${code.trim()}.md` });
  await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
}

/** The code of the narrowest finding at the cursor; of one on its line, if none is at it. */
function atCursor(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    return undefined;
  }
  const at = editor.selection.active;
  const found = vscode.languages.getDiagnostics(editor.document.uri).filter(it => it.source === 'mlp');
  const here = found.filter(it => it.range.contains(at));
  const near = here.length > 0 ? here : found.filter(it => it.range.start.line === at.line);
  const narrowest = near.sort((a, b) => size(editor.document, a) - size(editor.document, b))[0];
  const code = narrowest?.code;
  return code === undefined ? undefined : String(typeof code === 'object' ? code.value : code);
}

function size(document: vscode.TextDocument, finding: vscode.Diagnostic): number {
  return document.getText(finding.range).length;
}

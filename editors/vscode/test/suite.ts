// What is tried inside VS Code: test/editor.mjs starts it, with this as its tests and the real `mlp lsp` behind the extension.

import * as assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import * as written from '../snippets/mlp.json';

const BROKEN = `mlp 1

use std/tabular

schema Row {
  id:    int  unique
  label: bool label
}

data rows_of_it: Row {
  source = csv("data/rows.csv")
}

param share: fraction = 20

step split = tabular.split(rows_of_it, test: share, by: id)
step again = tabular.split(split.train, test: share)
`;

/** Waits until `what` gives something, for as long as a slow machine may take. */
async function eventually<T>(about: string, what: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let left = 600; left > 0; left--) {
    const got = await what();
    if (got !== undefined) {
      return got;
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`this never came: ${about}`);
}

const folder = () => vscode.workspace.workspaceFolders![0].uri;

async function open(name: string, text: string): Promise<vscode.TextEditor> {
  const uri = vscode.Uri.joinPath(folder(), name);
  await vscode.workspace.fs.writeFile(uri, Buffer.from(text));
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
}

function position(document: vscode.TextDocument, before: string, into = 0): vscode.Position {
  const at = document.getText().indexOf(before);
  assert.notEqual(at, -1, before);
  return document.positionAt(at + into);
}

const findings = (uri: vscode.Uri) => vscode.languages.getDiagnostics(uri).filter(it => it.source === 'mlp');
const code = (finding: vscode.Diagnostic) => String(typeof finding.code === 'object' ? finding.code.value : finding.code);

const tests: Record<string, () => Promise<void>> = {
  async 'a .mlp file has the language mlp, and opening one starts the extension'() {
    const { document } = await open('broken.mlp', BROKEN);
    assert.equal(document.languageId, 'mlp');
    await eventually('activation', () => vscode.extensions.getExtension('mlp.mlp')?.isActive || undefined);
  },

  async 'findings come as one types, with their codes, and go when they are mended'() {
    const { document } = await open('broken.mlp', BROKEN);
    const found = await eventually('a finding', () => findings(document.uri).find(it => it.severity === vscode.DiagnosticSeverity.Error));
    assert.match(code(found), /^E\d{4}$/);
    assert.equal(document.getText(found.range), '20');
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, position(document, '= 20\n', 4), '%');
    assert.ok(await vscode.workspace.applyEdit(edit));
    await eventually('no errors', () => !findings(document.uri).some(it => it.severity === vscode.DiagnosticSeverity.Error) || undefined);
  },

  async 'a finding has a fix, and it is applied'() {
    const { document } = await open('fix.mlp', BROKEN);
    const found = await eventually('a finding', () => findings(document.uri).find(it => document.getText(it.range) === '20'));
    const action = await eventually('a fix', async () => {
      const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>('vscode.executeCodeActionProvider', document.uri, found.range, undefined, 5);
      return actions.find(it => it.edit && it.kind?.contains(vscode.CodeActionKind.QuickFix));
    });
    assert.ok(await vscode.workspace.applyEdit(action.edit!));
    assert.match(document.getText(), /fraction = 20%/);
  },

  async 'columns are completed'() {
    const { document } = await open('complete.mlp', BROKEN.replace('by: id', 'by: '));
    const at = position(document, 'by: ', 4);
    const list = await eventually('columns', async () => {
      const list = await vscode.commands.executeCommand<vscode.CompletionList>('vscode.executeCompletionItemProvider', document.uri, at);
      return list.items.some(it => labelOf(it) === 'label') ? list : undefined;
    });
    assert.ok(list.items.some(it => labelOf(it) === 'id'));
  },

  async 'a name is shown, found and renamed'() {
    const { document } = await open('names.mlp', BROKEN);
    const use = position(document, 'split.train', 1);
    const hovers = await eventually('a hover', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, use);
      return hovers.length > 0 ? hovers : undefined;
    });
    assert.ok(hovers[0].contents.length > 0);
    const places = await vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[]>('vscode.executeDefinitionProvider', document.uri, use);
    const range = 'targetRange' in places[0] ? (places[0].targetSelectionRange ?? places[0].targetRange) : places[0].range;
    assert.equal(range.start.line, position(document, 'step split').line);
    const edit = await vscode.commands.executeCommand<vscode.WorkspaceEdit>('vscode.executeDocumentRenameProvider', document.uri, use, 'parts');
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.match(document.getText(), /step parts = .*\nstep again = tabular\.split\(parts\.train/);
  },

  async 'a document is formatted, has symbols and folds'() {
    const { document } = await open('format.mlp', 'mlp 1\nparam   a:int=1\nschema S {\n      x: int\n}\n');
    const symbols = await eventually('symbols', async () => {
      const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>('vscode.executeDocumentSymbolProvider', document.uri);
      return symbols?.length ? symbols : undefined;
    });
    assert.deepEqual(symbols.map(it => it.name), ['a', 'S']);
    const edits = await vscode.commands.executeCommand<vscode.TextEdit[]>('vscode.executeFormatDocumentProvider', document.uri, { tabSize: 2, insertSpaces: true });
    const edit = new vscode.WorkspaceEdit();
    edit.set(document.uri, edits);
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.match(document.getText(), /param a: int = 1\n/);
    assert.match(document.getText(), /\n {2}x: int\n/);
  },

  async 'code lenses start commands that the extension has'() {
    const { document } = await open('lens.mlp', `${BROKEN}\npipeline p {\n  about = "x"\n}\n`.replace('= 20\n', '= 20%\n'));
    const lenses = await eventually('code lenses', async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 100);
      return lenses?.length ? lenses : undefined;
    });
    const known = await vscode.commands.getCommands(true);
    for (const lens of lenses) {
      assert.ok(lens.command && known.includes(lens.command.command), lens.command?.command);
    }
  },

  async 'a finding is explained by its page'() {
    const page = await vscode.workspace.openTextDocument(vscode.Uri.from({ scheme: 'mlp-explain', path: '/E0203.md' }));
    assert.match(page.getText(), /E0203/);
    assert.match(page.getText(), /```mlp/);
  },

  async 'there are tasks to check, plan and run, and check finds problems'() {
    const { document } = await open('task.mlp', BROKEN);
    const tasks = await vscode.tasks.fetchTasks({ type: 'mlp' });
    assert.deepEqual(tasks.map(it => it.definition.command).sort(), ['check', 'check', 'plan', 'run']);
    const check = tasks.find(it => it.definition.command === 'check' && it.definition.file === document.uri.fsPath)!;
    const execution = check.execution as vscode.ProcessExecution;
    assert.equal(execution.args[0], 'check');
    assert.deepEqual(check.problemMatchers, ['$mlp']);
  },

  async 'every snippet, with its first choices, is text that the server accepts as syntax'() {
    const snippets = written as unknown as Record<string, { prefix: string | string[]; body: string | string[] }>;
    for (const [name, { body }] of Object.entries(snippets)) {
      if (name === 'default' || name === 'require' || name === 'expect') {
        continue;
      }
      const { document } = await open('snippet.mlp', '');
      const editor = vscode.window.activeTextEditor!;
      await editor.edit(edit => edit.delete(new vscode.Range(0, 0, document.lineCount, 0)));
      await editor.insertSnippet(new vscode.SnippetString([body].flat().join('\n')), new vscode.Position(0, 0));
      const text = document.getText();
      // A mistake behind it, so that it can be seen when the findings are about this text.
      const end = document.lineCount;
      await editor.edit(edit => edit.insert(document.positionAt(text.length), `\nparam ${name.replace(/\W/g, '_')} =\n`));
      const all = await eventually(`the findings of ${name}`, () => {
        const syntax = findings(document.uri).filter(it => /^E01/.test(code(it)));
        return syntax.some(it => it.range.start.line >= end) && document.getText().startsWith(text) ? syntax : undefined;
      });
      const wrong = all.filter(it => it.range.start.line < end);
      assert.deepEqual(wrong.map(it => it.message), [], `${name}:\n${text}`);
    }
  },

  async 'the server is restarted'() {
    await vscode.commands.executeCommand('mlp.restart');
    const { document } = await open('restart.mlp', BROKEN);
    await eventually('a finding', () => (findings(document.uri).length > 0 ? true : undefined));
  },

  async 'without the program the file can still be edited, and the program is taken up when it is there'() {
    const settings = vscode.workspace.getConfiguration('mlp');
    const path = settings.get<string>('path');
    await settings.update('path', '/nowhere/mlp', vscode.ConfigurationTarget.Workspace);
    const { document } = await open('absent.mlp', BROKEN);
    await eventually('no findings', () => (findings(document.uri).length === 0 ? true : undefined));
    await settings.update('path', path, vscode.ConfigurationTarget.Workspace);
    await eventually('findings again', () => (findings(document.uri).length > 0 ? true : undefined));
  },
};

function labelOf(item: vscode.CompletionItem): string {
  return typeof item.label === 'string' ? item.label : item.label.label;
}

/** Called by the extension host. What came of it goes to the file that MLP_TEST_REPORT names, as it comes. */
export async function run(): Promise<void> {
  const report: { vscode: string; done: boolean; results: { name: string; problem?: string }[] } = { vscode: vscode.version, done: false, results: [] };
  const write = () => writeFileSync(process.env.MLP_TEST_REPORT!, JSON.stringify(report));
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      report.results.push({ name });
    } catch (error) {
      report.results.push({ name, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    write();
  }
  report.done = true;
  write();
}

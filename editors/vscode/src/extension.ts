// The extension's door: what is registered when the first .mlp file is opened.

import * as vscode from 'vscode';
import { explain, register as registerExplain } from './explain';
import { Server } from './server';
import { provider, start } from './tasks';

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  server = new Server();
  const { commands, tasks, workspace } = vscode;
  context.subscriptions.push(
    server,
    registerExplain(),
    tasks.registerTaskProvider('mlp', provider),
    commands.registerCommand('mlp.restart', () => server?.restart()),
    commands.registerCommand('mlp.output', () => server?.output.show()),
    commands.registerCommand('mlp.explain', (code?: unknown) => explain(typeof code === 'string' ? code : undefined)),
    commands.registerCommand('mlp.run', (where?: unknown, words?: unknown) => onFile('run', where, words)),
    commands.registerCommand('mlp.plan', (where?: unknown, words?: unknown) => onFile('plan', where, words)),
    workspace.onDidChangeConfiguration(change => {
      if (change.affectsConfiguration('mlp.path') || change.affectsConfiguration('mlp.server')) {
        void server?.restart();
      }
    }),
    workspace.onDidGrantWorkspaceTrust(() => void server?.restart()),
  );
  await server.restart();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

/** `where` is what a code lens, a menu or a key gives: an address, its text, or nothing for the file at hand. */
async function onFile(command: 'plan' | 'run', where: unknown, words: unknown): Promise<void> {
  const given = typeof where === 'string' ? vscode.Uri.parse(where, true) : where instanceof vscode.Uri ? where : undefined;
  const uri = given ?? vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme !== 'file') {
    void vscode.window.showInformationMessage(`mlp ${command}: open a .mlp file on disk first.`);
    return;
  }
  const plain = Array.isArray(words) ? words.filter((word): word is string => typeof word === 'string') : [];
  await start(command, uri, plain);
}

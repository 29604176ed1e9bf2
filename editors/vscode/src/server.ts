// The language client: starts `mlp lsp`, and says what to do when it cannot be started.

import * as vscode from 'vscode';
import { LanguageClient, type LanguageClientOptions, type ServerOptions, TransportKind } from 'vscode-languageclient/node';
import { program, version } from './program';

/** The client of `mlp lsp`. There is at most one, whatever is asked for while it starts or stops. */
export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private turn: Promise<void> = Promise.resolve();
  private readonly status = vscode.languages.createLanguageStatusItem('mlp', { language: 'mlp' });
  readonly output = vscode.window.createOutputChannel('mlp');

  constructor() {
    this.status.name = 'mlp';
    this.status.command = { title: 'Restart', command: 'mlp.restart' };
  }

  /** Stops the server if it runs, and starts it. */
  restart(): Promise<void> {
    this.turn = this.turn.then(() => this.stopNow()).then(() => this.startNow());
    return this.turn;
  }

  /** Stops the server if it runs. */
  stop(): Promise<void> {
    this.turn = this.turn.then(() => this.stopNow());
    return this.turn;
  }

  dispose(): void {
    void this.stop();
    this.status.dispose();
    this.output.dispose();
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    // One that died by itself cannot be stopped, and need not be.
    await client?.dispose().catch(() => undefined);
  }

  private async startNow(): Promise<void> {
    const found = await version();
    if ('problem' in found) {
      this.say('mlp was not found', vscode.LanguageStatusSeverity.Error);
      this.output.appendLine(`${program()}: ${found.problem}`);
      void this.explainAbsence();
      return;
    }
    this.output.appendLine(`${program()}: ${found.version}`);
    const words = vscode.workspace.getConfiguration('mlp').get<string[]>('server.arguments') ?? [];
    const server: ServerOptions = { command: program(), args: ['lsp', ...words], transport: TransportKind.stdio };
    const options: LanguageClientOptions = {
      documentSelector: [{ language: 'mlp' }],
      outputChannel: this.output,
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher('**/*.mlp') },
    };
    const client = new LanguageClient('mlp', 'mlp', server, options);
    try {
      await client.start();
      this.client = client;
      this.say(found.version, vscode.LanguageStatusSeverity.Information);
    } catch (error) {
      this.say('the language server did not start', vscode.LanguageStatusSeverity.Error);
      const open = 'Show Output';
      const chosen = vscode.window.showErrorMessage(`mlp: the language server did not start: ${error}`, open);
      void chosen.then(button => button === open && this.output.show());
    }
  }

  private say(text: string, severity: vscode.LanguageStatusSeverity): void {
    this.status.text = text;
    this.status.severity = severity;
  }

  private async explainAbsence(): Promise<void> {
    const [settings, again] = ['Open Settings', 'Try Again'];
    const chosen = await vscode.window.showErrorMessage(
      `The program \`${program()}\` cannot be started, so .mlp files are coloured but not checked. ` +
        'Install mlp, or say in the setting `mlp.path` where it is.',
      settings,
      again,
    );
    if (chosen === settings) {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'mlp.path');
    } else if (chosen === again) {
      await this.restart();
    }
  }
}

// The `mlp` program: which one it is, whether it can be started, and what it says.

import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';

/** What a program wrote and how it ended. */
export interface Said {
  readonly ok: boolean;
  readonly output: string;
  readonly errors: string;
}

/** The program that the settings name, with `~` and `${workspaceFolder}` resolved. */
export function program(): string {
  const written = vscode.workspace.getConfiguration('mlp').get<string>('path')?.trim() || 'mlp';
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '.';
  const path = written.replaceAll('${workspaceFolder}', folder);
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** Starts the program, without a shell, and waits for its end. */
export function ask(words: string[]): Promise<Said> {
  return new Promise(resolve => {
    execFile(program(), words, { timeout: 20_000, maxBuffer: 16 << 20 }, (error, output, errors) => {
      resolve({ ok: error === null, output, errors: errors || (error?.message ?? '') });
    });
  });
}

/** The program's version, or why it cannot be started. */
export async function version(): Promise<{ version: string } | { problem: string }> {
  const said = await ask(['--version']);
  return said.ok ? { version: said.output.trim() } : { problem: said.errors.trim() };
}

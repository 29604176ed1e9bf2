// `mlp check`, `plan` and `run` as tasks: what the commands, the code lenses and the task list start.

import * as vscode from 'vscode';
import { program } from './program';

/** A task as `tasks.json` has it. */
interface Definition extends vscode.TaskDefinition {
  command: 'check' | 'plan' | 'run';
  file?: string;
  arguments?: string[];
}

/** The task of a command and a file, ready to be started. */
export function task(definition: Definition, scope: vscode.WorkspaceFolder | vscode.TaskScope): vscode.Task {
  const checks = definition.command === 'check';
  const words = [definition.command, definition.file ?? '.', ...(definition.arguments ?? [])];
  const execution = new vscode.ProcessExecution(program(), checks ? [...words, '--output', 'concise'] : words);
  const name = definition.file ? `${definition.command} ${vscode.workspace.asRelativePath(definition.file)}` : definition.command;
  const task = new vscode.Task(definition, scope, name, 'mlp', execution, checks ? ['$mlp'] : []);
  if (checks) {
    task.group = vscode.TaskGroup.Build;
  }
  return task;
}

/** Offers to check the folder, and to check, plan and run the file at hand. */
export const provider: vscode.TaskProvider = {
  provideTasks() {
    const folder = vscode.workspace.workspaceFolders?.[0];
    const tasks = folder ? [task({ type: 'mlp', command: 'check' }, folder)] : [];
    const open = vscode.window.activeTextEditor?.document;
    if (open?.languageId === 'mlp' && open.uri.scheme === 'file') {
      for (const command of ['check', 'plan', 'run'] as const) {
        tasks.push(task({ type: 'mlp', command, file: open.uri.fsPath }, scopeOf(open.uri)));
      }
    }
    return tasks;
  },
  resolveTask(given) {
    const definition = given.definition as Definition;
    return definition.command ? task(definition, given.scope ?? vscode.TaskScope.Workspace) : undefined;
  },
};

/** Saves the file and starts `plan` or `run` with it in the terminal. */
export async function start(command: 'plan' | 'run', uri: vscode.Uri, words: string[] = []): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  if (document.isDirty && !(await document.save())) {
    return;
  }
  await vscode.tasks.executeTask(task({ type: 'mlp', command, file: uri.fsPath, arguments: words }, scopeOf(uri)));
}

function scopeOf(uri: vscode.Uri): vscode.WorkspaceFolder | vscode.TaskScope {
  return vscode.workspace.getWorkspaceFolder(uri) ?? vscode.TaskScope.Workspace;
}

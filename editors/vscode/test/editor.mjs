// Drives the extension in VS Code: its server from npm (the package `code-server` holds it whole), its window in a headless
// Chromium, the extension in its extension host, and the real `mlp lsp` behind it. See test/suite.ts for what is tried.
//
// node test/editor.mjs FOLDER-OF-VSCODE PATH-OF-MLP   (editors/test.sh prepares the folder)

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [vscode, mlp] = process.argv.slice(2).map(path => resolve(path));
const extension = dirname(dirname(fileURLToPath(import.meta.url)));
const place = mkdtempSync(join(tmpdir(), 'mlp-vscode-'));
const started = [];
// A machine under load is slow; one that hangs must end.
const LIMIT = 400_000;

function folder(name) {
  const path = join(place, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function start(name, command, words, env = {}) {
  const log = openSync(join(place, `${name}.log`), 'w');
  const child = spawn(command, words, { stdio: ['ignore', log, log], env: { ...process.env, ...env }, detached: true });
  child.on('error', error => finish(1, `${command}: ${error.message}`));
  started.push(child);
  return child;
}

function freePort() {
  return new Promise(resolve => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function finish(code, word) {
  if (word) {
    console.error(word);
    for (const name of ['server', 'browser']) {
      try {
        console.error(`-- ${name}\n${readFileSync(join(place, `${name}.log`), 'utf8').split('\n').slice(-15).join('\n')}`);
      } catch {}
    }
  }
  for (const child of started) {
    try {
      // Each was started as the leader of its own group.
      process.kill(-child.pid, 'SIGKILL');
    } catch {}
  }
  setTimeout(() => {
    rmSync(place, { recursive: true, force: true, maxRetries: 5 });
    process.exit(code);
  }, 300);
}

const report = join(place, 'report.json');
const workspace = folder('workspace');
mkdirSync(join(workspace, '.vscode'));
writeFileSync(join(workspace, '.vscode', 'settings.json'), JSON.stringify({ 'mlp.path': mlp, 'editor.wordBasedSuggestions': 'off' }));

const port = await freePort();
start(
  'server',
  process.execPath,
  [
    join(vscode, 'out', 'server-main.js'),
    ...['--host', '127.0.0.1', '--port', String(port), '--without-connection-token', '--accept-server-license-terms'],
    ...['--server-data-dir', folder('data'), '--telemetry-level', 'off', '--disable-workspace-trust', '--enable-smoke-test-driver'],
  ],
  { MLP_TEST_REPORT: report },
);

const address = `http://127.0.0.1:${port}/`;
for (const begin = Date.now(); ; await new Promise(resolve => setTimeout(resolve, 200))) {
  const there = await fetch(`${address}version`).then(answer => answer.ok, () => false);
  if (there) {
    break;
  }
  if (Date.now() - begin > 60_000) {
    finish(1, 'the server of VS Code did not start');
    break;
  }
}

const remote = path => `vscode-remote://127.0.0.1:${port}${path}`;
const payload = [
  ['extensionDevelopmentPath', remote(extension)],
  ['extensionTestsPath', remote(join(extension, 'test', 'out', 'suite.js'))],
  ['skipWelcome', 'true'],
];
const url = `${address}?folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
start('browser', process.env.CHROMIUM ?? 'chromium', [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--window-size=1400,900'],
  ...['--user-data-dir=' + folder('browser'), '--enable-logging=stderr', url],
]);

const begin = Date.now();
const timer = setInterval(() => {
  let state;
  try {
    state = JSON.parse(readFileSync(report, 'utf8'));
  } catch {}
  const late = Date.now() - begin > LIMIT;
  if (!state?.done && !late) {
    return;
  }
  clearInterval(timer);
  for (const { name, problem } of state?.results ?? []) {
    console.log(`${problem ? 'FAILED' : 'ok    '} ${name}${problem ? `\n${problem}` : ''}`);
  }
  const failed = state?.results.filter(it => it.problem).length ?? 0;
  if (late && !state?.done) {
    finish(1, 'the tests did not end');
  } else {
    console.log(`${state.results.length - failed} of ${state.results.length} in VS Code ${state.vscode}, ${Math.round((Date.now() - begin) / 1000)} s`);
    finish(failed ? 1 : 0);
  }
}, 250);

// The TextMate grammar against its snapshots, read with fresh eyes when they were written: test/grammar/*.snap.
// `--update` writes them anew.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const home = dirname(createRequire(import.meta.url).resolve('vscode-tmgrammar-test/package.json'));
const words = [join(home, 'dist', 'snapshot.js'), ...(process.argv.includes('--update') ? ['--updateSnapshot'] : []), 'test/grammar/*.mlp'];
const done = spawnSync(process.execPath, words, { cwd: here, stdio: 'inherit' });
process.exit(done.status ?? 1);

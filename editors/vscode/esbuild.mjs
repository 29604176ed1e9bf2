// Bundles the extension, and with `--test` what its tests run inside the editor.
import { build } from 'esbuild';

const production = process.argv.includes('--production');
const common = { bundle: true, platform: 'node', format: 'cjs', target: 'node18', external: ['vscode'], logLevel: 'warning' };

await build({ ...common, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', minify: production, sourcemap: !production });
if (process.argv.includes('--test')) {
  await build({ ...common, entryPoints: ['test/suite.ts'], outfile: 'test/out/suite.js' });
}

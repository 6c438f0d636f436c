/** `lpae` from a checkout: the built command, built anew where a source is newer. Starting from sources would take four times as long. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const main = join(root, 'dist/src/cli/main.js');

const sources = ['src', 'formats'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(root, folder, file)),
);
const built = statSync(main, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (sources.some((file) => statSync(file).mtimeMs > built)) {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
await import(main);

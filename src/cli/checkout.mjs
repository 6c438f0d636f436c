/** `lpae` from a checkout: the built command, built anew where a source is newer. Starting from sources would take four times as long. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';

const root = join(import.meta.dirname, '../..');
const main = join(root, 'dist/src/cli/main.js');

const sources = ['src', 'formats'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(tsx?|css|html)$/.test(file))
    .map((file) => join(root, folder, file)),
);
const changed = Math.max(...sources.map((file) => statSync(file).mtimeMs));
const isStale = () => changed > (statSync(main, { throwIfNoEntry: false })?.mtimeMs ?? 0);

if (isStale()) {
  const status = await build(isStale);
  if (status !== 0) process.exit(status);
}
await import(main);

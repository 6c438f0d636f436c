/** Builds the explorer's page into one HTML file that loads nothing, and whose policy tells the browser so. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const page = join(import.meta.dirname, '../cli/page');

/** @param {string} file where to write it. */
export async function buildExplorer(file) {
  const [{ build }, { viteSingleFile }] = await Promise.all([
    import('vite'),
    import('vite-plugin-singlefile'),
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'lpae-explorer-'));
  try {
    await build({
      root: page,
      configFile: false,
      logLevel: 'warn',
      plugins: [viteSingleFile({ removeViteModuleLoader: true })],
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      build: { outDir: folder, emptyOutDir: true, target: 'es2023', modulePreload: false },
    });
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, withPolicy(html));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The page may run its own scripts, by their hashes, and use its own styles: nothing else, and no connection. */
function withPolicy(html) {
  const hashes = [...html.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, text]) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  if (hashes.length === 0) throw new Error('the page has no script');
  const policy = `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
  return html.replace(
    '<meta charset="utf-8">',
    `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">`,
  );
}

if (process.argv[1] === import.meta.filename) await buildExplorer(process.argv[2] ?? 'explorer.html');

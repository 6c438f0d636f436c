/** Builds the explorer's page into one HTML file that loads nothing, and whose policy tells the browser so. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const page = join(import.meta.dirname, '../cli/page');

/** What the page has instead of a module. @type {Readonly<Record<string, string>>} */
const INSTEAD = { commander: 'commander.ts', './live.ts': 'no-machine.ts', './dma.ts': 'no-dma.ts' };

/**
 * The worker runs the command line, which takes files from Node and can talk to machines; and whose help is long.
 * @type {import('vite').Plugin}
 */
const inWorker = {
  name: 'lpae-worker',
  enforce: 'pre',
  resolveId(id, from = '') {
    if (id.startsWith('node:')) return join(page, 'worker/node.ts');
    if (INSTEAD[id] === undefined || (id === './dma.ts' && !from.endsWith('/cli/run/perform.ts')))
      return undefined;
    return join(page, `worker/${INSTEAD[id]}`);
  },
  transform(code, id) {
    if (!/\/src\/cli\/(commands|machine)\//.test(id)) return undefined;
    return code.replace(/(const \w*HELP = )`[^`]*`/g, "$1''");
  },
};

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
      plugins: [inWorker, viteSingleFile({ removeViteModuleLoader: true })],
      resolve: { alias: { pako: 'pako/browser/inflate' } },
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      build: { outDir: folder, emptyOutDir: true, target: 'es2023', modulePreload: false },
    });
    // The page's worker is the same script, which there is no module. Nothing is loaded by an address.
    const html = readFileSync(join(folder, 'index.html'), 'utf8').replaceAll('import.meta', '({})');
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
  const policy = `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; worker-src blob:; img-src data:; base-uri 'none'; form-action 'none'`;
  return html.replace(
    '<meta charset="utf-8">',
    `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">`,
  );
}

if (process.argv[1] === import.meta.filename) await buildExplorer(process.argv[2] ?? 'explorer.html');

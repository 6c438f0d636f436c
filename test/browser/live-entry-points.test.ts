/** The example of every entry point, bundled for a browser and run in one: it prints what it prints in Node. Without a browser this is skipped, in CI it fails. */
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, startBrowser } from '../report/page/browser.ts';
import { allExamples, moduleOf, promised, publicNames } from '../support/examples.ts';
import { ROOT } from '../support/public-api.ts';

const browserThere = hasBrowser();
if (!browserThere) console.log('skipped: there is no Chromium');

const names = publicNames();
const examples = allExamples().filter(({ whole }) => whole);

/** One module, all of whose imports are inside. A module of Node can't be resolved for a browser, and is an error. */
async function bundled(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'chrome110',
    define: { 'console.log': 'globalThis.printed.push' },
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

/** In the page: runs a module, and gives each line that it printed. What is no string, number or truth value is left to Node's own words: null. */
const RUN = `async (text) => {
  const lines = [];
  const words = (value) => typeof value === 'bigint' ? value + 'n' : typeof value === 'object' ? undefined : String(value);
  globalThis.printed = {
    push: (...values) => {
      const said = values.map(words);
      lines.push(said.includes(undefined) ? null : said.join(' '));
    },
  };
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  await import(url);
  return lines;
}`;

/** The lines that a module prints in the browser. Errors of it are errors here. */
function printedIn(page: Page, code: string): Promise<(string | null)[]> {
  return page.evaluate(`(${RUN})(${JSON.stringify(code)})`);
}

test('there is one of every entry point', () => {
  expect(examples.length).toBeGreaterThan(20);
});

describe.skipIf(!browserThere)('in a browser', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await startBrowser();
    page = await browser.newPage();
    await page.goto('about:blank');
  }, 120_000);
  afterAll(() => browser?.close());

  test.each(examples)('$title', async (example) => {
    const code = await bundled(moduleOf(example, names));
    expect(code).not.toMatch(/from ?["']node:/);
    const printed = await printedIn(page, code);
    const wanted = promised(example.code);
    expect(printed).toEqual(wanted.map((line, i) => (printed[i] === null ? null : line)));
  });

  test('a module of Node would be seen', async () => {
    await expect(bundled("import { readFileSync } from 'node:fs'; readFileSync('x');")).rejects.toThrow(
      'Could not resolve "node:fs"',
    );
  });
});

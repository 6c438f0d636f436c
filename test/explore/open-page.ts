/** The explorer's page, built once and opened in a browser from disk: what it asks for and says is listened to. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { startBrowser } from '../report/page/browser.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const BUILD = join(import.meta.dirname, '../../src/explore/build.mjs');

export const NAMES = {
  map: 'What is mapped',
  words: 'Tables and words',
  walk: 'Walk',
  time: 'Time',
  open: 'Open files',
} as const;

interface Options {
  readonly dark?: boolean;
  readonly width?: number;
  readonly hash?: string;
}

export interface Opened {
  readonly page: Page;
  /** Nothing was asked for but the page itself, and no line stands on the console. Closes the page. */
  quiet(): Promise<void>;
}

/** To be called where tests are described. */
export function builtPage() {
  let browser: Browser;
  let directory: string;
  let url: string;
  const built = { html: '', file: '' };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lpae-explorer-'));
    built.file = join(directory, 'explorer.html');
    // In a process of its own: Vitest's NODE_ENV would make another page than the package has.
    execFileSync(process.execPath, [BUILD, built.file], { env: { ...process.env, NODE_ENV: 'production' } });
    built.html = readFileSync(built.file, 'utf8');
    url = pathToFileURL(built.file).href;
    browser = await startBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function opened(options: Options = {}): Promise<Opened> {
    const context = await browser.newContext({
      colorScheme: options.dark ? 'dark' : 'light',
      viewport: { width: options.width ?? 1280, height: 900 },
    });
    const page = await context.newPage();
    const asked: string[] = [];
    const said: string[] = [];
    page.on('request', (request) => asked.push(request.url().replace(/#.*/, '')));
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    await page.goto(`${url}${options.hash ?? ''}`);
    const quiet = async () => {
      // The worker is the page's own script.
      expect(asked.filter((one) => !/^(data|blob):/.test(one))).toEqual([url]);
      expect(said).toEqual([]);
      await context.close();
    };
    return { page, quiet };
  }

  return { built, opened, browser: () => browser };
}

export const answer = (page: Page) => page.getByLabel('Answer').getByRole('status');
export const hashOf = (page: Page) => page.evaluate('location.hash') as Promise<string>;

/** What axe finds. */
export async function violations(page: Page) {
  await page.evaluate(AXE);
  return page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200)))`,
  );
}

export async function expectStatus(page: Page, text: RegExp): Promise<void> {
  await expect
    .poll(() => answer(page).filter({ hasText: text }).count(), { timeout: 20_000 })
    .toBeGreaterThan(0);
}

/** Goes to another link in the same page. */
export async function follow(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    (globalThis as unknown as { location: { hash: string } }).location.hash = to;
  }, hash);
}

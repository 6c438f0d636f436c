/** The report in a real browser, light and dark, wide and narrow: it loads nothing, everybody can read it, and what it says was measured. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportPage } from '../../../src/report/index.ts';
import {
  gathered,
  type StudyPart,
  studyWorkloads,
  type Workload,
  workloadNamed,
} from '../../../src/study/index.ts';
import { hasBrowser, startBrowser } from './browser.ts';
import { BACKGROUNDS, DEAD_LINKS, OVERFLOW, TEXT_MISPLACED, UNFOLD } from './page-facts.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CPU_PAGES = [0x1000, 0x4000, 0x1_0000];

async function studied(workloads: readonly Workload[]): Promise<ReturnType<typeof gathered>> {
  const parts: StudyPart[] = [];
  const shapes = [16, 256].map((entries) => ({ entries, ways: 4, walkCache: 16 }));
  const options = { shapes, accesses: 4096, stages: ['s1', 'nested'] } as const;
  for await (const part of studyWorkloads(workloads, options)) parts.push(part);
  return gathered(parts);
}

/** A workload where some combinations refuse, one where none does, and one where all do; and a cut-short one. */
const PAGES: readonly (readonly [string, () => Promise<string>])[] = [
  [
    'some refuse',
    async () => {
      const workloads = CPU_PAGES.map((cpuPageSize) =>
        workloadNamed('network-ring', { bytes: 2 ** 20, cpuPageSize }),
      );
      return reportPage(await studied(workloads), {
        command:
          'lpae study --workload network-ring --size 1M --stages s1,nested --entries 16,256 --report ring.html',
      });
    },
  ],
  [
    'all map',
    async () => {
      const workloads = CPU_PAGES.map((cpuPageSize) => workloadNamed('gpu', { bytes: 2 ** 23, cpuPageSize }));
      return reportPage(await studied(workloads), { command: 'lpae study --workload gpu' });
    },
  ],
  [
    'all refuse, and it was interrupted',
    async () => {
      const studies = await studied([workloadNamed('odd-start', { bytes: 2 ** 21 })]);
      const few = studies.map(({ results, ...rest }) => ({ ...rest, results: results.slice(0, 5), tlb: [] }));
      return reportPage(few, { command: 'lpae study', interrupted: { done: 5, total: 99 } });
    },
  ],
];

describe.skipIf(!hasBrowser())('in a browser', () => {
  let browser: Browser;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lpae-report-'));
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Opens a page, and keeps what it asks for and what it complains of. */
  async function opened(name: string, html: string, options: { dark?: boolean; width?: number } = {}) {
    const file = join(directory, `${name.replaceAll(/\W/g, '-')}.html`);
    writeFileSync(file, html);
    const context = await browser.newContext({
      colorScheme: options.dark ? 'dark' : 'light',
      viewport: { width: options.width ?? 1100, height: 900 },
    });
    const page = await context.newPage();
    const asked: string[] = [];
    const said: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    const url = pathToFileURL(file).href;
    await page.goto(url);
    return { page, asked, said, url };
  }

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(AXE);
    return page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200)))`,
    );
  }

  test.each(PAGES)(
    '%s: asks for nothing, complains of nothing, and axe finds nothing',
    async (name, make) => {
      const html = await make();
      for (const dark of [false, true]) {
        const { page, asked, said, url } = await opened(name, html, { dark });
        await page.evaluate(UNFOLD);
        expect(await violations(page)).toEqual([]);
        expect(await page.evaluate(TEXT_MISPLACED)).toEqual([]);
        expect(await page.evaluate(DEAD_LINKS)).toEqual([]);
        expect(asked).toEqual([url]);
        expect(said).toEqual([]);
        await page.context().close();
      }
    },
  );

  test.each(PAGES)('%s: fits windows of 360, 768 and 1600 pixels', async (name, make) => {
    const html = await make();
    for (const width of [360, 768, 1600]) {
      const { page } = await opened(name, html, { width });
      // What scrolls can be reached by the keyboard.
      if (width === 360) expect(await violations(page)).toEqual([]);
      await page.evaluate(UNFOLD);
      expect(await page.evaluate(OVERFLOW), `${width}`).toBe(0);
      await page.context().close();
    }
  });

  test('light and dark are the reader’s, or what data-theme on the root says', async () => {
    const html = await PAGES[2]![1]();
    const light = ['rgb(255, 255, 255)', 'rgb(255, 255, 255)'];
    const night = ['rgb(17, 22, 28)', 'rgb(17, 22, 28)'];
    for (const [dark, theme, expected] of [
      [false, undefined, light],
      [true, undefined, night],
      [false, 'dark', night],
      [true, 'light', light],
    ] as const) {
      const themed = theme === undefined ? html : html.replace('<html', `<html data-theme="${theme}"`);
      const { page } = await opened('theme', themed, { dark });
      expect(await page.evaluate(BACKGROUNDS)).toEqual(expected);
      await page.context().close();
    }
  });

  test('the browser would not load anything if there were something', async () => {
    const html = await PAGES[2]![1]();
    const spoilt = html.replace('</main>', '<img src="https://example.org/x.png" alt=""></main>');
    expect(spoilt).not.toBe(html);
    const { said } = await opened('spoilt', spoilt);
    expect(said.join()).toContain('Content Security Policy');
    // And the checks above would tell: a text on another, a link to nowhere, an image without words.
    const bad = html.replace(
      '</main>',
      '<a href="#nowhere">x</a><img src="data:,"><svg aria-label="s"><text y="20">one</text><text y="20">two</text></svg></main>',
    );
    const { page } = await opened('bad', bad);
    expect(await page.evaluate(DEAD_LINKS)).toEqual(['#nowhere']);
    expect(await page.evaluate(TEXT_MISPLACED)).toEqual(['s: one lies on two']);
    expect((await violations(page)).join()).toContain('image-alt');
  });
});

/** `npm run pictures`: draws the explorer's views for README and docs, light and dark, in a real browser. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { buildExplorer } from '../src/explore/build.mjs';
import { PRESETS, REQUESTS } from '../src/explore/presets.ts';
import { linkOf, type PageState, VIEWS } from '../src/explore/share.ts';
import { startBrowser } from '../test/report/page/browser.ts';

const folder = mkdtempSync(join(tmpdir(), 'lpae-pictures-'));
const page = join(folder, 'explorer.html');
const { playground } = PRESETS.find(({ name }) => name === 'over-mapped')!;
const STATES: Readonly<Record<(typeof VIEWS)[number], PageState>> = {
  map: { playground, view: 'map', flips: [] },
  words: { playground, view: 'words', at: 0x8000_3000n, flips: [{ pa: 0x8000_3000n, bit: 7 }] },
  walk: {
    playground,
    view: 'walk',
    flips: [],
    walk: { va: 0x1000_1234n, access: 'write', privileged: false },
  },
  time: {
    playground,
    view: 'time',
    request: JSON.stringify(REQUESTS.find(({ name }) => name === 'mapped anew')!.request, null, 1),
    step: 3,
    flips: [],
  },
  open: { playground, view: 'open', flips: [] },
};

/** A golden image, walked. */
async function openImage(tab: Page): Promise<void> {
  await tab.locator('input[type=file]').setInputFiles('fixtures/real/linux61-kvm-nvhe-hyp.json');
  await tab.getByLabel('Answer of the command').waitFor({ timeout: 30_000 });
}

await buildExplorer(page);
const browser = await startBrowser();
for (const scheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1200, height: 820 } });
  for (const view of VIEWS) {
    const tab = await context.newPage();
    await tab.goto(`${pathToFileURL(page).href}#${linkOf(STATES[view])}`);
    await tab.locator('main').waitFor();
    if (view === 'open') await openImage(tab);
    await tab.waitForTimeout(1000);
    await tab.screenshot({ path: join(import.meta.dirname, `explorer-${view}-${scheme}.png`) });
  }
}
await browser.close();
rmSync(folder, { recursive: true });

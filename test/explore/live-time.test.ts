/** Time in a real browser: operations as steps on a slider, forwards and backwards, by mouse and by keyboard. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../src/cli/input/request.ts';
import { goldenFileOf } from '../../src/explore/golden-file.ts';
import { REQUESTS } from '../../src/explore/presets.ts';
import { stateOf } from '../../src/explore/share.ts';
import { hasBrowser } from '../report/page/browser.ts';
import { OVERFLOW } from '../report/page/page-facts.ts';
import { answer, builtPage, expectStatus, hashOf, NAMES, violations } from './open-page.ts';

describe.skipIf(!hasBrowser())('in a browser', () => {
  const { opened } = builtPage();

  async function begun(options: Parameters<typeof opened>[0] = {}) {
    const found = await opened(options);
    await found.page.getByText('Or ask a map request').click();
    await found.page.getByRole('button', { name: 'mapped anew' }).click();
    await expectStatus(found.page, /^4 of 4: unmap/);
    return found;
  }

  test('by mouse: back to the second operation, whose word and invalidation stand there', async () => {
    const { page, quiet } = await begun();
    await page.getByRole('button', { name: '← earlier' }).click();
    await expectStatus(page, /^3 of 4: map/);
    await page.getByLabel('Operations', { exact: true }).getByRole('button').nth(1).click();
    await expectStatus(page, /^2 of 4: unmap .*1 word written, 1 invalidation owed$/);
    const row = page.locator('.written tbody tr');
    expect(await row.allTextContents()).toEqual([
      '10x80003008L3 0x10001000legal0x0000000900001e430x0000000000000000',
    ]);
    expect(await page.getByLabel('Invalidations owed').textContent()).toContain('TLBI VALE1IS, Xt=0x10001;');
    await page.getByLabel('invalidate as Linux does').check();
    await expectStatus(page, /1 word written$/);
    expect(await row.count()).toBe(2);
    await page.getByRole('button', { name: '0x80003008' }).click();
    expect(stateOf(await hashOf(page))).toMatchObject({ view: 'words', at: 0x8000_3008n, step: 2 });
    await quiet();
  });

  test('by keyboard alone: the slider, to the beginning and the end', async () => {
    const { page, quiet } = await begun();
    await page.getByRole('slider', { name: 'Operations carried out' }).focus();
    await page.keyboard.press('ArrowLeft');
    await expectStatus(page, /^3 of 4/);
    await page.keyboard.press('Home');
    await expectStatus(page, /^Before 4 operations: an empty root\.$/);
    await page.keyboard.press('End');
    await expectStatus(page, /^4 of 4/);
    await page.keyboard.press('ArrowLeft');
    const link = await hashOf(page);
    await quiet();
    const again = await opened({ hash: link });
    await expectStatus(again.page, /^3 of 4: map/);
    const { request } = stateOf(link);
    expect(JSON.parse(request!)).toEqual(REQUESTS.find(({ name }) => name === 'mapped anew')!.request);
    await again.quiet();
  });

  test('a request that is typed is asked, and one that is none is told', async () => {
    const { page, quiet } = await opened();
    await page.getByText('Or ask a map request').click();
    await page.getByLabel('Map request, as lpae map reads it').fill('{ "ops": [] }');
    await page.getByRole('button', { name: 'Ask it' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('the request: format');
    const { request } = REQUESTS.find(({ name }) => name === 'a block is split')!;
    await page.getByLabel('Map request, as lpae map reads it').fill(JSON.stringify(request));
    await page.getByRole('button', { name: 'Ask it' }).click();
    await expectStatus(page, /^3 of 3/);
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByRole('button', { name: 'Back to the playground' }).click();
    await page.getByRole('button', { name: NAMES.map }).click();
    await expectStatus(page, /^Mapped/);
    await quiet();
  });

  test('save golden file: the operations carried out so far, or why there is none', async () => {
    const { page, quiet } = await begun();
    await page.getByRole('button', { name: '← earlier' }).click();
    await expectStatus(page, /^3 of 4/);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save golden file' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('golden.json');
    const file = JSON.parse(readFileSync(await download.path(), 'utf8'));
    const { request } = REQUESTS.find(({ name }) => name === 'mapped anew')!;
    expect(file).toEqual(goldenFileOf(parseRequest(request, 'a request'), 3));
    expect(file.ops).toHaveLength(3);
    await page.getByRole('button', { name: 'Back to the playground' }).click();
    await page.getByRole('button', { name: 'IOMMU page too large' }).click();
    await page.getByLabel('map_sg means').selectOption('per-entry');
    await page.getByRole('button', { name: 'Save golden file' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('No golden file: ops[0]: golden files have Linux').waitFor();
    await quiet();
  });

  test.each([
    [false, 360],
    [true, 768],
    [false, 1280],
    [true, 2560],
  ])(
    'dark %s, %i pixels: axe finds nothing, and nothing is wider than the window',
    async (dark, width) => {
      const { page, quiet } = await begun({ dark, width });
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(OVERFLOW)).toBe(0);
      expect(await answer(page).count()).toBe(1);
      await quiet();
    },
    180_000,
  );
});

/** The explorer in a real browser, from disk: by mouse and by keyboard, light and dark, narrow and wide; it loads nothing, and shows what the library answers. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { play } from '../../src/explore/playground.ts';
import { linkOf, stateOf, VIEWS } from '../../src/explore/share.ts';
import { lpaeJson, tempFile } from '../cli/run.ts';
import { hasBrowser } from '../report/page/browser.ts';
import { OVERFLOW } from '../report/page/page-facts.ts';
import { answer, builtPage, expectStatus, follow, hashOf, NAMES, violations } from './open-page.ts';
import { question } from './questions.ts';

describe.skipIf(!hasBrowser())('in a browser', () => {
  const { built, opened } = builtPage();

  test('it weighs at most 350 KB gzipped', () => {
    expect(gzipSync(built.html).length).toBeLessThan(350_000);
  });

  test.each([false, true])(
    'every view, dark %s: axe finds nothing, nothing is asked for or complained of',
    async (dark) => {
      const { page, quiet } = await opened({ dark });
      for (const view of VIEWS) {
        await page.getByRole('button', { name: NAMES[view] }).click();
        if (view === 'words') await page.getByLabel(/^bit 7: /).click();
        expect([view, await violations(page)]).toEqual([view, []]);
      }
      await quiet();
    },
    240_000,
  );

  test.each([360, 768, 1280, 2560])('%i pixels: nothing is wider than the window', async (width) => {
    const { page, quiet } = await opened({ width });
    for (const view of VIEWS) {
      await page.getByRole('button', { name: NAMES[view] }).click();
      expect([view, await page.evaluate(OVERFLOW)]).toEqual([view, 0]);
    }
    await quiet();
  });

  test('a change is answered at once, in the page and in its address', async () => {
    const { page, quiet } = await opened();
    await page.getByRole('button', { name: 'IOMMU page too large' }).click();
    await expectStatus(page, /^Refused: EINVAL.*entry 1/);
    await page.getByLabel('IOMMU granule').selectOption('4096');
    await expectStatus(page, /^Mapped: 76K/);
    expect(stateOf(await hashOf(page)).playground.granule).toBe(0x1000);
    await page.getByRole('button', { name: 'over-mapped' }).click();
    await expectStatus(page, /more than anybody asked for$/);
    expect(await page.locator('[data-excess=IOVA]').count()).toBe(3);
    await quiet();
  });

  test('by keyboard alone: a view, an entry moved and made longer, a bit flipped, an address walked', async () => {
    const { page, quiet } = await opened();
    const before = stateOf(await hashOf(page)).playground.sg;
    await page.getByRole('slider', { name: 'entry 1' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    const { sg } = stateOf(await hashOf(page)).playground;
    expect(sg[1]!.phys).toBe(BigInt(before[1]!.phys) + 0x1_0000n);
    expect(sg[1]!.length).toBe(BigInt(before[1]!.length) + 0x1_0000n);
    await page.getByRole('button', { name: NAMES.words }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel(/^bit 0: /).focus();
    await page.keyboard.press('Space');
    expect(stateOf(await hashOf(page)).flips).toHaveLength(1);
    await page.getByRole('heading', { name: 'What that changes' }).waitFor();
    await page.getByRole('button', { name: NAMES.walk }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Address').focus();
    await page.keyboard.press('ArrowUp');
    expect(stateOf(await hashOf(page)).walk?.va).toBe(0x1000_1000n);
    await quiet();
  });

  test('by mouse: an entry is dragged by whole pages', async () => {
    const { page, quiet } = await opened({
      hash: '#v=1&cpu=4K&granule=4K&sizes=blocks&stage=s1&means=exact&iova=0&sg=900000000*8000.900010000*8000&view=map',
    });
    const block = (await page.getByRole('slider', { name: 'entry 0' }).boundingBox())!;
    await page.mouse.move(block.x + block.width / 3, block.y + block.height / 2);
    await page.mouse.down();
    await page.mouse.move(block.x + block.width / 3 + 40, block.y + block.height / 2, { steps: 5 });
    await page.mouse.up();
    const moved = BigInt(stateOf(await hashOf(page)).playground.sg[0]!.phys);
    expect(moved).toBeGreaterThan(0x9_0000_0000n);
    expect(moved % 0x1000n).toBe(0n);
    await quiet();
  });

  test('links: one that is damaged says why, and shows the page', async () => {
    const { page, quiet } = await opened({ hash: '#v=9&cpu=4K' });
    expect(await page.getByRole('alert').textContent()).toContain(
      'v=9: this program knows links of version 1',
    );
    await expectStatus(page, /^Mapped/);
    await quiet();
  });

  test('a random question: the page shows what the library answers, and its command the same in a terminal', async () => {
    const { page, quiet } = await opened();
    for (const playground of fc.sample(question, { numRuns: 12 })) {
      const hash = `#${linkOf({ playground, view: 'map', flips: [] })}`;
      await follow(page, hash);
      const { error, counts } = play(playground);
      await expectStatus(page, error ? /^Refused: / : /^Mapped: /);
      const status = (await answer(page).first().textContent())!;
      if (error) expect(status).toBe(`Refused: ${error.message}`);
      else expect(status.replaceAll(',', '')).toContain(`in ${counts.leaves} descriptor`);
      const copies = page.getByRole('button', { name: 'Copy as command' });
      if ((await copies.count()) === 0) continue;
      const command = (await copies.getAttribute('data-copies'))!;
      const [, request = ''] = /^lpae map - <<'END'\n([\s\S]*)\nEND\n$/.exec(command) ?? [];
      const { json } = await lpaeJson(['map', tempFile('request.json', request)]);
      expect(json.ok).toBe(error === undefined);
      if (error === undefined) expect((json.cost as { leaves: number }).leaves).toBe(counts.leaves);
    }
    await quiet();
  }, 180_000);
});

/** Files in the page, in a real browser: chosen, dropped, pasted and served; commands over them answer as in a terminal; gigabytes are read in windows. */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { servePage } from '../../src/cli/run/serve-page.ts';
import { REQUESTS } from '../../src/explore/presets.ts';
import { stateOf } from '../../src/explore/share.ts';
import { lpae } from '../cli/run.ts';
import { hasBrowser } from '../report/page/browser.ts';
import { OVERFLOW } from '../report/page/page-facts.ts';
import { builtPage, expectStatus, hashOf, NAMES, violations } from './open-page.ts';

const KVM = 'fixtures/real/linux61-kvm-nvhe-hyp.json';
const folder = mkdtempSync(join(tmpdir(), 'lpae-open-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GIB = 2 ** 30;
/** 4 GiB of which the disk holds a few pages: tables of 4K at the end, which map 0x12345000 to 0x1000. */
const TABLES = 4 * GIB - 0x10_0000;
const REGISTERS = `--ttbr0 0x${TABLES.toString(16)} --tcr 0x80803510 --mair 0xff --sctlr 1 --regime el1&0`;

function sparse(): string {
  const file = join(folder, 'ram.bin');
  writeFileSync(file, '');
  truncateSync(file, 4 * GIB);
  const handle = openSync(file, 'r+');
  const put = (at: number, word: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(word);
    writeSync(handle, bytes, 0, 8, at);
  };
  const at = (n: number) => TABLES + n * 0x1000;
  put(at(0), BigInt(at(1)) | 3n);
  put(at(1), BigInt(at(2)) | 3n);
  put(at(2) + 8 * 0x91, BigInt(at(3)) | 3n);
  put(at(3) + 8 * 0x145, 0x1703n);
  closeSync(handle);
  return file;
}

/** Bytes that a process for pages of this test's browser holds, the largest of them: its own, and its part of what is shared. */
function residentBytes(): number {
  const parents = new Map<string, { parent: string; renderer: boolean }>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]!;
      parents.set(pid, {
        parent,
        renderer: readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer'),
      });
    } catch {
      // It has ended meanwhile.
    }
  }
  const isOurs = (pid: string): boolean => {
    if (pid === String(process.pid)) return true;
    const parent = parents.get(pid)?.parent;
    return parent !== undefined && parent !== '0' && isOurs(parent);
  };
  const ours = [...parents].filter(([pid, { renderer }]) => renderer && isOurs(pid));
  const sizes = ours.map(([pid]) =>
    Number(/Pss:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]),
  );
  return 1024 * Math.max(...sizes);
}

const output = (page: Page) => page.getByLabel('Answer of the command');
const choose = (page: Page, ...files: string[]) => page.locator('input[type=file]').setInputFiles(files);

async function ask(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    const field = page.getByLabel('Command line').getByLabel(label).first();
    if ((await field.locator('option').count()) > 0) await field.selectOption(value);
    else await field.fill(value);
  }
  await page.getByRole('button', { name: 'Run' }).click();
}

describe.skipIf(!hasBrowser())('in a browser', () => {
  const { built, opened, browser } = builtPage();
  const at = { hash: '' };

  async function begun(options: Parameters<typeof opened>[0] = {}) {
    const found = await opened(options);
    await found.page.getByRole('button', { name: NAMES.open }).click();
    return found;
  }

  test('a golden image is listed as lpae dump lists it, and walked by keyboard alone as lpae walk walks it', async () => {
    const { page, quiet } = await begun();
    await choose(page, KVM);
    await expectStatus(page, /^lpae dump: exit code 0/);
    const dumped = await lpae(['dump', KVM]);
    expect((await output(page).textContent())!.trimEnd()).toBe(dumped.out.trimEnd());
    await page.getByLabel('Addresses to walk').focus();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('0x4000_0000');
    await page.keyboard.press('Enter');
    await expectStatus(page, /^lpae walk: exit code/);
    const walked = await lpae(['walk', KVM, '0x4000_0000']);
    expect((await output(page).textContent())!.trimEnd()).toBe(walked.out.trimEnd());
    const copied = await page
      .getByRole('button', { name: 'Copy as command' })
      .last()
      .getAttribute('data-copies');
    expect(copied).toBe('lpae walk linux61-kvm-nvhe-hyp.json 0x4000_0000\n');
    await quiet();
  });

  test('4 GiB open and walk in less than two seconds, in less than 300 MB', async () => {
    const file = sparse();
    const { out } = await lpae(['walk', `${file}@0x0`, '0x12345678', ...REGISTERS.split(' ')]);
    expect(out).toContain('0x1678');
    const milliseconds: number[] = [];
    // Other work on this machine costs time too: the fastest of three.
    while (milliseconds.length < 3 && !milliseconds.some((one) => one < 2000)) {
      const { page, quiet } = await begun();
      await choose(page, file);
      await page.getByLabel('Opened files').getByText('ram.bin').waitFor();
      await ask(page, {
        'Base address of raw memory': '0x0',
        'Addresses to walk': '0x12345678',
        'Options, as on the command line': REGISTERS,
      });
      await expectStatus(page, /^lpae walk: exit code 0/);
      const said = (
        await page.getByLabel('Answer', { exact: true }).getByRole('status').allTextContents()
      ).join();
      milliseconds.push(Number(/(\d+) ms/.exec(said)![1]));
      expect(residentBytes()).toBeLessThan(300e6);
      expect((await output(page).textContent())!.trimEnd()).toBe(out.trimEnd().replaceAll(file, 'ram.bin'));
      await quiet();
    }
    expect(Math.min(...milliseconds)).toBeLessThan(2000);
  }, 180_000);

  test('what is pasted anywhere is understood: a descriptor, a log, a request', async () => {
    const { page, quiet } = await opened(at);
    const paste = (text: string) =>
      page.evaluate(
        `(() => { const data = new DataTransfer(); data.setData('text', ${JSON.stringify(text)});
          document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true })); })()`,
      );
    await paste('0x0060000040000f47');
    await expectStatus(page, /^lpae decode: exit code 0/);
    expect((await output(page).textContent())!.trimEnd()).toBe(
      (await lpae(['decode', '0x0060000040000f47'])).out.trimEnd(),
    );
    const log =
      'arm-smmu-v3 9050000.smmuv3: event 0x10 received:\narm-smmu-v3 9050000.smmuv3: 0x0000010000000010\narm-smmu-v3 9050000.smmuv3: 0x0000020800000000\narm-smmu-v3 9050000.smmuv3: 0x00000000fffff000\narm-smmu-v3 9050000.smmuv3: 0x0000000000000000';
    await paste(log);
    await expectStatus(page, /^lpae fault: exit code 0/);
    expect((await output(page).textContent())!.trimEnd()).toBe((await lpae(['fault', log])).out.trimEnd());
    await paste(JSON.stringify(REQUESTS[0]!.request));
    await expectStatus(page, /^4 of 4: unmap/);
    expect(stateOf(await hashOf(page)).view).toBe('time');
    await quiet();
  });

  test('an error is told as in a terminal; a file is closed; a golden file of operations is asked', async () => {
    const { page, quiet } = await begun();
    const elf = join(folder, 'a.txt');
    writeFileSync(elf, 'nothing of interest');
    await choose(page, elf);
    await ask(page, { Command: 'dump' });
    await expectStatus(page, /^lpae dump: exit code [23]/);
    const { err } = await lpae(['dump', elf]);
    expect((await page.getByLabel('Messages').textContent())!.trimEnd()).toBe(
      err.trimEnd().replaceAll(elf, 'a.txt'),
    );
    await page.getByRole('button', { name: 'close a.txt' }).click();
    expect(await page.getByLabel('Opened files').getByRole('listitem').count()).toBe(0);
    await choose(page, 'fixtures/linux/arm_64_lpae_s1-16k-blocks-0001.json');
    await expectStatus(page, /^\d+ of \d+/);
    await quiet();
  });

  test('files that are served are read by ranges, from where the page came, and from nowhere else', async () => {
    const served = await servePage(built.html, [KVM, sparse()]);
    const context = await browser().newContext();
    const page = await context.newPage();
    const [asked, said]: [string[], string[]] = [[], []];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => said.push(message.text()));
    await page.goto(served.address);
    await page.getByLabel('Opened files').getByText('ram.bin').waitFor();
    await page.getByLabel('Files with memory').selectOption(join(folder, 'ram.bin'));
    await ask(page, {
      'Base address of raw memory': '0x0',
      'Addresses to walk': '0x12345678',
      'Options, as on the command line': REGISTERS,
    });
    await expectStatus(page, /^lpae walk: exit code 0/);
    expect(await output(page).textContent()).toContain('0x1678');
    expect(asked.filter((url) => !url.startsWith(served.address) && !/^(data|blob):/.test(url))).toEqual([]);
    expect(said).toEqual([]);
    await context.close();
    process.emit('SIGINT');
    await served.closed;
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
      await choose(page, KVM);
      await expectStatus(page, /^lpae dump: exit code 0/);
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(OVERFLOW)).toBe(0);
      await quiet();
    },
    180_000,
  );
});

import { describe, expect, test } from 'vitest';
import { lpae, lpaeJson, tempFile } from './run.ts';

/** A golden image of EL1&0: 39 bits, 4K pages, tables from 0x8000_0000. */
type Words = Readonly<Record<string, string>>;
function image(words: Words, registers: Words = {}, below: Words = {}) {
  const file = {
    schema: 'pgtable-golden/1',
    kind: 'image',
    name: 'image',
    regime: 'el1&0',
    cpu: { model: 'max', pa_bits: 44 },
    ram: { base: '0x80000000', size: '0x80000000' },
    registers: { ttbr0: '0x80000000', tcr: '0x180803519', mair: '0xff', sctlr: '0x1005', ...registers },
    memory: [
      { pa: '0x80000000', words64: words },
      { pa: '0x80001000', words64: below },
    ],
    translations: [],
  };
  return tempFile('image.json', JSON.stringify(file));
}

const at = (file: string, ...more: string[]) => lpae(['walk', file, '0x80000000', ...more]);

test('dirty state that hardware does not manage denies a write to a DBM entry', async () => {
  const file = image({ '16': '0x68000080000781' });
  const { out, code } = await at(file, '--access', 'write');
  expect(code).toBe(1);
  expect(out).toContain(
    'by    AP[2] = 1 at level 1: read-only; DBM = 1 would let hardware make it writable, but hardware dirty state is off (TCR_EL1.HD = 0)\n',
  );
});

test('PXNTable denies execution below it, and stands on the line of its table', async () => {
  const file = image({ '16': '0x0800000080001003' }, {}, { '0': '0x80000781' });
  const { out } = await at(file, '--access', 'execute');
  expect(out).toContain('table -> 0x80001000  PXNTable = 1\n');
  expect(out).toContain('by    PXNTable = 1 in the table descriptor at level 1\n');
});

test('what EL0 may write EL1 may not execute', async () => {
  const { out } = await at(image({ '16': '0x80000741' }), '--access', 'execute');
  expect(out).toContain('by    what EL0 may write EL1 may not execute, whatever PXN says\n');
});

test('WXN and E0PD0 by the names of their registers, in JSON as well', async () => {
  const wxn = image({ '16': '0x80000701' }, { sctlr: '0x81005' });
  const { json } = await lpaeJson(['walk', wxn, '0x80000000', '--access', 'execute']);
  expect(json).toMatchObject({
    walks: [
      {
        fault: {
          denied: [{ by: 'WXN', stage: 1, text: 'SCTLR_EL1.WXN = 1: writable memory is execute-never' }],
        },
      },
    ],
  });
  const e0pd = image({ '16': '0x80000741' }, { tcr: '0x80000180803519' });
  const { out } = await at(e0pd, '--unprivileged');
  expect(out).toContain('why   TCR_EL1.E0PD0 = 1: EL0 may use no address of this range\n');
});

test('--pan: what PAN denies, and what the page allows without it, which is no contradiction', async () => {
  const { out, code } = await at(image({ '16': '0x80000741' }), '--pan');
  expect(code).toBe(1);
  expect(out).toContain(
    'does not allow privileged read; without PAN it allows privileged rw-, unprivileged rwx\n  by    PSTATE.PAN = 1, and EL0 may access it (AP[1] = 1)\n',
  );
  expect((await at(image({ '16': '0x80000701' }), '--pan')).code).toBe(0);
});

test('APTable and UXNTable stand on table lines, with HPD0 they do not', async () => {
  const words = { '16': '0x7000000080001003' };
  const below = { '0': '0x80000781' };
  expect((await at(image(words, {}, below))).out).toContain('  APTable = 0b11, UXNTable = 1\n');
  const { out } = await at(image(words, { tcr: '0x20180803519' }, below));
  expect(out).not.toContain('APTable');
});

test('short descriptors: words and PAR have 8 digits', async () => {
  const file = image(
    { '0': '0x80000c0200000000' },
    { ttbr0: '0x80000000', tcr: '0x0', dacr: '0x1', sctlr: '0x1005' },
  );
  const options = ['--regime', 'pl1&0-short'];
  const hit = await lpae(['walk', file, '0x100000', '--json', ...options]);
  expect(hit.out).toContain('"par": "0x80000290"');
  expect(hit.out).toContain('"descriptor": "0x80000c02"');
  const hole = await lpae(['walk', file, '0x0', ...options]);
  expect(hole.out).toContain('= 0x00000000  invalid');
  expect(hole.out).toContain('FS 0x05, DFSR 0x00000005, PAR 0x0000000b\n');
});

test('SCTLR_EL1.C = 0 is said and applied: of the access, of the registers, in JSON', async () => {
  const file = image({ '16': '0x80000701' }, { sctlr: '0x1001' });
  const { out } = await at(file);
  expect(out).toContain('as    Normal, inner and outer Write-Back RW-allocate (0xff)');
  expect(out).toContain(
    'but   Normal, inner and outer Non-cacheable (0x44), outer shareable, for this access: SCTLR_EL1.C = 0\n',
  );
  const rule = 'SCTLR_EL1.C = 0: data accesses to Normal memory, and the walks of this stage, are';
  expect(out).toContain(rule);
  expect((await lpae(['dump', file])).out).toContain(rule);
  expect((await at(file, '--derivation')).out).toContain('walks NC OSH');
  expect((await lpaeJson(['dump', file])).json).toMatchObject({
    ranges: [{ attr: '0xff', effective: { attr: '0x44', by: ['SCTLR.C'] } }],
    derivation: { stages: [{ uncached: [{ field: 'SCTLR_EL1.C', value: '0x0' }] }] },
  });
});

test('registers are judged in golden images and requests as in dumps: what is wrong always, the rest with --derivation', async () => {
  const file = image({ '16': '0x80000701' }, { tcr: '0x100803519', mair: '0x0bff' });
  const { out } = await at(file);
  expect(out).toMatch(/^ {4}! .*TCR_EL1|^ {4}! .*MAIR_EL1/m);
  expect(out).not.toContain('start level');
  expect((await at(file, '--derivation')).out).toContain('start level 1');
  expect((await lpae(['dump', file, '--derivation'])).out).toContain('start level 1');
  expect((await lpae(['dump', file])).out).toMatch(/^ {4}! /m);
});

test('dump --tree --full shows each word, and --reverse counts the leaves in its range', async () => {
  // Two pages that follow each other and differ in a bit for software, bit 55.
  const words = { '16': '0x80001003' };
  const more = { '0': '0x80002003' };
  const file = image(words, {}, more);
  const pages = JSON.parse(await import('node:fs').then((fs) => fs.readFileSync(file, 'utf8')));
  pages.memory.push({
    pa: '0x80002000',
    words64: { '0': '0x90000703', '8': '0x80000090001703', '16': '0x90002703' },
  });
  const full = tempFile('pages.json', JSON.stringify(pages));
  const { out } = await lpae(['dump', full, '--tree', '--full']);
  for (const word of ['0x0000000090000703', '0x0080000090001703', '0x0000000090002703'])
    expect(out).toContain(word);
  const { json } = await lpaeJson(['dump', full, '--reverse', '0x90001000']);
  expect(json).toMatchObject({ ranges: [{ first: '0x80001000', leaves: 1 }] });
});

test('dump of two stages: where a leaf faults the PA column holds no IPA, and --reverse finds its PA', async () => {
  const file = image(
    // Stage 1 at IPA 0x4000_0000 = PA 0x8000_0000: a block without access flag, to IPA 0x4000_0000.
    { '0': '0x40000301' },
    { ttbr0: '0x40000000', vttbr: '0x80001000', vtcr: '0x80023559', hcr: '0x80000001' },
    { '8': '0x800007fd' },
  );
  const args = ['dump', file, '--regime', 'el1&0-nested'];
  const { json } = await lpaeJson(args);
  expect(json).toMatchObject({ ranges: [{ pa: '0x80000000', fault: { kind: 'access_flag', stage: 1 } }] });
  expect((await lpae([...args, '--reverse', '0x80001234'])).code).toBe(0);
  expect((await lpae([...args, '--reverse', '0x40001234'])).code).toBe(1);
});

describe('a short stage 1 under a stage 2 (G8.2 DFSR, PAR)', () => {
  // Stage 1 at IPA 0x4000_4000: nothing but section 0. Stage 2 at 0x4000_1000: the second gigabyte is itself.
  const words = tempFile('short.txt', '40001008: 00000000400007fd\n40004000: 0000000040000c0e\n');
  const registers = ['TTBR0=0x40004000', 'TTBCR=0', 'SCTLR=5', 'DACR=1', 'VTTBR_EL2=0x40001000'];
  const nested = (hcr: number) =>
    [...registers, 'VTCR_EL2=0x80050059', `HCR_EL2=${hcr}`].flatMap((one) => ['--reg', one]);
  const walk = (...args: string[]) => lpae(['walk', words, '0x10_0000', ...args]);

  test('DFSR is the short one, PAR is that of an operation of Hyp mode', async () => {
    const { out } = await walk('--regime', 'pl1&0-nested64', ...nested(1));
    expect(out).toContain('FS 0x05, DFSR 0x00000005, PAR 0x000000000000080b\n');
  });

  test('with HCR.VM = 0 PAR has 32 bits', async () => {
    const { out } = await walk('--regime', 'pl1&0-nested64', ...nested(0));
    expect(out).toContain('FS 0x05, DFSR 0x00000005, PAR 0x0000000b\n');
  });

  test('--regime pl1&0 follows TTBCR.EAE, and says so', async () => {
    const { out, err } = await walk(
      '--regime',
      'pl1&0',
      ...registers.slice(0, 4).flatMap((one) => ['--reg', one]),
    );
    expect(err).toContain('regime pl1&0-short: TTBCR.EAE = 0 (short descriptors)');
    expect(out).toContain('PAR 0x0000000b\n');
  });
});

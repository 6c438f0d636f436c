/** `lpae verify` on the command line: answers, exit codes, TAP, JUnit, and first intentions of tables that are believed. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lpae, lpaeJson, tempFile } from './run.ts';

const REAL = join(import.meta.dirname, '../../fixtures/real');
const EL3 = join(REAL, 'tfa-optee-cortex-a57-el3.json');

/** What TF-A's BL31 maps on QEMU's virt board, said by hand. */
const BL31 = `
regime EL3
security secure
0x0800_0000+28M            -> identity  rw-  nGnRnE  pas=secure   # devices
0x0e00_0000-0x0e00_0fff 4K -> identity  rw-  device               # mailbox
0x0e09_0000..0x0e09_e000   identity     r-x  WB ISH               # text
0x0e09_e000+12K            identity     ro   normal wb page AF=1  # read-only data
0x0e0a_1000+212K           -> 0xe0a1000 rw   NORMAL -  level=3
0x0e10_0000+15M            identity     rw-  wb                   # OP-TEE
0x0+64K                    unmapped
never wx
never 0x0+64K
never pa 0x4000_0000+1G
never el0
`;
const verify = (intent: string, ...args: string[]) =>
  lpae(['verify', tempFile('want.map', intent), EL3, ...args]);
/** With one line of it otherwise. */
const but = (from: string, to: string) => {
  expect(BL31).toContain(from);
  return BL31.replace(from, to);
};

test('yes: every range is as meant, and nothing else is mapped', async () => {
  const { code, out, err } = await verify(BL31);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('  ok  0xe090000-0xe09dfff   56K  -> 0xe090000  r-x  WB  ISH  # text\n');
  expect(out).toContain('  ok  never pa 0x4000_0000+1G\n');
  expect(out).toMatch(/\nyes: 7 ranges as meant, and nothing else, and 4 rules kept\n$/);
});

describe('no: what was wanted, what there is, and the field that makes the difference', () => {
  test.each([
    ['ro   normal', 'rw   normal', 'rw-, not r--', 'AP[2] = 0x1 (read-only)'],
    ['r-x  WB ISH', 'r-x  WB OSH', 'OSH, not ISH', 'SH[1:0] = 0x3'],
    ['rw-  device ', 'rw-  WB     ', 'WB, not nGnRnE', 'AttrIndx [4:2] = 0x1'],
    ['-> 0xe0a1000', '-> 0xe0a0000', '-> 0xe0a0000, not -> 0xe0a1000', '0x004000000e0a1743 at 0xe0d1508'],
    ['level=3', 'level=2', 'level 2, not level 3', 'level 3, 0x004000000e0a1743'],
    ['nGnRnE  pas=secure', 'nGnRnE  pas=ns', 'pas=nonsecure, not pas=secure', 'NS [5] = 0x0'],
    ['AF=1', 'AF=0', 'AF [10]: AF=0x0, not AF=0x1', 'level 3'],
    ['wb page', 'wb block', 'block, not page', 'level 3'],
    [
      '0x0+64K                    unmapped',
      '0x0+64K identity',
      'mapped, not unmapped',
      'is not valid: bit 0 is clear',
    ],
  ])('%s -> %s', async (from, to, differs, because) => {
    const { code, out } = await verify(but(from, to));
    expect(code).toBe(1);
    expect(out.match(/^ {2}no /gm)).toHaveLength(1);
    expect(out).toContain(`differs  ${differs}\n`);
    expect(out).toContain(because);
    expect(out).toMatch(/\nno: 1 of 7 ranges is not as meant\n$/);
  });

  test('mapped and not named; rules broken', async () => {
    const less = await verify(but('0x0e10_0000+15M', '0x0e10_0000+14M'));
    expect(less.code).toBe(1);
    expect(less.out).toContain(
      'mapped, and not named:\n  no  0xef00000-0xeffffff  1M  -> 0xef00000  2M  rw- WB ISH Secure\n',
    );
    expect((await verify(`${but('0x0e10_0000+15M', '0x0e10_0000+14M')}rest any`)).code).toBe(0);
    const broken = await verify(but('never pa 0x4000_0000+1G', 'never pa 0x0e09_d000+8K'));
    expect(broken.out).toContain(
      '  no  never pa 0x0e09_d000+8K\n    no  0xe09d000-0xe09dfff  4K  -> 0xe09d000  4K  r-x',
    );
    expect(broken.out).toMatch(/no: 1 rule is broken\n$/);
  });
});

describe('2: what is not understood, or can not be asked of these tables', () => {
  test.each([
    [but('regime EL3', 'regime EL2'), 'it is meant for el2, and these tables are of el3'],
    [but('security secure', 'security root'), 'it is meant for root state, and these accesses are secure'],
    [
      but('0x0+64K                    unmapped', '0x1_0000_0000+4K unmapped'),
      'line 10: 0x100000000-0x100000fff is beyond the input of el3',
    ],
    [but('r-x  WB ISH', 'r-x r-x WB ISH'), 'line 6: el3 has no unprivileged accesses'],
    [but('r-x  WB ISH', 'r-x  WBB ISH'), "line 6: 'WBB' is not understood"],
    [but('AF=1', 'WIBBLE=1'), 'line 7: a stage 1 level 3 page, 4K granule has no field WIBBLE'],
  ])('%#: %j', async (intent, message) => {
    const { code, out, err } = await verify(intent);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });

  test('memory types without a MAIR', async () => {
    const { registers, ...image } = JSON.parse(readFileSync(EL3, 'utf8')) as {
      registers: Record<string, string>;
    };
    const { mair: _, ...rest } = registers;
    const file = tempFile('image.json', JSON.stringify({ ...image, registers: rest, translations: [] }));
    const { code, err } = await lpae(['verify', tempFile('want.map', BL31), file]);
    expect([code, err]).toEqual([2, expect.stringContaining('MAIR is not given')]);
  });

  test('no tables, both documents at once', async () => {
    expect((await lpae(['verify', tempFile('want.map', BL31)])).code).toBe(2);
    expect((await verify(BL31, '--tap', '--json')).code).toBe(2);
  });
});

test('3: files that are not there', async () => {
  expect((await lpae(['verify', '/nonsuch.map', EL3])).code).toBe(3);
  expect((await lpae(['verify', tempFile('want.map', BL31), '/nonsuch.json'])).code).toBe(3);
});

test('lines that overlap: each adds its terms, the later one counts, and that is said', async () => {
  const { code, out, err } = await verify(`${BL31}0x0e09_0000+4K r-x\n0x0e09_1000+4K rw-\n`);
  expect(code).toBe(1);
  expect(err).toContain('at 0xe091000-0xe091fff line 16 counts, and not line 6: rights\n');
  expect(err).not.toContain('line 15');
  expect(out).toContain('wanted   -> 0xe091000  rw-  WB  ISH\n');
});

test('rounded: larger by less than a page, and by how much', async () => {
  const odd = but('0x0e09_e000+12K            identity ', '0x0e09_e010+0x2f00         identity ');
  expect((await verify(odd)).code).toBe(1);
  const { code, out } = await verify(odd.replace('AF=1 ', 'rounded'));
  expect(code).toBe(0);
  expect(out).toContain('(larger by 0x100 bytes: 0x10 before, 0xf0 behind)');
});

test('an empty intention means that nothing is mapped', async () => {
  const { code, out } = await verify('# nothing\n');
  expect([code, out]).toEqual([1, expect.stringContaining('no: 7 ranges are mapped and not named\n')]);
});

test('--tap, --json, --junit', async () => {
  const wrong = but('ro   normal', 'rw   normal');
  const { out: tap } = await verify(wrong, '--tap');
  expect(tap).toContain('TAP version 14\n1..12\nok 1 - ');
  expect(tap).toContain('\nnot ok 4 - 0xe09e000-0xe0a0fff  -> 0xe09e000  rw-');
  expect(tap).toContain('\nok 8 - nothing else is mapped\nok 9 - never wx\n');
  const { json } = await lpaeJson(['verify', tempFile('want.map', wrong), EL3]);
  expect(json).toMatchObject({
    schema: 'lpae.verify/1',
    ok: false,
    regime: 'el3',
    unnamed: [],
    complete: true,
  });
  expect((json.ranges as object[])[3]).toMatchObject({
    line: 7,
    label: 'read-only data',
    ok: false,
    differences: [
      {
        first: '0xe09e000',
        last: '0xe0a0fff',
        aspects: [{ aspect: 'rights', wanted: 'rw-', found: 'r--' }],
        descriptors: [{ level: 3, descriptor: '0x004000000e09e7c3', address: '0xe0d14f0' }],
      },
    ],
  });
  const file = join(mkdtempSync(join(tmpdir(), 'lpae-')), 'verify.xml');
  expect((await verify(wrong, '--junit', file)).code).toBe(1);
  const xml = readFileSync(file, 'utf8');
  expect(xml).toContain('tests="12" failures="1" errors="0"');
  expect(xml).toContain('-&gt; 0xe09e000  rw-');
  expect(xml.match(/<failure /g)).toHaveLength(1);
});

test('--range looks at a part, and a dump of a part is an intention for it', async () => {
  const part = await lpae(['dump', EL3, '--range', '0x0e09_0000+64K']);
  expect(part.out).toContain(']  el3, Secure state, in part\n');
  expect((await verify(part.out)).code).toBe(0);
  expect((await verify(BL31, '--range', '0x0e09_0000+64K')).code).toBe(0);
  const { json } = await lpaeJson(['dump', EL3, '--range', '0x0e09_0000+64K']);
  expect((await verify(JSON.stringify(json))).code).toBe(0);
});

test('a dump of memory, with what its registers mean above the ranges, is an intention too', async () => {
  const args = [
    join(REAL, 'uboot-arm64-el2.ram.gz@0x4000_0000'),
    '--registers',
    join(REAL, 'uboot-arm64-el2.json'),
  ];
  const { out } = await lpae(['dump', ...args]);
  expect(out).toMatch(/^el2 {2}\d+ physical address bits/);
  expect((await lpae(['verify', '-', ...args], { stdin: out })).code).toBe(0);
  const coloured = await lpae(['dump', ...args, '--color', 'always']);
  expect((await lpae(['verify', '-', ...args], { stdin: coloured.out })).code).toBe(0);
});

test('an intention for any stream fits a stream of stage 1, one of stage 2, and no PE', async () => {
  for (const [file, ...own] of [
    ['linux61-smmuv3-4k.json', '--sid', '0x10'],
    ['linux73-smmuv3-stage2.json', '--sid', '0x10'],
  ] as const) {
    const args = [join(REAL, file), ...own];
    const { out } = await lpae(['verify', '--write', '-', ...args]);
    const lines = out.split('\n').filter((line) => line.startsWith('  0x'));
    expect(lines.length).toBeGreaterThan(3);
    const stdin = ['regime smmuv3', ...lines].join('\n');
    expect((await lpae(['verify', '-', ...args], { stdin })).code).toBe(0);
  }
  const { code, err } = await lpae(['verify', '-', EL3], { stdin: 'regime smmuv3\nrest any' });
  expect([code, err]).toEqual([2, expect.stringContaining('and these tables are of el3')]);
});

describe('--write: a first intention, which holds', () => {
  const captures = readdirSync(REAL).filter((file) => /\.json(\.gz)?$/.test(file) && !file.includes('.sg.'));
  test.each(captures)('of %s', async (capture) => {
    const file = join(REAL, capture);
    const stream = capture.includes('smmuv3') ? ['--sid', '0x10'] : [];
    const { code, out } = await lpae(['verify', '--write', '-', file, ...stream]);
    expect(code).toBe(0);
    const found = await lpae(['verify', '-', file, ...stream], { stdin: out });
    expect([found.code, found.err]).toEqual([0, expect.not.stringContaining('stdin')]);
    const { out: json } = await lpae(['dump', '--full', '--json', file, ...stream]);
    expect((await lpae(['verify', '-', file, ...stream], { stdin: json })).code).toBe(0);
  });

  test('not over a file that is there', async () => {
    const file = tempFile('want.map', '');
    expect((await lpae(['verify', '--write', file, EL3])).code).toBe(2);
    expect((await lpae(['verify', '--write', file, EL3, '--force'])).code).toBe(0);
    expect((await lpae(['verify', file, EL3])).code).toBe(0);
  });
});

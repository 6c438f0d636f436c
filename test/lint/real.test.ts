/** The lint on captures of running systems: no error, and every other finding is one that can be explained. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { isRegime } from '../../src/arch/regimes.ts';
import { describeRegime } from '../../src/describe/index.ts';
import { parseImageFile } from '../../src/golden/image-file.ts';
import { imageMachine } from '../../src/golden/image-probe.ts';
import { lint, ruleNamed } from '../../src/lint/index.ts';
import { cpuOf } from '../../src/machine/machine.ts';
import { listSpace } from '../../src/space/space.ts';

function lintFile(name: string) {
  const bytes = readFileSync(join(import.meta.dirname, '../../fixtures/real', name));
  const image = parseImageFile(
    JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as unknown,
  );
  const sid = image.rows.find((row) => row.sid !== undefined)?.sid;
  const stream = sid === undefined ? {} : { streamId: Number(sid) };
  const translator = imageMachine(image).machineOf()(stream);
  const frames = sid === undefined ? [...new Set(image.words.map(([pa]) => pa & ~0xfffn))] : [];
  const { ranges } = listSpace(translator);
  const { regime, registers } = image;
  const derivation = isRegime(regime) ? describeRegime(regime, registers, cpuOf(image)) : undefined;
  return lint({ translator, ranges, frames, ...(derivation && { derivation }) }).findings;
}

/** What each reports, and why that is so. */
const EXPLAINED: [file: string, tables: string, counts: Record<string, number>][] = [
  [
    'linux61-kvm-nvhe-hyp.json',
    'KVM at EL2 maps text read-only, data not executable, and not its own tables',
    {},
  ],
  ['linux61-smmuv3-4k.json', 'DMA mappings of one device', {}],
  ['linux612-kvm-vhe-stage2.json', 'stage 2 of a VM', {}],
  [
    'uboot-arm-lpae.json',
    'all RAM is one range of blocks that everyone may write and execute (AP 0b01, no XN), its tables at the end of it; nothing runs at PL0',
    { 'writable-executable': 1, 'table-writable-el0': 2 },
  ],
  [
    'uboot-arm64-el2.json',
    'flash and RAM are writable and executable at EL2; device memory has PXN set beside XN, and no entry AP[1], both without effect at EL2; the root is by itself, three tables follow each other, the last level 2 table is apart',
    { 'writable-executable': 2, 'table-writable': 4, 'reserved-bits': 3, 'reserved-ones': 4 },
  ],
  [
    'edk2-arm64-el1.json.gz',
    'runtime and boot services code, and what was allocated as such, is writable and executable; nothing has UXN, as nothing runs at EL0; all tables are in mapped RAM',
    { 'writable-executable': 13, 'execute-unreadable': 104, 'table-writable': 16 },
  ],
  [
    'linux61-a72-rodata-on.json.gz',
    "three DMA buffers of 256K are mapped Non-cacheable for devices, while the linear map still has them as Write-Back; pages that were aged have AF = 0; tables stay when vmalloc frees their pages; the linear map reaches all tables but the kernel image's own, and has the text of modules writable (rodata=on, not full); TBID1 is set, as on every kernel with pointer authentication",
    {
      'alias-attributes': 3,
      'empty-table': 2,
      'access-flag': 38,
      'table-writable': 46,
      'writable-alias': 54,
      'register-ignored': 1,
    },
  ],
  [
    'linux61-lpae-a15.json.gz',
    'pages that were aged have AF = 0; one table of vmalloc holds nothing; the linear map reaches the tables in low memory, and the two pages of vectors, writable',
    { 'empty-table': 1, 'access-flag': 28, 'table-writable': 12, 'writable-alias': 2 },
  ],
  [
    'linux612-max-16k-lpa2-blocks.json.gz',
    'three DMA buffers mapped Non-cacheable beside the linear map; AF is set by hardware (HA = 1); the linear map, of blocks, has the text of modules and of BPF programs (2 MiB) writable',
    { 'alias-attributes': 3, 'table-writable': 37, 'writable-alias': 21 },
  ],
  [
    'linux612-max-4k-lpa2.json.gz',
    'the same with 4K pages, and a table of vmalloc that holds nothing',
    { 'alias-attributes': 3, 'empty-table': 1, 'table-writable': 55, 'writable-alias': 66 },
  ],
  [
    'linux612-64k-max.json.gz',
    'a DMA buffer of 256K, mapped Non-cacheable beside the linear map; AF is set by hardware; the linear map reaches the tables',
    { 'alias-attributes': 1, 'table-writable': 31 },
  ],
  [
    'linux612-armmp-a15.json.gz',
    'Linux sets bit 4 of first-level descriptors of user tables, as ARMv5 wanted it; a page holds two tables of 1M, of which one may be empty; the two pages of vectors are writable in the linear map',
    { 'reserved-bits': 11, 'empty-table': 24, 'table-writable': 9, 'writable-alias': 2 },
  ],
  [
    'linux612-riscv-sv39.json.gz',
    'Linux clears A of pages that it ages, in either half of the addresses; the linear map reaches the tables',
    { 'access-flag': 77, 'table-writable': 13 },
  ],
  [
    'linux73-pkvm-cortex-a72-el2.json.gz',
    'pKVM maps the pool that its own tables are from',
    { 'table-writable': 16 },
  ],
  ['linux73-smmuv3-stage2.json', 'stage 2 of a device', {}],
  ['tfa-optee-cortex-a57-el3.json', "BL31's tables are part of its data", { 'table-writable': 3 }],
];

describe('captures of running systems', () => {
  test.each(EXPLAINED)('%s: %s', (file, _, counts) => {
    const findings = lintFile(file);
    expect(findings.filter(({ rule }) => ruleNamed(rule).severity === 'error')).toEqual([]);
    const found: Record<string, number> = {};
    for (const { rule } of findings) found[rule] = (found[rule] ?? 0) + 1;
    expect(found).toEqual(counts);
  });

  test('an alias of Linux is a DMA buffer of 256K, Non-cacheable for the device and Write-Back in the linear map', () => {
    const aliases = lintFile('linux61-a72-rodata-on.json.gz').filter(
      ({ rule }) => rule === 'alias-attributes',
    );
    for (const { first, last, message } of aliases) {
      expect(last! - first! + 1n).toBe(0x4_0000n);
      expect(message).toMatch(
        /Normal non-cacheable, outer-shareable here, and Normal write-back, inner-shareable at 0xffff0000b8e[048]0000$/,
      );
    }
  });

  test('a page with AF = 0 is one that the kernel itself says is there', () => {
    const bytes = readFileSync(
      join(import.meta.dirname, '../../fixtures/real/linux61-a72-rodata-on.json.gz'),
    );
    const { pagemap } = JSON.parse(gunzipSync(bytes).toString()) as { pagemap: { va: string }[] };
    const pages = new Set(pagemap.map(({ va }) => BigInt(va)));
    const aged = lintFile('linux61-a72-rodata-on.json.gz').filter(({ rule }) => rule === 'access-flag');
    expect(aged.some(({ first }) => pages.has(first!))).toBe(true);
    for (const { first } of aged) expect(first! < 1n << 48n).toBe(true);
  });
});

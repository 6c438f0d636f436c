/**
 * Tables as four kinds of builders make them, each with what its author meant, and ten intentions in which one thing is wrong: it must be found and
 * named, and nothing besides.
 */
import { expect } from 'vitest';
import type { MachineDescription, Translator } from '../../src/machine/machine.ts';
import { verifySpace } from '../../src/verify/index.ts';
import type { Region } from './tiny-tables.ts';

/** One wrong thing: what is replaced by what, and what is then found. */
export type Falsified = readonly [
  from: string,
  to: string,
  found: {
    /** Lines that differ, each with its aspects and the first address. */
    readonly lines?: readonly (readonly [line: number, first: bigint, ...aspects: string[]])[];
    /** First addresses of what is not named. */
    readonly unnamed?: readonly bigint[];
    readonly unreachable?: readonly bigint[];
    /** Rules that are broken, by their lines. */
    readonly rules?: readonly number[];
  },
];

/** What a builder is given, and what its author meant. */
export interface Situation {
  readonly name: string;
  readonly granuleLog2: 12 | 14 | 16;
  readonly startLevel: number;
  /** The regions of each root. */
  readonly roots: readonly (readonly Region[])[];
  /** The machine that walks them, by the addresses of the roots. */
  readonly machine: (roots: readonly bigint[]) => Omit<MachineDescription, 'memory'>;
  readonly intent: string;
  readonly falsified: readonly Falsified[];
}

const AF = 1n << 10n;
const ISH = 3n << 8n;
const OSH = 2n << 8n;
const NG = 1n << 11n;
const NS = 1n << 5n;
const EL0 = 1n << 6n;
const RO = 1n << 7n;
const GP = 1n << 50n;
const CONTIGUOUS = 1n << 52n;
const PXN = 1n << 53n;
const XN = 1n << 54n;
/** MAIR of all of stage 1 here: 0 Device-nGnRnE, 1 Normal WB, 2 Normal NC, 3 Device-nGnRE. */
const MAIR = 0x0444_ff00n;
const type = (index: bigint) => index << 2n;

/** A region that leads to itself. */
const itself = (va: bigint, size: bigint, attributes: bigint): Region => ({
  va,
  pa: va,
  size,
  attributes: attributes | AF | EL0,
});

const FIRMWARE: Situation = {
  name: 'EL3 firmware with Non-secure memory, 4K, addresses as they are',
  granuleLog2: 12,
  startLevel: 1,
  roots: [
    [
      itself(0x0800_0000n, 0x20_0000n, type(0n) | OSH | XN),
      itself(0x0e00_0000n, 0x8000n, type(1n) | ISH | RO),
      itself(0x0e00_8000n, 0x4000n, type(1n) | ISH | RO | XN),
      itself(0x0e00_c000n, 0x1_0000n, type(1n) | ISH | XN),
      itself(0x8000_0000n, 0x4000_0000n, type(1n) | ISH | XN | NS),
    ],
  ],
  machine: ([ttbr0 = 0n]) => ({
    regime: 'el3',
    registers: { ttbr0, tcr: 0x8080_3520n, mair: MAIR, sctlr: 1n },
  }),
  intent: `regime el3
0x0800_0000+2M    -> identity  rw-  nGnRnE  pas=secure  block
0x0e00_0000+32K   -> identity  r-x  WB ISH  pas=secure
0x0e00_8000+16K   -> identity  r--  WB ISH  pas=secure
0x0e00_c000+64K   -> identity  rw-  WB ISH  pas=secure  level=3
0x8000_0000+1G    -> identity  rw-  WB ISH  pas=nonsecure
never wx
never 0x0+64K
never pa 0x4000_0000+16M
`,
  falsified: [
    [
      '0x0e00_0000+32K   -> identity',
      '0x0e00_0000+32K   -> identity+0x1000',
      { lines: [[3, 0x0e00_0000n, 'output']] },
    ],
    ['r-x  WB', 'rwx  WB', { lines: [[3, 0x0e00_0000n, 'rights']] }],
    ['r--  WB', 'r-x  WB', { lines: [[4, 0x0e00_8000n, 'rights']] }],
    ['nGnRnE', 'nGnRE', { lines: [[2, 0x0800_0000n, 'memory']] }],
    [
      'rw-  WB ISH  pas=nonsecure',
      'rw-  WB OSH  pas=nonsecure',
      { lines: [[6, 0x8000_0000n, 'shareability']] },
    ],
    ['pas=nonsecure', 'pas=secure', { lines: [[6, 0x8000_0000n, 'pas']] }],
    ['level=3', 'level=2', { lines: [[5, 0x0e00_c000n, 'level']] }],
    ['0x0e00_8000+16K', '0x0e00_8000+12K', { unnamed: [0x0e00_b000n] }],
    ['0x0e00_c000+64K', '0x0e00_c000+68K', { lines: [[5, 0x0e01_c000n, 'state']] }],
    ['never pa 0x4000_0000+16M', 'never pa 0x4000_0000..0x8000_1000', { rules: [9] }],
  ],
};

const KERNEL: Situation = {
  name: 'EL1 kernel above and a process below, 4K',
  granuleLog2: 12,
  startLevel: 1,
  roots: [
    [
      { va: 0n, pa: 0x8000_0000n, size: 0x20_0000n, attributes: type(1n) | ISH | AF | RO | XN | GP },
      { va: 0x20_0000n, pa: 0x8020_0000n, size: 0x40_0000n, attributes: type(1n) | ISH | AF | XN | PXN },
      { va: 0x80_0000n, pa: 0x0900_0000n, size: 0x1000n, attributes: type(3n) | OSH | AF | XN | PXN },
    ],
    [
      {
        va: 0x40_0000n,
        pa: 0x8100_0000n,
        size: 0x3000n,
        attributes: type(1n) | ISH | AF | NG | EL0 | RO | PXN,
      },
      {
        va: 0x41_0000n,
        pa: 0x8200_0000n,
        size: 0x1_0000n,
        attributes: type(1n) | ISH | AF | NG | EL0 | XN | PXN | CONTIGUOUS,
      },
      { va: 0x43_0000n, pa: 0x8300_0000n, size: 0x1000n, attributes: type(1n) | ISH | NG | EL0 | XN | PXN },
    ],
  ],
  machine: ([kernel = 0n, user = 0n]) => ({
    regime: 'el1&0',
    registers: {
      ttbr0: user,
      ttbr1: kernel,
      tcr: 25n | (25n << 16n) | (2n << 30n) | (2n << 32n),
      mair: MAIR,
      sctlr: 1n,
    },
  }),
  intent: `regime el1
0xffff_ff80_0000_0000+2M  -> 0x8000_0000  r-x ---  WB ISH global GP block
0xffff_ff80_0020_0000+4M  -> 0x8020_0000  rw- ---  WB ISH global
0xffff_ff80_0080_0000+4K  -> 0x0900_0000  rw- ---  nGnRE  noGP
0x40_0000+12K             -> 0x8100_0000  r-- r-x  WB nG page
0x41_0000+64K             -> 0x8200_0000  rw- rw-  WB nG contiguous
0x43_0000+4K              -> 0x8300_0000  access flag fault
never wx
never el0 pa 0x0900_0000+4K
never global el0
`,
  falsified: [
    ['-> 0x8020_0000', '-> 0x8030_0000', { lines: [[3, 0xffff_ff80_0020_0000n, 'output']] }],
    ['r-- r-x', 'r-- r--', { lines: [[5, 0x40_0000n, 'unprivileged rights']] }],
    ['r-- r-x', 'r-x r-x', { lines: [[5, 0x40_0000n, 'rights']] }],
    ['WB ISH global\n', 'NC global\n', { lines: [[3, 0xffff_ff80_0020_0000n, 'memory']] }],
    ['WB nG page', 'WB global page', { lines: [[5, 0x40_0000n, 'global']] }],
    ['GP block', 'noGP block', { lines: [[2, 0xffff_ff80_0000_0000n, 'guarded']] }],
    ['nG contiguous', 'nG not-contiguous', { lines: [[6, 0x41_0000n, 'contiguous']] }],
    ['GP block', 'GP page', { lines: [[2, 0xffff_ff80_0000_0000n, 'kind']] }],
    ['0x43_0000+4K              -> 0x8300_0000  access flag fault\n', '', { unreachable: [0x43_0000n] }],
    ['never el0 pa 0x0900_0000+4K', 'never el0 pa 0x8200_f000+8K', { rules: [9] }],
  ],
};

const S2_RW = 3n << 6n;
const S2_R = 1n << 6n;
const S2_NORMAL = (0xfn << 2n) | AF | ISH;
const HYPERVISOR: Situation = {
  name: 'stage 2 of a guest, 16K',
  granuleLog2: 14,
  startLevel: 2,
  roots: [
    [
      { va: 0x0n, pa: 0x8_0000_0000n, size: 0x200_0000n, attributes: S2_NORMAL | S2_RW },
      { va: 0x200_0000n, pa: 0x8_1000_0000n, size: 0x20_0000n, attributes: S2_NORMAL | S2_RW | CONTIGUOUS },
      { va: 0x240_0000n, pa: 0x8_2000_0000n, size: 0x8000n, attributes: S2_NORMAL | S2_R | (2n << 53n) },
      {
        va: 0x300_0000n,
        pa: 0x0900_0000n,
        size: 0x4000n,
        attributes: (1n << 2n) | AF | OSH | S2_RW | (2n << 53n),
      },
    ],
  ],
  machine: ([vttbr = 0n]) => ({
    regime: 'el1&0-s2',
    registers: {
      vttbr,
      vtcr: 28n | (1n << 6n) | (2n << 14n) | (2n << 16n) | (1n << 31n),
      hcr: 1n,
    },
  }),
  intent: `regime stage2
0x0+32M           -> 0x8_0000_0000  rwx rwx  WB ISH level=2
0x200_0000+2M     -> 0x8_1000_0000  rwx rwx  WB ISH contiguous leaf=16K
0x240_0000+32K    -> 0x8_2000_0000  r-- r--  normal
0x300_0000+16K    -> 0x0900_0000    rw- rw-  nGnRE
rest unmapped
never pa 0x4000_0000+16M
never x device
`,
  falsified: [
    ['-> 0x8_1000_0000', '-> 0x8_1000_4000', { lines: [[3, 0x200_0000n, 'output']] }],
    ['r-- r--', 'rw- rw-', { lines: [[4, 0x240_0000n, 'rights', 'unprivileged rights']] }],
    [
      'rwx rwx  WB ISH level=2',
      'rw- rw-  WB ISH level=2',
      { lines: [[2, 0n, 'rights', 'unprivileged rights']] },
    ],
    ['nGnRE', 'nGnRnE', { lines: [[5, 0x300_0000n, 'memory']] }],
    ['WB ISH contiguous', 'WB NSH contiguous', { lines: [[3, 0x200_0000n, 'shareability']] }],
    ['contiguous leaf=16K', 'noC leaf=16K', { lines: [[3, 0x200_0000n, 'contiguous']] }],
    ['leaf=16K', 'leaf=2M', { lines: [[3, 0x200_0000n, 'leaf size']] }],
    [
      '0x300_0000+16K    -> 0x0900_0000    rw- rw-  nGnRE',
      '0x300_0000+16K unmapped',
      { lines: [[5, 0x300_0000n, 'state']] },
    ],
    ['0x240_0000+32K', '0x240_0000+16K', { unnamed: [0x240_4000n] }],
    ['never x device', 'never w device', { rules: [8] }],
  ],
};

const BOOT: Situation = {
  name: 'EL2 of a boot loader, 64K, addresses as they are',
  granuleLog2: 16,
  startLevel: 2,
  roots: [
    [
      itself(0x0900_0000n, 0x1_0000n, type(0n) | XN),
      itself(0x4000_0000n, 0x4000_0000n, type(1n) | ISH | XN),
      itself(0x8000_0000n, 0x4_0000n, type(1n) | ISH | RO | (5n << 55n)),
      itself(0x9000_0000n, 0x20_0000n, type(2n) | ISH | XN | CONTIGUOUS),
    ],
  ],
  machine: ([ttbr0 = 0n]) => ({
    regime: 'el2',
    registers: { ttbr0, tcr: 0x8082_4000n | 28n, mair: MAIR, sctlr: 1n },
  }),
  intent: `regime el2
0x0900_0000+64K   identity  rw-  device
0x4000_0000+1G    identity  rw-  WB ISH  block
0x8000_0000+256K  identity  r-x  WB ISH  AF=1 SW=5
0x9000_0000+2M    identity  rw-  NC OSH  contiguous
0x0+64K           unmapped
never wx
never normal pa 0x0+1G
`,
  falsified: [
    [
      '0x4000_0000+1G    identity',
      '0x4000_0000+1G    -> 0x6000_0000',
      { lines: [[3, 0x4000_0000n, 'output']] },
    ],
    ['rw-  WB ISH  block', 'rwx  WB ISH  block', { lines: [[3, 0x4000_0000n, 'rights']] }],
    ['rw-  device', 'r--  device', { lines: [[2, 0x0900_0000n, 'rights']] }],
    ['rw-  device', 'rw-  normal', { lines: [[2, 0x0900_0000n, 'memory']] }],
    ['NC OSH', 'NC ISH', { lines: [[5, 0x9000_0000n, 'shareability']] }],
    ['block', 'page', { lines: [[3, 0x4000_0000n, 'kind']] }],
    ['SW=5', 'SW=4', { lines: [[4, 0x8000_0000n, 'field']] }],
    [
      '0x0+64K           unmapped',
      '0x0a00_0000+64K identity rw- device',
      { lines: [[6, 0x0a00_0000n, 'state']] },
    ],
    ['0x8000_0000+256K', '0x8001_0000+192K', { unnamed: [0x8000_0000n] }],
    ['never normal pa 0x0+1G', 'never device pa 0x0+1G', { rules: [8] }],
  ],
};

/** Firmware, a kernel, a hypervisor and a boot loader. */
export const SITUATIONS: readonly Situation[] = [FIRMWARE, KERNEL, HYPERVISOR, BOOT];

/** The tables are as their author meant them. */
export function expectMeant(target: Translator, { intent, falsified }: Situation): void {
  const found = verifySpace(target, intent);
  expect(found.lines.flatMap(({ differences }) => differences.map(({ aspects }) => aspects))).toEqual([]);
  expect([found.unnamed, found.unreachable, found.ok]).toEqual([[], [], true]);
  expect(falsified).toHaveLength(10);
}

/** The wrong thing is found, and nothing besides. */
export function expectFound(target: Translator, { intent }: Situation, [from, to, wrong]: Falsified): void {
  expect(intent.split(from)).toHaveLength(2);
  const found = verifySpace(target, intent.replace(from, to));
  expect({
    ok: found.ok,
    lines: found.lines.flatMap(({ line, differences }) =>
      differences.map(({ first, aspects }) => [line.line, first, ...aspects.map(({ aspect }) => aspect)]),
    ),
    unnamed: found.unnamed.map(({ first }) => first),
    unreachable: found.unreachable.map(({ first }) => first),
    rules: found.rules.filter(({ ok }) => !ok).map(({ rule }) => rule.line),
  }).toEqual({ ok: false, lines: [], unnamed: [], unreachable: [], rules: [], ...wrong });
}

/** Random drivers of an SMMUv3: a stream with stage 1, whose tables, CD and STE change, with right, wrong and missing commands in between. */
import type { SmmuTrace, SmmuTraceStep } from '../../src/smmu/trace.ts';

/** Where things are, from the RAM's base on. */
const RAM = 0x4000_0000n;
const STRTAB = RAM + 0x100_0000n;
const CDS = RAM + 0x102_0000n;
const COMMANDS = RAM + 0x103_0000n;
const EVENTS = RAM + 0x104_0000n;
const ROOTS = [RAM + 0x201_0000n, RAM + 0x211_0000n] as const;
const PAGES = [RAM + 0x400_0000n, RAM + 0x400_1000n, RAM + 0x400_2000n, RAM + 0x400_3000n] as const;
const LOG2_COMMANDS = 6n;

/** The device's StreamID, and the addresses that it uses: three pages below one level 3 table. */
const SID = 8;
const IOVA = 0x1d_8b24_e000n;
const PAGE = 0x1000n;
const OFFSET = 0x18n;

const index = (iova: bigint, level: bigint) => (iova >> (39n - 9n * level)) & 0x1ffn;
const pages = [0n, 1n, 2n].map((n) => IOVA + n * PAGE);

/** Attributes of a page that is read and written by a privileged device: AF, ISH, nG, AttrIndx 0, AP = 0b01. */
const LEAF = 0xf43n;
const TABLE = 3n;

export interface RandomDriverOptions {
  readonly machine: SmmuTrace['machine'];
  /** From 0 to 1, a new one each call. */
  readonly random: () => number;
}

/** A trace whose steps a driver may have done, right or wrong. */
export function randomDriver({ machine, random }: RandomDriverOptions): SmmuTrace {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const steps: SmmuTraceStep[] = [];
  const asid = pick([1n, 0xbdn]);
  let produced = 0n;
  let root = 0;

  const write = (pa: bigint, value: bigint) => steps.push({ kind: 'write64', pa, value });
  const mmio = (register: 'CR0' | 'CR2' | 'STRTAB_BASE' | 'CMDQ_PROD' | 'EVENTQ_PROD', value: bigint) =>
    steps.push({ kind: 'mmio', register, value });
  const leafAt = (which: number, iova: bigint) => ROOTS[which]! + 0x2_0000n + index(iova, 3n) * 8n;

  /** Commands, submitted by one write of CMDQ_PROD. */
  const submit = (...commands: readonly (readonly [bigint, bigint])[]) => {
    for (const [low, high] of commands) {
      const slot = COMMANDS + (produced % (1n << LOG2_COMMANDS)) * 16n;
      write(slot, low);
      write(slot + 8n, high);
      produced++;
    }
    steps.push({ kind: 'barrier' });
    mmio('CMDQ_PROD', produced % (2n << LOG2_COMMANDS));
    steps.push({ kind: 'read', register: 'CMDQ_CONS' });
  };
  const SYNC = [0x46n, 0n] as const;

  /** Tables of both roots: the second maps other pages. */
  const memory = ROOTS.flatMap((base, which) => [
    { pa: base + index(IOVA, 1n) * 8n, value: (base + 0x1_0000n) | TABLE },
    { pa: base + 0x1_0000n + index(IOVA, 2n) * 8n, value: (base + 0x2_0000n) | TABLE },
    { pa: leafAt(which, pages[0]!), value: PAGES[which]! | LEAF },
    { pa: leafAt(which, pages[1]!), value: PAGES[which + 2]! | LEAF },
  ]);
  // T0SZ 25, TG0 4K, EPD1, V, IPS 44 bits, AA64, R, A, ASET.
  const cd0 = (asid << 48n) | 0xe204_c000_3519n;
  memory.push(
    { pa: STRTAB + BigInt(SID) * 64n, value: CDS | 0xbn },
    { pa: CDS, value: cd0 },
    { pa: CDS + 8n, value: ROOTS[0] },
    { pa: CDS + 24n, value: 0xffn },
  );

  const setUp: readonly (readonly [Extract<SmmuTraceStep, { kind: 'mmio' }>['register'], bigint])[] = [
    ['CR0', 0n],
    ['CR2', 2n],
    ['STRTAB_BASE', STRTAB],
    ['STRTAB_BASE_CFG', 5n],
    ['CMDQ_BASE', COMMANDS | LOG2_COMMANDS],
    ['CMDQ_PROD', 0n],
    ['CMDQ_CONS', 0n],
    ['EVENTQ_BASE', EVENTS | 6n],
    ['EVENTQ_PROD', 0n],
    ['EVENTQ_CONS', 0n],
    ['CR0', 0xcn],
  ];
  for (const [register, value] of setUp) steps.push({ kind: 'mmio', register, value });
  submit([0x4n, 31n], [0x30n, 0n], SYNC);
  mmio('CR0', 0xdn);

  const invalidations = (iova: bigint): (readonly [bigint, bigint])[] => [
    [(asid << 48n) | 0x12n, iova | 1n],
    [(asid << 48n) | 0x12n, iova],
    [((asid ^ 6n) << 48n) | 0x12n, iova | 1n],
    [(asid << 48n) | 0x12n, (iova + PAGE) | 1n],
    [(asid << 48n) | 0x11n, 0n],
    [0x13n, iova | 1n],
    [0x10n, 0n],
    [0x30n, 0n],
    [(BigInt(SID) << 32n) | 0x5n, 1n],
    [(BigInt(SID) << 32n) | 0x3n, 1n],
    [0x4n, 31n],
  ];

  const actions: readonly (() => void)[] = [
    () => write(leafAt(root, pick(pages)), pick([0n, ...PAGES.map((pa) => pa | LEAF)])),
    () => steps.push({ kind: 'barrier' }),
    () => submit(pick(invalidations(pick(pages)))),
    () => submit(pick(invalidations(pick(pages))), SYNC),
    () => submit(pick(invalidations(pick(pages))), pick(invalidations(pick(pages))), SYNC),
    () => submit(SYNC),
    () => {
      root = 1 - root;
      write(CDS + 8n, ROOTS[root]!);
    },
    () => write(STRTAB + BigInt(SID) * 64n, pick([CDS | 0xbn, CDS | 0xan, 0x1n])),
  ];
  const access = () =>
    steps.push({
      kind: 'access',
      access: { sid: SID, iova: pick(pages) + OFFSET, rw: pick(['read', 'write'] as const), size: 4 },
    });
  access();
  for (let i = 0; i < 5; i++) {
    // Table entries change most of the time.
    const times = 1 + Math.floor(random() * 3);
    for (let n = 0; n < times; n++) pick([actions[0]!, ...actions])();
    access();
  }
  return { name: 'random', machine, memory, steps };
}

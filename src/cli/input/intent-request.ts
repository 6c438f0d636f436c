/** An intention as map requests: the JSON that makes tables for it, one request for each root that its regime has. */
import type { MachineRegime } from '../../arch/regimes.ts';
import { securityName, securityProblem } from '../../arch/security.ts';
import { hex } from '../../text/numbers.ts';
import type { Intent, IntentLine, WantedTerms } from '../../verify/intent.ts';
import { usageError } from '../io.ts';
import { LONG_SIZES, MAKERS, type Maker } from './intent-makers.ts';
import { executesApart, protOf } from './intent-prots.ts';
import { MemoryTypes } from './memory-types.ts';

/** Which root a request makes: of the lower or upper addresses of stage 1, or of stage 2. */
export type RootRole = 'lower' | 'upper' | 'stage 2';

/** The requests that make all tables of an intention, in one memory. */
export interface TablesPlan {
  readonly regime: MachineRegime;
  /** Stage 2 is that of Secure IPAs. */
  readonly secure?: true;
  readonly roots: readonly { readonly role: RootRole; readonly request: object }[];
}

/** Runs of entries with the contiguous hint, as page sizes. (DDI 0487 D8.7.1.) */
const RUNS: Readonly<Record<string, bigint>> = { '4K': 0x201_0000n, '16K': 0x4020_0000n, '64K': 0x20_0000n };

/** Sizes of leaves that tell the granule. */
const GRANULE_OF: ReadonlyMap<bigint, string> = new Map([
  [0x4000n, '16K'],
  [0x200_0000n, '16K'],
  [0x1_0000n, '64K'],
  [0x2000_0000n, '64K'],
]);
const BYTES_OF: Readonly<Record<string, bigint>> = { '4K': 0x1000n, '16K': 0x4000n, '64K': 0x1_0000n };
const UPPER_HALF = 2n ** 63n;
/** Where tables lie, unless a request says otherwise. Stage 2 maps all of it to itself, so that stage 1 is found. */
const TABLES = { first: 0x8000_0000n, last: 0xbfff_ffffn };
/** Addresses beyond these bits need 64K pages or LPA2. (DDI 0487 D8.1.7.) */
const NARROW = 48;
const WIDE = 52;

/** Lines that ask for a leaf somewhere. */
type Wanted = IntentLine & { readonly want: { readonly state: 'mapped' } & WantedTerms };

/** What all roots have in common. */
interface Common {
  readonly intent: Intent;
  readonly source: string;
  readonly granule: string;
  readonly types: MemoryTypes;
}

/**
 * With two stages, stage 1 makes everything that the lines say, and stage 2 maps its output addresses and its tables to themselves.
 *
 * @throws CliError (usage) for lines that do not say where they lead, for pages that no format of the regime has, and for what registers of
 * a format can't say.
 */
export function planOfIntent(intent: Intent, source: string): TablesPlan {
  const [regime = 'el1&0'] = intent.regimes ?? [];
  const { stage1, stage2, halves } = MAKERS[regime];
  const lines = intent.lines.filter((line): line is Wanted => line.want.state === 'mapped');
  const lost = lines.find(({ want }) => want.outputOffset === undefined);
  if (lost !== undefined) {
    throw usageError(
      `${source}: line ${lost.line}: where does ${hex(lost.first)} lead?`,
      '-> 0x8000_0000, or identity',
    );
  }
  const problem = intent.security === undefined ? undefined : securityProblem(regime, intent.security);
  if (problem !== undefined) {
    throw usageError(
      `${source}: no tables of ${regime} in ${securityName(intent.security!)} state: ${problem}`,
    );
  }
  const granule =
    lines.map(({ want }) => GRANULE_OF.get(want.leafSize ?? 0n)).find((one) => one !== undefined) ?? '4K';
  const common = { intent, source, granule, types: new MemoryTypes() };
  const roots: { role: RootRole; request: object }[] = [];
  if (stage1 !== undefined) {
    const upper = halves ? lines.filter(({ first }) => first >= UPPER_HALF) : [];
    const lower = lines.filter((line) => !upper.includes(line));
    // One MAIR serves both: its types are known once all lines have been read.
    for (const { want } of lines) if (stage1.prots === 'stage 1') common.types.indexOf(want.memory);
    if (lower.length > 0 || upper.length === 0)
      roots.push({ role: 'lower', request: requestOf(lower, stage1, common) });
    if (upper.length > 0) roots.push({ role: 'upper', request: requestOf(upper, stage1, common, true) });
  }
  if (stage2 !== undefined) {
    const own = stage1 === undefined ? lines : identity(lines, common);
    roots.push({ role: 'stage 2', request: requestOf(own, stage2, common) });
  }
  return { regime, ...(intent.security === 'secure' && { secure: true }), roots };
}

/** What stage 2 maps below stage 1: all of its output, and its tables. Rights and memory types are stage 1's. */
function identity(lines: readonly Wanted[], { granule }: Common): Wanted[] {
  const page = BYTES_OF[granule]!;
  const outputs = lines.map(({ first, last, want }) => ({
    first: ((first + want.outputOffset!) / page) * page,
    last: ((last + want.outputOffset!) / page) * page + page - 1n,
  }));
  const merged: { first: bigint; last: bigint }[] = [];
  for (const one of [...outputs, TABLES].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    const before = merged.at(-1);
    if (before === undefined || one.first > before.last + 1n) merged.push({ ...one });
    else if (one.last > before.last) before.last = one.last;
  }
  const all = { read: true, write: true, execute: true };
  const want = { state: 'mapped', outputOffset: 0n, privileged: all, unprivileged: all } as const;
  // Of two shareabilities the wider one counts, so stage 2 has the narrowest; with LPA2 it can't choose.
  const wide = merged.some(({ last }) => last >> BigInt(NARROW) > 0n) && granule !== '64K';
  const shareability = wide ? {} : ({ shareability: 'non' } as const);
  return merged.map((range) => ({ line: 0, ...range, want: { ...want, ...shareability } }));
}

function requestOf(lines: readonly Wanted[], maker: Maker, common: Common, upper = false): object {
  const { source, granule, types, intent } = common;
  const pgsize = maker.sizes[granule];
  if (pgsize === undefined) throw usageError(`${source}: ${maker.format} has no ${granule} pages`);
  const memory = maker.prots === 'stage 1' ? types : undefined;
  const long = maker.sizes === LONG_SIZES;
  const contiguous = long && lines.some(({ want }) => want.contiguous);
  const inputs = inputBits(lines, maker, upper);
  const outputs = bitsOf(lines.map(({ last, want }) => last + want.outputOffset!));
  const wide = long && Math.max(inputs, outputs) > NARROW;
  const lpa2 = wide && granule !== '64K';
  const ias = wide ? WIDE : inputs > maker.ias ? maker.input : maker.ias;
  const quirks = [...(maker.quirks ?? []), ...(upper ? ['arm_ttbr1'] : [])];
  const features = [
    ...(contiguous ? ['contiguous'] : []),
    ...(lpa2 ? ['lpa2'] : []),
    ...(maker.prots === 'stage 2' && lines.some(({ want }) => executesApart(want)) ? ['xnx'] : []),
  ];
  return {
    format: maker.format,
    config: {
      pgsize_bitmap: hex(sizesFor(lines, contiguous ? pgsize + RUNS[granule]! : pgsize, contiguous)),
      ias,
      oas: wide ? WIDE : maker.oas,
      ...(quirks.length > 0 && { quirks }),
      ...(features.length > 0 && { features }),
      ...(memory && { mair: hex(memory.mair) }),
      ...(maker.regime !== undefined && { regime: maker.regime }),
    },
    ops: lines.map(({ first, last, want }) => ({
      op: 'map',
      iova: hex(upper || first < UPPER_HALF ? first : BigInt.asUintN(ias, first)),
      paddr: hex(first + want.outputOffset!),
      size: hex(last - first + 1n),
      prot: protOf(want, lpa2 ? { ...maker, oneShareability: true } : maker, memory, intent.security),
    })),
  };
}

/** The input bits that lines need. Where one table holds both halves (RISC-V), the highest one is the sign. */
function inputBits(lines: readonly Wanted[], { signed }: Maker, upper: boolean): number {
  if (upper) return bitsOf(lines.map(({ first }) => 2n ** 64n - 1n - first));
  const bits = lines.map(({ first, last }) => (first < UPPER_HALF ? last : 2n ** 64n - 1n - first));
  return bitsOf(bits) + (signed ? 1 : 0);
}

function bitsOf(addresses: readonly bigint[]): number {
  const highest = addresses.reduce((most, one) => (one > most ? one : most), 0n);
  return highest.toString(2).length;
}

/** Where all lines say how large leaves are, no others are made. */
function sizesFor(lines: readonly Wanted[], all: bigint, contiguous: boolean): bigint {
  const asked = new Set(lines.map(({ want }) => want.leafSize));
  if (contiguous || asked.has(undefined) || asked.size === 0) return all;
  const smallest = all & -all;
  return [...asked].reduce<bigint>((sizes, size) => sizes | (all & (size ?? 0n)), smallest);
}

/** An intention as a map request: the JSON that makes tables for it. What a format can't express is left out, which a verification then tells. */
import type { MachineRegime } from '../../arch/regimes.ts';
import { hex } from '../../text/numbers.ts';
import type { Intent, IntentLine, WantedMemory, WantedRights, WantedTerms } from '../../verify/intent.ts';
import { usageError } from '../io.ts';

/** What makes the tables of a regime. */
interface Maker {
  readonly format: string;
  /** Address sizes in bits, of the input at most. */
  readonly ias: number;
  readonly oas: number;
  readonly regime?: string;
  /** Its accesses are Secure. */
  readonly secure?: true;
  /** What its prots can say beyond Linux's flags. */
  readonly prots: 'stage 1' | 'stage 2' | 'flags';
  /** By granule. */
  readonly sizes: Readonly<Record<string, bigint>>;
}

const LONG_SIZES = { '4K': 0x4020_1000n, '16K': 0x200_4000n, '64K': 0x2001_0000n };
const LPAE_S1: Maker = { format: 'arm_64_lpae_s1', ias: 48, oas: 48, prots: 'stage 1', sizes: LONG_SIZES };
const LPAE_S2: Maker = { ...LPAE_S1, format: 'arm_64_lpae_s2', prots: 'stage 2' };
const PAGES_4K = { '4K': 0x4020_1000n };

const MAKERS: Readonly<Partial<Record<MachineRegime, Maker>>> = {
  'el1&0': LPAE_S1,
  'smmuv3-s1': LPAE_S1,
  el2: { ...LPAE_S1, regime: 'el2' },
  el3: { ...LPAE_S1, regime: 'el3', secure: true },
  'el1&0-s2': { ...LPAE_S2, ias: 40 },
  'smmuv3-s2': { ...LPAE_S2, ias: 40 },
  'pl1&0': { ...LPAE_S1, format: 'arm_32_lpae_s1', ias: 32, oas: 40, sizes: PAGES_4K },
  'pl1&0-s2': { ...LPAE_S2, format: 'arm_32_lpae_s2', ias: 40, oas: 40, sizes: PAGES_4K },
  'pl1&0-short': { format: 'arm_v7s', ias: 32, oas: 32, prots: 'flags', sizes: { '4K': 0x111_1000n } },
  mali: { format: 'arm_mali_lpae', ias: 48, oas: 40, prots: 'flags', sizes: { '4K': 0x20_1000n } },
  'riscv-iova': { format: 'riscv_64', ias: 39, oas: 56, prots: 'flags', sizes: PAGES_4K },
};

/** Runs of entries with the contiguous hint, as page sizes. (DDI 0487 D8.7.1.) */
const RUNS: Readonly<Record<string, bigint>> = { '4K': 0x201_0000n, '16K': 0x4020_0000n, '64K': 0x20_0000n };

/** Sizes of leaves that tell the granule. */
const GRANULE_OF: ReadonlyMap<bigint, string> = new Map([
  [0x4000n, '16K'],
  [0x200_0000n, '16K'],
  [0x1_0000n, '64K'],
  [0x2000_0000n, '64K'],
]);
const UPPER_HALF = 2n ** 63n;
/** Bits of input that AArch64 tables have at most without FEAT_LVA. */
const MOST_INPUT = 48;

/** Lines that ask for a leaf somewhere. */
type Wanted = IntentLine & { readonly want: { readonly state: 'mapped' } & WantedTerms };

/**
 * The request, as JSON.
 * @throws CliError (usage) for a regime that no format makes tables of, for lines that do not say where they lead, and for both halves of an
 * address space at once, which are two tables.
 */
export function requestOfIntent(intent: Intent, source: string): object {
  const [regime = 'el1&0'] = intent.regimes ?? [];
  const maker = MAKERS[regime];
  if (maker === undefined) {
    throw usageError(
      `${source}: no format makes tables of ${regime}`,
      `there are formats for ${Object.keys(MAKERS).join(', ')}`,
    );
  }
  const lines = intent.lines.filter((line): line is Wanted => line.want.state === 'mapped');
  const lost = lines.find(({ want }) => want.outputOffset === undefined);
  if (lost !== undefined) {
    throw usageError(
      `${source}: line ${lost.line}: where does ${hex(lost.first)} lead?`,
      '-> 0x8000_0000, or identity',
    );
  }
  const upper = lines.filter(({ first }) => first >= UPPER_HALF).length;
  if (upper > 0 && upper < lines.length) {
    throw usageError(
      `${source}: both halves of the address space are two tables`,
      'an intention for each of them makes one',
    );
  }
  const highest = upper > 0 ? 0n : lines.reduce((most, { last }) => (last > most ? last : most), 0n);
  const granule =
    lines.map(({ want }) => GRANULE_OF.get(want.leafSize ?? 0n)).find((one) => one !== undefined) ?? '4K';
  const pgsize = maker.sizes[granule];
  if (pgsize === undefined) throw usageError(`${source}: ${maker.format} has no ${granule} pages`);
  const memory = maker.prots === 'stage 1' ? new MemoryTypes() : undefined;
  const ops = lines.map((line) => opOf(line, maker, memory, intent));
  const contiguous = maker.sizes === LONG_SIZES && lines.some(({ want }) => want.contiguous);
  const features = [
    ...(contiguous ? ['contiguous'] : []),
    ...(maker.prots === 'stage 2' && lines.some(({ want }) => differs(want)) ? ['xnx'] : []),
  ];
  return {
    format: maker.format,
    config: {
      pgsize_bitmap: hex(sizesFor(lines, contiguous ? pgsize + RUNS[granule]! : pgsize, contiguous)),
      ias: maker.sizes === LONG_SIZES && highest >> BigInt(maker.ias) > 0n ? MOST_INPUT : maker.ias,
      oas: maker.oas,
      ...(upper > 0 && { quirks: ['arm_ttbr1'] }),
      ...(features.length > 0 && { features }),
      ...(memory && { mair: hex(memory.mair) }),
      ...(maker.regime !== undefined && { regime: maker.regime }),
    },
    ops,
  };
}

/** Where all lines say how large leaves are, no others are made. */
function sizesFor(lines: readonly Wanted[], all: bigint, contiguous: boolean): bigint {
  const asked = new Set(lines.map(({ want }) => want.leafSize));
  if (contiguous || asked.has(undefined) || asked.size === 0) return all;
  const smallest = all & -all;
  return [...asked].reduce<bigint>((sizes, size) => sizes | (all & (size ?? 0n)), smallest);
}

const differs = ({ privileged, unprivileged }: WantedTerms) =>
  unprivileged?.execute !== undefined && unprivileged.execute !== privileged?.execute;

function opOf(
  { first, last, want }: Wanted,
  maker: Maker,
  memory: MemoryTypes | undefined,
  intent: Intent,
): object {
  const prot = maker.prots === 'flags' ? flagsOf(want) : protOf(want, maker, memory, intent);
  const size = last - first + 1n;
  return { op: 'map', iova: hex(first), paddr: hex(first + want.outputOffset!), size: hex(size), prot };
}

const NO_RIGHTS: WantedRights = {};
/** What a line that says nothing of rights is given: those of data. */
const DATA: WantedRights = { read: true, write: true };

function rightsOf({ privileged, unprivileged }: WantedTerms): {
  readonly el1: WantedRights;
  readonly el0: WantedRights;
} {
  const el0 = unprivileged ?? NO_RIGHTS;
  return { el1: privileged ?? (unprivileged === undefined ? DATA : el0), el0 };
}

/** Linux's flags. */
function flagsOf(want: WantedTerms): object {
  const { el1, el0 } = rightsOf(want);
  const { memory } = want;
  return {
    ...accessOf(want),
    ...(!el1.execute && !el0.execute && { noexec: true }),
    ...(isCached(memory) && { cache: true }),
    ...(memory?.type === 'device' && { mmio: true }),
  };
}

function accessOf(want: WantedTerms): object {
  const { el1, el0 } = rightsOf(want);
  return {
    read: el1.read !== false,
    ...(el1.write && { write: true }),
    ...(!el0.read && !el0.write && { priv: true }),
  };
}

function isCached(memory: WantedMemory | undefined): boolean {
  return memory?.type !== 'device' && memory?.inner !== 'non-cacheable';
}

function protOf(want: WantedTerms, maker: Maker, types: MemoryTypes | undefined, intent: Intent): object {
  const { el1, el0 } = rightsOf(want);
  const both = maker.prots === 'stage 2' && want.unprivileged === undefined ? el1 : el0;
  const oneLevel = maker.regime !== undefined;
  const execute = el1.execute
    ? both.execute || oneLevel
      ? 'all'
      : 'privileged'
    : both.execute
      ? 'unprivileged'
      : 'none';
  const { memory, shareability } = want;
  const secure = maker.secure || intent.security === 'secure';
  const device = memory?.type === 'device';
  return {
    ...accessOf(want),
    execute,
    ...(types
      ? { mairIndex: types.indexOf(memory) }
      : device
        ? { device: memory.device ?? 'nGnRE' }
        : { cache: isCached(memory) }),
    shareability: shareability ?? (device ? 'outer' : 'inner'),
    ...(types && want.global !== undefined && !oneLevel && { global: want.global }),
    ...(types && secure && want.pas === 'non-secure' && { nonSecure: true }),
  };
}

const DEVICE_BYTES = { nGnRnE: 0x00, nGnRE: 0x04, nGRE: 0x08, GRE: 0x0c } as const;
/** Half a byte of MAIR: read and write allocate. */
const NIBBLES = {
  'non-cacheable': 0x4,
  'write-through': 0xb,
  'write-back': 0xf,
  'implementation-defined': 0xf,
} as const;
const TAGGED = 0xf0;

/** A MAIR with the types that lines ask for, each in a slot of its own. (DDI 0487 D24.2.110.) */
class MemoryTypes {
  readonly #bytes: number[] = [];

  indexOf(memory: WantedMemory | undefined): number {
    const byte = byteOf(memory ?? {});
    const known = this.#bytes.indexOf(byte);
    if (known >= 0) return known;
    this.#bytes.push(byte);
    if (this.#bytes.length > 8) throw usageError('MAIR has eight memory types, and there are more');
    return this.#bytes.length - 1;
  }

  get mair(): bigint {
    return this.#bytes.reduceRight((mair, byte) => mair * 256n + BigInt(byte), 0n);
  }
}

function byteOf({ type, device, inner, outer, tagged, attr }: WantedMemory): number {
  if (typeof attr === 'number') return attr;
  if (type === 'device') return DEVICE_BYTES[device ?? 'nGnRE'];
  if (tagged) return TAGGED;
  return NIBBLES[outer ?? 'write-back'] * 16 + NIBBLES[inner ?? 'write-back'];
}

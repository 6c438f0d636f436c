/**
 * The invalidations that entries need: TLBI instructions and SMMU commands, with their operands. (DDI 0487 D8.17.5.1 and
 * D8.17.5.2 for operands, D8.17.6 for stage 2's order; IHI 0070 4.4.1 to 4.4.3.)
 */
import { place } from '../arch/read.ts';
import { traitsOf } from '../arch/regimes.ts';
import { TLBI_IPA, TLBI_RANGE, TLBI_VA } from '../arch/registers/tlbi.ts';
import type { TlbiOperation } from '../tlb/index.ts';
import type { TableSpace } from './context.ts';
import type { CachedEntry } from './entry.ts';

/** One instruction. It has no operand if `operand` is absent. */
export interface NeededTlbi {
  readonly operation: TlbiOperation | 'DSB ISH';
  readonly operand?: bigint;
}

/** One command for an SMMU's queue, with its parameters by name. */
export interface NeededCommand {
  readonly command: string;
  readonly fields: Readonly<Record<string, bigint | number>>;
}

/** Input addresses whose entries have to go, and how to do it. */
export interface NeededInvalidation {
  /** First input address, and size in bytes. */
  readonly from: bigint;
  readonly size: bigint;
  /** Only blocks and pages have to go, so an operation for the last level is enough. */
  readonly leaf: boolean;
  /** For every ASID: they are global entries, or tables that hold some. */
  readonly global: boolean;
  /** For a PE, in order. */
  readonly tlbi: readonly NeededTlbi[];
  /** How many operations, one per leaf, are needed without FEAT_TLBIRANGE. 1 if `tlbi` is such an operation already. */
  readonly operations: number;
  /** For an SMMU, in order. */
  readonly commands: readonly NeededCommand[];
}

interface Range {
  from: number;
  end: number;
  leaves: number;
  leaf: boolean;
  global: boolean;
}

/** The invalidations that remove these entries from all TLBs: ranges in ascending order, neighbours joined. */
export function neededFor(entries: Iterable<CachedEntry>, space: TableSpace): NeededInvalidation[] {
  return rangesOf([...entries], space).map((range) => describe(range, space));
}

/** The invalidations of several steps as one list, neighbours joined. */
export function joinNeeded(needed: readonly NeededInvalidation[], space: TableSpace): NeededInvalidation[] {
  const ranges = needed.map(({ from, size, leaf, global, operations }): Range => {
    const start = Number(from - space.iaBase);
    return { from: start, end: start + Number(size), leaves: operations, leaf, global };
  });
  return join(ranges).map((range) => describe(range, space));
}

function describe(range: Range, space: TableSpace): NeededInvalidation {
  const { from, end, leaf, global, leaves } = range;
  return {
    from: space.iaBase + BigInt(from),
    size: BigInt(end - from),
    leaf,
    global,
    tlbi: instructions(range, space),
    operations: leaves,
    commands: commands(range, space),
  };
}

/** Any address below a table descriptor removes it. A single address is enough if none of its leaves has to go. */
function rangesOf(entries: CachedEntry[], space: TableSpace): Range[] {
  const granule = 2 ** space.granuleLog2;
  const leaves = entries.filter(({ kind }) => kind === 'leaf');
  const tables = entries.filter(({ kind }) => kind === 'table');
  const pieces: Range[] = leaves.map(({ ia, size, global }) => ({
    from: ia,
    end: ia + size,
    leaves: 1,
    leaf: true,
    global,
  }));
  const joined = join(pieces);
  for (const { ia, size } of tables) {
    // The ranges below this table descriptor.
    const below = joined.filter(({ from, end }) => from < ia + size && end > ia);
    for (const range of below) {
      range.leaf = false;
      // The first address of a block is not below a table that covers another part of it.
      if (ia > range.from) range.leaves++;
    }
    if (below.length === 0)
      pieces.push({ from: ia, end: ia + granule, leaves: 1, leaf: false, global: space.upper === true });
  }
  return join([...joined, ...pieces.filter(({ leaf }) => !leaf)]);
}

/** Sorts pieces by address, and joins those that touch or overlap and need the same. */
function join(pieces: readonly Range[]): Range[] {
  const joined: Range[] = [];
  let before: Range | undefined;
  for (const piece of [...pieces].sort((a, b) => a.from - b.from || b.end - a.end)) {
    const last = joined.at(-1);
    if (
      last === undefined ||
      piece.from > last.end ||
      piece.leaf !== last.leaf ||
      piece.global !== last.global
    ) {
      joined.push({ ...piece });
    } else {
      // One operation removes both copies of one entry.
      if (piece.from !== before?.from || piece.end !== before.end) last.leaves += piece.leaves;
      last.end = Math.max(last.end, piece.end);
    }
    before = piece;
  }
  return joined;
}

const DSB: NeededTlbi = { operation: 'DSB ISH' };

function instructions(range: Range, space: TableSpace): NeededTlbi[] {
  const { stage, regime } = space;
  const level = range.leaf ? 'L' : '';
  // E1 operations also apply to EL2&0 while it is current.
  const { el, unprivileged } = traitsOf(regime);
  const type = stage === 2 ? 'IPAS2' : range.global && unprivileged ? 'VAA' : 'VA';
  const name = `${type}${level}E${unprivileged ? 1 : el}IS`;
  const operand = range.leaves > 1 ? rangeOperand(range, space) : addressOperand(range, space);
  const own: NeededTlbi =
    operand === undefined
      ? { operation: everything(space) }
      : { operation: `${range.leaves > 1 ? 'R' : ''}${name}` as TlbiOperation, operand };
  if (stage === 1) return [own, DSB];
  // Combined entries are found by VA, which is not known here. They must go last, or they could be made again from stage 2 entries.
  return [own, DSB, { operation: 'VMALLE1IS' }, DSB];
}

function everything({ stage, regime }: TableSpace): TlbiOperation {
  const { el, unprivileged } = traitsOf(regime);
  if (!unprivileged) return el === 3 ? 'ALLE3IS' : 'ALLE2IS';
  return stage === 2 ? 'VMALLS12E1IS' : 'VMALLE1IS';
}

/** The ASID, if the operation has one. */
function asidBits({ global }: Range, space: TableSpace): bigint {
  const { stage, regime, asid } = space;
  const tagged = stage === 1 && traitsOf(regime).unprivileged && !global;
  return tagged ? place(TLBI_VA.fields.ASID, asid) : 0n;
}

/** VA or IPA, without a level hint (TTL), since not every PE supports it. */
function addressOperand(range: Range, space: TableSpace): bigint {
  const address = space.iaBase + BigInt(range.from);
  const field = space.stage === 2 ? TLBI_IPA.fields.IPA : TLBI_VA.fields.VA;
  return asidBits(range, space) | place(field, address >> BigInt(field.address ?? 0));
}

/** NUM and SCALE for the fewest granules that cover the range. (D8.17.5.2: (NUM + 1) * 2^(5 * SCALE + 1).) */
function rangeOperand(range: Range, space: TableSpace): bigint | undefined {
  const { granuleLog2, ds, iaBase } = space;
  const baseLog2 = ds ? 16 : granuleLog2;
  const first = Math.floor(range.from / 2 ** baseLog2) * 2 ** baseLog2;
  const granules = Math.ceil((range.end - first) / 2 ** granuleLog2);
  for (let scale = 0; scale < 4; scale++) {
    const unit = 2 ** (5 * scale + 1);
    const num = Math.ceil(granules / unit) - 1;
    if (num > 31) continue;
    const { TG, SCALE, NUM, BaseADDR } = TLBI_RANGE.fields;
    const tg = { 12: 1, 14: 2, 16: 3 }[granuleLog2];
    const base = (iaBase + BigInt(first)) >> BigInt(baseLog2);
    const size = place(TG, tg) | place(SCALE, scale) | place(NUM, num);
    return asidBits(range, space) | size | place(BaseADDR, base);
  }
  return undefined;
}

const SYNC: NeededCommand = { command: 'CMD_SYNC', fields: {} };

function commands(range: Range, space: TableSpace): NeededCommand[] {
  const { stage, vmid, combined } = space;
  const own = { command: commandName(range, space), fields: commandFields(range, space) };
  if (stage === 1 || !combined) return [own, SYNC];
  return [own, SYNC, { command: 'CMD_TLBI_NH_ALL', fields: { VMID: vmid } }, SYNC];
}

function commandName({ global }: Range, { stage, regime }: TableSpace): string {
  if (stage === 2) return 'CMD_TLBI_S2_IPA';
  const { el, unprivileged } = traitsOf(regime);
  if (!unprivileged) return `CMD_TLBI_EL${el}_VA`;
  const world = el === 2 ? 'EL2' : 'NH';
  return `CMD_TLBI_${world}_VA${global ? 'A' : ''}`;
}

/** With SMMU_IDR3.RIL a range is ((NUM + 1) * 2^SCALE) granules of TG. Without it, each leaf needs a command. */
function commandFields(range: Range, space: TableSpace): Record<string, bigint | number> {
  const { stage, regime, asid, vmid, iaBase, granuleLog2 } = space;
  const tags = {
    ...(traitsOf(regime).el === 1 && { VMID: vmid }),
    ...(stage === 1 && !range.global && traitsOf(regime).unprivileged && { ASID: asid }),
  };
  const fields = { ...tags, Addr: iaBase + BigInt(range.from), Leaf: range.leaf ? 1 : 0 };
  if (range.leaves === 1) return fields;
  const granules = (range.end - range.from) / 2 ** granuleLog2;
  let scale = 0;
  while (granules / 2 ** scale > 32) scale++;
  const tg = { 12: 1, 14: 2, 16: 3 }[granuleLog2];
  return { ...fields, TG: tg, SCALE: scale, NUM: Math.ceil(granules / 2 ** scale) - 1 };
}

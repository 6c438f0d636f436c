/** Checks a driver's operation with the hardware's view: the walker must see exactly what was mapped, with the requested rights, and nothing where it was unmapped. */
import type { Prot, TableFormat } from '../pagetable/format.ts';
import { hex } from '../text/numbers.ts';
import type { Translation, Walker, WalkResult } from '../walker/index.ts';

/** What the walker should see, and what it saw. */
export interface Disagreement {
  readonly want: string;
  readonly got: string;
}

const IOVA_END = 1n << 64n;

/** Where an address leads, whatever access is allowed: walks for a read, or for a write if only writing is allowed. */
export function walkAnyAccess(walker: Walker, iova: bigint): WalkResult {
  const read = walker.walk(iova, { access: 'read', trace: false });
  if (read.ok || read.fault.kind !== 'permission') return read;
  return walker.walk(iova, { access: 'write', trace: false });
}

/** One leaf or hole of a range: its first IOVA, and the walker's answer there. */
interface Part {
  readonly iova: bigint;
  readonly walk: WalkResult;
}

/**
 * Goes through `[iova, iova + size)` leaf by leaf and hole by hole. A translation fault stands for its whole entry, a fault without a level for the
 * largest entry, and a fault at an address outside the format's input range for all such addresses.
 */
function* partsOf(
  walker: Walker,
  { levels, firstIova, ias }: Pick<TableFormat, 'levels' | 'firstIova' | 'ias'>,
  iova: bigint,
  size: bigint,
): Generator<Part> {
  const end = iova + size < IOVA_END ? iova + size : IOVA_END;
  for (let at = iova; at < end; ) {
    const walk = walkAnyAccess(walker, at);
    yield { iova: at, walk };
    if (walk.ok) {
      at += walk.leafBase + walk.size - walk.pa;
    } else if (at < firstIova) {
      at = firstIova;
    } else if (at >= firstIova + (1n << BigInt(ias))) {
      return;
    } else {
      const { shift } = levels.find(({ level }) => level === walk.fault.level) ?? levels[0]!;
      at = ((at >> BigInt(shift)) + 1n) << BigInt(shift);
    }
  }
}

/** The first mismatch, if `[iova, iova + size)` does not lead to `pa` as `prot` asked. */
export function mappedOtherwise(
  walker: Walker,
  format: TableFormat,
  range: { readonly iova: bigint; readonly size: bigint; readonly pa: bigint; readonly prot: Prot },
): Disagreement | undefined {
  for (const { iova, walk } of partsOf(walker, format, range.iova, range.size)) {
    const pa = range.pa + (iova - range.iova);
    const want = `IOVA ${hex(iova)} leads to ${hex(pa)}`;
    if (!walk.ok) return { want, got: `a ${walk.fault.kind} fault at level ${walk.fault.level}` };
    if (walk.pa !== pa) return { want, got: `it leads to ${hex(walk.pa)}` };
    const problem = notAsAsked(walk, range.prot, format);
    if (problem !== undefined) return { want: `IOVA ${hex(iova)} as asked`, got: `it is ${problem}` };
  }
  return undefined;
}

/** The first mismatch, if any byte of `[iova, iova + size)` still leads somewhere. */
export function stillMapped(
  walker: Walker,
  format: TableFormat,
  iova: bigint,
  size: bigint,
): Disagreement | undefined {
  for (const part of partsOf(walker, format, iova, size)) {
    if (part.walk.ok)
      return { want: `IOVA ${hex(part.iova)} faults`, got: `it leads to ${hex(part.walk.pa)}` };
  }
  return undefined;
}

/** Everything that the walker says about a range, as lines to compare before and after a call that must change nothing. */
export function pictureOf(walker: Walker, format: TableFormat, iova: bigint, size: bigint): string[] {
  const lines: string[] = [];
  let hole = false;
  for (const { iova: at, walk } of partsOf(walker, format, iova, size)) {
    // A hole counts once, however many entries it consists of, because empty tables may come and go.
    if (walk.ok) lines.push(`IOVA ${hex(at)} leads to ${hex(walk.pa)}`);
    else if (!hole) lines.push(`IOVA ${hex(at)} faults`);
    hole = !walk.ok;
  }
  return lines;
}

/** The parts of a format that decide which requests of a prot its hardware can tell apart. */
type Speaker = Pick<TableFormat, 'name' | 'stage' | 'quirks'>;

/** What the walker must see. */
interface Wanted {
  readonly read: boolean;
  readonly write: boolean;
  /** Whether unprivileged accesses have the same rights. */
  readonly open: boolean;
  readonly noexec: boolean;
  readonly policy: string;
  readonly shareability: string;
}

/**
 * Stage 1 can't forbid reading, and stage 2 does not distinguish privilege (DDI 0487 D8.4). `no_perms` allows everything to everyone. A Mali GPU
 * has the permissions of stage 2 and no Device memory, and all memory outside it is outer shareable.
 */
function wantedOf(prot: Prot, { name, stage, quirks }: Speaker): Wanted {
  const mali = name === 'arm_mali_lpae';
  const free = quirks.includes('no_perms');
  const two = stage === 2 || mali;
  const cached = prot.cache === true && !prot.mmio;
  return {
    read: !two || prot.read === true,
    write: free || prot.write === true || (!two && !prot.read),
    open: two || free || !prot.priv,
    noexec: prot.noexec === true && !free,
    policy: cached ? 'write-back' : mali ? 'implementation-defined' : 'non-cacheable',
    shareability: cached && !mali ? 'inner' : 'outer',
  };
}

/** Where a translation differs from what `prot` asked: rights by privilege, memory type, shareability. */
export function notAsAsked(walk: Translation, prot: Prot, format: Speaker): string | undefined {
  const { privileged, unprivileged } = walk.permissions;
  const { read, write, open, noexec, policy, shareability } = wantedOf(prot, format);
  if (privileged.read !== read || privileged.write !== write)
    return 'of other rights for privileged accesses';
  if (unprivileged.read !== (read && open) || unprivileged.write !== (write && open)) {
    return 'of other rights for unprivileged accesses';
  }
  // Linux sets both stage-2 XN bits, which with FEAT_XNX still lets EL1 execute (DDI 0487 table D8-78).
  if (noexec && (unprivileged.execute || (format.stage === 1 && privileged.execute))) return 'executable';
  if (!noexec && open && !unprivileged.execute && read) return 'not executable';
  const type = prot.mmio && format.name !== 'arm_mali_lpae' ? 'device' : 'normal';
  if (walk.attributes.type !== type) return `${walk.attributes.type} memory`;
  if (walk.attributes.type === 'device') return undefined;
  const found = walk.attributes.inner.policy;
  if (found !== policy) return found;
  return walk.shareability === shareability ? undefined : `${walk.shareability} shareable`;
}

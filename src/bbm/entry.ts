/**
 * A descriptor at one place of a table tree that a TLB or walk cache may hold: while memory has it, and
 * after that until it is invalidated. (DDI 0487 D8.17 RRVJDB; IWZCBG: an entry that faults is never cached.)
 */

import { contiguousEntries } from '../arch/descriptors/index.ts';
import { traitsOf } from '../arch/regimes.ts';
import { defaultSecurity } from '../arch/security.ts';
import type { Tag } from '../tlb/index.ts';
import { entryLog2, type TableSpace } from './context.ts';
import { bbmFields, mayHaveXs } from './fields.ts';
import type { Form } from './step-scope.ts';

/** A table at a place where a walk may find it, through a table descriptor or the base register. */
export interface TableMount {
  /** PA and first input address as exact numbers. In an upper range, input addresses count from its start. */
  readonly base: number;
  readonly ia: number;
  readonly level: number;
  readonly entryCount: number;
  /** The table descriptors that lead here and are cached or in memory. Empty for the root. */
  readonly through: Set<CachedEntry>;
  /** Entries by index. */
  readonly held: Map<number, CachedEntry>;
  /** Whether a walk from the root gets here without a cache. Undefined while the table is being added. */
  live: boolean | undefined;
}

export interface CachedEntry {
  readonly kind: 'table' | 'leaf';
  readonly word: bigint;
  readonly level: number;
  /** First input address and size in bytes. In an upper range, addresses count from its start. */
  readonly ia: number;
  readonly size: number;
  /** What a TLB may cache it as: its contiguous run, or just itself. */
  readonly runIa: number;
  readonly runSize: number;
  readonly contiguous: boolean;
  readonly global: boolean;
  readonly pa: number;
  /** The next table, for a table descriptor. */
  readonly next: number;
  /** Index of the step that wrote it, or -1 if it was there before. */
  readonly step: number;
  /** How often the registers that its rights come from had been written before: an older entry has other rights. */
  readonly epoch: number;
  /** How a TLB may hold it once it is stale. */
  readonly forms: Set<Form>;
  mount: TableMount;
  child: TableMount | undefined;
  /** Whether it is in memory, in a table that a walk may reach. */
  present: boolean;
  live: boolean | undefined;
}

/** The entry for a word at a place, or undefined if hardware may not cache it. */
export function cachedEntry(
  space: TableSpace,
  mount: TableMount,
  index: number,
  word: bigint,
  { step, epoch }: Pick<CachedEntry, 'step' | 'epoch'>,
): CachedEntry | undefined {
  const { level } = mount;
  const { granuleLog2, stage } = space;
  const fields = bbmFields(word, { ...space, level, bbml: 0 });
  const { kind, accessFlag, oa } = fields;
  if (kind === 'invalid' || (kind === 'leaf' && !accessFlag && space.ha !== true)) return undefined;
  const size = 2 ** entryLog2(space, level);
  const ia = mount.ia + index * size;
  const entries = contiguousEntries(granuleLog2, level);
  const { contiguous } = fields;
  const runSize = contiguous ? size * entries : size;
  return {
    kind,
    word,
    level,
    ia,
    size,
    runIa: Math.floor(ia / runSize) * runSize,
    runSize,
    contiguous,
    global: fields.global && stage === 1,
    pa: mount.base + index * 8,
    next: kind === 'table' ? Number(oa) : 0,
    step,
    epoch,
    forms: new Set<Form>(space.combined ? ['own', 'combined'] : ['own']),
    mount,
    child: undefined,
    present: true,
    live: undefined,
  };
}

/** The tag by which an invalidation finds the entry. Tables are never global (RCHVGJ). */
export function tagOf({ kind, word, global, ia, size, level }: CachedEntry, space: TableSpace): Tag {
  const { stage, regime, vmid, asid, granuleLog2, iaBase } = space;
  const security = space.security ?? defaultSecurity(regime);
  const hasAsid = stage === 1 && traitsOf(regime).unprivileged;
  return {
    regime,
    security,
    ipas: stage === 2 && security === 'secure' ? (space.ipas ?? security) : undefined,
    holds: stage === 1 ? 'stage1' : 'stage2',
    vmid: traitsOf(regime).el === 1 ? vmid : undefined,
    asid: hasAsid && !(kind === 'leaf' && global) ? asid : undefined,
    from: iaBase + BigInt(ia),
    size: BigInt(size),
    granuleLog2,
    level,
    xs: kind === 'leaf' && mayHaveXs(word, space),
  };
}

/**
 * Granule protection checks: whether the granule protection table lets an access reach a physical address in its
 * address space. (FEAT_RME; DDI 0487 D9; J1.3 GranuleProtectionCheck, GPTWalk, GPICheck.)
 */
import {
  CONTIG_BITS,
  GPI,
  GPI_WIDTH,
  GPT_BLOCK,
  GPT_CONTIGUOUS,
  GPT_TABLE,
  GPT_TYPES,
  GRANULES_LOG2,
} from '../arch/descriptors/gpt.ts';
import { addressOf, read } from '../arch/read.ts';
import type { PaSpace, SecurityState } from '../arch/security.ts';
import { alignDown, lowBits, POW2, shiftRight } from './bits.ts';
import { type GptParams, isInWindow } from './params/granule-protection.ts';
import type { TableMemory } from './table-memory.ts';
import type { Fault, GpcKind } from './types.ts';
import { word64 } from './word.ts';

/** A check that failed. */
export interface GpcFault {
  readonly gpc: GpcKind;
  /** Level of the table, 0 or 1; 0 for a fault that follows from registers. */
  readonly gptLevel: 0 | 1;
  /** The GPI value of the granule, if the table has one. */
  readonly gpi?: number;
}

/** The table's entry for a granule. */
export interface GptEntry {
  readonly gpi: number;
  readonly level: 0 | 1;
  /** log2 of the bytes around the address with the same GPI: a block, a contiguous region, or a granule. */
  readonly sizeLog2: number;
  /** log2 of the bytes that the entry itself covers: a part of a contiguous region, or all 16 granules if they are equal. */
  readonly ownLog2: number;
}

/** A table of the granule protection table. */
export interface GptTable {
  readonly address: number;
  readonly level: 0 | 1;
}

/** A region that is marked contiguous and holds more than one GPI. */
export interface ContiguousRegion {
  readonly first: bigint;
  readonly last: bigint;
  /** -1: not valid. */
  readonly gpis: readonly number[];
}

/** Spaces that a GPI allows; for `nonSecureOnly` with a condition on the state. */
const SPACES: Readonly<Record<number, PaSpace>> = {
  [GPI.secure]: 'secure',
  [GPI.nonSecure]: 'non-secure',
  [GPI.nonSecureOnly]: 'non-secure',
  [GPI.root]: 'root',
  [GPI.realm]: 'realm',
};

/** Bits of an entry that belong to no field. */
const BLOCK_BITS = 8n;
const CONTIGUOUS_BITS = 10n;
/** A Granules descriptor in which every GPI is 1. */
const ALIKE = 0x1111_1111_1111_1111n;
const ENTRY_BYTES = 8;
const GRANULES = 2 ** GRANULES_LOG2;

const fault = (gpc: GpcKind, gptLevel: 0 | 1): GpcFault => ({ gpc, gptLevel });

/** The checks of accesses by one Security state. Every check reads the table: nothing is cached. */
export class GranuleProtection {
  /** @internal */
  readonly params: GptParams;
  readonly #memory: TableMemory;
  readonly #state: SecurityState;

  /** @internal @param memory - a separate port, since fetches of the table are not part of a walk. */
  constructor(memory: TableMemory, params: GptParams, state: SecurityState) {
    this.#memory = memory;
    this.params = params;
    this.#state = state;
  }

  /** The contents of a fault, if an access to `pa` in `space` is not allowed. */
  denial(pa: number, space: PaSpace): Partial<Fault> | undefined {
    const denied = this.check(pa, space);
    return denied && { ...denied, pa: BigInt(pa), paSpace: space };
  }

  /** GranuleProtectionCheck: undefined if an access to `pa` in `space` is allowed. */
  check(pa: number, space: PaSpace): GpcFault | undefined {
    const { params } = this;
    if (params.invalid) return fault('walk', 0);
    if (params.denied.includes(space)) return fault('fail', 0);
    if (this.#isBeyond(pa)) {
      return space === 'non-secure' || params.allBeyond ? undefined : fault('fail', 0);
    }
    if (isInWindow(params, pa)) return undefined;
    const entry = this.entryOf(pa);
    if ('gpc' in entry) return entry;
    if (isPermitted(space, entry.gpi, this.#state)) return undefined;
    return { gpc: 'fail', gptLevel: entry.level, gpi: entry.gpi };
  }

  /** GPTWalk, of an address below {@link GptParams.ppsLog2}: the table's entry for a granule, or why there is none. */
  entryOf(pa: number): GptEntry | GpcFault {
    const { params } = this;
    if (params.baseOutOfRange) return fault('address_size', 0);
    const { ppsLog2, l0Log2, tableBase } = params;
    const index = ppsLog2 <= l0Log2 ? 0 : shiftRight(pa, l0Log2);
    const entry = this.#fetch(tableBase + index * ENTRY_BYTES);
    if (entry === undefined) return fault('external', 0);
    const type = read(entry, GPT_BLOCK.fields.Type);
    if (type === GPT_TYPES.block) {
      const gpi = read(entry, GPT_BLOCK.fields.GPI);
      if (entry >> BLOCK_BITS !== 0n || !params.gpis.has(gpi)) return fault('walk', 0);
      return { gpi, level: 0, sizeLog2: l0Log2, ownLog2: l0Log2 };
    }
    if (type !== GPT_TYPES.table || !this.#isTable(entry)) return fault('walk', 0);
    const table = Number(addressOf(entry, GPT_TABLE.fields.NLTA));
    if (this.#isBeyond(table)) return fault('address_size', 0);
    return this.#levelOne(table, lowBits(pa, l0Log2));
  }

  /** GPTTableDescriptorValid: bits below the size of the table, and above 52, are zero. */
  #isTable(entry: bigint): boolean {
    const { NLTA, Type } = GPT_TABLE.fields;
    const address = addressOf(entry, NLTA);
    const rest = entry ^ address ^ BigInt(read(entry, Type));
    return rest === 0n && BigInt.asUintN(this.tableLog2, address) === 0n;
  }

  /** log2 of the bytes of a table of level 1. */
  get tableLog2(): number {
    const { l0Log2, granuleLog2 } = this.params;
    return l0Log2 - granuleLog2 - 1;
  }

  #levelOne(table: number, offset: number): GptEntry | GpcFault {
    const { granuleLog2, pairs } = this.params;
    const index = shiftRight(offset, granuleLog2 + GRANULES_LOG2);
    const address = table + index * ENTRY_BYTES;
    const entry = this.#fetch(address);
    if (entry === undefined) return fault('external', 1);
    if (pairs) {
      const aligned = alignDown(address, 4);
      const other = this.#fetch(aligned === address ? address + ENTRY_BYTES : aligned);
      if (other === undefined) return fault('external', 1);
      if (!this.#isLevelOne(other)) return fault('walk', 1);
    }
    if (!this.#isLevelOne(entry)) return fault('walk', 1);
    const { Type, GPI: own, Contig } = GPT_CONTIGUOUS.fields;
    if (read(entry, Type) === GPT_TYPES.contiguous) {
      const sizeLog2 = CONTIG_BITS[read(entry, Contig)] ?? granuleLog2;
      return { gpi: read(entry, own), level: 1, sizeLog2, ownLog2: granuleLog2 + GRANULES_LOG2 };
    }
    const gpi = gpiAt(entry, shiftRight(offset, granuleLog2) % GRANULES);
    const alike = entry === ALIKE * BigInt(gpi);
    const ownLog2 = alike ? granuleLog2 + GRANULES_LOG2 : granuleLog2;
    return { gpi, level: 1, sizeLog2: granuleLog2, ownLog2 };
  }

  /** The tables themselves: the level 0 table, and the level 1 tables that its entries lead to. */
  tables(): GptTable[] {
    const { ppsLog2, l0Log2, tableBase, invalid, baseOutOfRange } = this.params;
    if (invalid || baseOutOfRange) return [];
    const found: GptTable[] = [{ address: tableBase, level: 0 }];
    for (let index = 0; index < 2 ** Math.max(0, ppsLog2 - l0Log2); index++) {
      const entry = this.#fetch(tableBase + index * ENTRY_BYTES);
      if (entry === undefined || read(entry, GPT_BLOCK.fields.Type) !== GPT_TYPES.table) continue;
      if (this.#isTable(entry))
        found.push({ address: Number(addressOf(entry, GPT_TABLE.fields.NLTA)), level: 1 });
    }
    return found;
  }

  /** Regions marked contiguous whose entries differ: hardware may use any of them. (RSPLJH) */
  contiguousRegions(): ContiguousRegion[] {
    const { ppsLog2, l0Log2, granuleLog2, invalid, baseOutOfRange } = this.params;
    const found: ContiguousRegion[] = [];
    if (invalid || baseOutOfRange) return found;
    const end = POW2[ppsLog2]!;
    const step = POW2[granuleLog2 + GRANULES_LOG2]!;
    for (let pa = 0; pa < end; ) {
      const entry = this.entryOf(pa);
      const level = 'gpc' in entry ? entry.gptLevel : entry.level;
      if (level === 0) pa += POW2[l0Log2]!;
      else if ('gpc' in entry || entry.sizeLog2 === granuleLog2) pa += step;
      else {
        const first = alignDown(pa, entry.sizeLog2);
        const gpis = this.#gpisIn(first, POW2[entry.sizeLog2]!, step);
        const last = BigInt(first) + BigInt(POW2[entry.sizeLog2]!) - 1n;
        if (gpis.length > 1) found.push({ first: BigInt(first), last, gpis });
        pa = first + POW2[entry.sizeLog2]!;
      }
    }
    return found;
  }

  /** The different GPIs in the entries of a region. */
  #gpisIn(first: number, size: number, step: number): number[] {
    const found = new Set<number>();
    for (let pa = first; pa < first + size; ) {
      const entry = this.entryOf(pa);
      found.add('gpc' in entry ? -1 : entry.gpi);
      pa += 'gpc' in entry ? step : POW2[entry.ownLog2]!;
    }
    return [...found];
  }

  /** GPTLevel1EntryValid. */
  #isLevelOne(entry: bigint): boolean {
    const { gpis } = this.params;
    const { Type, GPI: own, Contig } = GPT_CONTIGUOUS.fields;
    if (read(entry, Type) === GPT_TYPES.contiguous) {
      return (
        entry >> CONTIGUOUS_BITS === 0n &&
        CONTIG_BITS[read(entry, Contig)] !== undefined &&
        gpis.has(read(entry, own))
      );
    }
    for (let granule = 0; granule < GRANULES; granule++) {
      if (!gpis.has(gpiAt(entry, granule))) return false;
    }
    return true;
  }

  /** AbovePPS. */
  #isBeyond(address: number): boolean {
    return address >= POW2[this.params.ppsLog2]!;
  }

  #fetch(address: number): bigint | undefined {
    return this.#memory.read64(address, false) ? word64(this.#memory.lo, this.#memory.hi) : undefined;
  }
}

function gpiAt(entry: bigint, granule: number): number {
  const low = granule * GPI_WIDTH;
  return read(entry, { low, high: low + GPI_WIDTH - 1 });
}

/** GPICheck. */
function isPermitted(space: PaSpace, gpi: number, state: SecurityState): boolean {
  if (gpi === GPI.any) return true;
  if (gpi === GPI.nonSecureOnly && state !== 'root' && state !== 'non-secure') return false;
  return SPACES[gpi] === space;
}

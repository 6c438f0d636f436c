/**
 * Granule protection checks: whether an access may go to a physical address in its address space, as the granule protection table
 * says. (FEAT_RME; DDI 0487 D9; J1.3 GranuleProtectionCheck, GPTWalk, GPICheck.)
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
  /** Level of the table, 0 or 1; 0 for what the registers say. */
  readonly gptLevel: 0 | 1;
  /** What the table says of the granule, where it says something: a GPI value. */
  readonly gpi?: number;
}

/** What the table says of a granule. */
export interface GptEntry {
  readonly gpi: number;
  readonly level: 0 | 1;
  /** log2 of the bytes around the address that one entry says it of: a block, a contiguous region, or a granule. */
  readonly sizeLog2: number;
  /** log2 of the bytes that the entry itself speaks for: of a contiguous region a part, of granules that are alike all 16. */
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

/** Spaces that a GPI lets an access into; of `nonSecureOnly` with a condition on the state. */
const SPACES: Readonly<Record<number, PaSpace>> = {
  [GPI.secure]: 'secure',
  [GPI.nonSecure]: 'non-secure',
  [GPI.nonSecureOnly]: 'non-secure',
  [GPI.root]: 'root',
  [GPI.realm]: 'realm',
};

/** Bits of an entry that no field takes. */
const BLOCK_BITS = 8n;
const CONTIGUOUS_BITS = 10n;
/** Each GPI of a Granules descriptor is 1. */
const ALIKE = 0x1111_1111_1111_1111n;
const ENTRY_BYTES = 8;
const GRANULES = 2 ** GRANULES_LOG2;

const fault = (gpc: GpcKind, gptLevel: 0 | 1): GpcFault => ({ gpc, gptLevel });

/** The checks of accesses by one Security state. The table is read at every check: nothing is remembered. */
export class GranuleProtection {
  /** @internal */
  readonly params: GptParams;
  readonly #memory: TableMemory;
  readonly #state: SecurityState;

  /** @internal @param memory - a port of its own: fetches of the table are no fetches of a walk. */
  constructor(memory: TableMemory, params: GptParams, state: SecurityState) {
    this.#memory = memory;
    this.params = params;
    this.#state = state;
  }

  /** What a fault says, where an access to `pa` in `space` may not go on. */
  denial(pa: number, space: PaSpace): Partial<Fault> | undefined {
    const denied = this.check(pa, space);
    return denied && { ...denied, pa: BigInt(pa), paSpace: space };
  }

  /** GranuleProtectionCheck: undefined where an access to `pa` in `space` may go on. */
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

  /** GPTWalk, of an address below {@link GptParams.ppsLog2}: what the table says of a granule, or why it says nothing. */
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

  /** The tables themselves: that of level 0, and those of level 1 that its entries lead to. */
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

  /** Regions marked contiguous whose entries do not say the same: hardware may take any of them. (RSPLJH) */
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

  /** What the entries of a region say, each GPI once. */
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

/**
 * The MMU of Mali GPUs (Midgard, Bifrost) with LPAE-like tables: four levels of 64-bit descriptors, a leaf being type 1 at
 * every level, permissions as at stage 2. Arm publishes no manual: the layout is the one that Linux's drivers program
 * (io-pgtable-arm.c ARM_MALI_LPAE, panfrost_regs.h AS_TRANSTAB and AS_MEMATTR).
 */
import { MALI_LEAF, MALI_TABLE } from '../../arch/descriptors/index.ts';
import { addressOf, highMask, lowMask, place, read, readLow, shiftOf } from '../../arch/read.ts';
import { AS_TRANSTAB, MALI_ATTRIBUTES, MALI_MEMORY_TYPE } from '../../arch/registers/other.ts';
import type { Cacheability, MemoryRegion, NormalMemory, Shareability } from '../attributes.ts';
import { lowBits, shiftRight } from '../bits.ts';
import type { Denial } from '../denial-causes.ts';
import type { InputAddress, S1Output, S1Request } from '../first-stage.ts';
import type { StageFault } from '../lookup.ts';
import { PR, PW, PX, requiredPermission, UR, UW, UX } from '../permissions.ts';
import { TRANSTAB_MODE } from '../rules/other.ts';
import type { TableMemory } from '../table-memory.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../table-tree.ts';
import type { WalkStep } from '../types.ts';
import { word64 } from '../word.ts';
import { fault, permissionFault, step } from './steps.ts';
import { INDEX_BITS, LAST_LEVEL, sizeOf, WideReader, wideTree } from './tables.ts';

const INPUT_BITS = 48;

const { fields: FIELDS } = MALI_LEAF;
const TYPE = lowMask(FIELDS.Type);
const TABLE = MALI_TABLE.fields.Type.fixed;
const LEAF = FIELDS.Type.fixed;
const ADDRESS_LOW = lowMask(FIELDS.BASE);
const ADDRESS_HIGH = highMask(FIELDS.BASE);
const ATTR_INDX = lowMask(FIELDS.AttrIndx);
const ATTR_INDX_SHIFT = shiftOf(FIELDS.AttrIndx);
const SH = lowMask(FIELDS['SH[1:0]']);
const SH_SHIFT = shiftOf(FIELDS['SH[1:0]']);
const READ = Number(place(FIELDS.AP, 0b01));
const WRITE = Number(place(FIELDS.AP, 0b10));
/** Only the upper bit of XN[1:0] counts. */
const XN = highMask({ high: FIELDS['XN[1:0]'].high, low: FIELDS['XN[1:0]'].high });

const CACHE: Cacheability = {
  policy: 'write-back',
  readAllocate: true,
  writeAllocate: true,
  transient: false,
};
const IMPLEMENTATION: Cacheability = {
  policy: 'implementation-defined',
  readAllocate: false,
  writeAllocate: false,
  transient: false,
};
const NONE: Cacheability = { ...IMPLEMENTATION, policy: 'non-cacheable' };

const NO_CACHE = 4;
const AS_IMPLEMENTED = 8;

/** A byte of AS_MEMATTR: the outer cache in its upper half (4 none, 8 as implemented), the GPU's own in its lower (8 as implemented, 13 and 15 allocate). */
function memattr(byte: number): NormalMemory {
  const { fields } = MALI_MEMORY_TYPE;
  const inner = readLow(byte, fields.inner) === AS_IMPLEMENTED ? IMPLEMENTATION : CACHE;
  const outer = readLow(byte, fields.outer) === NO_CACHE ? NONE : IMPLEMENTATION;
  return { type: 'normal', inner, outer, tagged: false, byte, xs: true };
}

const SHAREABILITY: readonly Shareability[] = ['non', 'non', 'outer', 'inner'];

/** AS_TRANSTAB: where the tables are, and whether they are walked. */
export function maliTables(transtab: bigint): { readonly base: number; readonly enabled: boolean } {
  const { BASE, MODE } = AS_TRANSTAB.fields;
  return {
    base: Number(addressOf(transtab, BASE)),
    enabled: !TRANSTAB_MODE.holds({ mode: read(transtab, MODE) }),
  };
}

/** AS_MEMATTR: attributes by AttrIndx + 8 * SH. */
export function maliRegions(attributes: bigint): MemoryRegion[] {
  const types = MALI_ATTRIBUTES.map((field) => Object.freeze(memattr(read(attributes, field))));
  return SHAREABILITY.flatMap((shareability) => types.map((type) => ({ attributes: type, shareability })));
}

/** One address space of the GPU: its translation table base (AS_TRANSTAB) and memory attributes (AS_MEMATTR). */
export class StageMali {
  readonly #memory: TableMemory;
  readonly #base: number;
  readonly #enabled: boolean;
  readonly #paBits: number;
  readonly #regions: readonly MemoryRegion[];

  /** @param paBits - output addresses that do not fit are an address size fault. */
  constructor(memory: TableMemory, transtab: bigint, attributes: bigint, paBits: number) {
    this.#memory = memory;
    this.#paBits = paBits;
    const { base, enabled } = maliTables(transtab);
    this.#base = base;
    this.#enabled = enabled;
    this.#regions = maliRegions(attributes);
  }

  trees(): TableTree[] {
    if (!this.#enabled) return [];
    const lastIa = (1n << BigInt(INPUT_BITS)) - 1n;
    const range = { startLevel: 0, base: this.#base, firstIa: 0n, lastIa, firstIndex: 0 };
    return [wideTree(this.#memory, range, new MaliReader(), this.#paBits)];
  }

  translate(ia: InputAddress, request: S1Request, steps: WalkStep[] | undefined): S1Output | StageFault {
    const address = ia.hi * 2 ** 32 + ia.lo;
    if (!this.#enabled || address >= 2 ** INPUT_BITS) {
      return { ok: false, fault: { kind: 'translation', level: 0, stage: 1 } };
    }
    let tableBase = this.#base;
    for (let level = 0; ; level++) {
      const sizeLog2 = sizeOf(level);
      const index = lowBits(shiftRight(address, sizeLog2), INDEX_BITS);
      const pa = tableBase + index * 8;
      const at = { level, tableBase, index, pa, sizeLog2 };
      if (!this.#memory.read64(pa, false)) {
        steps?.push(step(at, 'external_abort'));
        return fault('external_walk', at, undefined, pa);
      }
      const { lo, hi } = this.#memory;
      const word = word64(lo, hi);
      const kind = kindOf(lo, level);
      const output = outputOf(lo, hi);
      if (kind === ENTRY_KINDS.table) {
        steps?.push(step(at, 'table', word, output));
        if (output >= 2 ** this.#paBits) return fault('address_size', at, word);
        tableBase = output;
        continue;
      }
      if (kind !== ENTRY_KINDS.leaf) {
        steps?.push(step(at, 'invalid', word));
        return fault('translation', at, word);
      }
      const base = output - lowBits(output, sizeLog2);
      steps?.push(step(at, level === LAST_LEVEL ? 'page' : 'block', word, base));
      if (base + 2 ** sizeLog2 > 2 ** this.#paBits) return fault('address_size', at, word);
      const permissions =
        (lo & READ ? PR | UR : 0) | (lo & WRITE ? PW | UW : 0) | (lo & READ && !(hi & XN) ? PX | UX : 0);
      if ((permissions & requiredPermission(request.access, request.privileged)) === 0) {
        return permissionFault(at, word, denied(lo, hi, level, request));
      }
      return {
        ok: true,
        oa: base + lowBits(address, sizeLog2),
        level,
        sizeLog2,
        permissions,
        region: this.#regions[((lo & ATTR_INDX) >>> ATTR_INDX_SHIFT) + ((lo & SH) >>> SH_SHIFT) * 8]!,
        global: true,
        contiguous: false,
        nT: false,
        guarded: false,
        space: 'non-secure',
      };
    }
  }
}

/** Each field that is enough to deny the access. What executes has to be readable. */
function denied(lo: number, hi: number, level: number, { access }: S1Request): Omit<Denial, 'stage'>[] {
  const needed = access === 'write' ? WRITE : READ;
  const value = readLow(lo, FIELDS.AP);
  return [
    ...(lo & needed ? [] : [{ by: 'AP[1:0]', level, value } as const]),
    ...(access === 'execute' && hi & XN ? [{ by: 'XN[1]', level, value: 1 } as const] : []),
  ];
}

function kindOf(lo: number, level: number): number {
  if ((lo & TYPE) === TABLE && level < LAST_LEVEL) return ENTRY_KINDS.table;
  return (lo & TYPE) === LEAF ? ENTRY_KINDS.leaf : ENTRY_KINDS.invalid;
}

function outputOf(lo: number, hi: number): number {
  return (hi & ADDRESS_HIGH) * 2 ** 32 + ((lo & ADDRESS_LOW) >>> 0);
}

class MaliReader extends WideReader {
  override readonly format = 'mali';

  override decode(entry: TableEntry): void {
    const { lo, hi, level } = entry;
    entry.kind = kindOf(lo, level);
    entry.sizeLog2 = sizeOf(level);
    const output = entry.kind === ENTRY_KINDS.invalid ? 0 : outputOf(lo, hi);
    entry.output = entry.kind === ENTRY_KINDS.leaf ? output - lowBits(output, entry.sizeLog2) : output;
    entry.attributesLo = lo & ~ADDRESS_LOW;
    entry.attributesHi = (hi & ~ADDRESS_HIGH) >>> 0;
  }
}

/**
 * The MMU of RISC-V with Sv39, Sv48 or Sv57, Svnapot and Svpbmt; steps are numbered as the manual numbers them. (RISC-V Privileged
 * Architecture 1.13: "satp", "sstatus", "Virtual Address Translation Process", "Sv39", "Sv48", "Sv57", "Svnapot", "Svpbmt", "Svade".)
 *
 * Levels have Arm's numbers: the manual's i is 3 - level here. An access that says `pan` is made with SUM = 0. Page faults are
 * told apart by their reason; the manual's access fault is `external_walk` or `address_size`.
 */
import { RISCV_LEAF, RISCV_RESERVED } from '../../arch/descriptors/index.ts';
import { addressOf, highMask, isSet, lowMask, read, shiftOf } from '../../arch/read.ts';
import { SATP } from '../../arch/registers/other.ts';
import { SSTATUS } from '../../arch/registers/riscv.ts';
import { decodeMairByte, type MemoryRegion, type Shareability } from '../attributes.ts';
import { alignDown, lowBits, POW2, shiftRight } from '../bits.ts';
import type { Denial } from '../denial-causes.ts';
import type { InputAddress, S1Output, S1Request } from '../first-stage.ts';
import type { StageFault } from '../lookup.ts';
import { ALL_PERMISSIONS, PR, PW, PX, requiredPermission, UR, UW, UX } from '../permissions.ts';
import { MODE_BARE, START_LEVELS } from '../rules/other.ts';
import type { TableMemory } from '../table-memory.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../table-tree.ts';
import type { WalkStep } from '../types.ts';
import { word64 } from '../word.ts';
import { fault, permissionFault, step } from './steps.ts';
import { INDEX_BITS, LAST_LEVEL, PAGE_LOG2, sizeOf, WideReader, wideTree } from './tables.ts';

const NAPOT_64K_LOG2 = 16;

const { fields: FIELDS } = RISCV_LEAF;
/** PTE bits in the lower half. */
const V = lowMask(FIELDS.V);
const R = lowMask(FIELDS.R);
const W = lowMask(FIELDS.W);
const X = lowMask(FIELDS.X);
const U = lowMask(FIELDS.U);
const G = lowMask(FIELDS.G);
const A = lowMask(FIELDS.A);
const D = lowMask(FIELDS.D);
/** In the upper half. */
const N = highMask(FIELDS.N);
const PBMT_SHIFT = shiftOf(FIELDS.PBMT);
const PBMT = highMask(FIELDS.PBMT);
const PBMT_RESERVED = 3;
const RESERVED = highMask(RISCV_RESERVED);
/** The page number: its lower part is all above PPN_SHIFT. */
const PPN_SHIFT = shiftOf(FIELDS.PPN);
const PPN_LOW = lowMask(FIELDS.PPN);
const PPN_HIGH = highMask(FIELDS.PPN);
/** The lowest bits of a page number in a range. */
const RANGE_PAGES = 2 ** (FIELDS.RANGE.high - FIELDS.RANGE.low + 1);
const RANGE_64K = FIELDS.RANGE.fixed;

/** Memory types by their byte in MAIR. */
function region(byte: number, shareability: Shareability): MemoryRegion {
  return { attributes: Object.freeze(decodeMairByte(byte, { mte: false, xs: false })), shareability };
}

/** By PBMT. PMA is what the platform says of the address, taken as main memory that caches keep coherent; NC; IO. */
const REGIONS = [region(0xff, 'inner'), region(0x44, 'outer'), region(0x04, 'outer')] as const;

/** satp: where the tables are, whether there are any, and the level they start at (undefined for a mode that no hart takes). */
export function riscvTables(satp: bigint): {
  readonly base: number;
  readonly bare: boolean;
  readonly startLevel: number | undefined;
} {
  const { MODE, PPN } = SATP.fields;
  const mode = read(satp, MODE);
  return {
    base: Number(addressOf(satp, PPN)),
    bare: mode === MODE_BARE,
    startLevel: START_LEVELS[mode],
  };
}

/** The parameters of a walk. `unsigned`: the input has as many bits as the tables translate, and zeros above. */
export interface RiscvRegisters {
  readonly satp: bigint;
  readonly sstatus: bigint;
  readonly unsigned: boolean;
}

/** One address space of a hart, as satp describes it. */
export class StageRiscv {
  readonly #memory: TableMemory;
  readonly #base: number;
  /** The format has 56 PA bits. A machine implements what its memory needs, here at most 52. */
  readonly #paBits: number;
  readonly #bare: boolean;
  /** Undefined for a mode that is reserved or not implemented, which a hart would not accept. */
  readonly #startLevel: number | undefined;
  readonly #unsigned: boolean;
  readonly #sum: boolean;
  readonly #mxr: boolean;

  constructor(memory: TableMemory, { satp, sstatus, unsigned }: RiscvRegisters, paBits: number) {
    const { base, bare, startLevel } = riscvTables(satp);
    this.#unsigned = unsigned;
    this.#sum = isSet(sstatus, SSTATUS.fields.SUM);
    this.#mxr = isSet(sstatus, SSTATUS.fields.MXR);
    this.#memory = memory;
    this.#paBits = paBits;
    this.#base = base;
    this.#bare = bare;
    this.#startLevel = startLevel;
  }

  trees(): TableTree[] {
    const start = this.#startLevel;
    if (this.#bare || start === undefined) return [];
    const bits = sizeOf(start) + INDEX_BITS;
    const tree = (firstIa: bigint, lastIa: bigint, firstIndex: number) => {
      const range = { startLevel: start, base: this.#base, firstIa, lastIa, firstIndex };
      return wideTree(this.#memory, range, new RiscvReader(), this.#paBits);
    };
    if (this.#unsigned) return [tree(0n, (1n << BigInt(bits)) - 1n, 0)];
    // The lower half of the root serves the addresses from 0 on, the upper one the last.
    const half = 1n << BigInt(bits - 1);
    return [tree(0n, half - 1n, 0), tree(ADDRESSES - half, ADDRESSES - 1n, 2 ** (INDEX_BITS - 1))];
  }

  translate(ia: InputAddress, request: S1Request, steps: WalkStep[] | undefined): S1Output | StageFault {
    if (this.#bare) return bare(ia, this.#paBits);
    const start = this.#startLevel;
    const page = start === undefined ? undefined : this.#pageOf(ia, sizeOf(start) + INDEX_BITS);
    if (start === undefined || page === undefined) {
      return { ok: false, fault: { kind: 'translation', level: start ?? 0, stage: 1 } };
    }
    const inPage = lowBits(ia.lo, PAGE_LOG2);
    // Step 1: the root, at the highest level.
    let tableBase = this.#base;
    let global = false;
    for (let level = start; ; level++) {
      // Step 2: the entry of this level's VPN.
      const sizeLog2 = sizeOf(level);
      const index = lowBits(shiftRight(page, sizeLog2), INDEX_BITS);
      const pa = tableBase + index * 8;
      const at = { level, tableBase, index, pa, sizeLog2 };
      if (!this.#memory.read64(pa, false)) {
        steps?.push(step(at, 'external_abort'));
        return fault('external_walk', at, undefined, pa);
      }
      const { lo, hi } = this.#memory;
      const word = word64(lo, hi);
      const output = pageNumber(lo, hi) * 2 ** PAGE_LOG2;
      // Step 3: not valid, or with reserved bits or values.
      const kind = kindOf(lo, hi, level);
      // Step 4: a pointer leads down, and below the last level there is nothing. G of a pointer is for all below it.
      global ||= (lo & G) !== 0;
      if (kind === ENTRY_KINDS.table) {
        steps?.push(step(at, 'table', word, output));
        tableBase = output;
        continue;
      }
      if (kind !== ENTRY_KINDS.leaf) {
        steps?.push(step(at, 'invalid', word));
        return fault('translation', at, word);
      }
      // Svnapot: in a 64K range, the low bits of PPN give its length, and those of VPN replace them.
      const leaf = { ...at, sizeLog2: hi & N ? NAPOT_64K_LOG2 : sizeLog2 };
      const base = alignDown(output, leaf.sizeLog2);
      steps?.push(step(leaf, level === LAST_LEVEL ? 'page' : 'block', word, base));
      // Steps 6 and 7: who may use the page, and for which accesses.
      const permissions = this.#permissions(lo, request);
      if ((permissions & requiredPermission(request.access, request.privileged)) === 0) {
        return permissionFault(leaf, word, this.#denied(lo, level, request));
      }
      // Step 8, as Svade has it: hardware sets neither A nor D.
      if (!(lo & A) || (request.access === 'write' && !(lo & D))) return fault('access_flag', leaf, word);
      if (base >= 2 ** this.#paBits) return fault('address_size', leaf, word);
      // Step 9.
      const oa = base + lowBits(page, leaf.sizeLog2) + inPage;
      return outputOf(oa, level, leaf.sizeLog2, permissions, (hi & PBMT) >>> PBMT_SHIFT, global);
    }
  }

  /**
   * The page of an address within the bits that the tables translate, in bytes: a double holds no more of Sv57's. Undefined where
   * the bits above are not the sign's, or (of an unsigned input) not 0.
   */
  #pageOf({ lo, hi }: InputAddress, bits: number): number | undefined {
    const above = this.#unsigned ? hi >>> (bits - 32) : hi >> (bits - 33);
    if (above !== 0 && (this.#unsigned || above !== -1)) return undefined;
    return lowBits(hi, bits - 32) * POW2[32]! + alignDown(lo, PAGE_LOG2);
  }

  /** U pages are the user's; with SUM the supervisor reads and writes them, and never executes them. With MXR X is readable. */
  #permissions(lo: number, { pan, access }: S1Request): number {
    const readable = lo & R || (this.#mxr && lo & X);
    const supervisor = (readable ? PR : 0) | (lo & W ? PW : 0);
    if (!(lo & U)) return supervisor | (lo & X ? PX : 0);
    const user = (readable ? UR : 0) | (lo & W ? UW : 0) | (lo & X ? UX : 0);
    const reaches = this.#sum && !(pan && access !== 'execute');
    return reaches ? user | supervisor : user;
  }

  /** Each bit that is enough to deny the access. */
  #denied(lo: number, level: number, { access, privileged, pan }: S1Request): Omit<Denial, 'stage'>[] {
    const found: Omit<Denial, 'stage'>[] = [];
    if (access === 'write' && !(lo & W)) found.push({ by: 'W', level, value: 0 });
    if (access === 'execute' && !(lo & X)) found.push({ by: 'X', level, value: 0 });
    if (access === 'read' && !(lo & R)) {
      if (!(lo & X)) found.push({ by: 'R', level, value: 0 });
      else if (!this.#mxr) found.push({ by: 'MXR', level, value: 0 });
    }
    if (!privileged && !(lo & U)) found.push({ by: 'U', level, value: 0 });
    if (privileged && lo & U) {
      if (access === 'execute') found.push({ by: 'U', level, value: 1 });
      else if (pan || !this.#sum) found.push({ by: 'SUM', level, value: 0 });
    }
    return found;
  }
}

/** The number of addresses. */
const ADDRESSES = 1n << 64n;

/** Steps 3 to 5: what an entry is, once all that makes it reserved is ruled out. A superpage is aligned to its size. */
function kindOf(lo: number, hi: number, level: number): number {
  const isLeaf = (lo & (R | X)) !== 0;
  const legal = (lo & V) !== 0 && !(isLeaf ? reservedInLeaf(lo, hi, level) : reservedInPointer(lo, hi));
  if (!legal) return ENTRY_KINDS.invalid;
  if (!isLeaf) return level < LAST_LEVEL ? ENTRY_KINDS.table : ENTRY_KINDS.invalid;
  const misaligned = lowBits(pageNumber(lo, hi) * 2 ** PAGE_LOG2, sizeOf(level)) !== 0;
  return misaligned ? ENTRY_KINDS.invalid : ENTRY_KINDS.leaf;
}

class RiscvReader extends WideReader {
  override readonly format = 'riscv';

  override decode(entry: TableEntry): void {
    const { lo, hi, level } = entry;
    entry.kind = kindOf(lo, hi, level);
    const isLeaf = entry.kind === ENTRY_KINDS.leaf;
    const output = entry.kind === ENTRY_KINDS.invalid ? 0 : pageNumber(lo, hi) * 2 ** PAGE_LOG2;
    entry.sizeLog2 = isLeaf && hi & N ? NAPOT_64K_LOG2 : sizeOf(level);
    entry.output = isLeaf ? alignDown(output, entry.sizeLog2) : output;
    entry.attributesLo = lo & ~PPN_LOW;
    entry.attributesHi = (hi & ~PPN_HIGH) >>> 0;
  }
}

/** PPN, 44 bits. */
function pageNumber(lo: number, hi: number): number {
  return (hi & PPN_HIGH) * 2 ** (32 - PPN_SHIFT) + (lo >>> PPN_SHIFT);
}

/** W without R, memory type 3, bits [60:54], and what Svnapot leaves for other sizes. */
function reservedInLeaf(lo: number, hi: number, level: number): boolean {
  if (hi & RESERVED || (lo & (R | W)) === W || (hi & PBMT) >>> PBMT_SHIFT === PBMT_RESERVED) return true;
  // N exists only at the last level and only for 64K: PPN[3:0] = 0b1000.
  return (hi & N) !== 0 && (level < LAST_LEVEL || pageNumber(lo, hi) % RANGE_PAGES !== RANGE_64K);
}

/** A pointer uses only PPN, RSW and G. (W alone is no permission either: reserved.) */
function reservedInPointer(lo: number, hi: number): boolean {
  return (lo & (W | U | A | D)) !== 0 || (hi & (N | PBMT | RESERVED)) !== 0;
}

/** No translation and no protection. */
function bare({ lo, hi }: InputAddress, paBits: number): S1Output | StageFault {
  const address = hi * POW2[32]! + lo;
  if (address >= 2 ** paBits) return { ok: false, fault: { kind: 'address_size', level: 0, stage: 1 } };
  return outputOf(address, undefined, paBits, ALL_PERMISSIONS, 0, true);
}

function outputOf(
  oa: number,
  level: number | undefined,
  sizeLog2: number,
  permissions: number,
  pbmt: number,
  global: boolean,
): S1Output {
  const none = { contiguous: false, nT: false, guarded: false, space: 'non-secure' } as const;
  return { ok: true, oa, level, sizeLog2, permissions, region: REGIONS[pbmt]!, global, ...none };
}

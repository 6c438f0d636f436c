/**
 * Stage 1 with AArch32 short descriptors: two levels of 32-bit descriptors, domains, sections and supersections.
 * (DDI 0487 G5.4; J1.2 AArch32.S1TranslateSD, S1WalkSD, OutputDomain, S1SDHasPermissionsFault.)
 */
import { outputSpace, type PaSpace, type StageSecurity } from '../arch/security.ts';
import { lowBits, shiftRight } from './bits.ts';
import { shortDenials } from './denials.ts';
import {
  hasShortType,
  SECTION_LOG2,
  type ShortDescriptor,
  SMALL_LOG2,
  SUPERSECTION_LOG2,
  shortAddressBits,
  shortDescriptor,
} from './descriptor32.ts';
import type { InputAddress, S1Output, S1Request } from './first-stage.ts';
import type { GranuleProtection } from './granule-protection.ts';
import type { StageFault } from './lookup.ts';
import { type ShortParams, shortPermissions } from './params/short.ts';
import { ALL_PERMISSIONS, applyPan, PX, requiredPermission, UX } from './permissions.ts';
import type { Stage2 } from './stage2.ts';
import { tableRead } from './stage2-request.ts';
import type { TableMemory } from './table-memory.ts';
import {
  type DescriptorReader,
  ENTRY_KINDS,
  type TableEntry,
  TableTree,
  type TreeSpaces,
  unsigned64,
} from './table-tree.ts';
import type { Fault, FaultKind, WalkStep } from './types.ts';

/** Domain access types of DACR. The reserved 0b10 is treated as no access, one of the permitted choices. */
const CLIENT = 1;
const MANAGER = 3;
/** log2 of the entries of a level 2 table. */
const LEVEL_2_LOG2 = 8;

/** The state of one lookup. */
interface ShortLookup {
  readonly level: 1 | 2;
  readonly tableBase: number;
  readonly index: number;
}

/** Stage 1 of a PL1&0 regime with TTBCR.EAE = 0. */
export class Stage1Short {
  readonly #memory: TableMemory;
  readonly #params: ShortParams;
  readonly #stage2: Stage2 | undefined;
  readonly #gpc: GranuleProtection | undefined;

  constructor(memory: TableMemory, params: ShortParams, stage2: Stage2 | undefined, gpc?: GranuleProtection) {
    this.#gpc = gpc;
    this.#memory = memory;
    this.#params = params;
    this.#stage2 = stage2;
  }

  /** AArch32.S1TranslateSD, with stage 1 on. */
  translate(ia: InputAddress, request: S1Request, steps: WalkStep[] | undefined): S1Output | StageFault {
    const { n, inputBits } = this.#params;
    // TTBR0 if the top N bits are zero, else TTBR1, whose table always has 4096 entries.
    const lower = n === 0 || ia.lo >>> (32 - n) === 0;
    const table = lower ? this.#params.lower : this.#params.upper;
    if (ia.hi >= 2 ** (inputBits - 32) || table.disabled)
      return { ok: false, fault: { kind: 'translation', level: 1, stage: 1 } };

    const va = ia.lo;
    const first: ShortLookup = {
      level: 1,
      tableBase: table.base,
      index: ia.hi * 2 ** 12 + shiftRight(lower ? va % 2 ** (32 - n) : va, SECTION_LOG2),
    };
    const section = this.#fetch(first, request, steps);
    if ('ok' in section) return section;
    if (section.kind !== 'table') return this.#leaf(first, section, section, va, request);

    const second: ShortLookup = {
      level: 2,
      tableBase: section.output,
      index: lowBits(shiftRight(va, SMALL_LOG2), LEVEL_2_LOG2),
    };
    const page = this.#fetch(second, request, steps, section.domain);
    if ('ok' in page) return page;
    return this.#leaf(second, page, section, va, request);
  }

  /** The tables of TTBR0 and, if TTBCR.N divides the addresses, those of TTBR1. */
  trees(): TableTree[] {
    const { n, inputBits, lower, upper, bigEndian, mtk, security } = this.#params;
    const split = 2 ** (inputBits - n);
    const ranges = [
      { register: 'ttbr0', table: lower, first: 0, end: split, firstIndex: 0 },
      { register: 'ttbr1', table: upper, first: split, end: 2 ** 32, firstIndex: split / 2 ** 20 },
    ] as const;
    return ranges
      .filter(({ table, first, end }) => !table.disabled && end > first)
      .map(({ register, table, first, end, firstIndex }) => {
        const [firstIa, lastIa] = [unsigned64(first), unsigned64(end - 1)];
        const root = {
          stage: 1,
          register,
          startLevel: 1,
          base: table.base,
          firstIa,
          lastIa,
          firstIndex,
        } as const;
        const outputBits = 40;
        const addressOf = this.#stage2?.tableAddressOf();
        const spaces = treeSpaces(security);
        const reader = new ShortReader(bigEndian, mtk);
        return new TableTree(this.#memory, root, reader, { outputBits, addressOf, spaces });
      });
  }

  /** Reads one descriptor. Stage 2, if there is one, translates its address. An invalid descriptor is a fault. */
  #fetch(
    lookup: ShortLookup,
    request: S1Request,
    steps: WalkStep[] | undefined,
    domain?: number,
  ): ShortDescriptor | StageFault {
    const address = lookup.tableBase + lookup.index * 4;
    const { state } = this.#params.security;
    let pa = address;
    let space: PaSpace = state;
    if (this.#stage2 !== undefined) {
      const read = tableRead(lookup.level);
      const translated = this.#stage2.translate(address, state, read, request.update, steps);
      if (!translated.ok) return translated;
      pa = translated.oa;
      space = translated.space;
    }
    const denied = this.#gpc?.denial(pa, space);
    if (denied !== undefined) {
      steps?.push(step(lookup, undefined, 'granule_protection'));
      const { fault: found } = fault('granule_protection', lookup, undefined, domain);
      return { ok: false, fault: { ...found, ...denied } };
    }
    if (!this.#memory.read32(pa, this.#params.bigEndian)) {
      steps?.push(step(lookup, undefined));
      return fault('external_walk', lookup, undefined, domain, pa);
    }
    const descriptor = shortDescriptor(this.#memory.lo, lookup.level, this.#params.mtk);
    steps?.push(step(lookup, descriptor));
    return descriptor.kind === 'invalid' ? fault('translation', lookup, descriptor, domain) : descriptor;
  }

  /** Access flag, domain, permission: in this order. */
  #leaf(
    lookup: ShortLookup,
    leaf: ShortDescriptor,
    level1: ShortDescriptor,
    va: number,
    request: S1Request,
  ): S1Output | StageFault {
    const params = this.#params;
    // Domain, PXN and NS of a page are in the level 1 descriptor.
    const { domain, pxn, ns } = level1;
    // Supersections are in domain 0: their domain field holds address bits.
    const ownDomain = leaf.sizeLog2 === SUPERSECTION_LOG2 ? 0 : domain;
    if (params.afe && leaf.ap % 2 === 0) return fault('access_flag', lookup, leaf, ownDomain);
    const type = params.domains[ownDomain];
    if (type !== CLIENT && type !== MANAGER) return fault('domain', lookup, leaf, ownDomain);

    const space = outputSpace(params.security, { ns, nse: false, nsTable: false });
    let permissions = ALL_PERMISSIONS;
    if (type === CLIENT) {
      const own = shortPermissions(leaf.ap, leaf.xn, pxn, params);
      const pan = request.pan && request.access !== 'execute';
      permissions = pan ? applyPan(own, false) : own;
      const needed = requiredPermission(request.access, request.privileged);
      if ((permissions & needed) === 0) {
        const asked = { needed, pan, permissions: own, level: lookup.level, tables: 0 };
        const denied = shortDenials({ ap: leaf.ap, xn: leaf.xn, pxn }, params, asked);
        const { fault: found } = fault('permission', lookup, leaf, ownDomain);
        return { ok: false, fault: { ...found, denied } };
      }
    }
    if (params.security.ownCodeOnly && space !== params.security.state) {
      permissions &= ~(PX | UX);
      if (request.access === 'execute') return fault('permission', lookup, leaf, ownDomain);
    }
    return {
      ok: true,
      oa: leaf.output + (va % 2 ** leaf.sizeLog2),
      level: lookup.level,
      sizeLog2: leaf.sizeLog2,
      permissions,
      region: params.regions[leaf.texCb + (leaf.shareable ? 32 : 0)]!,
      global: !leaf.nonGlobal,
      contiguous: false,
      nT: false,
      guarded: false,
      space,
      domain: ownDomain,
    };
  }
}

/** All tables are in the state's own space. Level 2 does not know the NS of level 1, so pages are assumed to be in that space too. */
function treeSpaces({ state }: StageSecurity): TreeSpaces {
  return { root: state, below: () => state, output: () => state };
}

class ShortReader implements DescriptorReader {
  readonly format: 'short' | 'mtk';
  readonly granuleLog2 = 12;
  readonly lpa2 = false;
  readonly entryBytes = 4;
  readonly lastLevel = 2;
  readonly bigEndian: boolean;
  readonly #mtk: boolean;

  constructor(bigEndian: boolean, mtk: boolean) {
    this.bigEndian = bigEndian;
    this.#mtk = mtk;
    this.format = mtk ? 'mtk' : 'short';
  }

  decode(entry: TableEntry): void {
    const found = shortDescriptor(entry.lo, entry.level === 1 ? 1 : 2, this.#mtk);
    const { kind, output, sizeLog2 } = found;
    entry.kind = kind === 'table' || kind === 'invalid' ? ENTRY_KINDS[kind] : ENTRY_KINDS.leaf;
    entry.output = output;
    entry.sizeLog2 = sizeLog2;
    entry.attributesLo = (entry.lo & ~shortAddressBits(found, this.#mtk)) >>> 0;
    entry.attributesHi = 0;
  }

  /** Here, a run counts as a separate size. */
  isContiguous(): boolean {
    return false;
  }

  hasValidBit({ lo }: TableEntry): boolean {
    return hasShortType(lo);
  }

  entrySizeLog2(level: number): number {
    return level === 1 ? SECTION_LOG2 : SMALL_LOG2;
  }

  entryCount(): number {
    return 2 ** LEVEL_2_LOG2;
  }
}

function step(
  { level, tableBase, index }: ShortLookup,
  descriptor: ShortDescriptor | undefined,
  otherwise: WalkStep['kind'] = 'external_abort',
): WalkStep {
  const output = descriptor === undefined || descriptor.kind === 'invalid' ? undefined : descriptor.output;
  return {
    stage: 1,
    level,
    tableBase: BigInt(tableBase),
    index,
    address: BigInt(tableBase + index * 4),
    size: 1n << BigInt(descriptor?.sizeLog2 ?? (level === 1 ? SECTION_LOG2 : SMALL_LOG2)),
    kind: descriptor?.kind ?? otherwise,
    ...(descriptor !== undefined && { descriptor: BigInt(descriptor.word) }),
    ...(output !== undefined && { output: BigInt(output) }),
  };
}

function fault(
  kind: FaultKind,
  { level, tableBase, index }: ShortLookup,
  descriptor: ShortDescriptor | undefined,
  domain: number | undefined,
  fetchAddress?: number,
): StageFault {
  const found: Fault = {
    kind,
    level,
    stage: 1,
    descriptorAddress: BigInt(tableBase + index * 4),
    ...(descriptor !== undefined && { descriptor: BigInt(descriptor.word) }),
    ...(domain !== undefined && { domain }),
    ...(fetchAddress !== undefined && { fetchAddress: BigInt(fetchAddress) }),
  };
  return { ok: false, fault: found };
}

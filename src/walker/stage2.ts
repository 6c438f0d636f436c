/**
 * Stage 2: from an intermediate physical address to a physical address.
 * (DDI 0487 D8.2, D8.4; J1.1 AArch64.S2Translate, S2Walk; J1.2 AArch32.S2Translate, S2Walk.)
 */
import { combineStages, type MemoryRegion } from './attributes.ts';
import { POW2 } from './bits.ts';
import type { CpuFeatures } from './cpu.ts';
import { AF_BIT, entrySizeLog2, INVALID, isContiguous, isNT, LEAF, type Leaf } from './descriptor64.ts';
import { Lookup, type StageFault } from './lookup.ts';
import type { S2Params } from './params/params.ts';
import { PR, PW, s2Permissions } from './permissions.ts';
import type { TableMemory } from './table-memory.ts';
import { LongReader, type TableAddressOf, TableTree, unsigned64 } from './table-tree.ts';
import type { Fault, FaultKind, WalkStep } from './types.ts';

/** What stage 2 is asked: to translate a stage-1 output, or the address of a stage-1 descriptor. */
export interface S2Request {
  /** The permission bits needed, all of them. */
  readonly needed: number;
  /** The access writes: it may make the page dirty. */
  readonly write: boolean;
  /** The SMMU's or PE's own access to a descriptor (or context descriptor), which may be kept from Device memory. */
  readonly own: boolean;
  /** Set for the fetch or update of a stage-1 descriptor: its level. */
  readonly s1Level?: number;
}

/** A stage-2 translation, in numbers. */
export interface S2Output {
  readonly ok: true;
  readonly oa: number;
  readonly level: number;
  readonly sizeLog2: number;
  readonly permissions: number;
  readonly contiguous: boolean;
  readonly nT: boolean;
  /** MemAttr[3:0], SH at [5:4], FnXS at bit 6. */
  readonly attributeKey: number;
}

const S1_LEVELS = [-1, 0, 1, 2, 3];
const TABLE_READS: readonly S2Request[] = S1_LEVELS.map((s1Level) => ({
  needed: PR,
  write: false,
  own: true,
  s1Level,
}));
const TABLE_UPDATES: readonly S2Request[] = S1_LEVELS.map((s1Level) => ({
  needed: PR | PW,
  write: true,
  own: true,
  s1Level,
}));

/** The fetch of a stage-1 descriptor at a level: stage 2 must allow reading. */
export function tableRead(s1Level: number): S2Request {
  return TABLE_READS[s1Level + 1]!;
}

/** The hardware update of a stage-1 descriptor: stage 2 must allow writing too. */
export function tableUpdate(s1Level: number): S2Request {
  return TABLE_UPDATES[s1Level + 1]!;
}

/** Stage 2 of a regime. */
export class Stage2 {
  readonly #memory: TableMemory;
  readonly #params: S2Params;
  readonly #cpu: CpuFeatures;
  readonly #combined = new Map<MemoryRegion, (MemoryRegion | undefined)[]>();

  constructor(memory: TableMemory, params: S2Params, cpu: CpuFeatures) {
    this.#memory = memory;
    this.#params = params;
    this.#cpu = cpu;
  }

  /** Its parameters, where the fast path can walk its tables: little-endian ones. */
  get direct(): S2Params | undefined {
    return this.#params.bigEndian ? undefined : this.#params;
  }

  /** S2Translate. `ipa` is below 2^56. Hardware updates are written where `update`, steps pushed where `steps` is given. */
  translate(
    ipa: number,
    request: S2Request,
    update: boolean,
    steps: WalkStep[] | undefined,
  ): S2Output | StageFault {
    const params = this.#params;
    if (params.invalid || ipa >= POW2[params.iaBits]!) {
      return configurationFault('translation', params.configurationLevel, ipa, request);
    }
    if (params.baseOutOfRange) return configurationFault('address_size', 0, ipa, request);
    return this.#walk(ipa, request, update, steps);
  }

  /** Where the descriptors of stage 1 are, for tools that look at its tables: nothing is updated. */
  tableAddressOf(): TableAddressOf {
    return (ipa, level) => {
      const translated = this.translate(ipa, tableRead(level), false, undefined);
      return translated.ok ? translated.oa : undefined;
    };
  }

  /** Its tables, where its registers are good for any. */
  trees(): TableTree[] {
    const params = this.#params;
    if (params.invalid || params.baseOutOfRange) return [];
    const root = {
      stage: 2,
      register: 'vttbr',
      startLevel: params.startLevel,
      base: params.tableBase,
      firstIa: 0n,
      lastIa: unsigned64(POW2[params.iaBits]! - 1),
      firstIndex: 0,
    } as const;
    const options = { outputBits: params.oaBits };
    return [new TableTree(this.#memory, root, new LongReader(params), options)];
  }

  /** S2Walk. */
  #walk(
    ipa: number,
    request: S2Request,
    update: boolean,
    steps: WalkStep[] | undefined,
  ): S2Output | StageFault {
    const lookup = new Lookup(this.#params, ipa);
    for (;;) {
      const fetched = lookup.fetch(this.#memory, lookup.address);
      steps?.push(lookup.step(2, request.s1Level));
      if (!fetched) {
        const fetchAddress = BigInt(lookup.address);
        return lookup.fault('external_walk', 2, { ...cause(ipa, request), fetchAddress });
      }
      if (lookup.type === INVALID) return fault('translation', lookup, request);
      if (lookup.outputOutOfRange()) return fault('address_size', lookup, request);
      if (lookup.type === LEAF) return this.#leaf(lookup, request, update);
      lookup.descend();
    }
  }

  /** The end of S2Walk, S2CheckPermissions, and the hardware update. */
  #leaf(lookup: Lookup, request: S2Request, update: boolean): S2Output | StageFault {
    const params = this.#params;
    const { lo, hi } = lookup;
    const oa = lookup.outputAddress();
    // The size check is on the whole output address: untranslated input bits count too.
    if (oa >= POW2[params.oaBits]!) return fault('address_size', lookup, request);
    if ((lo & AF_BIT) === 0 && !params.ha && !params.affd) return fault('access_flag', lookup, request);

    // DBM (bit 51): writable, though not dirty yet.
    const dirtiable = params.hd && (hi & (1 << 19)) !== 0;
    const s2ap = ((lo >>> 6) & 3) | (dirtiable ? 2 : 0);
    const permissions = s2Permissions(s2ap, (hi >>> 21) & 3, this.#cpu, params.aarch32);
    const deviceTables = params.ptw && request.own && isDevice((lo >>> 2) & 0xf, params.fwb);
    if ((permissions & request.needed) !== request.needed || deviceTables) {
      return fault('permission', lookup, request);
    }
    if (update) this.#update(lookup, request.write && dirtiable);
    return s2Output(params, lookup, oa, permissions);
  }

  /** AArch64.SetAccessFlag and SetDirtyState: AF and S2AP[1] are written back where they change. */
  #update({ lo, hi, address }: Lookup, dirty: boolean): void {
    const updated = (lo | (this.#params.ha ? AF_BIT : 0) | (dirty ? 1 << 7 : 0)) >>> 0;
    if (updated !== lo) this.#memory.write64(address, updated, hi, this.#params.bigEndian);
  }

  /** The attributes of both stages, given stage 1's; each pair is combined once. */
  combine(s1: MemoryRegion, attributeKey: number): MemoryRegion {
    let row = this.#combined.get(s1);
    if (row === undefined) {
      row = new Array<MemoryRegion | undefined>(128);
      this.#combined.set(s1, row);
    }
    const known = row[attributeKey];
    if (known !== undefined) return known;
    const fields = {
      memAttr: attributeKey & 0xf,
      sh: (attributeKey >> 4) & 3,
      fnXs: attributeKey >> 6 === 1,
    };
    const controls = { fwb: this.#params.fwb, xs: this.#cpu.xs };
    const region = Object.freeze(combineStages(s1, fields, controls));
    row[attributeKey] = region;
    return region;
  }
}

/** What a leaf says once the access is allowed. */
export function s2Output(
  params: S2Params,
  { lo, hi, level }: Leaf,
  oa: number,
  permissions: number,
): S2Output {
  const sh = params.sh ?? (lo >>> 8) & 3;
  return {
    ok: true,
    oa,
    level,
    sizeLog2: entrySizeLog2(level, params),
    permissions,
    contiguous: isContiguous(hi, level, params),
    nT: isNT(lo, level, params),
    attributeKey: ((lo >>> 2) & 0xf) | (sh << 4) | (((lo >>> 11) & 1) << 6),
  };
}

function isDevice(memAttr: number, fwb: boolean): boolean {
  return fwb ? (memAttr & 4) === 0 : memAttr < 4;
}

/** What a stage-2 fault says of the request: the IPA, and the stage-1 level where it was a descriptor's address. */
function cause(ipa: number, request: S2Request): Partial<Fault> {
  const { s1Level, write } = request;
  if (s1Level === undefined) return { ipa: BigInt(ipa) };
  return { ipa: BigInt(ipa), ptw: true, s1Level, ...(write && { update: true }) };
}

function fault(kind: FaultKind, lookup: Lookup, request: S2Request): StageFault {
  return lookup.fault(kind, 2, cause(lookup.ia, request));
}

function configurationFault(kind: FaultKind, level: number, ipa: number, request: S2Request): StageFault {
  return { ok: false, fault: { kind, level, stage: 2, ...cause(ipa, request) } };
}

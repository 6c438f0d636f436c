/**
 * Stage 2: from an intermediate physical address to a physical address.
 * (DDI 0487 D8.2, D8.4; J1.1 AArch64.S2Translate, S2Walk; J1.2 AArch32.S2Translate, S2Walk.)
 */
import { STAGE2_LEAF } from '../arch/descriptors/index.ts';
import { highMask, lowMask, place, shiftOf } from '../arch/read.ts';
import { combineStages, type MemoryRegion } from './attributes.ts';
import { POW2 } from './bits.ts';
import type { CpuFeatures } from './cpu.ts';
import { s2Denials } from './denials.ts';
import { AF_BIT, entrySizeLog2, INVALID, isContiguous, isNT, LEAF, type Leaf } from './descriptor64.ts';
import { Lookup, type StageFault } from './lookup.ts';
import type { S2Params } from './params/params.ts';
import { effectiveXn, PR, PW, S2AP_WRITE, s2Permissions } from './permissions.ts';
import type { TableMemory } from './table-memory.ts';
import { LongReader, type TableAddressOf, TableTree, unsigned64 } from './table-tree.ts';
import type { Fault, FaultKind, WalkStep } from './types.ts';

const { fields: FIELDS } = STAGE2_LEAF;
const S2AP = lowMask(FIELDS.S2AP);
const S2AP_SHIFT = shiftOf(FIELDS.S2AP);
/** S2AP[1]. */
const DIRTY = Number(place(FIELDS.S2AP, S2AP_WRITE));
const MEM_ATTR = lowMask(FIELDS.MemAttr);
const MEM_ATTR_SHIFT = shiftOf(FIELDS.MemAttr);
const SH = lowMask(FIELDS['SH[1:0]']);
const SH_SHIFT = shiftOf(FIELDS['SH[1:0]']);
const FNXS = lowMask(FIELDS.FnXS);
const XN = highMask(FIELDS['XN[1:0]']);
const XN_SHIFT = shiftOf(FIELDS['XN[1:0]']);
const DBM = highMask(FIELDS.DBM);

/** How many values of MemAttr and of SH there are: an attribute key counts them. */
const MEM_ATTRS = 16;
const SHS = 4;

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
  /** MemAttr + 16 * SH + 64 * FnXS. */
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

    // DBM: writable, though not dirty yet.
    const dbm = (hi & DBM) !== 0;
    const dirtiable = params.hd && dbm;
    const s2ap = (lo & S2AP) >>> S2AP_SHIFT;
    const xn = (hi & XN) >>> XN_SHIFT;
    const effective = dirtiable ? s2ap | S2AP_WRITE : s2ap;
    const permissions = s2Permissions(effective, xn, this.#cpu, params.aarch32);
    const deviceTables =
      params.ptw && request.own && isDevice((lo & MEM_ATTR) >>> MEM_ATTR_SHIFT, params.fwb);
    if ((permissions & request.needed) !== request.needed || deviceTables) {
      const fields = { s2ap, xn: effectiveXn(xn, this.#cpu), dbm, level: lookup.level };
      const denied = s2Denials(fields, params, request.needed, deviceTables);
      return lookup.fault('permission', 2, { ...cause(lookup.ia, request), denied });
    }
    if (update) this.#update(lookup, request.write && dirtiable);
    return s2Output(params, lookup, oa, permissions);
  }

  /** AArch64.SetAccessFlag and SetDirtyState: AF and S2AP[1] are written back where they change. */
  #update({ lo, hi, address }: Lookup, dirty: boolean): void {
    const updated = (lo | (this.#params.ha ? AF_BIT : 0) | (dirty ? DIRTY : 0)) >>> 0;
    if (updated !== lo) this.#memory.write64(address, updated, hi, this.#params.bigEndian);
  }

  /** The attributes of both stages, given stage 1's; each pair is combined once. */
  combine(s1: MemoryRegion, attributeKey: number): MemoryRegion {
    let row = this.#combined.get(s1);
    if (row === undefined) {
      row = new Array<MemoryRegion | undefined>(MEM_ATTRS * SHS * 2);
      this.#combined.set(s1, row);
    }
    const known = row[attributeKey];
    if (known !== undefined) return known;
    const fields = {
      memAttr: attributeKey % MEM_ATTRS,
      sh: Math.floor(attributeKey / MEM_ATTRS) % SHS,
      fnXs: attributeKey >= MEM_ATTRS * SHS,
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
  const memAttr = (lo & MEM_ATTR) >>> MEM_ATTR_SHIFT;
  const sh = params.sh ?? (lo & SH) >>> SH_SHIFT;
  const fnXs = lo & FNXS ? 1 : 0;
  return {
    ok: true,
    oa,
    level,
    sizeLog2: entrySizeLog2(level, params),
    permissions,
    contiguous: isContiguous(hi, level, params),
    nT: isNT(lo, level, params),
    attributeKey: memAttr + MEM_ATTRS * (sh + SHS * fnXs),
  };
}

function isDevice(memAttr: number, fwb: boolean): boolean {
  // MemAttr[3:2] says so, or with FWB MemAttr[2] alone.
  return (fwb ? memAttr % 8 : memAttr) < 4;
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

/**
 * Stage 2: from an intermediate physical address to a physical address.
 * (DDI 0487 D8.2, D8.4; J1.1 AArch64.S2Translate, S2Walk; J1.2 AArch32.S2Translate, S2Walk.)
 */
import { featuresInUse, STAGE2_LEAF } from '../arch/descriptors/index.ts';
import { highMask, lowMask, place, shiftOf } from '../arch/read.ts';
import { NON_SECURE_STAGE2, type PaSpace } from '../arch/security.ts';
import type { MemoryRegion } from './attributes.ts';
import { POW2 } from './bits.ts';
import { combineStages } from './combine-stages.ts';
import type { CpuFeatures } from './cpu.ts';
import { AF_BIT, INVALID, LEAF } from './descriptor64.ts';
import type { GranuleProtection } from './granule-protection.ts';
import { LongReader } from './long-reader.ts';
import { Lookup, type StageFault } from './lookup.ts';
import type { S2Params } from './params/params.ts';
import { PX, S2AP_WRITE, UX } from './permissions.ts';
import { ATTRIBUTE_KEYS, attributesOfKey, type S2Output, s2LeafSpace, s2Output } from './stage2-output.ts';
import { S2PermissionTable } from './stage2-permissions.ts';
import { type S2Request, tableRead, type WalkAssurance } from './stage2-request.ts';
import type { TableMemory } from './table-memory.ts';
import { type TableAddressOf, TableTree, type TreeRoot, type TreeSpaces, unsigned64 } from './table-tree.ts';
import type { Fault, FaultKind, WalkStep } from './types.ts';

const { fields: FIELDS } = STAGE2_LEAF;
/** S2AP[1]. */
const DIRTY = Number(place(FIELDS.S2AP, S2AP_WRITE));
const MEM_ATTR = lowMask(FIELDS.MemAttr);
const MEM_ATTR_SHIFT = shiftOf(FIELDS.MemAttr);
const DBM = highMask(FIELDS.DBM);
const NS = highMask(FIELDS.NS);

const EXECUTES = PX | UX;

/** The address to translate, its IPA space, and the parameters that apply to it. */
interface S2Input {
  readonly ipa: number;
  readonly space: PaSpace;
  readonly params: S2Params;
}

/** Optional parts of a stage 2: Non-secure IPAs in Secure state, granule protection checks of its fetches. */
export interface MoreOfStage2 {
  readonly nonSecure?: S2Params | undefined;
  readonly gpc?: GranuleProtection | undefined;
}

/** Stage 2 of a regime. */
export class Stage2 {
  readonly #memory: TableMemory;
  readonly #params: S2Params;
  /** For Non-secure IPAs in Secure state, which has tables for both IPA spaces. */
  readonly #nonSecure: S2Params | undefined;
  readonly #gpc: GranuleProtection | undefined;
  readonly #cpu: CpuFeatures;
  readonly #permissions: S2PermissionTable;
  readonly #nonSecurePermissions: S2PermissionTable | undefined;
  readonly #combined = new Map<MemoryRegion, (MemoryRegion | undefined)[]>();

  constructor(memory: TableMemory, params: S2Params, cpu: CpuFeatures, more: MoreOfStage2 = {}) {
    this.#memory = memory;
    this.#params = params;
    this.#nonSecure = more.nonSecure;
    this.#gpc = more.gpc;
    this.#cpu = cpu;
    this.#permissions = new S2PermissionTable(params, cpu);
    this.#nonSecurePermissions = more.nonSecure && new S2PermissionTable(more.nonSecure, cpu);
  }

  /** Its parameters, if the fast path can walk its tables: little-endian, with direct permissions and no other checks. */
  get direct(): S2Params | undefined {
    const { bigEndian, security, haft, indirection, assuredOnly, gcsh } = this.#params;
    const simple = indirection === undefined && !haft && !assuredOnly && !gcsh;
    return bigEndian || security.choosesNs || !simple ? undefined : this.#params;
  }

  /**
   * How assured a walk of stage 1 is at its start, below TTBR0 or TTBR1. Undefined if nothing depends on it. `assurable`: TTBRs are registers,
   * or an SMMU has read them from AssuredOnly memory.
   */
  assuranceOf(upper: boolean, assurable: boolean): WalkAssurance | undefined {
    const { assuredOnly, tl0, tl1 } = this.#params;
    if (!assuredOnly && !tl0 && !tl1) return undefined;
    return { upper, top: true, assured: assurable && (upper ? tl1 : tl0) };
  }

  /**
   * S2Translate. `ipa` is below 2^56, in the IPA space `space`, which only matters in Secure state. Hardware updates are written
   * if `update`, and steps are pushed if `steps` is given.
   */
  translate(
    ipa: number,
    space: PaSpace,
    request: S2Request,
    update: boolean,
    steps: WalkStep[] | undefined,
  ): S2Output | StageFault {
    const params = space === 'non-secure' && this.#nonSecure !== undefined ? this.#nonSecure : this.#params;
    const from: S2Input = { ipa, space, params };
    if (params.invalid || ipa >= POW2[params.iaBits]!) {
      return configurationFault('translation', params.configurationLevel, from, request);
    }
    if (params.baseOutOfRange) return configurationFault('address_size', 0, from, request);
    return this.#walk(from, request, update, steps);
  }

  /** Translates addresses of stage-1 descriptors, for tools that read its tables. Nothing is updated. */
  tableAddressOf(): TableAddressOf {
    return (ipa, level, space) => {
      const translated = this.translate(ipa, space, tableRead(level), false, undefined);
      return translated.ok ? translated.oa : undefined;
    };
  }

  /** Its tables, if its registers fit any. */
  trees(): TableTree[] {
    const found: TableTree[] = [];
    const add = (params: S2Params, where: Pick<TreeRoot, 'register' | 'ipas'>): void => {
      if (!params.invalid && !params.baseOutOfRange) found.push(this.#tree(params, where));
    };
    if (this.#nonSecure === undefined) add(this.#params, { register: 'vttbr' });
    else {
      add(this.#params, { register: 'vsttbr', ipas: 'secure' });
      add(this.#nonSecure, { register: 'vttbr', ipas: 'non-secure' });
    }
    return found;
  }

  #tree(params: S2Params, where: Pick<TreeRoot, 'register' | 'ipas'>): TableTree {
    const root: TreeRoot = {
      stage: 2,
      ...where,
      startLevel: params.startLevel,
      base: params.tableBase,
      firstIa: 0n,
      lastIa: unsigned64(POW2[params.iaBits]! - 1),
      firstIndex: 0,
    };
    const { tables, choosesNs } = params.security;
    const place = {
      hwu: params.hwu,
      ...(choosesNs && ({ security: 'realm' } as const)),
      ...featuresInUse([
        params.indirection !== undefined && 'FEAT_S2PIE',
        params.overlays !== undefined && 'FEAT_S2POE',
        params.assuredOnly && 'FEAT_THE',
        params.haft && 'FEAT_HAFT',
      ]),
    };
    const spaces: TreeSpaces = {
      root: tables,
      below: () => tables,
      output: ({ hi }) => s2LeafSpace(params, hi),
    };
    const permissionRegisters = { s2pir: params.indirection?.register, s2por: params.overlays?.register };
    const options = { outputBits: params.oaBits, spaces, place, permissionRegisters };
    return new TableTree(this.#memory, root, new LongReader(params), options);
  }

  /** S2Walk. */
  #walk(
    from: S2Input,
    request: S2Request,
    update: boolean,
    steps: WalkStep[] | undefined,
  ): S2Output | StageFault {
    const lookup = new Lookup(from.params, from.ipa);
    for (;;) {
      const denied = this.#gpc?.denial(lookup.address, from.params.security.tables);
      if (denied !== undefined) {
        lookup.deny();
        steps?.push(lookup.step(2, request.s1Level));
        return lookup.fault('granule_protection', 2, { ...cause(from, request), ...denied });
      }
      const fetched = lookup.fetch(this.#memory, lookup.address);
      steps?.push(lookup.step(2, request.s1Level));
      if (!fetched) {
        const fetchAddress = BigInt(lookup.address);
        return lookup.fault('external_walk', 2, { ...cause(from, request), fetchAddress });
      }
      if (lookup.type === INVALID) return fault('translation', lookup, from, request);
      if (lookup.outputOutOfRange()) return fault('address_size', lookup, from, request);
      if (lookup.type === LEAF) return this.#leaf(from, lookup, request, update);
      if (from.params.haft && update) this.#setAccessFlag(from.params, lookup);
      lookup.descend();
    }
  }

  /** The end of S2Walk, S2CheckPermissions, and the hardware update. */
  #leaf(from: S2Input, lookup: Lookup, request: S2Request, update: boolean): S2Output | StageFault {
    const { params } = from;
    const { lo, hi } = lookup;
    const oa = lookup.outputAddress();
    // The size check is on the whole output address: untranslated input bits count too.
    if (oa >= POW2[params.oaBits]!) return fault('address_size', lookup, from, request);
    if ((lo & AF_BIT) === 0 && !params.ha && !params.affd) return fault('access_flag', lookup, from, request);

    const allowed = (params === this.#nonSecure && this.#nonSecurePermissions) || this.#permissions;
    const { needed, own } = request;
    // Realm state executes nothing from Non-secure memory, and has no tables of stage 1 there.
    const foreign = params.security.choosesNs && (hi & NS) !== 0 && (own || (needed & EXECUTES) !== 0);
    const device = params.ptw && own && isDevice((lo & MEM_ATTR) >>> MEM_ATTR_SHIFT, params.fwb);
    const enough = (allowed.rights(lookup, own) & needed) === needed;
    if (!enough || device || foreign || allowed.isForbidden(lookup, request)) {
      const denial = allowed.denialOf(lookup, request, { device, foreign }, this.#cpu);
      return lookup.fault('permission', 2, { ...cause(from, request), ...denial });
    }
    const dirty = request.write && params.hd && ((hi & DBM) !== 0 || params.indirection !== undefined);
    if (update) this.#update(params, lookup, dirty);
    const rights = allowed.rights(lookup, false);
    const permissions = params.security.choosesNs && (hi & NS) !== 0 ? rights & ~EXECUTES : rights;
    return s2Output(params, lookup, oa, permissions, allowed.isMostlyReadOnly(lookup));
  }

  /** AArch64.S2Walk with FEAT_HAFT: the access flag of a table descriptor. */
  #setAccessFlag(params: S2Params, { lo, hi, address }: Lookup): void {
    const updated = (lo | AF_BIT) >>> 0;
    if (updated !== lo) this.#memory.write64(address, updated, hi, params.bigEndian);
  }

  /** AArch64.SetAccessFlag and SetDirtyState: AF and S2AP[1] are written back if they change. */
  #update(params: S2Params, { lo, hi, address }: Lookup, dirty: boolean): void {
    const updated = (lo | (params.ha ? AF_BIT : 0) | (dirty ? DIRTY : 0)) >>> 0;
    if (updated !== lo) this.#memory.write64(address, updated, hi, params.bigEndian);
  }

  /** The attributes of both stages, given stage 1's; each pair is combined once. */
  combine(s1: MemoryRegion, attributeKey: number): MemoryRegion {
    let row = this.#combined.get(s1);
    if (row === undefined) {
      row = new Array<MemoryRegion | undefined>(ATTRIBUTE_KEYS);
      this.#combined.set(s1, row);
    }
    const known = row[attributeKey];
    if (known !== undefined) return known;
    const { fwb, tagPermissions } = this.#params;
    const controls = { fwb, xs: this.#cpu.xs, tagPermissions };
    const region = Object.freeze(combineStages(s1, attributesOfKey(attributeKey), controls));
    row[attributeKey] = region;
    return region;
  }
}

function isDevice(memAttr: number, fwb: boolean): boolean {
  // MemAttr[3:2] shows this, or with FWB only MemAttr[2].
  return (fwb ? memAttr % 8 : memAttr) < 4;
}

/** What a stage-2 fault records about the request: the IPA, and the stage-1 level if it was a descriptor's address. */
function cause({ ipa, space, params }: S2Input, request: S2Request): Partial<Fault> {
  const { s1Level, write } = request;
  const at = { ipa: BigInt(ipa), ...(params.security !== NON_SECURE_STAGE2 && { ipaSpace: space }) };
  if (s1Level === undefined) return at;
  return { ...at, ptw: true, s1Level, ...(write && { update: true }) };
}

function fault(kind: FaultKind, lookup: Lookup, from: S2Input, request: S2Request): StageFault {
  return lookup.fault(kind, 2, cause(from, request));
}

function configurationFault(kind: FaultKind, level: number, from: S2Input, request: S2Request): StageFault {
  return { ok: false, fault: { kind, level, stage: 2, ...cause(from, request) } };
}

/**
 * Stage 1 with 64-bit descriptors: from a virtual address to a physical or intermediate physical address.
 * (DDI 0487 D8.2, D8.4; J1.1 AArch64.S1Translate, S1Walk; J1.2 AArch32.S1TranslateLD, S1WalkLD.)
 */
import { featuresInUse, STAGE1_LEAF, TABLE_DESCRIPTOR } from '../arch/descriptors/index.ts';
import { highMask, lowMask, shiftOf } from '../arch/read.ts';
import type { PaSpace } from '../arch/security.ts';
import { POW2, shiftRight } from './bits.ts';
import { collectTable } from './denials.ts';
import { AF_BIT, entrySizeLog2, INVALID, LEAF } from './descriptor64.ts';
import type { InputAddress, S1Output, S1Request } from './first-stage.ts';
import type { GranuleProtection } from './granule-protection.ts';
import { LongReader } from './long-reader.ts';
import { Lookup, type StageFault } from './lookup.ts';
import type { S1Params } from './params/params.ts';
import { requiredPermission, TABLE_PERMISSIONS, TABLE_PERMISSIONS_SHIFT } from './permissions.ts';
import type { S1Ranges } from './ranges.ts';
import { leafSpace, s1Output, tableSpace, treeSpaces } from './stage1-output.ts';
import { isClean, s1Allows, s1DenialOf, s1Permissions } from './stage1-permissions.ts';
import type { Stage2 } from './stage2.ts';
import { tableRead, tableUpdate, type WalkAssurance } from './stage2-request.ts';
import type { TableMemory } from './table-memory.ts';
import { TableTree, unsigned64 } from './table-tree.ts';
import type { WalkStep } from './types.ts';

const { fields: FIELDS } = STAGE1_LEAF;
const AP = lowMask(FIELDS['AP[2:1]']);
const AP_SHIFT = shiftOf(FIELDS['AP[2:1]']);
const AP2 = lowMask(FIELDS['AP[2]']);
const PO_INDEX = highMask(FIELDS.POIndex);
const PO_INDEX_SHIFT = shiftOf(FIELDS.POIndex);
const PROTECTED = highMask(FIELDS.Protected);
const UXN = highMask(FIELDS.UXN);
const PXN = highMask(FIELDS.PXN);
const DBM = highMask(FIELDS.DBM);
const NS_TABLE = highMask(TABLE_DESCRIPTOR.fields.NSTable);

/** Features that change the meaning of descriptor bits. */
function stage1Features({ indirection, overlays, aie, pnch, haft }: S1Params): (string | false)[] {
  return [
    indirection !== undefined && 'FEAT_S1PIE',
    overlays !== undefined && 'FEAT_S1POE',
    aie && 'FEAT_AIE',
    pnch && 'FEAT_THE',
    haft && 'FEAT_HAFT',
  ];
}

/** The combined effect of the tables on the path to a leaf. */
interface TablesAbove {
  readonly tableBits: number;
  readonly tables: number;
  readonly nsTable: boolean;
  /** Whether the fetch of the leaf, and its content, are assured. */
  readonly assurance: WalkAssurance | undefined;
  readonly assured: boolean;
}

/** The place of a descriptor: its PA, the space of its address, and how far the walk was assured at that point. */
interface DescriptorLocation {
  readonly pa: number;
  readonly space: PaSpace;
  readonly assurance: WalkAssurance | undefined;
}

/** Stage 1 of a regime. `stage2`, if there is one, translates the addresses of its tables. */
export class Stage1 {
  readonly #memory: TableMemory;
  readonly #ranges: S1Ranges;
  readonly #stage2: Stage2 | undefined;
  readonly #gpc: GranuleProtection | undefined;
  readonly #assurable: boolean;

  /** @param more - granule protection checks; `assurable: false`: an SMMU did not find the tables' address in AssuredOnly memory. */
  constructor(
    memory: TableMemory,
    ranges: S1Ranges,
    stage2: Stage2 | undefined,
    more: { readonly gpc?: GranuleProtection | undefined; readonly assurable?: boolean } = {},
  ) {
    this.#gpc = more.gpc;
    this.#assurable = more.assurable ?? true;
    this.#memory = memory;
    this.#ranges = ranges;
    this.#stage2 = stage2;
  }

  /** S1Translate, with stage 1 on. */
  translate(ia: InputAddress, request: S1Request, steps: WalkStep[] | undefined): S1Output | StageFault {
    const range = this.#ranges.select(ia, request.access === 'execute');
    const outside = { kind: 'translation', level: this.#ranges.outOfRangeLevel, stage: 1 } as const;
    if (range === undefined) return { ok: false, fault: outside };
    const { params } = range;
    if (params.e0pd && !request.privileged) {
      const value = params === this.#ranges.spans[1]?.params ? 1 : 0;
      return { ok: false, fault: { ...outside, denied: [{ by: 'E0PD', stage: 1, value }] } };
    }
    if (params.configurationFault) return { ok: false, fault: { ...params.configurationFault, stage: 1 } };
    return this.#walk(params, range.ia, request, steps);
  }

  /** The tables of each range that has any. */
  trees(): TableTree[] {
    const enabled = this.#ranges.spans.filter(
      ({ params, first, end }) => !params.configurationFault && end > first,
    );
    return enabled.map(({ params, first, end, bias }) => {
      const root = {
        stage: 1,
        register: params === this.#ranges.spans[0]?.params ? 'ttbr0' : 'ttbr1',
        startLevel: params.startLevel,
        base: params.tableBase,
        firstIa: unsigned64(first),
        lastIa: unsigned64(end - 1),
        firstIndex: shiftRight(first - bias, entrySizeLog2(params.startLevel, params)),
      } as const;
      return new TableTree(this.#memory, root, new LongReader(params, !params.pnch), {
        outputBits: params.oaBits,
        permissionRegisters: { ...params.indirection, ...params.overlays },
        addressOf: this.#stage2?.tableAddressOf(),
        spaces: treeSpaces(params.security),
        place: {
          nv1: params.nv1,
          hierarchical: !params.hpd,
          hwu: params.hwu,
          ...featuresInUse(stage1Features(params)),
          ...(params.security.known && { security: params.security.state }),
        },
      });
    });
  }

  /** S1Walk. */
  #walk(
    params: S1Params,
    ia: number,
    request: S1Request,
    steps: WalkStep[] | undefined,
  ): S1Output | StageFault {
    const lookup = new Lookup(params, ia);
    let tableBits = 0;
    let tables = 0;
    let nsTable = params.security.nsRoot === true;
    const upper = params === this.#ranges.spans[1]?.params;
    let assurance = this.#stage2?.assuranceOf(upper, this.#assurable);
    for (;;) {
      let pa = lookup.address;
      const space = tableSpace(params.security, nsTable);
      let mostlyReadOnly = false;
      let paSpace = space;
      if (this.#stage2 !== undefined) {
        const read = tableRead(lookup.level, assurance);
        const translated = this.#stage2.translate(pa, space, read, request.update, steps);
        if (!translated.ok) return translated;
        pa = translated.oa;
        mostlyReadOnly = translated.mostlyReadOnly;
        paSpace = translated.space;
      }
      const denied = this.#gpc?.denial(pa, paSpace);
      if (denied !== undefined) {
        lookup.deny();
        steps?.push(lookup.step(1));
        return lookup.fault('granule_protection', 1, denied);
      }
      const fetched = lookup.fetch(this.#memory, pa);
      steps?.push(lookup.step(1));
      if (!fetched) return lookup.fault('external_walk', 1, { fetchAddress: BigInt(pa) });
      if (lookup.type === INVALID) return lookup.fault('translation', 1);
      if (lookup.outputOutOfRange()) return lookup.fault('address_size', 1);
      const assured =
        assurance?.assured === true && mostlyReadOnly && params.pnch && (lookup.hi & PROTECTED) !== 0;
      if (lookup.type === LEAF) {
        const above = { tableBits, tables, nsTable, assurance, assured };
        return this.#leaf(params, lookup, above, pa, request, steps);
      }
      if (params.haft && (lookup.lo & AF_BIT) === 0) {
        const updated = (lookup.lo | AF_BIT) >>> 0;
        const where = { pa, space, assurance };
        const fault = this.#write(params, lookup, updated, where, request.update, steps);
        if (fault !== undefined) return fault;
      }
      if (assurance !== undefined) assurance = { ...assurance, top: false, assured };
      // S1ApplyTablePerms: descriptor bits [62:59] accumulate.
      if (!params.hpd) {
        const bits = (lookup.hi & TABLE_PERMISSIONS) >>> TABLE_PERMISSIONS_SHIFT;
        tableBits |= bits;
        tables = collectTable(tables, lookup.level, bits);
      }
      // NSTable accumulates too, even if hierarchical permissions are disabled (DDI 0487 D8.4.6.1).
      if ((lookup.hi & NS_TABLE) !== 0) nsTable = true;
      lookup.descend();
    }
  }

  /** The end of S1Walk, S1CheckPermissions, and the hardware update. */
  #leaf(
    params: S1Params,
    lookup: Lookup,
    above: TablesAbove,
    pa: number,
    request: S1Request,
    steps: WalkStep[] | undefined,
  ): S1Output | StageFault {
    const { lo, hi } = lookup;
    const oa = lookup.outputAddress();
    // The size check is on the whole output address: untranslated input bits count too.
    if (oa >= POW2[params.oaBits]!) return lookup.fault('address_size', 1);
    if ((lo & AF_BIT) === 0 && !params.ha && !params.affd) return lookup.fault('access_flag', 1);

    const fields = {
      ap: (lo & AP) >>> AP_SHIFT,
      uxn: (hi & UXN) !== 0,
      pxn: (hi & PXN) !== 0,
      dbm: (hi & DBM) !== 0,
      table: above.tableBits,
      po: (hi & PO_INDEX) >>> PO_INDEX_SHIFT,
    };
    const { security } = params;
    const asked = {
      needed: requiredPermission(request.access, request.privileged, request.gcs),
      write: request.access === 'write',
      pan: request.pan && request.access !== 'execute',
      // S1DirectBasePermissions: nothing outside the state's own space is executable.
      foreign: security.ownCodeOnly && leafSpace(security, lo, above.nsTable) !== security.state,
    };
    const permissions = s1Permissions(this.#ranges, params, fields, asked);
    if (!s1Allows(permissions, asked, isClean(params, fields))) {
      const denial = { ...asked, level: lookup.level, tables: above.tables };
      return lookup.fault('permission', 1, s1DenialOf(this.#ranges, params, fields, denial));
    }
    const dirty = asked.write && params.hd && (fields.dbm || params.indirection !== undefined);
    const accessed = params.ha ? lo | AF_BIT : lo;
    const updated = (dirty ? accessed & ~AP2 : accessed) >>> 0;
    const where = { pa, space: tableSpace(security, above.nsTable), assurance: above.assurance };
    const fault = this.#write(params, lookup, updated, where, request.update, steps);
    return fault ?? s1Output(this.#ranges, params, lookup, oa, permissions, above.nsTable, above.assured);
  }

  /**
   * AArch64.SetAccessFlag and SetDirtyState: the low half of a descriptor that changes, with AF set or AP[2] cleared. Under stage 2
   * the address of that write is translated as well.
   */
  #write(
    params: S1Params,
    lookup: Lookup,
    updated: number,
    { pa, space, assurance }: DescriptorLocation,
    update: boolean,
    steps: WalkStep[] | undefined,
  ): StageFault | undefined {
    if (updated === lookup.lo) return undefined;
    const write = tableUpdate(lookup.level, assurance);
    const translated = this.#stage2?.translate(lookup.address, space, write, update, steps);
    if (translated?.ok === false) return translated;
    if (update) this.#memory.write64(pa, updated, lookup.hi, params.bigEndian);
    return undefined;
  }
}

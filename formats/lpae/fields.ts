/**
 * The fields of long descriptors, declared once: VMSAv8-64 (DDI 0487 D8.3.1, tables D8-50 to D8-55) and VMSAv8-32
 * (G5.5.2 and G5.5.3, DDI 0406C B3.6), for both stages and every granule. Encoding, decoding and drawing come from here.
 */
import { rowsFrom } from '../../src/descriptor/field.ts';
import type { DescriptorLayout, Field } from '../../src/descriptor/index.ts';

/** What determines the fields of a long descriptor. */
export interface LayoutContext {
  readonly stage: 1 | 2;
  /** 64: VMSAv8-64. 32: VMSAv8-32, whose addresses end at bit 39. */
  readonly width: 32 | 64;
  readonly granuleLog2: 12 | 14 | 16;
  /** The level, and log2 of what an entry there covers. */
  readonly level: number;
  readonly shift: number;
  /** TCR.DS: address bits up to 51. Bits [51:50] replace the shareability field (FEAT_LPA2). */
  readonly lpa2?: boolean;
  /** Permissions come from PIR and PIRE0, or S2PIR, by PIIndex (FEAT_S1PIE, FEAT_S2PIE). */
  readonly indirect?: boolean;
  /** Stage 1: POIndex chooses an overlay (FEAT_S1POE). */
  readonly overlays?: boolean;
  /** Stage 1: bit 59 chooses MAIR2 (FEAT_AIE). */
  readonly aie?: boolean;
  /** Table descriptors have an access flag (FEAT_HAFT). */
  readonly haft?: boolean;
}

const LEAF_REF = { 64: 'DDI 0487 D8.3.1.2', 32: 'DDI 0487 G5.5.3' } as const;
const TABLE_REF = { 64: 'DDI 0487 D8.3.1.1', 32: 'DDI 0487 G5.5.3.1' } as const;
const SH = { 0: 'non-shareable', 1: 'reserved', 2: 'outer shareable', 3: 'inner shareable' } as const;
const S1_AP = {
  0: 'read/write at EL1, no access at EL0',
  1: 'read/write at EL1 and EL0',
  2: 'read-only at EL1, no access at EL0',
  3: 'read-only at EL1 and EL0',
} as const;
const S2_AP = { 0: 'no access', 1: 'read-only', 2: 'write-only', 3: 'read/write' } as const;
const S2_XN = {
  0: 'executable',
  1: 'not executable at EL1',
  2: 'execute-never',
  3: 'not executable at EL0',
} as const;
const AP_TABLE = {
  0: 'no effect',
  1: 'no EL0 access below',
  2: 'no write below',
  3: 'no write and no EL0 access below',
} as const;
const MEM_ATTR = {
  0: 'Device-nGnRnE',
  1: 'Device-nGnRE',
  2: 'Device-nGRE',
  3: 'Device-GRE',
  5: 'Normal, outer and inner Non-cacheable',
  6: 'Normal, outer Non-cacheable, inner Write-Through',
  7: 'Normal, outer Non-cacheable, inner Write-Back',
  9: 'Normal, outer Write-Through, inner Non-cacheable',
  10: 'Normal, outer and inner Write-Through',
  11: 'Normal, outer Write-Through, inner Write-Back',
  13: 'Normal, outer Write-Back, inner Non-cacheable',
  14: 'Normal, outer Write-Back, inner Write-Through',
  15: 'Normal, outer and inner Write-Back',
} as const;
const NEVER = { 0: 'executable', 1: 'execute-never' } as const;

/** Bits from 50 (49 in a stage-1 leaf) down to 12: the address, and the RES0 bits around it. `low` is the address's lowest bit. */
function addressRows(context: LayoutContext, prefix: 'OA' | 'NLTA', low: number, reference: string): Field[] {
  const r = rowsFrom(reference);
  const what = prefix === 'OA' ? 'output address' : 'address of the next table';
  const top = context.width === 32 ? 39 : context.lpa2 ? 49 : 47;
  const guarded = prefix === 'OA' && context.stage === 1 && context.width === 64;
  const rows = guarded
    ? [r(50, 50, 'GP', 'field', 'guarded page: branches must land on BTI (FEAT_BTI)')]
    : [r(50, top + 1, '-', 'res0', 'above the address')];
  if (guarded && top < 49) rows.push(r(49, top + 1, '-', 'res0', 'above the address'));
  rows.push(r(top, low, `${prefix}[${top}:${low}]`, 'field', what, { address: low }));
  const moved = context.granuleLog2 === 16;
  const block = low > context.granuleLog2;
  let next = low - 1;
  if (block) {
    if (next >= 17) rows.push(r(next, 17, '-', 'res0', "inside the block's size"));
    rows.push(r(16, 16, 'nT', 'field', 'block entry that must not be cached in a TLB (FEAT_BBM level 1)'));
    next = 15;
  }
  if (moved) {
    rows.push(r(15, 12, `${prefix}[51:48]`, 'field', `${what}, above 48 bits (FEAT_LPA)`, { address: 48 }));
  } else if (next >= 12) {
    rows.push(r(next, 12, '-', 'res0', 'below the address'));
  }
  return rows;
}

/** Bits [63:59] of a table descriptor. Indirection, overlays and AIE switch the permissions of tables off (DDI 0487 D8.4.1.3, D8.4.1.4, D8.6.1). */
function tableRights({ stage, width, indirect, overlays, aie }: LayoutContext): Field[] {
  const r = rowsFrom(TABLE_REF[width]);
  if (stage === 2) return [r(63, 59, '-', 'res0', 'no table attributes at stage 2')];
  const rights =
    indirect || overlays || aie
      ? [r(62, 59, '-', 'ignored', 'permissions of tables are off')]
      : [
          r(62, 61, 'APTable', 'field', 'limits the access permissions below', { values: AP_TABLE }),
          r(60, 60, 'XNTable', 'field', 'execute-never below (UXNTable with two privilege levels)'),
          r(59, 59, 'PXNTable', 'field', 'privileged execute-never below'),
        ];
  return [r(63, 63, 'NSTable', 'field', 'the next table, and all below it, is Non-secure memory'), ...rights];
}

/** Bits [11:2] of a table descriptor. */
function tableLower({ width, lpa2, haft }: LayoutContext): Field[] {
  const r = rowsFrom(TABLE_REF[width]);
  const unused = (high: number, low: number) =>
    r(high, low, '-', 'ignored', 'not used in a table descriptor');
  const flag = haft ? [unused(11, 11), r(10, 10, 'AF', 'field', 'access flag (FEAT_HAFT)')] : undefined;
  if (!lpa2) return flag ? [...flag, unused(9, 2)] : [unused(11, 2)];
  const high = r(9, 8, 'NLTA[51:50]', 'field', 'address of the next table, above 50 bits (FEAT_LPA2)', {
    address: 50,
  });
  return [...(flag ?? [unused(11, 10)]), high, unused(7, 2)];
}

/** A table descriptor: where the next table lies, and what limits everything below it. */
function tableLayout(context: LayoutContext): DescriptorLayout {
  const r = rowsFrom(TABLE_REF[context.width]);
  return {
    title: titleOf(context, 'table'),
    kind: 'table',
    width: 64,
    fields: [
      ...tableRights(context),
      r(58, 56, '-', 'ignored', 'free for software'),
      r(55, 55, 'SYNC', 'software', "Linux: the entry was made visible to a walker that isn't coherent"),
      r(54, 51, '-', 'ignored', 'free for software'),
      ...addressRows(context, 'NLTA', context.granuleLog2, TABLE_REF[context.width]),
      ...tableLower(context),
      r(1, 1, 'Type', 'field', 'table', { fixed: 1 }),
      r(0, 0, 'Valid', 'field', 'valid', { fixed: 1 }),
    ],
  };
}

/** Bits [63:55] of a leaf. Overlays and AIE take the place of PBHA. */
function leafTop({ stage, width, overlays, aie }: LayoutContext): Field[] {
  const r = rowsFrom(LEAF_REF[width]);
  const none = (high: number, low: number) =>
    r(high, low, '-', 'ignored', 'no page-based hardware attributes');
  const [top, software] = [
    stage === 1
      ? r(63, 63, '-', 'ignored', 'not used without memory encryption contexts')
      : r(63, 63, '-', 'res0', 'not used without realms'),
    r(58, 55, '-', 'ignored', 'free for software'),
  ];
  if (!overlays && !aie) {
    return [top, r(62, 59, 'PBHA', 'field', 'page-based hardware attributes'), software];
  }
  return [
    top,
    overlays ? r(62, 60, 'POIndex', 'field', 'overlay permissions: which register field') : none(62, 60),
    aie ? r(59, 59, 'AttrIndx[3]', 'field', 'memory attribute: MAIR2 instead of MAIR') : none(59, 59),
    software,
  ];
}

/** Bits [54:53], 51 and [7:6] of a leaf: direct permissions, or PIIndex and the dirty state. */
function permissionRows({ stage, width, indirect }: LayoutContext) {
  const r = rowsFrom(LEAF_REF[width]);
  const index = (high: number, low: number, name: string) =>
    r(high, low, `PIIndex${name}`, 'field', 'indirect permissions');
  if (indirect) {
    const never = stage === 1 ? [index(54, 54, '[3]'), index(53, 53, '[2]')] : [index(54, 53, '[3:2]')];
    const state = stage === 1 ? r(7, 7, 'nDirty', 'field', 'not dirty') : r(7, 7, 'Dirty', 'field', 'dirty');
    return { never, modifier: index(51, 51, '[1]'), access: [state, index(6, 6, '[0]')] };
  }
  const modifier = r(51, 51, 'DBM', 'field', 'dirty bit modifier: hardware may make the entry writable');
  if (stage === 1) {
    const never = [
      r(54, 54, 'XN', 'field', 'execute-never (UXN: at EL0)', { values: NEVER }),
      r(53, 53, 'PXN', 'field', 'privileged execute-never', { values: NEVER }),
    ];
    const access = [r(7, 6, 'AP[2:1]', 'field', 'data access permissions', { values: S1_AP })];
    return { never, modifier, access };
  }
  const never = [
    r(54, 53, 'XN[1:0]', 'field', 'execute-never (bit 53 has effect with FEAT_XNX)', { values: S2_XN }),
  ];
  return {
    never,
    modifier,
    access: [r(7, 6, 'S2AP', 'field', 'data access permissions', { values: S2_AP })],
  };
}

/** A block (levels below 3) or page (level 3) descriptor. */
function leafLayout(context: LayoutContext): DescriptorLayout {
  const r = rowsFrom(LEAF_REF[context.width]);
  const kind = context.level === 3 ? 'page' : 'block';
  const { never, modifier, access } = permissionRows(context);
  const bits98 = context.lpa2
    ? r(9, 8, 'OA[51:50]', 'field', 'output address, above 50 bits (FEAT_LPA2)', { address: 50 })
    : r(9, 8, 'SH[1:0]', 'field', 'shareability', { values: SH });
  const bit11 =
    context.stage === 1
      ? r(11, 11, 'nG', 'field', 'not global', { values: { 0: 'global', 1: 'of one ASID' } })
      : r(11, 11, 'FnXS', 'field', 'clears the XS attribute (FEAT_XS)');
  const memory =
    context.stage === 1
      ? [
          r(5, 5, 'NS', 'field', 'the output address is in Non-secure memory'),
          r(4, 2, 'AttrIndx', 'field', 'memory attribute: the byte of MAIR'),
        ]
      : [r(5, 2, 'MemAttr', 'field', 'memory type and cacheability', { values: MEM_ATTR })];
  return {
    title: titleOf(context, kind),
    kind,
    width: 64,
    fields: [
      ...leafTop(context),
      ...never,
      r(52, 52, 'Contiguous', 'field', 'one of a run of entries that a TLB may hold as one'),
      modifier,
      ...addressRows(context, 'OA', context.shift, LEAF_REF[context.width]),
      bit11,
      r(10, 10, 'AF', 'field', 'access flag', { values: { 0: 'not accessed: faults', 1: 'accessed' } }),
      bits98,
      ...access,
      ...memory,
      r(1, 1, 'Type', 'field', kind, { fixed: kind === 'page' ? 1 : 0 }),
      r(0, 0, 'Valid', 'field', 'valid', { fixed: 1 }),
    ],
  };
}

/** An invalid descriptor: hardware only looks at bit 0 (at level 3, 0b01 is invalid too). */
function invalidLayout(context: LayoutContext): DescriptorLayout {
  const r = rowsFrom(context.width === 64 ? 'DDI 0487 D8.3.1.3' : 'DDI 0487 G5.5.2');
  return {
    title: titleOf(context, 'invalid'),
    kind: 'invalid',
    width: 64,
    fields: [
      r(63, 1, '-', 'ignored', 'free for software'),
      r(0, 0, 'Valid', 'field', 'not valid', { fixed: 0 }),
    ],
  };
}

const GRANULE = { 12: '4K', 14: '16K', 16: '64K' } as const;

function titleOf(context: LayoutContext, kind: string): string {
  return `stage ${context.stage} level ${context.level} ${kind}, ${GRANULE[context.granuleLog2]} granule`;
}

/** The declared fields of one kind of long descriptor. */
export function longDescriptor(kind: DescriptorLayout['kind'], context: LayoutContext): DescriptorLayout {
  if (kind === 'invalid') return invalidLayout(context);
  return kind === 'table' ? tableLayout(context) : leafLayout(context);
}

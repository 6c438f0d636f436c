/** Builds a long-descriptor format from a request, as Linux's arm_64_lpae_alloc_pgtable_s1 and _s2 do. */
import { fieldNamed } from '../../src/descriptor/codec.ts';
import { fieldMask } from '../../src/descriptor/field.ts';
import { type DescriptorLayout, encode, type Field } from '../../src/descriptor/index.ts';
import { FormatError } from '../../src/pagetable/errors.ts';
import type { Feature, FormatModule, FormatRequest, Quirk, TableFormat } from '../../src/pagetable/format.ts';
import { checkFeatures, checkLimits, checkQuirks, checkRequest } from '../common/request.ts';
import { LongEntryCodec, LongTracking, typeBits } from './codec.ts';
import { extendedOf } from './extended.ts';
import { type LayoutContext, longDescriptor } from './fields.ts';
import { concatenationOf, type Geometry, lpaeGeometry } from './geometry.ts';
import { LINUX_MAIR } from './mair.ts';
import { type ProtContext, protFields } from './prot.ts';
import { hasUnprivileged } from './regime.ts';
import { type HardwareUpdate, stage1Registers, stage2Registers } from './registers.ts';

/** How the long-descriptor formats differ. */
export interface LongFormatOptions {
  readonly name: string;
  readonly title: string;
  readonly stage: 1 | 2;
  /** 32: tables of an AArch32 regime, whose sizes are smaller. */
  readonly width: 32 | 64;
  readonly quirks: readonly Quirk[];
  readonly features: readonly Feature[];
  /** The regime's limits on page sizes and address bits, if they are tighter than the granule's. */
  readonly limits?: { readonly sizes: bigint; readonly ias: number; readonly oas: number };
}

/** A format module of this family. */
export function longFormat(options: LongFormatOptions): FormatModule {
  const { name, title, stage, features } = options;
  return { name, title, stage, features, configure: (request) => configureLong(options, request) };
}

/** Codes of TCR.TG0, TCR.TG1 and VTCR.TG0 by granule: they differ (DDI 0487 D24.2.186). */
const TG0 = { 12: 0, 14: 2, 16: 1 } as const;
const TG1 = { 12: 2, 14: 1, 16: 3 } as const;
const SH = { outer: 2, inner: 3 } as const;
const RGN = { noncacheable: 0, writeBack: 1 } as const;
/** Three bits of T0SZ leave AArch32 at least 25 bits of input (DDI 0487 G5.5.1). */
const LEAST_AARCH32_INPUT = 25;

/** @throws FormatError when Linux would refuse the request, with the reason. */
function configureLong(options: LongFormatOptions, request: FormatRequest): TableFormat {
  const { name, stage, width } = options;
  const { coherentWalk = true, quirks = [] } = request;
  checkRequest(request, stage === 1 ? ['granule', 'regime'] : ['granule']);
  checkQuirks(name, options.quirks, request);
  checkFeatures(name, options.features, request, stage);
  if (coherentWalk && quirks.includes('arm_outer_wbwa')) {
    throw new FormatError(
      'arm_outer_wbwa lets a walker that is not coherent use the outer cache; it needs coherentWalk: false',
    );
  }
  checkRegime(options, request);
  const geometry = lpaeGeometry(withinLimits(options, request), stage);
  const { granuleLog2, levels } = geometry;

  const settings = settingsOf(request, stage, width);
  const { lpa2, update, extended } = settings;
  const indirect = extended.indirection !== undefined || extended.s2pir !== undefined;
  const overlays = extended.overlays !== undefined;
  const context = (level: number): LayoutContext => ({
    stage,
    width,
    granuleLog2,
    level,
    shift: granuleLog2 + (3 - level) * (granuleLog2 - 3),
    lpa2,
    indirect,
    overlays,
    aie: extended.mair2 !== undefined,
    haft: extended.haft,
  });
  const layout: TableFormat['layout'] = (kind, level) => longDescriptor(kind, context(level));
  const leafLayout = (level: number) => layout(level === 3 ? 'page' : 'block', level);
  const page = leafLayout(3);
  const table = layout('table', 2);

  return {
    name,
    stage,
    pgsizeBitmap: geometry.pgsizeBitmap,
    ias: geometry.ias,
    oas: geometry.oas,
    coherentWalk,
    quirks: [...quirks],
    features: [...(request.features ?? [])],
    ...(stage === 2 && { concatenation: concatenationOf(request) }),
    protExtras: [
      ...(['device', 'execute', 'shareability'] as const),
      ...(stage === 1 ? (['mairIndex', 'global', 'nonSecure'] as const) : []),
      ...(overlays ? (['poIndex'] as const) : []),
    ],
    executeOnly: extended.indirection !== undefined,
    granuleLog2,
    levels,
    rootBytes: geometry.rootBytes,
    // Entries hold 48 bits of a table's address (52 with 64K, 40 in AArch32), and a table beyond the output size is never read.
    tableAddressBits: Math.min(geometry.oas, width === 32 ? 40 : granuleLog2 === 16 || lpa2 ? 52 : 48),
    firstIova: settings.ttbr1 ? (1n << 64n) - (1n << BigInt(geometry.ias)) : 0n,
    layout,
    leafBits: (prot, { level, runLog2 }) =>
      encode(leafLayout(level), {
        ...protFields(prot, settings),
        Contiguous: runLog2 > 0 ? 1 : 0,
      }),
    registers: (rootPa: bigint) => registersOf(options, geometry, settings, rootPa),
    entries: new LongEntryCodec({
      table,
      page,
      tracking: update === 'none' ? undefined : new LongTracking(stage, update === 'dirty', indirect),
      tableBits: encode(table, {
        SYNC: coherentWalk ? 0 : 1,
        ...(settings.ns ? { NSTable: 1 } : {}),
        // Hardware would have to set it on the first walk.
        ...(extended.haft ? { AF: 1 } : {}),
      }),
      // Linux keeps bits [11:2], XN and DBM of a block that it splits (ARM_LPAE_PTE_ATTR_MASK); with LPA2 [9:8] are address.
      splitMask: keptFields(stage, indirect, page).reduce(
        (mask, field) => mask | fieldMask(field),
        lpa2 ? 0xcfcn : 0xffcn,
      ),
      typeBits: (level) => typeBits(leafLayout(level)),
      runLog2: (level) => levels.find((l) => l.level === level)?.runLog2 ?? 0,
      leafSizes: [-1, 0, 1, 2, 3].map((level) => 2 ** context(level).shift),
    }),
  };
}

/** The regime must be one of the format's architecture, and must have what is asked for. */
function checkRegime({ name, width }: LongFormatOptions, { regime, quirks = [], ias }: FormatRequest): void {
  if (regime === undefined) return;
  if ((width === 32) !== (regime === 'pl2')) {
    const own = width === 32 ? 'pl2, and pl1&0 without it' : 'el1&0, el2, el2&0, el3';
    throw new FormatError(
      `${name} does not make tables of ${regime}: regime may be ${own} (DDI 0487 D8.1.2, G5.1)`,
    );
  }
  if (!hasUnprivileged(regime) && quirks.includes('arm_ttbr1')) {
    throw new FormatError(`arm_ttbr1 is for two ranges of addresses; ${regime} has one (DDI 0487 D8.1.2)`);
  }
  if (regime === 'pl2' && ias < LEAST_AARCH32_INPUT) {
    throw new FormatError(`HTCR.T0SZ has no size for ias ${ias}: pl2 has 25 to 32 (DDI 0487 G8.2.76)`);
  }
}

/** What the parts of a split block keep above bit 11: permissions, and what features added. */
function keptFields(stage: 1 | 2, indirect: boolean, page: DescriptorLayout): Field[] {
  const direct = stage === 1 ? ['XN', 'PXN', 'DBM'] : ['XN[1:0]', 'DBM'];
  const index = stage === 1 ? ['PIIndex[3]', 'PIIndex[2]', 'PIIndex[1]'] : ['PIIndex[3:2]', 'PIIndex[1]'];
  const rights = (indirect ? index : direct).map((name) => fieldNamed(page, name));
  return [...rights, ...page.fields.filter(({ name }) => name === 'POIndex' || name === 'AttrIndx[3]')];
}

/** What the quirks and features mean for the bits, the registers and the codec. */
interface Settings extends ProtContext {
  readonly coherentWalk: boolean;
  /** The walk may use the outer cache. */
  readonly outerCached: boolean;
  readonly ttbr1: boolean;
  readonly lpa2: boolean;
  readonly update: HardwareUpdate;
}

function settingsOf(request: FormatRequest, stage: 1 | 2, width: 32 | 64): Settings {
  const { quirks = [], features = [], coherentWalk = true, mair = LINUX_MAIR, regime = 'el1&0' } = request;
  const has = (feature: Feature) => features.includes(feature);
  const lpa2 = has('lpa2');
  const dirtyState = quirks.includes('arm_hd') || has('dirty_state');
  const update = dirtyState ? 'dirty' : has('access_flag') ? 'access' : 'none';
  return {
    stage,
    width,
    mair,
    regime,
    ns: quirks.includes('arm_ns'),
    dirtyState,
    fwb: has('fwb') || quirks.includes('arm_s2fwb'),
    xnx: has('xnx'),
    fixedShareability: lpa2 ? 'inner' : undefined,
    coherentWalk,
    outerCached: coherentWalk || quirks.includes('arm_outer_wbwa'),
    ttbr1: quirks.includes('arm_ttbr1'),
    lpa2,
    update,
    extended: extendedOf(request, update !== 'none'),
  };
}

function withinLimits({ name, limits }: LongFormatOptions, request: FormatRequest): FormatRequest {
  if (limits === undefined) return request;
  checkLimits(name, request, limits, 'DDI 0487 G5.5.1');
  return { ...request, pgsizeBitmap: request.pgsizeBitmap & limits.sizes };
}

function registersOf(
  options: LongFormatOptions,
  geometry: Geometry,
  { coherentWalk, outerCached: outer, ttbr1, mair, regime, lpa2, update, fwb, extended }: Settings,
  root: bigint,
) {
  const { granuleLog2, ias, outputCode } = geometry;
  const fields = {
    outputCode,
    tg: ttbr1 ? TG1[granuleLog2] : TG0[granuleLog2],
    // With LPA2 this is also the shareability of every mapping. For an uncached walk it makes no difference.
    sh: coherentWalk || lpa2 ? SH.inner : SH.outer,
    orgn: outer ? RGN.writeBack : RGN.noncacheable,
    irgn: coherentWalk ? RGN.writeBack : RGN.noncacheable,
    tsz: 64 - ias,
  };
  if (options.stage === 1) {
    // An AArch32 regime has input sizes of 25 to 32 bits, and its TTBR1 can't cover as much as TTBR0. A request that it can't
    // express is walked as an AArch64 context instead, as an SMMU would walk the same descriptors.
    const aarch32 = options.width === 32 && !ttbr1 && ias >= LEAST_AARCH32_INPUT;
    return stage1Registers(root, fields, { regime, ttbr1, mair, lpa2, update, aarch32, extended });
  }
  // VTCR.SL0 counts down from the last level a walk can start at. The 4K granule's codes are off by one, and level -1 has one with SL2
  // (DDI 0487 D24.2.206, table D8-19).
  const startLevel = geometry.levels[0]!.level;
  const sl = startLevel < 0 ? 4 : ~(granuleLog2 === 12 ? startLevel + 1 : startLevel) & 3;
  // AArch32 has no start level 0 and no forced Write-Back: such tables are walked as an AArch64 context.
  const aarch32 = options.width === 32 && ias >= LEAST_AARCH32_INPUT && startLevel > 0 && !fwb;
  return stage2Registers(root, { ...fields, sl }, { lpa2, update, fwb, aarch32, extended });
}

/**
 * The tables that a trace is about: where the root lies and how descriptors divide input addresses, given directly or by
 * register values. VMSAv8-64 only. (DDI 0487 D8.2 for levels and concatenation, D24.2 for TCR_ELx and VTCR_EL2.)
 */

import { isSet } from '../arch/read.ts';
import { isNested, isStage2Alone, regimes, traitsOf } from '../arch/regimes.ts';
import { TCR_EL1 } from '../arch/registers/tcr.ts';
import type { PaSpace } from '../arch/security.ts';
import { hex } from '../memory/hex.ts';
import { PhysicalMemory } from '../memory/index.ts';
import type { Machine } from '../tlb/conflict.ts';
import { tlbContext } from '../tlb/context.ts';
import type { TlbContextOptions, TranslationRegime } from '../tlb/index.ts';
import { cpuFeatures } from '../walker/cpu.ts';
import type { TableGeometry } from '../walker/descriptor64.ts';
import { s1Params, systemControl } from '../walker/params/aarch64.ts';
import { extendedControls } from '../walker/params/extended.ts';
import { oneRangeFields, twoRangeFields } from '../walker/params/range-fields.ts';
import type { S2Rights } from '../walker/permission-indirection.ts';
import { PW, UW } from '../walker/permissions.ts';
import { stage2Params } from '../walker/regime-params.ts';
import { registerValues } from '../walker/register-values.ts';
import { walkerSecurity } from '../walker/security.ts';
import type { BbmContext } from './change.ts';
import { TraceError } from './errors.ts';

/** What gives the writes of a trace their meaning. Addresses are in bytes. */
export interface TraceContext
  extends Pick<
    BbmContext,
    | 'stage'
    | 'granuleLog2'
    | 'oa52'
    | 'ha'
    | 'hd'
    | 'mair'
    | 'mair2'
    | 'aie'
    | 'pnch'
    | 'indirect'
    | 'hierarchical'
    | 'sameContents'
    | 'security'
    | 'regime'
  > {
  /** Input address bits that the tables resolve, 25 to 52 in most machines. */
  readonly iaBits: number;
  /** PA of the first table. */
  readonly root: bigint;
  /** Arm's level of the root. Default: as many levels as the bits need. Stage 2 may start at a later level, in concatenated tables. */
  readonly startLevel?: number;
  /** Whether the tables serve the upper range of input addresses (TTBR1). Default: false. */
  readonly upper?: boolean;
  /** Stage 2 in Secure state: the space of the IPAs. Default: Secure. */
  readonly ipas?: PaSpace;
  /**
   * HCR_EL2.TGE while the operations of the trace are executed, by an EL2 with E2H = 1. If it is 1, most E1 operations apply to EL2&0 instead of
   * EL1&0. Default: 1 in EL2&0, else 0. The advice is what to execute where E1 operations reach the regime of the trace.
   */
  readonly tge?: boolean;
  /** The ASID and VMID that entries are tagged with. Default: 0. */
  readonly asid?: number;
  readonly vmid?: number;
  /** Stage 2: whether stage 1 is on as well, so that TLBs may hold both stages combined. Default: true. */
  readonly combined?: boolean;
  /** Who walks the tables. For a PE commands of an SMMU do nothing. Default: either, and every invalidation counts. */
  readonly machine?: Machine;
  /** Whether to say which barriers are missing. Default: false; writes are visible and invalidations complete at once. */
  readonly barriers?: boolean;
  /** With indirect permissions: the registers that they come from, for a trace that writes them. */
  readonly permissions?: Readonly<
    Partial<Record<'pir' | 'pire0' | 'por' | 'por0' | 's2pir' | 's2por', bigint>>
  >;
  /** The 64-bit word at a PA (a multiple of 8) before the first step. Default: all memory is zero. */
  readonly initial?: (pa: bigint) => bigint;
}

/** A context with its defaults and derived values. Addresses are exact numbers. */
export interface TableSpace extends Omit<TraceContext, 'root'> {
  readonly startLevel: number;
  readonly regime: TranslationRegime;
  readonly asid: number;
  readonly vmid: number;
  readonly combined: boolean;
  readonly root: number;
  readonly rootEntries: number;
  /** The offset from an input address of the tables to one of the regime: 0, or the upper range's first address. */
  readonly iaBase: bigint;
  /** TCR.DS: range operands are in units of 64K. */
  readonly ds: boolean;
}

/** At most 16 tables may be concatenated at stage 2. (D8.2.2.1.) */
const MAX_CONCATENATED = 16;

const PA_END = 2n ** 52n;
const ENTRY_BYTES = 8n;

/** Whether an address fits 52 bits and is a multiple of an entry's size. */
export function isEntryAddress(pa: bigint): boolean {
  return pa >= 0n && pa < PA_END && pa % ENTRY_BYTES === 0n;
}

/** @throws TraceError for a geometry that no registers can describe. */
export function tableSpace(context: TraceContext): TableSpace {
  const { stage, granuleLog2, iaBits, oa52 = false, upper = false, regime = 'el1&0' } = context;
  const stride = granuleLog2 - 3;
  if (![12, 14, 16].includes(granuleLog2)) {
    throw new TraceError(
      `VMSAv8-64 has no granule of 2^${granuleLog2} bytes, only 4K, 16K and 64K (DDI 0487 D8.2)`,
    );
  }
  if (!Number.isInteger(iaBits) || iaBits <= granuleLog2 || iaBits > 52) {
    throw new TraceError(
      `${iaBits} input address bits: tables resolve ${granuleLog2 + 1} to 52 (DDI 0487 D8.2)`,
    );
  }
  const least = 3 - Math.floor((iaBits - 1 - granuleLog2) / stride);
  const startLevel = context.startLevel ?? least;
  const rootLog2 = iaBits - granuleLog2 - (3 - startLevel) * stride;
  const mostLog2 = stage === 2 ? stride + Math.log2(MAX_CONCATENATED) : stride;
  if (startLevel < -1 || startLevel > 3 || rootLog2 < 1 || rootLog2 > mostLog2) {
    const concatenated =
      stage === 2 ? `, or up to ${MAX_CONCATENATED} concatenated ones of a later level` : '';
    throw new TraceError(
      `a root of level ${startLevel} does not resolve ${iaBits} bits with this granule: it takes one of level ${least}${concatenated} (DDI 0487 D8.2)`,
    );
  }
  const { root } = context;
  if (!isEntryAddress(root)) {
    throw new TraceError(
      `the root ${hex(root)} is not a table address: it must fit 52 bits and be a multiple of 8 at least`,
      {
        pa: root,
      },
    );
  }
  return {
    ...context,
    startLevel,
    regime,
    asid: context.asid ?? 0,
    vmid: context.vmid ?? 0,
    combined: stage === 2 && context.combined !== false,
    root: Number(root),
    rootEntries: 2 ** rootLog2,
    iaBase: upper ? 2n ** 64n - 2n ** BigInt(iaBits) : 0n,
    ds: oa52 && granuleLog2 !== 16,
  };
}

/** Registers of a PE, as for a walker, and a choice of one of two ranges. */
export interface TraceRegisters extends TlbContextOptions {
  /** Whether to take the range of TTBR1. Default: the range of TTBR0, unless TCR.EPD0 switches it off. */
  readonly upper?: boolean;
}

/**
 * The context that register values describe.
 *
 * @throws TraceError for regimes without VMSAv8-64 tables, nested regimes (each stage has its own trace) and registers that
 * translate nothing; WalkerError for an unknown regime or an invalid register value.
 *
 * @example
 * traceContext({ regime: 'el1&0', registers: { ttbr0: 0x8000_0000n, tcr: 0x5_0080_3510n, mair } });
 */
export function traceContext(options: TraceRegisters): TraceContext {
  const { regime, registers } = options;
  const { tcr = 0n, ttbr0 = 0n, ttbr1 = 0n, vtcr = 0n, mair = 0n, sctlr = 1n } = registers;
  if (!JUDGED.includes(regime)) {
    throw new TraceError(
      `the rules are judged for tables of VMSAv8-64: regimes ${JUDGED.join(', ')}, not '${regime}'`,
    );
  }
  const cpu = cpuFeatures(options.cpu);
  // Memory is not read: this checks the values and finds ASID and VMID.
  const { asid, vmid, tge, regime: tagged } = tlbContext(NO_MEMORY, options);
  const security = walkerSecurity({ ...options, cpu });
  const tags = {
    ...(asid !== undefined && { asid }),
    ...(vmid !== undefined && { vmid }),
    ...(security.known && { security: security.state }),
    ...(tagged === 'el2&0' && { tge }),
  };
  if (isStage2Alone(regime)) {
    const { s2pir = 0n, s2por = 0n, vsttbr } = registers;
    const { state } = security;
    // Secure state has two spaces of IPAs, each with tables of its own.
    const ipas = state === 'secure' && vsttbr === undefined ? 'non-secure' : state;
    const params = stage2Params(regime, registerValues(regime, registers), cpu, { state, ipas });
    if (params.invalid)
      throw new TraceError(`VTCR ${hex(vtcr)}: nothing is translated with this T0SZ and SL0 (DDI 0487 D8.2)`);
    const indirect = params.indirection && {
      indirect: stage2Writes(params.indirection.fields),
      permissions: { s2pir, s2por },
    };
    return { stage: 2, ...geometryOf(params), ...tags, ...(state === 'secure' && { ipas }), ...indirect };
  }
  const two = traitsOf(regime).ranges === 2;
  const { EPD0, EPD1 } = TCR_EL1.fields;
  const traits = traitsOf(regime);
  const extended = extendedControls(traits, registerValues(regime, registers), false, security, cpu);
  const upper = two && (options.upper ?? (isSet(tcr, EPD0) && !isSet(tcr, EPD1)));
  const fields = two ? twoRangeFields(tcr, upper ? ttbr1 : ttbr0, upper) : oneRangeFields(tcr, ttbr0);
  const params = s1Params(fields, mair, systemControl(sctlr, false, security, cpu, extended), cpu);
  if (params.configurationFault) {
    throw new TraceError(
      `TCR ${hex(tcr)}: nothing is translated in this range (TxSZ, EPD or the base; DDI 0487 D8.2)`,
    );
  }
  const { indirection, aie, pnch } = params;
  const { mair2 } = extended;
  return {
    stage: 1,
    ...geometryOf(params),
    ...tags,
    regime: tagged,
    upper,
    mair,
    hierarchical: !params.hpd,
    ...(indirection && {
      indirect: stage1Writes(indirection.controls),
      permissions: permissionsIn(registers, indirection.pire0),
    }),
    ...(aie && { aie, ...(mair2 !== undefined && { mair2 }) }),
    ...(pnch && { pnch }),
  };
}

/** The registers of stage 1. `pire0` is undefined in a regime without EL0. */
function permissionsIn(
  { pir = 0n, por = 0n, por0 = 0n }: TraceRegisters['registers'],
  pire0: bigint | undefined,
) {
  return { pir, por, ...(pire0 !== undefined && { pire0, por0 }) };
}

const WRITES = PW | UW;

/** By PIIndex, whether anybody may write. */
export function stage1Writes(controls: Iterable<number>): boolean[] {
  return Array.from(controls, (rights) => (rights & WRITES) !== 0);
}

export function stage2Writes(fields: readonly S2Rights[]): boolean[] {
  return fields.map(({ data, walk }) => ((data | walk) & WRITES) !== 0);
}

/** The regimes of VMSAv8-64 with one stage. */
const JUDGED = regimes.filter((name) => traitsOf(name).architecture === 'AArch64' && !isNested(name));
const NO_MEMORY = new PhysicalMemory({ base: 0n, size: 8n });

function geometryOf(params: TableGeometry) {
  const { granuleLog2, iaBits, startLevel, tableBase, highAddress, ha, hd, bigEndian } = params;
  if (bigEndian) throw new TraceError('SCTLR.EE: descriptors of a trace are little-endian');
  return {
    granuleLog2: granuleLog2 as TraceContext['granuleLog2'],
    iaBits,
    startLevel,
    root: BigInt(tableBase),
    oa52: highAddress !== 'none',
    ha,
    hd,
  };
}

/** log2 of the bytes that an entry of a level maps. */
export function entryLog2({ granuleLog2 }: Pick<TableSpace, 'granuleLog2'>, level: number): number {
  return granuleLog2 + (3 - level) * (granuleLog2 - 3);
}

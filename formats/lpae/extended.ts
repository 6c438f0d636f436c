/**
 * What FEAT_TCR2 and its like add to long descriptors: indirect permissions, overlays, more memory types, access flags of tables; the checks
 * of a request, and the register bits. (DDI 0487 D24.2.190, D24.2.191, D24.2.196, D24.2.224; D8.4.1.3, D8.4.1.4, D8.4.2.2, D8.5.1.)
 */
import { FormatError } from '../../src/pagetable/errors.ts';
import type { Feature, FormatRequest, Stage1Regime } from '../../src/pagetable/format.ts';
import { LINUX_PIR, LINUX_PIRE0, PLAIN_S2PIR, type S1Indirection } from './indirection.ts';
import { hasUnprivileged } from './regime.ts';

/** POR_ELx as Linux begins: field 0 leaves all rights, the others none. */
const FIRST_OVERLAY = 0x7n;

/** The features of one table. */
export interface Extended {
  /** Stage 1 with `s1pie`. */
  readonly indirection: S1Indirection | undefined;
  /** Stage 2 with `s2pie`. */
  readonly s2pir: bigint | undefined;
  /** With `s1poe`: the overlay registers that are on. */
  readonly overlays: { readonly por: bigint | undefined; readonly por0: bigint | undefined } | undefined;
  /** With `aie`. */
  readonly mair2: bigint | undefined;
  readonly haft: boolean;
}

/**
 * @param updatesAccessFlag - hardware sets access flags of leaves (TCR.HA), without which it sets none of tables.
 * @throws FormatError for register values that do not go together.
 */
export function extendedOf(request: FormatRequest, updatesAccessFlag: boolean): Extended {
  const { features = [], regime = 'el1&0', mair2, s2pir = PLAIN_S2PIR } = request;
  const has = (feature: Feature) => features.includes(feature);
  const el0 = hasUnprivileged(regime);
  for (const register of ['pire0', 'por0'] as const) {
    if (request[register] === undefined || el0) continue;
    throw new FormatError(`${regime} has no EL0, and takes no ${register} (DDI 0487 D8.1.2)`);
  }
  if (has('aie') && mair2 === undefined) {
    throw new FormatError('aie adds the memory types of MAIR2: give them as mair2 (DDI 0487 D8.6.1)');
  }
  if (has('haft') && !updatesAccessFlag) {
    throw new FormatError(
      'haft counts only where hardware sets access flags of leaves too: it needs access_flag or dirty_state (DDI 0487 D8.5.1, R_SNVTX)',
    );
  }
  return {
    indirection: has('s1pie') ? indirectionOf(request, el0) : undefined,
    s2pir: has('s2pie') ? s2pir : undefined,
    overlays: has('s1poe') ? overlaysOf(request, el0) : undefined,
    mair2,
    haft: has('haft'),
  };
}

function indirectionOf({ pir, pire0 }: FormatRequest, el0: boolean): S1Indirection {
  if (el0 && (pir === undefined) !== (pire0 === undefined)) {
    throw new FormatError(
      'pir and pire0 say together what a PIIndex grants: give both, or none for those of Linux (DDI 0487 D8.4.1.3)',
    );
  }
  return { pir: pir ?? LINUX_PIR, pire0: el0 ? (pire0 ?? LINUX_PIRE0) : undefined };
}

function overlaysOf({ por, por0 }: FormatRequest, el0: boolean) {
  if (por !== undefined || por0 !== undefined) return { por, por0 };
  return el0 ? { por, por0: FIRST_OVERLAY } : { por: FIRST_OVERLAY, por0 };
}

const BIT = (n: number) => 1n << BigInt(n);
const on = (is: boolean, bit: bigint) => (is ? bit : 0n);

/** TCR2_EL1 and TCR2_EL2. */
const TCR2 = { pie: BIT(1), e0poe: BIT(2), poe: BIT(3), aie: BIT(4), haft: BIT(11) } as const;
/** The same in TCR_EL3, which has no TCR2 beside it. */
const TCR_EL3 = { pie: BIT(35), e0poe: 0n, poe: BIT(36), aie: BIT(37), haft: BIT(42) } as const;
/** HPD0 and HPD1 of TCR_EL1, HPD of TCR_EL2 and TCR_EL3 (HTCR has none of these features): RES1 where permissions of tables are off. (R_JHSVW, R_BVXDG) */
const TWO_RANGES = BIT(41) | BIT(42);
const HPD = {
  'el1&0': TWO_RANGES,
  'el2&0': TWO_RANGES,
  el2: BIT(24),
  el3: BIT(24),
  pl2: 0n,
} as const;
const VTCR = { s2pie: BIT(36), haft: BIT(44) } as const;

/** Bits for TCR_ELx, and the registers beside it. */
export interface ExtendedRegisters {
  readonly tcr: bigint;
  readonly registers: Readonly<Record<string, bigint>>;
}

export function stage1Extended(extended: Extended, regime: Stage1Regime): ExtendedRegisters {
  const { indirection, overlays, mair2, haft } = extended;
  const bits = regime === 'el3' ? TCR_EL3 : TCR2;
  const control =
    on(indirection !== undefined, bits.pie) |
    on(overlays?.por !== undefined, bits.poe) |
    on(overlays?.por0 !== undefined, bits.e0poe) |
    on(mair2 !== undefined, bits.aie) |
    on(haft, bits.haft);
  const flat = indirection !== undefined || overlays !== undefined || mair2 !== undefined;
  const given = { pir: indirection?.pir, pire0: indirection?.pire0, ...overlays, mair2 };
  const registers = Object.fromEntries(
    Object.entries(given).filter((one): one is [string, bigint] => one[1] !== undefined),
  );
  const hpd = on(flat, HPD[regime]);
  if (regime === 'el3') return { tcr: control | hpd, registers };
  return { tcr: hpd, registers: control === 0n ? registers : { tcr2: control, ...registers } };
}

/** Bits for VTCR_EL2, and the registers beside it. */
export function stage2Extended({ s2pir, haft }: Extended): ExtendedRegisters {
  return {
    tcr: on(s2pir !== undefined, VTCR.s2pie) | on(haft, VTCR.haft),
    registers: s2pir === undefined ? {} : { s2pir },
  };
}

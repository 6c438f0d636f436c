/**
 * Permission indirection: the PIIndex whose fields in PIR_ELx and PIRE0_ELx, or in S2PIR_EL2, grant exactly the rights that a prot asks for.
 * (DDI 0487 D8.4.1.3, D8.4.2.2; tables D8-67 to D8-69 and D8-82.)
 */
import { FormatError, hex } from '../../src/pagetable/errors.ts';

/**
 * PIR_EL1 and PIRE0_EL1 as Linux sets them since 6.13. Indexes 4, 5, 7, 13 and 15 are user pages: execute-only, and then with and without
 * execution read-only (5, 13) and writable (7, 15). 8, 10, 12 and 14 are the kernel's own, 9 and 11 shadow stacks.
 */
export const LINUX_PIR = 0xcc88_0e0a_c080_0000n;
export const LINUX_PIRE0 = 0x5010_9080_7032_0000n;
/** An S2PIR_EL2 in which PIIndex is the permission. The reserved values 1 and 5 are left out. */
export const PLAIN_S2PIR = 0xfedc_ba98_7604_3200n;

/** What stage 1 permissions come from. `pire0` is undefined in a regime without EL0. */
export interface S1Indirection {
  readonly pir: bigint;
  readonly pire0: bigint | undefined;
}

/** Rights of EL1 and EL0 as letters: r, w, x. In a regime with one privilege level they are those of `el1`. */
export interface LevelRights {
  readonly el1: string;
  readonly el0: string;
}

/** Which level's overlay must apply to the permission. */
export type Overlaid = Readonly<Record<keyof LevelRights, boolean>>;

/**
 * By the value of a field of PIR or PIRE0: r, w, x, and g for a Guarded Control Stack. Undefined are reserved values, and 0b0110, whose rights
 * depend on the overlay: they are never chosen.
 */
const STAGE_1 = [
  '',
  'r',
  'x',
  'rx',
  undefined,
  'rw',
  undefined,
  'rwx',
  'r',
  'rg',
  'rx',
  undefined,
  'rw',
  undefined,
  'rwx',
  undefined,
] as const;
/** Overlays apply to values below this. */
const NO_OVERLAY = 8;

/**
 * By the value of a field of S2PIR: r, w, and execution at EL1 (p) and at EL0 (u). Undefined are reserved values, and those of mostly read-only
 * memory, for which no prot asks.
 */
const STAGE_2 = [
  '',
  undefined,
  undefined,
  undefined,
  'w',
  undefined,
  undefined,
  undefined,
  'r',
  'ru',
  'rp',
  'rpu',
  'rw',
  'rwu',
  'rwp',
  'rwpu',
] as const;

const INDEXES = Array.from({ length: 16 }, (_, index) => index);
const permission = (register: bigint, index: number) => Number((register >> BigInt(index * 4)) & 0xfn);
const shown = (rights: string) => rights || 'nothing';

/** EL1 never executes, or uses as a Guarded Control Stack, what EL0 may write or use as one: then neither level has any right. (R_VFPJF) */
function isUnsafe({ el1, el0 }: LevelRights): boolean {
  return /[xg]/.test(el1) && /[wg]/.test(el0);
}

/** What a PIIndex grants. Undefined: nothing that can be relied on. */
function grantsOf({ pir, pire0 }: S1Indirection, index: number): LevelRights | undefined {
  const el1 = STAGE_1[permission(pir, index)];
  const el0 = pire0 === undefined ? '' : STAGE_1[permission(pire0, index)];
  if (el1 === undefined || el0 === undefined || isUnsafe({ el1, el0 })) return undefined;
  return { el1, el0 };
}

/** Whether the overlays that must apply do: to a level without rights there is nothing to apply. */
function isOverlaid({ pir, pire0 = 0n }: S1Indirection, index: number, overlaid: Overlaid): boolean {
  return (
    (!overlaid.el1 || permission(pir, index) < NO_OVERLAY) &&
    (!overlaid.el0 || permission(pire0, index) < NO_OVERLAY)
  );
}

/**
 * The lowest PIIndex that grants these rights, and no others.
 * @throws FormatError if there is none, with the rights that there are.
 */
export function stage1Index(wanted: LevelRights, indirection: S1Indirection, overlaid: Overlaid): number {
  const found = INDEXES.find((index) => {
    const grants = grantsOf(indirection, index);
    return (
      grants?.el1 === wanted.el1 && grants.el0 === wanted.el0 && isOverlaid(indirection, index, overlaid)
    );
  });
  if (found !== undefined) return found;
  const { pir, pire0 } = indirection;
  const one = pire0 === undefined;
  const text = ({ el1, el0 }: LevelRights) => (one ? shown(el1) : `EL1 ${shown(el1)}, EL0 ${shown(el0)}`);
  if (!one && isUnsafe(wanted)) {
    throw new FormatError(
      `EL1 never executes memory that EL0 may write: ${text(wanted)} would grant nothing; ask for one of them (DDI 0487 D8.4.1.3, R_VFPJF)`,
      registersOf(indirection),
    );
  }
  const under = overlaid.el1 || overlaid.el0 ? ' under an overlay' : '';
  const there = new Set(
    INDEXES.filter((index) => isOverlaid(indirection, index, overlaid)).flatMap((index) => {
      const grants = grantsOf(indirection, index);
      return grants === undefined || (grants.el1 === '' && grants.el0 === '') ? [] : [text(grants)];
    }),
  );
  const registers = one ? `PIR ${hex(pir)}` : `PIR ${hex(pir)} and PIRE0 ${hex(pire0)}`;
  throw new FormatError(
    `no PIIndex grants ${text(wanted)}${under}: ${registers} can grant ${[...there].join('; ') || 'nothing'}; ask for one of these, or configure other registers (DDI 0487 D8.4.1.3)`,
    registersOf(indirection),
  );
}

function registersOf({ pir, pire0 }: S1Indirection) {
  return { registers: { pir, ...(pire0 !== undefined && { pire0 }) } };
}

/**
 * The lowest PIIndex of stage 2 that grants these rights, and no others: r, w, p, u.
 * @throws FormatError if there is none, with the rights that there are.
 */
export function stage2Index(wanted: string, s2pir: bigint): number {
  const found = INDEXES.find((index) => STAGE_2[permission(s2pir, index)] === wanted);
  if (found !== undefined) return found;
  const there = new Set(INDEXES.flatMap((index) => STAGE_2[permission(s2pir, index)] || []));
  throw new FormatError(
    `no PIIndex of stage 2 grants ${shown(wanted)} (p: execution at EL1, u: at EL0): S2PIR ${hex(s2pir)} can grant ${[...there].join(', ') || 'nothing'}; ask for one of these, or configure another s2pir (DDI 0487 D8.4.2.2)`,
    { registers: { s2pir } },
  );
}

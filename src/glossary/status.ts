/**
 * Fault status codes: the six bits of DFSC, IFSC, FST and STATUS, and the five of FS in short descriptors' DFSR and IFSR.
 * (DDI 0487 D24.2.45 "DFSC", D24.2.142 "FST", G8.2.47 "FS" and "STATUS".) Declared independently of src/walker, which encodes them.
 */

/** The kinds of fault that a CPU's fault status can encode. The first six come from the MMU itself. */
export type StatusKind =
  | 'translation'
  | 'access_flag'
  | 'permission'
  | 'address_size'
  | 'external_walk'
  | 'domain'
  | 'external'
  | 'parity_walk'
  | 'parity'
  | 'granule_walk'
  | 'granule'
  | 'alignment'
  | 'tag_check'
  | 'tlb_conflict'
  | 'hardware_update'
  | 'serror'
  | 'debug'
  | 'cache_maintenance'
  | 'lockdown'
  | 'exclusive';

export interface FaultStatus {
  readonly kind: StatusKind;
  /** Arm's level, -2 to 3, if the code has one. */
  readonly level?: number;
}

/** Codes `first` to `last`, one for each level from `level` on. */
type Run = readonly [first: number, last: number, kind: StatusKind, level?: number];

const LONG: readonly Run[] = [
  [0x00, 0x03, 'address_size', 0],
  [0x04, 0x07, 'translation', 0],
  [0x08, 0x0b, 'access_flag', 0],
  [0x0c, 0x0f, 'permission', 0],
  [0x10, 0x10, 'external'],
  [0x11, 0x11, 'tag_check'],
  [0x12, 0x17, 'external_walk', -2],
  [0x18, 0x18, 'parity'],
  [0x1b, 0x1f, 'parity_walk', -1],
  [0x21, 0x21, 'alignment'],
  [0x22, 0x27, 'granule_walk', -2],
  [0x28, 0x28, 'granule'],
  [0x29, 0x29, 'address_size', -1],
  [0x2a, 0x2b, 'translation', -2],
  [0x2c, 0x2c, 'address_size', -2],
  [0x30, 0x30, 'tlb_conflict'],
  [0x31, 0x31, 'hardware_update'],
  [0x34, 0x34, 'lockdown'],
  [0x35, 0x35, 'exclusive'],
  // Only in PAR_EL1, for a stage 1 with short descriptors.
  [0x3d, 0x3e, 'domain', 1],
];

/** The codes of AArch32's DFSR and IFSR that differ from ESR_ELx. */
const LONG_AARCH32: readonly Run[] = [
  [0x11, 0x11, 'serror'],
  [0x19, 0x19, 'serror'],
  [0x22, 0x22, 'debug'],
];

const SHORT: readonly Run[] = [
  [0x01, 0x01, 'alignment'],
  [0x02, 0x02, 'debug'],
  [0x03, 0x03, 'access_flag', 1],
  [0x04, 0x04, 'cache_maintenance'],
  [0x05, 0x05, 'translation', 1],
  [0x06, 0x06, 'access_flag', 2],
  [0x07, 0x07, 'translation', 2],
  [0x08, 0x08, 'external'],
  [0x09, 0x09, 'domain', 1],
  [0x0b, 0x0b, 'domain', 2],
  [0x0c, 0x0c, 'external_walk', 1],
  [0x0d, 0x0d, 'permission', 1],
  [0x0e, 0x0e, 'external_walk', 2],
  [0x0f, 0x0f, 'permission', 2],
  [0x10, 0x10, 'tlb_conflict'],
  [0x14, 0x14, 'lockdown'],
  [0x15, 0x15, 'exclusive'],
  [0x16, 0x16, 'serror'],
  [0x18, 0x18, 'serror'],
  [0x19, 0x19, 'parity'],
  [0x1c, 0x1c, 'parity_walk', 1],
  [0x1e, 0x1e, 'parity_walk', 2],
];

/** DFSC, IFSC, FST or STATUS, 0 to 63. Undefined for a reserved code. */
export function longStatus(code: number, regime: 'aarch64' | 'aarch32' = 'aarch64'): FaultStatus | undefined {
  if (regime === 'aarch64') return statusIn(LONG, code);
  const status = statusIn([...LONG_AARCH32, ...LONG], code);
  // Walks of AArch32 start at level 1. Level 0 is the table base register, which has no other fault. (G8.2.47.)
  const { kind, level = 1 } = status ?? {};
  return level > 0 || (kind === 'address_size' && code === 0) ? status : undefined;
}

/** The codes of ARMv4 and ARMv5, where FS has four bits, that differ from ARMv6 and later. (DDI 0100 B4.6.) */
const SHORT_ARMV5: readonly Run[] = [
  [0x03, 0x03, 'alignment'],
  [0x04, 0x04, 'external'],
  [0x06, 0x06, 'external'],
  [0x0a, 0x0a, 'external'],
];

/** FS of short descriptors, 0 to 31. Undefined for a reserved code. */
export function shortStatus(
  code: number,
  architecture: 'armv5' | 'armv7' = 'armv7',
): FaultStatus | undefined {
  return statusIn(architecture === 'armv5' ? [...SHORT_ARMV5, ...SHORT] : SHORT, code);
}

function statusIn(runs: readonly Run[], code: number): FaultStatus | undefined {
  const run = runs.find(([first, last]) => code >= first && code <= last);
  if (run === undefined) return undefined;
  const [first, , kind, level] = run;
  return level === undefined ? { kind } : { kind, level: level + code - first };
}

/** A code and its meaning. */
export interface StatusCode extends FaultStatus {
  readonly code: number;
}

/** Every code of a kind, by level: six bits (`long`) or five (`short`). */
export function codesOf(kind: StatusKind, form: 'long' | 'short'): StatusCode[] {
  const status = form === 'long' ? longStatus : shortStatus;
  return Array.from({ length: form === 'long' ? 64 : 32 }, (_, code) => ({ code, ...status(code) }))
    .filter((one): one is StatusCode => one.kind === kind)
    .sort((a, b) => (a.level ?? 0) - (b.level ?? 0));
}

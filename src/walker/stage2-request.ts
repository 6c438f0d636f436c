/** Requests to stage 2: an access through stage 1, or the fetch or update of a stage-1 descriptor. (DDI 0487 J1.3 CreateAccDescS1TTW, CreateAccDescTTEUpdate.) */
import { PR, PW } from './permissions.ts';

/** A request to stage 2: to translate a stage-1 output, or the address of a stage-1 descriptor. */
export interface S2Request {
  /** The permission bits needed, all of them. */
  readonly needed: number;
  /** Whether the access writes, which may make the page dirty. */
  readonly write: boolean;
  /** Whether it is the SMMU's or PE's own access to a descriptor (or context descriptor), which may be denied in Device memory. */
  readonly own: boolean;
  /** Set for the fetch or update of a stage-1 descriptor: its level. */
  readonly s1Level?: number;
  /** FEAT_THE: stage 1 assures the address. */
  readonly assured?: boolean;
  /** FEAT_THE: the first fetch of a walk, from TTBR0_EL1 or TTBR1_EL1. */
  readonly top?: 'lower' | 'upper' | undefined;
  /** A privileged Guarded Control Stack access. */
  readonly privilegedGcs?: boolean;
  /** A Tag Checked access to memory that is Tagged at stage 1. */
  readonly tagChecked?: boolean;
}

/** How far a walk of stage 1 is assured, for the fetch or update of its next descriptor. (FEAT_THE; J1.1 S1InitialTTWState.) */
export interface WalkAssurance {
  readonly upper: boolean;
  readonly top: boolean;
  readonly assured: boolean;
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
export function tableRead(s1Level: number, assurance?: WalkAssurance): S2Request {
  const request = TABLE_READS[s1Level + 1]!;
  if (assurance === undefined) return request;
  const { top, upper, assured } = assurance;
  return { ...request, assured, top: top ? (upper ? 'upper' : 'lower') : undefined };
}

/** The hardware update of a stage-1 descriptor: stage 2 must allow writing too. */
export function tableUpdate(s1Level: number, assurance?: WalkAssurance): S2Request {
  const request = TABLE_UPDATES[s1Level + 1]!;
  return assurance === undefined ? request : { ...request, assured: assurance.assured };
}

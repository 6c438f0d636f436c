/** The first stage of a walk, for tables of any kind: its request and its answer. (DDI 0487 J1.1 AArch64.S1Translate.) */
import type { PaSpace } from '../arch/security.ts';
import type { MemoryRegion } from './attributes.ts';
import type { Access } from './types.ts';

/** An input address as two unsigned 32-bit halves. */
export interface InputAddress {
  readonly lo: number;
  readonly hi: number;
}

/** A stage-1 translation, in numbers. `level` is undefined if stage 1 is off. */
export interface S1Output {
  readonly ok: true;
  readonly oa: number;
  readonly level: number | undefined;
  readonly sizeLog2: number;
  readonly permissions: number;
  readonly region: MemoryRegion;
  readonly global: boolean;
  readonly contiguous: boolean;
  readonly nT: boolean;
  readonly guarded: boolean;
  /** The address space of the output. */
  readonly space: PaSpace;
  readonly domain?: number;
  /** FEAT_THE: whether Protected tables in mostly read-only pages led here. Absent: no. */
  readonly assured?: boolean;
}

/** The access, with its defaults filled in. */
export interface S1Request {
  readonly access: Access['access'];
  readonly privileged: boolean;
  readonly pan: boolean;
  readonly gcs: boolean;
  readonly tagChecked: boolean;
  /** Whether updates of descriptors are written to memory. */
  readonly update: boolean;
}

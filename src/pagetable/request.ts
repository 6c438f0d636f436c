/** What a driver asks a format for: sizes, quirks, features of the hardware, and register values that it may choose. (Linux's io_pgtable_cfg.) */
import type { Concatenation, LinuxVersion, Quirk } from './linux.ts';

/**
 * Hardware features that Linux's io-pgtable does not use: `contiguous` runs of entries as additional page sizes;
 * `lpa2` (TCR.DS: 52-bit addresses with 4K and 16K, larger blocks); `access_flag` and `dirty_state` (FEAT_HAFDBS), `haft` (access flags of
 * tables); at stage 1 `s1pie` (indirect permissions), `s1poe` (overlays) and `aie` (MAIR2), at stage 2 `fwb` (FEAT_S2FWB), `xnx` (FEAT_XNX)
 * and `s2pie` (indirect permissions).
 */
export const FEATURES = [
  'contiguous',
  'lpa2',
  'access_flag',
  'dirty_state',
  'fwb',
  'xnx',
  's1pie',
  's1poe',
  's2pie',
  'aie',
  'haft',
] as const;
/** One of the features that a request may ask for; see {@link FormatRequest}. */
export type Feature = (typeof FEATURES)[number];

/** Register values that a request may choose, and the feature that each is for. */
export const REGISTER_OPTIONS = {
  pir: 's1pie',
  pire0: 's1pie',
  por: 's1poe',
  por0: 's1poe',
  s2pir: 's2pie',
  mair2: 'aie',
} as const satisfies Readonly<Record<string, Feature>>;
/** One of the register values that a request may choose; see {@link FormatRequest}. */
export type RegisterOption = keyof typeof REGISTER_OPTIONS;

/** Regimes whose stage 1 a format may be asked for. */
export const STAGE1_REGIMES = ['el1&0', 'el2', 'el2&0', 'el3', 'pl2'] as const;
/**
 * Whose stage 1 it is: of EL1 or EL2 with EL0, or of EL2, EL3 or AArch32's Hyp mode (`pl2`) alone, which have one privilege level
 * and no ASID. (DDI 0487 D8.1.2, G5.1.)
 */
export type Stage1Regime = (typeof STAGE1_REGIMES)[number];

/** A request to make a table: Linux's io_pgtable_cfg. */
export interface FormatRequest {
  /** A bit for each page size that the hardware offers; the format keeps those of one granule. */
  readonly pgsizeBitmap: bigint;
  /** Input and output address size, in bits. */
  readonly ias: number;
  readonly oas: number;
  /** Whether the walker's reads are coherent with the CPU's writes. Default: true. */
  readonly coherentWalk?: boolean;
  readonly quirks?: readonly Quirk[];
  /** Default: none, which is Linux's choice. */
  readonly features?: readonly Feature[];
  /** The version of Linux whose choices count where the request makes none. Default: `6.12`. */
  readonly linux?: LinuxVersion;
  /** When a stage-2 root consists of concatenated tables. Default: as `linux` does it. Only stage 2 of a long-descriptor format takes it. */
  readonly concatenation?: Concatenation;
  /** MAIR_ELx, 64 bits, for stage 1. Default: Linux's. */
  readonly mair?: bigint;
  /** MAIR2_ELx, 64 bits: eight more memory types. Feature `aie` needs it. */
  readonly mair2?: bigint;
  /** PIR_ELx and PIRE0_ELx, 64 bits each: what each PIIndex grants. Default: those of Linux since 6.13. Feature `s1pie`. */
  readonly pir?: bigint;
  readonly pire0?: bigint;
  /**
   * POR_ELx and POR_EL0, 64 bits each: overlays of privileged and of unprivileged accesses, on where the value is given. Default: POR_EL0 as Linux
   * begins, field 0 with all rights; in a regime without EL0 the same for POR_ELx. Feature `s1poe`.
   */
  readonly por?: bigint;
  readonly por0?: bigint;
  /** S2PIR_EL2, 64 bits. Default: PIIndex is the permission. Feature `s2pie`. */
  readonly s2pir?: bigint;
  /**
   * The regime that walks the table. Default `el1&0`, which is Linux's, and for AArch32 `pl1&0`. Only stage 1 of a long-descriptor format
   * takes it: AArch32's has `pl2` alone, AArch64's the others.
   */
  readonly regime?: Stage1Regime;
  /** The CPU's page size in bytes, which decides the granule where several are offered. Default: 4 KiB. */
  readonly cpuPageSize?: number | bigint;
  /**
   * The granule in bytes, one of the page sizes offered, where something else than the CPU's page size decides it. Only long-descriptor formats
   * have several granules and take it. Linux has no such choice.
   */
  readonly granule?: number | bigint;
}

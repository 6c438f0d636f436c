/** How a run of the live suite is set: LPAE_SEED replays it, LPAE_PROBES scales it, LPAE_QEMU names another QEMU. */
import { findQemu, type Qemu } from './emulator.ts';

export interface Settings {
  readonly qemu: Qemu | undefined;
  readonly seed: number;
  /** Asked-for number of random probes over the CPU regimes; the SMMU gets a tenth. */
  readonly probes: number;
  /** One line about the run, for its log. */
  readonly title: string;
}

function seedOf(text: string | undefined): number {
  if (text === undefined) return Math.floor(Math.random() * 2 ** 32);
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0) throw new Error(`LPAE_SEED must be a whole number, not ${text}`);
  return seed >>> 0;
}

/** @throws Error where CI is set and there is no QEMU, or a variable holds nonsense. */
export function readSettings(): Settings {
  const { LPAE_SEED, LPAE_PROBES } = process.env;
  const qemu = findQemu();
  const seed = seedOf(LPAE_SEED);
  const probes = Number(LPAE_PROBES ?? 24_000);
  if (!Number.isInteger(probes) || probes < 1)
    throw new Error(`LPAE_PROBES must be a whole number, not ${LPAE_PROBES}`);
  const title =
    qemu === undefined
      ? 'live conformance skipped: there is no qemu-system-aarch64 (Debian: qemu-system-arm)'
      : `QEMU ${qemu.version}, LPAE_SEED=0x${seed.toString(16)}`;
  return { qemu, seed, probes, title };
}

/**
 * Whether the CPU can be asked about stage 2 permissions: in QEMU 10 (and, not to be surprised, in 9) AT S12E* aborts QEMU
 * where stage 2 denies the access.
 */
export function survivesStage2Denial({ release }: Qemu): boolean {
  return release < 900 || release >= 1101;
}

/** Whether Secure stage 2 can be asked for: QEMU 7.2 confuses the tables of its two IPA spaces. Nothing before 11.1 was found to be right. */
export function readsSecureStage2({ release }: Qemu): boolean {
  return release >= 1101;
}

/** Seed of a part of the run: parts can be replayed in any order. */
export function partSeed(seed: number, part: number): number {
  return (Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) + Math.imul(part + 1, 0xc2b2_ae35)) >>> 0;
}

/** Random granule protection tables: most granules open to all, some to one space, few closed or malformed. (FEAT_RME; DDI 0487 D9.6, D24.2.56, D24.2.57.) */
import type { Random } from '../../support/random.ts';
import { RAM_BASE } from './emulator.ts';
import type { Case, RegisterValues } from './probe.ts';
import { TABLES_BASE } from './prober-a64.ts';
import type { TableSpace } from './table-space.ts';

/** A level 0 entry covers 1 GiB: RAM is one of them. */
const L0_LOG2 = 30;
/** Granules by PGS, and the protected address space by PPS, as far as a table of it fits into a frame. */
const GRANULE_LOG2 = [12, 16, 14] as const;
const PPS_LOG2 = [32, 36, 40, 42, 44] as const;
/** GPIs: no access, Secure, Non-secure, Root, Realm, all. */
const GPIS = [0x0, 0x8, 0x9, 0xa, 0xb, 0xf] as const;
const ANY = 0xf;
/** Values of a level 1 entry for 16 granules open to all. */
const OPEN = 0xffff_ffff_ffff_ffffn;
const BLOCK = 0x1n;
const TABLE = 0x3n;
/** Contiguous entries of 2 MiB. */
const CONTIGUOUS_LOG2 = 21;
/** GPCCR_EL3: checks on, fetches of the table inner shareable and Write-Back. */
const GPC = 1n << 16n;
const FETCHES = (3n << 12n) | (1n << 10n) | (1n << 8n);

const block = (gpi: number): bigint => (BigInt(gpi) << 4n) | BLOCK;

/** The same GPI 16 times. */
const sixteen = (gpi: number): bigint => BigInt(gpi) * 0x1111_1111_1111_1111n;

/** The 16 GPIs of an entry. `closed`: how often it is not open to all. */
function granules(random: Random, own: number, closed: number): bigint {
  if (!random.chance(closed)) return random.chance(0.7) ? OPEN : sixteen(own);
  if (random.chance(0.5)) return sixteen(random.pick(GPIS));
  // Each its own, now and then a value that is reserved: then nothing in the entry is valid.
  let word = 0n;
  for (let at = 0n; at < 64n; at += 4n) {
    const gpi = random.chance(0.01) ? random.between(1, 7) : random.chance(0.8) ? own : random.pick(GPIS);
    word |= BigInt(gpi) << at;
  }
  return word;
}

/** Register values, and where an address has its entry. */
interface PlantedGpt extends Required<Pick<Case, 'granuleEntry'>> {
  readonly registers: Pick<RegisterValues, 'gpccr' | 'gptbr'>;
}

/** Plants a table for accesses to the space of the GPI `own`. The memory of the probing program is open to all. */
export function plantGpt(random: Random, space: TableSpace, own: number): PlantedGpt {
  const pgs = random.between(0, GRANULE_LOG2.length - 1);
  const pps = random.between(0, PPS_LOG2.length - 1);
  const entryLog2 = GRANULE_LOG2[pgs]! + 4;
  const entries = 2 ** (PPS_LOG2[pps]! - L0_LOG2);
  const root = space.frame(Math.max(12, Math.log2(entries) + 3));
  const table = space.frame(L0_LOG2 - entryLog2 + 3);
  for (let i = 0; i < entries; i++) {
    const gpi = random.chance(0.7) ? ANY : random.pick(GPIS);
    space.write(root + i * 8, random.chance(0.9) ? block(gpi) : 0n);
  }
  space.write(root + (RAM_BASE / 2 ** L0_LOG2) * 8, BigInt(table) | TABLE);
  const inRegion = Math.max(1, 2 ** (CONTIGUOUS_LOG2 - entryLog2));
  const closed = random.pick([0.05, 0.15, 0.3]);
  for (let first = 0; first < 2 ** (L0_LOG2 - entryLog2); first += inRegion) {
    const own2 = RAM_BASE + first * 2 ** entryLog2 < TABLES_BASE;
    const contiguous = random.chance(0.1)
      ? block(own2 ? ANY : random.pick([ANY, own, own, random.pick(GPIS)]))
      : undefined;
    for (let i = first; i < first + inRegion; i++) {
      const word = own2 ? OPEN : granules(random, own, closed);
      space.write(table + i * 8, contiguous === undefined ? word : contiguous | 0x100n);
    }
  }
  const gpccr = GPC | FETCHES | (BigInt(pgs) << 14n) | BigInt(pps);
  return {
    registers: { gpccr, gptbr: BigInt(root) >> 12n },
    granuleEntry: (pa) => {
      const at = table + Math.floor((pa - RAM_BASE) / 2 ** entryLog2) * 8;
      return { at, word: space.read(at), granuleLog2: GRANULE_LOG2[pgs]! };
    },
  };
}

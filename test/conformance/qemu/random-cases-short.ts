/** Random cases of the AArch32 regime with short descriptors, as ARMv7 has them. (DDI 0406C B3.5; DDI 0487 G5.4.) */
import type { CpuModel } from '../../../src/walker/index.ts';
import type { Random } from '../../support/random.ts';
import { type Case, NO_REGISTERS, type Probe } from './probe.ts';
import type { TableSpace } from './table-space.ts';

const PATHS = 16;
const LIMIT = 2 ** 32;
const SECTION = 2 ** 20;
const PAGE = 2 ** 12;
/** SCTLR: M, the RES1 bits; AFE and TRE are chosen. */
const SCTLR_ON = 0xc5_0079n;
const AFE = 1n << 29n;
const TRE = 1n << 28n;

/** Makes a case, with its tables in `space`. */
export function randomCaseShort(random: Random, space: TableSpace, cpu: CpuModel, name: string): Case {
  // N = 0 leaves everything to TTBR0; otherwise TTBR1 has what is above 2^(32 - N).
  const n = random.chance(0.3) ? 0 : random.between(1, 7);
  const roots = [space.frame(14 - n), space.frame(14)] as const;
  const ttbr = (root: number): bigint => BigInt(root) | random.bits(7);
  const disabled = random.chance(0.05) ? random.bits(2) << 4n : 0n;
  const registers = {
    ...NO_REGISTERS,
    ttbr0: ttbr(roots[0]),
    ttbr1: ttbr(roots[1]),
    tcr: BigInt(n) | disabled,
    mair: random.word64(),
    dacr: domains(random),
    sctlr: SCTLR_ON | (random.chance(0.4) ? AFE : 0n) | (random.chance(0.5) ? TRE : 0n),
  };
  const probes: Probe[] = [];
  let near: number | undefined;
  for (let path = 0; path < PATHS; path++) {
    const shared = random.pick([12, 16, 20, 24]);
    const fresh = Number(random.bits(32));
    const va =
      near !== undefined && random.chance(0.6) ? near - (near % 2 ** shared) + (fresh % 2 ** shared) : fresh;
    near = va;
    const lower = n === 0 || va < 2 ** (32 - n);
    plant(random, space, lower ? roots[0] : roots[1], va);
    for (const address of [va, va, random.pick([va - (va % PAGE), va + PAGE, va + SECTION]) % LIMIT]) {
      for (const privileged of [true, false]) {
        probes.push({ va: BigInt(address), access: random.chance(0.5) ? 'read' : 'write', privileged });
      }
    }
  }
  return { name, regime: 'pl1&0-short', cpu, registers, probes, scratch: { pa: 0, address: 0 } };
}

/** DACR: no access, client or manager for each domain; 0b10 is reserved. */
function domains(random: Random): bigint {
  let dacr = 0n;
  for (let domain = 0n; domain < 16n; domain++) dacr |= random.pick([0n, 1n, 1n, 1n, 3n]) << (domain * 2n);
  return dacr;
}

/** A section, a supersection, a table of pages, or something invalid at both levels. */
function plant(random: Random, space: TableSpace, root: number, va: number): void {
  const at = root + Math.floor(va / SECTION) * 4;
  const first = space.read32(at);
  if (first === 0) {
    const kind = random.word32() % 16;
    if (kind < 8) {
      const table = random.chance(0.95) ? space.frame(10) : space.anywhere();
      space.write32(at, (table | (random.word32() & 0x3fc) | 1) >>> 0);
    } else if (kind < 15) {
      // Bit 18 makes a supersection, which QEMU and the architecture read with PA[39:36] and PA[35:32] from [8:5] and [23:20].
      const supersection = random.chance(0.2);
      const word = (random.word32() & ~0x4_0003) | 2 | (supersection ? 0x4_0000 : 0);
      space.write32(at, (supersection ? word & ~0xf0_01e0 : word) >>> 0);
    } else {
      space.write32(at, (random.word32() & ~3) >>> 0);
    }
  }
  const word = space.read32(at);
  if ((word & 3) !== 1) return;
  const second = (word & ~0x3ff) >>> 0;
  const entry = second + (Math.floor(va / PAGE) % 256) * 4;
  if (space.holds(entry) && space.read32(entry) === 0) {
    // Large pages are repeated sixteen times; here each entry stands for itself.
    space.write32(entry, ((random.word32() & ~3) | random.pick([0, 1, 2, 2, 2, 3])) >>> 0);
  }
}

/** Random cases of the AArch64 regimes with indirect permissions and MAIR2: registers of FEAT_TCR2 beside those of other cases. (DDI 0487 D8.4.1.3, D8.4.2.2, D8.6.1.) */
import type { Random } from '../../support/random.ts';
import type { Case } from './probe.ts';
import { type RegimeA64, randomCase } from './random-cases-a64.ts';
import { chooseMair } from './random-registers.ts';
import type { TableSpace } from './table-space.ts';

/** VTCR_EL2.S2PIE; TCR2_ELx.PIE and AIE. */
const S2PIE = 1n << 36n;
const PIE = 1n << 1n;
const AIE = 1n << 4n;

/** Fields of a permission register: mostly rights that somebody has. */
function permissions(random: Random, usual: readonly number[]): bigint {
  return Array.from({ length: 16 }, (_, n) => {
    const value = random.chance(0.75) ? random.pick(usual) : random.between(0, 15);
    return BigInt(value) << BigInt(4 * n);
  }).reduce((all, field) => all | field);
}

/** Stage 1: no memory that EL0 writes and EL1 executes, more often than not. Stage 2: S2PIR_EL2. */
const PRIVILEGED = [0x1, 0x5, 0x5, 0x8, 0xc, 0xc, 0xa, 0x6];
const UNPRIVILEGED = [0x0, 0x1, 0x3, 0x5, 0x8, 0xc];
const STAGE2 = [0x8, 0xb, 0xc, 0xc, 0xf, 0xf, 0x2, 0x4];

/** A case whose regime has at least one of these features on. */
export function randomCaseIndirect(random: Random, space: TableSpace, regime: RegimeA64, name: string): Case {
  const made = randomCase(random, space, regime, 'max', name);
  const stage2 = regime === 'el1&0-s2' || regime === 'el1&0-nested';
  const stage1 = regime !== 'el1&0-s2';
  const { vtcr } = made.registers;
  const registers = {
    ...made.registers,
    ...(stage1 && {
      tcr2: (random.chance(0.8) ? PIE : 0n) | (random.chance(0.4) ? AIE : 0n),
      pir: permissions(random, PRIVILEGED),
      pire0: permissions(random, UNPRIVILEGED),
      mair2: chooseMair(random, !stage2),
    }),
    ...(stage2 && { vtcr: random.chance(0.8) ? vtcr | S2PIE : vtcr, s2pir: permissions(random, STAGE2) }),
  };
  return { ...made, registers, extended: true };
}

/**
 * Random cases of a guest hypervisor (HCR_EL2.{NV, NV1} = {1, 1}), of Secure state, and of every state below EL3 under granule protection
 * checks. (DDI 0487 D8.4.1.6, D8.2.6, D9.)
 */
import type { Random } from '../../support/random.ts';
import type { Case, CaseSecurity } from './probe.ts';
import { type RegimeA64, randomCase } from './random-cases-a64.ts';
import { plantGpt } from './random-gpt.ts';
import type { TableSpace } from './table-space.ts';

/** HCR_EL2.NV and NV1. */
const NV1 = 3n << 42n;
/** VSTCR_EL2.{SA, SW}, and at the same place VTCR_EL2.{NSA, NSW}. */
const SPACES = 3n << 29n;
/** Fields of VTCR_EL2 that VSTCR_EL2 has too: SL2, RES1, TG0, SL0, T0SZ. */
const IN_VSTCR = (1n << 33n) | (1n << 31n) | 0xc0ffn;
/** The GPI of a state's own space. */
const OWN_GPI = { secure: 0x8, 'non-secure': 0x9, realm: 0xb } as const;

/** A case of a guest hypervisor. */
export function randomCaseNv1(random: Random, space: TableSpace, regime: RegimeA64, name: string): Case {
  const made = randomCase(random, space, regime, 'max', name);
  return { ...made, registers: { ...made.registers, hcr: made.registers.hcr | NV1 } };
}

/** A case of a state, under a granule protection table of its own if granules are checked. */
export function randomCaseIn(
  random: Random,
  space: TableSpace,
  regime: RegimeA64,
  security: CaseSecurity,
  name: string,
): Case {
  const made = randomCase(random, space, regime, 'max', name);
  const { vtcr, vttbr } = made.registers;
  const nested = regime === 'el1&0-nested' || regime === 'el1&0-s2';
  // One tree serves the IPAs of both spaces.
  const secure = nested &&
    security.state === 'secure' && {
      vsttbr: vttbr,
      vstcr: (vtcr & IN_VSTCR) | (random.bits(2) << 29n),
      vtcr: (vtcr & ~SPACES) | (random.bits(2) << 29n),
    };
  const { registers, ...gpt } = security.checked ? plantGpt(random, space, OWN_GPI[security.state]) : {};
  return { ...made, ...gpt, registers: { ...made.registers, ...secure, ...registers }, security };
}

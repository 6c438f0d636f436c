/** Where QEMU's CPU reads register values otherwise than the architecture. (DDI 0487 D24.2, J1.1.) */
import { cpuFeatures } from '../../../src/walker/cpu.ts';
import type { CpuDeviation } from './deviations-cpu.ts';
import { outputSizeOf } from './sizes.ts';

/** VTCR_EL2.T0SZ; all ones is out of range. */
const T0SZ = 0x3fn;

const hierarchyDisabled: CpuDeviation = {
  name: 'hpd-without-hpds',
  section: 'D24.2.186 TCR_EL1.HPDn: RES0 without FEAT_HPDS',
  text: 'hierarchical permissions are disabled on every CPU',
  view({ case: one, changes }) {
    const bits = one.regime === 'el2' ? 1n << 24n : 3n << 41n;
    if (one.regime.startsWith('pl1')) return undefined;
    if (cpuFeatures(one.cpu).hpds || changes.cpu?.hpds || !(one.registers.tcr & bits)) return undefined;
    return { cpu: { hpds: true } };
  },
};

const noPan3: CpuDeviation = {
  name: 'no-pan3',
  before: 900,
  section: 'FEAT_PAN3, SCTLR_EL1.EPAN',
  text: 'CPU max does not have it yet',
  view({ case: one, probe, changes }) {
    if (!probe.pan || !cpuFeatures(one.cpu).pan3 || changes.cpu?.pan3 === false) return undefined;
    return { cpu: { pan3: false } };
  },
};

/** The largest output size with which a start level does not exist, by SL0 (4: SL2). 16K never starts at level 0. */
function leastOutput(granuleLog2: number, sl: number): number {
  const never = 64;
  if (granuleLog2 === 12) return [0, 0, 42, 0, 48][sl] ?? 0;
  if (granuleLog2 === 14) return [0, 0, 40, never][sl] ?? 0;
  return [0, 0, 42, never][sl] ?? 0;
}

const stage2ByOutputSize: CpuDeviation = {
  name: 'stage-2-start-checked-by-ps',
  before: 1100,
  section:
    'AArch64.S2InvalidSL, S2MinTxSZ: SL0 and T0SZ are limited by the implemented PA size, not by VTCR_EL2.PS',
  text: 'they are limited by the output size of PS, and level -1 is for 52 bits alone: a level 0 fault',
  view({ case: one, probe, changes }) {
    const { vtcr } = { ...one.registers, ...changes.registers };
    if (vtcr === 0n || (vtcr & T0SZ) === T0SZ || one.regime.startsWith('pl1')) return undefined;
    const { granuleLog2, ps, ds, paBits } = outputSizeOf(one.registers, one, probe.va, 2);
    const output = Math.min([32, 36, 40, 42, 44, 48, 52, 52][ps] ?? 52, paBits);
    const sl = Number((vtcr >> 6n) & 3n);
    const sl2 = ds && granuleLog2 === 12 && (vtcr & (1n << 33n)) !== 0n;
    const least = leastOutput(granuleLog2, sl2 ? 4 : sl);
    const iaBits = 64 - Number(vtcr & T0SZ);
    const fits = iaBits <= output && output > least && (!sl2 || iaBits === 52);
    if (fits) return undefined;
    return { registers: { vtcr: vtcr | T0SZ } };
  },
};

const ttbrHigh: CpuDeviation = {
  name: 'ttbr-high-bits-need-ps',
  before: 1100,
  section:
    'AArch64.S1TTBaseAddress, S2TTBaseAddress: with DS = 1, bits [5:2] are BADDR[51:48] whatever the output size',
  text: 'they count only where IPS (PS) says 52 bits',
  view({ case: one, probe, changes }) {
    const registers = { ...one.registers, ...changes.registers };
    const high = 0xfn << 2n;
    for (const stage of [1, 2] as const) {
      const { ds, ps } = outputSizeOf(one.registers, one, probe.va, stage);
      const upper = one.regime !== 'el2' && (probe.va >> 55n) & 1n;
      const name = stage === 2 ? 'vttbr' : upper ? 'ttbr1' : 'ttbr0';
      if (ds && ps !== 6 && registers[name] & high) return { registers: { [name]: registers[name] & ~high } };
    }
    return undefined;
  },
};

/** Every rule about registers. */
export const registerDeviations: readonly CpuDeviation[] = [
  hierarchyDisabled,
  noPan3,
  stage2ByOutputSize,
  ttbrHigh,
];

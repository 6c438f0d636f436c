/** Where QEMU's PAR_EL1 leaves the architecture in memory attributes and shareability. (DDI 0487 D8.6, D24.2.145.) */
import type { Translation } from '../../../src/walker/index.ts';
import type { CpuDeviation, Situation } from './deviations-cpu.ts';
import type { CpuAnswer } from './probe.ts';
import { outputSizeOf } from './sizes.ts';

const PAR_SH = 3n << 7n;
const FWB = 1n << 46n;
const PAR_ATTR = 0xffn << 56n;

const withSh = (answer: CpuAnswer, sh: number): CpuAnswer => ({
  ...answer,
  par: (answer.par & ~PAR_SH) | (BigInt(sh) << 7n),
});
const withAttr = (answer: CpuAnswer, attr: number): CpuAnswer => ({
  ...answer,
  par: (answer.par & ~PAR_ATTR) | (BigInt(attr) << 56n),
});

const attrOf = ({ par }: CpuAnswer): number => Number(par >> 56n);

/** The leaf of a stage. Stage 2 has several walks where stage 1 translates; the last is that of the output. */
function leafOf({ steps }: Translation, stage: 1 | 2): bigint | undefined {
  return steps.findLast((step) => step.stage === stage && (stage === 1 || step.s1Level === undefined))
    ?.descriptor;
}

/** The byte of MAIR that the stage-1 leaf chose, or undefined where stage 1 is off. */
function mairByte({ case: one, result }: Situation): number | undefined {
  const leaf = result.ok ? leafOf(result, 1) : undefined;
  if (leaf === undefined || one.regime === 'pl1&0-short') return undefined;
  const { mair, mair2, tcr2 } = one.registers;
  // TCR2_ELx.AIE: bit 59 is AttrIndx[3].
  const types = tcr2 & (1n << 4n) && leaf & (1n << 59n) ? mair2 : mair;
  return Number((types >> (((leaf >> 2n) & 7n) * 8n)) & 0xffn);
}

/** SH of a stage as it stands: in the descriptor, or with DS = 1 in TCR or VTCR. */
function rawShareability({ case: one, probe, result }: Situation, stage: 1 | 2): number | undefined {
  const leaf = result.ok ? leafOf(result, stage) : undefined;
  if (leaf === undefined || one.regime === 'pl1&0-short') return undefined;
  const { tcr, vtcr } = one.registers;
  if (!outputSizeOf(one.registers, one, probe.va, stage).ds) return Number((leaf >> 8n) & 3n);
  if (stage === 2) return Number((vtcr >> 12n) & 3n);
  const upper = one.regime !== 'el2' && (probe.va >> 55n) & 1n;
  return Number((tcr >> (upper ? 28n : 12n)) & 3n);
}

const rawSh: CpuDeviation = {
  name: 'par-sh-is-the-descriptors',
  before: 800,
  section:
    'D24.2.145 PAR_EL1.SH: Device and Non-cacheable memory reports outer shareable; EffectiveShareability',
  text: "PAR.SH is the descriptor's (or TCR's) SH, whatever the memory type",
  answer(situation, answer) {
    if (!situation.result.ok || situation.result.stage2) return undefined;
    const sh = rawShareability(situation, 1);
    return sh === undefined ? undefined : withSh(answer, sh);
  },
};

const reservedShReported: CpuDeviation = {
  name: 'reserved-sh-is-reported',
  since: 800,
  section:
    'D8.6.2: SH = 0b01 is reserved, its behaviour CONSTRAINED UNPREDICTABLE; of reserved MAIR encodings anything may be said',
  text: "PAR.SH is the descriptor's (or TCR's) SH unless MAIR says Device or Normal Non-cacheable, 0x40 among them",
  answer(situation, answer) {
    if (!situation.result.ok || situation.result.stage2) return undefined;
    const sh = rawShareability(situation, 1);
    const byte = mairByte(situation);
    if (sh === undefined || byte === undefined) return undefined;
    return withSh(answer, byte < 0x10 || byte === 0x40 || byte === 0x44 ? 2 : sh);
  },
};

const reservedMair: CpuDeviation = {
  name: 'reserved-mair',
  section:
    'D24.2.110 MAIR_EL1: reserved encodings are UNPREDICTABLE; XS and Tagged ones belong to FEAT_XS and FEAT_MTE2',
  text: 'PAR.ATTR is the byte of MAIR as it stands',
  answer(situation, answer) {
    if (!situation.result.ok || situation.result.stage2) return undefined;
    const byte = mairByte(situation);
    return byte === undefined ? undefined : withAttr(answer, byte);
  },
};

/** SH[1:0] of two stages together where 0b01 counts as Non-shareable. */
function combinedSh(s1: number, s2: number): number {
  for (const stronger of [2, 3]) if (s1 === stronger || s2 === stronger) return stronger;
  return 0;
}

const reservedSh: CpuDeviation = {
  name: 'reserved-sh-is-non-shareable',
  section: 'D8.6.2: SH = 0b01 is reserved, its behaviour CONSTRAINED UNPREDICTABLE',
  text: 'where stage 2 takes part, 0b01 is Non-shareable',
  answer(situation, answer) {
    const s2 = rawShareability(situation, 2);
    const attr = attrOf(answer);
    if (s2 === undefined || attr < 0x10 || attr === 0x44) return undefined;
    return withSh(answer, combinedSh(rawShareability(situation, 1) ?? 0, s2));
  },
};

/** MemAttr[3:0] of the stage-2 leaf. */
function memAttr({ result }: Situation): number | undefined {
  const leaf = result.ok ? leafOf(result, 2) : undefined;
  return leaf === undefined ? undefined : Number((leaf >> 2n) & 0xfn);
}

const forcedWriteBackReserved: CpuDeviation = {
  name: 'fwb-reserved-bit',
  before: 1100,
  section: 'D8.6.6: with FWB, MemAttr[3] is RES0 (or FEAT_MTE_PERM) and does not change the type',
  text: 'MemAttr[3] = 1 is Device-nGnRnE',
  answer(situation, answer) {
    if (!(situation.case.registers.hcr & FWB) || ((memAttr(situation) ?? 0) & 8) === 0) return undefined;
    return withSh(withAttr(answer, 0), 2);
  },
};

const forcedDeviceReserved: CpuDeviation = {
  name: 'fwb-reserved-bit-of-device',
  since: 1100,
  section: forcedWriteBackReserved.section,
  text: 'MemAttr[3:2] = 0b10 is Device-nGnRnE',
  answer(situation, answer) {
    if (!(situation.case.registers.hcr & FWB) || ((memAttr(situation) ?? 0) & 0b1100) !== 0b1000)
      return undefined;
    return withSh(withAttr(answer, 0), 2);
  },
};

const noTagAccess: CpuDeviation = {
  name: 'fwb-no-tag-access-keeps-stage-1',
  since: 1100,
  section:
    'D8.6.6: with FWB, MemAttr 0b1110 is Write-Back as 0b0110 is (FEAT_MTE_PERM: without access to tags)',
  text: "the type is stage 1's, as of 0b0111",
  answer(situation, answer) {
    const s1 = mairByte(situation);
    const forced = (situation.case.registers.hcr & FWB) !== 0n && memAttr(situation) === 0b1110;
    return forced && s1 !== undefined ? withAttr(answer, s1) : undefined;
  },
};

const forcedDevice: CpuDeviation = {
  name: 'fwb-device-replaces-stage-1',
  section: 'AArch64.S2ApplyFWBMemAttrs: Device at both stages is the stronger of the two types',
  text: "with FWB it is stage 2's type",
  answer(situation, answer) {
    const s2 = memAttr(situation);
    if (!(situation.case.registers.hcr & FWB) || s2 === undefined || s2 & 0b1100) return undefined;
    return withAttr(answer, s2 << 2);
  },
};

const WRITE_THROUGH = 0b10;

/** MemAttr[3:0] of stage 2 as MAIR nibbles: Device types as they are, Non-cacheable 4, Write-Through 0xb, Write-Back 0xf. */
function stage2Nibbles(field: number): { readonly outer: number; readonly inner: number } {
  const nibble = (policy: number): number => (policy === 1 ? 4 : (policy << 2) | 3);
  const [outer, inner] = [field >> 2, field & 3];
  return outer === 0 ? { outer: 0, inner: inner << 2 } : { outer: nibble(outer), inner: nibble(inner) };
}

const transientLost: CpuDeviation = {
  name: 'transient-lost-under-write-through',
  section:
    'S2CombineS1MemAttrs, S2CombineS1AttrHints: the transient hint of stage 1 stays where stage 2 makes it Write-Through',
  text: 'Write-Back transient under stage-2 Write-Through is Write-Through, not transient',
  answer(situation, answer) {
    const s1 = mairByte(situation);
    const s2 = memAttr(situation);
    if (s1 === undefined || s2 === undefined || situation.case.registers.hcr & FWB || s1 < 0x10)
      return undefined;
    const { outer, inner } = stage2Nibbles(s2);
    if (outer === 0) return undefined;
    const combined = (first: number, second: number, now: number): number =>
      first >> 2 === 0b01 && (first & 3) !== 0 && second >> 2 === WRITE_THROUGH ? 8 | (first & 3) : now;
    const attr = attrOf(answer);
    return withAttr(answer, (combined(s1 >> 4, outer, attr >> 4) << 4) | combined(s1 & 15, inner, attr & 15));
  },
};

const deviceMeetsNormal: CpuDeviation = {
  name: 'device-takes-inner-nibble',
  section: 'S2CombineS1MemAttrs: Device at one stage and Normal at the other is that Device type',
  text: "the strongest of the Device type and the other stage's inner nibble, read as a Device type",
  answer(situation, answer) {
    const s1 = mairByte(situation);
    const s2 = memAttr(situation);
    if (s1 === undefined || s2 === undefined || situation.case.registers.hcr & FWB) return undefined;
    const { outer, inner } = stage2Nibbles(s2);
    if (s1 >> 4 !== 0 && outer !== 0) return undefined;
    // 0xf0 is Tagged Write-Back.
    const nibbles = [s1 === 0xf0 ? 15 : s1 & 15, inner];
    return withAttr(answer, [0, 4, 8].find((type) => nibbles.includes(type)) ?? 12);
  },
};

/** Every rule about PAR's attribute fields. */
export const attributeDeviations: readonly CpuDeviation[] = [
  rawSh,
  reservedShReported,
  reservedMair,
  forcedWriteBackReserved,
  forcedDeviceReserved,
  noTagAccess,
  forcedDevice,
  transientLost,
  deviceMeetsNormal,
  reservedSh,
];

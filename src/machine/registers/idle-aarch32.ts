/** Bits of AArch32's registers that have no part in an answer: what is for the other form of descriptors, or reserved. (DDI 0487 G8.2.) */
import { type FieldBits, isSet, maskOf, read } from '../../arch/read.ts';
import { type Regime, traitsOf } from '../../arch/regimes.ts';
import { HTTBR, M4U_TTBR, TTBR_LONG, VTTBR } from '../../arch/registers/aarch32-base.ts';
import { HCR, HTCR, M4U_TTBCR, SCTLR, TTBCR, VTCR } from '../../arch/registers/aarch32-control.ts';
import { bitsWithout, holesOf, type Idle, reserved, UPPER_HALF, type ValueOf } from './idle.ts';

/** All of them, by what the regime reads. */
export function aarch32Of(regime: Regime, value: ValueOf): Idle[] {
  const { registers, stage1, descriptors } = traitsOf(regime);
  return [
    ...(stage1 && registers.tcr === TTBCR.name ? ofTtbcr(regime, value) : []),
    ...(stage1 && descriptors !== 'long' ? regionsOf(regime, value) : []),
    ...[HTCR, HTTBR, VTCR, VTTBR].filter(({ name }) => Object.values(registers).includes(name)).map(reserved),
    ...[HTCR, VTCR].map(({ name, fields: { HWU62, HWU59 } }) => ({
      register: name,
      fields: [{ high: HWU62.high, low: HWU59.low }],
      why: 'they say what hardware may use for itself',
    })),
    {
      register: HCR.name,
      fields: [HCR.fields.PTW, HCR.fields.TGE],
      why: !stage1 && 'they are for walks of stage 1',
    },
  ];
}
const NORMAL = 2;
const REGIONS = [0, 1, 2, 3, 4, 5, 6, 7];

/** PRRR, and NMRR above it: what they say of regions that are not Normal memory, and of Device memory, which is always shareable. (G8.2.) */
function regionsOf(regime: Regime, value: ValueOf): Idle[] {
  const { mair: register, tcr } = traitsOf(regime).registers;
  if (traitsOf(regime).descriptors !== 'mtk' && isSet(value(tcr), TTBCR.fields.EAE)) return [];
  const typeOf = (region: number) => read(value(register), { high: 2 * region + 1, low: 2 * region });
  const others = REGIONS.filter((region) => typeOf(region) < NORMAL);
  const bits = (from: number, region: number, width: number): FieldBits => {
    const low = from + region * width;
    return { high: low + width - 1, low };
  };
  return [
    { register, fields: [{ high: 23, low: 20 }], why: 'they are reserved' },
    {
      register,
      fields: [{ high: 17, low: 16 }],
      why: 'Device memory is shareable, whatever PRRR.DS0 and DS1 say',
    },
    {
      register,
      fields: others.flatMap((region) => [bits(24, region, 1), bits(32, region, 2), bits(48, region, 2)]),
      why: `regions ${others.join(', ')} are not Normal memory`,
    },
    {
      register,
      fields: REGIONS.filter((region) => typeOf(region) > NORMAL).map((region) => bits(0, region, 2)),
      why: 'type 0b11 of PRRR is reserved, and taken as Normal',
    },
  ];
}

/** A MediaTek M4U, which reads PRRR, NMRR, TRE and the size of its one table. */
export function mediatekOf(regime: Regime, value: ValueOf): Idle[] {
  const { ttbr0, tcr, sctlr } = traitsOf(regime).registers;
  const { C, I } = SCTLR.fields;
  return [
    {
      register: ttbr0,
      fields: holesOf({ ...M4U_TTBR, width: 64 }),
      why: 'the base is bits 31 to 14, and 2 to 0',
    },
    { register: tcr, fields: holesOf(M4U_TTBCR), why: 'they are reserved' },
    { register: sctlr, fields: [C, I], why: "they are a PE's" },
    ...regionsOf(regime, value),
  ];
}

/** TTBCR, whose EAE chooses between short descriptors and long ones. */
function ofTtbcr(regime: Regime, value: ValueOf): Idle[] {
  const { registers } = traitsOf(regime);
  const { ttbr0, ttbr1, tcr: control } = registers;
  const ttbcr = value(control);
  const { EAE, A1, PD0, PD1, N, T2E } = TTBCR.fields;
  if (!isSet(ttbcr, EAE)) {
    const read = maskOf(EAE) | maskOf(PD0) | maskOf(PD1) | maskOf(N);
    const { 2: reservedBit } = [0, 1, 2].map((bit) => ({ high: bit, low: bit }));
    return [
      {
        register: control,
        fields: bitsWithout(read, TTBCR.width),
        why: 'they are for long descriptors, or reserved',
      },
      { register: ttbr0, fields: [reservedBit!], why: 'they are reserved' },
      { register: ttbr1, fields: [reservedBit!], why: 'they are reserved' },
    ];
  }
  const { TRE, AFE } = SCTLR.fields;
  const [chosen, other] = isSet(ttbcr, A1) ? [ttbr1, ttbr0] : [ttbr0, ttbr1];
  return [
    { register: ttbr0, fields: [UPPER_HALF], why: 'they are reserved' },
    { register: ttbr1, fields: [UPPER_HALF], why: 'they are reserved' },
    {
      register: other,
      fields: [TTBR_LONG.fields.ASID],
      why: `the ASID is ${chosen}'s (TTBCR.A1 = ${Number(isSet(ttbcr, A1))})`,
    },
    { register: control, fields: [PD0, PD1], why: 'they are for short descriptors' },
    { register: control, fields: [T2E, ...holesOf(TTBCR)], why: 'they are reserved, or for TTBCR2' },
    { register: registers.sctlr, fields: [TRE, AFE], why: 'they are for short descriptors' },
  ];
}

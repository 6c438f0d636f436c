/** The registers that a walk of a regime needs, and the values assumed for registers that were not given. (DDI 0487 D8.2.12, G5.2.) */
import { isSet } from '../../arch/read.ts';
import type { RegisterName } from '../../arch/regime-table.ts';
import { type Regime, traitsOf } from '../../arch/regimes.ts';
import { SCTLR, TTBCR } from '../../arch/registers/aarch32-control.ts';
import { TCR2_EL1 } from '../../arch/registers/extended.ts';
import { GPCCR_EL3 } from '../../arch/registers/granule-protection.ts';
import { SCTLR_EL1 } from '../../arch/registers/sctlr.ts';
import { HCR_EL2, VTCR_EL2 } from '../../arch/registers/stage2.ts';
import { TCR_EL3 } from '../../arch/registers/tcr.ts';
import { tcr2Closed } from '../../walker/params/extended.ts';
import { RegisterError } from './errors.ts';

const { VM, DC, TGE } = HCR_EL2.fields;
const { M } = SCTLR_EL1.fields;

type Registers = Readonly<Record<string, bigint>>;

/** Whether HCR switches stage 2 off: it was given, and neither VM nor DC is set. */
function stage2Off(regime: Regime, { hcr }: Registers): boolean {
  return traitsOf(regime).stage2 && hcr !== undefined && !isSet(hcr, VM) && !isSet(hcr, DC);
}

/** Whether SCTLR or HCR switches stage 1 off, or there is none. */
function stage1Off(regime: Regime, { sctlr, hcr }: Registers): boolean {
  const { stage1, stage2 } = traitsOf(regime);
  if (!stage1) return true;
  if (sctlr !== undefined && !isSet(sctlr, M)) return true;
  return stage2 && hcr !== undefined && (isSet(hcr, DC) || isSet(hcr, TGE));
}

/** Registers that have no effect because their stage is off. */
export function stagesOff(regime: Regime, registers: Registers): string[] {
  return [
    ...(stage1Off(regime, registers) ? ['TCR2_EL1', 'TCR2_EL2', 'TCR_EL3', 'TTBCR2'] : []),
    ...(stage2Off(regime, registers) ? ['VTCR_EL2', 'HCR2'] : []),
  ];
}

/** Registers of indirect permissions and overlays. If these are on and their registers are 0, nobody may do anything. */
function permissionRegisters(regime: Regime, registers: Registers): RegisterName[] {
  const { el } = traitsOf(regime);
  const { tcr = 0n, tcr2 = 0n, vtcr = 0n, hcrx, scr_el3: scr } = registers;
  const closed =
    tcr2Closed(el, hcrx, { state: 'non-secure', ...(scr !== undefined && { scr }) }) !== undefined;
  const first = !stage1Off(regime, registers) && !closed;
  const { PIE, POE, E0POE } = TCR2_EL1.fields;
  const control = el === 3 ? TCR_EL3.fields : { PIE, POE };
  const value = el === 3 ? tcr : tcr2;
  const second = !stage2Off(regime, registers);
  const { S2PIE, S2POE } = VTCR_EL2.fields;
  const needed: readonly (readonly [boolean, readonly RegisterName[]])[] = [
    [first && isSet(value, control.PIE), ['pir', 'pire0']],
    [first && isSet(value, control.POE), ['por']],
    [first && el !== 3 && isSet(value, E0POE), ['por0']],
    [second && isSet(vtcr, S2PIE), ['s2pir']],
    [second && isSet(vtcr, S2PIE) && isSet(vtcr, S2POE), ['s2por']],
  ];
  return needed.flatMap(([isOn, names]) => (isOn ? names : []));
}

/** @throws RegisterError that names the registers that are missing. */
export function checkComplete(regime: Regime, registers: Registers): void {
  const { descriptors, registers: manual } = traitsOf(regime);
  const has = (slot: string) => registers[slot] !== undefined;
  const needed: RegisterName[] = [];
  const first = !stage1Off(regime, registers);
  if (first && !has('ttbr0') && !has('ttbr1')) needed.push('ttbr0');
  if (traitsOf(regime).stage2 && !stage2Off(regime, registers)) {
    // If there are only Secure IPAs, stage 2 does not use VTTBR_EL2.
    if (!has('vsttbr')) needed.push('vttbr');
    needed.push('vtcr');
  }
  // TTBCR of short descriptors is usually 0, so 0 is assumed and reported.
  if (first && descriptors !== 'short' && descriptors !== 'mtk' && manual.tcr) needed.push('tcr');
  needed.push(...permissionRegisters(regime, registers));
  const missing = needed.filter((slot) => !has(slot) && manual[slot] !== undefined);
  if (missing.length === 0) return;
  const names = missing.map((slot) => `--${slot}`).join(' and ');
  const called = missing.map((slot) => manual[slot]).join(' and ');
  const rule = `${regime} can't be walked without ${names} (${called})`;
  throw new RegisterError('missing', rule, {
    remedy:
      traitsOf(regime).stage1 && missing.every((slot) => slot.startsWith('v'))
        ? 'give them, or ask for --stage 1 only'
        : undefined,
  });
}

/** Registers that were given and that short descriptors make no use of, and why. (DDI 0487 G5.4.1, G5.7.2.) */
export function unusedByShort(regime: Regime, registers: Registers): { slot: string; why: string }[] {
  const { descriptors } = traitsOf(regime);
  const { tcr = 0n, sctlr } = registers;
  const short = descriptors === 'short' || (descriptors === 'long or short' && !isSet(tcr, TTBCR.fields.EAE));
  if (!short) return [];
  return [
    { slot: 'ttbr1', unused: !isSet(tcr, TTBCR.fields.N), why: 'not read: TTBCR.N = 0' },
    {
      slot: 'mair',
      unused: sctlr !== undefined && !isSet(sctlr, SCTLR.fields.TRE),
      why: 'not read: SCTLR.TRE = 0',
    },
  ].filter(({ slot, unused }) => unused && registers[slot] !== undefined);
}

/** What else was not given, and the values assumed for it. */
export function assumptions(regime: Regime, registers: Registers): string[] {
  return [...ofStages(regime, registers), ...ofGranules(registers)];
}

function ofGranules({ gpccr, gptbr }: Registers): string[] {
  if (gpccr === undefined && gptbr !== undefined)
    return ['GPCCR_EL3 is not given: granule protection checks are taken to be off'];
  const on = gpccr !== undefined && isSet(gpccr, GPCCR_EL3.fields.GPC);
  return on && gptbr === undefined ? ['GPTBR_EL3 is not given: its table is taken to be at 0'] : [];
}

function ofStages(regime: Regime, registers: Registers): string[] {
  const { registers: manual, descriptors, stage1, stage2 } = traitsOf(regime);
  const has = (slot: string) => registers[slot] !== undefined;
  const said: string[] = [];
  if (stage1 && manual.sctlr && !has('sctlr')) {
    said.push(
      `${manual.sctlr} is not given: stage 1 is taken to be on (M = 1), tables to be little-endian (EE = 0)`,
    );
  }
  if (stage1Off(regime, registers) && stage1) return said;
  if (stage1 && (descriptors === 'short' || descriptors === 'mtk') && !has('tcr')) {
    said.push(`${manual.tcr} is not given: it is taken as 0`);
  }
  if (stage1 && manual.dacr && descriptors === 'short' && !has('dacr')) {
    said.push('DACR is not given: it is taken as 0, which gives no domain access');
  }
  if (stage1 && manual.mair && !has('mair') && descriptors === 'long') {
    said.push(`${manual.mair} is not given: memory types are not known, AttrIndx is shown in their place`);
  }
  if (stage2 && !has('hcr')) {
    said.push(
      stage1
        ? `${manual.hcr} is not given: stage 2 is taken to be on (VM = 1), FWB and PTW to be 0`
        : `${manual.hcr} is not given: stage 2 is taken to be on (VM = 1), FWB to be 0; memory types are those of stage 2`,
    );
  }
  return said;
}

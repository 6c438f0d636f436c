/** Reports register bits that make Normal memory Non-cacheable, and their effect on the walk's own accesses. (DDI 0487 D24.2.175 to D24.2.177, D24.2.62, G8.2.126.) */
import { isAArch32Stage, type MachineRegime, type Regime, traitsOf } from '../arch/regimes.ts';
import { decodeShortCacheability } from '../walker/attributes.ts';
import { cacheControls } from '../walker/cacheability.ts';
import type { CacheControl } from '../walker/types.ts';
import type { CacheDisable, StageDescription, WalkAttributes } from './types.ts';

const SECTIONS = { 1: 'DDI 0487 D24.2.175', 2: 'DDI 0487 D24.2.176', 3: 'DDI 0487 D24.2.177' } as const;
const RULES: Readonly<Record<CacheControl, string>> = {
  'SCTLR.C': 'data accesses to Normal memory, and the walks of this stage, are Non-cacheable',
  'SCTLR.I': 'instruction fetches from Normal memory are Non-cacheable',
  'HCR.CD': 'data accesses to Normal memory, and all walks, are Non-cacheable',
  'HCR.ID': 'instruction fetches from Normal memory are Non-cacheable',
};

/** The manual's name for a control in a regime: `SCTLR_EL2.C`. */
export function cacheControlName(control: CacheControl, regime: MachineRegime): string {
  const { registers } = traitsOf(regime);
  const [register, field] = control.split('.');
  return `${(register === 'SCTLR' ? registers.sctlr : registers.hcr) ?? register}.${field}`;
}

function told(control: CacheControl, regime: Regime): CacheDisable {
  const { el = 1 } = traitsOf(regime);
  const ofStage1 = control.startsWith('SCTLR');
  const aarch64 = ofStage1 ? SECTIONS[el] : 'DDI 0487 D24.2.62';
  return {
    field: cacheControlName(control, regime),
    value: ofStage1 ? 0n : 1n,
    rule: RULES[control],
    section: isAArch32Stage(regime, ofStage1 ? 1 : 2) ? 'DDI 0487 G8.2.126' : aarch64,
  };
}

const NON_CACHEABLE: WalkAttributes = {
  inner: decodeShortCacheability(0),
  outer: decodeShortCacheability(0),
  shareability: 'outer',
};

/** Adds to the stage what makes its memory Non-cacheable, and changes the attributes of its walks accordingly. */
export function withUncached(
  stage: StageDescription,
  regime: Regime,
  values: { readonly sctlr: bigint; readonly hcr: bigint },
): StageDescription {
  const controls = cacheControls(regime, values);
  const own = controls.filter((control) => control.startsWith('SCTLR') === (stage.stage === 1));
  // Stage 2 translates the addresses that stage-1 walks read.
  const walks = controls.includes('HCR.CD') || own.includes('SCTLR.C');
  if (own.length === 0 && !walks) return stage;
  return {
    ...stage,
    ranges: walks
      ? stage.ranges.map((range) => (range.walks ? { ...range, walks: NON_CACHEABLE } : range))
      : stage.ranges,
    ...(own.length > 0 && { uncached: own.map((control) => told(control, regime)) }),
  };
}

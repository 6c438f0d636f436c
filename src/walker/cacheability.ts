/**
 * Registers that make Normal memory Non-cacheable: SCTLR_ELx.C and I at stage 1, HCR_EL2.CD and ID at stage 2 of EL1&0. Attributes in
 * the style of PAR do not include their effect. (DDI 0487 D24.2.175 to D24.2.177, D24.2.62; G8.2.126; J1.1 AArch64.S1TreatAsNormalNC, S2TreatAsNormalNC.)
 */
import { isSet } from '../arch/read.ts';
import { isAArch32Stage, isPe, isStage2Alone, type Regime, traitsOf } from '../arch/regimes.ts';
import { SCTLR_EL1 } from '../arch/registers/sctlr.ts';
import { HCR_EL2 } from '../arch/registers/stage2.ts';
import { isNonCacheable, type MemoryRegion, nonCacheable } from './attributes.ts';
import { isHost, stage2Enabled } from './regime-params.ts';
import type { CacheControl, EffectiveRegion } from './types.ts';

/** SCTLR, HSCTLR and the others have them in the same bits; AArch32's HCR has neither CD nor ID. */
const { C, I } = SCTLR_EL1.fields;
const { DC, CD, ID } = HCR_EL2.fields;

/** Replaces the attributes of a stage-2 leaf if there is no stage 2. */
const NO_STAGE2 = -1;

/** The controls in force, and their effect on memory, which is computed once for each pair of regions. */
export class ControlsInForce {
  readonly #controls: readonly CacheControl[];
  readonly #xs: boolean;
  /** By stage-1 region, then by the attributes of stage 2 and the kind of access; null: no control changes it. */
  readonly #known = new Map<MemoryRegion, Map<number, EffectiveRegion | null>>();

  /** @param xs - the XS attribute exists. */
  constructor(controls: readonly CacheControl[], xs: boolean) {
    this.#controls = controls;
    this.#xs = xs;
  }

  /** {@link effectiveRegion}. `attributeKey` stands for the stage-2 leaf that `combine` combines with. */
  effective(
    region: MemoryRegion,
    fetch: boolean,
    attributeKey = NO_STAGE2,
    combine?: (s1: MemoryRegion) => MemoryRegion,
  ): EffectiveRegion | undefined {
    let row = this.#known.get(region);
    if (row === undefined) {
      row = new Map();
      this.#known.set(region, row);
    }
    const key = attributeKey * 2 + Number(fetch);
    let found = row.get(key);
    if (found === undefined) {
      found = effectiveRegion(this.#controls, this.#xs, region, fetch, combine) ?? null;
      row.set(key, found);
    }
    return found ?? undefined;
  }
}

/** The controls in force, from register values. Only PEs have them, streams do not. */
export function cacheControls(
  regime: Regime,
  { sctlr, hcr }: { readonly sctlr: bigint; readonly hcr: bigint },
): readonly CacheControl[] {
  if (!isPe(regime)) return [];
  const found: CacheControl[] = [];
  // At EL1 the default memory of HCR.DC is cacheable whatever SCTLR says. With {E2H, TGE} = {1, 1}, SCTLR_EL1 has no effect.
  const overridden = traitsOf(regime).el === 1 && (isSet(hcr, DC) || isHost(regime, hcr));
  if (!isStage2Alone(regime) && !overridden) {
    if (!isSet(sctlr, C)) found.push('SCTLR.C');
    if (!isSet(sctlr, I)) found.push('SCTLR.I');
  }
  if (stage2Enabled(regime, { hcr }) && !isAArch32Stage(regime, 2)) {
    if (isSet(hcr, CD)) found.push('HCR.CD');
    if (isSet(hcr, ID)) found.push('HCR.ID');
  }
  return found;
}

/**
 * The memory as an access sees it, or undefined if no control changes it. `combine` applies stage 2 to a stage-1 region:
 * forced Write-Back makes even memory that is Non-cacheable at stage 1 Write-Back.
 */
function effectiveRegion(
  controls: readonly CacheControl[],
  xs: boolean,
  region: MemoryRegion,
  fetch: boolean,
  combine: ((s1: MemoryRegion) => MemoryRegion) | undefined,
): EffectiveRegion | undefined {
  const by: CacheControl[] = [];
  const limited = (one: MemoryRegion, control: CacheControl): MemoryRegion => {
    if (!controls.includes(control) || one.attributes.type === 'device' || isNonCacheable(one)) return one;
    by.push(control);
    return nonCacheable(one, xs);
  };
  const own = limited(region, fetch ? 'SCTLR.I' : 'SCTLR.C');
  // Under stage 2 the descriptor's shareability is combined later. (Hardware may treat it as outer shareable at this point already.)
  const first = combine === undefined ? own : { ...own, shareability: region.shareability };
  const last = combine === undefined ? first : limited(combine(first), fetch ? 'HCR.ID' : 'HCR.CD');
  if (by.length === 0 || (combine !== undefined && isSame(last, combine(region)))) return undefined;
  return { attributes: last.attributes, shareability: last.shareability, by };
}

function isSame(a: MemoryRegion, b: MemoryRegion): boolean {
  return a.attributes.byte === b.attributes.byte && a.shareability === b.shareability;
}

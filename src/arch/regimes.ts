/** Translation regimes by name, and questions about them. (DDI 0487 D8.1.2, G5.1; IHI 0070 3.3.) */
import { REGIMES, type RegimeTraits } from './regime-table.ts';

/** A regime of a PE or GPU, or the stages of an SMMUv3's stream. */
export type MachineRegime = keyof typeof REGIMES;

/** A regime that the walker walks with register values: all except those of streams. */
export type Regime = Exclude<MachineRegime, `smmuv3-${string}`>;

/** The names of all regimes: those of the walker and those of SMMUv3 streams. */
export const machineRegimes = Object.keys(REGIMES) as readonly MachineRegime[];

/** The names of the walker's regimes. */
export const regimes = machineRegimes.filter((name): name is Regime => !isStream(name));

/** Whether the walker has a regime of exactly this name. */
export function isRegime(name: string): name is Regime {
  return regimes.some((known) => known === name);
}

/** The traits of a regime. */
export function traitsOf(regime: MachineRegime): RegimeTraits {
  return REGIMES[regime];
}

/** A stream of an SMMUv3. */
export function isStream(regime: MachineRegime): regime is Exclude<MachineRegime, Regime> {
  return traitsOf(regime).architecture === 'SMMU';
}

/** Stage 1 under stage 2. */
export function isNested(regime: MachineRegime): boolean {
  const { stage1, stage2 } = traitsOf(regime);
  return stage1 && stage2;
}

/** Only stage 2: the input address is an IPA. */
export function isStage2Alone(regime: MachineRegime): boolean {
  return !traitsOf(regime).stage1;
}

/** A regime of a PE: not of an SMMU's stream, a GPU, or a RISC-V hart. */
export function isPe(regime: MachineRegime): boolean {
  const { architecture } = traitsOf(regime);
  return architecture === 'AArch64' || architecture === 'AArch32';
}

/** AArch32, with long or short descriptors. */
export function isAArch32(regime: MachineRegime): boolean {
  return traitsOf(regime).architecture === 'AArch32';
}

/** The tables of a stage are AArch32's. Under the stage 2 of an AArch64 hypervisor stage 1 alone is. */
export function isAArch32Stage(regime: MachineRegime, stage: 1 | 2): boolean {
  return stage === 1
    ? isAArch32(regime)
    : traitsOf(regime).registers.vttbr === REGIMES['pl1&0-s2'].registers.vttbr;
}

/** `EL1&0`, `el1-0`, `el10` and `EL1_0` alike. */
const plain = (name: string) => name.toLowerCase().replace(/[\s&_]|-(?=0)/g, '');

/** The regime that people mean by a name, in any case, with or without `&`: `EL1`, `el1&0`, `el10`, `el2-0`, `vhe`. Undefined: none. */
export function regimeNamed(name: string): MachineRegime | undefined {
  const wanted = plain(name);
  return machineRegimes.find(
    (regime) => plain(regime) === wanted || REGIMES[regime].aliases.some((alias) => plain(alias) === wanted),
  );
}

/** All streams of an SMMUv3, whichever stages translate. */
const ANY_STREAM = /^smmu(?:v3)?$/i;

/** The regimes that people mean by a name: one, or with `smmuv3` those of all its streams. Empty: none. */
export function regimesNamed(name: string): readonly MachineRegime[] {
  if (ANY_STREAM.test(name)) return machineRegimes.filter(isStream);
  const found = regimeNamed(name);
  return found === undefined ? [] : [found];
}

/**
 * The layout for decoding a word: Arm's own descriptors as hardware reads them, others as the driver's format
 * (`--format` by name) writes them.
 */
import {
  type DescriptorPlace,
  descriptorLayout,
  type EntryKind,
  featuresInUse,
} from '../../arch/descriptors/index.ts';
import type { DescriptorKind } from '../../arch/regime-table.ts';
import { isAArch32, isAArch32Stage, type MachineRegime, traitsOf } from '../../arch/regimes.ts';
import type { DescriptorLayout } from '../../descriptor/index.ts';
import { placeOfReader, type Reader } from '../../lint/layout.ts';
import type { TableFormat } from '../../pagetable/format.ts';

/** Formats whose descriptors are Arm's own. */
const HARDWARE: Readonly<Record<string, Pick<DescriptorPlace, 'format' | 'stage'>>> = {
  arm_64_lpae_s1: { format: 'long', stage: 1 },
  arm_64_lpae_s2: { format: 'long', stage: 2 },
  arm_v7s: { format: 'short', stage: 1 },
};
/** The same for a regime of AArch32. */
const AARCH32: typeof HARDWARE = {
  arm_32_lpae_s1: { format: 'long', stage: 1 },
  arm_32_lpae_s2: { format: 'long', stage: 2 },
};

/**
 * @param run - an entry of a supersection, a large page or a range of RISC-V.
 * @param by - the regime that reads it, if known.
 * @param turnedOn - features that registers turn on, `FEAT_S1PIE`: bits of Arm's own descriptors then mean something else.
 */
export function layoutFor(
  format: TableFormat,
  kind: EntryKind,
  level: number,
  run = false,
  by?: Reader,
  turnedOn: readonly string[] = [],
): DescriptorLayout {
  const hardware = HARDWARE[format.name] ?? (by && AARCH32[format.name]);
  if (hardware === undefined) return format.layout(kind, level, run);
  const { granuleLog2, features = [] } = format;
  const place = {
    ...hardware,
    kind,
    level,
    granuleLog2,
    run,
    ds: features.includes('lpa2'),
    ...featuresInUse(turnedOn),
  };
  if (by === undefined) return descriptorLayout(place);
  const isMtk = traitsOf(by.regime).descriptors === 'mtk';
  return descriptorLayout({ ...place, ...placeOfReader(by, place.stage), ...(isMtk && { format: 'mtk' }) });
}

/** The formats whose descriptors a regime reads, one for each stage. */
export function formatsOf(regime: MachineRegime): string[] {
  const { stage1, stage2, descriptors } = traitsOf(regime);
  const bits = isAArch32(regime) ? 32 : 64;
  const second = isAArch32Stage(regime, 2) ? 32 : 64;
  const first: Readonly<Record<DescriptorKind, readonly string[]>> = {
    long: [`arm_${bits}_lpae_s1`],
    short: ['arm_v7s'],
    'long or short': ['arm_32_lpae_s1', 'arm_v7s'],
    mtk: ['arm_v7s'],
    mali: ['arm_mali_lpae'],
    riscv: ['riscv_64'],
  };
  return [...(stage1 ? first[descriptors] : []), ...(stage2 ? [`arm_${second}_lpae_s2`] : [])];
}

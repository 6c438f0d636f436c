/**
 * The layout by which a word is read: of Arm's own descriptors as hardware reads them, of what only a driver's format says
 * (`--format` by name) as that format writes it.
 */
import { type DescriptorPlace, descriptorLayout, type EntryKind } from '../../arch/descriptors/index.ts';
import type { DescriptorLayout } from '../../descriptor/index.ts';
import type { TableFormat } from '../../pagetable/format.ts';

/** The formats that are tried without being named. */
const HARDWARE: Readonly<Record<string, Pick<DescriptorPlace, 'format' | 'stage'>>> = {
  arm_64_lpae_s1: { format: 'long', stage: 1 },
  arm_64_lpae_s2: { format: 'long', stage: 2 },
  arm_v7s: { format: 'short', stage: 1 },
};

/** @param run - an entry of a supersection, a large page or a range of RISC-V. */
export function layoutFor(
  format: TableFormat,
  kind: EntryKind,
  level: number,
  run = false,
): DescriptorLayout {
  const hardware = HARDWARE[format.name];
  if (hardware === undefined) return format.layout(kind, level, run);
  const { granuleLog2, features = [] } = format;
  return descriptorLayout({ ...hardware, kind, level, granuleLog2, run, ds: features.includes('lpa2') });
}

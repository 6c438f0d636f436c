/** What a table descriptor of stage 1 forbids below it: APTable, XNTable, PXNTable, under the names that the regime has for them. (DDI 0487 D8.3.1.1, G5.5.3.1.) */
import { descriptorLayout } from '../arch/descriptors/index.ts';
import { read } from '../arch/read.ts';
import { isAArch32, isStream, traitsOf } from '../arch/regimes.ts';
import type { Translator } from '../machine/machine.ts';

/** Where a table descriptor was read. */
export interface TableDescriptorPlace {
  readonly stage: 1 | 2;
  readonly level: number;
  /** An input address below it. */
  readonly ia: bigint;
}

/** `APTable = 0b10, PXNTable = 1`; empty where it forbids nothing, or such bits do not count (TCR.HPDn = 1). */
export function tableLimits(
  word: bigint,
  { stage, level, ia }: TableDescriptorPlace,
  translator: Translator,
): string {
  if (stage === 2) return '';
  const { regime } = translator;
  const trees = translator.trees().filter(({ root }) => root.stage === 1);
  const tree = trees.find(({ root }) => ia >= root.firstIa && ia <= root.lastIa) ?? trees[0];
  if (tree?.reader.format !== 'long') return '';
  const { granuleLog2 } = tree.reader;
  const { fields } = descriptorLayout({
    kind: 'table',
    stage,
    level,
    granuleLog2,
    aarch32: isAArch32(regime),
    ...(!isStream(regime) && { twoPrivileges: traitsOf(regime).unprivileged }),
    ...tree.place,
  });
  return fields
    .filter(({ name, kind }) => kind === 'field' && /^(AP|U?XN|PXN)Table/.test(name))
    .map((field) => ({ name: field.name, value: read(word, field), wide: field.high > field.low }))
    .filter(({ value }) => value !== 0)
    .map(({ name, value, wide }) => `${name} = ${wide ? `0b${value.toString(2).padStart(2, '0')}` : value}`)
    .join(', ');
}

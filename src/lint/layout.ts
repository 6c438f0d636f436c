/** The declared fields of an entry that hardware read: what the bits of a descriptor are called. (DDI 0487 D8.3.1, G5.4, G5.5.) */
import { longDescriptor } from '../../formats/lpae/fields.ts';
import { shortDescriptor } from '../../formats/short/fields.ts';
import type { DescriptorLayout } from '../descriptor/index.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';

/** Undefined for formats whose fields are not declared here: Mali's and RISC-V's. */
export function layoutOf(
  entry: Pick<TableEntry, 'level' | 'kind' | 'sizeLog2'>,
  { reader, root }: TableTree,
  aarch32: boolean,
): DescriptorLayout | undefined {
  const { level, kind: type } = entry;
  const isLeaf = type === ENTRY_KINDS.leaf;
  const kind = isLeaf
    ? level === reader.lastLevel
      ? 'page'
      : 'block'
    : type === ENTRY_KINDS.table
      ? 'table'
      : 'invalid';
  if (reader.format === 'short' || reader.format === 'mtk') {
    const run = isLeaf && entry.sizeLog2 > reader.entrySizeLog2(level);
    return shortDescriptor(kind, level, run, reader.format === 'mtk');
  }
  if (reader.format !== 'long') return undefined;
  const { granuleLog2, lpa2 } = reader;
  return longDescriptor(kind, {
    stage: root.stage,
    width: aarch32 ? 32 : 64,
    granuleLog2: granuleLog2 as 12 | 14 | 16,
    level,
    shift: reader.entrySizeLog2(level),
    lpa2,
  });
}

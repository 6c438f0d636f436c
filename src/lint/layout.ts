/** The declared fields of an entry that hardware read: what the bits of a descriptor are called. (DDI 0487 D8.3.1, G5.4, G5.5.) */
import { type DescriptorLayout, descriptorLayout, type EntryKind } from '../arch/descriptors/index.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';

/** Undefined for formats whose entries are invalid where reserved bits are set: Mali's and RISC-V's. */
export function layoutOf(
  entry: Pick<TableEntry, 'level' | 'kind' | 'sizeLog2'>,
  { reader, root, place }: TableTree,
  aarch32: boolean,
): DescriptorLayout | undefined {
  const { format, granuleLog2, lpa2 } = reader;
  if (format === 'mali' || format === 'riscv') return undefined;
  const { level } = entry;
  const isLeaf = entry.kind === ENTRY_KINDS.leaf;
  return descriptorLayout({
    ...place,
    format,
    kind: kindOf(entry, level === reader.lastLevel),
    stage: root.stage,
    level,
    granuleLog2,
    run: isLeaf && entry.sizeLog2 > reader.entrySizeLog2(level),
    ds: lpa2,
    aarch32,
  });
}

function kindOf({ kind }: Pick<TableEntry, 'kind'>, isLast: boolean): EntryKind {
  if (kind === ENTRY_KINDS.leaf) return isLast ? 'page' : 'block';
  return kind === ENTRY_KINDS.table ? 'table' : 'invalid';
}

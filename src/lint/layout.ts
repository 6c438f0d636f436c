/** The declared fields of an entry that hardware reads. (DDI 0487 D8.3.1, G5.4, G5.5.) */
import {
  type DescriptorLayout,
  type DescriptorPlace,
  type DescriptorSecurity,
  descriptorLayout,
  type EntryKind,
} from '../arch/descriptors/index.ts';
import { isAArch32Stage, isStream, type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';

/** What decides the fields of descriptors: some bits are fields in one regime and reserved in another. */
export interface Reader {
  readonly regime: MachineRegime;
  /** Default: not known. Fields that depend on it are then assumed to exist. */
  readonly security?: DescriptorSecurity | undefined;
  /** Stage 1: whether permissions in table descriptors count (TCR.HPDn = 0). Default: not known, and assumed to count. */
  readonly hierarchical?: boolean | undefined;
  /** The PE has FEAT_S1POE and no overlay is on. Default: not known. */
  readonly overlaysOff?: boolean;
}

/** The part of a place that the regime decides, of a stage. For a stream, its STE decides, so nothing is assumed. */
export function placeOfReader(
  { regime, security, hierarchical }: Reader,
  stage: 1 | 2,
): Pick<DescriptorPlace, 'aarch32' | 'twoPrivileges' | 'el' | 'security' | 'hierarchical'> {
  const { el, unprivileged } = traitsOf(regime);
  return {
    aarch32: isAArch32Stage(regime, stage),
    ...(!isStream(regime) && { twoPrivileges: unprivileged }),
    ...(el !== undefined && { el }),
    ...(security !== undefined && { security }),
    ...(hierarchical !== undefined && { hierarchical }),
  };
}

/** Undefined for Mali and RISC-V, where an entry with reserved bits set is invalid. */
export function layoutOf(
  entry: Pick<TableEntry, 'level' | 'kind' | 'sizeLog2'>,
  { reader, root, place }: TableTree,
  by: Reader,
): DescriptorLayout | undefined {
  const { format, granuleLog2, lpa2 } = reader;
  if (format === 'mali' || format === 'riscv') return undefined;
  const { level } = entry;
  const isLeaf = entry.kind === ENTRY_KINDS.leaf;
  return descriptorLayout({
    ...place,
    ...placeOfReader(by, root.stage),
    format,
    kind: kindOf(entry, level === reader.lastLevel),
    stage: root.stage,
    level,
    granuleLog2,
    run: isLeaf && entry.sizeLog2 > reader.entrySizeLog2(level),
    ds: lpa2,
  });
}

function kindOf({ kind }: Pick<TableEntry, 'kind'>, isLast: boolean): EntryKind {
  if (kind === ENTRY_KINDS.leaf) return isLast ? 'page' : 'block';
  return kind === ENTRY_KINDS.table ? 'table' : 'invalid';
}

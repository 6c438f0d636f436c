/** Descriptors as hardware reads them: every form of them, and what each bit is in one place. */
import { contextOf, type DescriptorContext, type DescriptorPlace } from './context.ts';
import { type DescriptorForm, type DescriptorLayout, tile } from './declare.ts';
import { STAGE1_LEAF } from './long-stage1.ts';
import { STAGE2_LEAF } from './long-stage2.ts';
import { MALI_INVALID, MALI_LEAF, MALI_TABLE } from './mali.ts';
import { RISCV_INVALID, RISCV_LEAF, RISCV_POINTER } from './riscv.ts';
import { LARGE_PAGE, SECTION, SHORT_INVALID, SHORT_TABLE, SMALL_PAGE, SUPERSECTION } from './short.ts';
import { INVALID_DESCRIPTOR, TABLE_DESCRIPTOR } from './table.ts';

export {
  type DescriptorFormat,
  type DescriptorPlace,
  type DescriptorSecurity,
  type EntryKind,
  featuresInUse,
  USUAL_FEATURES,
} from './context.ts';
export { contiguousEntries } from './contiguous.ts';
export type { BitKind, DescriptorField, DescriptorForm, DescriptorLayout, LayoutField } from './declare.ts';
export { STAGE1_LEAF } from './long-stage1.ts';
export { STAGE2_LEAF } from './long-stage2.ts';
export { MALI_LEAF, MALI_TABLE } from './mali.ts';
export { RISCV_LEAF, RISCV_POINTER, RISCV_RESERVED } from './riscv.ts';
export { LARGE_PAGE, SECTION, SHORT_TABLE, SMALL_PAGE, SUPERSECTION } from './short.ts';
export { TABLE_DESCRIPTOR } from './table.ts';

/**
 * Every bit of a descriptor in one place. It can be decoded and drawn by whatever takes such a layout.
 *
 * @example
 * descriptorLayout({ kind: 'page', stage: 1, level: 3, granuleLog2: 12, twoPrivileges: false });
 * // nG, PXN and AP[1] are no fields there: bits 11 and 53 are RES0, bit 6 is RES1
 */
export function descriptorLayout(place: DescriptorPlace): DescriptorLayout {
  const context = contextOf(place);
  const { kind } = context;
  const { form, name } = FORMS[context.format](context);
  return { title: name, kind, width: form.width, fields: tile(form, context, sizeLog2Of(context)) };
}

interface Named {
  readonly form: DescriptorForm;
  readonly name: string;
}

const GRANULE_NAMES: Readonly<Record<number, string>> = { 12: '4K', 14: '16K', 16: '64K' };

const FORMS: Readonly<Record<DescriptorContext['format'], (context: DescriptorContext) => Named>> = {
  long: ({ kind, stage, level, granuleLog2 }) => ({
    form:
      kind === 'invalid'
        ? INVALID_DESCRIPTOR
        : kind === 'table'
          ? TABLE_DESCRIPTOR
          : stage === 1
            ? STAGE1_LEAF
            : STAGE2_LEAF,
    name: `stage ${stage} level ${level} ${kind}, ${GRANULE_NAMES[granuleLog2]} granule`,
  }),
  short: shortForm,
  mtk: shortForm,
  mali: ({ kind, level }) => ({
    form: kind === 'invalid' ? MALI_INVALID : kind === 'table' ? MALI_TABLE : MALI_LEAF,
    name: `Mali stage 1 level ${level} ${kind}, 4K granule`,
  }),
  riscv: ({ kind, level, run }) => ({
    form: kind === 'invalid' ? RISCV_INVALID : kind === 'table' ? RISCV_POINTER : RISCV_LEAF,
    name: `RISC-V stage 1 level ${level} ${kind}${run ? ' of a 64K range' : ''}`,
  }),
};

function shortForm({ kind, level, run }: DescriptorContext): Named {
  const name = `short stage 1 level ${level} ${kind}`;
  if (kind === 'invalid') return { form: SHORT_INVALID, name };
  if (kind === 'table') return { form: SHORT_TABLE, name };
  if (kind === 'page') {
    return run ? { form: LARGE_PAGE, name: `${name} (large page)` } : { form: SMALL_PAGE, name };
  }
  return run
    ? { form: SUPERSECTION, name: `${name} (supersection)` }
    : { form: SECTION, name: `${name} (section)` };
}

const LAST_LEVEL = 3;
/** log2 of the entries in a range of Svnapot. */
const NAPOT_LOG2 = 4;

/** Where a sized address ends. Short descriptors have none. */
function sizeLog2Of({ kind, level, granuleLog2, run, format }: DescriptorContext): number {
  if (kind === 'table') return granuleLog2;
  const entryBytesLog2 = 3;
  const size = granuleLog2 + (LAST_LEVEL - level) * (granuleLog2 - entryBytesLog2);
  return format === 'riscv' && run ? size + NAPOT_LOG2 : size;
}

/**
 * `arm_mali_lpae`: the tables of Mali GPUs (Midgard, Bifrost), long descriptors with permissions as at stage 2 and attributes
 * as at stage 1. Arm publishes no manual: this follows Linux's io-pgtable-arm.c (arm_mali_lpae_alloc_pgtable).
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { armMaliLpae } from 'lpae/formats/arm-mali-lpae';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });
 * const domain = new IommuDomain(memory, armMaliLpae, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 40 });
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * const [leaf] = domain.tables().at(-1)!.entries;
 * console.log(leaf?.index, leaf?.descriptor.toString(16)); // 1 90000241
 */
import { rowsFrom } from '../src/descriptor/field.ts';
import { type DescriptorLayout, encode } from '../src/descriptor/index.ts';
import { FormatError } from '../src/pagetable/errors.ts';
import type { FormatModule, FormatRequest, Level, Prot, TableFormat } from '../src/pagetable/format.ts';
import { checkFeatures, checkLimits, checkQuirks, checkRequest, sizesWith4K } from './common/request.ts';
import { LongEntryCodec, typeBits } from './lpae/codec.ts';

const NAME = 'arm_mali_lpae';
const REFERENCE = 'Linux io-pgtable-arm.c, ARM_MALI_LPAE';
const SIZES = 0x4020_1000n;
const LEVELS = [0, 1, 2, 3] as const;
const shiftOf = (level: number) => 12 + (3 - level) * 9;

/** AS_MEMATTR: attribute 0 and 2 as the GPU implements them (0x88), 1 with write allocation (0x8d). */
const MEMATTR = 0x88_8d88n;
const ATTR_INDEX = { none: 0, cache: 1, device: 2 } as const;
/** AS_TRANSTAB: translate through a table, read via the inner cache; shareable outside the GPU if the walk is coherent. */
const TRANSTAB_TABLE = 3n | (1n << 2n);
const TRANSTAB_SHARE_OUTER = 1n << 4n;
const SH_OUTER = 2;

const field = rowsFrom(REFERENCE);

function layoutOf(kind: DescriptorLayout['kind'], level: number): DescriptorLayout {
  const title = `Mali stage 1 level ${level} ${kind}, 4K granule`;
  if (kind === 'invalid') {
    const fields = [
      field(63, 1, '-', 'ignored', 'free for software'),
      field(0, 0, 'Valid', 'field', 'not valid', { fixed: 0 }),
    ];
    return { title, kind, width: 64, fields };
  }
  const table = kind === 'table';
  const low = table ? 12 : shiftOf(level);
  const [prefix, what] = table ? ['NLTA', 'address of the next table'] : ['OA', 'output address'];
  const address = field(47, low, `${prefix}[47:${low}]`, 'field', what, { address: low });
  const type = field(1, 0, 'Type', 'field', table ? 'table' : 'block or page, at every level', {
    fixed: table ? 3 : 1,
  });
  if (table) {
    const fields = [
      field(63, 56, '-', 'ignored', 'not used in a table descriptor'),
      field(55, 55, 'SYNC', 'software', "Linux: the entry was made visible to a walker that isn't coherent"),
      field(54, 48, '-', 'ignored', 'not used in a table descriptor'),
      address,
      field(11, 2, '-', 'ignored', 'not used in a table descriptor'),
      type,
    ];
    return { title, kind, width: 64, fields };
  }
  const fields = [
    field(63, 55, '-', 'ignored', 'not used'),
    field(54, 53, 'XN[1:0]', 'field', 'execute-never (bit 54 has effect)', {
      values: { 0: 'executable', 3: 'execute-never' },
    }),
    field(52, 48, '-', 'ignored', 'not used'),
    address,
    ...(low > 12 ? [field(low - 1, 12, '-', 'ignored', "inside the block's size")] : []),
    field(11, 10, '-', 'ignored', 'no nG and no access flag'),
    field(9, 8, 'SH[1:0]', 'field', 'shareability, inner being the GPU itself', {
      values: { 0: 'non-shareable', 2: 'outer shareable', 3: 'inner shareable' },
    }),
    field(7, 6, 'AP', 'field', 'data access permissions', {
      values: { 0: 'no access', 1: 'read-only', 2: 'write-only', 3: 'read/write' },
    }),
    field(5, 5, '-', 'ignored', 'not used'),
    field(4, 2, 'AttrIndx', 'field', 'memory attribute: the byte of AS_MEMATTR'),
    type,
  ];
  return { title, kind, width: 64, fields };
}

/** Linux's choice of bits: no access flag, no nG, always outer shareable. There is no bit for `priv`, so it is ignored. */
function leafFields(prot: Prot): Record<string, number> {
  return {
    'XN[1:0]': prot.noexec ? 3 : 0,
    'SH[1:0]': SH_OUTER,
    AP: (prot.read ? 1 : 0) | (prot.write ? 2 : 0),
    AttrIndx: prot.mmio ? ATTR_INDEX.device : prot.cache ? ATTR_INDEX.cache : ATTR_INDEX.none,
  };
}

/** The GPU always walks four levels. With up to 39 bits of input, level 0 has a single entry. */
function levelsFor(ias: number): Level[] {
  return LEVELS.map((level) => ({
    level,
    shift: shiftOf(level),
    entries: level === 0 ? 2 ** Math.max(0, ias - shiftOf(0)) : 512,
  }));
}

function configure(request: FormatRequest): TableFormat {
  const { coherentWalk = true, ias, oas } = request;
  checkRequest(request);
  checkQuirks(NAME, [], request);
  checkFeatures(NAME, [], request);
  checkLimits(NAME, request, { ias: 48, oas: 40 }, REFERENCE);
  const pgsizeBitmap = sizesWith4K(NAME, request, SIZES);
  if (ias <= 12) throw new FormatError(`ias ${ias} leaves no bits to translate above a page of 2^12 bytes`);
  const page = layoutOf('page', 3);
  const table = layoutOf('table', 2);
  return {
    name: NAME,
    stage: 1,
    pgsizeBitmap,
    ias,
    oas,
    coherentWalk,
    quirks: [],
    granuleLog2: 12,
    levels: levelsFor(ias),
    // The GPU may read any entry of the table, so the root is always a full one.
    rootBytes: 4096,
    tableAddressBits: oas,
    firstIova: 0n,
    layout: layoutOf,
    leafBits: (prot, { level }) => encode(layoutOf(level === 3 ? 'page' : 'block', level), leafFields(prot)),
    registers: (root) => {
      const transtab = root | TRANSTAB_TABLE | (coherentWalk ? TRANSTAB_SHARE_OUTER : 0n);
      return {
        cfg: { transtab, memattr: MEMATTR },
        hardware: { regime: 'mali', registers: { ttbr0: transtab, mair: MEMATTR } },
      };
    },
    entries: new LongEntryCodec({
      table,
      page,
      tableBits: encode(table, { SYNC: coherentWalk ? 0 : 1 }),
      splitMask: (3n << 53n) | 0xffcn,
      typeBits: () => typeBits(page),
      runLog2: () => 0,
      leafSizes: [-1, ...LEVELS].map((level) => 2 ** shiftOf(level)),
    }),
  };
}

/** Input up to 48 bits, output up to 40; pages of 4K, blocks of 2M and 1G. */
export const armMaliLpae: FormatModule = {
  name: NAME,
  title: 'Mali GPU, LPAE-like descriptors',
  stage: 1,
  configure,
};

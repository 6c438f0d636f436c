/**
 * `arm_v7s`: short descriptors of ARMv7 and AArch32 (DDI 0487 G5.4, DDI 0406C B3.5), as Linux's io-pgtable-arm-v7s makes them:
 * access flag and simplified permissions, TEX remap, domain 0; with MediaTek's extension to 34 bits of input and 35 of output.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { armV7s } from 'lpae/formats/arm-v7s';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });
 * const domain = new IommuDomain(memory, armV7s, { pgsizeBitmap: 0x0111_1000n, ias: 32, oas: 32 });
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * const [leaf] = domain.tables().at(-1)!.entries;
 * console.log(leaf?.index, leaf?.descriptor.toString(16)); // 1 90000e72
 */
import { encode } from '../src/descriptor/index.ts';
import { FormatError } from '../src/pagetable/errors.ts';
import type {
  FormatModule,
  FormatRequest,
  Level,
  Prot,
  Quirk,
  Registers,
  TableFormat,
} from '../src/pagetable/format.ts';
import { checkFeatures, checkLimits, checkQuirks, checkRequest } from './common/request.ts';
import { RUN_LOG2, ShortEntryCodec } from './short/codec.ts';
import { shortDescriptor } from './short/fields.ts';

const NAME = 'arm_v7s';
/** Small and large pages, sections and supersections. */
const SIZES = 0x111_1000n;
const QUIRKS: readonly Quirk[] = ['arm_ns', 'no_perms', 'arm_mtk_ext', 'arm_mtk_ttbr_ext'];

/** PRRR: regions 1 Device, 4 and 7 Normal, shareability as asked, region 7 inner. NMRR: region 7 Write-Back, 4 Non-cacheable. */
const PRRR = 0x800b_8204n;
const NMRR = 0x4000_4000n;
/** TTBR: shareable table walks. Coherent walks are also inner shareable, and inner and outer Write-Back. */
const TTBR_S = 1n << 1n;
const TTBR_COHERENT = (1n << 5n) | (1n << 6n) | (1n << 3n);
/** SCTLR: MMU and caches on, TEX remap, and AP[0] used as the access flag. */
const SCTLR_ON_TRE = 1n | (1n << 2n) | (1n << 12n) | (1n << 28n);
const SCTLR_AFE = 1n << 29n;
/** DACR: every domain is a client, or a manager, for which permissions are not checked. */
const CLIENTS = 0x5555_5555n;
const MANAGERS = 0xffff_ffffn;
const PD1 = 1n << 5n;

/** Linux's arm_v7s_prot_to_pte, by field names. Without permissions there is neither access flag nor execute-never. */
function leafFields(prot: Prot, quirks: readonly Quirk[], level: number): Record<string, number> {
  const memory = {
    TEX: prot.mmio ? 0 : 1,
    C: prot.cache && !prot.mmio ? 1 : 0,
    B: prot.cache || prot.mmio ? 1 : 0,
  };
  const common = { nG: 1, S: 1, ...memory, ...(level === 1 && quirks.includes('arm_ns') ? { NS: 1 } : {}) };
  if (quirks.includes('no_perms')) return common;
  return {
    ...common,
    AF: 1,
    'AP[1]': prot.priv ? 0 : 1,
    'AP[2]': prot.write ? 0 : 1,
    XN: prot.noexec ? 1 : 0,
  };
}

function levelsFor(ias: number): Level[] {
  return [
    { level: 1, shift: 20, entries: 2 ** (ias - 20), runLog2: RUN_LOG2 },
    { level: 2, shift: 12, entries: 256, runLog2: RUN_LOG2 },
  ];
}

function registersOf(root: bigint, { ias, coherentWalk = true, quirks = [] }: FormatRequest): Registers {
  const extended = quirks.includes('arm_mtk_ext');
  const ttbr = extended
    ? (root & 0xffff_ffffn) | (root >> 32n)
    : root | TTBR_S | (coherentWalk ? TTBR_COHERENT : 0n);
  const noPerms = quirks.includes('no_perms');
  const n = Math.min(7, Math.max(0, 32 - ias));
  const tcr = extended ? BigInt(Math.max(0, ias - 32)) : BigInt(n) | (n > 0 ? PD1 : 0n);
  return {
    cfg: { ttbr, tcr: 0n, nmrr: NMRR, prrr: PRRR },
    hardware: {
      regime: extended ? 'mtk' : 'pl1&0-short',
      registers: {
        ttbr0: ttbr,
        ttbr1: 0n,
        tcr,
        mair: (NMRR << 32n) | PRRR,
        dacr: noPerms ? MANAGERS : CLIENTS,
        sctlr: noPerms ? SCTLR_ON_TRE : SCTLR_ON_TRE | SCTLR_AFE,
      },
    },
  };
}

function configure(request: FormatRequest): TableFormat {
  const { coherentWalk = true, quirks = [], ias, oas } = request;
  checkRequest(request);
  checkQuirks(NAME, QUIRKS, request);
  checkFeatures(NAME, [], request);
  const extended = quirks.includes('arm_mtk_ext');
  if (extended && !quirks.includes('no_perms')) {
    throw new FormatError('arm_mtk_ext uses permission bits for addresses; it needs the quirk no_perms');
  }
  if (quirks.includes('arm_mtk_ttbr_ext') && !extended) {
    throw new FormatError('arm_mtk_ttbr_ext puts tables above 4 GiB; it needs the quirk arm_mtk_ext');
  }
  const limits = extended ? { ias: 34, oas: 35 } : { ias: 32, oas: 32 };
  checkLimits(NAME, request, limits, extended ? 'Linux io-pgtable-arm-v7s.c' : 'DDI 0487 G5.4');
  if (ias < 20) throw new FormatError(`ias ${ias} is less than the 20 bits of one section`);
  const levels = levelsFor(ias);
  const layout: TableFormat['layout'] = (kind, level, run = false) =>
    shortDescriptor(kind, level, run, extended);
  const leafLayout = ({ level, runLog2 }: { level: number; runLog2: number }) =>
    layout(level === 1 ? 'block' : 'page', level, runLog2 > 0);
  const table = encode(layout('table', 1), { NS: quirks.includes('arm_ns') ? 1 : 0 });
  return {
    name: NAME,
    stage: 1,
    pgsizeBitmap: request.pgsizeBitmap & SIZES,
    ias,
    oas,
    coherentWalk,
    quirks: [...quirks],
    granuleLog2: 12,
    levels,
    // TTBCR.N makes the root smaller, down to 128 bytes; an M4U reads all of it.
    rootBytes: Math.max(levels[0]!.entries * 4, extended ? 2 ** 14 : 2 ** 7),
    tableAddressBits: quirks.includes('arm_mtk_ttbr_ext') ? 35 : 32,
    firstIova: 0n,
    layout,
    leafBits: (prot, size) => encode(leafLayout(size), leafFields(prot, quirks, size.level)),
    registers: (root) => registersOf(root, request),
    entries: new ShortEntryCodec({ tableBits: Number(table), extended, layout: leafLayout }),
  };
}

/** Input and output up to 32 bits, with `arm_mtk_ext` 34 and 35; pages of 4K and 64K, sections of 1M, supersections of 16M. */
export const armV7s: FormatModule = {
  name: NAME,
  title: 'AArch32 stage 1, short descriptors',
  stage: 1,
  configure,
};

/**
 * Faults of IOMMUs other than Arm's SMMU, in the log lines of Linux's drivers: mtk_iommu.c and mtk_iommu_v1.c (MediaTek's M4U),
 * ipmmu-vmsa.c (Renesas), apple-dart.c, exynos-iommu.c (Samsung's SysMMU), rockchip-iommu.c.
 */
import type { DecodedFault, DecodedKind } from './decoded-fault.ts';
import { type Form, type Found, type Groups, type More, numberOf } from './forms.ts';

/** The bits of a status register, the most specific first. */
type Bits = readonly (readonly [mask: number, kind: DecodedKind, name: string])[];

/** MMU_FAULT_ST1: the bits of both MMUs. */
const M4U_BITS: Bits = [
  [0x0081, 'translation', 'TRANSLATION_FAULT'],
  [0x0102, 'tlb_conflict', 'MAIN_MULTI_HIT_FAULT'],
  [0x0204, 'address_size', 'INVALID_PA_FAULT'],
  [0x0408, 'other', 'ENTRY_REPLACEMENT_FAULT'],
  [0x0810, 'other', 'TLB_MISS_FAULT'],
  [0x1020, 'other', 'MISS_TRANSACTION_FIFO_FAULT'],
  [0x2040, 'other', 'PREFETCH_TRANSACTION_FIFO_FAULT'],
];

/** MMU_FAULT_ST of the first generation. */
const M4U_V1_BITS: Bits = [
  [0x01, 'translation', 'TRANSLATION_FAULT'],
  [0x02, 'tlb_conflict', 'MAIN_MULTI_HIT_FAULT'],
  [0x04, 'address_size', 'INVALID_PA_FAULT'],
  [0x08, 'other', 'ENTRY_REPLACEMENT_FAULT'],
  [0x10, 'other', 'TABLE_WALK_FAULT'],
  [0x20, 'other', 'TLB_MISS_FAULT'],
  [0xc0, 'other', 'DMA_FIFO_OVERFLOW'],
];

/** IMSTR of Renesas' IPMMU. */
const IPMMU_BITS: Bits = [
  [0x01, 'translation', 'TF'],
  [0x02, 'permission', 'PF'],
  [0x04, 'external_walk', 'ABORT'],
  [0x10, 'tlb_conflict', 'MHIT'],
];

const SYSMMU_KINDS: Readonly<Record<string, DecodedKind>> = {
  PAGE: 'translation',
  'ACCESS PROTECTION': 'permission',
  'MULTI-HIT': 'tlb_conflict',
  PTW: 'external_walk',
  'BUS ERROR': 'external',
};

const ADDRESS = '0x(?<at>[0-9a-f]{1,16})';

/** `fault: port=…, mva=…, pa=…, layer=…, wr=…`, and once more for the crash reporter: `translation fault: port=…, mva=…, pa=…`. */
const M4U_VENDOR = new RegExp(
  String.raw`\bfault: ?port=(?<port>[\w()-]{1,40}), ?mva=${ADDRESS}, ?pa=0x(?<pa>[0-9a-f]{1,16})(?:.{0,80}?\bwr=(?<write>[01]))?`,
);

/** The same fault told again. */
export const IOMMU_MORE: readonly More[] = [
  {
    pattern: M4U_VENDOR,
    of: ({ source }) => source === 'm4u',
    add: (last, { port, at, write }) =>
      write === undefined && last.device === `port ${port!}` && last.address === numberOf(at!)
        ? last
        : undefined,
  },
];

export const IOMMU_FORMS: readonly Form[] = [
  {
    source: 'm4u',
    pattern: new RegExp(
      String.raw`\bfault type=0x(?<status>[0-9a-f]{1,8}) iova=${ADDRESS} pa=0x(?<pa>[0-9a-f]{1,16}) (?:master=0x[0-9a-f]{1,8}\()?larb=(?<larb>\d+) (?:sub_comm=\d+ )?port=(?<port>\d+)\)? (?:regval=0x[0-9a-f]{1,8} |is_vpu=\d )?layer=\d (?<way>read|write)\b`,
    ),
    read: (groups) => ({ ...m4uFault(groups, M4U_BITS), access: accessOf(groups), short: true }),
  },
  {
    source: 'm4u-v1',
    pattern: new RegExp(
      String.raw`\bfault type=0x(?<status>[0-9a-f]{1,8}) iova=${ADDRESS} pa=0x(?<pa>[0-9a-f]{1,16}) larb=(?<larb>\d+) port=(?<port>\d+)\s*$`,
    ),
    read: (groups) => m4uFault(groups, M4U_V1_BITS),
  },
  {
    // Vendors' kernels, which call an IOVA a modified virtual address.
    source: 'm4u',
    pattern: M4U_VENDOR,
    read: ({ port, pa, write }) => ({
      kind: 'translation',
      name: 'TRANSLATION_FAULT',
      access: write === undefined ? undefined : write === '1' ? 'write' : 'read',
      short: true,
      device: `port ${port!}`,
      notes: paNotes(pa),
    }),
  },
  {
    source: 'ipmmu',
    pattern: new RegExp(`Unhandled fault: status 0x(?<status>[0-9a-f]{8}) iova ${ADDRESS}\\b`),
    read: ({ status }) => bitOfStatus(status, IPMMU_BITS),
  },
  {
    source: 'ipmmu',
    pattern: new RegExp(`(?<what>Multiple TLB hits|Page Table Walk Abort) @${ADDRESS}\\b`),
    read: ({ what }) =>
      what === 'Multiple TLB hits'
        ? { kind: 'tlb_conflict', name: 'MHIT' }
        : { kind: 'external_walk', name: 'ABORT' },
  },
  {
    source: 'dart',
    pattern: new RegExp(
      String.raw`translation fault: status:0x[0-9a-f]{1,8} stream:(?<stream>\d+) code:0x[0-9a-f]{1,8} \((?<what>[^)]*)\) at ${ADDRESS}\b`,
    ),
    read: ({ stream, what = '' }) => {
      const protection = /^(READ|WRITE) FAULT$/.exec(what)?.[1];
      const kind = protection ? 'permission' : what.startsWith('NO ') ? 'translation' : 'unknown';
      const access = protection === undefined ? undefined : protection === 'READ' ? 'read' : 'write';
      return { kind, name: what, access, streamId: Number(stream) };
    },
  },
  {
    source: 'sysmmu',
    pattern: new RegExp(
      String.raw`(?:\[(?<way>READ|WRITE)\] )?(?:(?<channel>A[RW]) )?\b(?<what>[A-Z][A-Z -]{1,24}?) FAULT occurred at ${ADDRESS}\b`,
    ),
    read: ({ way, channel, what = '' }) => ({
      kind: SYSMMU_KINDS[what] ?? 'other',
      name: `${what} FAULT`,
      access: accessOf({ way: way ?? (channel && (channel === 'AW' ? 'write' : 'read')) }),
    }),
  },
  {
    source: 'rockchip',
    pattern: new RegExp(`Page fault at ${ADDRESS} of type (?<way>read|write)\\b`),
    read: (groups) => ({ kind: 'unknown', name: 'page fault', access: accessOf(groups) }),
  },
];

function accessOf({ way }: Groups): 'read' | 'write' | undefined {
  return way === undefined ? undefined : way.toLowerCase() === 'write' ? 'write' : 'read';
}

function bitOfStatus(status: string | undefined, bits: Bits): Pick<DecodedFault, 'kind' | 'name'> {
  const value = Number(`0x${status!}`);
  const [, kind, name] = bits.find(([mask]) => value & mask) ?? [0, 'other' as const, `status 0x${status!}`];
  return { kind, name };
}

/** The other bits set in a status, besides the most specific one. */
function otherBits(status: string | undefined, bits: Bits): string {
  const value = Number(`0x${status!}`);
  const [, ...others] = bits.filter(([mask]) => value & mask);
  return others.length === 0 ? '' : `; other bits set: ${others.map(([, , name]) => name).join(', ')}`;
}

/** The M4U reports the page: the lowest bits of its value are flags. */
function m4uFault({ status, at, pa, larb, port }: Groups, bits: Bits): Found {
  return {
    ...bitOfStatus(status, bits),
    address: BigInt(`0x${at!}`) & ~0xfffn,
    device: `larb ${larb!} port ${port!}`,
    notes: [`the M4U reports only the page of the address${otherBits(status, bits)}`, ...paNotes(pa)],
  };
}

function paNotes(pa: string | undefined): string[] {
  return Number(`0x${pa!}`) === 0 ? [] : [`the reported physical address is 0x${pa!}`];
}

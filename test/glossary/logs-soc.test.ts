/** Log lines of GPUs and of IOMMUs that are no SMMU, as Linux's drivers and vendors' kernels write them. */
import { describe, expect, test } from 'vitest';
import type { DecodedFault } from '../../src/glossary/faults/decoded-fault.ts';
import { decodeMaliStatus } from '../../src/glossary/faults/mali.ts';
import { countFaults, parseFaults } from '../../src/glossary/faults/parse.ts';
import { cpuMilliseconds } from '../support/cpu-time.ts';

/** The faults of a text, as far as `like` has members. */
function faultsLike(text: string, like: object): object[] {
  const pick = (fault: DecodedFault) =>
    Object.fromEntries(Object.keys(like).map((key) => [key, fault[key as keyof DecodedFault]]));
  return parseFaults(text).map(pick);
}

describe('Mali', () => {
  const panfrost = `[58159.525827] panfrost ff9a0000.gpu: Unhandled Page fault in AS1 at VA 0x0000000013B4B880
               Reason: TODO
               raw fault status: 0x68002C3
               decoded fault status: SLAVE FAULT
               exception type 0xC3: TRANSLATION_FAULT_LEVEL3
               access type 0x2: READ
               source id 0x680
[58160.049939] panfrost ff9a0000.gpu: gpu sched timeout, js=0, config=0x3301, status=0x8, head=0xab92f00, tail=0xab92f00, sched_job=00000000c821ea39`;
  const expected = {
    source: 'mali',
    kind: 'translation',
    name: 'TRANSLATION_FAULT_3',
    level: 3,
    address: 0x13b4_b880n,
    access: 'read',
    device: 'ff9a0000.gpu',
    notes: ['it was in address space 1 of the GPU'],
  };

  test('the block of panfrost is one fault', () => {
    expect(parseFaults(panfrost)).toMatchObject([expected]);
    expect(parseFaults(panfrost)[0]!.registers.map(({ layout, value }) => [layout.name, value])).toEqual([
      ['AS_FAULTSTATUS', 0x680_02c3n],
    ]);
    expect(countFaults(parseFaults(`${panfrost}\n${panfrost}`))).toMatchObject([{ count: 2 }]);
  });

  test('in one line, as arguments of a command are joined', () => {
    expect(parseFaults(panfrost.split('\n').join(' '))).toMatchObject([expected]);
  });

  test('without the raw status, its parts count', () => {
    const parts = panfrost.split('\n').filter((line) => !line.includes('raw fault status'));
    expect(parseFaults(parts.join('\n'))).toMatchObject([{ ...expected, registers: [] }]);
    const head = {
      source: 'mali',
      kind: 'unknown',
      address: 0x13b4_b880n,
      level: undefined,
      access: undefined,
    };
    expect(faultsLike(parts[0]!, head)).toEqual([head]);
  });

  test.each([
    [
      `mali fb000000.gpu: Unhandled Page fault in AS1 at VA 0x00007FE0DA65CB80
Reason: Memory is not mapped on the GPU
raw fault status: 0x210002C1
exception type 0xC1: TRANSLATION_FAULT at level 1
access type 0x2: READ
source id 0x2100
pid: 1693
mali fb000000.gpu: Ctx 1693_0 Group 0 CSG 0 CSI: 0
CS_FAULT.EXCEPTION_TYPE: 0x48 (CS_BUS_FAULT)`,
      { kind: 'translation', level: 1, address: 0x7fe0_da65_cb80n, access: 'read', device: 'fb000000.gpu' },
    ],
    [
      `panthor fb000000.gpu: [drm] *ERROR* Unhandled Page fault in AS3 at VA 0x0000000002A0F000
raw fault status: 0x70003CA
decoded fault status: SLAVE FAULT
exception type 0xCA: PERM_FAULT_2
access type 0x3: WRITE
source id 0x700`,
      { kind: 'permission', level: 2, address: 0x2a0_f000n, access: 'write', device: 'fb000000.gpu' },
    ],
    [
      `mali 11800000.mali: GPU bus fault in AS0 at PA 0x0000000880001000
raw fault status: 0x2D0
exception type 0xD0: TRANSTAB_BUS_FAULT
exception data 0x2
pid: 4`,
      {
        kind: 'external_walk',
        level: 0,
        address: undefined,
        fetchAddress: 0x8_8000_1000n,
        device: '11800000.mali',
      },
    ],
    [
      'mali 1c500000.mali: Unexpected Page fault in firmware address space at VA 0x0000000004000000\nraw fault status: 0x1C1',
      {
        kind: 'translation',
        level: 1,
        access: 'execute',
        address: 0x400_0000n,
        notes: ["it was in the firmware's address space"],
      },
    ],
    [
      'mali: Unhandled Page fault in AS0 at VA 0x10\nReason: x\nraw fault status 0x3C8',
      { kind: 'permission', level: undefined, access: 'write', device: undefined },
    ],
  ])('%s', (text, fault) => {
    expect(faultsLike(text, fault)).toEqual([fault]);
  });

  test.each([
    [0x2c0n, 'translation', 'TRANSLATION_FAULT_0', 0],
    [0x2c4n, 'translation', 'TRANSLATION_FAULT', undefined],
    [0x2c7n, 'translation', 'TRANSLATION_FAULT', undefined],
    [0x2c8n, 'permission', 'PERM_FAULT', undefined],
    [0x2cbn, 'permission', 'PERM_FAULT_3', 3],
    [0x2d3n, 'external_walk', 'TRANSTAB_BUS_FAULT_3', 3],
    [0x2d9n, 'access_flag', 'ACCESS_FLAG_1', 1],
    [0x2e0n, 'address_size', 'ADDR_SIZE_FAULT_IN', undefined],
    [0x2e3n, 'address_size', 'ADDR_SIZE_FAULT_IN', undefined],
    [0x2e4n, 'address_size', 'ADDR_SIZE_FAULT_OUT_0', 0],
    [0x2ebn, 'other', 'MEM_ATTR_FAULT_3', 3],
    [0x2f0n, 'other', 'exception type 0xf0', undefined],
    [0x258n, 'other', 'exception type 0x58', undefined],
  ])('the fault status 0x%x', (status, kind, name, level) => {
    const found = decodeMaliStatus(status);
    expect([found.kind, found.name, found.level, found.access]).toEqual([kind, name, level, 'read']);
  });

  test('an atomic access writes', () => {
    expect(decodeMaliStatus(0xc3n)).toMatchObject({
      access: 'write',
      notes: ['the access was an atomic one'],
    });
  });
});

describe('Adreno', () => {
  test.each([
    [
      '*** gpu fault: ttbr0=0000000148a54000 iova=000000000000f000 dir=READ type=TRANSLATION source=UCHE: VFD (0,0,0,0)',
      {
        kind: 'translation',
        address: 0xf000n,
        access: 'read',
        notes: [
          'TTBR0 of the context bank is 0x148a54000',
          'the block of the GPU that made the access is UCHE: VFD',
        ],
      },
    ],
    [
      '[ 7.1] *** gpu fault: cb=1 ttbr0=00000001031a9000 cb0_ttbr0=0000000000000000 cb1_ttbr0=00000001031a9000 iova=00000000fffffe00 dir=WRITE type=PERMISSION source=CCU (1,2,3,4)',
      { kind: 'permission', address: 0xffff_fe00n, access: 'write', contextBank: 1 },
    ],
    [
      '*** gpu fault: ttbr0=0 iova=1000 dir=READ type=UNKNOWN source=CP (0,0,0,0)',
      { kind: 'unknown', name: 'GPU page fault' },
    ],
    [
      '*** gpu fault: iova=0000000001007000 flags=1 (8,9,10,11)',
      { kind: 'unknown', address: 0x100_7000n, access: 'write' },
    ],
    [
      'msm 1a00000.mdss: *** gpu fault: iova=0100d000, flags=0 (0,0,0,0)',
      { kind: 'unknown', address: 0x100_d000n, access: 'read' },
    ],
    [
      'kgsl kgsl-3d0: GPU PAGE FAULT: addr = 5F80A2000 pid= 2211\nkgsl kgsl-3d0: context=gfx3d_user TTBR0=0x1e60000c8a54000 CIDR=0x8a3 (write permission fault)',
      {
        kind: 'permission',
        address: 0x5_f80a_2000n,
        access: 'write',
        notes: ['TTBR0 of the context bank is 0x1e60000c8a54000'],
      },
    ],
    [
      'GPU PAGE FAULT: addr = 5F80A2000 pid= 2211\ncontext=gfx3d_user TTBR0=0x1 CIDR=0x8 (read transaction stalled fault)',
      { kind: 'unknown', address: 0x5_f80a_2000n, access: 'read' },
    ],
    ['kgsl-3d0: GPU PAGE FAULT: addr = BF049400 pid = 5944', { kind: 'unknown', address: 0xbf04_9400n }],
  ])('%s', (text, expected) => {
    expect(parseFaults(text)).toMatchObject([{ source: 'adreno', ...expected }]);
  });

  test('with the registers of its context bank it is a fault of an SMMUv2', () => {
    const text =
      'GPU PAGE FAULT: addr = BF049400 pid = 5944\ncontext = 0 TTBR0 = 0x8a54000 FSR = 402 FSYNR0 = 13 FSYNR1 = 20(write fault)';
    expect(parseFaults(text)).toMatchObject([
      {
        source: 'smmuv2',
        kind: 'translation',
        level: 3,
        access: 'write',
        address: 0xbf04_9400n,
        contextBank: 0,
      },
    ]);
  });
});

test.each([
  [
    'mtk-iommu 14018000.iommu: fault type=0x80 iova=0xfff01003 pa=0x0 master=0x500042c(larb=1 port=11) layer=1 write',
    {
      source: 'm4u',
      kind: 'translation',
      name: 'TRANSLATION_FAULT',
      address: 0xfff0_1000n,
      access: 'write',
      device: 'larb 1 port 11',
      short: true,
    },
  ],
  [
    'mtk-iommu 10205000.iommu: fault type=0x5 iova=0x2a1b000 pa=0x140000000 larb=0 port=3 layer=0 read',
    {
      source: 'm4u',
      kind: 'translation',
      address: 0x2a1_b000n,
      access: 'read',
      notes: [expect.anything(), 'the reported physical address is 0x140000000'],
    },
  ],
  [
    'iommu fault type=0x200 iova=0x12345000 pa=0x0 larb=2 port=4 is_vpu=0 layer=0 read',
    { source: 'm4u', kind: 'address_size', name: 'INVALID_PA_FAULT' },
  ],
  [
    'fault type=0x10 iova=0x4000 pa=0x0 larb=7 sub_comm=1 port=0 regval=0x12 layer=0 read',
    { source: 'm4u', kind: 'other', name: 'TLB_MISS_FAULT', device: 'larb 7 port 0' },
  ],
  [
    'M4U MSG:fault: port=DISP_OVL0, mva=0x3c80010, pa=0x0, layer=1, wr=1, 0x85\nCRDISPATCH_KEY:M4U_DISP_OVL0\ntranslation fault: port=DISP_OVL0, mva=0x3c80010, pa=0x0',
    {
      source: 'm4u',
      kind: 'translation',
      address: 0x3c8_0010n,
      access: 'write',
      device: 'port DISP_OVL0',
      notes: [],
    },
  ],
  [
    'mtk-iommu-v1 10205000.mmsys_iommu: fault type=0x10 iova=0x4000 pa=0x80001000 larb=2 port=5',
    { source: 'm4u-v1', kind: 'other', name: 'TABLE_WALK_FAULT', address: 0x4000n, access: undefined },
  ],
  [
    'ipmmu-vmsa febd0000.iommu: Unhandled fault: status 0x00000001 iova 0x7ff00040',
    { source: 'ipmmu', kind: 'translation', name: 'TF', address: 0x7ff0_0040n, device: 'febd0000.iommu' },
  ],
  [
    'ipmmu-vmsa febd0000.iommu: Unhandled fault: status 0x00000002 iova 0x7ff00040',
    { source: 'ipmmu', kind: 'permission' },
  ],
  [
    'ipmmu-vmsa e67b0000.iommu: Page Table Walk Abort @0x40001000',
    { source: 'ipmmu', kind: 'external_walk', address: 0x4000_1000n },
  ],
  ['ipmmu-vmsa e67b0000.iommu: Multiple TLB hits @0x1000', { source: 'ipmmu', kind: 'tlb_conflict' }],
  [
    'apple-dart 230b10000.iommu: translation fault: status:0x80000004 stream:4 code:0x4 (NO PTE FOR IOVA) at 0xffffc000',
    {
      source: 'dart',
      kind: 'translation',
      name: 'NO PTE FOR IOVA',
      streamId: 4,
      address: 0xffff_c000n,
      device: '230b10000.iommu',
    },
  ],
  [
    'apple-dart 230b10000.iommu: translation fault: status:0x80000008 stream:0 code:0x8 (WRITE FAULT) at 0x4000',
    { source: 'dart', kind: 'permission', access: 'write', streamId: 0 },
  ],
  [
    'translation fault: status:0x80000018 stream:0 code:0x18 (unknown) at 0x4000',
    { source: 'dart', kind: 'unknown' },
  ],
  [
    'exynos-sysmmu 14650000.sysmmu: 14400000.decon: [READ] PAGE FAULT occurred at 0x20000000',
    {
      source: 'sysmmu',
      kind: 'translation',
      name: 'PAGE FAULT',
      access: 'read',
      address: 0x2000_0000n,
      device: '14400000.decon',
    },
  ],
  [
    'exynos-sysmmu 11f20000.sysmmu: 12c10000.mixer: AW ACCESS PROTECTION FAULT occurred at 0x1000',
    { source: 'sysmmu', kind: 'permission', access: 'write', device: '12c10000.mixer' },
  ],
  [
    'exynos-sysmmu 11f20000.sysmmu: 12c10000.mixer: PAGE FAULT occurred at 0x1000',
    { source: 'sysmmu', kind: 'translation', access: undefined },
  ],
  [
    `rk_iommu 27920f00.iommu: Page fault at 0x0000000002010040 of type read
rk_iommu 27920f00.iommu: iova = 0x0000000002010040: dte_index: 0x8 pte_index: 0x10 page_offset: 0x40
rk_iommu 27920f00.iommu: mmu_dte_addr: 0x00000000434c3000 dte@0x00000000434c3020: 0x000000 valid: 0`,
    {
      source: 'rockchip',
      kind: 'translation',
      address: 0x201_0040n,
      access: 'read',
      device: '27920f00.iommu',
    },
  ],
])('%s', (text, expected) => {
  expect(faultsLike(text, expected)).toEqual([expected]);
});

test('lines of an SMMU, a CPU and a GPU do not mix', () => {
  const text = `mali: Unhandled Page fault in AS0 at VA 0x1000
Unhandled context fault: fsr=0x402, iova=0x2000, fsynr=0x11, cb=2
raw fault status: 0x3C3
ESR=0x96000047 FAR=0x3000`;
  expect(parseFaults(text).map(({ source, address, kind }) => [source, address, kind])).toEqual([
    ['mali', 0x1000n, 'unknown'],
    ['smmuv2', 0x2000n, 'translation'],
    ['esr', 0x3000n, 'translation'],
  ]);
});

test.each([
  'raw fault status: 0x3C3',
  'exception type 0xC3: TRANSLATION_FAULT_3',
  '*** gpu fault: iova=zzz flags=1',
  'context=gfx3d_user TTBR0=0x1 CIDR=0x8 (read translation fault)',
  'fault type=0x1',
])('no fault: %s', (text) => {
  expect(parseFaults(text)).toEqual([]);
});

test.each([`${'a'.repeat(1990)} fault`, 'a.b- fault: '.repeat(160), '[READ] AW FAULT '.repeat(120)])(
  'a long line that is none of them is soon read: %#',
  (line) => {
    const text = Array(200).fill(line).join('\n');
    expect(cpuMilliseconds(() => expect(parseFaults(text)).toEqual([]))).toBeLessThan(8000);
  },
);

describe('Zephyr on arm32', () => {
  test.each([
    [
      'PREFETCH',
      '2nd Level Permission Fault @ 0xe0006000',
      { kind: 'permission', level: 2, address: 0xe000_6000n, access: 'execute' },
    ],
    [
      'DATA',
      '1st Level Domain Fault @ 0x40006000',
      { kind: 'domain', level: 1, address: 0x4000_6000n, access: undefined },
    ],
    ['DATA', 'Permission Fault @ 0x00101000', { kind: 'permission', level: undefined, address: 0x10_1000n }],
    [
      'DATA',
      '1st Level Synchronous External Abort Translation Table @ 0x40006000',
      { kind: 'external_walk', level: 1, address: 0x4000_6000n },
    ],
    ['DATA', 'Asynchronous External Abort', { kind: 'serror', address: undefined }],
    ['DATA', 'Asynchronous Parity/ECC Error', { kind: 'serror', name: 'asynchronous parity/ecc error' }],
  ])('%s ABORT: %s', (abort, words, like) => {
    for (const prefix of ['E: ', '[00:00:00.011,000] <err> os: ']) {
      const text = `${prefix}***** ${abort} ABORT *****\n${prefix}${words}\n${prefix}r0/a1:  0x00000000`;
      expect(faultsLike(text, like)).toEqual([like]);
    }
  });

  test('the words in prose are no fault', () => {
    expect(parseFaults('this may be due to an Asynchronous External Abort')).toEqual([]);
  });
});

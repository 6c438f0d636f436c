import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

const CONTEXT_FAULT =
  'Unhandled context fault: fsr=0x402, iova=0xffc00000, fsynr=0x11, cbfrsynra=0x800, cb=2';

test('a log line: what happened, the registers, causes, and the next command', async () => {
  const { code, out } = await lpae(['fault', CONTEXT_FAULT]);
  expect(code).toBe(0);
  expect(out).toContain(`translation fault
  Translation fault at level 1 (TF). It was a write by a device, unprivileged, at 0xffc00000. From
  StreamID 0x800, context bank 2.

  SMMU_CBn_FSR 0x00000402  IHI 0062 stage 1 and 2 context banks
  [31]    MULTI   0x0  further faults came before this one was cleared: no
`);
  expect(out).toContain('  [10:9]  FORMAT  0x2  table format: VMSAv8-64\n');
  expect(out).toContain('  usual causes:\n    1. nothing is mapped there');
  expect(out).toContain(`  next:
    $ lpae walk FILE 0xffc00000 --access write --unprivileged
    $ lpae explain 'translation fault'
`);
});

test('as JSON, addresses as strings', async () => {
  const { code, json } = await lpaeJson(['fault', CONTEXT_FAULT]);
  expect(code).toBe(0);
  expect(json).toMatchObject({
    schema: 'lpae.fault/1',
    faults: [
      {
        count: 1,
        source: 'smmuv2',
        kind: 'translation',
        name: 'TF',
        level: 1,
        address: '0xffc00000',
        access: 'write',
        privileged: false,
        streamId: 0x800,
        contextBank: 2,
        registers: [
          { name: 'SMMU_CBn_FSR', value: '0x402' },
          { name: 'SMMU_CBn_FSYNR0', value: '0x11' },
        ],
      },
    ],
  });
});

test('text comes in several arguments, from stdin with - or without one', async () => {
  const arguments_ = await lpae(['fault', ...CONTEXT_FAULT.split(' ')]);
  const piped = await lpae(['fault'], { stdin: `${CONTEXT_FAULT}\n` });
  const dash = await lpae(['fault', '-'], { stdin: `${CONTEXT_FAULT}\n` });
  expect(piped.out).toBe(dash.out);
  expect(arguments_.out).toBe(piped.out);
});

test('several faults are all shown, the same one once', async () => {
  const stdin = `${CONTEXT_FAULT}\nother\n${CONTEXT_FAULT}\n${CONTEXT_FAULT.replace('ffc', 'ffd')}\n`;
  const { out } = await lpae(['fault'], { stdin });
  expect(out).toContain('translation fault  reported 2 times\n');
  const { json } = await lpaeJson(['fault'], { stdin });
  expect(
    (json.faults as { count: number; address: string }[]).map(({ count, address }) => [count, address]),
  ).toEqual([
    [2, '0xffc00000'],
    [1, '0xffd00000'],
  ]);
});

test.each([
  [
    ['--esr', '0x96000047', '--far', '0xffff800012345678'],
    { source: 'esr', kind: 'translation', address: '0xffff800012345678' },
  ],
  [['--esr', '0x93c08006', '--far', '0x1678', '--hpfar', '0x8000010'], { stage: 2, ipa: '0x800001678' }],
  [['--esr', '0x93c08006'], { stage: 1 }],
  [
    ['--fsr', '0x402', '--fsynr', '0x13', '--iova', '0x1000'],
    { source: 'smmuv2', level: 3, address: '0x1000' },
  ],
  [
    ['--event', '0x800000010', '0x20000000000', '0xfff00000', '0x0'],
    { source: 'smmuv3', streamId: 8, access: 'write' },
  ],
  [['--par', '0x80b'], { source: 'par', level: 1 }],
  [['--dfsr', '0x805', '--far', '0x10'], { source: 'dfsr', access: 'write', address: '0x10' }],
  [['--ifsr', '0x5'], { source: 'ifsr', access: 'execute' }],
])('register values by options: %j', async (args, expected) => {
  const { code, json } = await lpaeJson(['fault', ...args]);
  expect(code).toBe(0);
  expect(json.faults).toMatchObject([expected]);
});

test('no fault in the text: exit code 3, and what is understood', async () => {
  const { code, out, err } = await lpae(['fault', 'all', 'is', 'well']);
  expect([code, out]).toEqual([3, '']);
  expect(err).toContain('no fault was found in the text');
  expect(err).toContain('known are lines of arm-smmu');
  expect((await lpae(['fault'])).err).toContain('there is no text');
});

test.each([
  [['--event', '0x10', '0x0'], '--event takes four words, not 2'],
  [['--esr', 'x'], "--esr: 'x' is not a 64-bit address"],
])('wrong usage: %j', async (args, message) => {
  const { code, err } = await lpae(['fault', ...args]);
  expect(code).toBe(2);
  expect(err).toContain(message);
});

test('no line is wider than 100 columns', async () => {
  for (const args of [
    [CONTEXT_FAULT],
    ['--event', '0x80000000b', '0x28000000000', '0xa2c134ee1a0', '0x1f1a99fc29d8'],
  ]) {
    const { out } = await lpae(['fault', ...args]);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  }
});

describe('with --tables, each fault is walked', () => {
  const linux = join(import.meta.dirname, '../../fixtures/real/linux61-a72-rodata-on.json.gz');
  const smmu = join(import.meta.dirname, '../../fixtures/real/linux61-smmuv3-4k.json');

  test('to the descriptor, and agrees', async () => {
    const { code, json } = await lpaeJson([
      'fault',
      '--esr',
      '0x9200000b',
      '--far',
      '0x100000',
      '--tables',
      linux,
    ]);
    expect(code).toBe(0);
    expect(json.faults).toMatchObject([
      {
        kind: 'access_flag',
        level: 3,
        walk: {
          agrees: true,
          ia: '0x100000',
          fault: { kind: 'access_flag', descriptor: '0x00e0000041e42bc3' },
        },
      },
    ]);
  });

  test('to another answer: exit code 1', async () => {
    const ran = await lpae([
      'fault',
      '--esr',
      '0x96000007',
      '--far',
      '0xffff800008010000',
      '--tables',
      linux,
    ]);
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('these tables translate it');
  });

  test('by the other of two choices that hardware has: a T0SZ of 0 that is clamped (DDI 0487 D8.1.9)', async () => {
    // TCR_EL3 as a loader leaves it: T0SZ 0, PS 0, and a root above 4G.
    const image = (model: string) => ({
      schema: 'pgtable-golden/1',
      kind: 'image',
      name: 'loader',
      producer: 'by hand',
      regime: 'el3',
      cpu: { model },
      ram: { base: '0x880000000', size: '0x10000' },
      registers: { ttbr0: '0x880000000', tcr: '0x80800000', mair: '0xff', sctlr: '0x1' },
      memory: [{ pa: '0x880000000', words64: { '0': '0x880001003' } }],
      translations: [],
    });
    const ask = (model: string) =>
      lpaeJson([
        'fault',
        '--esr',
        '0x86000000',
        '--far',
        '0x40200000',
        '--tables',
        tempFile('loader.json', JSON.stringify(image(model))),
      ]);
    const { code, json } = await ask('cortex-a57');
    expect(code).toBe(0);
    expect(json.faults).toMatchObject([
      {
        walk: {
          agrees: true,
          choice: expect.stringMatching(/clamps a TxSZ/),
          fault: { kind: 'address_size', level: 0 },
        },
      },
    ]);
    const wide = await ask('max');
    expect(wide.code).toBe(1);
    expect(wide.json.faults).toMatchObject([{ walk: { agrees: false, fault: { kind: 'translation' } } }]);
  });

  test('of an SMMU through the tables of its own stream', async () => {
    const event = ['0x2800000010', '0x0', '0x10010000', '0x0'];
    const { code, json } = await lpaeJson(['fault', '--tables', smmu, '--event', ...event]);
    expect(code).toBe(0);
    expect(json.faults).toMatchObject([{ streamId: 0x28, walk: { agrees: true, fault: { level: 3 } } }]);
  });
});

describe('a GPU and an IOMMU that is no SMMU', () => {
  const mali = [
    'panfrost ff9a0000.gpu: Unhandled Page fault in AS1 at VA 0x0000000010200000',
    'raw fault status: 0x68003C3',
  ].join('\n');

  test('of a Mali: the status field by field, and what to run next', async () => {
    const { code, out } = await lpae(['fault', mali]);
    expect(code).toBe(0);
    expect(out).toContain(`translation fault
  Translation fault at level 3 (TRANSLATION_FAULT_3). It was a write by a device at 0x10200000.
  From device ff9a0000.gpu. It was in address space 1 of the GPU.

  AS_FAULTSTATUS 0x068003c3  Linux panfrost_regs.h
`);
    expect(out).toContain('    $ lpae walk FILE 0x10200000 --access write\n');
  });

  test('of a Mali, through its tables', async () => {
    const request = {
      format: 'arm_mali_lpae',
      config: { pgsize_bitmap: '0x40201000', ias: 48, oas: 40 },
      ops: [{ op: 'map', iova: '0x10000000', paddr: '0x80000000', size: '0x1000', prot: ['read'] }],
    };
    const file = tempFile('mali.json', asText(request));
    const { code, json } = await lpaeJson(['fault', mali.replace('10200000', '10001000'), '--tables', file]);
    expect(code).toBe(0);
    expect(json.faults).toMatchObject([{ walk: { agrees: true, fault: { kind: 'translation', level: 3 } } }]);
  });

  test('whose kind the report does not say; whose tables nothing here reads', async () => {
    const text = 'rk_iommu 27920f00.iommu: Page fault at 0x0000000002010040 of type read';
    const { code, out } = await lpae(['fault', text]);
    expect(code).toBe(0);
    expect(out).toBe(`page fault
  Page fault; the report does not say which kind. It was a read by a device at 0x2010040. From
  device 27920f00.iommu.
`);
  });
});

describe('a whole post', () => {
  test('repairs are reported, in both outputs', async () => {
    const stdin = '> ESR =3D 0x96000047\n> FAR =3D 0x1000\n';
    const { out, err } = await lpae(['fault'], { stdin });
    expect(out).toContain('Translation fault at level 3 of stage 1');
    expect(err).toContain(
      'before reading, quoted-printable (=3D) was decoded; quote marks (> or |) were removed',
    );
    const { json } = await lpaeJson(['fault'], { stdin });
    expect(json.repairs).toHaveLength(2);
  });

  test('a printed walk without a fault is reported as one', async () => {
    const stdin =
      '(XEN) dom0 IPA 0x88080000\n(XEN) 0TH[0x0] = 0x4000017f0f377f\n(XEN) 1ST[0x2] = 0x02c00000800006fd\n';
    const { code, out } = await lpae(['fault'], { stdin });
    expect(code).toBe(0);
    expect(out).toContain('no fault, but a walk of IPA 0x88080000');
    expect(out).toContain('$ lpae decode 0x02c00000800006fd --stage 2 --level 1 --granule 4K');
    const { json } = await lpaeJson(['fault'], { stdin });
    expect(json.faults).toEqual([]);
    expect(json.walks).toMatchObject([
      { stage: 2, address: '0x88080000', entries: [{ level: 0 }, { level: 1, kind: 'block' }] },
    ]);
  });

  test('an FSR that may be either is given with what would decide', async () => {
    const { out } = await lpae(['fault', 'FSR=0x402']);
    expect(out).toContain('Nothing nearby says whose FSR it is');
  });

  test('printed walks are memory to walk', async () => {
    const stdin =
      'E:   L1[002] @ 0x80031010 = 0x0000000080032003\nE:   L2[000] @ 0x80032000 = 0x0000000080033003\n' +
      'E:   L3[179] @ 0x80033598 = 0x00600000800b3f53\n';
    const { json } = await lpaeJson(['walk', '-', '0x800b3f7c', '--ttbr0', '0x80031000', '--tcr', '0x19'], {
      stdin,
    });
    expect(JSON.stringify(json)).toContain('"0x800b3f7c"');
    const xen =
      '(XEN) Walking Hypervisor VA 0xf0008 on CPU0 via TTBR 0x0000000040545000\n(XEN) 0TH[0x0] = 0x0000000040544f7f\n' +
      '(XEN) 1ST[0x0] = 0x0000000040541f7f\n(XEN) 2ND[0x0] = 0x0000000000000000\n';
    const ran = await lpae(['walk', '-', '0xf0008', '--ttbr0', '0x40545000', '--tcr', '0x10'], {
      stdin: xen,
    });
    expect(ran.out).toContain('L2[0x000] @0x40541000 = 0x0000000000000000  invalid');
  });
});

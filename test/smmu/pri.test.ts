/** Page requests of devices: the PRI queue, its overflow and interrupts, and what the SMMU answers by itself. (IHI 0070 8, 4.5.2, 6.3.36.) */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { type PageResponse, SmmuDevice, type SmmuInterrupt } from '../../src/smmu/index.ts';

const PRIQ = 0x4202_0000n;
const QUEUE = 0x4200_0000n;
/** ATS and PRI; the PRI queue has at most 2^19 requests. */
const IDS = { idr0: 0xd45_1c1bn, idr1: 0x273_9810n, idr3: 0x1414n, idr5: 0x74n };
const PAGE = { streamId: 8, address: 0x8020_0018n, index: 5, last: true, read: true, write: false } as const;

/** An SMMU that is on, with a PRI queue of 2 requests. */
function machine(idr3 = IDS.idr3) {
  const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x800_0000n });
  const sent: SmmuInterrupt['source'][] = [];
  const answered: PageResponse[] = [];
  const smmu = new SmmuDevice(memory, {
    ...IDS,
    idr3,
    interrupt: ({ source }) => sent.push(source),
    pageResponse: (response) => answered.push(response),
  });
  smmu.mmioWrite('PRIQ_BASE', PRIQ | 1n);
  smmu.mmioWrite('CMDQ_BASE', QUEUE | 4n);
  smmu.mmioWrite('IRQ_CTRL', 2n);
  smmu.mmioWrite('CR0', 0xbn);
  return { smmu, memory, sent, answered };
}

describe('a page request', () => {
  test('is two words in the queue', () => {
    const { smmu, memory } = machine();
    expect(smmu.pageRequest(PAGE)).toBeUndefined();
    const pasid = { ...PAGE, substreamId: 3, last: false, write: true, privileged: true };
    smmu.pageRequest(pasid);
    expect([0n, 8n, 16n, 24n].map((at) => memory.read64(PRIQ + at))).toEqual([
      0x5000_0000_0000_0008n,
      0x8020_0005n,
      0xb400_0003_0000_0008n,
      0x8020_0005n,
    ]);
    expect(smmu.mmioRead('PRIQ_PROD')).toBe(2n);
  });

  test.each([
    ['PRIQEN = 0', 9n],
    ['SMMUEN = 0', 0xan],
  ] as const)('fails with %s; a Stop marker is not answered (8.2)', (_, cr0) => {
    const { smmu } = machine();
    smmu.mmioWrite('CR0', cr0);
    expect(smmu.pageRequest(PAGE)).toEqual({
      streamId: 8,
      substreamId: undefined,
      index: 5,
      response: 'failure',
    });
    expect(smmu.pageRequest({ ...PAGE, substreamId: 3, read: false })).toBeUndefined();
    expect(smmu.mmioRead('PRIQ_PROD')).toBe(0n);
  });

  test('that can not be written is PRIQ_ABT_ERR, and so nothing is queued until that is acknowledged', () => {
    const { smmu } = machine();
    smmu.mmioWrite('CR0', 9n);
    smmu.mmioWrite('PRIQ_BASE', 0x9000_0001n);
    smmu.mmioWrite('CR0', 0xbn);
    expect(smmu.pageRequest(PAGE)).toMatchObject({ response: 'failure' });
    expect([smmu.mmioRead('GERROR'), smmu.mmioRead('PRIQ_PROD')]).toEqual([8n, 0n]);
  });
});

describe('overflow (8.1)', () => {
  test('toggles OVFLG; the last request of a group is answered, others are dropped, until it is acknowledged', () => {
    const { smmu } = machine();
    smmu.pageRequest(PAGE);
    smmu.pageRequest(PAGE);
    expect(smmu.pageRequest({ ...PAGE, last: false })).toBeUndefined();
    expect(smmu.mmioRead('PRIQ_PROD')).toBe(0x8000_0002n);
    // There is room again, but the overflow is not acknowledged.
    smmu.mmioWrite('PRIQ_CONS', 2n);
    expect(smmu.pageRequest(PAGE)).toEqual({
      streamId: 8,
      substreamId: undefined,
      index: 5,
      response: 'success',
    });
    smmu.mmioWrite('PRIQ_CONS', 0x8000_0002n);
    expect(smmu.pageRequest(PAGE)).toBeUndefined();
    expect(smmu.mmioRead('PRIQ_PROD')).toBe(0x8000_0003n);
  });

  test.each([
    [0x1414n, undefined],
    // SMMU_IDR3.PPS.
    [0x1434n, 3],
  ] as const)('IDR3 %s: the answer has PASID %s', (idr3, pasid) => {
    const { smmu } = machine(idr3);
    smmu.pageRequest(PAGE);
    smmu.pageRequest(PAGE);
    expect(smmu.pageRequest({ ...PAGE, substreamId: 3 })).toMatchObject({ substreamId: pasid });
  });
});

describe('interrupts (6.3.36)', () => {
  test('LO = 0: when the queue is no longer empty', () => {
    const { smmu, sent } = machine();
    smmu.pageRequest({ ...PAGE, last: false });
    smmu.pageRequest(PAGE);
    expect(sent).toEqual(['PRIQ']);
  });

  test('LO = 1: for each last request of a group, also for one that overflows', () => {
    const { smmu, sent } = machine();
    smmu.mmioWrite('IRQ_CTRL', 0n);
    smmu.mmioWrite('PRIQ_IRQ_CFG2', 0x8000_0000n);
    smmu.mmioWrite('IRQ_CTRL', 2n);
    smmu.pageRequest({ ...PAGE, last: false });
    expect(sent).toEqual([]);
    smmu.pageRequest(PAGE);
    expect(sent).toHaveLength(1);
    smmu.pageRequest({ ...PAGE, last: false });
    expect(sent).toHaveLength(1);
    smmu.pageRequest(PAGE);
    expect(sent).toHaveLength(2);
  });
});

test('CMD_PRI_RESP answers a device (4.5.2), and is ignored with SMMUEN = 0', () => {
  const { smmu, answered } = machine();
  const words = [0x8_0000_0041n, 0x2005n, 0x8_0000_3841n, 0x1006n, 0x8_0000_0041n, 0x2007n];
  for (const [i, word] of words.entries()) smmu.write64(QUEUE + BigInt(i * 8), word);
  smmu.barrier();
  smmu.mmioWrite('CMDQ_PROD', 2n);
  smmu.mmioWrite('CR0', 0xan);
  smmu.mmioWrite('CMDQ_PROD', 3n);
  expect(answered).toEqual([
    { streamId: 8, substreamId: undefined, index: 5, response: 'success' },
    { streamId: 8, substreamId: 3, index: 6, response: 'invalid request' },
  ]);
});

/** The SMMU as a device: registers, queues, events and transactions, by the words of IHI 0070. */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { type DeviceNote, SmmuDevice, type SmmuDeviceOptions } from '../../src/smmu/index.ts';

const RAM = 0x4000_0000n;
const STRTAB = 0x4100_0000n;
const QUEUE = 0x4200_0000n;
const EVENTS = 0x4300_0000n;
/** Both stages, BBML 2, RIL; queues of up to 2^19 entries. */
const IDS = { idr0: 0xd44_101bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n, aidr: 1n };

/** An SMMU that is on: a linear table of 32 STEs, a queue of 4 commands, one of 2 events. */
function machine(options: Partial<SmmuDeviceOptions> = {}) {
  const memory = new PhysicalMemory({ base: RAM, size: 0x800_0000n });
  const notes: DeviceNote[] = [];
  const smmu = new SmmuDevice(memory, { ...IDS, note: (note) => notes.push(note), ...options });
  smmu.mmioWrite('CR2', 2n);
  smmu.mmioWrite('STRTAB_BASE', STRTAB);
  smmu.mmioWrite('STRTAB_BASE_CFG', 5n);
  smmu.mmioWrite('CMDQ_BASE', QUEUE | 2n);
  smmu.mmioWrite('EVENTQ_BASE', EVENTS | 1n);
  let written = 0;
  const commands = (...all: [bigint, bigint][]) => {
    for (const [low, high] of all) {
      const at = QUEUE + BigInt((written % 4) * 16);
      smmu.write64(at, low);
      smmu.write64(at + 8n, high);
      written = (written + 1) % 8;
    }
    smmu.barrier();
    smmu.mmioWrite('CMDQ_PROD', BigInt(written));
  };
  return { smmu, memory, notes, commands };
}

const SYNC: [bigint, bigint] = [0x46n, 0n];
const CFGI_STE_8: [bigint, bigint] = [0x8_0000_0003n, 1n];
const read = (streamId: number, ia: bigint) => ({ streamId, ia, access: 'read' }) as const;

describe('registers', () => {
  test('CR0 and IRQ_CTRL are acknowledged, GBPA takes a write with Update = 1 alone', () => {
    const { smmu, notes } = machine();
    smmu.mmioWrite('CR0', 0xdn);
    expect(smmu.mmioRead('CR0ACK')).toBe(0xdn);
    smmu.mmioWrite('IRQ_CTRL', 5n);
    expect(smmu.mmioRead('IRQ_CTRLACK')).toBe(5n);
    smmu.mmioWrite('GBPA', 0x8010_0000n);
    expect(smmu.mmioRead('GBPA')).toBe(0x10_0000n);
    smmu.mmioWrite('GBPA', 0n);
    expect(smmu.mmioRead('GBPA')).toBe(0x10_0000n);
    expect(notes.filter(({ kind }) => kind === 'ignored-write')).toMatchObject([{ register: 'GBPA' }]);
  });

  test('guarded registers ignore writes while their queue or translation is on', () => {
    const { smmu, notes } = machine();
    smmu.mmioWrite('CR0', 0xdn);
    const guarded = [
      'STRTAB_BASE',
      'STRTAB_BASE_CFG',
      'CR2',
      'CMDQ_BASE',
      'CMDQ_CONS',
      'EVENTQ_BASE',
      'EVENTQ_PROD',
    ] as const;
    const before = guarded.map((name) => smmu.mmioRead(name));
    for (const name of guarded) smmu.mmioWrite(name, 0n);
    for (const name of ['IDR0', 'CR0ACK', 'GERROR'] as const) smmu.mmioWrite(name, 0xffn);
    expect(guarded.map((name) => smmu.mmioRead(name))).toEqual(before);
    expect(smmu.mmioRead('IDR0')).toBe(0xd44_101bn);
    expect(notes.filter(({ kind }) => kind === 'ignored-write')).toHaveLength(10);
    expect(notes[0]).toMatchObject({ register: 'STRTAB_BASE', rule: expect.stringContaining('6.3.24') });
  });

  test('halves of a 64-bit register', () => {
    const { smmu } = machine();
    smmu.mmioWrite('CMDQ_BASE', 0x4000_0000n, 'high');
    smmu.mmioWrite('CMDQ_BASE', 0x4200_0003n, 'low');
    expect(smmu.mmioRead('CMDQ_BASE')).toBe(0x4000_0000_4200_0003n);
  });
});

describe('the command queue', () => {
  test('wraps, and stops at what is not consumed while it is off', () => {
    const { smmu, commands } = machine();
    commands(SYNC, SYNC, SYNC);
    expect(smmu.mmioRead('CMDQ_CONS')).toBe(0n);
    smmu.mmioWrite('CR0', 8n);
    expect(smmu.mmioRead('CMDQ_CONS')).toBe(3n);
    commands(SYNC, SYNC);
    expect(smmu.mmioRead('CMDQ_CONS')).toBe(5n);
    commands(SYNC, SYNC, SYNC);
    expect(smmu.mmioRead('CMDQ_CONS')).toBe(0n);
  });

  test('an index further ahead than the queue has entries is not taken', () => {
    const { smmu, notes } = machine();
    smmu.mmioWrite('CR0', 8n);
    smmu.mmioWrite('CMDQ_PROD', 5n);
    expect(notes).toEqual([{ kind: 'producer-beyond', waiting: 5, size: 4 }]);
    expect(smmu.mmioRead('CMDQ_PROD')).toBe(0n);
  });

  test.each([
    ['a Reserved opcode', [0x0n, 0n], 1n],
    ['SSec = 1', [0x8_0000_0403n, 1n], 1n],
    ['CMD_SYNC with CS = 3', [0x3046n, 0n], 1n],
    ['CMD_TLBI_EL2_ALL without Hyp', [0x20n, 0n], 1n],
    ['TG without range and level', [0x12n, 0x1400n], 1n],
    ['CMD_ATC_INV without ATS', [0x40n, 0n], 1n],
  ] as const)('%s is CERROR_ILL: CONS stays there until GERRORN agrees', (_, bad, code) => {
    const { smmu, commands, notes } = machine();
    smmu.mmioWrite('CR0', 8n);
    commands(SYNC, [bad[0], bad[1]], SYNC);
    expect(smmu.mmioRead('CMDQ_CONS')).toBe((code << 24n) | 1n);
    expect(smmu.mmioRead('GERROR')).toBe(1n);
    expect(notes.at(-1)).toMatchObject({ kind: 'command-error', error: { error: 'CERROR_ILL', index: 1 } });
    // The driver puts another command there, and acknowledges.
    smmu.write64(QUEUE + 16n, 0x46n);
    smmu.write64(QUEUE + 24n, 0n);
    smmu.barrier();
    smmu.mmioWrite('GERRORN', 1n);
    expect(smmu.mmioRead('CMDQ_CONS') & 0xf_ffffn).toBe(3n);
    expect(smmu.mmioRead('GERROR')).toBe(1n);
  });

  test('a queue outside RAM is CERROR_ABT', () => {
    const { smmu } = machine();
    smmu.mmioWrite('CMDQ_BASE', 0x9000_0002n);
    smmu.mmioWrite('CR0', 8n);
    smmu.mmioWrite('CMDQ_PROD', 1n);
    expect(smmu.mmioRead('CMDQ_CONS')).toBe(0x200_0000n);
    expect(smmu.mmioRead('GERROR')).toBe(1n);
  });

  test('a command that is not observable yet counts for nothing', () => {
    const { smmu, notes } = machine({ streams: [8] });
    smmu.mmioWrite('CR0', 9n);
    smmu.write64(STRTAB + 512n, 0x9n);
    smmu.barrier();
    for (const [i, word] of [...CFGI_STE_8, ...SYNC].entries()) smmu.write64(QUEUE + BigInt(i * 8), word);
    smmu.mmioWrite('CMDQ_PROD', 2n);
    expect(smmu.mmioRead('CMDQ_CONS')).toBe(2n);
    expect(notes).toMatchObject([
      { kind: 'command', observable: false },
      { kind: 'command', observable: false },
    ]);
    expect(smmu.access(read(8, 0x1234n)).answers).toHaveLength(2);
  });
});

describe('transactions', () => {
  test('bypass and abort by GBPA while the SMMU is off', () => {
    const { smmu } = machine();
    expect(smmu.access(read(8, 0x1234n)).chosen.outcome).toEqual({ kind: 'pa', pa: 0x1234n });
    smmu.mmioWrite('GBPA', 0x8010_0000n);
    expect(smmu.access(read(8, 0x1234n)).chosen.outcome).toEqual({ kind: 'abort' });
  });

  test('an STE that becomes valid needs CMD_CFGI_STE and its CMD_SYNC', () => {
    const { smmu, commands } = machine({ streams: [8] });
    smmu.mmioWrite('CR0', 0xdn);
    smmu.write64(STRTAB + 512n, 0x9n);
    const bad = { kind: 'fault', fault: 'C_BAD_STE' } as const;
    const outcomes = () => smmu.access(read(8, 0x1234n)).answers.map(({ outcome }) => outcome);
    const stale = { ...bad, by: ['ste'] };
    expect(outcomes()).toEqual([{ kind: 'pa', pa: 0x1234n }, bad]);
    smmu.barrier();
    expect(outcomes()).toEqual([{ kind: 'pa', pa: 0x1234n }, stale]);
    commands(CFGI_STE_8);
    smmu.mmioRead('CMDQ_CONS');
    expect(outcomes()).toEqual([{ kind: 'pa', pa: 0x1234n }, stale]);
    commands(SYNC);
    // Consumed, but the driver does not know that yet.
    expect(outcomes()).toHaveLength(2);
    smmu.mmioRead('CMDQ_CONS');
    expect(outcomes()).toEqual([{ kind: 'pa', pa: 0x1234n }]);
  });

  test('nothing is cached before SMMUEN = 1', () => {
    const { smmu } = machine({ streams: [8] });
    smmu.write64(STRTAB + 512n, 0x0n);
    smmu.write64(STRTAB + 512n, 0x9n);
    smmu.barrier();
    smmu.mmioWrite('CR0', 0xdn);
    expect(smmu.access(read(8, 0x1234n)).answers).toHaveLength(1);
  });

  test('events: two fit, the third is lost and toggles OVFLG, and the queue goes on after CONS', () => {
    const { smmu, memory } = machine();
    smmu.mmioWrite('CR0', 0xdn);
    const fault = () => smmu.access(read(3, 0x1234n)).chosen;
    expect(fault().event).toEqual([0x3_0000_0004n, 0n, 0n, 0n]);
    smmu.access({ streamId: 5, ia: 0x5000n, access: 'write', privileged: false });
    expect(smmu.mmioRead('EVENTQ_PROD')).toBe(2n);
    expect([0n, 8n, 32n].map((at) => memory.read64(EVENTS + at))).toEqual([
      0x3_0000_0004n,
      0n,
      0x5_0000_0004n,
    ]);
    expect(fault().outcome).toMatchObject({ fault: 'C_BAD_STE', recorded: false });
    expect(smmu.mmioRead('EVENTQ_PROD')).toBe(0x8000_0002n);
    fault();
    expect(smmu.mmioRead('EVENTQ_PROD')).toBe(0x8000_0002n);
    smmu.mmioWrite('EVENTQ_CONS', 0x8000_0002n);
    expect(fault().outcome).not.toHaveProperty('recorded');
    expect(smmu.mmioRead('EVENTQ_PROD')).toBe(0x8000_0003n);
  });
});

test('a TLBI names an address without the tag that TBI lets a device send (4.4.2)', () => {
  const { smmu, memory, commands } = machine();
  // The STE of stream 8 and its CD: 39 bits, 4K, TBI0, ASID 7; one page at 0x8020_0000.
  const TABLE = 0x4400_0000n;
  memory.write64(STRTAB + 512n, 0x4102_000bn);
  for (const [i, word] of [0x7_e244_c000_3519n | (7n << 48n), TABLE, 0n, 0xffn].entries())
    memory.write64(0x4102_0000n + BigInt(i * 8), word);
  memory.write64(TABLE + 16n, (TABLE + 0x1000n) | 3n);
  memory.write64(TABLE + 0x1008n, (TABLE + 0x2000n) | 3n);
  memory.write64(TABLE + 0x2000n, 0x4500_0f43n);
  smmu.mmioWrite('CR0', 13n);
  const said = () => smmu.access(read(8, 0xaa00_0000_8020_0018n)).answers.map(({ outcome }) => outcome.kind);
  expect(said()).toEqual(['pa']);
  smmu.write64(TABLE + 0x2000n, 0n);
  smmu.barrier();
  expect(said()).toEqual(['fault', 'pa']);
  commands([0x7_0000_0000_0012n, 0x8020_1001n], SYNC);
  smmu.mmioRead('CMDQ_CONS');
  expect(said()).toEqual(['fault', 'pa']);
  commands([0x7_0000_0000_0012n, 0x8020_0001n], SYNC);
  smmu.mmioRead('CMDQ_CONS');
  expect(said()).toEqual(['fault']);
});

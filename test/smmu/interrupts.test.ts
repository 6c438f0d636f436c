/** Interrupts of the SMMU: when each is sent, where its MSI goes, and what a driver learns from it. (IHI 0070 3.18, 4.7.3, 7.5.) */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import {
  type DeviceNote,
  judgeSmmuTrace,
  SmmuDevice,
  type SmmuDeviceOptions,
  type SmmuInterrupt,
} from '../../src/smmu/index.ts';
import { parseSmmuTrace, recordSmmu, type SmmuRecorder } from '../../src/trace/index.ts';

const RAM = 0x4000_0000n;
const STRTAB = 0x4100_0000n;
const QUEUE = 0x4200_0000n;
const DOORBELL = 0x808_0040n;
/** Both stages, MSIs (bit 13) and events for PEs (bit 14). */
const IDS = { idr0: 0xd44_701bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n, aidr: 1n };
const SYNC: [bigint, bigint] = [0x46n, 0n];
const CFGI_STE_8: [bigint, bigint] = [0x8_0000_0003n, 1n];

type Wait = (smmu: SmmuRecorder) => void;

/** An SMMU that is on, with an Event queue of 2 entries. No STE is valid, so every transaction is C_BAD_STE. */
function machine(options: Partial<SmmuDeviceOptions> = {}) {
  const memory = new PhysicalMemory({ base: RAM, size: 0x800_0000n });
  const sent: SmmuInterrupt[] = [];
  const notes: DeviceNote[] = [];
  const smmu = new SmmuDevice(memory, {
    ...IDS,
    interrupt: (one) => sent.push(one),
    note: (note) => notes.push(note),
    streams: [8],
    ...options,
  });
  smmu.mmioWrite('STRTAB_BASE', STRTAB);
  smmu.mmioWrite('STRTAB_BASE_CFG', 5n);
  smmu.mmioWrite('CMDQ_BASE', QUEUE | 4n);
  smmu.mmioWrite('EVENTQ_BASE', 0x4300_0001n);
  smmu.mmioWrite('CR0', 0xdn);
  let written = 0;
  const commands = (...all: [bigint, bigint][]) => {
    for (const [low, high] of all) {
      smmu.write64(QUEUE + BigInt(written * 16), low);
      smmu.write64(QUEUE + BigInt(written * 16 + 8), high);
      written++;
    }
    smmu.barrier();
    smmu.mmioWrite('CMDQ_PROD', BigInt(written));
  };
  const fault = () => smmu.access({ streamId: 8, ia: 0x1000n, access: 'read' });
  const configure = (source: 'EVENTQ' | 'GERROR', address: bigint, data: bigint, attributes = 0n) => {
    smmu.mmioWrite(`${source}_IRQ_CFG0`, address);
    smmu.mmioWrite(`${source}_IRQ_CFG1`, data);
    smmu.mmioWrite(`${source}_IRQ_CFG2`, attributes);
  };
  return { smmu, memory, sent, notes, commands, fault, configure };
}

describe('the Event queue (3.18.2)', () => {
  test('interrupts when it is no longer empty, where that is enabled', () => {
    const { smmu, sent, fault } = machine();
    fault();
    smmu.mmioWrite('IRQ_CTRL', 4n);
    // 6.3.16: nothing for what happened before.
    expect(sent).toEqual([]);
    fault();
    expect(sent).toEqual([]);
    smmu.mmioWrite('EVENTQ_CONS', 2n);
    fault();
    expect(sent).toEqual([{ source: 'EVENTQ', msi: undefined }]);
    fault();
    fault();
    expect(sent).toHaveLength(1);
    smmu.mmioWrite('IRQ_CTRL', 0n);
    smmu.mmioWrite('EVENTQ_CONS', smmu.mmioRead('EVENTQ_PROD'));
    fault();
    expect(sent).toHaveLength(1);
  });

  test('sends its MSI with data and attributes, by registers that are guarded meanwhile', () => {
    const { smmu, sent, notes, fault, configure } = machine();
    configure('EVENTQ', DOORBELL, 0x8001n, 0x35n);
    smmu.mmioWrite('IRQ_CTRL', 4n);
    smmu.mmioWrite('EVENTQ_IRQ_CFG1', 0x9999n);
    expect(notes).toMatchObject([
      { kind: 'ignored-write', register: 'EVENTQ_IRQ_CFG1', rule: expect.stringContaining('6.3.31') },
    ]);
    fault();
    expect(sent).toEqual([
      { source: 'EVENTQ', msi: { address: DOORBELL, data: 0x8001n, memAttr: 5, sh: 3 } },
    ]);
  });

  test('the record is in the queue when the interrupt comes, and the handler may take it out', () => {
    const seen: bigint[] = [];
    const made: ReturnType<typeof machine> = machine({
      interrupt: () => {
        const { smmu, memory } = made;
        seen.push(smmu.mmioRead('EVENTQ_PROD'), memory.read64(0x4300_0000n) as bigint);
        smmu.mmioWrite('EVENTQ_CONS', smmu.mmioRead('EVENTQ_PROD'));
      },
    });
    made.smmu.mmioWrite('IRQ_CTRL', 4n);
    made.fault();
    expect(seen).toEqual([1n, 0x8_0000_0004n]);
    made.fault();
    expect(seen).toHaveLength(4);
  });

  test('without SMMU_IDR0.MSI there is the wired output alone', () => {
    const { smmu, sent, fault, configure } = machine({ idr0: 0xd44_501bn });
    configure('EVENTQ', DOORBELL, 1n);
    smmu.mmioWrite('IRQ_CTRL', 4n);
    fault();
    expect(sent).toEqual([{ source: 'EVENTQ', msi: undefined }]);
  });

  test('a record that can not be written is EVENTQ_ABT_ERR: PROD stays, and nothing is recorded until it is acknowledged (7.2.2)', () => {
    const { smmu, memory, sent, fault } = machine();
    smmu.mmioWrite('CR0', 9n);
    smmu.mmioWrite('EVENTQ_BASE', 0x9000_0001n);
    smmu.mmioWrite('CR0', 0xdn);
    smmu.mmioWrite('IRQ_CTRL', 5n);
    fault();
    expect([smmu.mmioRead('GERROR'), smmu.mmioRead('EVENTQ_PROD')]).toEqual([4n, 0n]);
    expect(sent).toEqual([{ source: 'GERROR', msi: undefined }]);
    smmu.mmioWrite('CR0', 9n);
    smmu.mmioWrite('EVENTQ_BASE', 0x4300_0001n);
    smmu.mmioWrite('CR0', 0xdn);
    expect(fault().chosen.outcome).toMatchObject({ fault: 'C_BAD_STE', recorded: false });
    smmu.mmioWrite('GERRORN', 4n);
    expect(fault().chosen.outcome).not.toHaveProperty('recorded');
    expect(memory.read64(0x4300_0000n)).toBe(0x8_0000_0004n);
  });
});

describe('global errors (7.5)', () => {
  test('interrupt when they become active, not while they are', () => {
    const { smmu, sent, commands } = machine();
    smmu.mmioWrite('IRQ_CTRL', 1n);
    commands([0xffn, 0n]);
    expect(sent).toEqual([{ source: 'GERROR', msi: undefined }]);
    smmu.mmioWrite('GERRORN', 1n);
    // The command is still wrong.
    expect([smmu.mmioRead('GERROR'), sent.length]).toEqual([0n, 2]);
  });

  test('an MSI that is aborted is MSI_EVENTQ_ABT_ERR, and that is a global error; one of a global error does not interrupt again', () => {
    const tried: bigint[] = [];
    const { smmu, sent, fault, configure } = machine({
      msi: ({ address }) => {
        tried.push(address);
        return false;
      },
    });
    configure('EVENTQ', 0x800_0000n, 1n);
    configure('GERROR', 0x800_1000n, 2n);
    smmu.mmioWrite('IRQ_CTRL', 5n);
    fault();
    expect(tried).toEqual([0x800_0000n, 0x800_1000n]);
    // MSI_EVENTQ_ABT_ERR and MSI_GERROR_ABT_ERR.
    expect(smmu.mmioRead('GERROR')).toBe(0xa0n);
    expect(sent.map(({ source }) => source)).toEqual(['EVENTQ', 'GERROR']);
  });
});

describe('CMD_SYNC (4.7.3)', () => {
  test('CS = 1: the MSI is a write of 32 bits; address 0: no MSI; CS = 2: an event, where there is SEV', () => {
    const { memory, sent, commands } = machine();
    memory.write64(0x4400_0000n, 0x1111_1111_2222_2222n);
    commands([0xcafe_0001_0580_1046n, 0x4400_0004n]);
    expect(memory.read64(0x4400_0000n)).toBe(0xcafe_0001_2222_2222n);
    commands([0xcafe_0002_0580_1046n, 0x4400_0000n], [0x7_0000_1046n, 0n], [0x2046n, 0n], SYNC);
    expect(memory.read64(0x4400_0000n)).toBe(0xcafe_0001_cafe_0002n);
    const msi = { memAttr: 5, sh: 2 };
    expect(sent).toEqual([
      { source: 'CMD_SYNC', msi: { address: 0x4400_0004n, data: 0xcafe_0001n, ...msi } },
      { source: 'CMD_SYNC', msi: { address: 0x4400_0000n, data: 0xcafe_0002n, ...msi } },
      { source: 'CMD_SYNC', msi: undefined },
      { source: 'event', msi: undefined },
    ]);
  });

  test('CS = 2 without SMMU_IDR0.SEV signals nothing', () => {
    const { sent, commands } = machine({ idr0: 0xd44_301bn });
    commands([0x2046n, 0n]);
    expect(sent).toEqual([]);
  });

  /** An STE that becomes valid, and CMD_CFGI_STE with a CMD_SYNC: two answers until the driver knows that they are complete. */
  function invalidated(sync: [bigint, bigint], more: [bigint, bigint][] = []) {
    const made = machine();
    made.smmu.write64(STRTAB + 512n, 0x9n);
    made.commands(CFGI_STE_8, sync, ...more);
    const count = () => made.fault().answers.length;
    expect(count()).toBe(2);
    return { ...made, count };
  }

  test('a driver that polls where the MSI goes knows that it is complete', () => {
    const { smmu, count } = invalidated([0x1_0580_1046n, 0x4400_0000n]);
    smmu.read64(0x4400_0008n);
    expect(count()).toBe(2);
    // It has not come yet, as the driver sees it.
    smmu.read64(0x4400_0000n, 0n);
    expect(count()).toBe(2);
    expect(smmu.read64(0x4400_0000n)).toBe(1n);
    expect(count()).toBe(1);
  });

  test('so does one that takes its interrupt, of those before as well', () => {
    const { smmu, notes, count } = invalidated(SYNC, [[0x1046n, 0n]]);
    expect(smmu.interruptTaken('EVENTQ')).toBe(false);
    expect(notes.at(-1)).toEqual({ kind: 'no-interrupt', source: 'EVENTQ' });
    expect(count()).toBe(2);
    expect(smmu.interruptTaken('CMD_SYNC')).toBe(true);
    expect(count()).toBe(1);
    expect(smmu.interruptTaken('CMD_SYNC')).toBe(false);
  });

  test('the interrupt of one says nothing of a later one', () => {
    const { smmu, count, commands } = invalidated([0x1046n, 0n]);
    commands([0x1046n, 0n]);
    smmu.write64(STRTAB + 512n, 0x1n);
    commands(CFGI_STE_8, SYNC);
    smmu.interruptTaken('CMD_SYNC');
    expect(count()).toBe(2);
    smmu.mmioRead('CMDQ_CONS');
    expect(count()).toBe(1);
  });
});

describe('traces', () => {
  const ram = { base: RAM, size: 0x800_0000n };
  const { idr0, idr1, idr3, idr5, aidr } = IDS;

  /** A driver that sets up a stream, and waits for the CMD_SYNC in its own way. */
  function trace(wait: Wait) {
    const device = new SmmuDevice(new PhysicalMemory(ram), { ...IDS, streams: [8] });
    const identification = { idr0, idr1, idr3, idr5, aidr };
    const smmu = recordSmmu(device, { name: 'by interrupt', ram, identification });
    smmu.mmio('STRTAB_BASE', STRTAB);
    smmu.mmio('STRTAB_BASE_CFG', 5n);
    smmu.mmio('CMDQ_BASE', QUEUE | 4n);
    smmu.mmio('CR0', 9n);
    smmu.write64(STRTAB + 512n, 0x9n);
    for (const [i, word] of [...CFGI_STE_8, 0x5_0580_1046n, 0x4400_0000n].entries()) {
      smmu.write64(QUEUE + BigInt(i * 8), word);
    }
    smmu.barrier();
    smmu.mmio('CMDQ_PROD', 2n);
    wait(smmu);
    smmu.access({ sid: 8, iova: 0x1000n, rw: 'read', size: 4 });
    return JSON.parse(JSON.stringify(smmu.finish().json)) as { steps: object[] };
  }

  test.each([
    ['reads memory', (smmu) => smmu.read64(0x4400_0000n), 1],
    ['takes the interrupt', (smmu) => smmu.interrupt('CMD_SYNC'), 1],
    ['takes another interrupt', (smmu) => smmu.interrupt('GERROR'), 2],
    ['waits for nothing', () => {}, 2],
  ] satisfies [string, Wait, number][])('a driver that %s', (_, wait, count) => {
    const { accesses } = judgeSmmuTrace(parseSmmuTrace(trace(wait)));
    expect(accesses.map(({ answers }) => answers.length)).toEqual([count]);
  });

  test('an interrupt that the SMMU has not sent is a finding', () => {
    const json = trace((smmu) => smmu.interrupt('GERROR'));
    expect(json.steps.at(-2)).toEqual({ interrupt: 'GERROR' });
    const { findings } = judgeSmmuTrace(parseSmmuTrace(json));
    expect(findings).toMatchObject([{ kind: 'no-interrupt', step: json.steps.length - 2 }]);
  });

  test('what is read is a step with its value', () => {
    const json = trace((smmu) => smmu.read64(0x4400_0000n));
    expect(json.steps.at(-2)).toEqual({ read64: '0x44000000', got: '0x5' });
    const wrong = structuredClone(json);
    wrong.steps[wrong.steps.length - 2] = { read64: '0x90000000' };
    expect(() => parseSmmuTrace(wrong)).toThrow(/there is no RAM at 0x90000000/);
  });
});

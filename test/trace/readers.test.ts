/** Traces from other sources: QEMU's log, Linux's events, the recorder. What a source does not say is said, not invented. */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import {
  parseLinuxEvents,
  parseQemuLog,
  parseSmmuTrace,
  readSmmuTrace,
  recordSmmu,
  SmmuTraceError,
} from '../../src/trace/index.ts';

/** As QEMU 11.1 writes it with -trace 'smmu*'; the walk is shortened. */
const QEMU = `smmu_add_mr smmuv3-iommu-memory-region-8-1
smmuv3_read_mmio addr: 0x0 val:0xd44101b size: 0x4(0)
smmuv3_write_mmio addr: 0x90 val:0x400000005b700010 size: 0x8(0)
smmuv3_write_mmio addr: 0xa8 val:0x0 size: 0x4(0)
smmuv3_cmdq_consume prod=2 cons=0 prod.wrap=0 cons.wrap=0
smmuv3_cmdq_opcode <--- SMMU_CMD_CFGI_STE_RANGE
smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0xffffffff
smmuv3_cmdq_consume prod=2 cons=1 prod.wrap=0 cons.wrap=0
smmuv3_cmdq_opcode <--- SMMU_CMD_SYNC
smmuv3_cmdq_consume_out prod:2, cons:2, prod_wrap:0, cons_wrap:0
smmuv3_write_mmio addr: 0x98 val:0x2 size: 0x4(0)
smmuv3_read_mmio addr: 0x9c val:0x2 size: 0x4(0)
smmuv3_find_ste_2lvl strtab_base:0x40000000480ce000 l1ptr:0x480ce000 l1_off:0x0, l2ptr:0x5b660000 l2_off:0x8 max_l2_ste:511
smmuv3_get_ste STE addr: 0x5b660200
smmuv3_get_cd CD addr: 0x43183000
smmu_iotlb_lookup_miss IOTLB cache MISS asid=1 vmid=0 addr=0xffffd000 hit=0 miss=1 hit rate=0
smmu_get_pte baseaddr=0x43121000 index=0x1fd, pteaddr=0x43121fe8, pte=0x4313cf47
smmu_iotlb_insert IOTLB ++ asid=1 vmid=0 addr=0xffffd000 tg=1 level=3
smmuv3_translate_success smmuv3-iommu-memory-region-8-1 sid=0x8 iova=0xffffd040 translated=0x4313c040 perm=0x3 stage=1
smmuv3_cmdq_consume prod=4 cons=2 prod.wrap=0 cons.wrap=0
smmuv3_cmdq_opcode <--- SMMU_CMD_TLBI_NH_VA
smmuv3_range_inval vmid=0 asid=1 addr=0xffffc000 tg=1 num_pages=0x1 ttl=3 leaf=1 stage=1
smmuv3_write_mmio addr: 0x98 val:0x4 size: 0x4(0)
smmu_iotlb_lookup_hit IOTLB cache HIT asid=1 vmid=0 addr=0xffffe000 hit=1 miss=5 hit rate=16
smmuv3_record_event SMMU_EVT_F_TRANSLATION sid=0x8
smmuv3_translate_bypass smmuv3-iommu-memory-region-8-1 sid=0x9 STE bypass iova:0x1000 is_write=1
smmuv3_write_mmio addr: 0xe40 val:0x1 size: 0x4(0)
smmuv3_something_new x=1
12@34.5:smmuv3_write_mmio addr: 0x20 val:0xd size: 0x4(0)
`;

describe("QEMU's log alone", () => {
  const { trace, json, notes } = parseQemuLog(QEMU, { base: 0x905_0000n });

  test('gives registers, commands as they were named, descriptors as a walk read them, and transactions', () => {
    expect((json as { steps: object[] }).steps.map((step) => ({ ...step, note: undefined }))).toEqual(
      [
        { read: 'IDR0', got: '0xd44101b' },
        { mmio: 'CMDQ_BASE', value: '0x400000005b700010' },
        { mmio: 'EVENTQ_PROD', value: '0x0' },
        { write64: '0x5b700000', value: '0x4' },
        { write64: '0x5b700008', value: '0x1f' },
        { write64: '0x5b700010', value: '0x46' },
        { write64: '0x5b700018', value: '0x0' },
        { barrier: true },
        { mmio: 'CMDQ_PROD', value: '0x2' },
        { read: 'CMDQ_CONS', got: '0x2' },
        { write64: '0x43121fe8', value: '0x4313cf47' },
        { barrier: true },
        { access: { sid: 8, iova: '0xffffd040', rw: 'read', size: 0 }, got: { pa: '0x4313c040' } },
        { write64: '0x5b700020', value: '0x1000000000012' },
        { write64: '0x5b700028', value: '0xffffc701' },
        { barrier: true },
        { mmio: 'CMDQ_PROD', value: '0x4' },
        { access: { sid: 8, iova: '0xffffe000', rw: 'read', size: 0 }, got: { fault: 'F_TRANSLATION' } },
        { access: { sid: 9, iova: '0x1000', rw: 'write', size: 0 }, got: { pa: '0x1000', bypass: true } },
        { mmio: 'CR0', value: '0xd' },
      ].map((step) => ({ ...step, note: undefined })),
    );
    expect(trace).toEqual(parseSmmuTrace(json));
    expect(trace.machine).toMatchObject({ idr0: 0xd44_101bn, idr1: 0n, sids: [8, 9] });
  });

  test.each([
    'the log has no barriers: one is assumed before each write of CMDQ_PROD',
    'the log does not say when memory was written: words come before the step that first shows them',
    "the log does not have the words of STEs: give the guest's memory too",
    'the log does not say whether a translated access reads or writes: read is assumed (2 times)',
    'for an access that faults, the log has only the page: its first byte is given',
    'a write to offset 0xe40, where no known register is, is left out',
    'a line of smmuv3_something_new is ignored',
    'idr1, idr3, idr5, aidr not read: assumed to be 0',
  ])('says: %s', (note) => {
    expect(notes).toContain(note);
  });
});

test("with the guest's memory, structures are taken from there", () => {
  const words = new Map([
    [0x480c_e000n, 0x5b66_0009n],
    [0x5b66_0200n, 0x4318_300bn],
    [0x5b66_0208n, 0x2000n],
    [0x4318_3000n, 0x1_0000_8000_3510n],
  ]);
  const { trace, notes } = parseQemuLog(QEMU, { memory: (pa) => words.get(pa) ?? 0n });
  expect(new Map(trace.memory.map(({ pa, value }) => [pa, value]))).toEqual(words);
  expect(notes).toContain('STEs are taken from the image, as if they had never changed (8 times)');
  expect(notes.some((note) => note.includes("give the guest's memory"))).toBe(false);
});

describe("Linux's events", () => {
  const line = (event: string) => `  swapper/0-1  [000] d..1.     1.234567: ${event}`;
  const rw = (event: string, width: number, value: string, address: string, by = 'arm_smmu_device_reset') =>
    line(
      `rwmmio_${event}: ${by}+0x3c/0x500 -> ${by}+0x3c/0x500 width=${width}${value && ` val=${value}`} addr=${address}`,
    );
  const TEXT = [
    rw('read', 32, '', '0xffff800081000000'),
    rw('post_read', 32, '0xd44101b', '0xffff800081000000'),
    rw('write', 64, '0x4000000041000000', '0xffff800081000080'),
    rw('post_write', 64, '0x4000000041000000', '0xffff800081000080'),
    rw('write', 32, '0', '0xffff8000810200a8'),
    rw('write', 32, '0x1', '0xffff800081000020'),
    rw('write', 32, '0x5', '0xffff800099000020', 'nvme_reset'),
    line('map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000043164000 size=4096'),
    rw('write', 32, '0x2', '0xffff800081000098'),
    line('unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096'),
    line('io_page_fault: IOMMU:arm-smmu-v3 0000:00:01.0 iova=0x0000000012345000 flags=0x0001'),
  ].join('\n');

  test('give registers, and what was mapped', () => {
    const { trace, events, notes } = parseLinuxEvents(TEXT);
    expect(trace.steps).toEqual([
      { kind: 'read', register: 'IDR0', got: 0xd44_101bn },
      { kind: 'mmio', register: 'STRTAB_BASE', value: 0x4000_0000_4100_0000n },
      { kind: 'mmio', register: 'EVENTQ_PROD', value: 0n },
      { kind: 'mmio', register: 'CR0', value: 1n },
      { kind: 'mmio', register: 'CMDQ_PROD', value: 2n },
    ]);
    expect(events).toEqual([
      { step: 4, kind: 'map', iova: 0xffff_f000n, size: 4096n, pa: 0x4316_4000n },
      { step: 5, kind: 'unmap', iova: 0xffff_f000n, size: 4096n, pa: undefined },
      { step: 5, kind: 'fault', iova: 0x1234_5000n, size: undefined, pa: undefined },
    ]);
    expect(notes).toContain(
      'these events do not have what the driver wrote to memory: no table, no STE, no command',
    );
    expect(notes).toContain('register page 0 is taken to be mapped at 0xffff800081000000');
  });

  test('without a function of the driver need the address', () => {
    const anonymous = TEXT.replaceAll('arm_smmu_device_reset', 'my_reset');
    expect(() => parseLinuxEvents(anonymous)).toThrow(SmmuTraceError);
    const { trace } = parseLinuxEvents(anonymous, { virtualBase: 0xffff_8000_8100_0000n });
    expect(trace.steps).toHaveLength(4);
  });

  test('may write halves of a register', () => {
    const { trace } = parseLinuxEvents(
      [
        rw('write', 32, '0x10', '0xffff800081000090'),
        rw('write', 32, '0x40000000', '0xffff800081000094'),
      ].join('\n'),
      { virtualBase: 0xffff_8000_8100_0000n },
    );
    expect(trace.steps).toEqual([
      { kind: 'mmio', register: 'CMDQ_BASE', half: 'low', value: 0x10n },
      { kind: 'mmio', register: 'CMDQ_BASE', half: 'high', value: 0x4000_0000n },
    ]);
  });
});

describe('the recorder', () => {
  test('passes calls on, and makes a trace of them', () => {
    const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x100_0000n });
    const smmu = recordSmmu(memory, {
      name: 'recorded',
      base: 0x905_0000n,
      ram: { base: 0x4000_0000n, size: 0x100_0000n },
      identification: {
        idr0: 0xd44_101bn,
        idr1: 0x273_0010n,
        idr3: 0x1414n,
        idr5: 0x74n,
        aidr: 1n,
        gbpa: 0x1000n,
      },
    });
    smmu.initial(0x4000_0008n, 7n);
    smmu.write64(0x4000_0040n, 9n, 'an STE');
    smmu.barrier();
    smmu.mmio('CR0', 1n);
    expect(smmu.read('CR0ACK', 1n)).toBe(1n);
    smmu.access({ sid: 1, iova: 0x1000n, rw: 'write', size: 4, data: 5n });
    expect(memory.read64(0x4000_0040n)).toBe(9n);
    const { trace, notes, json } = smmu.finish();
    expect(notes).toEqual([]);
    expect(trace).toMatchObject({
      name: 'recorded',
      machine: { gbpa: 0x1000n, sids: [1] },
      memory: [{ pa: 0x4000_0008n, value: 7n }],
      steps: [
        { kind: 'write64', pa: 0x4000_0040n, value: 9n, note: 'an STE' },
        { kind: 'barrier' },
        { kind: 'mmio', register: 'CR0', value: 1n },
        { kind: 'read', register: 'CR0ACK', got: 1n },
        { kind: 'access', access: { sid: 1, iova: 0x1000n, rw: 'write', size: 4, data: 5n } },
      ],
    });
    expect(readSmmuTrace(JSON.stringify(json))).toEqual({ trace, source: 'trace', notes: [] });
  });

  test('asks a device behind it', () => {
    const calls: unknown[] = [];
    const smmu = recordSmmu(
      {
        write64: (...call) => calls.push(call),
        mmioWrite: (...call) => calls.push(call),
        mmioRead: () => 3n,
        barrier: () => calls.push('barrier'),
      },
      { name: 'device' },
    );
    smmu.write64(0x8n, 1n);
    smmu.barrier();
    smmu.mmio('CMDQ_PROD', 3n);
    expect(smmu.read('CMDQ_CONS')).toBe(3n);
    expect(calls).toEqual([[0x8n, 1n], 'barrier', ['CMDQ_PROD', 3n]]);
  });

  test('says what it was not told, and refuses what can not be', () => {
    const smmu = recordSmmu({ write64: () => {} }, { name: 'x', ram: { base: 0n, size: 0x1000n } });
    expect(smmu.read('CMDQ_CONS')).toBe(0n);
    expect(smmu.finish().notes[0]).toBe('the value of CMDQ_CONS was not recorded: 0 is given');
    smmu.write64(0x1000n, 0n);
    expect(() => smmu.finish()).toThrow(/steps\[1\].write64: there is no RAM at 0x1000/);
  });
});

test('a text is read by what is in it', () => {
  expect(readSmmuTrace(QEMU).source).toBe('qemu');
  expect(
    readSmmuTrace('x: rwmmio_write: arm_smmu_f+0x0 -> g width=32 val=0x1 addr=0xffff000000000020').source,
  ).toBe('linux');
  expect(() => readSmmuTrace('hello')).toThrow(SmmuTraceError);
});

/** `lpae smmu`: what it says of a driver, its JSON, exit codes, and what it refuses. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lpae, lpaeJson, tempFile } from './run.ts';

const file = (name: string) => `fixtures/smmu-trace/${name}.json`;
const read = (name: string) => JSON.parse(readFileSync(file(name), 'utf8'));

describe('lpae smmu', () => {
  test('a TLBI with another ASID: the transaction, why, what is needed, and what missed', async () => {
    const { code, out, err } = await lpae(['smmu', file('tlbi-wrong-asid')]);
    expect(code).toBe(1);
    expect(out).toContain('step 34: stream 8 reads 0x6f3f08018');
    expect(out).toContain(
      '  pa 0x44005018\n  pa 0x44003018: a TLB entry that may be cached, from before the trace, replaced in step 23',
    );
    expect(out).toContain('needs TLBI_NH_VA vmid=0 asid=172 va=0x6f3f08000 leaf=1, CMD_SYNC');
    expect(out).toMatch(/step \d+: CMD_TLBI_NH_VA .*names ASID \d+, but 172 is needed/);
    expect(out).not.toContain('at the end:');
    expect(err).toContain('2 of 5 transactions open');
  });

  test('a driver that does all that it must', async () => {
    const { code, out, err } = await lpae(['smmu', file('map-needs-no-tlbi'), '--all']);
    expect(code).toBe(0);
    expect(out).toContain('F_TRANSLATION s2=0 class=in');
    expect(err).toContain('every transaction has one answer');
  });

  test('guarded registers, command errors, half-done STEs', async () => {
    expect((await lpae(['smmu', file('strtab-guarded')])).out).toContain(
      'SMMU_STRTAB_BASE is read-only while SMMU_CR0.SMMUEN = 1',
    );
    expect((await lpae(['smmu', file('illegal-opcode')])).out).toMatch(/CERROR_ILL at entry 5.*Reserved/);
    expect((await lpae(['smmu', file('random-3')])).out).toContain(
      'the STE of StreamID 16 changes in several words',
    );
    const json = read('unmap-tlbi-sync');
    const barrier = json.steps.findLastIndex(({ barrier: one }: { barrier?: boolean }) => one);
    json.steps.splice(barrier, 1);
    const { out } = await lpae(['smmu', '-'], { stdin: JSON.stringify(json) });
    expect(out).toMatch(/step \d+: CMD_SYNC at 0x41030040 was written without a barrier before CMDQ_PROD/);
  });

  test('what is owed at the end', async () => {
    const json = read('unmap-tlbi-sync');
    json.steps = json.steps.slice(0, 27);
    const { code, out } = await lpae(['smmu', '-'], { stdin: JSON.stringify(json) });
    expect(code).toBe(1);
    expect(out).toContain('at the end:\n  stream 8 reads 0x1d8b24e018: 2 answers; needs TLBI_NH_VA');
  });

  test('--minimal leaves out each command', async () => {
    const { json } = await lpaeJson(['smmu', file('unmap-tlbi-sync'), '--minimal']);
    const minimal = json.minimal as { command: string; opens: number[] }[];
    const opens = minimal.map(({ command, opens: steps }) => [command.split(' ')[0], steps]);
    expect(opens).toEqual([
      ['CMD_CFGI_ALL', []],
      ['CMD_TLBI_NSNH_ALL', []],
      ['CMD_SYNC', []],
      ['CMD_TLBI_NH_VA', [38, 39]],
      ['CMD_SYNC', [38, 39]],
    ]);
  });

  test('JSON', async () => {
    const { code, json } = await lpaeJson(['smmu', file('tlbi-wrong-asid')]);
    expect(code).toBe(1);
    expect(json).toMatchObject({ schema: 'lpae.smmu/1', ok: false, open: 2 });
    expect((json.accesses as object[])[1]).toMatchObject({
      step: 34,
      sid: 8,
      iova: '0x6f3f08018',
      answers: [
        { outcome: 'pa 0x44005018' },
        { outcome: 'pa 0x44003018', by: ['tlb'], written: -1, replaced: 23 },
      ],
    });
  });

  test('a log that does not hold memory is not judged', async () => {
    const log = 'smmuv3_read_mmio addr: 0x0 val:0xd44101b size: 0x4(0)\n';
    const { code, out, err } = await lpae(['smmu', tempFile('qemu.log', log)]);
    expect([code, out]).toEqual([3, '']);
    expect(err).toContain('qemu.log: this is a log of QEMU, which does not say what memory held');
  });

  describe("QEMU's log", () => {
    /** A page is read, unmapped, mapped elsewhere and read again. */
    const log = (address: string) => `smmuv3_read_mmio addr: 0x0 val:0xd44101b size: 0x4(0)
smmuv3_read_mmio addr: 0x4 val:0x2730010 size: 0x4(0)
smmuv3_read_mmio addr: 0xc val:0x1414 size: 0x4(0)
smmuv3_read_mmio addr: 0x14 val:0x74 size: 0x4(0)
smmuv3_write_mmio addr: 0x80 val:0x40000000480ce000 size: 0x8(0)
smmuv3_write_mmio addr: 0x88 val:0x5 size: 0x4(0)
smmuv3_write_mmio addr: 0x90 val:0x400000005b700010 size: 0x8(0)
smmuv3_write_mmio addr: 0x20 val:0xd size: 0x4(0)
smmuv3_get_ste STE addr: 0x480ce200
smmuv3_get_cd CD addr: 0x43183000
smmuv3_decode_cd oas=44
smmuv3_decode_cd_tt TT[0]:tsz:34 ttb:0x43111000 granule_sz:12 had:0
smmu_iotlb_lookup_miss IOTLB cache MISS asid=1 vmid=0 addr=0x3000 hit=0 miss=1 hit rate=0
smmu_get_pte baseaddr=0x43111000 index=0x0, pteaddr=0x43111000, pte=0x43121003
smmu_get_pte baseaddr=0x43121000 index=0x3, pteaddr=0x43121018, pte=0x44003f47
smmuv3_translate_success smmuv3-iommu-memory-region-8-1 sid=0x8 iova=0x3018 translated=0x44003018 perm=0x3 stage=1
smmuv3_cmdq_consume prod=2 cons=0 prod.wrap=0 cons.wrap=0
smmuv3_cmdq_opcode <--- SMMU_CMD_TLBI_NH_VA
smmuv3_range_inval vmid=0 asid=1 addr=${address} tg=1 num_pages=0x1 ttl=3 leaf=1 stage=1
smmuv3_cmdq_consume prod=2 cons=1 prod.wrap=0 cons.wrap=0
smmuv3_cmdq_opcode <--- SMMU_CMD_SYNC
smmuv3_write_mmio addr: 0x98 val:0x2 size: 0x4(0)
smmuv3_read_mmio addr: 0x9c val:0x2 size: 0x4(0)
smmu_iotlb_lookup_miss IOTLB cache MISS asid=1 vmid=0 addr=0x3000 hit=0 miss=2 hit rate=0
smmu_get_pte baseaddr=0x43111000 index=0x0, pteaddr=0x43111000, pte=0x43121003
smmu_get_pte baseaddr=0x43121000 index=0x3, pteaddr=0x43121018, pte=0x44007f47
smmuv3_translate_success smmuv3-iommu-memory-region-8-1 sid=0x8 iova=0x3018 translated=0x44007018 perm=0x3 stage=1
`;

    test('alone: a page that went elsewhere, with its TLBI', async () => {
      const { code, err } = await lpae(['smmu', tempFile('qemu.log', log('0x3000'))]);
      expect(code).toBe(0);
      expect(err).toContain('every transaction has one answer');
      expect(err).toContain('STEs and CDs are as QEMU read them');
    });

    test('alone: the TLBI names another page', async () => {
      const { code, out } = await lpae(['smmu', tempFile('qemu.log', log('0x4000'))]);
      expect(code).toBe(1);
      expect(out).toContain('  pa 0x44007018\n  pa 0x44003018: a TLB entry that may be cached');
      expect(out).toContain('needs TLBI_NH_VA vmid=0 asid=1 va=0x3000 leaf=1, CMD_SYNC');
      expect(out).toContain('names Address 0x4000, but 0x3000 is needed');
    });

    test("with the guest's memory: structures come from there, and a file that is none is refused", async () => {
      const image = new Uint8Array(0x1000);
      const view = new DataView(image.buffer);
      view.setBigUint64(0x200, 0x4318_300bn, true);
      const ste = tempFile('ste.bin', image);
      const cd = new Uint8Array(0x1000);
      // T0SZ = 34, EPD1, 44-bit output, V, AA64, A, R; another ASID than the log shows.
      new DataView(cd.buffer).setBigUint64(0, 0x2_6204_c000_0022n, true);
      new DataView(cd.buffer).setBigUint64(8, 0x4311_1000n, true);
      const { code, out, err } = await lpae([
        'smmu',
        tempFile('qemu.log', log('0x3000')),
        '--memory',
        `${ste}@0x480ce000`,
        '--memory',
        `${tempFile('cd.bin', cd)}@0x43183000`,
      ]);
      expect(err).toContain('STEs are taken from the image');
      expect(code).toBe(1);
      expect(out).toContain('names ASID 1, but 2 is needed');
      const trace = await lpae(['smmu', file('unmap-tlbi-sync'), '--memory', `${ste}@0`]);
      expect([trace.code, trace.err]).toEqual([3, expect.stringContaining('--memory is for a log of QEMU')]);
    });
  });

  test("Linux's events: a mapping over an unmapped one without a command, and guarded registers", async () => {
    const rw = (value: string, offset: string) =>
      `x: rwmmio_write: arm_smmu_f+0x3c -> arm_smmu_f+0x3c width=32 val=${value} addr=0xffff8000810${offset}`;
    const map = 'x: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x43164000 size=4096';
    const unmap = 'x: unmap: IOMMU: iova=0x1000 - 0x2000 size=4096 unmapped_size=4096';
    const events = (...more: string[]) =>
      tempFile('events.txt', [rw('0x1', '00020'), map, unmap, ...more].join('\n'));
    const missing = await lpae(['smmu', events(map, rw('0x2', '00098'))]);
    expect(missing.code).toBe(1);
    expect(missing.out).toContain('0x1000 is mapped again after its unmap at step 1');
    expect(missing.err).toContain('these events do not have what the driver wrote to memory');
    const guarded = await lpae(['smmu', events(rw('0x2', '00098'), map, rw('0x0', '00088'))]);
    expect(guarded.out).toContain('SMMU_STRTAB_BASE_CFG is read-only while SMMU_CR0.SMMUEN = 1');
    expect(guarded.out).not.toContain('mapped again');
  });

  test('a table outside RAM is taken as 0, which is said', async () => {
    const json = read('unmap-tlbi-sync');
    json.machine.ram.size = '0x5000000';
    json.memory.find(({ words64 }: { words64: Record<string, string> }) => words64['944']).words64['944'] =
      '0x60000003';
    const { code, out } = await lpae(['smmu', '-'], { stdin: JSON.stringify(json) });
    expect(code).toBe(1);
    expect(out).toMatch(/step 22: the answers depend on words outside machine.ram, which are taken as 0/);
  });

  test('a command that need not do anything', async () => {
    const json = read('unmap-tlbi-sync');
    const at = json.steps.findIndex(({ write64 }: { write64?: string }) => write64 === '0x41030038');
    // TG = 1, TTL = 2: not aligned to 2M.
    json.steps[at].value = '0x1d8b24e601';
    const { out } = await lpae(['smmu', '-'], { stdin: JSON.stringify(json) });
    expect(out).toMatch(
      /step \d+: CMD_TLBI_NH_VA .* need not invalidate anything: .*not aligned to 0x200000/,
    );
  });

  test('a trace that nothing could have produced is refused with its step', async () => {
    const json = read('unmap-tlbi-sync');
    json.steps[12].mmio = 'CDMQ_PROD';
    const { code, err } = await lpae(['smmu', '-'], {
      stdin: JSON.stringify({ ...json, steps: [...json.steps, { mmio: 'CMDQ_PROD', value: '0x1f' }] }),
    });
    expect(code).toBe(3);
    expect(err).toContain('steps[');
    const beyond = read('unmap-tlbi-sync');
    beyond.steps.push({ mmio: 'CMDQ_PROD', value: '0x1f' });
    expect((await lpae(['smmu', '-'], { stdin: JSON.stringify(beyond) })).err).toContain(
      'steps[40]: CMDQ_PROD is 26 commands ahead',
    );
  });
});

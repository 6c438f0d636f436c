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
    expect(out).toMatch(/step \d+: CMD_TLBI_NH_VA .*names ASID \d+, needed is 172/);
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

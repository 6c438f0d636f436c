/** Golden files of SMMUv3 drivers: the permitted sets, the commands that leave one answer, and files that say something else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkGolden, GoldenFileError } from '../../src/golden/index.ts';

const FOLDER = 'fixtures/smmu-trace';
const read = (...path: string[]) => JSON.parse(readFileSync(join(FOLDER, ...path), 'utf8'));
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

interface Step {
  access?: object;
  arm?: object[];
  needs?: string[] | null;
  read?: string;
}

describe('traces of drivers', () => {
  test('there are 45', () => expect(files.length).toBe(45));

  test.each(files)('%s', (file) => {
    const json = read(file);
    const { checked, differences, notes } = checkGolden(json);
    expect(differences).toEqual([]);
    expect(notes ?? []).toEqual([]);
    const steps: Step[] = json.steps;
    const facts =
      steps.filter(({ arm }) => arm).length + steps.filter(({ needs }) => needs !== undefined).length;
    expect(checked).toBe(facts);
  });

  test('a set with an outcome more, or one less, differs at its step', () => {
    const json = read('unmap-tlbi-sync.json');
    const at = json.steps.findIndex(({ needs }: Step) => needs);
    const other = structuredClone(json);
    other.steps[at].arm.push({ abort: true });
    expect(checkGolden(other).differences.map(({ where }) => where)).toEqual([`steps[${at}].arm`]);
    const less = structuredClone(json);
    less.steps[at].arm.pop();
    expect(checkGolden(less).differences[0]).toEqual({
      where: `steps[${at}].arm`,
      want: 'F_TRANSLATION s2=0 class=in',
      got: 'F_TRANSLATION s2=0 class=in | pa 0x44002018',
    });
  });

  test('commands that do not leave one answer differ', () => {
    const json = read('unmap-tlbi-sync.json');
    const at = json.steps.findIndex(({ needs }: Step) => needs);
    json.steps[at].needs = ['TLBI_NH_VA vmid=0 asid=190 va=0x1d8b24e000 leaf=1', 'CMD_SYNC'];
    expect(checkGolden(json).differences[0]?.got).toContain('2 answers');
  });

  test('a value of a register differs', () => {
    const json = read('event-overflow.json');
    const at = json.steps.findLastIndex(({ read: register }: Step) => register === 'EVENTQ_PROD');
    json.steps[at].arm = ['0x3'];
    expect(checkGolden(json).differences).toEqual([
      { where: `steps[${at}].arm: EVENTQ_PROD`, want: '0x3', got: '0x80000003' },
    ]);
  });

  test('a producer index beyond the queue is refused with the step', () => {
    const json = read('unmap-tlbi-sync.json');
    const at = json.steps.findLastIndex(({ mmio }: { mmio?: string }) => mmio === 'CMDQ_PROD');
    json.steps[at].value = '0x19';
    expect(() => checkGolden(json)).toThrow(GoldenFileError);
    expect(() => checkGolden(json)).toThrow(`steps[${at}]: CMDQ_PROD is 21 commands ahead of CMDQ_CONS`);
  });
});

describe('a real driver', () => {
  test('Linux 6.1 with an NVMe disk', () => {
    expect(checkGolden(read('real', 'linux61-nvme.json')).differences).toEqual([]);
  });

  test('with one command wrong', () => {
    const beside = { readBeside: (name: string) => read('real', name) };
    expect(checkGolden(read('real', 'mutations.json'), beside).differences).toEqual([]);
    expect(() => checkGolden(read('real', 'mutations.json'))).toThrow('lies beside the file');
  });
});

describe('changes of STEs and CDs', () => {
  test.each(['cd.json', 'ste.json', 'random.json'])('%s', (file) => {
    const { checked, differences } = checkGolden(read('linux-hitless', file));
    expect(differences).toEqual([]);
    expect(checked).toBeGreaterThan(10);
  });

  test('a change without its last invalidation is not complete, and one in another order is not hitless', () => {
    const [first] = read('linux-hitless', 'ste.json');
    const short = [{ ...first, steps: first.steps.slice(0, -1), syncs: 1 }];
    expect(checkGolden(short).differences.map(({ where }) => where)).toEqual([`[0] ${first.name}.steps`]);
    const torn = [
      {
        ...first,
        to: ['0x10d', '0x100000000000', '0x40c355900000001', '0x42010000', '0x0', '0x0', '0x0', '0x0'],
      },
    ];
    torn[0].steps = [
      { write: 0, value: '0x10d' },
      { write: 2, value: '0x40c355900000001' },
      { write: 3, value: '0x42010000' },
      { sync: 1 },
    ];
    torn[0].used_to = torn[0].used_from.map(() => '0xffffffffffffffff');
    torn[0].from = ['0x9', '0x100000000000', '0x0', '0x0', '0x0', '0x0', '0x0', '0x0'];
    expect(checkGolden(torn).differences.map(({ where }) => where)).toContain(`[0] ${first.name}.hitless`);
  });
});

describe('members of an access are compared each', () => {
  const json = read('unmap-tlbi-sync.json');
  const at = json.steps.findIndex(({ needs }: Step) => needs);
  const changed = (change: (step: { got?: object; arm: { by?: string[] }[] }) => void) => {
    const other = structuredClone(json);
    change(other.steps[at]);
    return checkGolden(other).differences.map(({ where, want }) => [where, want]);
  };

  test('got beside arm: it has to be permitted', () => {
    const elsewhere = changed((step) => {
      step.got = { pa: '0x44009018' };
    });
    expect(elsewhere).toEqual([[`steps[${at}].got`, 'pa 0x44009018']]);
  });

  test('but not where the producer is known to leave the architecture', () => {
    const other = structuredClone(json);
    other.steps[at].got = { pa: '0x44009018' };
    other.producer_leaves_arm_at = [at];
    expect(checkGolden(other).differences).toEqual([]);
  });

  test('by: caches by which the outcome is possible', () => {
    const wrong = changed((step) => {
      step.arm.find(({ by }) => by)!.by = ['cd'];
    });
    expect(wrong).toEqual([[`steps[${at}].arm: pa 0x44002018`, 'possible by cd']]);
    const none = changed((step) => {
      delete step.arm.find(({ by }) => by)!.by;
    });
    expect(none).toEqual([[`steps[${at}].arm: pa 0x44002018`, 'possible without caches']]);
  });

  test('needs without arm', () => {
    const other = structuredClone(json);
    delete other.steps[at].arm;
    other.steps[at].needs = ['CMD_SYNC'];
    expect(checkGolden(other).differences.map(({ where }) => where)).toEqual([`steps[${at}].needs`]);
  });
});

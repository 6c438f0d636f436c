import { expect, test } from 'vitest';
import { lpae, lpaeJson } from './run.ts';

test('a descriptor field: what it is for, and each place with its values', async () => {
  const { code, out } = await lpae(['explain', 'nG']);
  expect(code).toBe(0);
  expect(out).toBe(`nG  descriptor field
  If it is 1, a TLB entry is only for the current ASID. If it is 0, it is for every ASID. Kernel
  mappings are global, those of processes are not.

  [11]    arm_64_lpae_s1, arm_32_lpae_s1: block, page (DDI 0487 D8.3.1.2, DDI 0487 G5.5.3)
          not global
            0x0  global
            0x1  of one ASID
  [17]    arm_v7s: section, supersection (DDI 0487 G5.4.1.1)
          not global
            0x0  global
            0x1  of one ASID
  [11]    arm_v7s: page, large page (DDI 0487 G5.4.1.2)
          not global
            0x0  global
            0x1  of one ASID

  see also: TTBR0_EL1.ASID
`);
});

test('a fault: its codes, causes and checks', async () => {
  const { out } = await lpae(['explain', 'access', 'flag', 'fault']);
  expect(out).toContain('access flag fault  fault, DDI 0487 D24.2.45\n');
  expect(out).toContain('DFSC, IFSC, FST, level 3               0x0b  (PAR_EL1 0x817)\n');
  expect(out).toContain('DFSR.FS of short descriptors, level 2  0x06\n');
  expect(out).toContain('SMMUv3 event                           0x12 F_ACCESS\n');
  expect(out).toContain('  usual causes:\n    1. the mapping was written without AF\n');
  expect(out).toContain('  check:\n    - bit 10 of the leaf descriptor\n');
});

test('an event: the fields of its record', async () => {
  const { out } = await lpae(['explain', 'C_BAD_STREAMID']);
  expect(out).toContain('C_BAD_STREAMID  SMMUv3 event, IHI 0070 7.3.3\n');
  expect(out).toContain('  [63:32]  StreamID     the stream of the transaction\n');
});

test('a value: fields with what each of them says', async () => {
  const { out } = await lpae(['explain', 'MAIR', '0xff']);
  expect(out).toContain(
    '  [7:0]    Attr0  0xff  memory type of AttrIndx = 0: Normal, outer and inner Write-Back',
  );
});

test('without a name, the topics by group', async () => {
  const { code, out } = await lpae(['explain']);
  expect(code).toBe(0);
  for (const part of [
    'descriptor fields\n',
    'faults\n',
    'SMMUv3 events\n',
    'registers\n',
    'register fields\n',
  ]) {
    expect(out).toContain(part);
  }
  const { json } = await lpaeJson(['explain']);
  expect(json.schema).toBe('lpae.explain/1');
  expect((json.groups as { group: string }[]).map(({ group }) => group)).toEqual([
    'descriptor field',
    'fault',
    'SMMUv3 event',
    'register',
    'register field',
    'feature',
    'SMMUv3 command',
    'TLB maintenance',
    'regime',
    'lint rule',
    'word',
  ]);
});

test('an unknown name: exit code 1, and names close to it; the known ones are explained', async () => {
  const { code, out, err } = await lpae(['explain', 'AF', 'aptabel']);
  expect(code).toBe(1);
  expect(out).toContain('AF  descriptor field');
  expect(err).toBe("lpae: nothing here is called 'aptabel'; close to it: APTable\n");
  const far = await lpae(['explain', 'zzzzzz']);
  expect(far.err).toContain('lpae explain without a name lists the topics');
});

test('as JSON', async () => {
  const { code, json } = await lpaeJson(['explain', 'DFSC', '0x07']);
  expect(code).toBe(0);
  expect(json).toMatchObject({
    schema: 'lpae.explain/1',
    query: 'DFSC 0x07',
    topics: [{ name: 'DFSC 0x07', group: 'value', see: ['translation fault'] }],
  });
  const unknown = await lpaeJson(['explain', 'aptabel']);
  expect(unknown.code).toBe(1);
  expect(unknown.json).toMatchObject({ topics: [], unknown: [{ name: 'aptabel', close: ['APTable'] }] });
});

test('no line of any topic is wider than 100 columns', async () => {
  const { json } = await lpaeJson(['explain']);
  const names = (json.groups as { names: string[] }[]).flatMap((group) => group.names);
  for (const name of [...names, 'ESR', '0x96000047']) {
    const { out } = await lpae(['explain', name]);
    expect(Math.max(...out.split('\n').map((line) => line.length)), name).toBeLessThanOrEqual(100);
  }
});

test('fields that registers turn on: both stages', async () => {
  const { code, out } = await lpae(['explain', 'PIIndex', 'POIndex']);
  expect(code).toBe(0);
  for (const place of ['[54] ', '[53] ', '[51] ', '[6] ', '[54:53]', '[62:60]', '[62:59]']) {
    expect(out).toContain(`  ${place}`);
  }
  expect(out).toContain('TCR2_EL1.PIE, PIR_EL1, PIRE0_EL1, S2PIR_EL2');
});

/** Stalled transactions by hand: their events, what software does about them, and what may become of them. (IHI 0070 3.12.2, 4.7, 5.5, 7.2.1.) */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import {
  type DeviceNote,
  judgeSmmuTrace,
  outcomeText,
  parseCommand,
  SmmuDevice,
  type SmmuDeviceOptions,
} from '../../src/smmu/index.ts';
import { parseSmmuTrace } from '../../src/trace/index.ts';

const STRTAB = 0x4100_0000n;
const CD = 0x4102_0000n;
const TABLE = 0x4300_0000n;
const QUEUE = 0x4200_0000n;
const EVENTS = 0x4201_0000n;
const LEAF = TABLE + 0x2000n;
const IOVA = 0x8020_0018n;
/** Stalls and RAZ/WI as software wants them (STALL_MODEL = 0, TERM_MODEL = 0), both stages. */
const IDS = { idr0: 0x844_101bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n, aidr: 1n };
const S = 1n << 44n;

/** Words before the first step: StreamID 8, stage 1 with 4K tables of 39 bits, CD.S = 1, nothing mapped at 0x8020_0000. */
const MEMORY: [bigint, bigint][] = [
  [STRTAB + 512n, CD | 0xbn],
  ...[0x7_6204_c000_3519n | S, TABLE, 0n, 0xffn].map((word, i): [bigint, bigint] => [
    CD + BigInt(i * 8),
    word,
  ]),
  [TABLE + 16n, (TABLE + 0x1000n) | 3n],
  [TABLE + 0x1008n, LEAF | 3n],
];

const REGISTERS = [
  ['STRTAB_BASE', STRTAB],
  ['STRTAB_BASE_CFG', 5n],
  ['CMDQ_BASE', QUEUE | 4n],
  ['EVENTQ_BASE', EVENTS | 1n],
  ['CR0', 13n],
] as const;

/** An SMMU that is on, with an Event queue of 2 records. */
function machine(options: Partial<SmmuDeviceOptions> = {}) {
  const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x800_0000n });
  for (const [pa, word] of MEMORY) memory.write64(pa, word);
  const notes: DeviceNote[] = [];
  const ended: [bigint, string][] = [];
  const smmu = new SmmuDevice(memory, {
    ...IDS,
    streams: [8],
    note: (note) => notes.push(note),
    resumed: ({ transaction }, { chosen }) => ended.push([transaction.ia, outcomeText(chosen.outcome)]),
    ...options,
  });
  for (const [name, value] of REGISTERS) smmu.mmioWrite(name, value);
  let written = 0;
  const commands = (...texts: string[]) => {
    for (const words of texts.map(parseCommand)) {
      for (const [i, word] of words.entries()) smmu.write64(QUEUE + BigInt(written * 16 + i * 8), word);
      written++;
    }
    smmu.barrier();
    smmu.mmioWrite('CMDQ_PROD', BigInt(written));
    smmu.mmioRead('CMDQ_CONS');
  };
  const read = (ia = IOVA) => smmu.access({ streamId: 8, ia, access: 'read' }).chosen;
  const record = (index: number) =>
    [0n, 8n, 16n, 24n].map((at) => memory.read64(EVENTS + BigInt(index * 32) + at));
  const rules = () => notes.flatMap((note) => (note.kind === 'stall-command' ? [note.rule] : []));
  return { smmu, memory, ended, notes, commands, read, record, rules };
}

describe('a transaction that stalls', () => {
  test('leaves an event with Stall = 1 and a tag of its own, and waits', () => {
    const { ended, read, record } = machine();
    expect(outcomeText(read().outcome)).toBe('F_TRANSLATION s2=0 class=in stalled');
    read(0x8020_1018n);
    // Number and StreamID; STAG, Stall (bit 95), PnU, RnW, CLASS = IN; the address.
    expect([record(0), record(1)]).toEqual([
      [0x8_0000_0010n, 0x20a_8000_0000n, 0x8020_0018n, 0n],
      [0x8_0000_0010n, 0x20a_8000_0001n, 0x8020_1018n, 0n],
    ]);
    expect(ended).toEqual([]);
  });

  test('goes through after CMD_RESUME with Ac = 1, if the fault is mended', () => {
    const { smmu, ended, commands, read } = machine();
    read();
    read(0x8020_1018n);
    smmu.write64(LEAF, 0x4400_0f43n);
    commands('RESUME StreamID=8 STAG=0 Ac=1');
    expect(ended).toEqual([[IOVA, 'pa 0x44000018']]);
    expect(smmu.stalled.map(({ stag }) => stag)).toEqual([1]);
  });

  test('stalls again if it is not, with a new event; its old tag may be the new one', () => {
    const { smmu, ended, commands, read, record } = machine();
    read();
    commands('RESUME StreamID=8 STAG=0 Ac=1');
    expect(ended).toEqual([[IOVA, 'F_TRANSLATION s2=0 class=in stalled']]);
    expect([smmu.mmioRead('EVENTQ_PROD'), record(1)[1]]).toEqual([2n, 0x20a_8000_0000n]);
  });

  test.each([
    ['Ab=1', IDS.idr0, 'abort'],
    ['Ab=0', IDS.idr0, 'raz/wi'],
    // TERM_MODEL = 1.
    ['Ab=0', 0xc44_101bn, 'abort'],
  ] as const)('ends with CMD_RESUME, Ac = 0 and %s (IDR0 %s): %s', (abort, idr0, outcome) => {
    const { smmu, ended, commands, read } = machine({ idr0 });
    read();
    commands(`RESUME StreamID=8 STAG=0 Ac=0 ${abort}`);
    expect(ended).toEqual([[IOVA, outcome]]);
    expect(smmu.stalled).toEqual([]);
  });

  test('is not found by another tag, another stream, or a second time: no effect (4.7.1)', () => {
    const { smmu, ended, commands, read, rules } = machine();
    read();
    commands('RESUME StreamID=8 STAG=1 Ac=1', 'RESUME StreamID=9 STAG=0 Ac=1');
    expect([ended, smmu.stalled.length]).toEqual([[], 1]);
    commands('RESUME StreamID=8 STAG=0 Ac=0 Ab=1', 'RESUME StreamID=8 STAG=0 Ac=0 Ab=1');
    expect(ended).toHaveLength(1);
    expect(rules()).toEqual([
      'no transaction of StreamID 8 with STAG 1 is stalled (4.7.1); stalled are: StreamID 8, STAG 0',
      'no transaction of StreamID 9 with STAG 0 is stalled (4.7.1); stalled are: StreamID 8, STAG 0',
      'the transaction of StreamID 8 with STAG 0 has had its command: whether a second one counts is UNPREDICTABLE (4.7.1)',
    ]);
  });

  test('is ended by CMD_STALL_TERM, once the STE terminates (4.7.2)', () => {
    const early = machine();
    early.read();
    early.commands('STALL_TERM StreamID=8');
    expect(early.rules()).toEqual([expect.stringContaining('UNPREDICTABLE (4.7.2)')]);
    const { smmu, ended, commands, read, rules } = machine();
    read();
    read(0x8020_1018n);
    smmu.write64(STRTAB + 512n, 1n);
    commands('CFGI_STE sid=8 leaf=1', 'CMD_SYNC');
    commands('STALL_TERM StreamID=9', 'STALL_TERM StreamID=8');
    expect(ended).toEqual([
      [IOVA, 'abort'],
      [0x8020_1018n, 'abort'],
    ]);
    expect(rules()).toEqual([]);
  });

  test('is ended by SMMUEN = 0 (6.3.9.6)', () => {
    const { smmu, ended, read } = machine();
    read();
    smmu.mmioWrite('CR0', 12n);
    expect(ended).toEqual([[IOVA, 'abort']]);
  });

  test('is not lost where the queue is full: no overflow, and it is retried when there is room (7.2.1, 7.4)', () => {
    const { smmu, ended, read, record } = machine();
    read(0x8020_1018n);
    read(0x8020_2018n);
    expect(read().outcome).toMatchObject({ fault: 'F_TRANSLATION', stall: true, recorded: false });
    expect(smmu.mmioRead('EVENTQ_PROD')).toBe(2n);
    smmu.mmioWrite('EVENTQ_CONS', 1n);
    expect(smmu.mmioRead('EVENTQ_PROD')).toBe(3n);
    expect(record(0)).toEqual([0x8_0000_0010n, 0x20a_8000_0002n, IOVA, 0n]);
    expect(ended).toEqual([[IOVA, 'F_TRANSLATION s2=0 class=in stalled']]);
  });

  test('and where its fault is mended meanwhile, no event is left', () => {
    const { smmu, ended, read } = machine();
    read(0x8020_1018n);
    read(0x8020_2018n);
    read();
    smmu.write64(LEAF, 0x4400_0f43n);
    smmu.barrier();
    smmu.mmioWrite('EVENTQ_CONS', 1n);
    expect([smmu.mmioRead('EVENTQ_PROD'), ended]).toEqual([2n, [[IOVA, 'pa 0x44000018']]]);
  });

  test('at stage 2, by STE.S2S', () => {
    const { smmu, memory, read, record } = machine();
    // Config = stage 2; S2T0SZ = 25, S2SL0 = 1, 4K, S2PS = 44 bits, S2AA64, S2S and S2R (bits 185 and 186).
    smmu.mmioWrite('CR0', 12n);
    const ste = [0xdn, 0n, 0x060c_0059_0000_0000n, TABLE];
    for (const [i, word] of ste.entries()) memory.write64(STRTAB + 512n + BigInt(i * 8), word);
    smmu.mmioWrite('CR0', 13n);
    expect(outcomeText(read().outcome)).toBe('F_TRANSLATION s2=1 class=in stalled');
    expect(record(0)).toEqual([0x8_0000_0010n, 0x28a_8000_0000n, IOVA, 0x8020_0000n]);
  });
});

describe('what may become of one, in a trace', () => {
  const RESUME = (ac: 0 | 1, ab: 0 | 1 = 0) => [
    0x8_0000_0044n | (BigInt(ac) << 12n) | (BigInt(ab) << 13n),
    5n,
  ];
  const MAP = { write64: LEAF, value: 0x4400_0f43n };
  const BARRIER = { barrier: true };
  const STALLED = {
    access: { sid: 8, iova: IOVA, rw: 'read', size: 4 },
    got: {
      fault: 'F_TRANSLATION',
      s2: 0,
      class: 'in',
      stall: true,
      event: [0x8_0000_0010n, 0x20a_8000_0005n, IOVA, 0n],
    },
  };
  const GONE = { resumed: REGISTERS.length };

  /** The first command of the queue. */
  function command([low, high]: bigint[], barrier = true): object[] {
    const write = [
      { write64: QUEUE, value: low },
      { write64: QUEUE + 8n, value: high },
    ];
    return [...write, ...(barrier ? [BARRIER] : []), { mmio: 'CMDQ_PROD', value: 1n }];
  }

  function judge(...steps: object[]) {
    const setup = REGISTERS.map(([mmio, value]) => ({ mmio, value }));
    const machineIs = { ...IDS, gbpa: 0n, sids: [8], ram: { base: 0x4000_0000n, size: 0x800_0000n } };
    const memory = MEMORY.map(([pa, word]) => ({ pa, words64: { 0: word } }));
    const json = {
      schema: 'pgtable-trace/1',
      kind: 'smmuv3',
      name: 'stalls',
      machine: machineIs,
      memory,
      steps: [...setup, STALLED, ...steps],
    };
    const text = JSON.stringify(json, (_, value) =>
      typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
    );
    const { accesses, findings } = judgeSmmuTrace(parseSmmuTrace(JSON.parse(text)));
    const last = accesses.at(-1)!;
    return { last, said: last.answers.map(({ outcome }) => outcomeText(outcome)), findings };
  }

  const PA = 'pa 0x44000018';
  const AGAIN = 'F_TRANSLATION s2=0 class=in stalled';

  test('mapped, a barrier, CMD_RESUME with Ac = 1: it has gone through', () => {
    const { said, last, findings } = judge(MAP, BARRIER, ...command(RESUME(1)), GONE);
    expect([said, last.resumes, findings]).toEqual([[PA], REGISTERS.length, []]);
  });

  test('without the barrier before it is retried it may stall again', () => {
    // The barrier comes before the command, but the mapping after that barrier.
    const [first, second, barrier, prod] = command(RESUME(1));
    const { said } = judge(first!, second!, barrier!, MAP, prod!, GONE);
    expect(said).toEqual([PA, AGAIN]);
  });

  test('ended after it was mapped: the SMMU may have retried it before (3.12.2.2)', () => {
    expect(judge(MAP, BARRIER, ...command(RESUME(0, 1)), GONE).said).toEqual(['abort', PA]);
    expect(judge(...command(RESUME(0, 1)), GONE).said).toEqual(['abort']);
    expect(judge(...command(RESUME(0, 0)), GONE).said).toEqual(['raz/wi']);
  });

  test('without a command it may have been retried, or still wait', () => {
    const { said, findings } = judge(MAP, BARRIER, GONE);
    expect(said).toEqual([PA, AGAIN]);
    expect(findings.map(({ kind }) => kind)).toEqual(['stalled']);
  });

  test('a command with another tag is a finding, and it is stalled at the end', () => {
    const { findings } = judge(...command([0x8_0000_1044n, 4n]));
    expect(findings.map(({ kind, text }) => [kind, text])).toEqual([
      [
        'stall-command',
        expect.stringContaining(
          'no transaction of StreamID 8 with STAG 4 is stalled (4.7.1); stalled are: StreamID 8, STAG 5',
        ),
      ],
      ['stalled', expect.stringContaining('CMD_RESUME StreamID=8 STAG=5')],
    ]);
  });

  test('one that can not have stalled is refused, and so is one that is no access', () => {
    const ok = { access: { sid: 8, iova: 0x1000n, rw: 'read', size: 4 } };
    expect(() => judge({ resumed: 0 })).toThrow(/steps\[6\]\.resumed: step 0 is no access before it/);
    const abort = [{ write64: STRTAB + 512n, value: 1n }, BARRIER, { mmio: 'CR0', value: 12n }];
    expect(() => judge(...abort, ok, { resumed: 9 })).toThrow(
      /steps\[10\]: the transaction of step 9 can't have stalled/,
    );
  });
});

/** SMMUv3 traces (`pgtable-trace/1`): what is read from JSON and JSON lines, and what is refused, with the step's number. */
import { describe, expect, test } from 'vitest';
import {
  isTraceLines,
  mutatedTrace,
  parseMutations,
  parseSmmuTrace,
  parseSmmuTraceText,
  parseTransitions,
  SmmuTraceError,
} from '../../src/trace/index.ts';

/** JSON that a test may change. */
// biome-ignore lint/suspicious/noExplicitAny: tests put anything in.
type Loose = any;

const HEAD = {
  schema: 'pgtable-trace/1',
  kind: 'smmuv3',
  name: 'made here',
  producer: 'by hand',
  machine: {
    base: '0x9050000',
    idr0: '0xd44101b',
    idr1: '0x2730010',
    idr3: '0x1414',
    idr5: '0x74',
    aidr: '0x1',
    ram: { base: '0x40000000', size: '0x8000000' },
  },
  memory: [{ pa: '0x41000000', words64: { 0: '0x1', 64: '0x4102000b' } }],
};

const STEPS = [
  { mmio: 'SMMU_CMDQ_BASE', value: '0x41030004' },
  { mmio: 'STRTAB_BASE[63:32]', value: '0x40000000' },
  { write64: '0x41030000', value: '0xffffffffffffffff', note: 'a command' },
  { barrier: true },
  { read: 'CMDQ_CONS', got: '0x1', arm: ['0x1', '0x0'], mask: '0xfffff' },
  {
    access: { sid: 8, ssid: 2, iova: '0x1d8b24e018', rw: 'write', data: '0xde008001' },
    got: { fault: 'F_TRANSLATION', s2: 0, class: 'in', event: ['0x800000010', '0x0', '0x1', '0x0'] },
    arm: [
      { fault: 'F_TRANSLATION', s2: 0, class: 'in', recorded: false },
      { pa: '0x44002018', by: ['cd', 'tlb'] },
      { abort: true },
    ],
    needs: null,
    producer_cache: 'config hit',
  },
];

const json = (): Loose => structuredClone({ ...HEAD, steps: STEPS });

/** The error for a trace after a change. */
function refusal(change: (trace: Loose) => void): SmmuTraceError {
  const trace = json();
  change(trace);
  try {
    parseSmmuTrace(trace);
  } catch (error) {
    if (error instanceof SmmuTraceError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('a trace', () => {
  test('is read with numbers, register names and outcomes', () => {
    const { name, machine, memory, steps } = parseSmmuTrace(json());
    expect([name, machine.sids, machine.gbpa, machine.base]).toEqual(['made here', [8], 0n, 0x905_0000n]);
    expect(memory).toEqual([
      { pa: 0x4100_0000n, value: 1n },
      { pa: 0x4100_0040n, value: 0x4102_000bn },
    ]);
    expect(steps).toEqual([
      { kind: 'mmio', register: 'CMDQ_BASE', value: 0x4103_0004n },
      { kind: 'mmio', register: 'STRTAB_BASE', half: 'high', value: 0x4000_0000n },
      { kind: 'write64', pa: 0x4103_0000n, value: 0xffff_ffff_ffff_ffffn, note: 'a command' },
      { kind: 'barrier' },
      { kind: 'read', register: 'CMDQ_CONS', got: 1n, arm: [1n, 0n], mask: 0xf_ffffn },
      {
        kind: 'access',
        access: { sid: 8, ssid: 2, iova: 0x1d_8b24_e018n, rw: 'write', size: 0, data: 0xde00_8001n },
        got: {
          outcome: { kind: 'fault', fault: 'F_TRANSLATION', s2: false, class: 'in' },
          event: [0x8_0000_0010n, 0n, 1n, 0n],
        },
        arm: [
          { kind: 'fault', fault: 'F_TRANSLATION', s2: false, class: 'in', recorded: false },
          { kind: 'pa', pa: 0x4400_2018n, by: ['cd', 'tlb'] },
          { kind: 'abort' },
        ],
        needs: null,
      },
    ]);
  });

  test.each<[string, (trace: Loose) => void, number | undefined, RegExp]>([
    [
      'an unknown register',
      (t) => (t.steps[0].mmio = 'CMDQ_BAS'),
      0,
      /"CMDQ_BAS" is not a .* did you mean CMDQ_BASE\?/,
    ],
    [
      'a Secure register',
      (t) => (t.steps[0].mmio = 'S_CR0'),
      0,
      /not a register of the Non-secure programming interface/,
    ],
    ['half of a 32-bit register', (t) => (t.steps[4].read = 'CR0[31:0]'), 4, /CR0 has 32 bits/],
    [
      'a value that is no number',
      (t) => (t.steps[0].value = 'four'),
      0,
      /must be a "0x…" string.* is "four"/,
    ],
    [
      '33 bits for CMDQ_PROD',
      (t) => (t.steps[0] = { mmio: 'CMDQ_PROD', value: '0x100000000' }),
      0,
      /0x100000000 has more than the 32 bits of CMDQ_PROD/,
    ],
    [
      '33 bits for a half',
      (t) => (t.steps[1].value = '0x100000000'),
      1,
      /more than the 32 bits of half of STRTAB_BASE/,
    ],
    ['a misaligned write', (t) => (t.steps[2].write64 = '0x41030004'), 2, /multiple of 8.* is "0x41030004"/],
    [
      'a write outside RAM',
      (t) => (t.steps[2].write64 = '0x48000000'),
      2,
      /no RAM at 0x48000000; machine.ram is \[0x40000000, 0x48000000\)/,
    ],
    [
      'an unknown member',
      (t) => (t.steps[2].vale = '0x1'),
      2,
      /vale is not known here; did you mean value\?/,
    ],
    [
      'a step of no kind',
      (t) => (t.steps[3] = { dsb: true }),
      3,
      /one of write64, mmio, barrier, read, read64, interrupt, access, resumed/,
    ],
    ['a step of two kinds', (t) => (t.steps[2].barrier = true), 2, /barrier is not known here/],
    [
      'an unknown event',
      (t) => (t.steps[5].arm[0].fault = 'F_TRANS'),
      5,
      /must be one of F_UUT.* is "F_TRANS"/,
    ],
    ['an unknown cache', (t) => (t.steps[5].arm[1].by = ['l1']), 5, /must be one of ste, cd, tlb/],
    ['no outcome at all', (t) => (t.steps[5].arm = []), 5, /at least one outcome/],
    ['a StreamID of 33 bits', (t) => (t.steps[5].access.sid = 2 ** 32), 5, /sid must be a whole number/],
    [
      'a step after the end',
      (t) => (t.producer_leaves_arm_at = [6]),
      6,
      /step 6 is after the end of the trace: its steps are 0 to 5/,
    ],
    [
      'the same word twice',
      (t) => t.memory.push({ pa: '0x41000038', words64: { 8: '0x1' } }),
      undefined,
      /memory\[1\].*the word at 0x41000040 is in memory\[0\] too/,
    ],
    ['a word that is not aligned', (t) => (t.memory[0].words64['4'] = '0x1'), undefined, /multiples of 8/],
    ['memory that is not there', (t) => (t.memory[0].pa = '0x1000'), undefined, /no RAM at 0x1000/],
    [
      'RAM over the registers',
      (t) => (t.machine.base = '0x3fff0000'),
      undefined,
      /register pages take 0x20000 bytes .* overlap machine.ram/,
    ],
    ['empty RAM', (t) => (t.machine.ram.size = '0x0'), undefined, /at least one word/],
    [
      'another schema',
      (t) => (t.schema = 'pgtable-trace/2'),
      undefined,
      /schema must be one of pgtable-trace\/1/,
    ],
  ])('with %s is refused', (_, change, step, message) => {
    const error = refusal(change);
    expect(error.message).toMatch(message);
    expect(error.step).toBe(step);
  });

  test('may end right below the registers', () => {
    const trace = json();
    trace.machine.base = '0x48000000';
    expect(parseSmmuTrace(trace).machine.base).toBe(0x4800_0000n);
  });
});

describe('JSON lines', () => {
  const lines = (...steps: unknown[]) => [HEAD, ...steps].map((one) => JSON.stringify(one)).join('\n');

  test('are the same trace as the document', () => {
    const text = lines(...STEPS, { end: 6 });
    expect(isTraceLines(text)).toBe(true);
    expect(isTraceLines(JSON.stringify(json()))).toBe(false);
    expect(parseSmmuTraceText(`\n${text}\n`)).toEqual(parseSmmuTrace(json()));
    expect(parseSmmuTraceText(JSON.stringify(json(), null, 1))).toEqual(parseSmmuTrace(json()));
  });

  test.each<[string, string, RegExp]>([
    [
      'a step after its end',
      lines({ barrier: true }, { end: 1 }, { barrier: true }),
      /line 4: step 1 comes after the trace's end, line 3/,
    ],
    [
      'another number of steps',
      lines({ barrier: true }, { end: 2 }),
      /line 3: end must be the number of steps, which is 1, but is 2/,
    ],
    [
      'a wrong step',
      `${lines({ barrier: true })}\n\n${JSON.stringify({ mmio: 'CR9', value: '0x0' })}`,
      /line 4: steps\[1\].mmio: "CR9" is no/,
    ],
    ['a line that was cut off', `${lines({ barrier: true })}\n{"barr`, /line 3: not JSON/],
  ])('with %s are refused', (_, text, message) => {
    expect(() => parseSmmuTraceText(text)).toThrow(message);
  });
});

describe('mutations', () => {
  const list = (mutation: object): Loose => ({
    schema: 'pgtable-trace-mutations/1',
    mutations: [{ base: 'x.json', what: 'wrong', patch: [], open: [5], ...mutation }],
  });
  const mutated = (mutation: object) =>
    mutatedTrace(parseSmmuTrace(json()), parseMutations(list(mutation))[0]!);

  test('replace values of steps', () => {
    const { steps } = mutated({ patch: [{ step: 2, value: '0x46' }] });
    expect(steps[2]).toEqual({ kind: 'write64', pa: 0x4103_0000n, value: 0x46n, note: 'a command' });
    expect(steps[0]).toEqual(parseSmmuTrace(json()).steps[0]);
  });

  test.each<[string, object, RegExp]>([
    ['after the end', { patch: [{ step: 6, value: '0x0' }] }, /wrong: patch: step 6 is after the end/],
    [
      'without a value',
      { patch: [{ step: 3, value: '0x0' }] },
      /step 3 is a step of kind barrier and has no value/,
    ],
    ['that is no access', { open: [4] }, /step 4 is not an access/],
    ['first, after the end', { first: { step: 9, arm: [{ pa: '0x0' }] } }, /step 9 is after the end/],
  ])('that name a step %s are refused', (_, mutation, message) => {
    expect(() => mutated(mutation)).toThrow(message);
  });
});

describe('changes of an STE', () => {
  const zero = Array.from({ length: 8 }, () => '0x0');
  const one = (more: object): Loose => [
    { schema: 'pgtable-hitless/1', name: 'n', structure: 'ste', from: zero, to: zero, steps: [], ...more },
  ];

  test('are read', () => {
    const [read] = parseTransitions(one({ steps: [{ write: 7, value: '0x1' }, { sync: 1 }], hitless: true }));
    expect(read!.steps).toEqual([{ kind: 'write', index: 7, value: 1n }, { kind: 'sync' }]);
    expect([read!.hitless, read!.v0Seen, read!.from.length]).toEqual([true, undefined, 8]);
  });

  test.each<[string, object, RegExp]>([
    ['seven words', { from: zero.slice(1) }, /\[0\].from must have 8 words/],
    [
      'a write to word 8',
      { steps: [{ write: 8, value: '0x0' }] },
      /steps\[0\].write must be a whole number from 0 to 7, but is 8/,
    ],
    ['another structure', { structure: 'vms' }, /must be one of ste, cd/],
  ])('with %s are refused', (_, more, message) => {
    expect(() => parseTransitions(one(more))).toThrow(message);
  });
});

import { expect, test } from 'vitest';
import { asText, lpae, lpaeJson, REQUEST, tempFile } from './run.ts';

const request = tempFile('request.json', asText(REQUEST));

/** One page at VA 0x1000, read-only for EL0 (AP = 0b11), in an image that has nothing else. */
const IMAGE = {
  schema: 'pgtable-golden/1',
  kind: 'image',
  name: 'one page',
  producer: 'by hand',
  regime: 'el1&0',
  cpu: { model: 'cortex-a57', pa_bits: 44 },
  ram: { base: '0x40000000', size: '0x100000' },
  // T0SZ 34: a level 2 root for 30 bits of input. EPD1.
  registers: { ttbr0: '0x40000000', tcr: '0x400800022', mair: '0xff', sctlr: '0x1' },
  memory: [
    { pa: '0x40000000', words64: { '0': '0x40001003', '8': '0x50000003', '16': '0x40000001' } },
    { pa: '0x40001000', words64: { '8': '0x60000401230fcb', '16': '0x0000000040124003', '24': '0x2' } },
  ],
  translations: [],
};
const image = tempFile('image.json', asText(IMAGE));

test('each step, the address, what it may and as what', async () => {
  expect(await lpae(['walk', request, '0x1000_1234'])).toEqual({
    code: 0,
    err: '',
    out: `0x10001234  privileged read
  L0[0x000] @0x80000000 = 0x0000000080001003  table -> 0x80001000
  L1[0x000] @0x80001000 = 0x0000000080002003  table -> 0x80002000
  L2[0x080] @0x80002400 = 0x0000000080003003  table -> 0x80003000
  L3[0x001] @0x80003008 = 0x0000000900001f47  page  -> 0x900001000
  PA    0x900001234  (4K at 0x900001000, level 3)
  may   privileged rw-, unprivileged rwx
  as    Normal, inner and outer Write-Back RW-allocate (0xff), inner shareable; not global (nG)
`,
  });
});

test('a fault: kind, level, reason and codes; exit code 1', async () => {
  const { code, out } = await lpae(['walk', request, '0x10010000']);
  expect(code).toBe(1);
  expect(out).toBe(`0x10010000  privileged read
  L0[0x000] @0x80000000 = 0x0000000080001003  table -> 0x80001000
  L1[0x000] @0x80001000 = 0x0000000080002003  table -> 0x80002000
  L2[0x080] @0x80002400 = 0x0000000080003003  table -> 0x80003000
  L3[0x010] @0x80003080 = 0x0000000000000000  invalid
  FAULT translation fault, stage 1, level 3
  why   0x0000000000000000 at 0x80003080 is not valid: bit 0 is clear
  code  FSC 0x07, ESR_EL1 0x96000007, PAR_EL1 0x000000000000080f
`);
});

test('several addresses: one fault makes the exit code 1', async () => {
  const { code, out } = await lpae(['walk', request, '0x10000000', '0x0', '256M+8K']);
  expect(code).toBe(1);
  expect(out.match(/^ {2}PA/gm)).toHaveLength(2);
  expect(out.match(/^ {2}FAULT/gm)).toHaveLength(1);
});

test('permission: a write where only reads may be says what is allowed', async () => {
  const { code, out } = await lpae(['walk', image, '0x1000', '--access', 'write', '--unprivileged']);
  expect(code).toBe(1);
  expect(out).toContain('unprivileged write');
  expect(out).toContain('FAULT permission fault, stage 1, level 3');
  expect(out).toContain('does not allow unprivileged write; it allows privileged r--, unprivileged r--');
  expect((await lpae(['walk', image, '0x1000', '--unprivileged'])).code).toBe(0);
});

test.each([
  ['0x2000', 'FAULT access flag fault, stage 1, level 3', 'has AF (bit 10) clear'],
  [
    '0x3000',
    'FAULT translation fault, stage 1, level 3',
    '0x0000000000000002 at 0x40001018 is not valid: bit 0',
  ],
  ['0x200000', 'FAULT synchronous external abort on the walk, stage 1, level 3', 'no RAM at 0x50000000'],
  ['0x400000', 'FAULT access flag fault, stage 1, level 2', 'has AF (bit 10) clear'],
  ['0x40000000', 'FAULT translation fault, stage 1, level 0', 'outside what the registers translate'],
])('why %s faults', async (address, fault, why) => {
  const { code, out } = await lpae(['walk', image, address]);
  expect(code).toBe(1);
  expect(out).toContain(fault);
  expect(out).toContain(why);
});

test('--json', async () => {
  const { code, json } = await lpaeJson(['walk', request, '0x10001234', '0x0']);
  expect(code).toBe(1);
  expect(json).toMatchObject({
    schema: 'lpae.walk/1',
    regime: 'el1&0',
    walks: [
      {
        ia: '0x10001234',
        access: 'read',
        privileged: true,
        ok: true,
        pa: '0x900001234',
        level: 3,
        size: '0x1000',
        leaf_base: '0x900001000',
        permissions: { privileged: 'rw-', unprivileged: 'rwx' },
        attr: '0xff',
        shareability: 'inner',
        global: false,
        par: '0xff00000900001b80',
        steps: [
          {
            stage: 1,
            level: 0,
            table: '0x80000000',
            index: 0,
            descriptor: '0x0000000080001003',
            kind: 'table',
          },
          { level: 1 },
          { level: 2 },
          { level: 3, kind: 'page', output: '0x900001000' },
        ],
      },
      {
        ok: false,
        fault: { kind: 'translation', stage: 1, level: 2, fsc: '0x06' },
        par: '0x000000000000080d',
        steps: [{ level: 0 }, { level: 1 }, { level: 2, kind: 'invalid' }],
      },
    ],
  });
});

test('a golden ops file is carried out first', async () => {
  const file = 'fixtures/linux/arm_64_lpae_s2-4k-addr48-48-0001.json';
  const { code, json } = await lpaeJson(['walk', file, '0']);
  expect([0, 1]).toContain(code);
  expect(json).toMatchObject({ name: 'arm_64_lpae_s2-4k-addr48-48-0001', regime: 'el1&0-s2' });
});

test('what a request could not map is said beside the walk', async () => {
  const file = tempFile('refused.json', asText({ ...REQUEST, sg: [['0x800', '4K']] }));
  const { err } = await lpae(['walk', file, '0']);
  expect(err).toMatch(/^lpae: ops\[0\] map_sg: EINVAL: /);
});

test.each([
  [['walk', request, '0x1_0000_0000_0000_0000'], 2, "'0x1_0000_0000_0000_0000' is not a 64-bit address"],
  [['walk', request, '0x'], 2, "'0x' is not a 64-bit address"],
  [['walk', request, '4Q'], 2, "'4Q' is not a 64-bit address"],
  [['walk', 'fixtures/real/linux61-smmuv3-4k.sg.json', '0'], 3, 'lpae replay runs them'],
  [
    ['walk', tempFile('x.json', asText({ ...IMAGE, regime: 'el7' })), '0'],
    3,
    "x.json: regime: unknown regime 'el7'",
  ],
  [['walk', tempFile('x.json', asText({ ...IMAGE, memory: 7 })), '0'], 3, 'memory must be a list, but is 7'],
  [
    ['walk', tempFile('x.json', asText({ ...IMAGE, memory: [{ pa: '0x0', words64: { 0: '0x1' } }] })), '0'],
    3,
    'no RAM at 0x0',
  ],
  [['walk', tempFile('x.json', 'null'), '0'], 3, 'the document must be an object'],
])('%j', async (args, code, message) => {
  const ran = await lpae(args as string[]);
  expect(ran.code).toBe(code);
  expect(ran.out).toBe('');
  expect(ran.err).toContain(message);
});

test('a contiguous run is a hint to the walk, and a misprogrammed one is said', async () => {
  // Sixteen pages from 0x10000 on, marked contiguous; the fourth leads elsewhere and the sixth is not marked.
  const words: Record<string, string> = {};
  for (let i = 0; i < 16; i++) {
    const page = 0x4002_0000 + i * 0x1000 + (i === 3 ? 0x10_0000 : 0);
    words[String((16 + i) * 8)] = `0x${i === 5 ? '0060' : '0070'}0000${page.toString(16)}`.replace(
      /...$/,
      'f43',
    );
  }
  const runs = { ...IMAGE, memory: [IMAGE.memory[0], { pa: '0x40001000', words64: words }] };
  const file = tempFile('runs.json', asText(runs));
  const { out } = await lpae(['walk', file, '0x12000']);
  expect(out).toContain('PA    0x40022000');
  expect(out).toContain('run   16 entries, 64K at 0x10000, misprogrammed');
  expect(out).toContain(
    "entry 3 at 0x13000 = 0x0070000040123f43: its output does not follow its neighbour's",
  );
  expect(out).toContain('entry 5 at 0x15000 = 0x0060000040025f43: its Contiguous bit is clear');
  expect(out.match(/entry \d+ at/g)).toHaveLength(2);
});

test.each(['el2', 'EL2', 'El2'])('--regime %s, in any case', async (regime) => {
  const { out } = await lpae(['walk', image, '--regime', regime, '0x0']);
  expect(out).toContain('ESR_EL2');
});

test.each(['vhe', 'el20', 'EL2-0'])('--regime %s needs no quotes and is EL2&0', async (regime) => {
  const asked = (name: string) => lpae(['walk', image, '--regime', name, '--unprivileged', '0x8000']);
  expect(await asked(regime)).toEqual(await asked('el2&0'));
  expect(await asked(regime)).not.toEqual(await asked('el2'));
});

test('--regime refuses what is no regime, with the names that there are', async () => {
  const { code, err } = await lpae(['walk', image, '--regime', 'el9', '0x0']);
  expect(code).toBe(2);
  expect(err).toContain("there is no regime 'el9'");
  expect(err).toContain('el2&0');
});

/** Two levels of a walk at 0x10, by their lines in a log. */
const WALK = [
  'L0[0x000] @0x485b1000 = 0x00000000485b2003  table',
  'L1[0x000] @0x485b2000 = 0x0000000000000000  invalid',
];
const EL2 = ['--regime', 'el2', '--ttbr0', '0x485b1000', '--tcr', '0x80843510'];

test.each([
  ['as walk prints it', (line: string) => line],
  ['with time stamps, which begin like a list of JSON', (line: string) => `[   12.345678] ${line}`],
  ['with the stamps of Zephyr', (line: string) => `[00:00:00.010,000] <err> os: ${line}`],
  ['quoted, with =3D', (line: string) => `> ${line.replace('=', '=3D')}`],
])('the lines of a walk are memory: %s', async (_, printed) => {
  const stdin = `${WALK.map(printed).join('\n')}\n`;
  const { code, out } = await lpae(['walk', '-', '0x10', ...EL2], { stdin });
  expect(code).toBe(1);
  expect(out).toContain('L1[0x000] @0x485b2000 = 0x0000000000000000  invalid');
  expect(out).toContain('FAULT translation fault, stage 1, level 1');
});

test("a walk of Xen's P2M begins in the concatenated table that it names", async () => {
  const stdin = `(XEN) P2M @ 00008000fbf8bcc0 mfn:0x87bfa2
(XEN) Using concatenated root table 1
(XEN) 1ST[0x000] = 0x0040000087bf9f7f
(XEN) 2ND[0x048] = 0x0000000000000000
`;
  const registers = ['--regime', 'el10-s2', '--vttbr', '0x87bfa2000', '--vtcr', '0x80023558'];
  const { out } = await lpae(['walk', '-', '0x8009000000', ...registers], { stdin });
  expect(out).toContain('L1[0x200] @0x87bfa3000 = 0x0040000087bf9f7f');
  expect(out).toContain('L2[0x048] @0x87bf9240  = 0x0000000000000000  invalid');
});

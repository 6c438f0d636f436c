/** `walk` and `dump` on images of SMMUs: streams, substreams, events, and the rows of a golden file. */
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, REQUEST, tempFile } from './run.ts';

/**
 * A linear stream table at 0x4000_0000: StreamID 1 has a CD at 0x4000_1000 (T0SZ 34, EPD1, 44 bits), 2 bypasses, 3 aborts.
 * One read-only page at 0x1000.
 */
const IMAGE = {
  schema: 'pgtable-golden/1',
  kind: 'image',
  name: 'one stream',
  producer: 'by hand',
  regime: 'smmuv3-s1',
  cpu: { model: 'smmuv3', pa_bits: 44 },
  ram: { base: '0x40000000', size: '0x100000' },
  registers: { strtab_base: '0x40000000', strtab_base_cfg: '0x4', cr0: '0x1', cr2: '0x2' },
  memory: [
    { pa: '0x40000000', words64: { '64': '0x4000100b', '128': '0x9', '192': '0x1' } },
    { pa: '0x40001000', words64: { '0': '0x6204c0000022', '8': '0x40002000', '24': '0xff' } },
    { pa: '0x40002000', words64: { '0': '0x40003003' } },
    { pa: '0x40003000', words64: { '8': '0x900000fc3' } },
  ],
  translations: [
    { sid: '0x1', va: '0x1234', access: 'read', pa: '0x900000234' },
    { sid: '0x1', va: '0x1234', access: 'write', el: 0, fault: { kind: 'permission', stage: 1, level: 3 } },
    { sid: '0x3', va: '0x1234', access: 'read', pa: '0x1234' },
  ],
};
const image = tempFile('smmu.json', asText(IMAGE));
const config = 'fixtures/qemu/qemu10-smmuv3-config-4k-00.json';

describe('walk', () => {
  test('a fault shows its event', async () => {
    const { code, out } = await lpae(['walk', image, '0x1234', '0x2000', '--sid', '1']);
    expect(code).toBe(1);
    expect(out).toContain('PA    0x900000234  (4K at 0x900000000, level 3)');
    expect(out).toContain(
      'code  F_TRANSLATION (0x10), event 0x0000000100000010 0x0000020a00000000 0x0000000000002000 0x0000000000000000',
    );
  });

  test.each([
    [['0x1234', '--sid', '2'], 0, 'PA    0x1234  (translation is off)'],
    [['0', '--sid', '3'], 1, 'FAULT aborted'],
    [['0', '--sid', '3'], 1, 'code  no event is recorded'],
    [['0', '--sid', '0'], 1, 'FAULT C_BAD_STE'],
    [['0', '--sid', '16'], 1, 'code  C_BAD_STREAMID (0x02), event 0x0000001000000002'],
    [['0', '--sid', '1', '--ssid', '5'], 1, 'why   the SubstreamID has no context descriptor'],
  ])('%j', async (args, code, text) => {
    const ran = await lpae(['walk', image, ...args]);
    expect(ran.code).toBe(code);
    expect(ran.out).toContain(text);
  });

  test('--json: class and event in place of FSC and PAR', async () => {
    const { json } = await lpaeJson(['walk', image, '0x1000', '--sid', '1', '--access', 'write']);
    expect(json).toMatchObject({
      regime: 'smmuv3-s1',
      walks: [
        {
          ok: false,
          fault: { kind: 'permission', level: 3, class: 'in' },
          event: ['0x0000000100000013', '0x0000020200000000', '0x0000000000001000', '0x0000000000000000'],
        },
      ],
    });
    const aborted = await lpaeJson(['walk', image, '0', '--sid', '3']);
    expect(aborted.json).toMatchObject({ walks: [{ fault: { kind: 'abort' }, event: null, steps: [] }] });
  });
});

describe('without --sid', () => {
  test.each([
    ['walk', image, '0x1234'],
    ['dump', image],
    ['lint', image],
    ['diff', image, image],
  ])('several valid StreamIDs are listed: %s', async (...args) => {
    const { code, out, err } = await lpae(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('which stream? Valid are the StreamIDs 0x1 to 0x3\n      choose one: --sid 0x…');
  });

  test('the only valid one is taken, and that is said', async () => {
    const memory = IMAGE.memory.map((part, i) =>
      i === 0 ? { pa: '0x40000000', words64: { '64': '0x4000100b' } } : part,
    );
    const translations = [{ ...IMAGE.translations[0], sid: '0x3' }];
    const only = tempFile('only.json', asText({ ...IMAGE, memory, translations }));
    const { code, out, err } = await lpae(['walk', only, '0x1234']);
    expect(code).toBe(0);
    expect(out).toContain('PA    0x900000234');
    expect(err).toBe('lpae: StreamID 0x1: it is the only one with a valid stream table entry\n');
    expect((await lpaeJson(['dump', only])).json.notes).toContain(
      'StreamID 0x1: it is the only one with a valid stream table entry',
    );
  });
});

describe('--row', () => {
  test('walks as the row asks, and says whether the file agrees', async () => {
    const written = await lpae(['walk', image, '--row', '1']);
    expect(written.code).toBe(1);
    expect(written.out).toContain('0x1234  unprivileged write');
    expect(written.out).toContain('  file  translations[1]: permission fault, stage 1, level 3  (agrees)');
    const wrong = await lpae(['walk', image, '--row', '2']);
    expect(wrong.out).toContain('FAULT aborted');
    expect(wrong.out).toContain('  file  translations[2]: pa 0x1234  (differs)');
  });

  test.each([
    [12, 'F_TRANSLATION (0x10)', 'stage 2'],
    [16, 'C_BAD_STE (0x04)', 'c_bad_ste'],
    [28, 'F_CD_FETCH (0x09)', 'f_cd_fetch'],
    [228, 'C_BAD_CD (0x0a)', 'c_bad_cd'],
  ])('row %i has registers of its own: %s', async (row, event, want) => {
    const { code, out } = await lpae(['walk', config, '--row', String(row)]);
    expect(code).toBe(1);
    expect(out).toContain(`code  ${event}, event`);
    expect(out).toMatch(new RegExp(`file {2}translations\\[${row}\\]: .*${want}.*\\(agrees\\)`));
  });

  test('an address, or an access, in place of its own makes another question', async () => {
    const { code, out } = await lpae(['walk', image, '0x1000', '--row', '1', '--access', 'read']);
    expect(code).toBe(0);
    expect(out).not.toContain('file');
    const { json } = await lpaeJson(['walk', image, '--row', '0']);
    expect(json).toMatchObject({ golden: { row: 'translations[0]', want: 'pa 0x900000234', agrees: true } });
  });
});

describe('dump', () => {
  test('ranges and tables of a stream', async () => {
    const { code, out } = await lpae(['dump', image, '--sid', '1']);
    expect(code).toBe(0);
    expect(out).toContain('[0x00000000, 0x3fffffff]  smmuv3-s1');
    expect(out).toMatch(/0x00001000-0x00001fff {2}4K {2}-> 0x900000000 {2}4K {2}r-x r-x {2}WB/);
    expect((await lpae(['dump', image, '--tree', '--sid', '1'])).out).toContain('-> L3 @0x40003000');
  });

  test('a stream that translates nothing says why', async () => {
    const { code, out, err } = await lpae(['dump', image, '--sid', '0']);
    expect([code, out]).toEqual([0, '']);
    expect(err).toContain('lpae: C_BAD_STE: the stream table entry is not valid');
  });

  test('a nested stream: the fetch of its CD does not make its address space larger', async () => {
    const { out } = await lpae(['dump', 'fixtures/qemu/qemu10-smmuv3-nested-4k-00.json']);
    expect(out).toContain('[0x000000000, 0xfffffffff]  smmuv3-nested');
  });
});

test.each([
  [['walk', image, '--row', '3'], '--row: this image has no row 3\n      its rows are 0 to 2'],
  [['walk', image], "missing required argument 'address'"],
  [['walk', config, '0', '--sid', '1'], 'this image has a single stream'],
  [['walk', image, '0', '--sid', '0x1_0000_0000'], 'has more than 32 bits'],
  [['walk', 'fixtures/qemu/qemu-s1-4k-max-00.json', '0', '--ssid', '1'], '--ssid is for an SMMU'],
  [['walk', tempFile('r.json', asText(REQUEST)), '0', '--row', '1'], '--row is for images'],
])('wrong usage: %j', async (args, message) => {
  const { code, out, err } = await lpae(args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(message);
});

describe('configurations', () => {
  /** The image with CD word 0 and registers changed, by the regime that leaves the stages to the STE. */
  const changed = (cd0: string, registers: Record<string, string>, ste1 = '0x0', moreOfCd = {}) =>
    tempFile(
      'config.json',
      asText({
        ...IMAGE,
        regime: 'smmuv3',
        registers: { ...IMAGE.registers, ...registers },
        memory: [
          { pa: '0x40000000', words64: { '64': '0x4000100b', '72': ste1 } },
          {
            pa: '0x40001000',
            words64: { '0': cd0, '8': '0x40002000', '16': '0x800000000000000', '24': '0xff', ...moreOfCd },
          },
          ...IMAGE.memory.slice(2),
        ],
        translations: IMAGE.translations.slice(0, 1),
      }),
    );

  test('an image of regime smmuv3, and the reason of an ILLEGAL CD', async () => {
    // A = 0 with TERM_MODEL = 1.
    const illegal = changed('0x2204c0000022', { idr0: '0xd44101b' });
    const { code, out } = await lpae(['walk', illegal, '0x1234']);
    expect(code).toBe(1);
    expect(out).toContain('! CD.A = 0 (fault): must be 1 (SMMU_IDR0.TERM_MODEL = 1)');
    expect(out).toContain('FAULT C_BAD_CD');
  });

  test('CD.A = 0 reaches the result', async () => {
    const { out } = await lpae(['walk', changed('0x2204c0000022', { idr0: '0x944101b' }), '0x2000']);
    expect(out).toContain('then  the device sees no error (CD.A = 0): a read gives 0, a write does nothing');
  });

  test('permission indirection is walked, told and compared', async () => {
    // CD.PIE (187) and STE.S1PIE (88), with SMMU_IDR3.S1PI. PIIP: read and write, but at PIIndex 1 nothing. PIIU: nothing.
    const piip = { '56': '0xb6db6db6db45' };
    const pie = changed('0x6204c0000022', { idr3: '0x41404' }, '0x1000000', piip);
    const allowed = changed('0x6204c0000022', { idr3: '0x41404' }, '0x1000000', { '56': '0xb6db6db6db6d' });
    const { code, out } = await lpae(['walk', pie, '0x1234']);
    expect(code).toBe(1);
    expect(out).toContain('CD.PIIP[5:3] = 0x0, no access');
    expect((await lpae(['walk', allowed, '0x1234'])).out).toContain('CD.PIIP[5:3] = 0x5, read, write');
    expect((await lpae(['check', allowed])).code).toBe(0);
    for (const command of ['dump', 'lint']) expect((await lpae([command, allowed])).code).toBeLessThan(2);
  });
});

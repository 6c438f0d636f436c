/** The security state on the command line: said, and in every answer where descriptors choose an address space. */
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

/** EL3, 4K, T0SZ 25: blocks of 1 GiB at 2, 3 and 4; the first has NS = 1, the last the same PA with NS = 0. */
const image = (more: object = {}, words: Record<string, string> = {}) =>
  tempFile(
    'ns.json',
    asText({
      schema: 'pgtable-golden/1',
      kind: 'image',
      name: 'ns',
      regime: 'el3',
      cpu: { model: 'cortex-a57', pa_bits: 44 },
      ram: { base: '0x80000000', size: '0x80000000' },
      registers: { ttbr0: '0x80000000', tcr: '0x80823519', mair: '0xff', sctlr: '0x30d01805' },
      memory: [
        {
          pa: '0x80000000',
          words64: {
            16: '0x60000080000721',
            24: '0x600000c0000701',
            32: '0x60000080000701',
            ...words,
          },
        },
      ],
      translations: [],
      ...more,
    }),
  );
const NS = image();

test('walk says the state, and where the address leads', async () => {
  const { out } = await lpae(['walk', NS, '0x80000000']);
  expect(out).toContain('0x80000000  read, Secure state');
  expect(out).toMatch(/PA +0x80000000 {2}Non-secure/);
  expect((await lpaeJson(['walk', NS, '0x100000000'])).json.walks).toMatchObject([
    { security: 'secure', pas: 'secure', par: '0xff00000080000980' },
  ]);
  expect((await lpaeJson(['walk', NS, '0x0'])).json.walks).toMatchObject([{ ok: false, security: 'secure' }]);
});

test('dump keeps ranges apart that differ in it', async () => {
  // 3 GiB and 2 GiB: contiguous on both sides, and alike but for NS.
  const file = image({}, { 16: '0x60000080000721', 24: '0x600000c0000701' });
  const { out } = await lpae(['dump', file]);
  expect(out).toContain('el3, Secure state');
  expect(out).toMatch(/0x0080000000-0x00bfffffff .* Non-secure\n/);
  expect(out).toMatch(/0x00c0000000-0x00ffffffff .* Secure\n/);
  const { json } = await lpaeJson(['dump', file]);
  expect(json).toMatchObject({
    security: 'secure',
    ranges: [{ pas: 'nonsecure' }, { pas: 'secure' }, { pas: 'secure' }],
  });
});

test('dump --tree tells the words apart', async () => {
  const { out } = await lpae(['dump', NS, '--tree', '--full']);
  expect(out).toMatch(/0x0060000080000721 .*Non-secure/);
  expect(out).toMatch(/0x0060000080000701 .*Secure/);
});

describe('diff', () => {
  const other = image({}, { 16: '0x60000080000701' });

  test('by meaning: NS is a difference', async () => {
    const { out, code } = await lpae(['diff', NS, other, '--by', 'meaning']);
    expect(code).toBe(1);
    expect(out).toMatch(/- wanted {2}0x80000000-.*Non-secure\n.*\+ found {3}0x80000000-.* Secure\n/);
  });

  test('by bits: the field is named', async () => {
    const { json } = await lpaeJson(['diff', NS, other, '--by', 'bits']);
    expect(json.bits).toMatchObject({ entries: [{ fields: [{ name: 'NS', a: '0x1', b: '0x0' }] }] });
  });
});

describe('--security', () => {
  test('Root state: bit 11 is NSE, and no granule protection table was given', async () => {
    const file = image({}, { 16: '0x60000080000f01', 24: '0x600000c0000f21' });
    const { out, err } = await lpae(['dump', file, '--security', 'root']);
    expect(out).toMatch(/0x0080000000-.* Root\n/);
    expect(out).toMatch(/0x00c0000000-.* Realm\n/);
    expect(err).toContain('GPCCR_EL3 is not given, or has GPC = 0: granule protection checks are off');
  });

  test('a state that the regime does not have, and a word that names no state', async () => {
    const wrong = await lpae(['walk', NS, '0x0', '--security', 'nonsecure']);
    expect([wrong.code, wrong.err]).toEqual([3, expect.stringContaining('EL3 is Secure, or Root')]);
    const word = await lpae(['walk', NS, '0x0', '--security', 'sekure']);
    expect(word.err).toContain(
      "there is no security state 'sekure'; there are nonsecure, secure, realm, root",
    );
  });

  test('SCR_EL3 says it where it is given', async () => {
    const file = image({
      regime: 'el1&0',
      registers: { ttbr0: '0x80000000', tcr: '0x200803519', mair: '0xff', scr_el3: '0x500' },
    });
    expect((await lpaeJson(['walk', file, '0x80000000'])).json.walks).toMatchObject([
      { security: 'secure', pas: 'nonsecure' },
    ]);
    const both = await lpae(['walk', file, '0x80000000', '--security', 'realm']);
    expect(both.err).toContain('SCR_EL3 0x500 is Secure state of el1&0, not Realm');
  });
});

test('capture keeps the state, and check agrees with it', async () => {
  const secure = image({
    regime: 'el1&0',
    security: 'secure',
    registers: { ttbr0: '0x80000000', tcr: '0x200803519', mair: '0xff' },
  });
  const { out } = await lpae(['capture', secure, '0x80000000', '0xc0000000']);
  expect(JSON.parse(out)).toMatchObject({
    security: 'secure',
    translations: [
      { pas: 'nonsecure', ns: 1 },
      { pas: 'secure', ns: 0 },
    ],
  });
  expect((await lpae(['check', tempFile('captured.json', out)])).code).toBe(0);
});

test('the differences of check name the address space', async () => {
  const row = { va: '0x80000000', access: 'read', el: 3, pa: '0x80000000' };
  const file = image({
    translations: [
      { ...row, pas: 'secure' },
      { ...row, pa: '0x0', pas: 'secure' },
    ],
  });
  const { out } = await lpae(['check', file]);
  expect(out).toMatch(/translations\[0\]\.pas\n\s*wanted: secure\n\s*got: nonsecure/);
  expect(out).toMatch(/wanted: pa 0x0 pas secure/);
  expect(out).toMatch(/got: pa 0x80000000 .* pas nonsecure/);
});

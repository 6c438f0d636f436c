/** Golden images are judged by every member that they have, and what can't be judged is refused with its place: nothing passes by being ignored. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/golden/image.ts';
import { GoldenFileError } from '../../src/golden/result.ts';

type Json = Record<string, unknown>;

interface Image {
  regime: string;
  cpu: Json;
  ram: Json;
  registers: Record<string, string>;
  memory: { pa: string; words64: Record<string, string> }[];
  translations: Json[];
  [key: string]: unknown;
}

const load = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8')) as Image;

const XS = 'arm/xs-el1-0-4k';
const PAN = 'arm/pan3-el1-0-16k';
const STAGE1 = 'qemu/qemu-s1-4k-cortex-a53-02';
const SMMU = 'qemu/qemu-smmuv3-4k-00';

const isHit = (row: Json) => row.pa !== undefined && row.arm === undefined;
const isFault = (row: Json) => row.fault !== undefined && row.arm === undefined;
const first = (image: Image, which: (row: Json) => boolean) => {
  const at = image.translations.findIndex(which);
  expect(at).toBeGreaterThanOrEqual(0);
  return { at, row: image.translations[at]! };
};

/**
 * 4K, 39 bits, hardware access flag and dirty state. VA 0: a page at 0x5000_0000 with AF = 0, writable-clean (DBM = 1, AP[2] = 1).
 * VA 0x1000: nothing.
 */
const updating = (rows: Json[]): Image => ({
  schema: 'pgtable-golden/1',
  kind: 'image',
  name: 'updating',
  regime: 'el1&0',
  cpu: { model: 'max', pa_bits: 40 },
  ram: { base: '0x40000000', size: '0x40000000' },
  registers: { ttbr0: '0x40000000', tcr: '0x18200800019', mair: '0xff', sctlr: '0x1' },
  memory: [
    { pa: '0x40000000', words64: { '0': '0x40001003' } },
    { pa: '0x40001000', words64: { '0': '0x40002003' } },
    { pa: '0x40002000', words64: { '0': '0x8000050000383' } },
  ],
  translations: rows,
});
const read = { va: '0x0', access: 'read', el: 1, pa: '0x50000000' };
const write = { va: '0x0', access: 'write', el: 1, pa: '0x50000000' };
const none = { va: '0x1000', access: 'write', el: 1, fault: { kind: 'translation', level: 3, stage: 1 } };
const accessed = [{ pa: '0x40002000', word: '0x8000050000783' }];
const dirty = [{ pa: '0x40002000', word: '0x8000050000703' }];

describe('updates', () => {
  test('every row starts from the memory of the file', () => {
    const rows = [
      { ...write, updates: dirty },
      { ...read, updates: accessed },
      { ...none, updates: [] },
      { ...write, updates: dirty },
      write,
    ];
    expect(checkImage(updating(rows))).toEqual({
      name: 'updating',
      checked: 5,
      // The bits of ISS2, none of which is set in a translation fault, are one of them.
      claims: 13,
      differences: [],
      notes: [],
    });
    // Were the write's update still there, the read would leave nothing changed.
    const kept = [write, { ...read, updates: [] }];
    expect(checkImage(updating(kept)).differences.map(({ where }) => where)).toEqual([
      'translations[1].updates',
    ]);
  });

  test.each<[string, Json, string, string]>([
    [
      'another word',
      { ...read, updates: dirty },
      '0x40002000 becomes 0x8000050000703',
      '0x40002000 becomes 0x8000050000783',
    ],
    ['none where there is one', { ...read, updates: [] }, 'none', '0x40002000 becomes 0x8000050000783'],
    [
      'one at another place',
      { ...read, updates: [{ pa: '0x40002008', word: '0x8000050000783' }] },
      '0x40002008 becomes 0x8000050000783',
      '0x40002000 becomes 0x8000050000783',
    ],
    [
      'one too many',
      { ...read, updates: [...accessed, { pa: '0x40001000', word: '0x40002403' }] },
      '0x40002000 becomes 0x8000050000783, 0x40001000 becomes 0x40002403',
      '0x40002000 becomes 0x8000050000783',
    ],
    ['one with a fault', { ...none, updates: accessed }, '0x40002000 becomes 0x8000050000783', 'none'],
    [
      'a word that is not changed',
      { ...none, updates: [{ pa: '0x40002000', word: '0x8000050000383' }] },
      '0x40002000 becomes 0x8000050000383',
      'none',
    ],
  ])('%s is a difference', (_, row, want, got) => {
    expect(checkImage(updating([row])).differences).toEqual([
      { where: 'translations[0].updates', want, got },
    ]);
  });

  test('beside arm, and in it', () => {
    const { pa, ...asked } = read;
    const differ = (row: Json) => checkImage(updating([row])).differences.length > 0;
    expect(differ({ ...asked, updates: accessed, arm: { pa } })).toBe(false);
    expect(differ({ ...asked, updates: dirty, arm: { pa } })).toBe(true);
    expect(differ({ ...asked, arm: { pa, updates: accessed } })).toBe(false);
    expect(differ({ ...asked, arm: { pa, updates: dirty } })).toBe(true);
    expect(differ({ ...asked, arm: { pa, updates: dirty }, arm_or: { pa, updates: accessed } })).toBe(false);
  });

  describe('stage-2 dirty state of a page that holds stage-1 tables', () => {
    /** The same under stage 2: 1G blocks, of which the one that holds the tables is writable-clean. VA 0x2000 has AF = 1. */
    const nested = (row: Json): Image => {
      const image = updating([row]);
      image.regime = 'el1&0-nested';
      Object.assign(image.registers, { vttbr: '0x40010000', vtcr: '0x80620059', hcr: '0x80000001' });
      image.memory[2]!.words64 = { '0': '0x80000383', '16': '0x80000703' };
      image.memory.push({
        pa: '0x40010000',
        words64: { '8': '0x800004000077d', '16': '0x800007fd' },
      });
      return image;
    };
    const tables = (word: string) => ({ pa: '0x40010008', word });
    const differs = (row: Json) => checkImage(nested(row)).differences.map(({ where }) => where);
    const onlyRead = { va: '0x2000', access: 'read', el: 1, pa: '0x80000000' };
    const updated = { va: '0x0', access: 'read', el: 1, pa: '0x80000000' };
    const flag = { pa: '0x40002000', word: '0x80000783' };

    test('may be set or not where nothing is written to the tables', () => {
      expect(differs({ ...onlyRead, updates: [] })).toEqual([]);
      expect(differs({ ...onlyRead, updates: [tables('0x80000400007fd')] })).toEqual([]);
    });
    test('but nothing else of it may change', () => {
      expect(differs({ ...onlyRead, updates: [tables('0x80000400003fd')] })).toEqual([
        'translations[0].updates',
      ]);
      expect(differs({ ...onlyRead, updates: [{ pa: '0x40010010', word: '0x8000080000077d' }] })).toEqual([
        'translations[0].updates',
      ]);
    });
    test('must be set where a descriptor is written', () => {
      expect(differs({ ...updated, updates: [flag, tables('0x80000400007fd')] })).toEqual([]);
      expect(differs({ ...updated, updates: [flag] })).toEqual(['translations[0].updates']);
    });
  });
});

describe('xs', () => {
  test('a wrong one is a difference that names it', () => {
    const image = load(XS);
    const { at, row } = first(image, ({ xs }) => xs === 0);
    row.xs = 1;
    expect(checkImage(image).differences).toEqual([{ where: `translations[${at}].xs`, want: '1', got: '0' }]);
    row.xs = true;
    expect(checkImage(image).differences).toEqual([{ where: `translations[${at}].xs`, want: '1', got: '0' }]);
    row.xs = false;
    expect(checkImage(image).differences).toEqual([]);
  });

  test.each(['arm/xs-nested-4k-4k-00', 'arm/xs-nested-4k-4k-01', 'arm/xs-nested-64k-64k-02'])(
    'of both stages: %s, each of its rows',
    (name) => {
      const image = load(name);
      let turned = 0;
      for (const row of image.translations.filter(({ xs }) => xs !== undefined)) {
        row.xs = 1 - Number(row.xs);
        turned++;
      }
      expect(turned).toBeGreaterThan(20);
      expect(checkImage(image).differences.filter(({ where }) => where.endsWith('.xs'))).toHaveLength(turned);
    },
  );

  test('needs FEAT_XS, whose absence changes attributes', () => {
    const image = load(XS);
    const { at } = first(image, ({ xs }) => xs !== undefined);
    delete image.cpu.features;
    expect(() => checkImage(image)).toThrow(`translations[${at}].xs: the XS attribute is FEAT_XS, which`);
    for (const row of image.translations) delete row.xs;
    expect(checkImage(image).differences.some(({ where }) => where.endsWith('.attr'))).toBe(true);
  });
});

describe('other members of a row', () => {
  test.each<[string, unknown, string, string]>([
    ['attr', '0x08', '0x08', '0xff'],
    ['sh', 1, '1', '3'],
    ['level', 1, '1', '3'],
    ['s2_level', 3, '3', 'none'],
    ['ipa', '0x1000', '0x1000', 'none'],
    ['pas', 'secure', 'secure', 'nonsecure'],
    ['ipas', 'secure', 'secure', 'nonsecure'],
  ])('%s: the difference names it, wanted and got', (member, value, want, got) => {
    expect(checkImage(updating([{ ...read, [member]: value }])).differences).toEqual([
      { where: `translations[0].${member}`, want, got },
    ]);
  });

  test.each([
    ['ns', 1, '1', '0'],
    ['pas', 'nonsecure', 'nonsecure', 'secure'],
  ])('%s of Secure state', (member, value, want, got) => {
    const image = updating([{ ...read, [member]: value }]);
    Object.assign(image, { security: 'secure' });
    expect(checkImage(image).differences).toEqual([{ where: `translations[0].${member}`, want, got }]);
  });

  test('PAR.NS of Non-secure state is UNKNOWN, and no claim (D24.2.142)', () => {
    for (const ns of [0, 1]) expect(checkImage(updating([{ ...read, ns }])).differences).toEqual([]);
  });

  test('the whole answer of Secure state says the address space', () => {
    const image = updating([{ ...read, pa: '0x1000', pas: 'secure', ns: 0 }]);
    Object.assign(image, { security: 'secure' });
    const [difference] = checkImage(image).differences;
    expect(difference?.want).toContain('ns 0 pas secure');
    expect(difference?.got).toContain('ns 0 pas secure');
  });

  test('the address space of Non-secure state is its own', () => {
    expect(checkImage(updating([{ ...read, pas: 'nonsecure' }])).differences).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['gpc', 'walk', 'fail, GPT level 1'],
    ['gpt_level', 0, 'fail, GPT level 1'],
    ['output', false, 'on the access itself'],
  ])('%s of a granule protection fault', (member, value, got) => {
    const image = load('arm/gpc-nonsecure-el1-0-4k-00');
    const isGpf = (row: Json) => {
      const fault = row.fault as Json | undefined;
      return fault?.gpc === 'fail' && fault.gpt_level === 1;
    };
    const { at, row } = first(image, isGpf);
    Object.assign(row.fault as Json, { [member]: value });
    const [difference, ...more] = checkImage(image).differences;
    expect(more).toEqual([]);
    expect(difference?.where).toBe(`translations[${at}].fault.${member}`);
    expect(difference?.got).toContain(got);
  });

  test('a row with a PAR is of an AT instruction, which does not check the granule of the output', () => {
    const image = load('arm/gpc-nonsecure-el1-0-4k-00');
    const { at, row } = first(image, (one) => (one.fault as Json | undefined)?.output === true);
    row.par = '0x80b';
    expect(checkImage(image).differences).toMatchObject([
      { where: `translations[${at}].fault`, got: /^pa / },
    ]);
  });

  test('pan in words that JSON has for a bit', () => {
    const image = load(PAN);
    for (const row of image.translations) if (row.pan === 1) row.pan = true;
    expect(checkImage(image).differences).toEqual([]);
    for (const row of image.translations) delete row.pan;
    expect(checkImage(image).differences.length).toBeGreaterThan(0);
  });

  test('pa: null is a fault of any kind', () => {
    const image = load(STAGE1);
    const { row } = first(image, isFault);
    delete row.fault;
    row.pa = null;
    expect(checkImage(image).differences).toEqual([]);
    const { at, row: hit } = first(image, isHit);
    expect(hit.pa).not.toBeNull();
    image.translations[at] = { va: hit.va, access: hit.access, el: hit.el, pa: null };
    expect(checkImage(image).differences).toMatchObject([
      { where: `translations[${at}].fault`, want: 'a fault' },
    ]);
  });
});

describe('features of the PE', () => {
  test('that a model lacks count where they are listed', () => {
    const image = load('arm/e0pd-el1-0-4k');
    image.cpu = { model: 'cortex-a76', pa_bits: 48 };
    expect(checkImage(image).differences.length).toBeGreaterThan(0);
    image.cpu.features = ['FEAT_E0PD', 'FEAT_MTE2', 'FEAT_PAuth', 'FEAT_PAN3', 'FEAT_S2FWB'];
    expect(checkImage(image).differences).toEqual([]);
  });

  test.each(['FEAT_D128', 'FEAT_MEC', 'FEAT_XYZ', 'xs', 'toString'])(
    '%s is refused with the known ones',
    (name) => {
      const image = load(XS);
      image.cpu.features = ['FEAT_XS', name];
      expect(() => checkImage(image)).toThrow(
        `cpu.features[1]: ${name} is not a feature that is modelled; known are FEAT_LPA, FEAT_LPA2, `,
      );
      expect(() => checkImage(image)).toThrow(/, FEAT_XS, /);
    },
  );

  test('that the model can not have', () => {
    const image = load(STAGE1);
    image.cpu.features = ['FEAT_LPA'];
    expect(() => checkImage(image)).toThrow('FEAT_LPA needs 52 physical address bits; paBits is 40');
  });
});

describe('what is not known is refused, with its place, its value and the likely name', () => {
  const refused = (name: string, change: (image: Image) => void) => {
    const image = load(name);
    change(image);
    try {
      checkImage(image);
    } catch (error) {
      expect(error).toBeInstanceOf(GoldenFileError);
      return (error as Error).message;
    }
    throw new Error('was not refused');
  };

  test.each<[string, string, (image: Image) => void, string]>([
    [
      'of the file',
      STAGE1,
      (i) => Object.assign(i, { regster: {} }),
      'regster: "regster" is no member of a golden image; did you mean registers?; its value is {}',
    ],
    [
      'of cpu',
      STAGE1,
      (i) => Object.assign(i.cpu, { feature: ['FEAT_XS'] }),
      'cpu.feature: "feature" is no member of cpu; did you mean features?; its value is ["FEAT_XS"]',
    ],
    [
      'of ram',
      STAGE1,
      (i) => Object.assign(i.ram, { length: '0x1000' }),
      'ram.length: "length" is no member of ram; known are base, size; its value is "0x1000"',
    ],
    [
      'of a frame',
      STAGE1,
      (i) => Object.assign(i.memory[1]!, { words: {} }),
      'memory[1].words: "words" is no member of a frame; did you mean words64?; its value is {}',
    ],
    [
      'of a row',
      STAGE1,
      (i) => Object.assign(i.translations[3]!, { xss: 1 }),
      'translations[3].xss: "xss" is no member of a row; did you mean xs?; its value is 1',
    ],
    [
      'of a row, inherited by every object',
      STAGE1,
      (i) => Object.assign(i.translations[3]!, { constructor: 1 }),
      'translations[3].constructor: "constructor" is no member of a row; known are fault, pa, ',
    ],
    [
      'of a row, whose value is long',
      STAGE1,
      (i) => Object.assign(i.translations[3]!, { zzz: 'x'.repeat(99) }),
      `its value is "${'x'.repeat(39)}…`,
    ],
    [
      'of a fault',
      STAGE1,
      (i) => Object.assign(first(i, isFault).row.fault as Json, { stge: 2 }),
      '.fault.stge: "stge" is no member of a fault; did you mean stage?; its value is 2',
    ],
    [
      'of arm',
      STAGE1,
      (i) => Object.assign(i.translations[0]!, { arm: { pa: '0x0', atr: '0xff' } }),
      'translations[0].arm.atr: "atr" is no member of an answer; did you mean attr?; its value is "0xff"',
    ],
    [
      'of a fault of arm_or',
      STAGE1,
      (i) =>
        Object.assign(i.translations[0]!, { arm: { pa: null }, arm_or: { fault: { kind: 'domain', x: 1 } } }),
      'translations[0].arm_or.fault.x: "x" is no member of a fault; known are kind, ptw, ',
    ],
    [
      'of arm_unprivileged',
      SMMU,
      (i) => Object.assign(i.translations[0]!, { arm_unprivileged: { pa: '0x0', memattr: 1 } }),
      'translations[0].arm_unprivileged.memattr: ',
    ],
    [
      'of an update',
      STAGE1,
      (i) => Object.assign(i.translations[0]!, { updates: [{ pa: '0x0', word: '0x0', was: '0x0' }] }),
      'translations[0].updates[0].was: "was" is no member of an update; known are pa, word',
    ],
    [
      'of a page map',
      STAGE1,
      (i) => Object.assign(i, { pagemap: [{ va: '0x0', pa: '0x0', prot: 7 }] }),
      'pagemap[0].prot: "prot" is no member of a page; known are va, pa; its value is 7',
    ],
    [
      'a register',
      STAGE1,
      (i) => Object.assign(i.registers, { sctrl: '0x1' }),
      'registers.sctrl: "sctrl" is no register of a golden image; did you mean sctlr?; its value is "0x1"',
    ],
    [
      'a register of another exception level',
      STAGE1,
      (i) => Object.assign(i.registers, { ttbr0_el2: '0x40000000' }),
      'registers.ttbr0_el2: el1&0 does not read it',
    ],
    ...['pire0_el2', 'mair2_el3', 's2pir_el2'].map(
      (name): [string, string, (image: Image) => void, string] => [
        `${name} of another regime`,
        STAGE1,
        (i) => Object.assign(i.registers, { [name]: '0x2' }),
        `registers.${name}: el1&0 does not read it`,
      ],
    ),
    [
      'two names of a register that disagree',
      STAGE1,
      (i) => Object.assign(i.registers, { ttbr0: '0x40000000', TTBR0_EL1: '0x40001000' }),
      'registers.ttbr0 = 0x40000000 and TTBR0_EL1 = 0x40001000 are both TTBR0_EL1, and disagree',
    ],
    [
      'a field that is not modelled',
      'qemu/qemu-nested-16k-max-00',
      (i) => Object.assign(i.registers, { vtcr: '0x4080000059' }),
      'registers.VTCR_EL2 = 0x4080000059: D128 turns on 128-bit descriptors (FEAT_D128), which is not modelled',
    ],
    [
      'a register of a row',
      STAGE1,
      (i) => Object.assign(i.translations[1]!, { registers: { far: '0x0' } }),
      'translations[1].registers.far: "far" is no register of a golden image; ',
    ],
    [
      'a kind of fault',
      STAGE1,
      (i) => Object.assign(first(i, isFault).row.fault as Json, { kind: 'translaton' }),
      '.fault.kind: "translaton" is no kind of fault; did you mean translation?; its value is "translaton"',
    ],
    [
      'a security state',
      STAGE1,
      (i) => Object.assign(i, { security: 'ns' }),
      'security: "ns" is no security state; ',
    ],
    [
      'an address space',
      STAGE1,
      (i) => Object.assign(first(i, isHit).row, { pas: 'ns' }),
      '.pas: "ns" is no address space; known are secure, nonsecure, realm, root',
    ],
    [
      'a model of an SMMU',
      SMMU,
      (i) => Object.assign(i.cpu, { model: 'smmuv9' }),
      "unknown CPU model 'smmuv9'",
    ],
    [
      'features of an SMMU',
      SMMU,
      (i) => Object.assign(i.cpu, { features: ['FEAT_XS'] }),
      'cpu.features: an SMMU says in its IDR registers what it has; its value is ["FEAT_XS"]',
    ],
  ])('a member %s', (_, name, change, message) => {
    expect(refused(name, change)).toContain(message);
  });

  test.each<[string, (image: Image) => void, string]>([
    ...['ttbr0_hi', 'vttbr_hi'].map((name): [string, (image: Image) => void, string] => [
      name,
      (i) => Object.assign(i.registers, { [name]: '0x2' }),
      `registers.${name}: not modelled yet: `,
    ]),
    [
      'EL3 in Non-secure state',
      (i) => Object.assign(i, { security: 'nonsecure', regime: 'el3' }),
      'security: EL3 is Secure, or Root with FEAT_RME; its value is "nonsecure"',
    ],
    [
      'a member of granule protection faults elsewhere',
      (i) => Object.assign(first(i, isFault).row.fault as Json, { gpt_level: 1 }),
      '.fault.gpt_level: belongs to a granule_protection fault; its value is 1',
    ],
  ])('what is not modelled: %s', (_, change, message) => {
    expect(refused(STAGE1, change)).toContain(message);
  });

  test.each<[string, Json, string]>([
    [
      'a pa and a fault',
      { ...read, fault: { kind: 'permission' } },
      'translations[0].pa: an access has a pa or a fault, not both; its value is "0x50000000"',
    ],
    [
      'a pa and a fault in arm',
      { ...read, arm: { pa: '0x0', fault: { kind: 'permission' } } },
      'translations[0].arm.pa: an access has a pa or a fault',
    ],
    [
      'attributes of a fault',
      { ...none, attr: '0xff' },
      'translations[0].attr: belongs to an answer with a pa, and this one has no pa; its value is 255',
    ],
    ['xs of any fault', { ...read, pa: null, xs: 1 }, 'translations[0].xs: belongs to an answer with a pa'],
    [
      'a level beside the fault',
      { ...none, level: 3 },
      'translations[0].level: belongs to an answer with a pa',
    ],
    ['arm_or alone', { ...read, arm_or: { pa: '0x0' } }, 'translations[0]: arm_or needs arm beside it'],
    ['pan 2', { ...read, pan: 2 }, 'translations[0].pan: expected 0, 1, false or true'],
    ['xs "1"', { ...read, xs: '1' }, 'translations[0].xs: expected 0, 1, false or true'],
    ['el 4', { ...read, el: 4 }, 'translations[0].el: expected an exception level, 0 to 3'],
    [
      'an attribute of two bytes',
      { ...read, attr: '0x1ff' },
      'translations[0].attr: expected a byte, as MAIR has them',
    ],
    [
      'an unaligned update',
      { ...read, updates: [{ pa: '0x40002004', word: '0x0' }] },
      'translations[0].updates: the pa of a 64-bit word is a multiple of 8',
    ],
    [
      'two updates of a word',
      { ...read, updates: [...accessed, ...accessed] },
      'translations[0].updates: two words at one pa',
    ],
  ])('what makes no sense: %s', (_, row, message) => {
    expect(() => checkImage(updating([row]))).toThrow(GoldenFileError);
    expect(() => checkImage(updating([row]))).toThrow(message);
  });

  test('information may stand where it does, and says nothing', () => {
    const image = updating([
      { ...read, par: '0x0', esr: '0x0', verified: true, by: 'x', note: 'x', qemu_sh: 1 },
    ]);
    Object.assign(image, {
      producer: 'x',
      note: 'x',
      comment: 'x',
      asked_with: 'x',
      streams: [],
      security: 'nonsecure',
    });
    Object.assign(image.registers, { vbar: '0x0', contextidr: '0x0' });
    expect(checkImage(image).differences).toEqual([]);
  });
});

/** What a golden image says and nobody can judge is refused with its place: nothing passes by being ignored. */
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/golden/image.ts';
import { GoldenFileError } from '../../src/golden/result.ts';
import {
  accessed,
  first,
  type Image,
  isFault,
  isHit,
  type Json,
  load,
  none,
  read,
  SMMU,
  STAGE1,
  updating,
} from './image-fixtures.ts';

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

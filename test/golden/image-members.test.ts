/** Golden images are judged by every member that they have. */
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/golden/image.ts';
import { first, isFault, isHit, type Json, load, PAN, read, STAGE1, updating, XS } from './image-fixtures.ts';

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

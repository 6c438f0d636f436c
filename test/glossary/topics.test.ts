/** The glossary: every topic is sound, names are found however they are spelled, and values read as the manuals say. */
import { describe, expect, test } from 'vitest';
import { EVENTS } from '../../src/glossary/events.ts';
import { normalName } from '../../src/glossary/names.ts';
import { REGISTERS } from '../../src/glossary/registers.ts';
import { allTopics, closeNames, lookUp } from '../../src/glossary/topics.ts';
import { distance } from '../../src/memory/near-names.ts';

/** `name (group)` of what is found. */
const found = (...words: string[]) => lookUp(words).topics.map(({ name, group }) => `${name} (${group})`);

describe('declarations', () => {
  const layouts = [...REGISTERS, ...EVENTS.map(({ record }) => record)];

  test.each(layouts.map((layout) => [layout.title, layout] as const))(
    '%s: fields fit, from the highest down',
    (_, layout) => {
      const { fields, width } = layout;
      expect(fields.length).toBeGreaterThan(0);
      for (const [i, { high, low, values, name }] of fields.entries()) {
        expect(high).toBeGreaterThanOrEqual(low);
        expect(high).toBeLessThan(width);
        const next = fields[i + 1];
        // TTBCR has two names for its lowest bits, by EAE.
        if (next !== undefined && name !== 'N') expect(next.high).toBeLessThan(low);
        for (const value of Object.keys(values ?? {}))
          expect(Number(value)).toBeLessThan(2 ** (high - low + 1));
      }
    },
  );

  test('event numbers are those of IHI 0070 7.3', () => {
    expect(EVENTS.map(({ number, name }) => `${number.toString(16)} ${name}`)).toEqual([
      '1 F_UUT',
      '2 C_BAD_STREAMID',
      '3 F_STE_FETCH',
      '4 C_BAD_STE',
      '5 F_BAD_ATS_TREQ',
      '6 F_STREAM_DISABLED',
      '7 F_TRANSL_FORBIDDEN',
      '8 C_BAD_SUBSTREAMID',
      '9 F_CD_FETCH',
      'a C_BAD_CD',
      'b F_WALK_EABT',
      '10 F_TRANSLATION',
      '11 F_ADDR_SIZE',
      '12 F_ACCESS',
      '13 F_PERMISSION',
      '20 F_TLB_CONFLICT',
      '21 F_CFG_CONFLICT',
      '24 E_PAGE_REQUEST',
      '25 F_VMS_FETCH',
    ]);
  });

  test('every topic is a sentence, and what it refers to exists', () => {
    expect(allTopics().length).toBeGreaterThan(200);
    for (const { name, summary, see } of allTopics()) {
      expect(summary, name).toMatch(/^[A-Z[].*\.$|^[a-z].*\.$/s);
      for (const other of see ?? []) expect(found(other), `${name} -> ${other}`).not.toEqual([]);
    }
  });

  test('every name and alias finds its topic', () => {
    for (const topic of allTopics()) {
      for (const name of [topic.name, ...topic.aliases]) {
        expect(lookUp([name]).topics, name).toContainEqual(topic);
      }
    }
  });
});

test.each([
  [['AF'], 'AF (descriptor field)'],
  [['ap'], 'AP (descriptor field)'],
  [['ap[2:1]'], 'AP (descriptor field)'],
  [['AP[2:1'], 'AP (descriptor field)'],
  [['uxn'], 'XN (descriptor field)'],
  [['ng'], 'nG (descriptor field)'],
  [['cont'], 'Contiguous (descriptor field)'],
  [['GP'], 'GP (descriptor field)'],
  [['translation', 'fault'], 'translation fault (fault)'],
  [['Translation-Fault'], 'translation fault (fault)'],
  [['external', 'abort', 'on', 'walk'], 'external abort on a table walk (fault)'],
  [['f_translation'], 'F_TRANSLATION (SMMUv3 event)'],
  [['C_BAD_STE'], 'C_BAD_STE (SMMUv3 event)'],
  [['event', '0x0a'], 'C_BAD_CD (SMMUv3 event)'],
  [['mair'], 'MAIR_EL1 (register)'],
  [['TCR_EL1.TG1'], 'TG1 (register field)'],
  [['TCR.T0SZ'], 'T0SZ (register field)'],
  [['HCR.VM'], 'VM (register field)'],
  [['STE.Config'], 'Config (register field)'],
  [['CD.AA64'], 'AA64 (register field)'],
])('%j is %s', (words, topic) => {
  expect(found(...words)).toEqual([topic]);
});

test('a name that means several things shows them all', () => {
  expect(found('NS')).toEqual(['NS (descriptor field)', 'NS (register field)']);
  expect(found('0x10')).toEqual(['DFSC 0x10 (value)', 'F_TRANSLATION (SMMUv3 event)']);
  expect(found('AF', 'SH')).toEqual([
    'AF (descriptor field)',
    'SH (descriptor field)',
    'SH (register field)',
  ]);
});

describe('values', () => {
  const one = (...words: string[]) => {
    const { topics } = lookUp(words);
    expect(topics).toHaveLength(1);
    return topics[0]!;
  };
  const fields = (...words: string[]) =>
    Object.fromEntries((one(...words).fields ?? []).map(({ name, value, text }) => [name, text ?? value]));

  test('a fault status code', () => {
    expect(one('DFSC', '0x07').summary).toMatch(/^Translation fault at level 3\. /);
    expect(one('dfsc=0x2b').summary).toMatch(/^Translation fault at level -1\. /);
    expect(one('FS', '0x0b').summary).toMatch(/^Domain fault at level 2\. /);
    expect(one('DFSC', '0x3f').summary).toBe('A reserved fault status code.');
  });

  test('an ESR, alone or by name', () => {
    const sentence = /^Translation fault at level 3 of stage 1 \(DFSC 0x07\)\. It was a write, privileged,/;
    expect(one('0x96000047').summary).toMatch(sentence);
    expect(one('ESR_EL1', '0x96000047').summary).toMatch(sentence);
    expect(fields('0x96000047')).toMatchObject({
      WnR: 'write',
      DFSC: 7n,
      EC: 'data abort from the same exception level',
    });
  });

  test('a MAIR, byte by byte', () => {
    expect(fields('MAIR', '0xff440c0400')).toEqual({
      Attr7: 'Device-nGnRnE',
      Attr6: 'Device-nGnRnE',
      Attr5: 'Device-nGnRnE',
      Attr4: 'Normal, outer and inner Write-Back, read and write allocate',
      Attr3: 'Normal, outer and inner Non-cacheable',
      Attr2: 'Device-GRE',
      Attr1: 'Device-nGnRE',
      Attr0: 'Device-nGnRnE',
    });
  });

  test('TCR_EL1 and TCR_EL2 keep their fields in other places', () => {
    // Linux on a CPU with 48 bits: 4K in both halves, 48 bits in and out.
    expect(fields('TCR_EL1', '0x5_b510_3510')).toMatchObject({
      IPS: '48 bits, 256T',
      TG1: '4K',
      T1SZ: 0x10n,
      TG0: '4K',
      T0SZ: 0x10n,
      SH0: 'inner shareable',
      ORGN0: 'Write-Back, read and write allocate',
    });
    expect(fields('TCR_EL2', '0x8085_3510')).toMatchObject({ PS: '48 bits, 256T', TG0: '4K', T0SZ: 0x10n });
    expect(fields('VTCR_EL2', '0x8002_3558')).toMatchObject({
      PS: '40 bits, 1T',
      SL0: 'level 1 with 4K, level 2 with 16K and 64K',
      T0SZ: 0x18n,
    });
  });
});

test('names that are close to a mistyped one', () => {
  expect(closeNames('F_TRANSLATIN')[0]).toBe('F_TRANSLATION');
  expect(closeNames('aptabel')).toEqual(['APTable']);
  expect(closeNames('contigous')).toContain('Contiguous');
  expect(closeNames('zzzzzz')).toEqual([]);
  expect(lookUp(['AF', 'nonsense']).unknown).toEqual(['nonsense']);
});

test('distance between names', () => {
  expect(distance('', 'abc')).toBe(3);
  expect(distance('kitten', 'sitting')).toBe(3);
  expect(distance('abcd', 'abdc')).toBe(1);
  expect(normalName('S1_Context-Ptr [55:6]')).toBe('s1contextptr');
});

/** What explain says of SMMU commands and TLB maintenance: every one of the manual's, with its operand fields. */
import { describe, expect, test } from 'vitest';
import { lookUp } from '../../src/glossary/index.ts';

const fieldsOf = (name: string) => {
  const { topics } = lookUp([name]);
  expect(topics).toHaveLength(1);
  return (topics[0]!.fields ?? []).map(({ bits, name: field }) => `${bits} ${field}`);
};

describe('commands of an SMMUv3 (IHI 0070 4.1.1)', () => {
  const EVERY =
    'PREFETCH_CONFIG PREFETCH_ADDR CFGI_STE CFGI_STE_RANGE CFGI_ALL CFGI_CD CFGI_CD_ALL CFGI_VMS_PIDM TLBI_NH_ALL ' +
    'TLBI_NH_ASID TLBI_NH_VA TLBI_NH_VAA TLBI_EL3_ALL TLBI_EL3_VA TLBI_EL2_ALL TLBI_EL2_ASID TLBI_EL2_VA TLBI_EL2_VAA ' +
    'TLBI_S12_VMALL TLBI_S2_IPA TLBI_NSNH_ALL ATC_INV PRI_RESP RESUME STALL_TERM SYNC TLBI_S_EL2_ALL TLBI_S_EL2_ASID ' +
    'TLBI_S_EL2_VA TLBI_S_EL2_VAA TLBI_S_S12_VMALL TLBI_S_S2_IPA TLBI_SNH_ALL DPTI_ALL DPTI_PA';

  test.each(EVERY.split(' '))('CMD_%s', (name) => {
    const [topic, ...more] = lookUp([`CMD_${name}`]).topics;
    expect([topic?.name, topic?.group, more]).toEqual([`CMD_${name}`, 'SMMUv3 command', []]);
    expect(topic!.reference).toMatch(/^IHI 0070 4\./);
  });

  test('have their fields', () => {
    expect(fieldsOf('cmd_tlbi_nh_asid')).toEqual(['[63:48] ASID', '[47:32] VMID', '[7:0] Opcode']);
    expect(fieldsOf('CMD_CFGI_STE')).toEqual(['[64] Leaf', '[63:32] StreamID', '[10] SSec', '[7:0] Opcode']);
  });

  test('say what they need, and what consumption means', () => {
    const summary = lookUp(['CMD_TLBI_EL2_ALL']).topics[0]!.summary;
    expect(summary).toContain('CERROR_ILL without stage 1 (SMMU_IDR0.S1P) and EL2 (SMMU_IDR0.Hyp).');
    expect(summary).toContain('CMD_SYNC completes it (4.8).');
    expect(lookUp(['CMD_SYNC']).topics[0]!.summary).not.toContain('completes it');
  });
});

describe('TLB maintenance instructions (DDI 0487 D8.17.5)', () => {
  const BASES = [
    ...['ALLE1', 'ALLE2', 'ALLE3', 'VMALLE1', 'VMALLS12E1', 'VMALLWS2E1', 'ASIDE1'],
    ...['VAE1', 'VALE1', 'VAE2', 'VALE2', 'VAE3', 'VALE3', 'VAAE1', 'VAALE1', 'IPAS2E1', 'IPAS2LE1'].flatMap(
      (name) => [name, `R${name}`],
    ),
  ];
  const names = BASES.flatMap((name) =>
    ['', 'IS', 'OS'].flatMap((where) => [name + where, `${name}${where}NXS`]),
  );

  test.each([...names, 'PAALL', 'PAALLOS', 'RPAOS', 'RPALOS'])('TLBI %s', (name) => {
    const found = lookUp([`TLBI ${name}`]).topics.map(({ group }) => group);
    expect(found).toEqual(['TLB maintenance']);
  });

  test('have the fields of their operands', () => {
    expect(fieldsOf('TLBI VAE1IS')).toEqual(['[63:48] ASID', '[47:44] TTL', '[43:0] VA[55:12]']);
    expect(fieldsOf('TLBI VAALE1IS')).toEqual(['[47:44] TTL', '[43:0] VA[55:12]']);
    expect(fieldsOf('TLBI ASIDE1')).toEqual(['[63:48] ASID']);
    expect(fieldsOf('TLBI IPAS2E1')).toEqual(['[63] NS', '[47:44] TTL', '[39:0] IPA[51:12]']);
    expect(fieldsOf('TLBI RIPAS2E1IS').map((field) => field.split(' ')[1])).toEqual([
      'TG',
      'SCALE',
      'NUM',
      'TTL',
      'BaseADDR',
    ]);
    expect(fieldsOf('TLBI VMALLE1IS')).toEqual([]);
  });

  test('that do not exist are not known', () => {
    expect(lookUp(['RPAIS']).unknown).toEqual(['RPAIS']);
    expect(lookUp(['TLBI VAAE2']).topics.some(({ name }) => name === 'TLBI VAAE2')).toBe(false);
  });
});

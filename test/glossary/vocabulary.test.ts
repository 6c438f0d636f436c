/** `lpae explain` knows the names that answers use: kinds, events, bits of global faults, features in the declarations, commands, what fault outputs name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formats } from '../../formats/index.ts';
import { machineRegimes } from '../../src/arch/regimes.ts';
import { parseFaults } from '../../src/glossary/faults/parse.ts';
import { nextSteps } from '../../src/glossary/faults/words.ts';
import { allTopics, lookUp } from '../../src/glossary/topics.ts';

const SOURCES = join(import.meta.dirname, '../../src');
const isKnown = (name: string) => lookUp([name]).unknown.length === 0;

test('every feature that the sources name', () => {
  const names = new Set<string>();
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(SOURCES, file), 'utf8');
    for (const [name] of text.matchAll(/\bFEAT_[A-Z0-9]{2,}(?:_PERM)?\b/g)) names.add(name);
  }
  expect(names.size).toBeGreaterThan(40);
  expect([...names].filter((name) => !isKnown(name))).toEqual([]);
});

test('what faults of every source suggest to explain', () => {
  const posts = readFileSync(join(import.meta.dirname, '../../fixtures/faults/posts.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => parseFaults((JSON.parse(line) as { text: string }).text));
  const topics = posts
    .flatMap(nextSteps)
    .map((step) => /^lpae explain '?(.*?)'?$/.exec(step)?.[1])
    .filter((name) => name !== undefined);
  expect(topics.length).toBeGreaterThan(50);
  expect(topics.filter((name) => !isKnown(name))).toEqual([]);
});

/** Every feature and register that the chapters on translation and granule protection name. (DDI 0487 D8, D9.) */
const MANUAL = `
ACTLRALIAS_EL1 ACTLRMASK_EL1 ACTLRMASK_EL12 ACTLRMASK_EL2 ACTLR_EL1 AFSR0_EL1 AFSR0_EL12 AFSR0_EL2 AFSR1_EL1
AFSR1_EL12 AFSR1_EL2 AMAIR2_EL1 AMAIR2_EL12 AMAIR2_EL2 AMAIR2_EL3 AMAIR2_ELx AMAIR_EL1 AMAIR_EL12 AMAIR_EL2
AMAIR_EL3 AMAIR_ELx BRBCR_EL1 BRBCR_EL12 BRBCR_EL2 CLIDR_EL1 CNTHCTL_EL2 CNTKCTL_EL1 CNTKCTL_EL12 CNTPOFF_EL2
CNTVCT_EL0 CNTVOFF_EL2 CONTEXTIDR_EL1 CONTEXTIDR_EL12 CONTEXTIDR_EL2 CPACRALIAS_EL1 CPACRMASK_EL1
CPACRMASK_EL12 CPACR_EL1 CPACR_EL12 CPTRMASK_EL2 CPTR_EL2 CTR_EL0 DSPSR_EL0 EDSCR ELR_EL1 ELR_EL12 ELR_EL2
ESR_EL1 ESR_EL12 ESR_EL2 ESR_EL3 ESR_ELx FAR_EL1 FAR_EL12 FAR_EL2 FEAT_AIE FEAT_ATS1A FEAT_BBML1 FEAT_BBML2
FEAT_BTI FEAT_CMOW FEAT_CONSTPACFIELD FEAT_CPA FEAT_CPA2 FEAT_CSV2 FEAT_E0PD FEAT_E2H0 FEAT_ETS2 FEAT_ETS3
FEAT_FPAC FEAT_FPACCOMBINE FEAT_FPACC_SPEC FEAT_GCS FEAT_GTG FEAT_HACDBS FEAT_HAFDBS FEAT_HAFT FEAT_HDBSS
FEAT_HPDS2 FEAT_LPA FEAT_LPA2 FEAT_LSUI FEAT_LVA FEAT_LVA3 FEAT_MEC FEAT_MOPS FEAT_MPAM FEAT_MTE2
FEAT_MTE_NO_ADDRESS_TAGS FEAT_MTE_PERM FEAT_NMI FEAT_NV FEAT_NV2 FEAT_PACIMP FEAT_PACQARMA3 FEAT_PACQARMA5
FEAT_PAN FEAT_PAN2 FEAT_PAN3 FEAT_PAuth FEAT_PAuth2 FEAT_PAuth_LR FEAT_RME FEAT_RME_GDI FEAT_RME_GPC3
FEAT_S1PIE FEAT_S1POE FEAT_S2FWB FEAT_S2PIE FEAT_S2POE FEAT_SEL2 FEAT_SRMASK FEAT_THE FEAT_TTCNP FEAT_TTL
FEAT_TTST FEAT_UAO FEAT_VHE FEAT_XNX FEAT_XS FEAT_nTLBPA GCSCR_EL1 GCSCR_EL12 GCSCR_EL2 GCSPR_EL1 GCSPR_EL12
GCSPR_EL2 GPCBW_EL3 GPCCR_EL3 GPTBR_EL3 HACDBSBR_EL2 HACDBSCONS_EL2 HAFGRTR_EL2 HCR HCRX_EL2 HCR_EL2
HDBSSBR_EL2 HDBSSPROD_EL2 HDFGRTR2_EL2 HDFGRTR_EL2 HDFGWTR2_EL2 HDFGWTR_EL2 HFGITR2_EL2 HFGITR_EL2 HFGRTR2_EL2
HFGRTR_EL2 HFGWTR2_EL2 HFGWTR_EL2 HPFAR_EL2 HSTR_EL2 HTCR ISS2 MAIR2_EL1 MAIR2_EL12 MAIR2_EL2 MAIR2_EL3
MAIR2_ELx MAIR_EL1 MAIR_EL12 MAIR_EL2 MAIR_EL3 MAIR_ELx MDSCR_EL1 MECIDR_EL2 MPAM1_EL1 MPAM1_EL12 MPAM2_EL2
MPAMBW1_EL1 MPAMBW1_EL12 MPAMBW2_EL2 MPAMBWCAP_EL2 MPAMHCR_EL2 MPAMVPM0_EL2 MPAMVPM1_EL2 MPAMVPM2_EL2
MPAMVPM3_EL2 MPAMVPM4_EL2 MPAMVPM5_EL2 MPAMVPM6_EL2 MPAMVPM7_EL2 MPAMVPMV_EL2 PAR_EL1 PFAR_EL1 PFAR_EL12
PFAR_EL2 PIRE0_EL1 PIRE0_EL12 PIRE0_EL2 PIR_EL1 PIR_EL12 PIR_EL2 PIR_EL3 PIR_ELx PMBLIMITR_EL1 PMBPTR_EL1
PMBSR_EL1 PMSCR_EL1 PMSCR_EL12 PMSCR_EL2 PMSDSFR_EL1 PMSEVFR_EL1 PMSICR_EL1 PMSIRR_EL1 PMSLATFR_EL1
PMSNEVFR_EL1 POR_EL0 POR_EL1 POR_EL12 POR_EL2 POR_EL3 RCWMASK_EL1 RCWSMASK_EL1 S2PIR_EL2 S2POR_EL1 SCR_EL3
SCTLR SCTLR2ALIAS_EL1 SCTLR2MASK_EL1 SCTLR2MASK_EL12 SCTLR2MASK_EL2 SCTLR2_EL1 SCTLR2_EL12 SCTLR2_EL2
SCTLR2_EL3 SCTLR2_ELx SCTLRALIAS_EL1 SCTLRMASK_EL1 SCTLRMASK_EL12 SCTLRMASK_EL2 SCTLR_EL1 SCTLR_EL12 SCTLR_EL2
SCTLR_EL3 SCTLR_ELx SCXTNUM_EL1 SCXTNUM_EL12 SCXTNUM_EL2 SMCR_EL1 SMCR_EL12 SMCR_EL2 SMPRIMAP_EL2
SPMACCESSR_EL1 SPMACCESSR_EL12 SPMACCESSR_EL2 SPSR_EL1 SPSR_EL12 SPSR_EL2 SPSR_ELx SP_EL1 SP_EL2 TCR2ALIAS_EL1
TCR2MASK_EL1 TCR2MASK_EL12 TCR2MASK_EL2 TCR2_EL1 TCR2_EL12 TCR2_EL2 TCR2_ELx TCRALIAS_EL1 TCRMASK_EL1
TCRMASK_EL12 TCRMASK_EL2 TCR_EL1 TCR_EL12 TCR_EL2 TCR_EL3 TCR_ELx TFSR_EL1 TFSR_EL12 TFSR_EL2 TPIDR_EL2
TRCITECR_EL1 TRCITECR_EL12 TRCITECR_EL2 TRFCR_EL1 TRFCR_EL12 TRFCR_EL2 TTBCR TTBR0 TTBR0_EL1 TTBR0_EL12
TTBR0_EL2 TTBR0_EL3 TTBR0_ELx TTBR1 TTBR1_EL1 TTBR1_EL12 TTBR1_EL2 TTBR1_ELx VBAR_EL1 VBAR_EL12 VBAR_EL2
VDISR_EL2 VMPIDR_EL2 VNCR_EL2 VPIDR_EL2 VSESR_EL2 VSTCR_EL2 VSTTBR_EL2 VTCR VTCR_EL2 VTTBR_EL2 ZCR_EL1
ZCR_EL12 ZCR_EL2
`;

test('every feature and register of the manual on translation', () => {
  const names = MANUAL.trim().split(/\s+/);
  expect(names.length).toBeGreaterThan(270);
  expect(names.filter((name) => !isKnown(name))).toEqual([]);
});

test('a register is described once: from its declaration, or by a sentence', () => {
  const many = new Map<string, number>();
  for (const { name, aliases, group } of allTopics()) {
    if (group !== 'register') continue;
    for (const one of new Set([name, ...aliases]))
      if (/_EL\d$/.test(one)) many.set(one, (many.get(one) ?? 0) + 1);
  }
  // These have a layout for each use: data and instruction aborts, SErrors, faulting and other values of PAR.
  for (const several of ['ESR_EL1', 'ESR_EL2', 'ESR_EL3', 'PAR_EL1']) many.delete(several);
  expect([...many].filter(([, count]) => count > 1)).toEqual([]);
});

test('what answers print: lint rules, regimes, formats, memory types, rights, error codes', () => {
  const words = [
    'WB',
    'WT',
    'NC',
    'nGnRnE',
    'nGnRE',
    'nGRE',
    'GRE',
    'ISH',
    'OSH',
    'NSH',
    'rwx',
    'EINVAL',
    'ERANGE',
    'EEXIST',
    'ENOMEM',
  ];
  const rules = readFileSync(join(SOURCES, 'lint/rules.ts'), 'utf8').matchAll(/rule\(\s*'([a-z0-9-]+)'/g);
  const names = [
    ...words,
    ...[...rules].map(([, name]) => name!),
    ...machineRegimes,
    ...formats.map(({ name }) => name),
  ];
  expect(names.length).toBeGreaterThan(60);
  expect(names.filter((name) => !isKnown(name))).toEqual([]);
});

test.each([
  ['TCR_EL12', ['TCR_EL1']],
  ['FAR_ELx', ['FAR_EL1']],
  ['SCTLR_ELx', ['SCTLR_EL1', 'SCTLR_EL2', 'SCTLR_EL3']],
])('%s is found at every exception level that it means', (name, topics) => {
  expect(lookUp([name]).topics.map((topic) => topic.name)).toEqual(topics);
});

test.each([
  'GERROR',
  'CMDQ_ERR',
  'CERROR_ILL',
  'CERROR_ABT',
  'CERROR_ATC_INV_SYNC',
  'CMDQ_CONS',
  'CMD_TLBI_NH_VA',
  'CMD_CFGI_STE',
  'CMD_SYNC',
  'TLBI VAE1',
  'TLBI IPAS2E1',
  'VAE1IS',
  'SMCF',
  'USF',
  'IOVA',
  'IPA',
  'granule',
  'context bank',
  'printed walk',
  'unidentified stream fault',
  'DACR',
  'HPFAR',
  'IDS',
  'AET',
  'GPCSC',
])('%s', (name) => {
  expect(lookUp([name]).topics).not.toEqual([]);
});

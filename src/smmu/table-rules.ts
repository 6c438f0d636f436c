/** Problems of SMMU_STRTAB_BASE and SMMU_STRTAB_BASE_CFG, and how the SMMU treats such values. (IHI 0070 G.b, 6.3.24, 6.3.25.) */
import { addressOf, read } from '../arch/read.ts';
import { SMMU_STRTAB_BASE, SMMU_STRTAB_BASE_CFG, TWO_LEVELS } from '../arch/smmu/index.ts';
import { hex } from '../memory/hex.ts';
import type { RegisterRule } from '../walker/rules/rule.ts';
import type { SmmuRegisters } from './registers.ts';

/** The two registers, and the stream table that the SMMU makes of them. */
export interface TableSubject {
  readonly registers: Pick<SmmuRegisters, 'strtabBase' | 'strtabBaseCfg'>;
  /** The base as the SMMU aligns it. */
  readonly base: number;
  /** For a two-level table: the bits of a StreamID that index the second level. */
  readonly split: number | undefined;
}

const { FMT, SPLIT } = SMMU_STRTAB_BASE_CFG.fields;
const { ADDR } = SMMU_STRTAB_BASE.fields;

const givenBase = ({ registers }: TableSubject) => addressOf(registers.strtabBase, ADDR);
const given = ({ registers }: TableSubject, field: typeof FMT) => read(registers.strtabBaseCfg, field);

/** The rules. Each message contains the field's value. */
export const TABLE_RULES: readonly RegisterRule<TableSubject, undefined>[] = [
  {
    effect: 'ignored',
    holds: (subject) => subject.split !== undefined && subject.split !== given(subject, SPLIT),
    tell: (subject) => ({
      field: 'SMMU_STRTAB_BASE_CFG.SPLIT',
      value: BigInt(given(subject, SPLIT)),
      rule: `the value is reserved and treated as ${subject.split}; 6, 8 and 10 are legal`,
      section: 'IHI 0070 6.3.25',
    }),
  },
  {
    effect: 'ignored',
    holds: (subject) => given(subject, FMT) !== 0 && subject.split === undefined,
    tell: (subject) => ({
      field: 'SMMU_STRTAB_BASE_CFG.FMT',
      value: BigInt(given(subject, FMT)),
      rule:
        given(subject, FMT) === TWO_LEVELS
          ? 'this SMMU has only linear stream tables (SMMU_IDR0.ST_LEVEL = 0): the field is RES0'
          : 'the value is reserved and treated as 0, a linear table; 1 is a table of two levels',
      section: 'IHI 0070 6.3.25',
    }),
  },
  {
    effect: 'ignored',
    holds: (subject) => givenBase(subject) !== BigInt(subject.base),
    tell: (subject) => ({
      field: 'SMMU_STRTAB_BASE.ADDR',
      value: givenBase(subject),
      rule: `the table is aligned to its size: lower bits are treated as 0, and the SMMU reads it at ${hex(subject.base)}`,
      section: 'IHI 0070 6.3.24',
    }),
  },
];

/**
 * How a StreamID leads to translations: the path through stream table, STE and CD to the stages, or to the point where it fails.
 * (IHI 0070 issue G.b, 3.3, 5.1 to 5.4, 6.3.9, 6.3.24, 6.3.25.)
 */

import { addressOf, isSet, isSetIn, read, readIn } from '../../arch/read.ts';
import { CD, L1STD, S1DSS, SMMU_CR0, SMMU_CR2, SMMU_GBPA, STE_CONFIG } from '../../arch/smmu/index.ts';
import type { PhysicalMemory } from '../../memory/index.ts';
import type { CdLookup } from '../../smmu/cd-fetch.ts';
import { CD_RULES } from '../../smmu/cd-rules.ts';
import { type CdWords, contextOf, decodeCd } from '../../smmu/context-descriptor.ts';
import type { SmmuFeatures } from '../../smmu/features.ts';
import { idleOfCd, idleOfSte } from '../../smmu/idle-fields.ts';
import { CD_UNUSED, refuseCd, STE_UNUSED } from '../../smmu/not-modelled.ts';
import type { SmmuRegisters } from '../../smmu/registers.ts';
import { isIllegal } from '../../smmu/rules.ts';
import { createSmmu, createStream, type StreamDescription } from '../../smmu/smmu.ts';
import { STE_RULES } from '../../smmu/ste-rules.ts';
import { Stream } from '../../smmu/stream.ts';
import type { SteLookup } from '../../smmu/stream-table.ts';
import type { StreamTableEntry, StreamWorld } from '../../smmu/stream-table-entry.ts';
import { TABLE_RULES } from '../../smmu/table-rules.ts';
import type { SmmuFault } from '../../smmu/types.ts';
import { WalkerError } from '../../walker/errors.ts';
import { problemsOf } from '../../walker/rules/rule.ts';
import { TableMemory } from '../../walker/table-memory.ts';
import { cdRule, routeRule, steEnd } from './reasons.ts';
import { cdStage, steStage } from './stages.ts';
import type {
  CdDescription,
  SteDescription,
  StreamDerivation,
  StreamEnd,
  StreamTableDescription,
  StructurePlace,
} from './types.ts';

/**
 * Describes how an SMMU handles a stream: the path through the stream table to its STE and CD, the stages that these
 * describe, or the fault that all its transactions get.
 *
 * @param streamId - up to 32 bits.
 * @param substreamId - up to 20 bits; absent: a transaction without one.
 * @throws WalkerError for a register that is not a bigint of at most 64 bits, or a StreamID that no device can send. (IHI 0070 3.3.)
 *
 * @example
 * const { ste, stages, end } = describeStream(memory, { strtabBase: 0x4846_0000n, strtabBaseCfg: 0x1_0210n }, 8);
 */
export function describeStream(
  memory: PhysicalMemory,
  registers: SmmuRegisters,
  streamId: number,
  substreamId?: number,
): StreamDerivation {
  if (!Number.isInteger(streamId) || streamId < 0 || streamId > 0xffff_ffff) {
    throw new WalkerError(`a StreamID has up to 32 bits; ${streamId} is not one`);
  }
  const smmu = createSmmu(memory, registers);
  const { features } = smmu;
  const asked = { streamId, ...(substreamId !== undefined && { substreamId }), features };
  if (registers.cr0 !== undefined && !isSet(registers.cr0, SMMU_CR0.fields.SMMUEN)) {
    return { ...asked, enabled: false, stages: [], problems: [], end: offEnd(registers) };
  }
  const lookup = smmu.locate(streamId);
  const table = tableOf(lookup, streamId);
  const odd = problemsOf(TABLE_RULES, { registers, ...lookup.table }, undefined);
  if ('kind' in lookup.outcome) {
    const end = steEnd(lookup.outcome, table);
    return { ...asked, enabled: true, table, stages: [], problems: odd, end };
  }
  const e2h = isSet(registers.cr2 ?? 0n, SMMU_CR2.fields.E2H);
  const options = { features, streamId, e2h, s2pii: registers.s2pii };
  const stream = new Stream(new TableMemory(memory), lookup.outcome, options);
  const address = lookup.address === undefined ? {} : { address: BigInt(lookup.address) };
  const derived = fromSte(stream, features, substreamId, address);
  return { ...asked, enabled: true, table, ...derived, problems: [...odd, ...derived.problems] };
}

/**
 * {@link describeStream} for an STE by itself (and a CD, if it is not in memory), as `createStream` takes them.
 * @throws WalkerError as `createStream` does. (IHI 0070 5.2, 5.4.)
 */
export function describeSte(
  memory: PhysicalMemory,
  description: StreamDescription,
  substreamId?: number,
): StreamDerivation {
  const stream = createStream(memory, description);
  const { streamId = 0, cd } = description;
  const { features } = stream.configuration;
  const asked = { streamId, ...(substreamId !== undefined && { substreamId }), features };
  return { ...asked, enabled: true, ...fromSte(stream, features, substreamId, {}, cd) };
}

function offEnd({ gbpa = 0n }: SmmuRegisters): StreamEnd {
  if (!isSet(gbpa, SMMU_GBPA.fields.ABORT)) return { ok: true, translation: 'bypass' };
  return {
    ok: false,
    fault: { kind: 'abort' },
    rule: 'SMMU_CR0.SMMUEN = 0 and SMMU_GBPA.ABORT = 1: every transaction aborts, and nothing is recorded',
    section: 'IHI 0070 6.3.14',
  };
}

function tableOf({ table, level1 }: SteLookup, streamId: number): StreamTableDescription {
  const { base, log2Size, capped, split } = table;
  return {
    base: BigInt(base),
    log2Size,
    ...(capped && { capped: true as const }),
    ...(split !== undefined && { split }),
    ...(level1 && {
      level1: {
        index: Math.floor(streamId / 2 ** (split ?? 0)),
        address: BigInt(level1.address),
        ...(level1.descriptor !== undefined && {
          descriptor: level1.descriptor,
          span: read(level1.descriptor, L1STD.fields.Span),
          pointer: addressOf(level1.descriptor, L1STD.fields.L2Ptr),
        }),
      },
    }),
  };
}

type FromSte = Pick<StreamDerivation, 'ste' | 'cd' | 'stages' | 'problems' | 'idle' | 'end'>;

function fromSte(
  stream: Stream,
  features: SmmuFeatures,
  substreamId: number | undefined,
  place: { readonly address?: bigint },
  given?: CdWords,
): FromSte {
  const { illegal, world, ...subject } = stream.configuration;
  const { ste } = subject;
  const described = { ste: { ...place, ...steOf(ste, world, features) } };
  const failed = (fault: SmmuFault, rule: string, section: string): StreamEnd => ({
    ok: false,
    fault,
    rule,
    section,
  });
  stream.refuse();
  if (illegal) {
    const problems = problemsOf(STE_RULES, subject, undefined);
    const end = failed({ kind: 'c_bad_ste' }, 'the STE is not valid, or ILLEGAL', 'IHI 0070 5.2.2');
    return { ...described, stages: [], problems, end };
  }
  if (!ste.passes) {
    const end = failed({ kind: 'abort' }, 'STE.Config 0b0xx: every transaction aborts', 'IHI 0070 5.2');
    return { ...described, stages: [], problems: [], end };
  }
  const stage2 = ste.stage2 ? [steStage(subject)] : [];
  const idle = idleOfSte(subject);
  const unused = problemsOf(STE_UNUSED, subject, undefined);
  const route = stream.route(substreamId);
  if ('fault' in route) {
    const [rule, section] = routeRule(route.fault, ste);
    return { ...described, stages: stage2, problems: unused, idle, end: failed(route.fault, rule, section) };
  }
  if (route.cd === undefined) {
    const translation = ste.stage2 ? 'stage 2' : 'bypass';
    return { ...described, stages: stage2, problems: unused, idle, end: { ok: true, translation } };
  }
  const lookup: CdLookup = given
    ? { outcome: given, assured: false }
    : stream.locateCd(route.cd, route.substreams, undefined, false);
  const cd = cdOf(route.cd, lookup);
  const { outcome } = lookup;
  if ('fault' in outcome) {
    const [rule, section] = cdRule(outcome.fault, cd, features);
    const end = failed(outcome.fault, rule, section);
    return { ...described, cd, stages: stage2, problems: unused, idle, end };
  }
  const decoded = decodeCd(outcome, ste, world, features);
  refuseCd(decoded);
  const problems = [
    ...problemsOf(CD_RULES, decoded, undefined),
    ...unused,
    ...problemsOf(CD_UNUSED, decoded, undefined),
  ];
  if (isIllegal(CD_RULES, decoded)) {
    const end = failed({ kind: 'c_bad_cd' }, 'the CD is not valid, or ILLEGAL', 'IHI 0070 5.4.2');
    return { ...described, cd, stages: stage2, problems, idle, end };
  }
  const stages = [cdStage(decoded, contextOf(decoded)), ...stage2];
  const translation = ste.stage2 ? 'nested' : 'stage 1';
  const both = [...idle, ...idleOfCd(decoded)];
  return { ...described, cd, stages, problems, idle: both, end: { ok: true, translation } };
}

const CONFIGS: Readonly<Record<number, SteDescription['config']>> = {
  [STE_CONFIG.bypass]: 'bypass',
  [STE_CONFIG.stage1]: 'stage 1',
  [STE_CONFIG.stage2]: 'stage 2',
  [STE_CONFIG.nested]: 'nested',
};
const FORMATS = ['linear', 'two-level, 4K leaves', 'two-level, 64K leaves', 'linear'] as const;
const WITHOUT_SUBSTREAM = {
  [S1DSS.terminate]: 'terminated',
  [S1DSS.bypass]: 'stage 1 bypassed',
  [S1DSS.cd0]: 'CD 0',
} as const satisfies Readonly<Record<number, string>>;

function steOf(ste: StreamTableEntry, world: StreamWorld, { ssidSize }: SmmuFeatures): SteDescription {
  const single = ste.s1CdMax === 0 || ssidSize === 0;
  const dss = WITHOUT_SUBSTREAM[ste.s1Dss as keyof typeof WITHOUT_SUBSTREAM] ?? 'terminated';
  return {
    words: ste.words,
    valid: ste.valid,
    config: CONFIGS[ste.config] ?? 'abort',
    configValue: ste.config,
    world,
    ...(ste.stage1 && {
      contexts: {
        pointer: ste.s1ContextPtr,
        s1CdMax: ste.s1CdMax,
        format: single ? 'single' : FORMATS[ste.s1Fmt]!,
        withoutSubstream: single ? 'CD 0' : dss,
      },
    }),
  };
}

function placeOf({ address, pa }: { readonly address: number; readonly pa?: number }): StructurePlace {
  return { address: BigInt(address), ...(pa !== undefined && { pa: BigInt(pa) }) };
}

function cdOf(index: number, { level1, cd, outcome }: CdLookup): CdDescription {
  return {
    index,
    ...(cd && { place: placeOf(cd) }),
    ...(level1 && {
      level1: {
        ...placeOf(level1),
        ...(level1.descriptor !== undefined && { descriptor: level1.descriptor }),
      },
    }),
    ...(!('fault' in outcome) && { words: outcome, fields: cdFlags(outcome) }),
  };
}

function cdFlags(words: CdWords): NonNullable<CdDescription['fields']> {
  const { ASID, AA64, R, A, S, PAN } = CD.fields;
  return {
    asid: readIn(words, ASID),
    aarch64: isSetIn(words, AA64),
    record: isSetIn(words, R),
    abort: isSetIn(words, A),
    stall: isSetIn(words, S),
    pan: isSetIn(words, PAN),
  };
}

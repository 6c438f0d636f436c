/**
 * How a StreamID becomes translations: the way through stream table, STE and CD to the stages, or up to where it fails.
 * (IHI 0070 issue G.b, 3.3, 5.1 to 5.4, 6.3.9, 6.3.24, 6.3.25.)
 */
import type { PhysicalMemory } from '../../memory/index.ts';
import { type CdWords, decodeCd } from '../../smmu/context-descriptor.ts';
import { DEFAULT_IDENTIFICATION, type SmmuFeatures, smmuFeatures } from '../../smmu/features.ts';
import {
  createSmmu,
  createStream,
  type SmmuRegisters,
  type SteLookup,
  type StreamDescription,
} from '../../smmu/smmu.ts';
import { type CdLookup, Stream } from '../../smmu/stream.ts';
import type { StreamTableEntry, StreamWorld } from '../../smmu/stream-table-entry.ts';
import type { ConfigurationFault, SmmuFault } from '../../smmu/types.ts';
import { field, flag } from '../../walker/bits.ts';
import { WalkerError } from '../../walker/errors.ts';
import { TableMemory } from '../../walker/table-memory.ts';
import { cdFields, cdStage, steStage } from './cd.ts';
import { cdProblems, steProblems } from './illegal.ts';
import type {
  CdDescription,
  SteDescription,
  StreamDerivation,
  StreamEnd,
  StreamTableDescription,
  StructurePlace,
} from './types.ts';

const L2PTR = 0xff_ffff_ffff_ffc0n;

/**
 * Describes what an SMMU makes of a stream: the way through the stream table to its STE and CD, the stages that these
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
    throw new WalkerError(`a StreamID has up to 32 bits; ${streamId} is none`);
  }
  const smmu = createSmmu(memory, registers);
  const { features } = smmu;
  const asked = { streamId, ...(substreamId !== undefined && { substreamId }), features };
  if (!flag(registers.cr0 ?? 1n, 0)) {
    return { ...asked, enabled: false, stages: [], problems: [], end: offEnd(registers) };
  }
  const lookup = smmu.locate(streamId);
  const table = tableOf(lookup, streamId);
  if ('kind' in lookup.outcome) {
    const end = steEnd(lookup.outcome, table);
    return { ...asked, enabled: true, table, stages: [], problems: [], end };
  }
  const e2h = flag(registers.cr2 ?? 0n, 0);
  const stream = new Stream(new TableMemory(memory), lookup.outcome, { features, streamId, e2h });
  const address = lookup.address === undefined ? {} : { address: BigInt(lookup.address) };
  return { ...asked, enabled: true, table, ...fromSte(stream, features, substreamId, address) };
}

/**
 * {@link describeStream} of an STE by itself (and a CD, where it is not in memory), as `createStream` takes them.
 * @throws WalkerError as `createStream` does. (IHI 0070 5.2, 5.4.)
 */
export function describeSte(
  memory: PhysicalMemory,
  description: StreamDescription,
  substreamId?: number,
): StreamDerivation {
  const stream = createStream(memory, description);
  const { streamId = 0, cd, identification, oas } = description;
  const features = smmuFeatures({ ...DEFAULT_IDENTIFICATION, ...identification }, oas);
  const asked = { streamId, ...(substreamId !== undefined && { substreamId }), features };
  return { ...asked, enabled: true, ...fromSte(stream, features, substreamId, {}, cd) };
}

function offEnd({ gbpa = 0n }: SmmuRegisters): StreamEnd {
  if (!flag(gbpa, 20)) return { ok: true, translation: 'bypass' };
  return {
    ok: false,
    fault: { kind: 'abort' },
    rule: 'SMMU_CR0.SMMUEN = 0 and SMMU_GBPA.ABORT = 1: every transaction aborts, and nothing is recorded',
    section: 'IHI 0070 6.3.14',
  };
}

function tableOf({ table, level1 }: SteLookup, streamId: number): StreamTableDescription {
  const { base, log2Size, split } = table;
  return {
    base: BigInt(base),
    log2Size,
    ...(split !== undefined && { split }),
    ...(level1 && {
      level1: {
        index: Math.floor(streamId / 2 ** (split ?? 0)),
        address: BigInt(level1.address),
        ...(level1.descriptor !== undefined && {
          descriptor: level1.descriptor,
          span: field(level1.descriptor, 4, 0),
          pointer: level1.descriptor & L2PTR,
        }),
      },
    }),
  };
}

/** Why there is no STE. */
function steEnd(
  fault: ConfigurationFault,
  { log2Size, split = 0, level1 }: StreamTableDescription,
): StreamEnd {
  const failed = (rule: string, section: string): StreamEnd => ({ ok: false, fault, rule, section });
  if (fault.kind === 'f_ste_fetch') {
    const what = level1 && level1.descriptor === undefined ? 'level 1 descriptor' : 'stream table entry';
    return failed(`no RAM where the ${what} should be`, 'IHI 0070 7.3.4');
  }
  if (level1 === undefined) {
    const rule = `the table has 2^${log2Size} StreamIDs (SMMU_STRTAB_BASE_CFG.LOG2SIZE)`;
    return failed(rule, 'IHI 0070 6.3.25');
  }
  const { span = 0 } = level1;
  if (span === 0) return failed('Span 0: the level 1 descriptor leads to no StreamID', 'IHI 0070 5.1');
  const most = Math.min(11, split + 1);
  if (span > most) {
    return failed(`Span ${span} counts as 0: with SPLIT ${split} it is at most ${most}`, 'IHI 0070 5.1');
  }
  return failed(
    `Span ${span}: the second level has ${2 ** (span - 1)} entries, and this is beyond`,
    'IHI 0070 5.1',
  );
}

type FromSte = Pick<StreamDerivation, 'ste' | 'cd' | 'stages' | 'problems' | 'end'>;

function fromSte(
  stream: Stream,
  features: SmmuFeatures,
  substreamId: number | undefined,
  place: { readonly address?: bigint },
  given?: CdWords,
): FromSte {
  const { ste, illegal, world } = stream.configuration;
  const described = { ste: { ...place, ...steOf(ste, world, features) } };
  const failed = (fault: SmmuFault, rule: string, section: string): StreamEnd => ({
    ok: false,
    fault,
    rule,
    section,
  });
  if (illegal) {
    const problems = steProblems(ste, features);
    const end = failed({ kind: 'c_bad_ste' }, 'the STE is not valid, or ILLEGAL', 'IHI 0070 5.2.2');
    return { ...described, stages: [], problems, end };
  }
  if (!ste.passes) {
    const end = failed({ kind: 'abort' }, 'STE.Config 0b0xx: every transaction aborts', 'IHI 0070 5.2');
    return { ...described, stages: [], problems: [], end };
  }
  const stage2 = ste.stage2 ? [steStage(ste, features)] : [];
  const route = stream.route(substreamId);
  if ('fault' in route) {
    const [rule, section] = routeRule(route.fault, ste);
    return { ...described, stages: stage2, problems: [], end: failed(route.fault, rule, section) };
  }
  if (route.cd === undefined) {
    const translation = ste.stage2 ? 'stage 2' : 'bypass';
    return { ...described, stages: stage2, problems: [], end: { ok: true, translation } };
  }
  const lookup: CdLookup = given
    ? { outcome: given }
    : stream.locateCd(route.cd, route.substreams, undefined);
  const cd = cdOf(route.cd, lookup);
  const { outcome } = lookup;
  if ('fault' in outcome) {
    const [rule, section] = cdRule(outcome.fault, cd);
    return { ...described, cd, stages: stage2, problems: [], end: failed(outcome.fault, rule, section) };
  }
  const context = decodeCd(outcome, ste, world, features);
  if (context === undefined) {
    const uppers = world === 'el2' && flag(outcome[0], 41) ? [false] : [false, true];
    const ranges = uppers.map((upper) => {
      const fields = cdFields(outcome, upper);
      return { upper, fields: uppers.length === 1 ? { ...fields, epd: false } : fields };
    });
    const problems = cdProblems(outcome, ste, world, features, ranges);
    const end = failed({ kind: 'c_bad_cd' }, 'the CD is not valid, or ILLEGAL', 'IHI 0070 5.4.2');
    return { ...described, cd, stages: stage2, problems, end };
  }
  const stages = [cdStage(outcome, context, world, features), ...stage2];
  const translation = ste.stage2 ? 'nested' : 'stage 1';
  return { ...described, cd, stages, problems: [], end: { ok: true, translation } };
}

const CONFIGS = ['bypass', 'stage 1', 'stage 2', 'nested'] as const;
const FORMATS = ['linear', 'two-level, 4K leaves', 'two-level, 64K leaves', 'linear'] as const;

function steOf(ste: StreamTableEntry, world: StreamWorld, { ssidSize }: SmmuFeatures): SteDescription {
  const configValue = field(ste.words[0], 3, 1);
  const single = ste.s1CdMax === 0 || ssidSize === 0;
  const dss = (['terminated', 'stage 1 bypassed', 'CD 0', 'terminated'] as const)[ste.s1Dss]!;
  return {
    words: ste.words,
    valid: ste.valid,
    config: ste.passes ? CONFIGS[configValue & 3]! : 'abort',
    configValue,
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

function cdFlags([w0]: CdWords): NonNullable<CdDescription['fields']> {
  return {
    asid: field(w0, 63, 48),
    aarch64: flag(w0, 41),
    record: flag(w0, 45),
    abort: flag(w0, 46),
    pan: flag(w0, 40),
  };
}

function routeRule({ kind }: SmmuFault, ste: StreamTableEntry): [rule: string, section: string] {
  if (kind === 'f_stream_disabled') {
    const rule =
      ste.s1Dss === 2
        ? 'S1DSS 2: SubstreamID 0 is for transactions without one'
        : `S1DSS ${ste.s1Dss}: a transaction without SubstreamID is terminated`;
    return [rule, 'IHI 0070 5.2'];
  }
  const rule = ste.stage1
    ? `SubstreamIDs are below 2^S1CDMax, which is ${ste.s1CdMax === 0 ? 'none' : 2 ** ste.s1CdMax}`
    : 'without stage 1 there are no SubstreamIDs';
  return [rule, 'IHI 0070 7.3.9'];
}

function cdRule(fault: SmmuFault, cd: CdDescription): [rule: string, section: string] {
  if (fault.kind === 'c_bad_substreamid')
    return ['the level 1 descriptor is not valid (V = 0)', 'IHI 0070 5.3'];
  const what = cd.place ? 'context descriptor' : 'level 1 descriptor of the CDs';
  if (fault.kind === 'f_cd_fetch') return [`no RAM where the ${what} should be`, 'IHI 0070 7.3.10'];
  return [`stage 2 does not let the SMMU read the ${what}`, 'IHI 0070 3.3.2'];
}

/** The meaning of registers as JSON: addresses compact, descriptors and registers with all their digits. */
import { securityWord } from '../../arch/security.ts';
import type {
  CdDescription,
  OffReason,
  RangeDescription,
  RegimeDescription,
  RegisterProblem,
  StageDescription,
  StreamDerivation,
  TablesDescription,
} from '../../describe/index.ts';
import { faultText } from '../../text/fault.ts';
import { memoryCode, memoryText } from '../../text/leaf.ts';
import { hex, hexWord } from '../../text/numbers.ts';

/** A regime, or a stream of an SMMU. Addresses are bigints, which `Output.document` writes as `"0x…"`. */
export function derivationJson(description: RegimeDescription | StreamDerivation): object {
  if ('regime' in description) {
    const { regime, cpu, security, stages, granuleProtection } = description;
    return {
      regime,
      security: securityWord(security),
      pa_bits: cpu.paBits,
      stages: stages.map(stageJson),
      ...(granuleProtection && { granule_protection: granuleJson(granuleProtection) }),
    };
  }
  return streamJson(description);
}

function granuleJson(given: NonNullable<RegimeDescription['granuleProtection']>): object {
  const { window } = given;
  return {
    gpccr: hexWord(given.gpccr),
    gptbr: hexWord(given.gptbr),
    invalid: given.invalid,
    granule: 1n << BigInt(given.granuleLog2),
    protected_bits: given.protectedBits,
    all_beyond: given.allBeyond,
    entry_size: 1n << BigInt(given.entryBits),
    entries: given.entries,
    table_base: given.tableBase,
    denied: given.denied.map(securityWord),
    ...(window && {
      window: {
        base: BigInt(window.base),
        size: 1n << BigInt(window.sizeLog2),
        stride: 1n << BigInt(window.strideLog2),
      },
    }),
    problems: given.problems.map(problemJson),
  };
}

function problemJson({ field, value, effect, rule, section }: RegisterProblem): object {
  return { field, value, effect, rule, section };
}

function offJson(off: OffReason | undefined): object {
  return { on: off === undefined, ...(off && { off }) };
}

function stageJson(stage: StageDescription): object {
  const { control, tag, memory, stage2, short } = stage;
  return {
    stage: stage.stage,
    format: stage.format,
    ...offJson(stage.off),
    ...(control && { control: { register: control.register, value: hexWord(control.value) } }),
    ranges: stage.ranges.map(rangeJson),
    ...(tag && { [tag.name.toLowerCase()]: { value: tag.value, bits: tag.bits, field: tag.field } }),
    ...(memory && {
      memory: {
        register: memory.register,
        value: hexWord(memory.value),
        types: memory.types.map(({ index, byte, attributes }) => ({
          index,
          ...(byte !== undefined && { attr: hex(byte, 2) }),
          memory: memoryText(attributes),
          code: memoryCode(attributes),
        })),
      },
    }),
    ...(stage.nv1 && { nv1: true }),
    ...(stage.extended && {
      extended: stage.extended.map(({ feature, control, registers }) => ({
        feature,
        control,
        registers: Object.fromEntries(registers.map(({ name, value }) => [name, hexWord(value)])),
      })),
    }),
    wxn: stage.wxn,
    uwxn: stage.uwxn,
    ...(stage2 && {
      sl0: stage2.sl0,
      sl2: stage2.sl2,
      smallest_t0sz: stage2.smallestT0sz,
      fwb: stage2.fwb,
      ptw: stage2.ptw,
    }),
    ...short,
    ...(stage.uncached && { uncached: stage.uncached }),
    problems: stage.problems.map(problemJson),
  };
}

function rangeJson(range: RangeDescription): object {
  const { register, value, size, off, tables, walks } = range;
  return {
    register,
    value: range.notGiven ? null : hexWord(value),
    ...offJson(off),
    ...(size && { size_field: size.field, size_value: size.value }),
    ...(tables && tablesJson(tables)),
    ...(walks && {
      walks: {
        inner: walks.inner.policy,
        outer: walks.outer.policy,
        shareability: walks.shareability,
      },
    }),
    hpd: range.hpd,
    e0pd: range.e0pd,
    ...(range.spaces && { spaces: spacesJson(range.spaces) }),
    top_byte_ignored: range.topByteIgnored,
    cnp: range.cnp,
    problems: range.problems.map(problemJson),
  };
}

function spacesJson({ ipas, tables, outputs, choosesNs }: NonNullable<RangeDescription['spaces']>): object {
  return {
    ipas: securityWord(ipas),
    tables: securityWord(tables),
    outputs: securityWord(outputs),
    chooses_ns: choosesNs,
  };
}

function tablesJson(tables: TablesDescription): object {
  const { output } = tables;
  return {
    granule: 1n << BigInt(tables.granuleLog2),
    input_bits: tables.inputBits,
    first_ia: tables.firstIa,
    last_ia: tables.lastIa,
    start_level: tables.startLevel,
    entries: tables.entries,
    concatenated: tables.concatenated,
    table_base: tables.tableBase,
    table_align: 1n << BigInt(tables.alignLog2),
    levels: tables.levels.map(({ level, high, low, entrySize, leaf, run }) => ({
      level,
      bits: `${high}:${low}`,
      leaf,
      entry_size: entrySize,
      ...(run && { run_entries: run.entries, run_size: run.size }),
    })),
    output: {
      bits: output.bits,
      ...(output.field !== undefined && {
        field: output.field,
        encoding: output.encoding,
        configured_bits: output.configuredBits,
      }),
      format_bits: output.formatBits,
      implemented_bits: output.implementedBits,
      limited_by: output.limitedBy,
    },
    wide_address: tables.wideAddress,
    ha: tables.ha,
    hd: tables.hd,
    big_endian: tables.bigEndian,
  };
}

const wordsJson = (words: readonly bigint[]) => words.map((word) => hexWord(word));

function streamJson(description: StreamDerivation): object {
  const { streamId, substreamId, features, enabled, table, ste, cd, stages, problems, idle, end } =
    description;
  return {
    stream_id: streamId,
    ...(substreamId !== undefined && { substream_id: substreamId }),
    pa_bits: features.oas,
    enabled,
    ...(table && {
      stream_table: {
        base: table.base,
        log2_size: table.log2Size,
        ...(table.split !== undefined && { split: table.split }),
        ...(table.level1 && { level1: level1Json(table.level1) }),
      },
    }),
    ...(ste && {
      ste: {
        ...(ste.address !== undefined && { address: ste.address }),
        words: wordsJson(ste.words),
        valid: ste.valid,
        config: ste.config,
        world: ste.world,
        ...(ste.contexts && {
          s1_context_ptr: ste.contexts.pointer,
          s1_cd_max: ste.contexts.s1CdMax,
          format: ste.contexts.format,
          without_substream: ste.contexts.withoutSubstream,
        }),
      },
    }),
    ...(cd && { cd: cdJson(cd) }),
    stages: stages.map(stageJson),
    problems: problems.map(problemJson),
    ...(idle && { idle }),
    ...(end.ok
      ? { ok: true, translation: end.translation }
      : {
          ok: false,
          fault: { kind: end.fault.kind, text: faultText(end.fault), rule: end.rule, section: end.section },
        }),
  };
}

function level1Json(level1: { readonly address: bigint; readonly descriptor?: bigint }): object {
  const { descriptor, ...rest } = level1;
  return { ...rest, descriptor: descriptor === undefined ? null : hexWord(descriptor) };
}

function cdJson({ index, place, level1, words, fields }: CdDescription): object {
  return {
    index,
    ...place,
    ...(level1 && { level1: level1Json(level1) }),
    words: words ? wordsJson(words) : null,
    ...(fields && {
      asid: fields.asid,
      aarch64: fields.aarch64,
      record: fields.record,
      abort: fields.abort,
      stall: fields.stall,
      pan: fields.pan,
    }),
  };
}

/** The meaning of registers as lines: stages, ranges, tables, memory types, and problems of the register values. */
import { securityName } from '../../arch/security.ts';
import type {
  LevelDescription,
  MemoryTypeDescription,
  OffReason,
  OutputSize,
  RangeDescription,
  RegimeDescription,
  RegisterProblem,
  StageDescription,
  StreamDerivation,
  TablesDescription,
  WalkAttributes,
} from '../../describe/index.ts';
import { faultText } from '../../text/fault.ts';
import { memoryCode, SHAREABILITY } from '../../text/leaf.ts';
import { count, counted, hex, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { joined, lines } from './derivation-parts.ts';
import { cdLines, idleLines, steLines, tableLines } from './stream-lines.ts';

export { derivationJson } from './derivation-json.ts';

/** A regime, or a stream of an SMMU, in lines of at most 98 columns. */
export function derivationLines(description: RegimeDescription | StreamDerivation, style: Style): string[] {
  if ('regime' in description) {
    const { regime, cpu, stages, security, granuleProtection } = description;
    const state = security === 'non-secure' ? '' : `, ${securityName(security)} state`;
    const title = style.title(regime);
    return [
      `${title}  ${cpu.paBits} physical address bits${state}`,
      ...stages.flatMap((one) => stageLines(one, style)),
      ...(granuleProtection ? granuleLines(granuleProtection, style) : []),
    ];
  }
  return streamLines(description, style);
}

/** The lines that are shown wherever registers come from: problems, and what makes memory Non-cacheable. */
export function judgementLines(description: RegimeDescription | StreamDerivation, style: Style): string[] {
  const { stages } = description;
  const problems = [
    ...('problems' in description ? description.problems : []),
    ...('regime' in description ? (description.granuleProtection?.problems ?? []) : []),
    ...stages.flatMap((stage) => [...stage.ranges.flatMap((range) => range.problems), ...stage.problems]),
  ];
  return [...stages.flatMap((stage) => uncachedLines(stage, style)), ...problemLines(problems, style)];
}

function stageLines(stage: StageDescription, style: Style): string[] {
  const title = style.title(`stage ${stage.stage}`);
  if (stage.off)
    return [
      ...lines('', `${title}  ${offText(stage.off, style)}`),
      ...uncachedLines(stage, style),
      ...problemLines(stage.problems, style),
    ];
  return [
    ...lines('', `${title}  ${joined([stage.format, ...controlParts(stage)])}`),
    ...stage.ranges.flatMap((range) => rangeLines(range, style)),
    ...shortLines(stage),
    ...memoryLines(stage),
    ...extendedLines(stage),
    ...uncachedLines(stage, style),
    ...problemLines(stage.problems, style),
  ];
}

/** `FEAT_S1PIE  TCR2_EL1.PIE = 1: PIR_EL1 0x…, PIRE0_EL1 0x…`. */
function extendedLines({ extended = [] }: StageDescription): string[] {
  return extended.flatMap(({ feature, control, registers }) => {
    const values = registers.map(({ name, value }) => `${name} ${hex(value)}`).join(', ');
    return lines('  ', `${feature}  ${control} = 1${values === '' ? '' : `: ${values}`}`);
  });
}

function controlParts({ control, tag, nv1, wxn, uwxn, stage2, short }: StageDescription): (string | false)[] {
  const tagText = tag && `${tag.name} ${hex(tag.value)} (${tag.field}, ${tag.bits} bits)`;
  return [
    control !== undefined && `${control.register} ${hex(control.value)}`,
    tagText ?? false,
    stage2 !== undefined && `SL0 ${stage2.sl0}${stage2.sl2 === 1 ? ' SL2 1' : ''}`,
    stage2 !== undefined && `T0SZ from ${stage2.smallestT0sz}`,
    stage2?.fwb === true && 'FWB',
    stage2?.ptw === true && 'PTW',
    short?.tre === true && 'TRE',
    short?.afe === true && 'AFE',
    nv1 === true && 'NV1 (permissions as in the tables of a guest hypervisor)',
    wxn && 'WXN',
    uwxn && 'UWXN',
  ];
}

function offText({ field, value, rule }: OffReason, style: Style): string {
  return `${style.warn('off')}: ${field} = ${fieldValue(value)}: ${rule}`;
}

/** Encodings and sizes as the manual writes them, wider values in hex. */
function fieldValue(value: bigint): string {
  return value < 64n ? String(value) : hex(value);
}

function rangeLines(range: RangeDescription, style: Style): string[] {
  const { register, value, off, size, tables } = range;
  const name = `${style.title(register)} ${range.notGiven ? 'not given' : hex(value)}`;
  if (off) return [...lines('  ', `${name}  ${offText(off, style)}`), ...problemLines(range.problems, style)];
  const asked = size && `${size.field.split('.').at(-1)} ${size.value}`;
  if (tables === undefined) {
    const text = joined([asked, style.bad('no tables')]);
    return [...lines('  ', `${name}  ${text}`), ...problemLines(range.problems, style)];
  }
  const granule = `${sizeText(1n << BigInt(tables.granuleLog2))} granule`;
  const span = `${tables.inputBits} input bits ${hex(tables.firstIa)}..${hex(tables.lastIa)}`;
  return [
    ...lines('  ', `${name}  ${joined([granule, asked])}: ${span}`),
    ...(range.notGiven ? [] : lines('    ', startText(tables))),
    ...lines('    ', tables.levels.map(levelText).join(', ')),
    ...lines('    ', joined([outputText(tables.output), ...rangeFlags(range, tables)], '; ')),
    ...(range.spaces ? lines('    ', spacesText(range.spaces)) : []),
    ...problemLines(range.problems, style),
  ];
}

/** `Secure IPAs: tables in Secure memory, outputs in Non-secure memory`. */
function spacesText({ ipas, tables, outputs, choosesNs }: NonNullable<RangeDescription['spaces']>): string {
  const [from, own, to] = [ipas, tables, outputs].map(securityName);
  const chosen = choosesNs ? ', or where NS (bit 55) is set Non-secure' : '';
  return `${from} IPAs: tables in ${own} memory, outputs in ${to} memory${chosen}`;
}

/** `granule protection  GPCCR_EL3 0x13502, GPTBR_EL3 0x70000: 4K granules of 40 bits; level 0 of 1024 entries, 1G each, at 0x70000000`. */
function granuleLines(given: NonNullable<RegimeDescription['granuleProtection']>, style: Style): string[] {
  const { gpccr, gptbr, invalid, granuleLog2, protectedBits, entries, entryBits, tableBase, denied } = given;
  const { allBeyond, window, problems } = given;
  const granule = sizeText(1n << BigInt(granuleLog2));
  const each = sizeText(1n << BigInt(entryBits));
  const parts = [
    `${granule} granules of ${protectedBits} bits${allBeyond ? ', beyond them all accesses pass' : ''}`,
    `level 0 of ${counted(entries, 'entry', 'entries')}, ${each} each, at ${hex(tableBase)}`,
    denied.length > 0 && `no access to ${denied.map(securityName).join(', ')} memory`,
    window &&
      `not asked of ${sizeText(1n << BigInt(window.sizeLog2))} windows from ${hex(BigInt(window.base))}`,
  ];
  const registers = `GPCCR_EL3 ${hex(gpccr)}, GPTBR_EL3 ${hex(gptbr)}`;
  const text = invalid ? style.bad('every access is a GPT walk fault') : joined(parts, '; ');
  return [
    ...lines('', `${style.title('granule protection')}  ${registers}: ${text}`),
    ...problemLines(problems, style),
  ];
}

function startText({ startLevel, entries, concatenated, tableBase, alignLog2 }: TablesDescription): string {
  const align = 1n << BigInt(alignLog2);
  const aligned = `aligned to ${sizeText(align)}${align < 1024n ? ' bytes' : ''}`;
  const where = `at ${hex(tableBase)}, ${aligned}`;
  if (concatenated === 1)
    return `start level ${startLevel} of ${counted(entries, 'entry', 'entries')} ${where}`;
  const more = Math.log2(concatenated);
  return `start level ${startLevel} of ${count(entries)} entries in ${concatenated} concatenated tables ${where}, for ${counted(more, 'input bit')} more than one table resolves`;
}

/** `L1 [38:30] 1G run 16G`. No size for a level that only has tables. */
function levelText({ level, high, low, leaf, entrySize, run }: LevelDescription): string {
  const size = leaf === 'none' ? '' : ` ${sizeText(entrySize)}`;
  return `L${level} [${high}:${low}]${size}${run ? ` run ${sizeText(run.size)}` : ''}`;
}

/** `output 44 bits (IPS 5 = 48, PARange 44)`: the configured size, and what limits it. */
function outputText(output: OutputSize): string {
  const { bits, field, encoding, configuredBits, formatBits, implementedBits, limitedBy } = output;
  const asked = field && `${field.split('.').at(-1)} ${encoding} = ${configuredBits}`;
  const implemented = /^(CD|STE)\./.test(field ?? '') ? 'OAS' : 'PARange';
  const limit =
    limitedBy === 'implemented'
      ? `${implemented} ${implementedBits}`
      : limitedBy === 'format' && `format ${formatBits}`;
  return `output ${bits} bits (${joined([asked, limit])})`;
}

const WIDE = { none: '', lpa: 'OA[51:48] in bits [15:12]', lpa2: 'LPA2: OA[51:50] in bits [9:8]' } as const;

function rangeFlags(range: RangeDescription, tables: TablesDescription): (string | undefined | false)[] {
  const { topByteIgnored, hpd, e0pd, cnp, walks } = range;
  const flags = joined([
    tables.ha && 'HA',
    tables.hd && 'HD',
    hpd && 'HPD',
    e0pd && 'E0PD',
    topByteIgnored !== 'no' && (topByteIgnored === 'all' ? 'TBI' : 'TBI of data'),
    cnp && 'CnP',
    tables.bigEndian && 'big-endian',
  ]);
  return [WIDE[tables.wideAddress], walks && walksText(walks), flags];
}

function walksText({ inner, outer, shareability }: WalkAttributes): string {
  const base = { type: 'normal', inner, outer, tagged: false, byte: 0, xs: true } as const;
  return `walks ${memoryCode(base)} ${SHAREABILITY[shareability][1]}`;
}

/** Domains by their access: `DACR  client 0, 2; none 1, 3-15`. */
function shortLines({ short, format }: StageDescription): string[] {
  if (short === undefined || format !== 'AArch32 short') return [];
  const kinds = (['manager', 'client', 'none', 'reserved'] as const)
    .map((kind) => {
      const domains = short.domains.flatMap((one, d) => (one === kind ? [d] : []));
      return domains.length === 0 ? '' : `${kind} ${numberRuns(domains)}`;
    })
    .filter(Boolean);
  const remap = short.tre ? [] : ['  TEX, C and B give the memory type (SCTLR.TRE = 0)'];
  return [`  DACR  domains: ${kinds.join('; ')}`, ...remap];
}

/** `0, 2-15`. */
function numberRuns(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const n of numbers) {
    const run = runs.at(-1);
    if (run?.[1] === n - 1) run[1] = n;
    else runs.push([n, n]);
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(', ');
}

/** Memory types by index, equal ones together: `0-1 ff WB, 2 44 NC`. */
function memoryLines({ memory }: StageDescription): string[] {
  if (memory === undefined) return [];
  const text = (type: MemoryTypeDescription) => {
    const byte = type.byte === undefined ? '' : `${hex(type.byte, 2).slice(2)} `;
    const tagged = type.attributes.type === 'normal' && type.attributes.tagged ? ' Tagged' : '';
    return `${byte}${memoryCode(type.attributes)}${tagged}`;
  };
  const kinds = [...new Set(memory.types.map(text))];
  const parts = kinds.map((kind) => {
    const alike = memory.types.filter((type) => text(type) === kind);
    return `${numberRuns(alike.map(({ index }) => index))} ${kind}`;
  });
  return lines('  ', `${memory.register} ${hex(memory.value)}  ${parts.join('; ')}`);
}

/** The controls that make Normal memory Non-cacheable, whatever its descriptors. */
function uncachedLines({ uncached = [] }: StageDescription, style: Style): string[] {
  return uncached.flatMap(({ field, value, rule, section }) =>
    lines('  ', `${style.warn(`${field} = ${value}`)}: ${rule} (${section})`),
  );
}

function problemLines(problems: readonly RegisterProblem[], style: Style): string[] {
  return problems.flatMap(({ field, value, effect, rule, section }) => {
    const paint = effect === 'fault' ? style.bad : style.warn;
    const [first = '', ...rest] = lines(
      '    ',
      `! ${field} = ${fieldValue(value)} (${effect}): ${rule} (${section})`,
    );
    return [first.replace('!', paint('!')), ...rest];
  });
}

function streamLines(description: StreamDerivation, style: Style): string[] {
  const { streamId, substreamId, features, enabled, table, ste, cd, stages, problems, idle, end } =
    description;
  const id = joined([
    `StreamID ${hex(streamId)}`,
    substreamId !== undefined && `SubstreamID ${hex(substreamId)}`,
  ]);
  return [
    `${style.title(id)}  ${features.oas} output address bits${enabled ? '' : '; the SMMU is off (SMMU_CR0.SMMUEN = 0)'}`,
    ...(table ? tableLines(table, style) : []),
    ...(ste ? steLines(ste, style) : []),
    ...(cd ? cdLines(cd, style) : []),
    ...problemLines(problems, style),
    ...idleLines(idle ?? []),
    ...stages.flatMap((stage) => stageLines(stage, style)),
    ...(end.ok
      ? end.translation === 'bypass'
        ? [`${style.good('bypass')}  addresses pass unchanged`]
        : []
      : lines('', `${style.bad('ends')}  ${faultText(end.fault)}: ${end.rule} (${end.section})`)),
  ];
}

/** The way of an SMMU from a StreamID to its tables, as lines: stream table, STE and CD. (IHI 0070 5.1, 5.2, 5.3, 5.4.) */
import type {
  CdDescription,
  IdleField,
  SteDescription,
  StreamTableDescription,
} from '../../describe/index.ts';
import { counted, hex, hexWord } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { joined, lines } from './derivation-parts.ts';

/** The stream table, and the level 1 descriptor that was read. */
export function tableLines(
  { base, log2Size, capped, split, level1 }: StreamTableDescription,
  style: Style,
): string[] {
  const kind = split === undefined ? 'linear' : `two levels, SPLIT ${split}`;
  const head = `${style.title('stream table')} ${hex(base)}  ${kind}, 2^${log2Size} StreamIDs${capped ? ' (SMMU_IDR1.SIDSIZE)' : ''}`;
  if (level1 === undefined) return [head];
  const { index, address, descriptor, span = 0, pointer = 0n } = level1;
  const array =
    span === 0 ? 'no entries' : `${counted(2 ** (span - 1), 'entry', 'entries')} at ${hex(pointer)}`;
  const word = descriptor === undefined ? 'no RAM' : `${hexWord(descriptor)}  Span ${span}: ${array}`;
  return [head, ...lines('  ', `L1STD[${hex(index)}] @${hex(address)} = ${word}`)];
}

function words(values: readonly bigint[]): string {
  return values.map((word) => hexWord(word)).join(' ');
}

const WORLDS = { el1: 'EL1', el2: 'EL2', 'el2-e2h': 'EL2 with E2H', el3: 'EL3' } as const;

/** The STE of the stream. */
export function steLines(ste: SteDescription, style: Style): string[] {
  const { address, config, configValue, world, contexts } = ste;
  const where = address === undefined ? '' : ` @${hex(address)}`;
  const meaning = joined([
    ste.valid ? `Config ${configValue}: ${config}` : 'not valid',
    contexts && WORLDS[world],
    contexts && `CDs at ${hex(contexts.pointer)}: ${contexts.format}`,
    contexts && contexts.format !== 'single' && `${2 ** contexts.s1CdMax} SubstreamIDs`,
    contexts && contexts.format !== 'single' && `without one: ${contexts.withoutSubstream}`,
  ]);
  return [`${style.title('STE')}${where} = ${words(ste.words)}`, ...lines('  ', meaning)];
}

/** The CD, and the level 1 descriptor that leads to it. */
export function cdLines({ index, place, level1, words: own, fields }: CdDescription, style: Style): string[] {
  const at = ({ address, pa }: { readonly address: bigint; readonly pa?: bigint }) =>
    pa === undefined || pa === address ? `@${hex(address)}` : `@IPA ${hex(address)} = PA ${hex(pa)}`;
  const first = level1 && [
    `  L1CD ${at(level1)} = ${level1.descriptor === undefined ? 'not read' : hexWord(level1.descriptor)}`,
  ];
  const flags = fields && [
    `ASID ${hex(fields.asid)}`,
    fields.aarch64 ? 'AArch64' : 'AArch32 LPAE',
    fields.record || fields.stall ? 'faults recorded (R)' : 'faults not recorded (R = 0)',
    fields.abort ? 'aborts (A)' : 'RAZ/WI (A = 0)',
    fields.stall && 'stalls (S)',
    fields.pan && 'PAN',
  ];
  const head = `${style.title(`CD[${index}]`)}${place ? ` ${at(place)}` : ''}`;
  return [
    ...(first ?? []),
    ...(own ? [`${head} = ${words(own)}`] : place ? [`${head}  not read`] : []),
    ...(flags ? lines('  ', joined(flags)) : []),
  ];
}

/** `no part: STE.S1CIR = 1, STE.S1COR = 1: attributes of the SMMU's own reads of CDs (IHI 0070 5.2)`: a line for each reason. */
export function idleLines(idle: readonly IdleField[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { field, value, why, section } of idle) {
    const reason = `${why} (${section})`;
    byReason.set(reason, [...(byReason.get(reason) ?? []), `${field} = ${hex(value)}`]);
  }
  return [...byReason].flatMap(([reason, fields]) => lines('  ', `no part: ${fields.join(', ')}: ${reason}`));
}

/** Prints the result of a comparison: a line for each range, then what is mapped but not named, then the rules. */
import type { Translator } from '../machine/machine.ts';
import type { AddressRange } from '../space/address-range.ts';
import { type MappedRange, rangeSize, sayOf } from '../space/ranges.ts';
import { columns } from '../text/columns.ts';
import { count, counted, hex, hexWord, sizeText } from '../text/numbers.ts';
import type { Style } from '../text/style.ts';
import { descriptorBits } from '../text/words.ts';
import type { AspectDifference } from './compare.ts';
import type { DecidingField } from './reasons.ts';
import type { LineResult, RuleResult, Verification, WantedDifference } from './verify.ts';
import { wantText } from './want-text.ts';

export interface ReportOptions {
  readonly target: Translator;
  readonly style: Style;
  /** The maximum number of correct lines to print; the rest are only counted. Wrong lines are never left out. */
  readonly maxOk: number;
}

export function reportLines(found: Verification, options: ReportOptions): string[] {
  const { style, target } = options;
  const { unnamed, unreachable, rules } = found;
  const listing = (title: string, ranges: readonly MappedRange[]) =>
    ranges.length === 0 ? [] : [style.title(title), ...rangeRows(ranges, target, style)];
  return [
    ...lineRows(found.lines, options),
    ...listing('mapped, and not named:', unnamed),
    ...listing('not named, and a leaf that no access reaches, neither mapped nor unmapped:', unreachable),
    ...rules.flatMap((rule) => ruleLines(rule, options)),
    summaryText(found, style),
  ];
}

const digitsOf = (ranges: readonly AddressRange[]) =>
  ranges.reduce((most, { last }) => Math.max(most, last.toString(16).length), 1);

const whole = ({ first, last }: AddressRange, digits: number) => `${hex(first, digits)}-${hex(last, digits)}`;

function lineRows(lines: readonly LineResult[], { target, style, maxOk }: ReportOptions): string[] {
  const digits = digitsOf(lines.map(({ line }) => line));
  const shown = lines.filter(({ ok }, i) => !ok || lines.length <= maxOk || i < maxOk);
  const heads = columns(
    shown.map(({ line, ok, larger }) => [
      ok ? style.good('ok') : style.bad('no'),
      whole(line, digits),
      sizeText(line.last - line.first + 1n),
      [wantText(line.want, line.first), line.label && `# ${line.label}`, larger && largerText(larger)]
        .filter(Boolean)
        .join('  '),
    ]),
    { right: [2], indent: '  ' },
  );
  const rest = lines.length - shown.length;
  return [
    ...shown.flatMap(({ differences }, i) => [
      heads[i]!,
      ...differences.flatMap((one) => differenceLines(one, target, style)),
    ]),
    ...(rest > 0 ? [style.faint(`  … ${count(rest)} more that are ok (--full shows them)`)] : []),
  ];
}

function largerText({ before, after }: NonNullable<LineResult['larger']>): string {
  const parts = [before > 0n && `${hex(before)} before`, after > 0n && `${hex(after)} behind`].filter(
    Boolean,
  );
  return `(larger by ${hex(before + after)} bytes: ${parts.join(', ')})`;
}

/** What is wanted, what was found, what differs, and the descriptors. */
export function differenceLines(
  { first, last, want, found, aspects, descriptors, because }: WantedDifference,
  target: Translator,
  style: Style,
): string[] {
  const bits = (stage: 1 | 2) => descriptorBits(target, stage);
  const rows = [
    ['wanted', wantText(want, first)],
    ['found', found === undefined ? 'unmapped' : foundText(found, target)],
    ['differs', aspects.map(aspectText).join('; ')],
    ...descriptors.map(({ stage, level, address, descriptor, fields: deciding }) => [
      `stage ${stage}`,
      `level ${level}, ${descriptor === undefined ? 'no descriptor' : hexWord(descriptor, bits(stage))} at ${hex(address)}` +
        (deciding.length > 0 ? `: ${deciding.map(fieldText).join(', ')}` : ''),
    ]),
    ...because.map((text) => ['because', text]),
  ];
  return [
    `    ${style.bad(whole({ first, last }, 1))}  ${sizeText(last - first + 1n)}`,
    ...columns(rows, { indent: '      ' }),
  ];
}

/** `nGnRE, not nGnRnE`; of a field `AF [10]: AF=0x1, not AF=0x0`. */
function aspectText({ field, wanted, found }: AspectDifference): string {
  return `${field === undefined ? '' : `${field}: `}${wanted}, not ${found}`;
}

function fieldText({ name, bits, value, meaning }: DecidingField): string {
  const label = name.includes('[') ? name : `${name} ${bits}`;
  return `${label} = ${hex(value)}${meaning === undefined ? '' : ` (${meaning})`}`;
}

/** `-> 0x8000_0000  4K ×3  rw- WB ISH`. */
export function foundText(range: MappedRange, { regime }: Translator): string {
  const { pa, leafSize, leaves, result } = range;
  const times = leaves > 1 ? ` ×${count(leaves)}` : '';
  const parts = [
    pa === undefined ? '' : `-> ${hex(pa)}`,
    `${sizeText(leafSize)}${times}`,
    sayOf(result, regime),
  ];
  return parts.filter(Boolean).join('  ');
}

function rangeRows(ranges: readonly MappedRange[], target: Translator, style: Style): string[] {
  const digits = digitsOf(ranges);
  return columns(
    ranges.map((range) => [
      style.bad('no'),
      whole(range, digits),
      sizeText(rangeSize(range)),
      foundText(range, target),
    ]),
    { right: [2], indent: '  ' },
  );
}

function ruleLines({ rule, ok, broken }: RuleResult, { target, style }: ReportOptions): string[] {
  const head = `  ${ok ? style.good('ok') : style.bad('no')}  ${rule.text}`;
  return [head, ...rangeRows(broken, target, style).map((line) => `  ${line}`)];
}

/** `no: 1 of 7 ranges is not as it is meant; 2 ranges are mapped and not named`. */
export function summaryText(
  { ok, lines, unnamed, unreachable, rules, complete }: Verification,
  style: Style,
): string {
  const ranges = (n: number) => counted(n, 'range');
  const be = (n: number) => (n === 1 ? 'is' : 'are');
  const wrong = lines.filter((one) => !one.ok).length;
  const broken = rules.filter((one) => !one.ok).length;
  const parts = [
    wrong > 0 && `${count(wrong)} of ${ranges(lines.length)} ${be(wrong)} not as meant`,
    unnamed.length > 0 && `${ranges(unnamed.length)} ${be(unnamed.length)} mapped and not named`,
    unreachable.length > 0 &&
      `${ranges(unreachable.length)} ${be(unreachable.length)} neither mapped nor unmapped`,
    broken > 0 && `${counted(broken, 'rule')} ${be(broken)} broken`,
    !complete && 'there are more tables than can be listed (they may hold themselves): not all was looked at',
  ].filter(Boolean);
  if (!ok) return `${style.bad('no')}: ${parts.join('; ')}`;
  const kept = rules.length > 0 ? `, and ${counted(rules.length, 'rule')} kept` : '';
  return `${style.good('yes')}: ${ranges(lines.length)} as meant, and nothing else${kept}`;
}

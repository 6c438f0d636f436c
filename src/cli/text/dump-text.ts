/** Ranges of a dump as lines, in the style of the kernel's page-table dump, and as JSON. */
import type { MachineRegime } from '../../arch/regimes.ts';
import type { Answer, Translator } from '../../machine/machine.ts';
import type { AddressRange } from '../../space/address-range.ts';
import { type MappedRange, rangeSize } from '../../space/ranges.ts';
import type { Space } from '../../space/space.ts';
import type { TableNode } from '../../space/tree.ts';
import { columns } from '../../text/columns.ts';
import { type Faulted, faultText } from '../../text/fault.ts';
import { flagCode, memoryCode, memoryOf, permissionCode, SHAREABILITY } from '../../text/leaf.ts';
import { count, counted, hex, hexWord, roughSize, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { descriptorBits } from '../../text/words.ts';
import type { Target } from '../machine/target.ts';
import { attributesJson } from './walk-json.ts';
import { stateText } from './walk-text.ts';

const MEMORY_WIDTH = 'nGnRnE'.length;

/**
 * Each window of addresses with a heading, `[first, last]  regime`, and the ranges in it.
 * @param inPart - the windows were asked for, and there may be more outside of them.
 */
export function spaceLines(
  { regime, walker }: Pick<Target, 'regime' | 'walker'>,
  { windows, ranges }: Pick<Space, 'windows' | 'ranges'>,
  { style, inPart }: { readonly style: Style; readonly inPart: boolean },
): string[] {
  return windows.flatMap((window) => {
    const { first, last } = window;
    const here = ranges.filter((range) => range.last >= first && range.first <= last);
    const digits = last.toString(16).length;
    const place = `[${hex(first, digits)}, ${hex(last, digits)}]  ${regime}${stateText(walker)}`;
    return [style.title(`${place}${inPart ? ', in part' : ''}`), ...rangeLines(here, window, regime, style)];
  });
}

/** The ranges within one window of addresses, and their sum. */
function rangeLines(
  ranges: readonly MappedRange[],
  { last }: AddressRange,
  regime: MachineRegime,
  style: Style,
): string[] {
  const digits = last.toString(16).length;
  const lines = columns(
    ranges.map((range) => rangeRow(range, regime, digits, style)),
    { right: [1], indent: '  ' },
  );
  const mapped = ranges.filter(({ result }) => result.ok);
  const bytes = mapped.reduce((sum, range) => sum + rangeSize(range), 0n);
  const leaves = mapped.reduce((sum, range) => sum + range.leaves, 0);
  const sum = `  ${counted(ranges.length, 'range')}, ${counted(leaves, 'leaf', 'leaves')}, ${roughSize(bytes)} mapped`;
  return [...lines, style.faint(sum)];
}

function rangeRow(range: MappedRange, regime: MachineRegime, digits: number, style: Style): string[] {
  const { first, last, pa, leafSize, leaves, result } = range;
  const cells = [
    `${hex(first, digits)}-${hex(last, digits)}`,
    sizeText(rangeSize(range)),
    pa === undefined ? '' : `-> ${hex(pa)}`,
    `${sizeText(leafSize)}${leaves > 1 ? ` ×${count(leaves)}` : ''}`,
  ];
  return [...cells, sayText(result, regime, style)];
}

/** Rights, memory type, shareability and flags; or the reason, for a leaf that faults. */
export function sayText(result: Answer, regime: MachineRegime, style: Style): string {
  if (!result.ok) return style.bad(faultText(result.fault, regime));
  // One cell, so that the text of a fault does not widen columns.
  const { attributes, shareability, combined } = memoryOf(result, regime);
  const memory = memoryCode(attributes).padEnd(MEMORY_WIDTH);
  const flags = [flagCode(result, regime), combined && `(${memoryCode(combined)} with stage 1 off)`];
  const rest = flags.filter(Boolean).join('  ');
  return `${style.leaf(permissionCode(result, regime))}  ${memory}  ${SHAREABILITY[shareability][1]}  ${rest}`;
}

export function rangeJson(range: MappedRange, regime: MachineRegime): object {
  const { first, last, pa, leafSize, leaves, result } = range;
  return {
    first,
    last,
    size: rangeSize(range),
    pa: pa ?? null,
    leaf_size: leafSize,
    leaves,
    ...(result.ok
      ? { level: result.level ?? null, ...attributesJson(result, regime) }
      : { fault: faultJson(result.fault) }),
  };
}

function faultJson(fault: Faulted['fault']): object {
  const { kind } = fault;
  return 'level' in fault ? { kind, stage: fault.stage, level: fault.level } : { kind };
}

export function nodeJson({ stage, level, pa, entries }: TableNode, walker: Translator): object {
  const bits = descriptorBits(walker, stage);
  return {
    stage,
    level,
    pa,
    entries: Object.fromEntries(entries.map(({ index, descriptor }) => [index, hexWord(descriptor, bits)])),
  };
}

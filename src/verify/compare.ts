/** Compares what is wanted of a leaf with what is there, aspect by aspect. */
import { type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { securityWord } from '../arch/security.ts';
import type { MappedRange } from '../space/ranges.ts';
import { faultText } from '../text/fault.ts';
import { memoryCode, memoryOf, permissionText, SHAREABILITY } from '../text/leaf.ts';
import { hex, sizeText } from '../text/numbers.ts';
import { unknownIndex, usualByte } from '../walker/attributes.ts';
import type { AccessPermissions, MemoryAttributes, Translation } from '../walker/index.ts';
import type { Want, WantedMemory, WantedRights, WantedTerms } from './intent.ts';

/** What can differ. `state`: mapped, unmapped, or a leaf that no access reaches. */
export type Aspect =
  | 'state'
  | 'output'
  | 'rights'
  | 'unprivileged rights'
  | 'memory'
  | 'shareability'
  | 'global'
  | 'contiguous'
  | 'guarded'
  | 'pas'
  | 'leaf size'
  | 'level'
  | 'kind'
  | 'field';

/** One aspect that differs from what is wanted, with both in the words of a dump. */
export interface AspectDifference {
  readonly aspect: Aspect;
  readonly wanted: string;
  readonly found: string;
  /** For `field`: its name in the layout, with its bits. */
  readonly field?: string;
}

/** A memory type is wanted but MAIR was not given, or the other way round, so there is no answer. */
export class UnknownMemoryError extends Error {
  override readonly name = 'UnknownMemoryError';
}

/** The words for a leaf that no access reaches. */
export function unreachableText(range: MappedRange, regime: MachineRegime): string {
  return range.result.ok ? '' : faultText(range.result.fault, regime);
}

/**
 * Compares everything but fields, for a range or (undefined) a hole.
 * @throws UnknownMemoryError
 */
export function differences(
  want: Want,
  range: MappedRange | undefined,
  regime: MachineRegime,
): AspectDifference[] {
  if (want.state === 'any') return [];
  const state = (wanted: string, found: string): AspectDifference[] => [{ aspect: 'state', wanted, found }];
  if (range === undefined) return want.state === 'unmapped' ? [] : state(stateText(want), 'unmapped');
  const { result } = range;
  if (want.state === 'unmapped') {
    return state(
      'unmapped',
      result.ok ? 'mapped' : `a leaf that no access reaches: ${unreachableText(range, regime)}`,
    );
  }
  if (want.state === 'fault') {
    const found = result.ok ? 'mapped' : unreachableText(range, regime);
    if (result.ok || !found.toLowerCase().startsWith(want.fault)) return state(want.fault, found);
    return [...placeDifferences(want, range)];
  }
  if (!result.ok) return state('mapped', `a leaf that no access reaches: ${unreachableText(range, regime)}`);
  return [...placeDifferences(want, range), ...termDifferences(want, range, result, regime)];
}

function stateText(want: Want): string {
  return want.state === 'fault' ? want.fault : 'mapped';
}

function* placeDifferences(
  { outputOffset, leafSize }: Pick<WantedTerms, 'outputOffset' | 'leafSize'>,
  { first, pa, leafSize: found }: MappedRange,
): Generator<AspectDifference> {
  if (outputOffset !== undefined && (pa === undefined || pa - first !== outputOffset)) {
    yield {
      aspect: 'output',
      wanted: `-> ${hex(first + outputOffset)}`,
      found: pa === undefined ? 'no output' : `-> ${hex(pa)}`,
    };
  }
  if (leafSize !== undefined && leafSize !== found)
    yield {
      aspect: 'leaf size',
      wanted: `leaves of ${sizeText(leafSize)}`,
      found: `leaves of ${sizeText(found)}`,
    };
}

function* termDifferences(
  want: WantedTerms,
  range: MappedRange,
  result: Translation,
  regime: MachineRegime,
): Generator<AspectDifference> {
  const { privileged, unprivileged } = result.permissions;
  yield* rightsDifference('rights', want.privileged, privileged);
  yield* rightsDifference('unprivileged rights', want.unprivileged, unprivileged);
  const { attributes, shareability } = memoryOf(result, regime);
  if (want.memory !== undefined && !hasMemory(want.memory, attributes)) {
    yield { aspect: 'memory', wanted: wantedMemoryText(want.memory), found: foundMemoryText(attributes) };
  }
  if (want.shareability !== undefined && want.shareability !== shareability) {
    const [wanted, found] = [SHAREABILITY[want.shareability][1], SHAREABILITY[shareability][1]];
    yield { aspect: 'shareability', wanted, found };
  }
  for (const [flag, on, off] of FLAGS) {
    const wanted = want[flag];
    if (wanted !== undefined && wanted !== result[flag])
      yield { aspect: flag, wanted: wanted ? on : off, found: wanted ? off : on };
  }
  if (want.pas !== undefined && want.pas !== result.paSpace)
    yield {
      aspect: 'pas',
      wanted: `pas=${securityWord(want.pas)}`,
      found: `pas=${securityWord(result.paSpace)}`,
    };
  yield* levelDifferences(want, range, result, regime);
}

const FLAGS = [
  ['global', 'global', 'nG'],
  ['contiguous', 'contiguous', 'single entries'],
  ['guarded', 'GP', 'no GP'],
] as const;

function* levelDifferences(
  { level: wanted, kind }: WantedTerms,
  { leafSize }: MappedRange,
  { level, stage1, stage2 }: Translation,
  regime: MachineRegime,
): Generator<AspectDifference> {
  const found = level === undefined ? 'no tables' : `level ${level}`;
  if (typeof wanted === 'number' && wanted !== level)
    yield { aspect: 'level', wanted: `level ${wanted}`, found };
  if (wanted === 'of its size' && stage1 && stage2 && stage1.size !== leafSize && stage1.level !== undefined)
    yield { aspect: 'level', wanted: `leaves of ${sizeText(leafSize)} at stage 1`, found: `L${level}` };
  if (kind === undefined) return;
  const last = ['short', 'mtk'].includes(traitsOf(regime).descriptors) ? 2 : 3;
  const isPage = level === last;
  if (level === undefined || isPage !== (kind === 'page'))
    yield { aspect: 'kind', wanted: kind, found: level === undefined ? found : isPage ? 'page' : 'block' };
}

const RIGHTS = ['read', 'write', 'execute'] as const;

function* rightsDifference(
  aspect: 'rights' | 'unprivileged rights',
  wanted: WantedRights | undefined,
  found: AccessPermissions,
): Generator<AspectDifference> {
  if (wanted === undefined || RIGHTS.every((right) => (wanted[right] ?? found[right]) === found[right]))
    return;
  const who = aspect === 'rights' ? '' : 'EL0 ';
  yield { aspect, wanted: `${who}${wantedRightsText(wanted)}`, found: `${who}${permissionText(found)}` };
}

/** `r-x`; a right that is not specified is `?`. */
export function wantedRightsText(wanted: WantedRights): string {
  const letters = { read: 'r', write: 'w', execute: 'x' };
  return RIGHTS.map((right) =>
    wanted[right] === undefined ? '?' : wanted[right] ? letters[right] : '-',
  ).join('');
}

function hasMemory(wanted: WantedMemory, found: MemoryAttributes): boolean {
  const index = unknownIndex(found);
  if (index !== undefined) {
    if (wanted.attrIndx === undefined)
      throw new UnknownMemoryError('memory types are asked for, and MAIR is not given');
    return wanted.attrIndx === index;
  }
  if (wanted.attrIndx !== undefined)
    throw new UnknownMemoryError('an AttrIndx is asked for, as MAIR was not known; it is given here');
  if (wanted.type !== undefined && wanted.type !== found.type) return false;
  if (!hasByte(wanted, found)) return false;
  if (found.type === 'device') return wanted.device === undefined || wanted.device === found.device;
  if (wanted.inner !== undefined && wanted.inner !== found.inner.policy) return false;
  if (wanted.outer !== undefined && wanted.outer !== found.outer.policy) return false;
  return wanted.tagged === undefined || wanted.tagged === found.tagged;
}

function hasByte({ attr, inner }: WantedMemory, found: MemoryAttributes): boolean {
  if (attr === undefined || inner === 'implementation-defined') return true;
  return found.byte === (attr === 'usual' ? usualByte(found) : attr);
}

const CODES = {
  'non-cacheable': 'NC',
  'write-through': 'WT',
  'write-back': 'WB',
  'implementation-defined': 'IMP',
} as const;

export function wantedMemoryText({
  type,
  device,
  inner,
  outer,
  tagged,
  attr,
  attrIndx,
}: WantedMemory): string {
  const cached =
    inner && (outer === undefined || inner === outer ? CODES[inner] : `${CODES[inner]}/${CODES[outer]}`);
  return [
    device ?? cached ?? type,
    tagged && 'Tagged',
    typeof attr === 'number' && `attr=${hex(attr, 2)}`,
    attrIndx !== undefined && `AttrIndx ${attrIndx}`,
  ]
    .filter(Boolean)
    .join(' ');
}

function foundMemoryText(found: MemoryAttributes): string {
  const unknown = unknownIndex(found) !== undefined;
  const tagged = found.type === 'normal' && found.tagged;
  const unusual = !unknown && !tagged && found.byte !== usualByte(found);
  return [memoryCode(found), tagged && 'Tagged', unusual && `attr=${hex(found.byte, 2)}`]
    .filter(Boolean)
    .join(' ');
}

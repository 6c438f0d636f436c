/** Adds to faults what the rest of a post shows: the printed walk, and causes in other lines. */
import type { DecodedFault } from './decoded-fault.ts';
import type { PlacedFault } from './found-faults.ts';
import { postHints } from './post-hints.ts';
import { lastEntry, type PlacedWalk, printedWalks } from './printed-walk.ts';

/** The most lines between a fault and its walk. */
const REACH = 40;

export function withPost(placed: readonly PlacedFault[], lines: readonly string[]): DecodedFault[] {
  const walks = printedWalks(lines);
  return placed.map((one, i) => {
    const next = placed[i + 1]?.first ?? lines.length;
    const before = placed[i - 1]?.last ?? -1;
    const walk = walkOf(one, next, before, walks);
    const headed = withHead(one.fault, lines[one.first - 1]);
    const fault = walk === undefined ? headed : withWalk(headed, walk);
    const near = lines.slice(Math.max(before + 1, one.first - REACH), Math.min(next, one.last + REACH));
    const { cause, hints, notes } = postHints(fault, near);
    return {
      ...fault,
      notes: [...fault.notes, ...notes],
      ...(fault.cause === undefined && cause !== undefined && { cause }),
      ...(hints.length > 0 && { hints: [...(fault.hints ?? []), ...hints] }),
    };
  });
}

/** Zephyr's line above the words of a fault says which kind of abort it was: `***** PREFETCH ABORT *****`. */
function withHead(fault: DecodedFault, above: string | undefined): DecodedFault {
  if (fault.source !== 'text' || fault.access !== undefined || above === undefined) return fault;
  return /\*{3,} PREFETCH ABORT \*{3,}/.test(above) ? { ...fault, access: 'execute' } : fault;
}

/** The walk that belongs to a fault: one of the same address, or one without an address between the neighbouring faults. */
function walkOf(
  { fault, first, last }: PlacedFault,
  next: number,
  before: number,
  walks: readonly PlacedWalk[],
): PlacedWalk | undefined {
  const near = walks.filter(
    (walk) =>
      walk.last > before && walk.first < next && walk.first - last <= REACH && first - walk.last <= REACH,
  );
  const same = near.find(
    ({ walk }) =>
      walk.address !== undefined && (walk.address === fault.address || walk.address === fault.ipa),
  );
  if (same !== undefined) return same;
  return near.find(({ walk }) => walk.address === undefined || fault.address === undefined);
}

function withWalk(fault: DecodedFault, { walk }: PlacedWalk): DecodedFault {
  const format = walk.format !== 'unknown' ? walk.format : fault.short ? 'short' : 'long';
  const printed = { ...walk, format } as const;
  const invalid = lastEntry(walk)?.valid === false;
  const believed = fault.kind !== 'serror';
  return {
    ...fault,
    kind: fault.kind === 'unknown' && invalid ? 'translation' : fault.kind,
    printed,
    // An asynchronous abort has no address, so a walk cannot give it one.
    address: fault.address ?? (believed && fault.ipa === undefined ? walk.address : undefined),
    descriptor: believed ? lastEntry(walk)?.value : undefined,
  };
}

/** Finds physical memory that is mapped more than once, in one address space or several, with attributes or rights that do not go together. (DDI 0487 B2.16, D8.4.) */
import { hex } from '../text/numbers.ts';
import type { Findings } from './findings.ts';
import { attributesOf, byOutput, inputOf, type Mapped, type Placed, paText } from './placed.ts';

/** Visits ranges in order, each with earlier ranges that overlap it: of several with the same `kindOf`, only the one that reaches furthest. */
function sweep<One extends Placed>(
  placed: Iterable<One>,
  kindOf: (one: One) => string,
  visit: (one: One, open: readonly One[]) => void,
): void {
  let open: One[] = [];
  for (const one of placed) {
    open = open.filter(({ last }) => last >= one.first);
    visit(one, open);
    const like = open.findIndex((before) => kindOf(before) === kindOf(one));
    if (like < 0) open.push(one);
    else if (open[like]!.last < one.last) open[like] = one;
  }
}

const overlapEnd = (a: Placed, b: Placed) => (a.last < b.last ? a.last : b.last);

/** Compares each range with one that overlaps it and has other attributes. */
export function checkAliases(placed: readonly Placed[], findings: Findings): void {
  sweep(placed, attributesOf, (one, open) => {
    const other = open.find((before) => attributesOf(before) !== attributesOf(one));
    if (other === undefined) return;
    const end = overlapEnd(one, other);
    findings.add({
      rule: 'alias-attributes',
      message: `${paText(one, one.first, end)} is ${attributesOf(one)} here, and ${attributesOf(other)} at ${hex(inputOf(other, one.first))}`,
      first: one.range.first,
      last: one.range.first + (end - one.first),
    });
  });
}

/** An address space with a name, over the same physical memory as others. */
export interface NamedSpace {
  readonly name: string;
  readonly ranges: readonly Mapped[];
}

interface PlacedIn extends Placed {
  readonly space: string;
}

/** The same across spaces. Aliases within one space are for `checkAliases`. */
export function checkAliasesAcross(spaces: readonly NamedSpace[], findings: Findings): void {
  const placed = spaces.flatMap(({ name, ranges }): PlacedIn[] =>
    byOutput(ranges).map((one) => ({ ...one, space: name })),
  );
  placed.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const kindOf = (one: PlacedIn) => `${one.space}\n${one.result.paSpace}\n${attributesOf(one)}`;
  sweep(placed, kindOf, (one, open) => {
    for (const other of open) {
      if (other.space === one.space || attributesOf(other) === attributesOf(one)) continue;
      // The same PA in another physical address space is another place.
      if (other.result.paSpace !== one.result.paSpace) continue;
      const end = overlapEnd(one, other);
      findings.add({
        rule: 'alias-attributes',
        message: `${paText(one, one.first, end)} is ${attributesOf(one)} in ${one.space}, and ${attributesOf(other)} at ${hex(inputOf(other, one.first))} in ${other.space}`,
        first: one.range.first,
        last: one.range.first + (end - one.first),
      });
    }
  });
}

type Privilege = 'privileged' | 'unprivileged';
/** The pairs that are dangerous. EL1 writing what EL0 executes is not among them. */
const WRITERS: readonly (readonly [executes: Privilege, writes: Privilege])[] = [
  ['privileged', 'privileged'],
  ['privileged', 'unprivileged'],
  ['unprivileged', 'unprivileged'],
];

const mayWrite = ({ result }: Placed, who: Privilege) => result.permissions[who].write;
const mayExecute = ({ result }: Placed, who: Privilege) => result.permissions[who].execute;

/** Finds memory that is executable through one mapping, and writable with the same or less privilege through another. */
export function checkWritableAliases(placed: readonly Placed[], findings: Findings): void {
  const rights = ({ result }: Placed) => JSON.stringify(result.permissions);
  sweep(placed, rights, (one, open) => {
    for (const other of open) {
      if (!reportWritable(one, other, one, findings)) reportWritable(other, one, one, findings);
    }
  });
}

/** Reports a pair of overlapping ranges. `from` is the one that begins later. */
function reportWritable(code: Placed, writer: Placed, from: Placed, findings: Findings): boolean {
  const found = WRITERS.find(
    ([executes, writes]) => mayExecute(code, executes) && !mayWrite(code, writes) && mayWrite(writer, writes),
  );
  if (found === undefined) return false;
  const [executes, writes] = found;
  const end = overlapEnd(code, writer);
  const first = inputOf(code, from.first);
  findings.add({
    rule: 'writable-alias',
    message: `executable, ${executes}; ${paText(code, from.first, end)} is writable, ${writes}, at ${hex(inputOf(writer, from.first))}`,
    first,
    last: first + (end - from.first),
  });
  return true;
}

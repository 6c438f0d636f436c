/** The result of an operation in a request, as lines and as JSON. */
import type { IommuError, SgPlan, SgRefusal } from '../../index.ts';
import type { Operation } from '../../operations/schema.ts';
import { wrap } from '../../text/columns.ts';
import { counted, hex, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { protText } from '../input/request.ts';
import type { Outcome } from '../run/perform.ts';

const LINE = 96;
/** The most failing entries to show. */
const SHORT_LIST = 8;

/** The operation and its result in a line, and below it the reason if it was refused. */
export function outcomeLines(outcome: Outcome, style: Style): string[] {
  const { op, ret, error, ok, sg, plan, from, ranges } = outcome;
  const answer = retText(op, ret);
  const wanted = op.ret === undefined || op.ret === ret ? '' : `, wanted ${retText(op, op.ret)}`;
  const paint = ok ? style.good : style.bad;
  const lines = [`${style.title(op.op)}  ${askedText(op)}  = ${paint(`${answer}${wanted}`)}`];
  if (sg) {
    lines.push(
      style.faint(
        `  ${counted(sg.count, 'entry', 'entries')} in ${counted(sg.runs().length, 'run')} of adjacent memory`,
      ),
    );
  }
  if (plan && plan.semantics !== 'exact') lines.push(`  ${overMappedText(plan, ret >= 0n, style)}`);
  if (op.op === 'dirty') lines.push(...dirtyLines(op.ranges, ranges ?? []));
  if (from !== undefined)
    lines.push(`  from ${hex(from)} on: a block that begins before the requested range`);
  if (error) lines.push(...wrap(error.message, LINE).map((line) => `  ${line}`));
  if (plan) lines.push(...failingLines(plan.refusals, error));
  return lines;
}

function overMappedText({ semantics, overMapped }: SgPlan, mapped: boolean, style: Style): string {
  if (overMapped === 0n) return `${semantics}: nothing over-mapped`;
  const bytes = `${sizeText(overMapped)} ${mapped ? 'over-mapped' : 'would be over-mapped'}`;
  return `${semantics}: ${style.bad(bytes)}, bytes that no entry asked for`;
}

/** The entries that fail besides the one in the error. */
function failingLines(refusals: readonly SgRefusal[], error: IommuError | undefined): string[] {
  const others = refusals.filter(({ entry }) => entry !== error?.operands.entry);
  const lines = others
    .slice(0, SHORT_LIST)
    .flatMap(({ entry, rule, remedy }) => wrap(`entry ${entry} fails too: ${rule}; ${remedy}`, LINE));
  const more = others.length - SHORT_LIST;
  if (more > 0) lines.push(`… ${counted(more, 'more entry fails', 'more entries fail')} (--json lists them)`);
  return lines.map((line) => `  ${line}`);
}

function askedText(op: Operation): string {
  const at = `IOVA ${hex(op.iova)}`;
  switch (op.op) {
    case 'map':
      return `${at} -> PA ${hex(op.paddr)}, ${sizeText(op.size)}  ${protText(op.prot)}`;
    case 'map_sg':
      return `${at}, ${counted(op.sg.length, 'entry', 'entries')}, ${sizeText(sgBytes(op.sg))}  ${protText(op.prot)}`;
    case 'unmap':
      return `${at}, ${sizeText(op.size)}`;
    case 'dirty':
      return `${at}, ${sizeText(op.size)}${op.clear === false ? ', not cleared' : ''}`;
    case 'iova_to_phys':
      return at;
  }
}

/** The dirty ranges that were found, and those that the file expects. */
function dirtyLines(wanted: Ranges | undefined, found: Ranges): string[] {
  const [want, got] = [wanted && rangesText(wanted), rangesText(found)];
  return [`  dirty: ${got}${want === undefined || want === got ? '' : `; wanted ${want}`}`];
}

type Ranges = NonNullable<Outcome['ranges']>;

function rangesText(ranges: Ranges): string {
  const shown = ranges.slice(0, SHORT_LIST).map(({ iova, size }) => `${hex(iova)} (${sizeText(size)})`);
  const more = ranges.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more (--json lists them)`] : [])].join(', ') || 'nothing';
}

/** Whether an operation returns 0 or an errno, and not bytes or an address. */
function isStatus(op: Operation['op']): boolean {
  return op === 'map' || op === 'dirty';
}

function sgBytes(sg: Extract<Operation, { op: 'map_sg' }>['sg']): bigint {
  return sg.reduce((sum, { length }) => sum + BigInt(length), 0n);
}

function retText({ op }: Operation, ret: bigint): string {
  if (ret < 0n) return String(ret);
  if (isStatus(op)) return ret === 0n ? '0' : hex(ret);
  if (op === 'iova_to_phys') return ret === 0n ? '0x0 (not mapped)' : hex(ret);
  return `${hex(ret)} (${sizeText(ret)} ${op === 'unmap' ? 'unmapped' : 'mapped'})`;
}

/** A result in the form of golden files: bytes and addresses are strings, 0 of map and errors are numbers. */
export function outcomeJson(outcome: Outcome): object {
  const { op, ret, error, ok, sg, plan, from, ranges } = outcome;
  const number = (value: bigint) => (value < 0n || isStatus(op.op) ? Number(value) : value);
  return {
    op: op.op,
    iova: op.iova,
    ret: number(ret),
    ok,
    ...(op.ret !== undefined && { want: number(op.ret) }),
    ...(sg && { entries: sg.count, runs: sg.runs().length, bytes: sg.byteLength }),
    ...(plan && {
      semantics: plan.semantics,
      // For a refused map_sg: what would have been over-mapped.
      over_mapped: plan.overMapped,
      failing: plan.refusals.map(({ entry, values, alignment, rule, remedy }) => {
        return { entry, values, alignment, rule, remedy };
      }),
    }),
    ...(ranges && { ranges: ranges.map(({ iova, size }) => [iova, size]) }),
    ...(from !== undefined && { from }),
    ...(error && {
      error: { code: error.code, errno: error.errno, message: error.message, operands: error.operands },
    }),
  };
}

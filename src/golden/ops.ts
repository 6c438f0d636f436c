/** Golden files of kind `ops`: replays operations on a domain, and compares every answer, register, descriptor and translation. */
import { formatNamed } from '../../formats/index.ts';
import { obstaclesOf } from '../describe/obstacles.ts';
import { IommuDomain } from '../iommu/domain.ts';
import type { DomainOptions } from '../iommu/domain-options.ts';
import type { TrackedRange } from '../iommu/tracking.ts';
import { PhysicalMemory } from '../memory/index.ts';
import { contradiction, optionsIn } from '../operations/choices.ts';
import { perform } from '../operations/perform.ts';
import { ERRNO, IommuError } from '../pagetable/errors.ts';
import type { FormatModule, TableFormat } from '../pagetable/format.ts';
import { count, hex } from '../text/numbers.ts';
import { unwalkableText } from '../text/unwalkable.ts';
import { createWalker, type Walker } from '../walker/index.ts';
import { knownDifference, knownTranslation, leavesAsked } from './known.ts';
import { compareRegisters } from './registers.ts';
import { type CheckLimits, type Difference, GoldenFileError, type GoldenResult } from './result.ts';
import { type GoldenOp, opsFileSchema, parseGolden } from './schema.ts';
import { compareTables } from './tables.ts';
import { type Disagreement, mappedOtherwise, pictureOf, stillMapped, walkAnyAccess } from './witness.ts';

/** @throws GoldenFileError for a format that is not known here. */
export function formatOf(name: string): FormatModule {
  const format = formatNamed(name);
  if (format === undefined) throw new GoldenFileError(`format: ${name} is not a format known here`);
  return format;
}

/**
 * Runs one file. The table memory is where the file's producer had it, so that table pointers have the same upper bits.
 * @throws GoldenFileError when `json` is not such a file, or its format is not known here.
 */
export function checkOps(json: unknown, { mostLeaves }: CheckLimits = {}): GoldenResult {
  const file = parseGolden(opsFileSchema, json);
  const problem = contradiction(file.config, file);
  if (problem !== undefined) throw new GoldenFileError(problem);
  const format = formatOf(file.format);
  const goldenRoot = file.tables[0]!.pa;
  const differences: Difference[] = [];
  let domain: IommuDomain;
  try {
    domain = domainFor(format, optionsIn(file.config, file), goldenRoot);
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    return {
      name: file.name,
      checked: 1,
      differences: [{ where: 'config', want: 'a table', got: error.message }],
    };
  }
  const leaves = file.ops.reduce((sum, op) => sum + leavesAsked(domain, op), 0);
  if (mostLeaves !== undefined && leaves > mostLeaves) {
    throw new GoldenFileError(
      `ops: they make ${count(leaves)} leaves, more than memory holds here: about ${count(mostLeaves)} can be compared`,
    );
  }
  const { walker, warnings } = witnessOf(domain);
  let checked = 1;

  if (domain.format.pgsizeBitmap !== file.result.pgsize_bitmap) {
    differences.push({
      where: 'result.pgsize_bitmap',
      want: hex(file.result.pgsize_bitmap),
      got: hex(domain.format.pgsizeBitmap),
    });
  }
  const roots = { want: goldenRoot, got: domain.root };
  const registers = compareRegisters(file.result.registers, domain.registers.cfg, roots, 'result.registers');
  differences.push(...registers.differences);
  checked += registers.checked;

  for (const [i, op] of file.ops.entries()) {
    differences.push(...runOp(domain, walker, op, `ops[${i}] ${op.op}`));
    checked++;
  }

  const tables = compareTables(domain.format, file.tables, domain.tables());
  differences.push(...tables.differences);
  checked += tables.checked;

  for (const [i, { iova, pa }] of file.translations.entries()) {
    const where = `translations[${i}] IOVA ${hex(iova)}`;
    const want = pa === null ? 'not mapped' : hex(pa);
    const got = domain.iovaToPhys(iova);
    if (got !== pa) {
      const does = knownTranslation(domain, iova, pa);
      const known = does === undefined ? {} : { known: `${where}: Linux answers ${want} here since ${does}` };
      differences.push({ where, want, got: got === null ? 'not mapped' : hex(got), ...known });
    }
    checked++;
    const walk = walkAnyAccess(walker, iova);
    if (walk.ok ? walk.pa !== pa : pa !== null) {
      differences.push({
        where: `${where}, by the walker`,
        want,
        got: walk.ok ? hex(walk.pa) : `a ${walk.fault.kind} fault at level ${walk.fault.level}`,
      });
    }
  }
  return { name: file.name, checked, differences, ...(warnings.length > 0 && { warnings }) };
}

/**
 * The walker that checks the results. It has the PA size that the tables were made for. Linux also makes tables that no hardware of that size can
 * walk. A walker of larger hardware checks these, with a warning.
 */
function witnessOf({ memory, registers: { hardware } }: IommuDomain): { walker: Walker; warnings: string[] } {
  const walker = createWalker(memory, hardware);
  // A domain has one range. Its tables are none where something keeps every walk from beginning.
  if (walker.trees().length > 0) return { walker, warnings: [] };
  const obstacles = obstaclesOf(hardware);
  if (obstacles.length === 0) return { walker, warnings: [] };
  const { regime, registers, cpu } = hardware;
  const warnings = obstacles.map((problem) => unwalkableText(cpu.paBits, problem));
  return { walker: createWalker(memory, { regime, registers }), warnings };
}

const DEFAULT_BASE = 0x8000_0000n;
const MOST_RAM = 1n << 34n;

/**
 * A domain whose tables are where the file's producer had them, so that table pointers have the same upper bits. If
 * the output size can't reach them there (Linux does not check), they are elsewhere.
 */
function domainFor(format: FormatModule, options: DomainOptions, goldenRoot: bigint): IommuDomain {
  const { partialUnmap: _, ...request } = options;
  const { tableAddressBits, rootBytes } = format.configure(request);
  const end = 1n << BigInt(tableAddressBits);
  const usable = goldenRoot % BigInt(Math.max(rootBytes, 64)) === 0n && goldenRoot + BigInt(rootBytes) < end;
  const base = usable ? goldenRoot : DEFAULT_BASE;
  const size = end - base < MOST_RAM ? end - base : MOST_RAM;
  return new IommuDomain(new PhysicalMemory({ base, size }), format, options);
}

/** Runs one operation: its return value must be the file's, and the walker must see what it did, or that it did nothing. */
function runOp(domain: IommuDomain, walker: Walker, op: GoldenOp, where: string): Difference[] {
  const { format } = domain;
  const picture = () => pictureOf(walker, format, op.iova, sizeOf(op));
  const quiet = movesNothing(op);
  const before = quiet ? picture() : [];
  const walked = walkAnyAccess(walker, op.iova);
  const { ret, error, reason, ranges = [] } = answerOf(domain, op);
  const known = () => {
    const now = walkAnyAccess(walker, error?.operands.iova ?? op.iova);
    const does = knownDifference(domain, { op, ret, error, before: walked, now });
    return does === undefined
      ? {}
      : { known: `${where}: Linux answers ${showRet(op.ret)} here since ${does}` };
  };
  if (ret !== op.ret) {
    const got = `${showRet(ret)}${reason ? ` (${reason})` : ''}`;
    return [{ where: `${where} ret`, want: showRet(op.ret), got, ...known() }];
  }
  if (op.op === 'dirty') {
    const [want, got] = [op.ranges, ranges].map(showRanges) as [string, string];
    if (want !== got) return [{ where: `${where} ranges`, want, got, ...known() }];
  }
  const seen = quiet ? changed(before, picture()) : witness(walker, format, op, ret);
  return seen === undefined ? [] : [{ where: `${where}, by the walker`, ...seen }];
}

/** Whether the operation must leave every translation as it was: a refusal, an unmap of nothing, or a read of dirty state. */
function movesNothing(op: GoldenOp): boolean {
  return op.ret < 0n || op.op === 'dirty' || (op.op === 'unmap' && op.ret === 0n);
}

function showRanges(ranges: readonly TrackedRange[]): string {
  return ranges.map(({ iova, size }) => `[${hex(iova)}, +${hex(size)})`).join(' ') || 'none';
}

function sizeOf(op: GoldenOp): bigint {
  if (op.op === 'map_sg') return op.sg.reduce((sum, { length }) => sum + length, 0n);
  return 'size' in op ? op.size : 0n;
}

function changed(before: readonly string[], after: readonly string[]): Disagreement | undefined {
  const at = after.findIndex((line, i) => line !== before[i]);
  if (at < 0 && before.length === after.length) return undefined;
  return { want: `no change: ${before[at] ?? before.at(-1)}`, got: after[at] ?? 'nothing' };
}

interface Answered {
  readonly ret: bigint;
  readonly error?: IommuError;
  /** Why it was refused, in words. */
  readonly reason?: string;
  readonly ranges?: readonly TrackedRange[];
}

/** An operation's return value as Linux would have it and, in a mismatch, the reason. */
function answerOf(domain: IommuDomain, op: GoldenOp): Answered {
  const { ret, error, ranges } = perform(domain, op);
  if (error === undefined) return { ret, ...(ranges && { ranges }) };
  if (isMisaligned(domain, op, error)) return { ret: BigInt(ERRNO.EINVAL), error, reason: MISALIGNED };
  return { ret, error, reason: error.message, ...(ranges && { ranges }) };
}

/** The first address that a scatterlist can't hold. */
const SG_END = 1n << 53n;
const MISALIGNED = 'EINVAL: not a multiple of the smallest page';

/** Linux checks alignment first. This matters for an address that no scatterlist here can hold. */
function isMisaligned({ format }: IommuDomain, op: GoldenOp, { code, operands }: IommuError): boolean {
  if (op.op !== 'map_sg' || code !== 'ERANGE' || operands.entry === undefined) return false;
  const page = format.pgsizeBitmap & -format.pgsizeBitmap;
  const { phys, length } = op.sg[operands.entry] ?? { phys: 0n, length: 0n };
  return phys >= SG_END && (op.iova | phys | length) % page !== 0n;
}

function witness(walker: Walker, format: TableFormat, op: GoldenOp, ret: bigint): Disagreement | undefined {
  if (op.op === 'iova_to_phys' || op.op === 'dirty') return undefined;
  if (op.op === 'unmap') return stillMapped(walker, format, op.iova, ret);
  const entries = op.op === 'map' ? [{ phys: op.paddr, length: op.size }] : op.sg;
  let { iova } = op;
  for (const { phys, length } of entries) {
    const seen = mappedOtherwise(walker, format, { iova, size: length, pa: phys, prot: op.prot });
    if (seen) return seen;
    iova += length;
  }
  return undefined;
}

function showRet(ret: bigint): string {
  return ret < 0n ? String(ret) : hex(ret);
}

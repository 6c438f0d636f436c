/** The study that `lpae tlb` is asked for: tables, trace and TLBs. */
import { isSet } from '../../arch/read.ts';
import { isStream } from '../../arch/regimes.ts';
import { SMMU_IDR3 } from '../../arch/smmu/index.ts';
import { cpuOf } from '../../machine/machine.ts';
import { listSpace } from '../../space/space.ts';
import type { TlbShape } from '../../study/tlb/model.ts';
import type { NamedTrace, TlbStudy } from '../../study/tlb/study.ts';
import { footprintOf, joined, type Stretch, TRACES, type Trace, traceNamed } from '../../study/tlb/trace.ts';
import type { StudiedTables } from '../../study/tlb/walks.ts';
import { roughSize } from '../../text/numbers.ts';
import { cpuFeatures } from '../../walker/cpu.ts';

import { usageError } from '../io.ts';
import type { TargetOptions } from '../machine/options.ts';
import { readTarget } from '../machine/read.ts';
import type { Target } from '../machine/target.ts';
import type { Output } from '../output.ts';
import type { SvgOptions } from '../svg-file.ts';
import { parseRange } from './address.ts';
import { type ChoiceOptions, choiceOf, listOf, shareOf, wholeOf } from './study-options.ts';
import { readTrace } from './tlb-trace-file.ts';

/** The options as typed. */
export interface TlbOptions extends TargetOptions, ChoiceOptions, SvgOptions {
  readonly trace: string;
  readonly accesses?: string;
  readonly stride?: string;
  readonly seed?: string;
  readonly burst?: string;
  readonly largest?: string;
  readonly lazy?: boolean;
  readonly footprint?: string;
  readonly range?: string;
  readonly workload?: string;
  readonly fragmentation?: string;
  readonly entries: string;
  readonly ways: string;
  readonly walkCache: string;
  readonly runs: boolean;
}

/** A study, with its title. */
export interface AskedStudy {
  readonly study: TlbStudy;
  readonly title: string;
}

/** The default stages: only stage 2 is much like only stage 1. */
const DEFAULT_STAGES = 's1,nested';
const MAX_BYTES = 2 ** 40;
const MAX_ACCESSES = 2 ** 26;
const MAX_COUNT = 2 ** 20;
/** A trace from a file is mapped in units that suit every granule. */
const UNIT = 0x1_0000;

/** @throws CliError (usage) for options that do not go together, (input) for files that can't be read. */
export async function readStudy(
  out: Output,
  files: readonly string[],
  options: TlbOptions,
): Promise<AskedStudy> {
  const shapes = shapesOf(options);
  const trace = await askedTrace(out, options);
  if (files.length === 0) return builtIn(trace, shapes, options);
  if (options.trace !== 'random')
    refuse(options, ['seed'], `is not for ${options.trace}, which is not random`);
  refuse(options, ['workload', 'fragmentation', 'granule', 'sizes', 'stages'], 'is for generated tables');
  const target = await readTarget(files, out.io, options);
  for (const warning of target.warnings) out.note(warning);
  const { title, trace: walked } =
    'addresses' in trace ? fixed(trace, options) : over(out, target, trace, options);
  const tables = { walker: target.walker, nT: holdsNt(target) } satisfies StudiedTables;
  return { study: { tables, trace: walked, shapes }, title: `${target.name} (${target.regime}): ${title}` };
}

/** Every TLB of the lists, by entries, then ways, then walk cache. */
function shapesOf({ entries, ways, walkCache, runs }: TlbOptions): TlbShape[] {
  const counts = listOf(entries).map((one) => wholeOf('--entries', one, 1, MAX_COUNT));
  const sets = listOf(ways).map((one) => (one === 'full' ? one : wholeOf('--ways', one, 1, MAX_COUNT)));
  const caches = listOf(walkCache).map((one) =>
    one === 'off' ? 0 : wholeOf('--walk-cache', one, 0, MAX_COUNT),
  );
  return counts.flatMap((count) =>
    sets.flatMap((way) => caches.map((cache) => ({ entries: count, ways: way, walkCache: cache, runs }))),
  );
}

async function askedTrace(out: Output, options: TlbOptions): Promise<Trace | NamedTrace> {
  const { trace: name, accesses, stride, seed, burst, largest, lazy } = options;
  const many = accesses !== undefined && { accesses: wholeOf('--accesses', accesses, 1, MAX_ACCESSES) };
  if (!TRACES.some((known) => known === name)) {
    refuse(options, ['stride'], 'is for generated traces');
    const device = {
      ...many,
      ...(burst !== undefined && { burst: wholeOf('--burst', burst, 1, 2 ** 30) }),
      ...(largest !== undefined && { largest: wholeOf('--largest', largest, 1, MAX_BYTES) }),
      ...(lazy && { unmaps: false }),
    };
    return readTrace(name, out, device);
  }
  refuse(options, ['burst', 'largest', 'lazy'], 'is for files of scatterlists');
  if (name !== 'sequential' && name !== 'strided') refuse(options, ['stride'], `is not for ${name} accesses`);
  return {
    name,
    ...many,
    ...(stride !== undefined && { stride: wholeOf('--stride', stride, 1, MAX_BYTES) }),
    ...(seed !== undefined && { seed: wholeOf('--seed', seed, 0, 2 ** 32) }),
  };
}

function builtIn(trace: Trace | NamedTrace, shapes: readonly TlbShape[], options: TlbOptions): AskedStudy {
  refuse(options, ['range', 'registers', 'regime', 'sid', 'ssid', 'row'], 'is for tables from a file');
  const { workload = 'fragmented', fragmentation, seed, footprint = '64M' } = options;
  if (fragmentation !== undefined && workload !== 'fragmented') {
    throw usageError(`--fragmentation is for fragmented memory, not for ${workload}`);
  }
  const made = {
    workload,
    ...(fragmentation !== undefined && { fragmentation: shareOf('--fragmentation', fragmentation) }),
    ...(seed !== undefined && { seed: wholeOf('--seed', seed, 0, 2 ** 32) }),
  };
  const choice = choiceOf({ stages: DEFAULT_STAGES, ...options });
  const memory = workload === 'fragmented' && !made.fragmentation ? 'contiguous' : workload;
  if ('addresses' in trace) {
    const { title } = fixed(trace, options);
    const stretches = footprintOf(trace, UNIT);
    const bytes = bytesOf(stretches);
    return {
      study: { footprint: { ...made, stretches }, choice, trace, shapes },
      title: `${title} to ${bytes}, mapped to ${memory} memory`,
    };
  }
  const bytes = wholeOf('--footprint', footprint, 1, MAX_BYTES);
  return {
    study: { footprint: { ...made, bytes }, choice, trace, shapes },
    title: `${trace.name} accesses to ${roughSize(bytes)} of ${memory} memory`,
  };
}

/** A trace with its own addresses. */
function fixed(trace: Trace, options: TlbOptions): { readonly title: string; readonly trace: Trace } {
  refuse(options, ['footprint', 'range'], 'is for generated traces');
  const { name, unmaps } = trace;
  const each = unmaps ? ', unmapped request by request' : '';
  return { trace, title: `the accesses of ${name}${each}` };
}

/** A trace over the addresses that a target maps. */
function over(
  out: Output,
  { walker, name }: Target,
  trace: NamedTrace,
  { range, footprint }: TlbOptions,
): { readonly title: string; readonly trace: Trace } {
  const only = range === undefined ? undefined : parseRange(range, '--range');
  const space = listSpace(walker, only);
  if (!space.complete) out.note('too much is mapped to list; choose a part with --range');
  const mapped = space.ranges
    .filter(({ result }) => result.ok)
    .map(({ first, last }) => ({ first, size: last - first + 1n }));
  if (mapped.length === 0) throw usageError(`${name} maps nothing there`, 'lpae dump lists what it maps');
  const most = footprint === undefined ? undefined : wholeOf('--footprint', footprint, 1, MAX_BYTES);
  const stretches = firstBytes(joined(mapped), most);
  return {
    trace: traceNamed(trace.name, stretches, trace),
    title: `${trace.name} accesses to ${bytesOf(stretches)} that it maps`,
  };
}

function firstBytes(stretches: readonly Stretch[], most: number | undefined): Stretch[] {
  let left = most === undefined ? undefined : BigInt(most);
  return stretches.flatMap(({ first, size }) => {
    if (left === undefined) return [{ first, size }];
    const taken = size < left ? size : left;
    left -= taken;
    return taken > 0n ? [{ first, size: taken }] : [];
  });
}

function bytesOf(stretches: readonly Stretch[]): string {
  return roughSize(stretches.reduce((sum, { size }) => sum + size, 0n));
}

/** FEAT_BBM of a PE, or BBML of an SMMU if SMMU_IDR3 is known. */
function holdsNt({ regime, machine }: Target): boolean {
  if (!isStream(regime)) return cpuFeatures(cpuOf(machine)).bbm > 0;
  const { idr3 } = machine.registers;
  return idr3 === undefined || isSet(idr3, SMMU_IDR3.fields.BBML);
}

function refuse(options: TlbOptions, names: readonly (keyof TlbOptions)[], why: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given !== undefined) throw usageError(`--${given} ${why}`);
}

/** Traces as JSON, schema `lpae.trace/1`: writes, invalidations and barriers, and the tables that they are about. */

import { type TraceContext, TraceError, type TraceStep, traceContext } from '../../bbm/index.ts';
import type { TlbiOperation, TranslationRegime } from '../../tlb/index.ts';
import { WalkerError, type WalkerRegisters } from '../../walker/index.ts';
import { inputError } from '../io.ts';
import { JsonPart } from './json-part.ts';

export interface TraceFile {
  readonly name: string | undefined;
  readonly context: TraceContext;
  readonly steps: readonly FileStep[];
}

/** A step, and its part of the file: what complaints name. */
export interface FileStep {
  readonly step: TraceStep;
  readonly part: JsonPart;
}

export const TRACE_SCHEMA = 'lpae.trace/1';

/** What `registers` says and what stands in its place. */
const GIVEN = [
  'stage',
  'granule',
  'ias',
  'root',
  'level',
  'oa52',
  'ha',
  'hd',
  'mair',
  'hierarchical',
] as const;
const ALWAYS = ['regime', 'upper', 'asid', 'vmid', 'combined', 'same_contents', 'memory'] as const;
const ABOUT = ['schema', 'name', 'note', 'steps', 'registers'] as const;

const REGISTERS = ['ttbr0', 'ttbr1', 'tcr', 'mair', 'sctlr', 'vttbr', 'vtcr', 'hcr'] as const;
const STAGE_1_REGIMES = ['el1&0', 'el2', 'el2&0', 'el3'] as const satisfies readonly TranslationRegime[];
const GRANULES = new Map<bigint, TraceContext['granuleLog2']>([
  [0x1000n, 12],
  [0x4000n, 14],
  [0x1_0000n, 16],
]);

/** Whether a document is a trace, and no map request. */
export function isTrace(json: unknown): boolean {
  const { schema, steps } = (json ?? {}) as { schema?: unknown; steps?: unknown };
  return steps !== undefined || (typeof schema === 'string' && schema.startsWith('lpae.trace/'));
}

/** @throws CliError (input) that names the part which is not as it must be. */
export function parseTrace(json: unknown, source: string): TraceFile {
  const file = new JsonPart(json, source).allowKeys([...ABOUT, ...GIVEN, ...ALWAYS]);
  const [schema, name] = [file.get('schema'), file.get('name')];
  if (schema.isPresent) schema.oneOf([TRACE_SCHEMA]);
  return {
    name: name.isPresent ? name.string() : undefined,
    context: parseContext(file, source),
    steps: file
      .get('steps')
      .items()
      .map((part) => ({ step: parseStep(part), part })),
  };
}

function parseContext(file: JsonPart, source: string): TraceContext {
  try {
    const registers = file.get('registers').isPresent;
    return { ...(registers ? registerContext(file) : givenContext(file)), ...commonContext(file) };
  } catch (error) {
    const known = error instanceof TraceError || error instanceof WalkerError;
    if (known) throw inputError(`${source}: ${error.message}`);
    throw error;
  }
}

function registerContext(file: JsonPart): TraceContext {
  for (const key of GIVEN) {
    if (file.get(key).isPresent) file.get(key).fail('is what registers say already', 'give one or the other');
  }
  const regime = file.get('regime');
  const upper = flagOf(file, 'upper');
  const part = file.get('registers').allowKeys(REGISTERS);
  const given = REGISTERS.filter((name) => part.get(name).isPresent);
  const registers: WalkerRegisters = Object.fromEntries(
    given.map((name) => [name, part.get(name).address()]),
  );
  return traceContext({
    regime: regime.isPresent ? regime.oneOf([...STAGE_1_REGIMES, 'el1&0-s2']) : 'el1&0',
    registers,
    ...(upper !== undefined && { upper }),
  });
}

function givenContext(file: JsonPart): TraceContext {
  const [stage, level, mair, regime] = ['stage', 'level', 'mair', 'regime'].map((key) => file.get(key));
  const flags = (['oa52', 'ha', 'hd', 'hierarchical', 'upper'] as const).map((key) => [
    key,
    flagOf(file, key),
  ]);
  return {
    stage: stage!.isPresent && stage!.integer(1, 2) === 2 ? 2 : 1,
    granuleLog2: parseGranule(file.get('granule')),
    iaBits: file.get('ias').integer(13, 52),
    root: file.get('root').address(),
    ...(level!.isPresent && { startLevel: level!.integer(-1, 3) }),
    ...(mair!.isPresent && { mair: mair!.address() }),
    ...(regime!.isPresent && { regime: regime!.oneOf(STAGE_1_REGIMES) }),
    // TCR.HPD = 0 is what most registers say.
    hierarchical: true,
    ...Object.fromEntries(flags.filter(([, value]) => value !== undefined)),
  };
}

/** What neither registers nor geometry say. */
function commonContext(file: JsonPart): Partial<TraceContext> {
  const [asid, vmid, memory] = ['asid', 'vmid', 'memory'].map((key) => file.get(key));
  const [combined, sameContents] = [flagOf(file, 'combined'), flagOf(file, 'same_contents')];
  return {
    ...(asid!.isPresent && { asid: asid!.integer(0, 0xffff) }),
    ...(vmid!.isPresent && { vmid: vmid!.integer(0, 0xffff) }),
    ...(combined !== undefined && { combined }),
    ...(sameContents !== undefined && { sameContents }),
    ...(memory!.isPresent && { initial: parseMemory(memory!) }),
  };
}

function flagOf(file: JsonPart, key: string): boolean | undefined {
  const part = file.get(key);
  return part.isPresent ? part.boolean() : undefined;
}

function parseGranule(part: JsonPart): TraceContext['granuleLog2'] {
  return GRANULES.get(part.address()) ?? part.fail('must be 4K, 16K or 64K');
}

/** Words as pairs: ["0x<pa>", "0x<word>"]. */
function parseMemory(part: JsonPart): (pa: bigint) => bigint {
  const words = new Map<bigint, bigint>();
  for (const pair of part.items()) {
    const [pa, word] = wordOf(pair);
    words.set(pa, word);
  }
  return (pa) => words.get(pa) ?? 0n;
}

function wordOf(pair: JsonPart): [pa: bigint, word: bigint] {
  const [pa, word, ...more] = pair.items();
  if (pa === undefined || word === undefined || more.length > 0) {
    return pair.fail('must be a pair: ["0x<pa>", "0x<word>"]');
  }
  if (pa.address() & 7n) return pa.fail('must be a multiple of 8: words have 64 bits');
  return [pa.address(), word.address()];
}

function parseStep(part: JsonPart): TraceStep {
  if (part.get('write').isPresent) {
    part.allowKeys(['write', 'value', 'note']);
    return { write: part.get('write').address(), value: part.get('value').address() };
  }
  if (part.get('tlbi').isPresent) {
    part.allowKeys(['tlbi', 'operand', 'note']);
    const operand = part.get('operand');
    // A name that is no operation is refused where it is carried out.
    const tlbi = part.get('tlbi').string().toUpperCase() as TlbiOperation;
    return { tlbi, ...(operand.isPresent && { operand: operand.address() }) };
  }
  if (part.get('invalidate').isPresent) return parseInvalidate(part);
  if (part.get('barrier').isPresent) {
    return { barrier: part.allowKeys(['barrier', 'note']).get('barrier').string() };
  }
  return part.fail(
    'must be a write, a tlbi, an invalidate or a barrier',
    'lpae bbm --help shows each of them',
  );
}

function parseInvalidate(part: JsonPart): TraceStep {
  const what = part.get('invalidate');
  if (what.value === 'all') {
    part.allowKeys(['invalidate', 'note']);
    return { invalidate: 'all' };
  }
  part.allowKeys(['invalidate', 'size', 'leaf', 'asid', 'vmid', 'note']);
  const [leaf, asid, vmid] = ['leaf', 'asid', 'vmid'].map((key) => part.get(key));
  return {
    invalidate: what.address(),
    size: part.get('size').address(),
    ...(leaf!.isPresent && { leaf: leaf!.boolean() }),
    ...(asid!.isPresent && { asid: asid!.integer(0, 0xffff) }),
    ...(vmid!.isPresent && { vmid: vmid!.integer(0, 0xffff) }),
  };
}

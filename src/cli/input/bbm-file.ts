/** Traces as JSON, schema `lpae.trace/1`: writes, invalidations and barriers, and the tables that they are about. */
import * as v from 'valibot';
import {
  type SecurityState,
  securityNamed,
  securityProblem,
  securityStates,
  securityWord,
} from '../../arch/security.ts';
import { type TraceContext, TraceError, type TraceStep, traceContext } from '../../bbm/index.ts';
import { PERMISSION_REGISTER_NAMES } from '../../bbm/registers.ts';
import { isObject, isSaid, maybe, members, oneShapeOf, pair, present, whole } from '../../json/schemas.ts';
import { decodeCommand, encodeCommand, parseCommand } from '../../smmu/commands.ts';
import type { TranslationRegime } from '../../tlb/index.ts';
import { WalkerError } from '../../walker/index.ts';
import { inputError } from '../io.ts';
import { address, readDocument } from './json.ts';

export interface TraceFile {
  readonly name: string | undefined;
  readonly context: TraceContext;
  readonly steps: readonly TraceStep[];
}

export const TRACE_SCHEMA = 'lpae.trace/1';

const STAGE_1_REGIMES = ['el1&0', 'el2', 'el2&0', 'el3'] as const satisfies readonly TranslationRegime[];
const GRANULES = new Map<bigint, TraceContext['granuleLog2']>([
  [0x1000n, 12],
  [0x4000n, 14],
  [0x1_0000n, 16],
]);

const flag = maybe(v.boolean());
const id = maybe(whole(0, 0xffff));
const note = maybe(v.unknown());

/** Turns the bytes of a granule into their log2. */
const granuleLog2 = v.pipe(
  address,
  v.check((size) => GRANULES.has(size), 'must be 4K, 16K or 64K'),
  v.transform((size) => GRANULES.get(size)!),
);

const wordAddress = v.pipe(
  address,
  v.check((pa) => (pa & 7n) === 0n, 'must be a multiple of 8: words have 64 bits'),
);

const write = members({ write: address, value: address, note });
const tlbi = members({ tlbi: v.string(), operand: maybe(address), note });
const invalidateAll = members({ invalidate: v.literal('all'), note });
const invalidate = members({ invalidate: address, size: address, leaf: flag, asid: id, vmid: id, note });
const barrier = members({ barrier: v.string(), note });
const command = members({
  command: v.union(
    [v.string(), v.strictTuple([address, address])],
    'must be a command as text ("CMD_TLBI_NH_VA VMID=1 ASID=2 Addr=0x1000") or as two 64-bit words',
  ),
  note,
});
const access = members({ access: address, fetch: flag, note });
const register = members({ register: v.picklist(PERMISSION_REGISTER_NAMES), value: address, note });

/** Steps are distinguished by a member that each kind has. */
const stepSchema = oneShapeOf(
  [write, register, tlbi, invalidateAll, invalidate, command, barrier, access],
  (json) => {
    if (!isObject(json)) return undefined;
    const has = (name: string) => isSaid(json[name]);
    if (has('write')) return write;
    if (has('register')) return register;
    if (has('tlbi')) return tlbi;
    if (has('invalidate')) return json.invalidate === 'all' ? invalidateAll : invalidate;
    if (has('command')) return command;
    if (has('access')) return access;
    return has('barrier') ? barrier : undefined;
  },
  'must be a write, a tlbi, an invalidate or a barrier, or a command, an access or a register (lpae bbm --help shows each of them)',
);

/** Members that are neither registers nor geometry. */
const common = {
  schema: maybe(v.literal(TRACE_SCHEMA)),
  name: maybe(v.string()),
  note,
  upper: flag,
  asid: id,
  vmid: id,
  combined: flag,
  security: maybe(v.picklist(securityStates.map(securityWord))),
  tge: flag,
  barriers: maybe(v.picklist(['judged', 'assumed'])),
  same_contents: flag,
  memory: maybe(v.array(pair({ pa: wordAddress, word: address }))),
  steps: v.array(stepSchema),
};

/** The tables' geometry, if there are no registers. */
const geometry = {
  stage: maybe(whole(1, 2)),
  granule: granuleLog2,
  ias: whole(13, 52),
  root: address,
  level: maybe(whole(-1, 3)),
  oa52: flag,
  ha: flag,
  hd: flag,
  mair: maybe(address),
  hierarchical: flag,
};
const byGeometry = members({
  ...common,
  ...geometry,
  regime: maybe(v.picklist(STAGE_1_REGIMES)),
  registers: maybe(v.never()),
});

const saidAlready = maybe(v.never('is given by the registers already: give only one of them'));
const byRegisters = members({
  ...common,
  ...v.entriesFromList(Object.keys(geometry) as (keyof typeof geometry)[], saidAlready),
  regime: maybe(v.picklist([...STAGE_1_REGIMES, 'el1&0-s2'])),
  registers: members(
    v.entriesFromList(
      [
        ...(['ttbr0', 'ttbr1', 'tcr', 'mair', 'sctlr', 'vttbr', 'vtcr', 'hcr'] as const),
        ...(['vsttbr', 'vstcr', 'scr'] as const),
        ...(['tcr2', 'hcrx', 'mair2', 'pir', 'pire0', 'por', 'por0', 's2pir', 's2por'] as const),
      ],
      maybe(address),
    ),
  ),
});

/** The JSON of a trace of writes. */
export const traceSchema = oneShapeOf(
  [byGeometry, byRegisters],
  (json) => (isObject(json) && isSaid(json.registers) ? byRegisters : byGeometry),
  'must be an object',
);
type File = v.InferOutput<typeof traceSchema>;

/** Whether a document is a trace, not a map request. */
export function isTrace(json: unknown): boolean {
  const { schema, steps } = (json ?? {}) as { schema?: unknown; steps?: unknown };
  return steps !== undefined || (typeof schema === 'string' && schema.startsWith('lpae.trace/'));
}

/** @throws CliError (input) that names the wrong part. */
export function parseTrace(json: unknown, source: string): TraceFile {
  const file = readDocument(traceSchema, json, source);
  const context = contextOf(file, source);
  const steps = file.steps.map((step, i) => {
    try {
      return stepOf(step, context);
    } catch (error) {
      const known = error instanceof TraceError || error instanceof WalkerError;
      if (known) throw inputError(`${source}: steps[${i}] is impossible: ${error.message}`);
      throw error;
    }
  });
  return { name: file.name, context, steps };
}

function contextOf(file: File, source: string): TraceContext {
  try {
    const context = file.registers === undefined ? givenContext(file) : registerContext(file);
    return { ...context, ...commonContext(file) };
  } catch (error) {
    const known = error instanceof TraceError || error instanceof WalkerError;
    if (known) throw inputError(`${source}: ${error.message}`);
    throw error;
  }
}

function registerContext(file: v.InferOutput<typeof byRegisters>): TraceContext {
  const { registers, regime = 'el1&0', upper, security, tge } = file;
  const { scr, ...values } = present(registers);
  return traceContext({
    regime,
    registers: values,
    ...present({ upper, scr, tge, security: stateOf(security) }),
  });
}

function givenContext(file: v.InferOutput<typeof byGeometry>): TraceContext {
  const { stage, granule, ias, root, level, oa52, ha, hd, mair, regime = 'el1&0', upper, security } = file;
  const state = stateOf(security);
  const problem = state && securityProblem(regime, state);
  if (problem !== undefined) throw new TraceError(`${regime}: ${problem} (DDI 0487 D1.2)`);
  return {
    stage: stage === 2 ? 2 : 1,
    granuleLog2: granule,
    iaBits: ias,
    root,
    // TCR.HPD is 0 in most systems.
    hierarchical: file.hierarchical ?? true,
    ...present({ startLevel: level, oa52, ha, hd, mair, regime, upper, security: state }),
  };
}

function stateOf(word: string | undefined): SecurityState | undefined {
  return word === undefined ? undefined : securityNamed(word);
}

function commonContext(file: File): Partial<TraceContext> {
  const { asid, vmid, combined, tge, same_contents: sameContents, memory } = file;
  return {
    barriers: file.barriers !== 'assumed',
    ...present({ asid, vmid, combined, tge, sameContents }),
    ...(memory && { initial: memoryOf(memory) }),
  };
}

function memoryOf(pairs: readonly { readonly pa: bigint; readonly word: bigint }[]): (pa: bigint) => bigint {
  const words = new Map(pairs.map(({ pa, word }) => [pa, word]));
  return (pa) => words.get(pa) ?? 0n;
}

function stepOf(step: v.InferOutput<typeof stepSchema>, context: TraceContext): TraceStep {
  const { note, ...rest } = step;
  if ('command' in rest) {
    const { command: given } = rest;
    return { command: typeof given === 'string' ? parseCommand(given) : given };
  }
  if ('tlbi' in rest && /^cmd_/i.test(rest.tlbi)) return taggedCommand(rest.tlbi, rest.operand, context);
  // An unknown operation is refused when it is carried out.
  if ('tlbi' in rest) return present({ ...rest, tlbi: rest.tlbi.toUpperCase() }) as TraceStep;
  return present(rest) as TraceStep;
}

/** A command that is named as a TLBI: the operand is its second word, and the tags are those of the trace. */
function taggedCommand(name: string, operand = 0n, { asid = 0, vmid = 0 }: TraceContext): TraceStep {
  const [bare] = parseCommand(name);
  const known = decodeCommand([bare, 0n]).name;
  const fields = known === undefined ? {} : decodeCommand([bare, operand]).fields;
  const tags = {
    ...('VMID' in fields && { VMID: BigInt(vmid) }),
    ...('ASID' in fields && { ASID: BigInt(asid) }),
  };
  return { command: encodeCommand(known!, { ...fields, ...tags }) };
}

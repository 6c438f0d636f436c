/** Reads SMMUv3 traces (`pgtable-trace/1`). What nothing could have produced is refused, with the number of the step. */
import { SMMU_PAGES_SIZE, SMMU_REGISTERS } from '../arch/smmu/index.ts';
import { readJsonAs } from '../json/read.ts';
import { present } from '../json/schemas.ts';
import { hex } from '../memory/hex.ts';
import { SMMU_PRESET_NAMES, SMMU_PRESETS, type SmmuPreset } from '../smmu/presets.ts';
import {
  type SmmuTrace,
  SmmuTraceError,
  type SmmuTraceStep,
  type TraceMachine,
  type TraceWord,
} from '../smmu/trace.ts';
import { observedOf, outcomeOf } from './outcomes.ts';
import { type StepJson, type TraceJson, traceSchema } from './schema.ts';

/**
 * Reads a trace from its JSON.
 * @throws SmmuTraceError that names the wrong part: `steps[12].write64 must be a multiple of 8, …`.
 */
export function parseSmmuTrace(json: unknown): SmmuTrace {
  const read = readJsonAs(traceSchema, json);
  if (!read.ok) throw new SmmuTraceError(read.problem, stepIn(read.problem));
  const file = read.value;
  const machine = machineOf(file);
  const memory = memoryOf(file, machine);
  const steps = file.steps.map((step, number) => stepOf(step, number, machine));
  for (const [number, step] of steps.entries()) checkResumed(step, number, steps);
  for (const step of file.producer_leaves_arm_at ?? [])
    checkStepExists(step, steps, 'producer_leaves_arm_at');
  const leaves = file.producer_leaves_arm_at;
  return { name: file.name, machine, memory, steps, ...(leaves && { producerLeavesArmAt: leaves }) };
}

/** The number of the step that a problem begins with. */
function stepIn(problem: string): number | undefined {
  const [, number] = /^steps\[(\d+)\]/.exec(problem) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** @throws SmmuTraceError when the trace has no such step. */
export function checkStepExists(step: number, steps: readonly unknown[], where: string): void {
  if (step < steps.length) return;
  const last = steps.length === 0 ? 'it has no steps' : `its steps are 0 to ${steps.length - 1}`;
  throw new SmmuTraceError(`${where}: step ${step} is after the end of the trace: ${last}`, step);
}

function machineOf({ machine, steps }: TraceJson): TraceMachine {
  const { base, ram, sids } = machine;
  const end = ram.base + ram.size;
  if (ram.size === 0n || (ram.base & 7n) !== 0n || (ram.size & 7n) !== 0n || end > 1n << 52n) {
    throw new SmmuTraceError(
      `machine.ram [${hex(ram.base)}, +${hex(ram.size)}) must hold at least one word, begin and end on a multiple of 8, and lie below 2^52`,
    );
  }
  if (base !== undefined && base < end && base + BigInt(SMMU_PAGES_SIZE) > ram.base) {
    throw new SmmuTraceError(
      `machine.base ${hex(base)}: the register pages take ${hex(SMMU_PAGES_SIZE)} bytes (IHI 0070 6.1) and overlap machine.ram, [${hex(ram.base)}, ${hex(end)})`,
    );
  }
  const met = sids ?? steps.flatMap((step) => ('access' in step ? [step.access.sid] : []));
  return { ...identification(machine), base, sids: [...new Set(met)].sort((a, b) => a - b), ram };
}

/** The registers that the trace gives, and of its preset those that it doesn't. */
function identification({ preset, ...given }: TraceJson['machine']): SmmuPreset {
  const known: Partial<SmmuPreset> = preset === undefined ? { gbpa: 0n } : SMMU_PRESETS[preset];
  const value = (name: keyof SmmuPreset): bigint => {
    const found = given[name] ?? known[name];
    if (found !== undefined) return found;
    throw new SmmuTraceError(
      `machine.${name} is missing: give it, or a preset, one of ${SMMU_PRESET_NAMES.join(', ')}`,
    );
  };
  const [idr0, idr1, idr3, idr5] = [value('idr0'), value('idr1'), value('idr3'), value('idr5')];
  return { idr0, idr1, idr3, idr5, aidr: value('aidr'), gbpa: value('gbpa') };
}

/** Every word once: two values for one address can't both be there. */
function memoryOf({ memory = [] }: TraceJson, { ram }: TraceMachine): TraceWord[] {
  const owners = new Map<bigint, number>();
  return memory.flatMap(({ pa: base, words64 }, i) =>
    Object.entries(words64).map(([offset, value]) => {
      const pa = base + BigInt(offset);
      const where = `memory[${i}].words64["${offset}"]`;
      if ((pa & 7n) !== 0n) {
        throw new SmmuTraceError(`${where}: offsets are in bytes, and must be multiples of 8`);
      }
      checkInRam(pa, ram, where);
      const owner = owners.get(pa);
      if (owner !== undefined) {
        throw new SmmuTraceError(
          `${where}: the word at ${hex(pa)} is in memory[${owner}] too; each word may be given once`,
        );
      }
      owners.set(pa, i);
      return { pa, value };
    }),
  );
}

function checkInRam(pa: bigint, ram: TraceMachine['ram'], where: string, step?: number): void {
  if (pa >= ram.base && pa + 8n <= ram.base + ram.size) return;
  const inside = `[${hex(ram.base)}, ${hex(ram.base + ram.size)})`;
  throw new SmmuTraceError(`${where}: there is no RAM at ${hex(pa)}; machine.ram is ${inside}`, step);
}

function stepOf(json: StepJson, number: number, machine: TraceMachine): SmmuTraceStep {
  const noted = typeof json.note === 'string' ? { note: json.note } : {};
  const where = `steps[${number}]`;
  if ('write64' in json) {
    const { write64: pa, value } = json;
    checkInRam(pa, machine.ram, `${where}.write64`, number);
    return { kind: 'write64', pa, value, ...noted };
  }
  if ('barrier' in json) return { kind: 'barrier', ...noted };
  if ('mmio' in json) {
    const { mmio, value } = json;
    checkWidth(mmio, value, `${where}.value`, number);
    return { kind: 'mmio', ...mmio, value, ...noted };
  }
  if ('read' in json) {
    const { read, got, arm, mask } = json;
    for (const value of [got ?? 0n, ...(arm ?? [])]) checkWidth(read, value, where, number);
    return { kind: 'read', ...read, ...present({ got, arm, mask }), ...noted };
  }
  if ('read64' in json) {
    const { read64: pa, got } = json;
    checkInRam(pa, machine.ram, `${where}.read64`, number);
    return { kind: 'read64', pa, ...present({ got }), ...noted };
  }
  if ('interrupt' in json) return { kind: 'interrupt', source: json.interrupt, ...noted };
  if ('resumed' in json) {
    const { resumed, got, arm } = json;
    return {
      kind: 'resumed',
      step: resumed,
      ...(got && { got: observedOf(got) }),
      ...(arm && { arm: arm.map(outcomeOf) }),
      ...noted,
    };
  }
  const { access, got, arm, needs } = json;
  const { sid, iova, rw, size = 0, ...optional } = access;
  return {
    kind: 'access',
    access: { sid, iova, rw, size, ...present(optional) },
    ...(got && { got: observedOf(got) }),
    ...(arm && { arm: arm.map(outcomeOf) }),
    ...(needs !== undefined && { needs }),
    ...noted,
  };
}

/** A transaction can only be resumed after it came. */
function checkResumed(step: SmmuTraceStep, number: number, steps: readonly SmmuTraceStep[]): void {
  if (step.kind !== 'resumed') return;
  const { kind } = steps[step.step] ?? { kind: undefined };
  if (step.step < number && (kind === 'access' || kind === 'resumed')) return;
  throw new SmmuTraceError(
    `steps[${number}].resumed: step ${step.step} is no access before it, and no resumed one`,
    number,
  );
}

type Register = Extract<StepJson, { mmio: unknown }>['mmio'];

function checkWidth({ register, half }: Register, value: bigint, where: string, step: number): void {
  const bits = half === undefined ? SMMU_REGISTERS[register].bits : 32;
  if (value >> BigInt(bits) === 0n) return;
  const name = half === undefined ? register : `half of ${register}`;
  throw new SmmuTraceError(
    `${where}: ${hex(value)} has more than the ${bits} bits of ${name} (IHI 0070 6.2)`,
    step,
  );
}

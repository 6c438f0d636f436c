/** Makes a golden image of what walks touched: registers, the words that were read, and the answers. (pgtable-golden/1, kind image) */

import { read } from '../arch/read.ts';
import { isStream, type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { PAR_ADDRESS } from '../arch/registers/par.ts';
import type { Answer, MachineDescription, StreamChoice } from '../machine/machine.ts';
import { EXTERNAL_ABORT } from '../memory/index.ts';
import { hex } from '../text/numbers.ts';
import { cpuFeatures } from '../walker/cpu.ts';
import { type Access, type CpuModel, parEl1 } from '../walker/index.ts';
import { isGoldenRegister } from './image-words.ts';

/** One question and its answer. */
export interface CapturedRow {
  readonly ia: bigint;
  readonly access: Access;
  readonly answer: Answer;
}

export interface Capture {
  readonly name: string;
  readonly producer: string;
  readonly machine: MachineDescription;
  readonly stream: StreamChoice;
  readonly rows: readonly CapturedRow[];
  /** PAs of the words that were read, ascending, multiples of 8. */
  readonly touched: readonly bigint[];
}

const FRAME = 0x1000n;

/** The document, ready for JSON. Words that are zero are left out, as golden images have it. */
export function captureImage({ name, producer, machine, stream, rows, touched }: Capture): object {
  const { regime, registers, cpu, memory } = machine;
  const frames = new Map<bigint, Record<string, string>>();
  for (const pa of touched) {
    const word = memory.read64(pa);
    const frame = pa - (pa % FRAME);
    const words = frames.get(frame) ?? {};
    frames.set(frame, words);
    if (word !== EXTERNAL_ABORT && word !== 0n) words[String(pa % FRAME)] = hex(word);
  }
  const model = (cpu?.model ?? 'max') as CpuModel;
  const paBits = cpu?.paBits ?? (isStream(regime) ? undefined : cpuFeatures(model).paBits);
  return {
    schema: 'pgtable-golden/1',
    kind: 'image',
    name,
    producer,
    regime,
    cpu: {
      model,
      ...(paBits !== undefined && { pa_bits: paBits }),
      ...(cpu?.features && { features: cpu.features }),
    },
    ram: ramOf([...frames.keys()]),
    registers: Object.fromEntries(
      Object.entries(registers)
        .filter(([key]) => isGoldenRegister(key))
        .map(([key, value]) => [key, hex(value)]),
    ),
    memory: [...frames].map(([pa, words64]) => ({ pa: hex(pa), words64 })),
    translations: rows.map((row) => rowJson(row, regime, stream)),
  };
}

/** The smallest RAM that has all frames. */
function ramOf(frames: readonly bigint[]): { base: string; size: string } {
  const [base = 0n] = frames;
  const end = (frames.at(-1) ?? 0n) + FRAME;
  return { base: hex(base), size: hex(end - base) };
}

function rowJson(
  { ia, access, answer }: CapturedRow,
  regime: MachineRegime,
  { streamId, substreamId }: StreamChoice,
): object {
  const privileged = access.privileged !== false;
  const asked = {
    va: hex(ia),
    access: access.access,
    el: privileged ? (traitsOf(regime).el ?? 1) : 0,
    ...(access.pan && { pan: 1 }),
    ...(streamId !== undefined && { sid: streamId }),
    ...(substreamId !== undefined && { ssid: substreamId }),
  };
  if (!answer.ok) return { ...asked, fault: faultJson(answer.fault) };
  const par = parEl1(answer);
  return {
    ...asked,
    pa: hex(answer.pa),
    attr: hex(BigInt(answer.attributes.byte)),
    sh: read(par, PAR_ADDRESS.fields.SH),
    ns: read(par, PAR_ADDRESS.fields.NS),
    ...(answer.level !== undefined && { level: answer.level }),
  };
}

function faultJson(fault: Extract<Answer, { ok: false }>['fault']): object {
  if (!('level' in fault)) return { kind: fault.kind };
  const { kind, stage, level, ptw, s1Level, ipa } = fault;
  return {
    kind,
    stage,
    level,
    ...(ptw && { ptw, ...(s1Level !== undefined && { s1_level: s1Level }) }),
    ...(ipa !== undefined && { ipa: hex(ipa) }),
  };
}

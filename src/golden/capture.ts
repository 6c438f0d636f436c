/** Makes a golden image of what walks touched: registers, the words that were read, and the answers. (pgtable-golden/1, kind image) */

import { read } from '../arch/read.ts';
import { isStream, type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { PAR_ADDRESS } from '../arch/registers/par.ts';
import { defaultSecurity, type SecurityState, securityWord, stageSecurity } from '../arch/security.ts';
import {
  type Answer,
  cpuOf,
  type MachineDescription,
  permittedFaults,
  type StreamChoice,
} from '../machine/machine.ts';
import { EXTERNAL_ABORT } from '../memory/index.ts';
import { hex } from '../text/numbers.ts';
import { encodeShareability, unknownIndex } from '../walker/attributes.ts';
import { cpuFeatures, featuresBeyond } from '../walker/cpu.ts';
import { type Access, type CpuModel, type Fault, parEl1 } from '../walker/index.ts';
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
  /** What was assumed of the machine, in words. */
  readonly notes?: readonly string[];
  readonly machine: MachineDescription;
  readonly stream: StreamChoice;
  /** The Security state of the accesses. Default: Secure for EL3, Non-secure for everything else. */
  readonly security?: SecurityState | undefined;
  readonly rows: readonly CapturedRow[];
  /** PAs of the words that were read, ascending, multiples of 8. */
  readonly touched: readonly bigint[];
}

const FRAME = 0x1000n;

/** The document, ready for JSON. As in all golden images, words that are zero are left out. */
export function captureImage(capture: Capture): object {
  const { name, producer, notes = [], machine, stream, rows, touched } = capture;
  const { regime, cpu, memory } = machine;
  const { scr, scr_el3 = scr, ...others } = machine.registers;
  const registers = Object.fromEntries(
    Object.entries(others).map(([name, value]) => [fileName(name), value]),
  );
  const { security = defaultSecurity(regime) } = capture;
  // The Security state is a member of its own. Only SIF and EEL2 of SCR_EL3 matter beside it.
  const said = stageSecurity(regime, security, { scr: scr_el3 });
  const counts = scr_el3 !== undefined && security === 'secure' && (said.ownCodeOnly || !said.el2);
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
  // Features may be in the description, in identification registers, or shown by other registers.
  const features = isStream(regime)
    ? (cpu?.features ?? [])
    : featuresBeyond(model, cpuFeatures(cpuOf(machine)));
  return {
    schema: 'pgtable-golden/1',
    kind: 'image',
    name,
    producer,
    ...(notes.length > 0 && { notes }),
    regime,
    ...(security !== defaultSecurity(regime) && { security: securityWord(security) }),
    cpu: {
      model,
      ...(paBits !== undefined && { pa_bits: paBits }),
      ...(features.length > 0 && { features }),
    },
    ram: ramOf([...frames.keys()]),
    registers: Object.fromEntries(
      Object.entries({ ...registers, ...(counts && { scr_el3 }) })
        .filter(([key]) => isGoldenRegister(key))
        .map(([key, value]) => [key, hex(value)]),
    ),
    memory: [...frames].map(([pa, words64]) => ({ pa: hex(pa), words64 })),
    translations: rows.map((row) => rowJson(row, regime, stream)),
  };
}

/** In files, the names of EL3's registers include the level. */
function fileName(name: string): string {
  return ['gpccr', 'gptbr', 'gpcbw'].includes(name) ? `${name}_el3` : name;
}

/** The smallest RAM that contains all frames. */
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
    ...(access.gcs && { gcs: 1 }),
    ...(access.tagChecked && { tag_checked: 1 }),
    ...(streamId !== undefined && { sid: streamId }),
    ...(substreamId !== undefined && { ssid: substreamId }),
  };
  const found = answerJson(answer);
  const [permitted] = permittedFaults(answer);
  // If the architecture permits two answers, neither may be recorded as the only one.
  return permitted === undefined
    ? { ...asked, ...found }
    : { ...asked, arm: found, arm_or: { fault: faultJson(permitted) } };
}

function answerJson(answer: Answer): object {
  if (!answer.ok) return { fault: faultJson(answer.fault) };
  const { pa, level, security, paSpace, ipaSpace } = answer;
  const { attributes, shareability } = answer.fetchedAs ?? answer;
  return {
    pa: hex(pa),
    // Without MAIR the memory type is unknown, and so is everything that follows from it.
    ...(unknownIndex(attributes) === undefined && {
      attr: hex(BigInt(attributes.byte)),
      sh: encodeShareability(shareability),
    }),
    ns: read(parEl1(answer), PAR_ADDRESS.fields.NS),
    ...(security !== 'non-secure' && { pas: securityWord(paSpace) }),
    ...(level !== undefined && { level }),
    ...(ipaSpace !== undefined && { ipas: securityWord(ipaSpace) }),
  };
}

function faultJson(fault: Extract<Answer, { ok: false }>['fault']): object {
  if (!('level' in fault)) return { kind: fault.kind };
  const { overlay, dirtyBit, assuredOnly, topLevel, tagAccess } = fault;
  const { kind, stage, level, ptw, s1Level, ipa, ipaSpace } = fault;
  const { gpc, gptLevel, output } = fault as Fault;
  if (output) return { kind, gpc, gpt_level: gptLevel, output };
  return {
    kind,
    stage,
    level,
    ...(ptw && { ptw, ...(s1Level !== undefined && { s1_level: s1Level }) }),
    ...(ipa !== undefined && { ipa: hex(ipa) }),
    ...(overlay && { overlay }),
    ...(dirtyBit && { dirty_bit: true }),
    ...(assuredOnly && { assured_only: true }),
    ...(topLevel && { top_level: true }),
    ...(tagAccess && { tag_access: true }),
    ...(ipaSpace !== undefined && { ipas: securityWord(ipaSpace) }),
    ...(gpc !== undefined && { gpc, gpt_level: gptLevel }),
  };
}

/** Register values as people have them: from options, or from a file with the names of manuals and debuggers. */

import * as v from 'valibot';
import { REGISTER_NAMES } from '../../arch/regime-table.ts';
import { machineRegimes } from '../../arch/regimes.ts';
import { type SecurityState, securityNamed, securityStates, securityWord } from '../../arch/security.ts';
import { imageMembers } from '../../golden/image-words.ts';
import {
  andOthers,
  isObject,
  isSaid,
  maybe,
  members,
  oneShapeOf,
  present,
  record,
  whole,
} from '../../json/schemas.ts';
import type { RegisterValues } from '../../machine/machine.ts';
import type { AskedRegime } from '../../machine/registers/index.ts';
import { hex } from '../../text/numbers.ts';
import { featureNames } from '../../walker/cpu.ts';
import { usageError } from '../io.ts';
import { parseAddress } from './address.ts';
import { address, readDocument } from './json.ts';

/** What a PE says of itself, as options: `--id-aa64mmfr0 0x…`. */
export const ID_REGISTERS = [
  'id-aa64mmfr0',
  'id-aa64mmfr1',
  'id-aa64mmfr2',
  'id-aa64mmfr3',
  'id-aa64mmfr4',
  'id-aa64pfr0',
  'id-aa64pfr1',
  'id-aa64pfr2',
] as const;

/** Registers of an SMMUv3 that have options. */
export const SMMU_REGISTERS = [
  'strtab-base',
  'strtab-cfg',
  'cr0',
  'cr2',
  's2pii',
  'idr0',
  'idr1',
  'idr3',
  'idr5',
] as const;

/** What is known about a machine besides its memory. */
export interface RegisterFile {
  /** By the names in the file. */
  readonly given: RegisterValues;
  readonly regime?: AskedRegime;
  /** Whose accesses they are, where the file says it. */
  readonly security?: SecurityState;
  readonly cpu: { readonly model?: string; readonly paBits?: number; readonly features?: readonly string[] };
}

const model = v.string();
const cpuOf = members({
  model: maybe(model),
  pa_bits: maybe(whole(32, 52)),
  features: maybe(v.array(v.picklist(featureNames))),
});
/** The members next to register values. */
const about = {
  regime: maybe(v.picklist([...machineRegimes, 'smmuv3'])),
  security: maybe(v.picklist(securityStates.map(securityWord))),
  cpu: maybe(
    oneShapeOf(
      [model, cpuOf],
      (json) => (isObject(json) ? cpuOf : typeof json === 'string' ? model : undefined),
      'must be a model, or { model, pa_bits }',
    ),
  ),
};
const said = maybe(v.unknown());
/** A golden image is a register file too, of which the rest is not read. */
const ofImages = Object.fromEntries(imageMembers.map((name) => [name, said]));
const nestedSchema = members({ ...ofImages, ...about, registers: record(v.string(), address) });
const flatSchema = andOthers({ ...about, schema: said, name: said, producer: said }, address);
/** The JSON of a register file. */
export const registerFileSchema = oneShapeOf(
  [nestedSchema, flatSchema],
  (json) => (isObject(json) && isSaid(json.registers) ? nestedSchema : flatSchema),
  'must be an object',
);

/**
 * Reads a JSON document of registers: an object of names and values, or one with that as its member `registers`, next to
 * `regime` and `cpu` (a golden image is such a document). Names may be a manual's: `TTBR0_EL1`, `SMMU_STRTAB_BASE`.
 * @throws CliError (input) that names the member.
 */
export function readRegisterFile(json: unknown, source: string): RegisterFile {
  const { given, regime, cpu, security } = readValues(json, source);
  const state = securityNamed(security ?? '');
  const { pa_bits: paBits, ...rest } = typeof cpu === 'string' ? { model: cpu } : (cpu ?? {});
  return { given, ...present({ regime, security: state }), cpu: present({ paBits, ...rest }) };
}

/** The values by the document's names, and the members next to them. */
function readValues(json: unknown, source: string) {
  if (isObject(json) && isSaid(json.registers)) {
    const { registers: given, regime, cpu, security } = readDocument(nestedSchema, json, source);
    return { given, regime, cpu, security };
  }
  const { regime, cpu, security, schema, name, producer, ...given } = readDocument(flatSchema, json, source);
  return { given: given as Readonly<Record<string, bigint>>, regime, cpu, security };
}

/** Register options as typed, in commander's camel case. */
export type RegisterOptions = Readonly<Record<string, unknown>>;

/** Values of the options that were given, by their names. @throws CliError (usage) for anything but a 64-bit value. */
export function registersOfOptions(options: RegisterOptions): RegisterValues {
  const values: Record<string, bigint> = {};
  for (const name of [...REGISTER_NAMES, ...ID_REGISTERS, ...SMMU_REGISTERS]) {
    const key = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const text = options[key];
    if (typeof text === 'string') values[name.replaceAll('-', '_')] = parseAddress(text, `--${name}`);
  }
  for (const text of Array.isArray(options.reg) ? (options.reg as readonly string[]) : []) {
    const [name, value] = namedValue(text);
    if (values[name] !== undefined && values[name] !== value) {
      throw usageError(`--reg: ${name} is given twice, as ${hex(values[name])} and as ${hex(value)}`);
    }
    values[name] = value;
  }
  return values;
}

/** `TTBR0_EL2=0x4000_0000`. */
function namedValue(text: string): [name: string, value: bigint] {
  const [, name, value] = /^([A-Za-z]\w*)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw usageError(`--reg: '${text}' is not a register value`, 'a register value is TTBR0_EL2=0x4000_0000');
  }
  return [name, parseAddress(value, `--reg ${name}`)];
}

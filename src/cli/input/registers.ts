/** Register values as people have them: options, or a JSON file with the names that manuals and debuggers use; and the regime they make. */

import * as v from 'valibot';
import { isSet } from '../../arch/read.ts';
import {
  isStream,
  type MachineRegime,
  machineRegimes,
  type RegisterName,
  traitsOf,
} from '../../arch/regimes.ts';
import { PAIR } from '../../arch/registers/aarch32-base.ts';
import { TTBCR } from '../../arch/registers/aarch32-control.ts';
import { HCR_EL2 } from '../../arch/registers/stage2.ts';
import {
  andOthers,
  atLeast,
  isObject,
  isSaid,
  maybe,
  oneShapeOf,
  present,
  record,
  whole,
} from '../../json/schemas.ts';
import type { RegisterValues } from '../../machine/machine.ts';
import { featureNames } from '../../walker/cpu.ts';
import { usageError } from '../io.ts';
import { parseAddress } from './address.ts';
import { address, readDocument } from './json.ts';

/** Registers of a PE that are options: `--ttbr0 0x…`. */
export const PE_REGISTERS = [
  'ttbr0',
  'ttbr1',
  'tcr',
  'mair',
  'sctlr',
  'vttbr',
  'vtcr',
  'hcr',
  'dacr',
  'sstatus',
] as const;

/** Registers of an SMMUv3 that are options. */
export const SMMU_REGISTERS = [
  'strtab-base',
  'strtab-cfg',
  'cr0',
  'cr2',
  'idr0',
  'idr1',
  'idr3',
  'idr5',
] as const;

/** Other names of registers, without their exception level. */
const ALIASES: Readonly<Record<string, string>> = {
  strtab_cfg: 'strtab_base_cfg',
  ttbcr: 'tcr',
  httbr: 'ttbr0',
  htcr: 'tcr',
  hsctlr: 'sctlr',
  hmair: 'mair',
  satp: 'ttbr0',
  mstatus: 'sstatus',
};

/** Pairs of 32-bit registers that make one value here: low and high. */
const PAIRS: readonly (readonly [low: string, high: string, name: string])[] = [
  ['mair0', 'mair1', 'mair'],
  ['hmair0', 'hmair1', 'mair'],
  ['prrr', 'nmrr', 'mair'],
];

/** A regime, or an SMMUv3 whose stream table entry says which stages there are. */
export type AskedRegime = MachineRegime | 'smmuv3';

/** What is known of a machine beside its memory. */
export interface RegisterFile {
  readonly registers: RegisterValues;
  readonly regime?: AskedRegime;
  readonly cpu: { readonly model?: string; readonly paBits?: number; readonly features?: readonly string[] };
}

const model = v.string();
const cpuOf = atLeast({
  model: maybe(model),
  pa_bits: maybe(whole(32, 52)),
  features: maybe(v.array(v.picklist(featureNames))),
});
/** What stands beside register values. */
const about = {
  regime: maybe(v.picklist([...machineRegimes, 'smmuv3'])),
  cpu: maybe(
    oneShapeOf(
      [model, cpuOf],
      (json) => (isObject(json) ? cpuOf : typeof json === 'string' ? model : undefined),
      'must be a model, or { model, pa_bits }',
    ),
  ),
};
const nestedSchema = atLeast({ ...about, registers: record(v.string(), address) });
const said = maybe(v.unknown());
const flatSchema = andOthers({ ...about, schema: said, name: said, producer: said }, address);
/** The JSON of a register file. */
export const registerFileSchema = oneShapeOf(
  [nestedSchema, flatSchema],
  (json) => (isObject(json) && isSaid(json.registers) ? nestedSchema : flatSchema),
  'must be an object',
);

/**
 * Reads a JSON document of registers: an object of names and values, or one that has it as its member `registers` beside
 * `regime` and `cpu` (a golden image is such a document). Names may be a manual's: `TTBR0_EL1`, `SMMU_STRTAB_BASE`.
 * @throws CliError (input) that names the member.
 */
export function readRegisterFile(json: unknown, source: string): RegisterFile {
  const { given, regime, cpu } = readValues(json, source);
  const names = Object.keys(given);
  const registers = joinPairs(
    Object.fromEntries(names.map((name) => [plainName(name), given[name]!] as const)),
  );
  const { pa_bits: paBits, ...rest } = typeof cpu === 'string' ? { model: cpu } : (cpu ?? {});
  return {
    registers,
    regime:
      regime ??
      regimeOfNames(
        names.map((name) => name.toLowerCase()),
        registers,
      ),
    cpu: present({ paBits, ...rest }),
  };
}

/** The values as the document names them, and what stands beside them. */
function readValues(json: unknown, source: string) {
  if (isObject(json) && isSaid(json.registers)) {
    const { registers: given, regime, cpu } = readDocument(nestedSchema, json, source);
    return { given, regime, cpu };
  }
  const { regime, cpu, schema, name, producer, ...given } = readDocument(flatSchema, json, source);
  return { given: given as Readonly<Record<string, bigint>>, regime, cpu };
}

/** `TTBR0_EL12` is `ttbr0`. */
function plainName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/^smmu_/, '')
    .replace(/_(el\d+|s|ns)$/, '');
  return ALIASES[plain] ?? plain;
}

function joinPairs(values: Readonly<Record<string, bigint>>): RegisterValues {
  const joined: Record<string, bigint> = { ...values };
  for (const [low, high, name] of PAIRS) {
    if (values[low] === undefined && values[high] === undefined) continue;
    joined[name] = ((values[high] ?? 0n) << BigInt(PAIR.fields.high.low)) | (values[low] ?? 0n);
  }
  return joined;
}

/** What the names say of the regime, or else the values. */
function regimeOfNames(names: readonly string[], registers: RegisterValues): AskedRegime {
  const some = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (some(/^satp$/)) return 'riscv';
  if (some(/^h(ttbr|tcr)$/)) return 'pl2';
  if (some(/^ttbcr$|^prrr$|^nmrr$|^mair0$/)) {
    const stage2 = registers.vttbr !== undefined;
    if (stage2) return registers.ttbr0 === undefined ? 'pl1&0-s2' : 'pl1&0-nested';
    return isSet(registers.tcr ?? 0n, TTBCR.fields.EAE) ? 'pl1&0' : 'pl1&0-short';
  }
  if (some(/^(ttbr0|tcr)_el3$/)) return 'el3';
  if (some(/^(ttbr0|tcr)_el2$/)) {
    return some(/^ttbr1_el2$/) || isSet(registers.hcr ?? 0n, HCR_EL2.fields.E2H) ? 'el2&0' : 'el2';
  }
  return regimeOfValues(registers);
}

/** The regime of registers that nobody named one for. `smmuv3`: which stages there are is in the stream table entry. */
export function regimeOfValues(registers: RegisterValues): AskedRegime {
  const has = (name: string) => registers[name] !== undefined;
  if (has('strtab_base') || has('ste0')) return 'smmuv3';
  if (has('vttbr') || has('vtcr')) return has('ttbr0') || has('ttbr1') ? 'el1&0-nested' : 'el1&0-s2';
  return 'el1&0';
}

/** Register options as they were typed, in commander's camel case. */
export type RegisterOptions = Readonly<Record<string, unknown>>;

/** Values of the options that were given. @throws CliError (usage) for what is no 64-bit value. */
export function registersOfOptions(options: RegisterOptions): RegisterValues {
  const values: Record<string, bigint> = {};
  for (const name of [...PE_REGISTERS, ...SMMU_REGISTERS]) {
    const key = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const text = options[key];
    if (typeof text === 'string')
      values[plainName(name.replaceAll('-', '_'))] = parseAddress(text, `--${name}`);
  }
  return values;
}

/** What a regime can't do without, in the words of its options. */
function neededBy(regime: MachineRegime): RegisterName[] {
  const { stage1, stage2, descriptors, registers } = traitsOf(regime);
  const needed: RegisterName[] = stage2 ? ['vttbr', 'vtcr'] : [];
  // TTBCR of short descriptors is mostly 0.
  return stage1 && descriptors !== 'short' && descriptors !== 'mtk' && registers.tcr
    ? [...needed, 'tcr']
    : needed;
}

/** @throws CliError (usage) that names the registers that are missing. */
export function checkRegisters(regime: AskedRegime, registers: RegisterValues): void {
  if (regime === 'smmuv3' || isStream(regime)) return;
  const missing = neededBy(regime).filter((name) => registers[name] === undefined);
  if (traitsOf(regime).stage1 && registers.ttbr0 === undefined && registers.ttbr1 === undefined) {
    missing.unshift('ttbr0');
  }
  if (missing.length === 0) return;
  throw usageError(
    `${regime} can't be walked without ${missing.map((name) => `--${name}`).join(' and ')}`,
    'register values are options (--ttbr0 0x…), or a JSON file: --registers FILE',
  );
}

/** Explains values: of a named register, a fault status code, or an ESR without a name. */
import { MAIR0, MAIR1 } from '../arch/registers/aarch32-base.ts';
import { MAIR_EL1 } from '../arch/registers/base.ts';
import { bitRange } from '../descriptor/index.ts';
import { hex } from '../text/numbers.ts';
import { capitalised } from '../text/sentence.ts';
import { FAULT_KINDS, faultKindInfo } from './fault-kinds.ts';
import type { DecodedFault } from './faults/decoded-fault.ts';
import { decodeDfsr, decodeEsr, decodeIfsr, decodePar, isAbort } from './faults/from-cpu.ts';
import { decodeContextFault } from './faults/from-smmu.ts';
import { causesOf, checksOf, faultParagraph } from './faults/words.ts';
import { mairByteText } from './mair.ts';
import { sameName } from './names.ts';
import { type RegisterLayout, readRegister, registerOf } from './register.ts';
import { REGISTERS } from './registers.ts';
import { codesOf, type FaultStatus, longStatus, shortStatus } from './status.ts';
import type { Topic, TopicField } from './topic.ts';

/** Status codes by the name of their field: six bits, or five for short descriptors. */
const CODES: readonly (readonly [
  name: string,
  limit: bigint,
  read: (code: number) => FaultStatus | undefined,
])[] = [
  ['DFSC', 64n, longStatus],
  ['IFSC', 64n, longStatus],
  ['FSC', 64n, longStatus],
  ['xFSC', 64n, longStatus],
  ['FST', 64n, longStatus],
  ['STATUS', 64n, (code) => longStatus(code, 'aarch32')],
  ['FS', 32n, shortStatus],
];

/** Registers whose values are decoded as a fault. */
const FAULTS: readonly (readonly [name: string, read: (value: bigint) => DecodedFault])[] = [
  ['ESR', decodeEsr],
  ['ESR_EL1', (value) => decodeEsr(value, { el: 1 })],
  ['ESR_EL2', (value) => decodeEsr(value, { el: 2 })],
  ['ESR_ELx', decodeEsr],
  ['HSR', (value) => decodeEsr(value, { el: 2 })],
  ['PAR', decodePar],
  ['PAR_EL1', decodePar],
  ['DFSR', decodeDfsr],
  ['IFSR', decodeIfsr],
  ['FSR', (fsr) => decodeContextFault({ fsr })],
];

/** Explains `value` as the value of `name`. Undefined if nothing with values has that name. */
export function explainValue(name: string, value: bigint): Topic | undefined {
  const code = CODES.find(([known]) => sameName(known, name));
  if (code !== undefined) return value < code[1] ? codeTopic(code[0], Number(value), code[2]) : undefined;
  const report = FAULTS.find(([known]) => sameName(known, name));
  if (report !== undefined) return faultTopic(`${report[0]} ${hex(value)}`, report[1](value));
  const register = REGISTERS.find((one) =>
    [one.name, ...(one.aliases ?? [])].some((known) => sameName(known, name)),
  );
  if (register === undefined || value >> BigInt(register.width)) return undefined;
  return {
    name: `${register.name} ${hex(value)}`,
    group: 'value',
    aliases: [],
    summary: `${register.title}.`,
    reference: register.reference,
    fields: valueFields(register, value),
  };
}

/** Explains a number without a name: an ESR of an abort, or a fault status code. */
export function explainNumber(value: bigint): Topic[] {
  if (isAbort(value)) {
    return [faultTopic(`ESR ${hex(value)}`, decodeEsr(value))];
  }
  return value < 64n && longStatus(Number(value)) ? [codeTopic('DFSC', Number(value), longStatus)] : [];
}

/** Registers with one memory type per byte. */
const MAIRS = [MAIR_EL1, MAIR0, MAIR1].map(registerOf);

function valueFields(register: RegisterLayout, value: bigint): TopicField[] {
  return readRegister(register, value).map(({ field, value: part, text }) => {
    const said = MAIRS.includes(register) ? mairByteText(Number(part)) : text;
    return {
      bits: bitRange(field),
      name: field.name,
      meaning: field.meaning,
      value: part,
      ...(said !== undefined && { text: said }),
    };
  });
}

function codeTopic(name: string, code: number, read: (code: number) => FaultStatus | undefined): Topic {
  const status = read(code);
  const title = `${name} ${hex(code, 2)}`;
  if (status === undefined) {
    return {
      name: title,
      group: 'value',
      aliases: [],
      summary: 'A reserved fault status code.',
      reference: 'DDI 0487 D24.2.45',
    };
  }
  const info = FAULT_KINDS[status.kind];
  const level = status.level === undefined ? '' : ` at level ${status.level}`;
  const siblings = codesOf(status.kind, name === 'FS' ? 'short' : 'long');
  return {
    name: title,
    group: 'value',
    aliases: [],
    summary: `${capitalised(info.title)}${level}. ${info.meaning}`,
    reference: 'DDI 0487 D24.2.45',
    ...(siblings.length > 1 && {
      codes: siblings.map((one) => ({ where: `${name}, level ${one.level}`, code: hex(one.code, 2) })),
    }),
    causes: info.causes,
    checks: info.checks,
    see: [info.title],
  };
}

function faultTopic(name: string, fault: DecodedFault): Topic {
  const [register] = fault.registers;
  const info = faultKindInfo(fault.kind);
  return {
    name,
    group: 'value',
    aliases: [],
    summary: faultParagraph(fault),
    ...(register !== undefined && {
      reference: register.layout.reference,
      fields: valueFields(register.layout, register.value),
    }),
    causes: causesOf(fault),
    checks: checksOf(fault),
    ...(info !== undefined && { see: [info.title] }),
  };
}

/** Commands of an SMMUv3 as two 64-bit words, as named fields, and as text: `CMD_TLBI_NH_VA VMID=0 ASID=3 Address=0x1000 Leaf=1`. (IHI 0070 G.b, 4.) */
import type { BitField } from '../arch/field.ts';
import { addressIn, placeAddressInto, placeInto, readIn, widthOf } from '../arch/read.ts';
import {
  ALL_STREAMS,
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  commandLayout,
  commandWithOpcode,
  OPCODE,
} from '../arch/smmu/index.ts';
import { hex } from '../memory/hex.ts';
import { nearest } from '../memory/near-names.ts';
import { WalkerError } from '../walker/errors.ts';

/** Bits [63:0] and [127:64] of a command. */
export type CommandWords = readonly [bigint, bigint];

/** A command as the manual names it. */
export interface SmmuCommand {
  /** Without `CMD_`. Undefined: the opcode is Reserved or IMPLEMENTATION DEFINED (4.1.1). */
  readonly name: CommandName | undefined;
  readonly opcode: number;
  /** By the manual's names. Addresses are whole: Address[63:12] is given as a multiple of 4096. */
  readonly fields: Readonly<Record<string, bigint>>;
}

/** Reads a command. Never throws: what an SMMU does with it is another question. */
export function decodeCommand(words: CommandWords): SmmuCommand {
  const opcode = readIn(words, OPCODE);
  const name = commandWithOpcode(opcode);
  const fields = name === undefined ? [] : fieldsOfCommand(name);
  return {
    name,
    opcode,
    fields: Object.fromEntries(fields.map(([key, field]) => [key, fieldValue(words, field)])),
  };
}

/** The fields of a command but its opcode, by their keys. */
function fieldsOfCommand(name: CommandName): [string, BitField][] {
  return Object.entries(commandLayout(name).fields).filter(([key]) => key !== 'Opcode');
}

function fieldValue(words: CommandWords, field: BitField): bigint {
  return field.address === undefined ? BigInt(readIn(words, field)) : addressIn(words, field);
}

/**
 * The words of a command. Fields that are absent are 0.
 * @throws WalkerError for a field that the command does not have, or a value that does not fit.
 */
export function encodeCommand(
  name: CommandName,
  values: Readonly<Record<string, bigint>> = {},
): CommandWords {
  const { fields } = commandLayout(name);
  const words: [bigint, bigint] = [0n, 0n];
  placeInto(words, OPCODE, COMMANDS[name].opcode);
  for (const [key, value] of Object.entries(values)) {
    const field = key === 'Opcode' ? undefined : fields[key];
    if (field === undefined) throw new WalkerError(noField(name, key));
    if (field.address === undefined) placeInto(words, field, value);
    else placeAddressInto(words, field, value);
    if (fieldValue(words, field) !== value)
      throw new WalkerError(`${hex(value)} does not fit into CMD_${name}.${key}: ${room(field)}`);
  }
  return words;
}

function noField(name: CommandName, key: string): string {
  const known = fieldsOfCommand(name).map(([one]) => one);
  const list = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
  return `CMD_${name} has no field ${key}: ${list} (IHI 0070 4)`;
}

function room(field: BitField): string {
  const { address } = field;
  if (address === undefined) return `it has ${widthOf(field)} bits`;
  return `it holds bits [${address + widthOf(field) - 1}:${address}] of an address`;
}

/** Fields that are left out of text where they are 0. */
const QUIET = new Set(['TG', 'TTL', 'TTL128', 'SCALE', 'NUM', 'SSec', 'NS']);

/** `CMD_TLBI_NH_VA Address=0x1000 Leaf=1 ASID=3 VMID=0`; a command that is not known, as its words. */
export function commandText(words: CommandWords): string {
  const { name, opcode, fields } = decodeCommand(words);
  if (name === undefined) return `opcode ${hex(opcode, 2)} (${hex(words[0])}, ${hex(words[1])})`;
  if (name === 'CFGI_STE_RANGE' && fields.Range === BigInt(ALL_STREAMS)) return 'CMD_CFGI_ALL';
  if (name === 'SYNC') return 'CMD_SYNC';
  const shown = fieldsOfCommand(name).filter(
    ([key]) => fields[key] !== 0n || !(QUIET.has(key) || (key === 'SubstreamID' && fields.SSV === 0n)),
  );
  return [`CMD_${name}`, ...shown.map(([key, field]) => `${key}=${valueText(fields[key]!, field)}`)].join(
    ' ',
  );
}

function valueText(value: bigint, { address }: BitField): string {
  return address === undefined ? String(value) : hex(value);
}

/** Other names of fields, in lower case. */
const FIELD_ALIASES: Readonly<Record<string, string>> = {
  sid: 'StreamID',
  ssid: 'SubstreamID',
  va: 'Address',
  ipa: 'Address',
  addr: 'Address',
};

/**
 * Reads a command from text, with or without `CMD_`, in upper or lower case: `TLBI_NH_VA vmid=0 asid=3 va=0x1000 leaf=1`.
 * Numbers are decimal or `0x…`. Fields that are absent are 0.
 * @throws WalkerError for text that is no command, with the name that was probably meant.
 */
export function parseCommand(text: string): CommandWords {
  const [written = '', ...operands] = text.trim().split(/[\s,]+/);
  const plain = written.toUpperCase().replace(/^CMD_/, '');
  if (plain === 'CFGI_ALL')
    return encodeCommand('CFGI_STE_RANGE', {
      Range: BigInt(ALL_STREAMS),
      ...operandsOf('CFGI_STE_RANGE', operands),
    });
  const name = COMMAND_NAMES.find((one) => one === plain);
  if (name === undefined) {
    const near = nearest(plain, COMMAND_NAMES);
    const hint = near === undefined ? `known are ${COMMAND_NAMES.join(', ')}` : `did you mean CMD_${near}?`;
    throw new WalkerError(`'${written}' is not a command of an SMMUv3 (IHI 0070 4.1.1); ${hint}`);
  }
  return encodeCommand(name, operandsOf(name, operands));
}

function operandsOf(name: CommandName, operands: readonly string[]): Record<string, bigint> {
  const keys = fieldsOfCommand(name).map(([key]) => key);
  return Object.fromEntries(
    operands.map((operand) => {
      const [, written = '', digits = ''] = /^(\w+)=(0x[0-9a-f_]+|\d[\d_]*)$/i.exec(operand) ?? [];
      if (written === '')
        throw new WalkerError(`'${operand}' is not an operand: write name=number, as in VMID=1 or va=0x1000`);
      const lower = written.toLowerCase();
      const wanted = FIELD_ALIASES[lower] ?? written;
      const key = keys.find((one) => one.toLowerCase() === wanted.toLowerCase());
      if (key === undefined) throw new WalkerError(noField(name, written));
      return [key, BigInt(digits.replaceAll('_', ''))];
    }),
  );
}

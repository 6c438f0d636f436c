/** Commands of an SMMUv3: their opcodes and fields as literal words, their text, and what is refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, COMMANDS, commandLayout } from '../../src/arch/smmu/index.ts';
import { commandText, decodeCommand, encodeCommand, parseCommand } from '../../src/smmu/index.ts';
import { WalkerError } from '../../src/walker/index.ts';

/** Words, and what they say. The first three are of a real driver. (IHI 0070 4.) */
const WORDS: readonly (readonly [text: string, words: readonly [bigint, bigint]])[] = [
  ['CMD_CFGI_ALL', [0x4n, 0x1fn]],
  ['CMD_TLBI_NH_VA Address=0x1d8b24e000 Leaf=1 ASID=189 VMID=0', [0xbd_0000_0000_0012n, 0x1d_8b24_e001n]],
  ['CMD_SYNC', [0x46n, 0n]],
  ['CMD_CFGI_STE Leaf=1 StreamID=8', [0x8_0000_0003n, 0x1n]],
  ['CMD_CFGI_STE_RANGE Range=4 StreamID=8', [0x8_0000_0004n, 0x4n]],
  ['CMD_CFGI_CD Leaf=1 StreamID=8 SubstreamID=37', [0x8_0002_5005n, 0x1n]],
  ['CMD_CFGI_CD_ALL StreamID=8 SSec=1', [0x8_0000_0406n, 0n]],
  ['CMD_CFGI_VMS_PIDM VMID=7', [0x7_0000_0007n, 0n]],
  ['CMD_TLBI_NH_ALL VMID=4660', [0x1234_0000_0010n, 0n]],
  ['CMD_TLBI_NH_ASID ASID=5 VMID=4660', [0x5_1234_0000_0011n, 0n]],
  [
    'CMD_TLBI_NH_VAA Address=0xfffffffffffff000 TG=1 TTL=2 Leaf=0 VMID=1 SCALE=18 NUM=3',
    [0x1_0120_3013n, 0xffff_ffff_ffff_f600n],
  ],
  ['CMD_TLBI_EL2_ALL', [0x20n, 0n]],
  ['CMD_TLBI_EL2_VA Address=0x1000 Leaf=0 ASID=9', [0x9_0000_0000_0022n, 0x1000n]],
  ['CMD_TLBI_S12_VMALL VMID=2', [0x2_0000_0028n, 0n]],
  ['CMD_TLBI_S2_IPA Address=0xfffffffffff000 Leaf=1 VMID=1', [0x1_0000_002an, 0x00ff_ffff_ffff_f001n]],
  ['CMD_TLBI_NSNH_ALL', [0x30n, 0n]],
  ['CMD_ATC_INV Address=0x5000 Size=52 StreamID=8 SubstreamID=3 SSV=1 Global=1', [0x8_0000_3a40n, 0x5034n]],
  ['CMD_PRI_RESP Resp=2 PRGIndex=5 StreamID=8 SSV=0', [0x8_0000_0041n, 0x2005n]],
  ['CMD_RESUME STAG=43981 StreamID=8 Ab=0 Ac=1', [0x8_0000_1044n, 0xabcdn]],
  ['CMD_STALL_TERM StreamID=8', [0x8_0000_0045n, 0n]],
  [
    'CMD_PREFETCH_ADDR Address=0x2000 Stride=1 Size=5 StreamID=8 SubstreamID=1 SSV=1',
    [0x8_0000_1802n, 0x2025n],
  ],
];

describe('a command', () => {
  test.each(WORDS)('of two words is %s', (text, words) => {
    expect(commandText(words)).toBe(text);
  });

  test.each(WORDS)('%s is read from its text', (text, words) => {
    expect(parseCommand(text)).toEqual(words);
  });

  test('is read in lower case, without CMD_, with short names of fields', () => {
    const words = [0xbd_0000_0000_0012n, 0x1d_8b24_e001n];
    expect(parseCommand('TLBI_NH_VA vmid=0 asid=189 va=0x1d8b24e000 leaf=1')).toEqual(words);
    expect(parseCommand('cmd_tlbi_nh_va VMID=0, ASID=0xbd, Addr=0x1d_8b24_e000, Leaf=1')).toEqual(words);
    expect(parseCommand('CFGI_STE sid=8')).toEqual([0x8_0000_0003n, 0n]);
    expect(parseCommand('TLBI_S2_IPA vmid=1 ipa=0x1000')).toEqual([0x1_0000_002an, 0x1000n]);
  });

  test('of a CMD_SYNC with an MSI', () => {
    const { name, fields } = decodeCommand([0x1234_5678_0fc0_1046n, 0x00ff_ffff_ffff_fffcn]);
    expect([name, fields]).toEqual([
      'SYNC',
      { MSIAddress: 0xff_ffff_ffff_fffcn, MSIData: 0x1234_5678n, MSIAttr: 15n, MSH: 3n, CS: 1n },
    ]);
  });

  test('with an opcode that is Reserved is no command', () => {
    expect(decodeCommand([0x29n, 5n])).toEqual({ name: undefined, opcode: 0x29, fields: {} });
    expect(commandText([0x29n, 5n])).toBe('opcode 0x29 (0x29, 0x5)');
  });

  test.each<[string, RegExp]>([
    ['CMD_TLBI_NH_VAS', /'CMD_TLBI_NH_VAS' is not a command .* did you mean CMD_TLBI_NH_VA\?/],
    ['CMD_TLBI_NH_ASID va=0x1000', /CMD_TLBI_NH_ASID has no field va: it has ASID, VMID/],
    ['CMD_SYNC now', /'now' is not an operand: write name=number/],
    ['CMD_TLBI_NH_VA vmid=65536', /0x10000 does not fit into CMD_TLBI_NH_VA.VMID: it has 16 bits/],
    ['CMD_TLBI_NH_VA va=0x1001', /0x1001 does not fit into CMD_TLBI_NH_VA.Address: it holds bits \[63:12\]/],
    ['CMD_TLBI_S2_IPA ipa=0x100000000000000', /it holds bits \[55:12\]/],
    ['CMD_SYNC opcode=3', /CMD_SYNC has no field opcode/],
  ])('%s is refused', (text, message) => {
    expect(() => parseCommand(text)).toThrow(WalkerError);
    expect(() => parseCommand(text)).toThrow(message);
  });
});

describe('the table of commands', () => {
  test('has the opcodes of 4.1.1', () => {
    const opcodes = COMMAND_NAMES.map((name) => COMMANDS[name].opcode);
    const listed =
      '01 02 03 04 05 06 07 10 11 12 13 18 1a 20 21 22 23 28 2a 30 40 41 44 45 46 50 51 52 53 58 5a 60 70 73';
    expect(opcodes.map((opcode) => opcode.toString(16).padStart(2, '0')).join(' ')).toBe(listed);
  });

  test('has no two fields with a bit in common', () => {
    for (const name of COMMAND_NAMES) {
      const taken = new Map<number, string>();
      for (const { name: field, high, low } of Object.values(commandLayout(name).fields)) {
        for (let bit = low; bit <= high; bit++) {
          expect([name, bit, taken.get(bit)]).toEqual([name, bit, undefined]);
          taken.set(bit, field);
        }
      }
    }
  });

  test('reads what it wrote', () => {
    const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(fc.constantFrom(...COMMAND_NAMES), word, word, (name, low, high) => {
        const { fields } = decodeCommand([(low & ~0xffn) | BigInt(COMMANDS[name].opcode), high]);
        const words = encodeCommand(name, fields);
        expect(decodeCommand(words)).toEqual({ name, opcode: COMMANDS[name].opcode, fields });
      }),
    );
  });
});

/** The matchers of `lpae/vitest`: they hold, they fail, and what they say then. */
import { expect, test } from 'vitest';
import { createMachine } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { matchers } from '../../src/vitest/index.ts';

expect.extend(matchers);

const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1000n });
// Level 1: entry 2 maps 1 GiB, readable and writable at EL1 and not executable; entry 3 is the same with AF clear.
memory.write64(0x8000_0010n, 0x0060_0000_8000_0701n);
memory.write64(0x8000_0018n, 0x0060_0000_c000_0301n);
const registers = { ttbr0: 0x8000_0000n, tcr: 0x2_8080_3519n, mair: 0xffn };
const machine = createMachine({ memory, regime: 'el1&0', registers });

test('hold for a machine and for its one address space', () => {
  const intent = '0x8000_0000+1G -> identity rw- --- WB\n0xc000_0000+1G access flag fault';
  expect(machine).toMap(intent);
  expect(machine()).toMap(intent);
  expect(machine).not.toMap('rest unmapped');
  expect(machine).toTranslate(0x8000_1234n, 0x8000_1234n);
  expect(machine).not.toTranslate(0x8000_1234n, 0x8000_1235n);
  expect(machine).not.toTranslate(0x8000_1234n, 0x8000_1234n, { access: 'execute' });
  expect(machine).toFault(0x1000n, 'translation');
  expect(machine).toFault(0x8000_0000n, 'permission', { access: 'write', privileged: false });
  expect(machine).toFault(0xc000_0000n);
  expect(machine).not.toFault(0xc000_0000n, 'permission');
});

test('say what was wanted and what there is', () => {
  expect(() => expect(machine).toMap('0x8000_0000+1G -> identity r-- --- WB\nrest any')).toThrow(
    /no {2}0x80000000-0xbfffffff.*\n.*\n +wanted +-> 0x80000000 {2}r-- --- {2}WB\n +found +-> 0x80000000 {2}1G {2}rw- --- WB ISH\n +differs +r--, not rw-\n.*AP\[2:1\] = 0x0/,
  );
  expect(() => expect(machine).toTranslate(0x1000n, 0x2000n)).toThrow(
    '0x1000: wanted -> 0x2000, found translation fault, stage 1, level 1',
  );
  expect(() => expect(machine).toFault(0x8000_0000n)).toThrow(
    '0x80000000: wanted a fault, found -> 0x80000000',
  );
  expect(() => expect(machine).toFault(0xc000_0000n, 'permission')).toThrow(
    '0xc0000000: wanted a permission fault, found access flag fault, stage 1, level 1',
  );
  expect(() => expect(3).toFault(0n)).toThrow(TypeError);
  expect(() => expect(machine).toMap('wibble')).toThrow("line 1: 'wibble' is not understood");
});

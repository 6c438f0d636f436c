/** Which PIIndex the driver side chooses for a prot, whatever PIR and PIRE0 hold: the walker, over a page of each index, is the judge. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import type { Prot } from '../../src/pagetable/format.ts';
import { createWalker } from '../../src/walker/index.ts';
import { SIZES_4K } from '../support/configs.ts';
import { machine } from '../support/machine.ts';

const s1pie = { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48, features: ['s1pie'] } as const;
/** PIIndex: bits 54, 53, 51 and 6. */
const pi = (index: bigint) => ((index >> 2n) << 53n) | (((index >> 1n) & 1n) << 51n) | ((index & 1n) << 6n);

/** Every prot of rights. */
const rights: Prot[] = [false, true].flatMap((read) =>
  [false, true].flatMap((write) =>
    [false, true].flatMap((priv) =>
      ([undefined, 'all', 'privileged', 'unprivileged', 'none'] as const).flatMap((execute) =>
        read || write || (execute !== undefined && execute !== 'none')
          ? [{ read, write, priv, ...(execute !== undefined && { execute }) }]
          : [],
      ),
    ),
  ),
);

/** What a prot of stage 1 means (see the members of Prot): r, w, x of EL1 and of EL0. */
function wanted({ read, write, priv, execute }: Prot): [string, string] {
  const data = write ? 'rw' : read ? 'r' : '';
  const el1 = execute === undefined ? priv : execute === 'all' || execute === 'privileged';
  const el0 = execute === undefined ? !priv : execute === 'all' || execute === 'unprivileged';
  return [data + (el1 ? 'x' : ''), (priv ? '' : data) + (el0 ? 'x' : '')];
}

const letters = ({ read, write, execute }: Record<'read' | 'write' | 'execute', boolean>) =>
  `${read ? 'r' : ''}${write ? 'w' : ''}${execute ? 'x' : ''}`;

/** A register of sixteen random fields. Never chosen: reserved values, 6, which depends on WXN, and 9, which also makes a shadow stack. */
const register = fc
  .array(fc.nat(15), { minLength: 16, maxLength: 16 })
  .map((fields) => fields.reduceRight((word, field) => (word << 4n) | BigInt(field), 0n));
const unchosen = (word: bigint, index: number) =>
  [4, 6, 9, 11, 13, 15].includes(Number((word >> BigInt(index * 4)) & 15n));

/** The rights of each PIIndex by the walker: a page of each, written by hand. */
function grantedByIndex(pir: bigint, pire0: bigint): string[] {
  const { memory, domain } = machine(arm64LpaeS1, { ...s1pie, pir, pire0 });
  domain.map(0n, 0n, 0x1_0000n, { read: true, write: true, noexec: true });
  const { pa } = domain.tables().at(-1)!;
  for (let index = 0n; index < 16n; index++) {
    memory.write64(pa + index * 8n, (index << 12n) | 0xf07n | pi(index));
  }
  const walker = createWalker(memory, domain.registers.hardware);
  return Array.from({ length: 16 }, (_, index) => {
    for (const access of ['read', 'write', 'execute'] as const) {
      for (const privileged of [true, false]) {
        const walk = walker.walk(BigInt(index) << 12n, { access, privileged });
        if (walk.ok)
          return `${letters(walk.permissions.privileged)} ${letters(walk.permissions.unprivileged)}`;
      }
    }
    return ' ';
  });
}

/** With the field of PIIndex 15 as Linux has it: the table of pages is made with it. */
const withLast = (word: bigint, field: bigint) => (word & ~(0xfn << 60n)) | (field << 60n);

test('any PIR and PIRE0: the lowest index that grants just what was asked, by the walker, or a refusal', () => {
  fc.assert(
    fc.property(
      register.map((word) => withLast(word, 0xcn)),
      register.map((word) => withLast(word, 0x5n)),
      (pir, pire0) => {
        const granted = grantedByIndex(pir, pire0);
        const { domain } = machine(arm64LpaeS1, { ...s1pie, pir, pire0 });
        domain.map(0x1000n, 0n, 0x1000n, { read: true, write: true, noexec: true });
        for (const prot of rights) {
          const asked = wanted(prot).join(' ');
          const index = granted.findIndex(
            (text, i) => text === asked && !unchosen(pir, i) && !unchosen(pire0, i),
          );
          const map = () => domain.map(0n, 0n, 0x1000n, prot);
          if (index < 0) expect(map).toThrow(/^EINVAL: (no PIIndex grants|EL1 never executes)/);
          else {
            map();
            expect(domain.tables().at(-1)!.entries[0]!.descriptor & pi(15n)).toBe(pi(BigInt(index)));
            domain.unmap(0n, 0x1000n);
          }
        }
      },
    ),
    { numRuns: 15 },
  );
});

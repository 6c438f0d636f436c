/** A page table that starts in the table it came to last does what one that always starts at the root does, whatever became of the entries above. */
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { FrameAllocator, PhysicalMemory } from '../../src/index.ts';
import { ERRNO } from '../../src/pagetable/errors.ts';
import { PageTable } from '../../src/pagetable/page-table.ts';
import { mapRange, unmapRange } from '../../src/pagetable/range.ts';
import { type Config, configs } from '../support/configs.ts';
import { RAM } from '../support/machine.ts';
import { Random } from '../support/random.ts';

const RW = { read: true, write: true };

interface Machine {
  readonly table: PageTable;
  readonly memory: PhysicalMemory;
}

function machineOf({ format, options }: Config): Machine {
  const memory = new PhysicalMemory(RAM);
  const allocator = new FrameAllocator(memory);
  const configured = format.configure(options);
  const root = allocator.allocate(configured.rootBytes, 2 ** configured.tableAddressBits)!;
  return { table: new PageTable(configured, allocator, root), memory };
}

/** Everything that can be seen of a table from outside. */
function stateOf({ table, memory }: Machine): unknown {
  return table.allocator.allocated().map(({ pa, bytes }) => {
    const words = [];
    for (let at = pa; at < pa + BigInt(bytes); at += 8n) {
      const word = memory.read64(at);
      if (word !== 0n) words.push([at, word]);
    }
    return [pa, words];
  });
}

/** One random thing to do, the same for every table of a configuration: what it answers, in words. */
function randomAct(
  random: Random,
  { levels, leaves, iaEnd, oaEnd }: PageTable,
): (machine: Machine) => unknown {
  const page = 2 ** leaves[0]!.sizeLog2;
  const covered = 2 ** (levels.at(-2) ?? levels[0]!).shift;
  const leaf = random.pick([leaves[0]!, leaves[0]!, leaves[1] ?? leaves[0]!, random.pick(leaves)]);
  const near = random.between(0, 2) * covered + random.between(0, 5) * page;
  const size = 2 ** leaf.sizeLog2;
  const ia = Math.floor((near % iaEnd) / size) * size;
  const pa = random.between(0, Math.min(63, oaEnd / size - 1)) * size;
  const kind = random.between(0, 19);
  if (kind < 6) return ({ table }) => mapRange(table, ia, pa, size, table.bitsOf(RW));
  if (kind < 13) return ({ table }) => [unmapRange(table, ia, size), table.unmapStop];
  if (kind < 17) return ({ table }) => table.lookup(ia + 8);
  if (kind < 18) return ({ table }) => table.reclaim();
  const choices = [random.word32(), random.word32(), random.word32()] as const;
  return (machine) => swapEntries(machine, choices);
}

/** Somebody else swaps two entries of a table, of which one is live: the tree stays one, but addresses find other tables. */
function swapEntries({ table, memory }: Machine, [frame, first, second]: readonly [number, number, number]) {
  const frames = table.allocator.allocated();
  const { pa, bytes } = frames[frame % frames.length]!;
  const { entryBytes } = table;
  const at = (index: number) => pa + BigInt(index * entryBytes);
  const read = (index: number) =>
    entryBytes === 4 ? [memory.read32(at(index)) as number] : [memory.read64(at(index)) as bigint];
  const write = (index: number, [word]: readonly (number | bigint)[]) =>
    typeof word === 'bigint' ? memory.write64(at(index), word) : memory.write32(at(index), word!);
  const entries = Array.from({ length: bytes / entryBytes }, (_, index) => index);
  const live = entries.filter((index) => Number(read(index)[0]) !== 0);
  if (live.length === 0) return undefined;
  const one = live[first % live.length]!;
  const other = second % 2 === 0 ? live[second % live.length]! : entries[(one + 1) % entries.length]!;
  const [a, b] = [read(one), read(other)];
  write(one, b);
  write(other, a);
  return [one, other];
}

describe.each(configs.map((config) => [config.name, config] as const))('%s', (_, config) => {
  test('what it answers and writes is what a table without memory of the last walk does', () => {
    const random = new Random(0x1a57);
    let found = 0;
    for (let run = 0; run < 4; run++) {
      const kept = machineOf(config);
      const plain = machineOf(config);
      for (let i = 0; i < 80; i++) {
        const act = randomAct(random, kept.table);
        plain.table.lastTable.begin(Number.NaN);
        const wanted = act(plain);
        expect(act(kept)).toEqual(wanted);
        if (kept.table.lastTable.find(0) >= 0) found++;
      }
      expect(stateOf(kept)).toEqual(stateOf(plain));
    }
    // A table of one level has no other to come to.
    expect(found > 0).toBe(config.format.configure(config.options).levels.length > 1);
  });
});

test.each(['lookup', 'unmapRange', 'mapRange'] as const)(
  '%s: a table that went 4 GiB up is followed there',
  (how) => {
    const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 1n << 33n });
    const allocator = new FrameAllocator(memory, { base: 0x4000_0000n, size: 0x1_0000n });
    const format = arm64LpaeS1.configure({ pgsizeBitmap: 0x4020_1000n, ias: 39, oas: 48 });
    const table = new PageTable(format, allocator, allocator.allocate(4096)!);
    const bits = table.bitsOf(RW);
    for (const page of [0, 1, 2]) expect(mapRange(table, page * 0x1000, 0x9000, 0x1000, bits)).toBe(0);
    expect(table.lastTable.find(0)).toBe(0x2000 / 4);
    // L2[0], at the root's first entry's table: only its upper half changes. The table there is empty but for page 5.
    memory.write64(0x4000_1000n, (memory.read64(0x4000_1000n) as bigint) + (1n << 32n));
    memory.write64(0x1_4000_2028n, memory.read64(0x4000_2000n) as bigint);
    if (how === 'lookup') {
      expect(table.lookup(0)).toBeUndefined();
      expect(table.lookup(0x5000)?.pa).toBe(0x9000);
    } else if (how === 'unmapRange') {
      expect(unmapRange(table, 0, 0x1000)).toBe(0);
      expect(unmapRange(table, 0x5000, 0x1000)).toBe(0x1000);
      expect(memory.read64(0x1_4000_2028n)).toBe(0n);
    } else {
      expect(mapRange(table, 0x5000, 0x9000, 0x1000, bits)).toBe(ERRNO.EEXIST);
      expect(mapRange(table, 0x1000, 0xa000, 0x1000, bits)).toBe(0);
      expect(memory.read64(0x1_4000_2008n)).toBe((memory.read64(0x4000_2008n) as bigint) + 0x1000n);
    }
  },
);

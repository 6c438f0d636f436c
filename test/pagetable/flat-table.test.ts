/** Single calls over flat memory do what the general path does, bit for bit, whatever became of the tables; memory in one piece or not. */
import { describe, expect, test, vi } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { FrameAllocator, IommuDomain, PhysicalMemory } from '../../src/index.ts';
import { configs } from '../support/configs.ts';
import { RAM } from '../support/machine.ts';
import { Random } from '../support/random.ts';

const RW = { read: true, write: true };

/** What an act answers, or why it was refused. */
function answerOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return String(error);
  }
}

/** Everything that the tables hold. */
function wordsOf({ allocator, memory }: IommuDomain): unknown {
  return allocator.allocated().map(({ pa, bytes }) => {
    const words = [];
    for (let at = pa; at < pa + BigInt(bytes); at += 8n) words.push(memory.read64(at));
    return [pa, words.filter((word) => word !== 0n)];
  });
}

/** One random act, the same for every domain of a configuration. Some swap entries behind its back, or put rubbish in. */
function randomAct(random: Random, { format }: IommuDomain, asNumber: boolean) {
  const page = 2n ** BigInt(format.levels.at(-1)!.shift);
  const covered = 2n ** BigInt((format.levels.at(-2) ?? format.levels[0]!).shift);
  const ia = format.firstIova + BigInt(random.between(0, 2)) * covered + BigInt(random.between(0, 5)) * page;
  const iova = asNumber && ia < 2n ** 53n ? Number(ia) : ia;
  const size = random.pick([page, page, page, covered]);
  const pa = BigInt(random.between(0, 40)) * size;
  const kind = random.between(0, 19);
  if (kind < 7) return (domain: IommuDomain) => domain.map(iova, pa, size, RW);
  if (kind < 11) return (domain: IommuDomain) => domain.unmap(iova, size);
  if (kind < 12) return (domain: IommuDomain) => String(Object.values(domain.unmapReport(ia, size)));
  if (kind < 18) return (domain: IommuDomain) => domain.iovaToPhys(ia + 0x234n);
  const [frame, entry, word] = [random.word32(), random.word32(), random.word32()];
  const high = random.pick([0, 0, 1, random.word32()]);
  return ({ allocator, memory }: IommuDomain) => {
    const frames = allocator.allocated();
    const { pa: base, bytes } = frames[frame % frames.length]!;
    const at = base + BigInt((entry % Math.min(24, bytes / 8)) * 8);
    const before = memory.read64(at) as bigint;
    const table = frames[word % frames.length]!.pa;
    if (kind === 18) memory.write64(at, before ^ BigInt(2 ** (word % 32)));
    else memory.write64(at, ((before & 0xfffn) | table) + (BigInt(high) << 32n));
  };
}

describe.each(configs.map((config) => [config.name, config] as const))('%s', (_, config) => {
  test('answers and bits are those of the general path', () => {
    const random = new Random(0xf1a7);
    for (let run = 0; run < 3; run++) {
      const [flat, general] = [0, 1].map(() => {
        const memory = new PhysicalMemory(RAM);
        const allocator = new FrameAllocator(memory);
        return new IommuDomain(memory, config.format, { ...config.options, allocator });
      }) as [IommuDomain, IommuDomain];
      // A watcher has to hear of everything: nobody may index flat memory meanwhile.
      const [region] = general.memory.regions;
      region!.watch(region!.peek);
      expect(region!.flat.length).toBe(0);
      for (let i = 0; i < 60; i++) {
        const act = randomAct(random, flat, i % 2 === 0);
        const wanted = answerOf(() => act(general));
        expect(answerOf(() => act(flat))).toEqual(wanted);
      }
      expect(flat.memory.regions[0]!.flat.length).toBeGreaterThan(0);
      expect(wordsOf(flat)).toEqual(wordsOf(general));
    }
  });
});

describe('memory in one piece', () => {
  const options = { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 };
  const mapPages = (domain: IommuDomain, count: number) => {
    for (let i = 0; i < count; i++) domain.map(i * 0x20_0000, 0x9000_0000 + i * 0x1000, 0x1000, RW);
  };

  test('grows with its tables, and keeps what was written', () => {
    const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 40n });
    const domain = new IommuDomain(memory, arm64LpaeS1, {
      ...options,
      allocator: new FrameAllocator(memory),
    });
    mapPages(domain, 300);
    const [region] = memory.regions;
    expect(region!.flatStart).toBe(0x8000_0000);
    // 300 tables of level 3 and three above: 303 of 4 KiB in chunks of 64 KiB.
    expect(memory.hostBytes).toBe(19 * 0x1_0000);
    expect(region!.flat.length * 4).toBeGreaterThanOrEqual(memory.hostBytes);
    for (let i = 0; i < 300; i++) expect(domain.iovaToPhys(i * 0x20_0000 + 5)).toBe(0x9000_0005 + i * 0x1000);
    expect(region!.flat[0x1000 / 4]).toBe(memory.read32(0x8000_1000n));
  });

  test('begins where tables are, and far writes are held by themselves', () => {
    const memory = new PhysicalMemory({ base: 0x1000n, size: 1n << 40n });
    const allocator = new FrameAllocator(memory, { base: 0xff_ffff_0000n - 0x1_0000n });
    memory.write64(0x1000n, 7n);
    const domain = new IommuDomain(memory, arm64LpaeS1, { ...options, allocator });
    mapPages(domain, 20);
    const [region] = memory.regions;
    expect(region!.flatStart).toBe(0xff_fffe_0000);
    // Two chunks, to a multiple of 4 GiB.
    expect(region!.flat.length * 4).toBe(0x2_0000);
    expect(memory.read64(0x1000n)).toBe(7n);
    expect(domain.iovaToPhys(0x20_0000)).toBe(0x9000_1000);
  });

  test('a host that refuses large buffers changes nothing but speed', () => {
    const real = ArrayBuffer;
    vi.stubGlobal(
      'ArrayBuffer',
      class extends real {
        constructor(bytes: number) {
          if (bytes > 0x1_0000) throw new RangeError('Array buffer allocation failed');
          super(bytes);
        }
      },
    );
    try {
      const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 32n });
      const allocator = new FrameAllocator(memory);
      const domain = new IommuDomain(memory, arm64LpaeS1, { ...options, allocator });
      mapPages(domain, 40);
      expect(memory.regions[0]!.flat.length).toBe(0x1_0000 / 4);
      for (let i = 0; i < 40; i++)
        expect(domain.iovaToPhys(BigInt(i) << 21n)).toBe(0x9000_0000n + BigInt(i) * 0x1000n);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

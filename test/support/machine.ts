/** A machine for tests: memory, a domain in it, and the walker that the domain's register values describe. */
import type { FormatModule } from '../../formats/index.ts';
import { type DomainOptions, FrameAllocator, IommuDomain, PhysicalMemory } from '../../src/index.ts';
import {
  type CpuFeatures,
  createWalker,
  type Regime,
  type Translation,
  type Walker,
} from '../../src/walker/index.ts';

/** RAM for tables: below 2^32, so that the smallest output size reaches it. */
export const RAM = { base: 0x4000_0000n, size: 0x4000_0000n } as const;

export interface Machine {
  readonly memory: PhysicalMemory;
  readonly allocator: FrameAllocator;
  readonly domain: IommuDomain;
  readonly walker: Walker;
}

export function machine(format: FormatModule, options: DomainOptions): Machine {
  const memory = new PhysicalMemory(RAM);
  const allocator = new FrameAllocator(memory);
  const domain = new IommuDomain(memory, format, { ...options, allocator });
  return { memory, allocator, domain, walker: walkerOf(domain) };
}

/** A walker that knows of the domain its memory and its register values, and nothing else. */
export function walkerOf(domain: IommuDomain, changes: Partial<CpuFeatures> = {}): Walker {
  const { regime, registers, cpu } = domain.registers.hardware;
  const largest = { ...cpu, paBits: 52, ...changes };
  return createWalker(domain.memory, { regime: regime as Regime, registers, cpu: largest });
}

/** The translation of an address, by whichever access is allowed; null where nothing is mapped. Any other fault is a failed test. */
export function walk(walker: Walker, ia: bigint): Translation | null {
  for (const access of ['read', 'write'] as const) {
    const result = walker.walk(ia, { access, trace: false });
    if (result.ok) return result;
    if (result.fault.kind === 'translation') return null;
    if (result.fault.kind !== 'permission' || access === 'write') {
      throw new Error(
        `walk of 0x${ia.toString(16)}: ${result.fault.kind} fault at level ${result.fault.level}`,
      );
    }
  }
  return null;
}

/** The PA that the walker finds, or null. */
export function paOf(walker: Walker, ia: bigint): bigint | null {
  return walk(walker, ia)?.pa ?? null;
}

/** The PA by the walker and by the driver's own lookup, which must agree. */
export function translate({ domain, walker }: Machine, iova: bigint): bigint | null {
  const pa = paOf(walker, iova);
  const own = domain.iovaToPhys(iova);
  if (pa !== own) throw new Error(`0x${iova.toString(16)}: the walker finds ${pa}, iovaToPhys ${own}`);
  return pa;
}

/**
 * Every leaf of the input space (or of a part of it, counted from its first address), found by walks alone: behind a leaf
 * comes the next address, behind a fault the next entry of the level that faulted.
 */
export function everyLeaf({ domain, walker }: Machine, from = 0n, end = 1n << BigInt(domain.format.ias)) {
  const { firstIova, levels } = domain.format;
  const leaves: { ia: bigint; leaf: Translation }[] = [];
  for (let ia = from; ia < end; ) {
    const read = walker.walk(firstIova + ia, { access: 'read', trace: false });
    if (!read.ok && read.fault.kind === 'translation') {
      const { level } = read.fault;
      const span = 1n << BigInt(levels.find((one) => one.level === level)!.shift);
      ia = (ia & ~(span - 1n)) + span;
      continue;
    }
    const leaf = wholeRun({ domain, walker }, ia, read.ok ? read : walk(walker, firstIova + ia)!);
    ia &= ~(leaf.size - 1n);
    leaves.push({ ia, leaf });
    ia += leaf.size;
  }
  return leaves;
}

/** An entry with the contiguous hint as the run that it is a part of, whose entries must all keep the hint's promise. */
function wholeRun(
  { domain, walker }: Pick<Machine, 'domain' | 'walker'>,
  ia: bigint,
  leaf: Translation,
): Translation {
  if (!leaf.contiguous) return leaf;
  const { firstIova, levels } = domain.format;
  const size = leaf.size << BigInt(levels.find(({ level }) => level === leaf.level)!.runLog2!);
  const first = ia & ~(size - 1n);
  const base = leaf.leafBase - ((ia & ~(leaf.size - 1n)) - first);
  for (let at = 0n; at < size; at += leaf.size) {
    const other = walk(walker, firstIova + first + at);
    if (other?.contiguous !== true || other.leafBase !== base + at || other.size !== leaf.size) {
      throw new Error(`0x${(first + at).toString(16)}: not as the run of 0x${first.toString(16)} says`);
    }
  }
  return { ...leaf, size, leafBase: base };
}

/** What the walker says of the input space, or of a part of it: address, PA, size, permissions and attributes of each leaf. */
export function translations(m: Machine, from?: bigint, end?: bigint): string[] {
  return everyLeaf(m, from, end).map(({ ia, leaf }) => {
    const { privileged: p, unprivileged: u } = leaf.permissions;
    const flags = [p.read, p.write, p.execute, u.read, u.write, u.execute].map(Number).join('');
    return `${ia.toString(16)} ${leaf.leafBase.toString(16)} ${leaf.size.toString(16)} ${flags} ${leaf.attributes.byte} ${leaf.shareability}`;
  });
}

/** Frames that can be reached from the root, in the order and form of `FrameAllocator.allocated()`. No frame is below 64 bytes. */
export function reachableFrames(domain: IommuDomain) {
  return domain
    .tables()
    .map(({ pa, bytes }) => ({
      pa,
      bytes: Math.max(64, pa === domain.root ? domain.format.rootBytes : bytes),
    }))
    .sort((a, b) => (a.pa < b.pa ? -1 : 1));
}

/** The 64-bit words of every frame in use, by address: all that a driver ever produced. Zeros are left out. */
export function tableWords({ memory, allocator }: Machine): string[] {
  const words: string[] = [];
  for (const { pa, bytes } of allocator.allocated()) {
    const region = memory.regionAt(Number(pa), bytes)!;
    for (let at = Number(pa); at < Number(pa) + bytes; at += 8) {
      const view = region.peek(at);
      if (view === undefined) continue;
      const [low, high] = [view[region.wordIndex(at)]!, view[region.wordIndex(at) + 1]!];
      if (low || high) words.push(`${at.toString(16)}:${high.toString(16)}:${low.toString(16)}`);
    }
  }
  return words;
}

/** Where the table memory of two machines first differs, frames in use and words in them; undefined where it is the same bit for bit. */
export function firstDifference(a: Machine, b: Machine): string | undefined {
  const [framesA, framesB] = [a.allocator.allocated(), b.allocator.allocated()];
  const list = (frames: typeof framesA) =>
    frames.map(({ pa, bytes }) => `${pa.toString(16)}+${bytes}`).join(' ');
  if (list(framesA) !== list(framesB)) return `frames ${list(framesA)} and ${list(framesB)}`;
  for (const { pa, bytes } of framesA) {
    const [x, y] = [a, b].map(({ memory }) => {
      const region = memory.regionAt(Number(pa), bytes)!;
      const words = region.peek(Number(pa)) ?? new Uint32Array(0x1_0000);
      const at = region.wordIndex(Number(pa));
      return words.subarray(at, at + bytes / 4);
    });
    const at = x!.findIndex((word, i) => word !== y![i]);
    if (at >= 0)
      return `word at 0x${(Number(pa) + at * 4).toString(16)}: ${x![at]!.toString(16)} and ${y![at]!.toString(16)}`;
  }
  return undefined;
}

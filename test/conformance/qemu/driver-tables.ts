/** Tables that the driver side makes: mappings of every page size in every format, and what was asked for at each address. */
import { FrameAllocator, IommuDomain, type PhysicalMemory, type Prot } from '../../../src/index.ts';
import type { Regime } from '../../../src/walker/index.ts';
import type { Config } from '../../support/configs.ts';
import type { Random } from '../../support/random.ts';
import { RAM_BASE, type SharedRam } from './emulator.ts';
import { type Case, NO_REGISTERS, type Probe } from './probe.ts';

/** A case of the driver side, with the intent behind each probe: undefined where nothing is mapped. */
export interface DriverCase {
  readonly one: Case;
  readonly domain: IommuDomain;
  readonly intents: readonly (Intent | undefined)[];
}

export interface Intent {
  readonly prot: Prot;
  readonly pa: bigint;
}

interface Mapping {
  readonly iova: bigint;
  readonly size: bigint;
  readonly prot: Prot;
}

/** Prots that differ in some bit of a descriptor. */
export const PROTS: readonly Prot[] = [
  { read: true },
  { read: true, write: true },
  { write: true },
  { read: true, write: true, cache: true },
  { read: true, cache: true, noexec: true },
  { read: true, write: true, mmio: true },
  { read: true, write: true, priv: true },
  { read: true, priv: true, cache: true },
];

const SCTLR_ON = 0x30d0_0801n;
const SCTLR_OFF = 0x30d0_0800n;
/** HCR_EL2.VM and DC: stage 2 alone. */
const HCR_STAGE_2 = 0x1001n;

/** Frames of a domain: a window of its own in the common RAM. */
const WINDOW = 0x80_0000n;

/**
 * A domain with random mappings in the `index`th window above `base`, and probes at the edges of all that it maps and of its holes.
 * `withDenials`: accesses that stage 2 denies are among them.
 */
export function driverCase(
  random: Random,
  memory: PhysicalMemory,
  base: number,
  index: number,
  { name, format, options }: Config,
  withDenials = true,
): DriverCase {
  const allocator = new FrameAllocator(memory, { base: BigInt(base) + BigInt(index) * WINDOW, size: WINDOW });
  const domain = new IommuDomain(memory, format, { ...options, allocator });
  const mappings = randomMappings(random, domain);
  const { regime, registers } = domain.registers.hardware;
  const stage2 = regime.endsWith('-s2');
  // An ARMv7 operation takes 32 bits: of a larger IPA space it reaches the start.
  const reach = regime.startsWith('pl1') ? 1n << 32n : 1n << 64n;
  const probes: Probe[] = [];
  const intents: (Intent | undefined)[] = [];
  for (const iova of edges(domain, mappings)) {
    if (iova >= reach) continue;
    const mapping = mappings.find((one) => iova >= one.iova && iova < one.iova + one.size);
    const pa = domain.iovaToPhys(iova);
    if ((pa === null) !== (mapping === undefined)) throw new Error(`${name}: iovaToPhys forgets a mapping`);
    const intent = mapping && pa !== null ? { prot: mapping.prot, pa } : undefined;
    for (const access of ['read', 'write'] as const) {
      for (const privileged of [true, false]) {
        const denied = stage2 && mapping !== undefined && !mapping.prot[access];
        if (denied && !withDenials) continue;
        probes.push({ va: iova, access, privileged });
        intents.push(intent);
      }
    }
  }
  const one: Case = {
    name: `domain ${name}`,
    regime: regime as Regime,
    cpu: regime.startsWith('pl1') ? 'cortex-a15' : 'max',
    registers: {
      ...NO_REGISTERS,
      ...registers,
      sctlr: stage2 ? SCTLR_OFF : (registers.sctlr ?? SCTLR_ON),
      hcr: stage2 ? (registers.hcr ?? HCR_STAGE_2) : 0n,
    },
    probes,
    scratch: { pa: RAM_BASE, address: RAM_BASE },
  };
  return { one, domain, intents };
}

/** The page sizes of a format, smallest first. */
function pageSizes(bitmap: bigint): bigint[] {
  return Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)).filter((size) => bitmap & size);
}

/** Mappings of each page size: one page, several, and a run of smaller pages up to a block's edge; at either end of the space and within. */
function randomMappings(random: Random, domain: IommuDomain): Mapping[] {
  const { firstIova, ias, oas, pgsizeBitmap } = domain.format;
  const space = 1n << BigInt(ias);
  const sizes = pageSizes(pgsizeBitmap).filter((size) => size <= space / 2n);
  const mappings: Mapping[] = [];
  const place = (offset: bigint, size: bigint, align: bigint): void => {
    if (offset < 0n || offset + size > space) return;
    const iova = firstIova + offset;
    if (mappings.some((other) => iova < other.iova + other.size && other.iova < iova + size)) return;
    const pa = random.bits(oas) & ~(align - 1n) & ~((1n << BigInt(size.toString(2).length + 1)) - 1n);
    const prot = random.pick(PROTS);
    domain.map(iova, pa + (offset & (align - 1n)), size, prot);
    mappings.push({ iova, size, prot });
  };
  const smallest = sizes[0] ?? 1n;
  place(0n, smallest, smallest);
  place(space - smallest, smallest, smallest);
  for (const [i, size] of sizes.entries()) {
    const somewhere = random.bits(ias) & ~(size - 1n);
    place(somewhere, size, size);
    place(somewhere + size, size, size);
    place((random.bits(ias) & ~(size - 1n)) + size, size * 3n, size);
    const smaller = sizes[i - 1];
    if (smaller === undefined) continue;
    // A block with pages of the next smaller size on either side.
    const middle = random.bits(ias) & ~(size - 1n);
    place(middle - smaller * 2n, size + smaller * 3n, size);
  }
  return mappings;
}

/** First and last byte of every mapping and, inside, of blocks and pages where they begin and end; and the bytes just outside. */
function edges({ format }: IommuDomain, mappings: readonly Mapping[]): Set<bigint> {
  const found = new Set<bigint>();
  const last = format.firstIova + (1n << BigInt(format.ias)) - 1n;
  const sizes = pageSizes(format.pgsizeBitmap);
  const add = (at: bigint): void => {
    for (const one of [at - 1n, at]) if (one >= format.firstIova && one <= last) found.add(one);
  };
  for (const { iova, size } of mappings) {
    add(iova);
    add(iova + size);
    for (const page of sizes) {
      const first = (iova + page - 1n) & ~(page - 1n);
      const end = (iova + size) & ~(page - 1n);
      for (const at of [first, first + page, end - page, end]) if (at > iova && at < iova + size) add(at);
    }
  }
  return found;
}

/** Copies the domain's frames into the RAM that QEMU sees. */
export function flushDomain({ allocator, memory }: IommuDomain, ram: SharedRam): void {
  const region = memory.regions[0];
  for (const { pa, bytes } of allocator.allocated()) {
    const start = Number(pa);
    for (let at = start; at < start + bytes; at += 0x1_0000) {
      const words = region?.peek(at);
      const from = region?.wordIndex(at) ?? 0;
      if (words !== undefined)
        ram.writeWords32(at, words.subarray(from, from + Math.min(bytes, 0x1_0000) / 4));
    }
  }
}

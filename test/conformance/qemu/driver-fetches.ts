/** Tables of the driver side for instruction fetches: every prot at every leaf size, over pages that hold an instruction. */
import { FrameAllocator, IommuDomain, type PhysicalMemory, type Prot } from '../../../src/index.ts';
import type { Config } from '../../support/configs.ts';
import type { Random } from '../../support/random.ts';
import { RAM_BASE } from './emulator.ts';
import { NO_REGISTERS } from './probe.ts';
import { type Fetch, type FetchCase, FP_INSTRUCTION } from './prober-exec.ts';

/** A case, the prot behind each fetch (undefined: nothing is mapped), and the PAs that must hold the instruction. */
export interface DriverFetches {
  readonly one: FetchCase;
  readonly domain: IommuDomain;
  readonly prots: readonly (Prot | undefined)[];
  readonly targets: readonly number[];
}

/** Every combination of the flags that a permission bit comes from. */
const FLAGS = [false, true];
export const FETCH_PROTS: readonly Prot[] = FLAGS.flatMap((write) =>
  FLAGS.flatMap((priv) =>
    FLAGS.flatMap((noexec) => FLAGS.flatMap((cache) => [{ read: true, write, priv, noexec, cache }])),
  ),
);

const WINDOW = 0x40_0000n;
const WXN = 1n << 19n;
const EPD0_EPD1 = (1n << 7n) | (1n << 23n);
const EL1_VECTORS = 0x800;

/** The case of a configuration, in the `index`th window above `base`; `wxn`: SCTLR_EL1.WXN. */
export function driverFetches(
  random: Random,
  memory: PhysicalMemory,
  base: number,
  index: number,
  { name, format, options }: Config,
  wxn: boolean,
): DriverFetches {
  const allocator = new FrameAllocator(memory, { base: BigInt(base) + BigInt(index) * WINDOW, size: WINDOW });
  const domain = new IommuDomain(memory, format, { ...options, allocator });
  const { firstIova, ias, pgsizeBitmap } = domain.format;
  const space = 1n << BigInt(ias);
  const fetches: Fetch[] = [];
  const prots: (Prot | undefined)[] = [];
  const targets: number[] = [];
  const ask = (va: bigint, prot: Prot | undefined): void => {
    for (const privileged of [true, false]) {
      fetches.push({ va, privileged });
      prots.push(prot);
    }
  };
  for (let size = pgsizeBitmap & -pgsizeBitmap; size <= pgsizeBitmap; size <<= 1n) {
    if (!(pgsizeBitmap & size) || size * 2n > space) continue;
    for (const prot of FETCH_PROTS) {
      const iova = firstIova + (random.bits(ias) & ~(size - 1n));
      // Where RAM is, aligned to the page: a block larger than RAM holds it somewhere inside.
      const target = BigInt(TARGETS) + (random.bits(27) & ~3n);
      if (domain.iovaToPhys(iova) !== null) continue;
      try {
        domain.map(iova, target & ~(size - 1n), size, prot);
      } catch {
        // It would overlap another mapping.
        continue;
      }
      ask(iova + (target & (size - 1n)), prot);
      targets.push(Number(target));
    }
  }
  ask(firstIova + (random.bits(ias) & ~3n), undefined);
  const last = fetches.at(-1)?.va ?? 0n;
  if (domain.iovaToPhys(last) !== null) {
    fetches.splice(-2);
    prots.splice(-2);
  }
  return {
    ...withVectors(domain, allocator, fetches, `domain ${name}${wxn ? ' with WXN' : ''}`, wxn),
    prots,
    targets,
  };
}

/** Pages that are executed lie from here on. */
const TARGETS = RAM_BASE + 0x2000_0000;

/** The registers of the domain, with the other half of the address space for the vectors: one block of 1 GiB, executable at EL1 only. */
function withVectors(
  domain: IommuDomain,
  allocator: FrameAllocator,
  fetches: readonly Fetch[],
  name: string,
  wxn: boolean,
): Pick<DriverFetches, 'one' | 'domain'> {
  const table = allocator.allocate(0x1000);
  const vectors = allocator.allocate(0x1000);
  if (table === undefined || vectors === undefined) throw new Error(`${name}: no room for the vectors`);
  const { registers } = domain.registers.hardware;
  const { ttbr0 = 0n, ttbr1 = 0n, tcr = 0n, mair = 0n } = registers;
  const upper = domain.format.quirks.includes('arm_ttbr1');
  // 39 bits, 4K: TnSZ = 25 and TG0 = 0 or TG1 = 2, in the half that the domain leaves.
  const half = upper ? 25n : (25n << 16n) | (2n << 30n);
  const kept = upper ? tcr & ~0xffffn : tcr & ~(0xffffn << 16n);
  const index = RAM_BASE / 2 ** 30;
  // A block: read-only at EL1, UXN, AF; AttrIndx as the domain has it for Write-Back.
  const block = BigInt(RAM_BASE) | (1n << 54n) | (1n << 10n) | (0b10n << 6n) | (1n << 2n) | 1n;
  domain.memory.write64(BigInt(table + index * 8), block);
  for (let at = vectors; at < vectors + EL1_VECTORS; at += 0x80) {
    domain.memory.write32(BigInt(at), FP_INSTRUCTION);
  }
  const base = upper ? 0n : (1n << 64n) - (1n << 39n);
  const one: FetchCase = {
    name,
    registers: {
      ...NO_REGISTERS,
      ttbr0: upper ? BigInt(table) : ttbr0,
      ttbr1: upper ? ttbr1 : BigInt(table),
      tcr: (kept & ~EPD0_EPD1) | half,
      mair,
      sctlr: 0x30d0_0801n | (wxn ? WXN : 0n),
    },
    vbar: base + BigInt(vectors),
    fetches,
  };
  return { one, domain };
}

/** Walks at random addresses of 1 GiB: with all steps, without them, the PA only, and PAs in bulk; stage 1, stage 2 and nested. */
import { arm64LpaeS2 } from '../../formats/index.ts';
import { IommuDomain } from '../../src/index.ts';
import { createWalker, type Walker, type WalkerOptions } from '../../src/walker/index.ts';
import type { Workload } from '../workload.ts';
import { GIB, IOVA, KIB, newDomain, RW, scattered, shuffled } from './scatterlists.ts';

const COUNT = 1_000_000;
const READ = { access: 'read' } as const;
const QUIET = { access: 'read', trace: false } as const;

function addresses(count: number): Float64Array {
  return Float64Array.from(shuffled(count), (n) => Number(IOVA) + ((n * 4099) % GIB));
}

const iovas = (count: number) => Array.from(addresses(count), BigInt);

function walkerWorkloads(name: string, makeWalker: () => Walker): Workload[] {
  const common = { unit: 'walk', units: COUNT, limit: 'random', samples: 7 } as const;
  const few = { ...common, units: COUNT / 10 };
  return [
    {
      ...few,
      name: `walk, ${name}, full result with steps`,
      make: () => {
        const [walker, ias] = [makeWalker(), iovas(few.units)];
        return {
          run: () => {
            for (const ia of ias) walker.walk(ia, READ);
          },
        };
      },
    },
    {
      ...common,
      name: `walk, ${name}, full result without steps`,
      make: () => {
        const [walker, ias] = [makeWalker(), iovas(COUNT)];
        return {
          run: () => {
            for (const ia of ias) walker.walk(ia, QUIET);
          },
        };
      },
    },
    {
      ...common,
      name: `walk, ${name}, PA alone (translate), bigint`,
      make: () => {
        const [walker, ias] = [makeWalker(), iovas(COUNT)];
        return {
          run: () => {
            for (const ia of ias) walker.translate(ia, READ);
          },
        };
      },
    },
    {
      ...common,
      name: `walk, ${name}, PA alone (translate), number`,
      make: () => {
        const [walker, ias] = [makeWalker(), Array.from(addresses(COUNT))];
        return {
          run: () => {
            for (const ia of ias) walker.translate(ia, READ);
          },
        };
      },
    },
    {
      ...common,
      name: `walk, ${name}, PAs in bulk (translateMany)`,
      make: () => {
        const [walker, ias, pas] = [makeWalker(), addresses(COUNT), new Float64Array(COUNT)];
        return { run: () => walker.translateMany(ias, pas, READ) };
      },
    },
  ];
}

/** Stage 1 over a stage 2 that identity-maps 512G in 1G blocks, in the same memory. */
function nestedRegisters(stage1: IommuDomain): WalkerOptions {
  const stage2 = new IommuDomain(stage1.memory, arm64LpaeS2, {
    pgsizeBitmap: 0x4020_1000n,
    ias: 48,
    oas: 48,
    allocator: stage1.allocator,
  });
  stage2.map(0n, 0n, 1n << 39n, RW);
  const registers = {
    ...stage1.registers.hardware.registers,
    ...stage2.registers.hardware.registers,
    // M, C and I: caches are on.
    sctlr: 0x1005n,
    hcr: 1n,
  };
  return { regime: 'el1&0-nested', registers };
}

function mapped(format?: typeof arm64LpaeS2): IommuDomain {
  const domain = newDomain(0x4020_1000n, format);
  domain.mapSg(IOVA, scattered(262_144, 4 * KIB), RW);
  return domain;
}

export function walkingWorkloads(): Workload[] {
  const walkerOf = (domain: IommuDomain) => createWalker(domain.memory, domain.registers.hardware);
  return [
    ...walkerWorkloads('stage 1', () => walkerOf(mapped())),
    ...walkerWorkloads('stage 2', () => walkerOf(mapped(arm64LpaeS2))),
    ...walkerWorkloads('nested', () => {
      const stage1 = mapped();
      return createWalker(stage1.memory, nestedRegisters(stage1));
    }),
  ];
}

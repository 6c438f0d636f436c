/** Walks at random addresses of 1 GiB: all results (without steps), the PA only, and PAs in bulk; stage 1, stage 2 and nested. */
import { arm64LpaeS2 } from '../../formats/index.ts';
import { IommuDomain } from '../../src/index.ts';
import { createWalker, type Walker, type WalkerOptions } from '../../src/walker/index.ts';
import type { Workload } from '../workload.ts';
import { GIB, IOVA, KIB, newDomain, RW, scattered, shuffled } from './scatterlists.ts';

const COUNT = 1_000_000;
const READ = { access: 'read' } as const;
const QUIET = { access: 'read', trace: false } as const;

function addresses(): Float64Array {
  return Float64Array.from(shuffled(COUNT), (n) => Number(IOVA) + ((n * 4099) % GIB));
}

function walkerWorkloads(name: string, walker: Walker, ias: Float64Array): Workload[] {
  const iovas = Array.from(ias, BigInt);
  const pas = new Float64Array(COUNT);
  const common = { unit: 'walk', units: COUNT, limit: 'random', samples: 7 } as const;
  return [
    {
      ...common,
      name: `walk, ${name}, full result without steps`,
      run: () => {
        for (const ia of iovas) walker.walk(ia, QUIET);
      },
    },
    {
      ...common,
      name: `walk, ${name}, PA alone (translate)`,
      run: () => {
        for (const ia of iovas) walker.translate(ia, READ);
      },
    },
    {
      ...common,
      name: `walk, ${name}, PAs in bulk (translateMany)`,
      run: () => walker.translateMany(ias, pas, READ),
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

export function walkingWorkloads(): Workload[] {
  const ias = addresses();
  const pages = scattered(262_144, 4 * KIB);
  const stage1 = newDomain(0x4020_1000n);
  stage1.mapSg(IOVA, pages, RW);
  const stage2 = newDomain(0x4020_1000n, arm64LpaeS2);
  stage2.mapSg(IOVA, pages, RW);
  const one = createWalker(stage1.memory, stage1.registers.hardware);
  const two = createWalker(stage2.memory, stage2.registers.hardware);
  const both = createWalker(stage1.memory, nestedRegisters(stage1));
  const iovas = Array.from(ias, BigInt);
  return [
    ...walkerWorkloads('stage 1', one, ias),
    ...walkerWorkloads('stage 2', two, ias),
    ...walkerWorkloads('nested', both, ias).slice(0, 1),
    {
      name: 'iovaToPhys, random',
      unit: 'call',
      units: COUNT,
      limit: 'random',
      samples: 7,
      run: () => {
        for (const iova of iovas) stage1.iovaToPhys(iova);
      },
    },
  ];
}

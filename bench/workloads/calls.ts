/** One call a page, in a table that exists: map, unmap and iova_to_phys, with bigints and with numbers. */
import type { IommuDomain } from '../../src/index.ts';
import type { Work, Workload } from '../workload.ts';
import { GIB, IOVA, KIB, newDomain, RW, scattered, shuffled } from './scatterlists.ts';

const PAGES = 262_144;
const COUNT = 1_000_000;
const PAGE = 4 * KIB;
const list = () => scattered(PAGES, PAGE);

function emptied(domain: IommuDomain): void {
  // One page after another, so that the tables stay.
  for (let i = 0; i < PAGES; i++) domain.unmap(IOVA + BigInt(i * PAGE), BigInt(PAGE));
}

function bigintCalls(): Record<'map' | 'unmap' | 'find', () => Work> {
  const iovas = () => Array.from({ length: PAGES }, (_, i) => IOVA + BigInt(i * PAGE));
  return {
    map: () => {
      const domain = newDomain(0x4020_1000n);
      const [ias, pas, size] = [iovas(), Array.from(list().addresses, BigInt), BigInt(PAGE)];
      domain.mapSg(IOVA, list(), RW);
      return {
        prepare: () => emptied(domain),
        run: () => {
          for (let i = 0; i < PAGES; i++) domain.map(ias[i]!, pas[i]!, size, RW);
        },
      };
    },
    unmap: () => {
      const domain = newDomain(0x4020_1000n);
      const [ias, sg, size] = [iovas(), list(), BigInt(PAGE)];
      return {
        prepare: () => domain.mapSg(IOVA, sg, RW),
        run: () => {
          for (let i = 0; i < PAGES; i++) domain.unmap(ias[i]!, size);
        },
      };
    },
    find: () => {
      const domain = newDomain(0x4020_1000n);
      domain.mapSg(IOVA, list(), RW);
      const ias = Array.from(shuffled(COUNT), (n) => IOVA + BigInt((n * 4099) % GIB));
      return {
        run: () => {
          for (const ia of ias) domain.iovaToPhys(ia);
        },
      };
    },
  };
}

export function callWorkloads(): Workload[] {
  const pages = { unit: 'call', units: PAGES, limit: 'fill', samples: 7 } as const;
  const finds = { unit: 'call', units: COUNT, limit: 'random', samples: 7 } as const;
  const big = bigintCalls();
  return [
    { ...pages, name: 'map a page, bigint', make: big.map },
    { ...pages, name: 'unmap a page, bigint', make: big.unmap },
    { ...finds, name: 'iovaToPhys, random in 1 GiB, bigint', make: big.find },
  ];
}

/** One call a page, in a table that exists: map, unmap and iova_to_phys, with bigints and with numbers. */
import type { Address, IommuDomain } from '../../src/index.ts';
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

/** How addresses are given: both kinds do the same work. */
type Kind = 'bigint' | 'number';
const ofKind = (kind: Kind, numbers: Iterable<number>): Address[] =>
  Array.from(numbers, (number) => (kind === 'bigint' ? BigInt(number) : number));

function calls(kind: Kind): Record<'map' | 'unmap' | 'find', () => Work> {
  const first = Number(IOVA);
  const iovas = () =>
    ofKind(
      kind,
      Array.from({ length: PAGES }, (_, i) => first + i * PAGE),
    );
  const [size] = ofKind(kind, [PAGE]);
  return {
    map: () => {
      const domain = newDomain(0x4020_1000n);
      const [ias, pas] = [iovas(), ofKind(kind, list().addresses)];
      domain.mapSg(IOVA, list(), RW);
      return {
        prepare: () => emptied(domain),
        run: () => {
          for (let i = 0; i < PAGES; i++) domain.map(ias[i]!, pas[i]!, size!, RW);
        },
      };
    },
    unmap: () => {
      const domain = newDomain(0x4020_1000n);
      const [ias, sg] = [iovas(), list()];
      return {
        prepare: () => domain.mapSg(IOVA, sg, RW),
        run: () => {
          for (let i = 0; i < PAGES; i++) domain.unmap(ias[i]!, size!);
        },
      };
    },
    find: () => {
      const domain = newDomain(0x4020_1000n);
      domain.mapSg(IOVA, list(), RW);
      const ias = ofKind(
        kind,
        Array.from(shuffled(COUNT), (n) => first + ((n * 4099) % GIB)),
      );
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
  return (['bigint', 'number'] as const).flatMap((kind): Workload[] => {
    const make = calls(kind);
    return [
      { ...pages, name: `map a page, ${kind}`, make: make.map },
      { ...pages, name: `unmap a page, ${kind}`, make: make.unmap },
      { ...finds, name: `iovaToPhys, random in 1 GiB, ${kind}`, make: make.find },
    ];
  });
}

/** The operations on a domain, declared once: their JSON members, for map requests and golden files alike. */
import * as v from 'valibot';
import type { SgEntry, SgRange } from '../iommu/scatterlist.ts';
import { members, tagged } from '../json/schemas.ts';
import { PROT_FLAGS, type Prot } from '../pagetable/format.ts';

/** One call of Linux's IOMMU API. Addresses and sizes in bytes. `ret` is the expected return value, if the file gives one: see {@link Answer}. */
export type Operation = { readonly iova: bigint; readonly ret?: bigint | undefined } & (
  | { readonly op: 'map'; readonly paddr: bigint; readonly size: bigint; readonly prot: Prot }
  | { readonly op: 'map_sg'; readonly sg: readonly (SgEntry | SgRange)[]; readonly prot: Prot }
  | { readonly op: 'unmap'; readonly size: bigint }
  | { readonly op: 'iova_to_phys' }
);

/** How a kind of file spells the values of an operation. The schemas of `prot` and `ret` may be optional. */
export interface Spelling<A, P, E, R> {
  readonly address: A;
  readonly prot: P;
  /** An entry of a scatterlist. */
  readonly entry: E;
  readonly ret: R;
}

/** The schema of operations in a given spelling. Names and members are always the same. */
export function operationSchema<
  A extends v.GenericSchema<unknown, bigint>,
  P extends v.GenericSchema<unknown, Prot | undefined>,
  E extends v.GenericSchema<unknown, SgEntry | SgRange>,
  R extends v.GenericSchema<unknown, bigint | undefined>,
>({ address, prot, entry, ret }: Spelling<A, P, E, R>) {
  return tagged('op', [
    members({ op: v.literal('map'), iova: address, paddr: address, size: address, prot, ret }),
    members({ op: v.literal('map_sg'), iova: address, sg: v.array(entry), prot, ret }),
    members({ op: v.literal('unmap'), iova: address, size: address, ret }),
    members({ op: v.literal('iova_to_phys'), iova: address, ret }),
  ]);
}

/** Linux's flags as a list of their names. */
export const protFlags = v.pipe(
  v.array(v.picklist(PROT_FLAGS)),
  v.description("Linux's IOMMU prot flags by name"),
  v.transform((names): Prot => Object.fromEntries(names.map((name) => [name, true]))),
);

/** The operations on a domain, declared once: their JSON members, for map requests and golden files alike. */
import * as v from 'valibot';
import type { SgEntry, SgRange } from '../iommu/scatterlist.ts';
import type { TrackedRange } from '../iommu/tracking.ts';
import { maybe, members, pair, tagged } from '../json/schemas.ts';
import { PROT_FLAGS, type Prot } from '../pagetable/format.ts';

/** One call of Linux's IOMMU API. Addresses and sizes in bytes. `ret` is the expected return value, if the file gives one: see {@link Answer}. */
export type Operation = { readonly iova: bigint; readonly ret?: bigint | undefined } & (
  | { readonly op: 'map'; readonly paddr: bigint; readonly size: bigint; readonly prot: Prot }
  | { readonly op: 'map_sg'; readonly sg: readonly (SgEntry | SgRange)[]; readonly prot: Prot }
  | { readonly op: 'unmap'; readonly size: bigint }
  | { readonly op: 'iova_to_phys' }
  | {
      readonly op: 'dirty';
      readonly size: bigint;
      /** Whether to make clean what was found. Default: true. */
      readonly clear?: boolean | undefined;
      /** The ranges that the file wants reported, if it gives them. */
      readonly ranges?: readonly TrackedRange[] | undefined;
    }
);

/** How a kind of file spells the values of an operation. The schemas of `prot`, `ranges` and `ret` may be optional. */
export interface Spelling<A, P, E, D, R> {
  readonly address: A;
  readonly prot: P;
  /** An entry of a scatterlist. */
  readonly entry: E;
  /** What reading dirty state reports: a list of {@link trackedRange}. */
  readonly ranges: D;
  readonly ret: R;
}

/** The schema of operations in a given spelling. Names and members are always the same. */
export function operationSchema<
  A extends v.GenericSchema<unknown, bigint>,
  P extends v.GenericSchema<unknown, Prot | undefined>,
  E extends v.GenericSchema<unknown, SgEntry | SgRange>,
  D extends v.GenericSchema<unknown, readonly TrackedRange[] | undefined>,
  R extends v.GenericSchema<unknown, bigint | undefined>,
>({ address, prot, entry, ranges, ret }: Spelling<A, P, E, D, R>) {
  return tagged('op', [
    members({ op: v.literal('map'), iova: address, paddr: address, size: address, prot, ret }),
    members({ op: v.literal('map_sg'), iova: address, sg: v.array(entry), prot, ret }),
    members({ op: v.literal('unmap'), iova: address, size: address, ret }),
    members({ op: v.literal('iova_to_phys'), iova: address, ret }),
    members({
      op: v.literal('dirty'),
      iova: address,
      size: address,
      clear: maybe(v.boolean()),
      ranges,
      ret,
    }),
  ]);
}

/** A dirty range as `[iova, size]`. */
export function trackedRange<A extends v.GenericSchema<unknown, bigint>>(address: A) {
  return pair({ iova: address, size: address });
}

/** Linux's flags as a list of their names. */
export const protFlags = v.pipe(
  v.array(v.picklist(PROT_FLAGS)),
  v.description("Linux's IOMMU prot flags by name"),
  v.transform((names): Prot => Object.fromEntries(names.map((name) => [name, true]))),
);

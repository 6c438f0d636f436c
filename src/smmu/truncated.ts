/** The last stage of a stream with AArch32 tables, whose outputs have 40 bits whatever the SMMU's output size. (IHI 0070 G.b, 3.4.) */
import { lowBits, POW2 } from '../walker/bits.ts';
import type { TableGeometry } from '../walker/descriptor64.ts';

/** Address bits that are in the lower half of a descriptor. */
const LOW_HALF = 32;

/** Addresses above a smaller output size lose their upper bits, those of tables too: no Address Size fault tells of it. */
export function truncated<Params extends TableGeometry>(params: Params, oas: number): Params {
  if (oas >= params.oaBits) return params;
  const dropped = POW2[params.oaBits - LOW_HALF]! - POW2[oas - LOW_HALF]!;
  return {
    ...params,
    addressHighMask: params.addressHighMask & ~dropped,
    tableBase: lowBits(params.tableBase, oas),
  };
}

/** The last stage of a stream with AArch32 tables. Its outputs have 40 bits, whatever the SMMU's output size. (IHI 0070 G.b, 3.4.) */
import { lowBits, POW2 } from '../walker/bits.ts';
import type { TableGeometry } from '../walker/descriptor64.ts';

/** Address bits that are in the lower half of a descriptor. */
const LOW_HALF = 32;

/** With a smaller output size, addresses lose their upper bits, even addresses of tables. No Address Size fault reports this. */
export function truncated<Params extends TableGeometry>(params: Params, oas: number): Params {
  if (oas >= params.oaBits) return params;
  const dropped = POW2[params.oaBits - LOW_HALF]! - POW2[oas - LOW_HALF]!;
  return {
    ...params,
    addressHighMask: params.addressHighMask & ~dropped,
    tableBase: lowBits(params.tableBase, oas),
  };
}

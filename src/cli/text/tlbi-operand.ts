/** What the operand of a TLBI says, field by field: `Xt: TTL = 64K level 3, VA[55:12] = 0x8000001000`. (DDI 0487 D8.17.5.1, D8.17.5.2.) */
import type { BitField, WordLayout } from '../../arch/field.ts';
import { addressOf, bitsIn, isSet, read, readLow } from '../../arch/read.ts';
import { TLBI_IPA, TLBI_RANGE, TLBI_VA, TTL_HINT } from '../../arch/registers/tlbi.ts';
import type { TraceStep } from '../../bbm/index.ts';
import { hex } from '../../text/numbers.ts';

/** Undefined: the step is no TLBI with an operand. */
export function operandText(step: TraceStep): string | undefined {
  if (!('tlbi' in step) || step.operand === undefined) return undefined;
  const layout = operandLayout(step.tlbi);
  if (layout === undefined) return undefined;
  const xt = step.operand;
  // Outside Secure state NS is RES0.
  const fields = Object.entries<BitField>(layout.fields).filter(
    ([, field]) => field !== TLBI_IPA.fields.NS || isSet(xt, field),
  );
  const parts = fields.map(([key, field]) => {
    if (key === 'TTL' && layout !== TLBI_RANGE) return `TTL = ${ttlText(read(xt, field))}`;
    if (field.address !== undefined) return `${field.name} = ${hex(addressOf(xt, field))}`;
    const value = bitsIn(xt, field) >> BigInt(field.low);
    const meaning = field.values?.[Number(value)];
    return `${field.name} = ${hex(value)}${meaning === undefined ? '' : ` (${meaning})`}`;
  });
  return `Xt: ${parts.join(', ')}`;
}

function operandLayout(operation: string): WordLayout | undefined {
  if (/^R(VA|IPAS2)/.test(operation)) return TLBI_RANGE;
  if (/^IPAS2/.test(operation)) return TLBI_IPA;
  return /^(VA|ASID)/.test(operation) ? TLBI_VA : undefined;
}

function ttlText(ttl: number): string {
  if (ttl === 0) return 'any';
  const { granule, level } = TTL_HINT.fields;
  const size = granule.values?.[readLow(ttl, granule)];
  return `${size} level ${readLow(ttl, level)}`;
}

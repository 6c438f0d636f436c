/** How likely it is that a word was written as a descriptor of some kind: what speaks against it, and how much. */
import { bitRange, type DecodedField, type DescriptorLayout, decode } from '../../descriptor/index.ts';

export interface Verdict {
  /** 0 if nothing speaks against it. From UNLIKELY on, bits are set that must not be. */
  readonly score: number;
  /** What speaks against it, the strongest first. */
  readonly against: readonly string[];
}

export const UNLIKELY = 100;
/** The most bits in a physical address of present machines. */
const PLAUSIBLE_BITS = 48n;

/** @param address - the address in the descriptor, if it has one. */
export function judge(layout: DescriptorLayout, word: bigint, address: bigint | undefined): Verdict {
  const found = [
    ...decode(layout, word).flatMap((field) => objection(field)),
    ...addressObjections(address),
  ].sort((a, b) => b.weight - a.weight);
  return {
    score: found.reduce((sum, { weight }) => sum + weight, 0),
    against: found.map(({ text }) => text),
  };
}

interface Objection {
  readonly weight: number;
  readonly text: string;
}

function objection({ field, value, text, problem }: DecodedField): Objection[] {
  const { name, kind, values, fixed } = field;
  const bits = bitRange(field);
  if (problem !== undefined) return [{ weight: UNLIKELY, text: `bits ${bits}: ${problem}` }];
  if (kind === 'ignored') return value === 0n ? [] : [{ weight: 1, text: `ignored bits ${bits} are set` }];
  if (kind !== 'field' || fixed !== undefined) return [];
  if (values !== undefined && (text === undefined || text === 'reserved')) {
    return [{ weight: 30, text: `${name} has a reserved value` }];
  }
  if (name === 'AF' && value === 0n) return [{ weight: 5, text: 'AF is 0: an access would fault' }];
  if (name === 'S2AP' && value === 0n) return [{ weight: 5, text: 'S2AP allows nothing' }];
  if (name === 'FnXS' && value === 1n) return [{ weight: 2, text: 'FnXS is set' }];
  return [];
}

function addressObjections(address: bigint | undefined): Objection[] {
  if (address === undefined) return [];
  if (address >> PLAUSIBLE_BITS) return [{ weight: 10, text: 'its address is above 48 bits' }];
  return address === 0n ? [{ weight: 2, text: 'its address is 0' }] : [];
}

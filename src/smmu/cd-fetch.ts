/** Finds and fetches the CD of a transaction: a single CD, or one in a linear or two-level table. (IHI 0070 G.b, 3.4.3, 5.2 S1Fmt, 5.3.) */
import { addressOf, isSet } from '../arch/read.ts';
import { CD, CD_LEAF_LOG2, L1CD } from '../arch/smmu/index.ts';
import { alignDown, POW2 } from '../walker/bits.ts';
import { PR } from '../walker/permissions.ts';
import type { Stage2 } from '../walker/stage2.ts';
import type { TableMemory } from '../walker/table-memory.ts';
import type { WalkStep } from '../walker/types.ts';
import { word64 } from '../walker/word.ts';
import type { CdWords } from './context-descriptor.ts';
import type { SmmuFeatures } from './features.ts';
import type { StreamTableEntry } from './stream-table-entry.ts';
import type { SmmuFault } from './types.ts';

const LEVEL1_BYTES = L1CD.width / 8;
/** log2 of the bytes of a CD. */
const CD_LOG2 = 6;
const CD_BYTES = CD.width / 8;

/** A CD is only read. AssuredOnly memory allows that. (3.27.2) */
const CD_FETCH = { needed: PR, write: false, own: true, assured: true };

export interface Failed {
  readonly fault: SmmuFault;
}

/** The address of a structure: an IPA if stage 2 translates it, and the PA. */
interface StructureAddress {
  readonly address: number;
  readonly pa?: number;
}

/** Where a CD is, and the result of fetching it. */
export interface CdLookup {
  /** The level 1 descriptor of a two-level table, without a value if it can't be read. */
  readonly level1?: StructureAddress & { readonly descriptor?: bigint };
  readonly cd?: StructureAddress;
  /** Whether stage 2 marks the memory of all that was read as AssuredOnly. (3.27.2) */
  readonly assured: boolean;
  readonly outcome: CdWords | Failed;
}

/** How structures are fetched: through stage 2 if there is one. With `update`, hardware may update the tables of stage 2. */
export interface CdFetch {
  readonly memory: TableMemory;
  readonly stage2: Stage2 | undefined;
  /** The Security state of the stream: its CDs are in IPA or PA space of that name. */
  readonly space: 'non-secure' | 'secure';
  /** The SMMU's output address bits. */
  readonly oas: number;
  readonly steps: WalkStep[] | undefined;
  readonly update: boolean;
  /** How many 64-bit words of a CD to read: 8 if the SMMU has features whose controls are beyond the first 4. */
  readonly words: 4 | 8;
}

/** The 64-bit words of a CD that are read: permission indirection has fields beyond the first four. */
export function cdWords({ s1pi }: SmmuFeatures): 4 | 8 {
  return s1pi ? 8 : 4;
}

/** The CD at an index of a table of CDs or, without an index, the only CD. S1ContextPtr is an IPA if there is a stage 2. */
export function locateCd(
  { s1ContextPtr, s1CdMax, s1Fmt }: StreamTableEntry,
  index: number | undefined,
  fetch: CdFetch,
): CdLookup {
  const pointer = Number(s1ContextPtr);
  if (index === undefined) return cdAt(pointer, fetch);
  // A table is aligned to its size, or 64 bytes. Lower pointer bits are treated as 0.
  const leafLog2 = CD_LEAF_LOG2[s1Fmt]!;
  if (leafLog2 === 0) return cdAt(alignDown(pointer, s1CdMax + CD_LOG2) + index * CD_BYTES, fetch);
  const size = Math.max(CD_BYTES, 2 ** (s1CdMax - leafLog2) * LEVEL1_BYTES);
  const at = Math.floor(pointer / size) * size + Math.floor(index / 2 ** leafLog2) * LEVEL1_BYTES;
  const { pa, assured, outcome } = read(at, 1, fetch);
  const address = { address: at, ...(pa !== undefined && { pa }) };
  if ('fault' in outcome) return { level1: address, assured, outcome };
  const level1 = { ...address, descriptor: outcome[0]! };
  const leaf = Number(addressOf(level1.descriptor, L1CD.fields.L2Ptr));
  // L2Ptr beyond the OAS: since SMMUv3.1. Stage 2 handles an IPA beyond the IAS; C_BAD_SUBSTREAMID would be permitted too. (3.4.3, notes 3 and 4)
  const beyond = fetch.stage2 === undefined && leaf >= POW2[fetch.oas]!;
  if (!isSet(level1.descriptor, L1CD.fields.V) || beyond) {
    return { level1, assured, outcome: { fault: { kind: 'c_bad_substreamid' } } };
  }
  const found = cdAt(leaf + (index % 2 ** leafLog2) * CD_BYTES, fetch);
  return { level1, ...found, assured: assured && found.assured };
}

function cdAt(address: number, fetch: CdFetch): CdLookup {
  const { pa, assured, outcome } = read(address, fetch.words, fetch);
  const at = { address, ...(pa !== undefined && { pa }) };
  if ('fault' in outcome) return { cd: at, assured, outcome };
  const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n, ...more] = outcome;
  return { cd: at, assured, outcome: [w0, w1, w2, w3, ...more] };
}

/** Little-endian 64-bit words of a configuration structure. Stage 2, if there is one, translates its address. */
function read(
  address: number,
  count: number,
  { memory, stage2, space, steps, update }: CdFetch,
): { readonly pa?: number; readonly assured: boolean; readonly outcome: readonly bigint[] | Failed } {
  let pa = address;
  let assured = false;
  if (stage2 !== undefined) {
    const translated = stage2.translate(address, space, CD_FETCH, update, steps);
    if (!translated.ok) return { assured, outcome: { fault: { ...translated.fault, class: 'cd' } } };
    pa = translated.oa;
    assured = translated.assuredOnly;
  }
  const words: bigint[] = [];
  for (let i = 0; i < count; i++) {
    if (!memory.read64(pa + i * 8, false)) {
      return { pa, assured, outcome: { fault: { kind: 'f_cd_fetch', fetchAddress: BigInt(pa) } } };
    }
    words.push(word64(memory.lo, memory.hi));
  }
  return { pa, assured, outcome: words };
}

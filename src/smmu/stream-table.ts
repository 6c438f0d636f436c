/** The stream table: the entry of a StreamID, read from memory. (IHI 0070 3.3.1, 5.1, 5.2.) */
import type { TableMemory } from '../walker/table-memory.ts';
import { word64 } from '../walker/word.ts';
import type { SmmuFeatures } from './features.ts';
import type { SmmuRegisters } from './registers.ts';
import type { SteWords } from './stream-table-entry.ts';
import {
  level1Address,
  level2SteAddress,
  linearSteAddress,
  STE_BYTES,
  type StreamTablePlace,
  streamTablePlace,
} from './stream-table-places.ts';
import type { ConfigurationFault } from './types.ts';

/** The bytes of an STE that affect translation without features of SMMUv3.4. */
const STE_TRANSLATION_BYTES = 32;

/** Where the STE of a stream is, and the result of fetching it. */
export interface SteLookup {
  readonly table: StreamTablePlace;
  /** The level 1 descriptor, without a value if there is no RAM. */
  readonly level1?: { readonly address: number; readonly descriptor?: bigint };
  /** The address of the STE. */
  readonly address?: number;
  readonly outcome: SteWords | ConfigurationFault;
}

/** The stream table that registers describe. Every look-up reads memory again. */
export class StreamTable {
  readonly #memory: TableMemory;
  readonly #table: StreamTablePlace;
  readonly #steBytes: number;

  constructor(memory: TableMemory, registers: SmmuRegisters, features: SmmuFeatures) {
    this.#memory = memory;
    this.#table = streamTablePlace(registers);
    this.#steBytes = steBytes(features);
  }

  /** The STE: at its index in a linear table, or through a level 1 descriptor. */
  locate(streamId: number): SteLookup {
    const table = this.#table;
    if (streamId >= 2 ** table.log2Size) return { table, outcome: { kind: 'c_bad_streamid' } };
    if (table.split !== undefined) return { table, ...this.#locateLevel2(streamId, table.split) };
    const at = linearSteAddress(table, streamId);
    return { table, address: at, outcome: this.#read(at) };
  }

  #locateLevel2(streamId: number, split: number): Omit<SteLookup, 'table'> {
    const address = level1Address(this.#table, split, streamId);
    if (!this.#memory.read64(address, false)) {
      const outcome = { kind: 'f_ste_fetch', fetchAddress: BigInt(address) } as const;
      return { level1: { address }, outcome };
    }
    const { lo, hi } = this.#memory;
    const level1 = { address, descriptor: word64(lo, hi) };
    const at = level2SteAddress({ lo, hi }, split, streamId);
    if (at === undefined) return { level1, outcome: { kind: 'c_bad_streamid' } };
    return { level1, address: at, outcome: this.#read(at) };
  }

  #read(address: number): SteWords | ConfigurationFault {
    const words: bigint[] = [];
    for (let at = address; at < address + this.#steBytes; at += 8) {
      if (!this.#memory.read64(at, false)) return { kind: 'f_ste_fetch', fetchAddress: BigInt(address) };
      words.push(word64(this.#memory.lo, this.#memory.hi));
    }
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n, ...more] = words;
    return [w0, w1, w2, w3, ...more];
  }
}

/** The bytes of an STE that are read: overlays, translation hardening and stage 2 of Secure IPAs have fields beyond the first words. */
export function steBytes({ s2po, the, sel2 }: SmmuFeatures): number {
  return s2po || the || sel2 ? STE_BYTES : STE_TRANSLATION_BYTES;
}

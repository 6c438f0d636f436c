/** Memory as the SMMU itself reads and writes it: commands, records of queues, MSIs. (IHI 0070 3.5, 3.18.) */
import { EXTERNAL_ABORT, type PhysicalMemory } from '../../memory/index.ts';
import type { Changes } from '../caches/changes.ts';
import type { Msi } from './interrupts.ts';

const WORD_BYTES = 8n;
const PAGE_LOG2 = 12n;
const LOW = 0xffff_ffffn;
const HIGH = LOW << 32n;

export class DeviceMemory {
  readonly #memory: PhysicalMemory;
  readonly #zero: boolean;
  readonly #beyond: (pa: bigint) => void;
  readonly #told = new Set<bigint>();

  /**
   * @param zero - there are zeros outside RAM, and writes to there have no effect. Otherwise both are aborted.
   * @param beyond - told of such a zero, once for each page.
   */
  constructor(memory: PhysicalMemory, zero: boolean, beyond: (pa: bigint) => void) {
    this.#memory = memory;
    this.#zero = zero;
    this.#beyond = beyond;
  }

  /** A 64-bit word. Undefined: the read is aborted. */
  word(pa: bigint): bigint | undefined {
    const word = this.#memory.read64(pa);
    if (word !== EXTERNAL_ABORT) return word;
    if (!this.#zero) return undefined;
    const page = pa >> PAGE_LOG2;
    if (!this.#told.has(page)) {
      this.#told.add(page);
      this.#beyond(pa);
    }
    return 0n;
  }

  /** Writes a record of a queue, which no walk reads. False: the write is aborted. */
  record(address: bigint, words: readonly bigint[]): boolean {
    if (this.#memory.read64(address) === EXTERNAL_ABORT) return this.#zero;
    for (const [i, word] of words.entries()) {
      this.#memory.write64(address + BigInt(i) * WORD_BYTES, word);
    }
    return true;
  }

  /** An MSI that goes to RAM is written there; any other address belongs to an interrupt controller, which takes it by default. */
  send(msi: Msi, changes: Changes, controller: (msi: Msi) => boolean = () => true): boolean {
    const { address, data } = msi;
    const at = address - (address % WORD_BYTES);
    const old = this.#memory.read64(at);
    if (old === EXTERNAL_ABORT) return controller(msi);
    const value = address === at ? (old & HIGH) | data : (old & LOW) | (data << 32n);
    changes.hardwareWrite(Number(at), value, old);
    this.#memory.write64(at, value);
    return true;
  }
}

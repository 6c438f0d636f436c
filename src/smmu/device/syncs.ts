/** CMD_SYNCs that were consumed, and how software learns that one is complete: from CMDQ_CONS, an interrupt, or memory. (IHI 0070 4.7.3, 4.8.) */
import { SYNC_SIGNAL } from '../../arch/smmu/index.ts';
import type { SmmuCommand } from '../commands.ts';

/** A CMD_SYNC that software does not know to be complete. */
interface Sync {
  readonly moment: number;
  readonly interrupts: boolean;
  /** Where its MSI is written, and what. */
  readonly msi: { readonly address: bigint; readonly data: bigint } | undefined;
}

const WORD_BYTES = 8n;
const WORD = 0xffff_ffffn;

export class Syncs {
  #waiting: Sync[] = [];

  /** @param msis - whether the SMMU has MSIs. */
  consumed(moment: number, { fields }: SmmuCommand, msis: boolean): void {
    const { CS = 0n, MSIAddress = 0n, MSIData = 0n } = fields;
    const interrupts = Number(CS) === SYNC_SIGNAL.interrupt;
    const sent = msis && interrupts && MSIAddress !== 0n;
    const msi = sent ? { address: MSIAddress, data: MSIData } : undefined;
    this.#waiting.push({ moment, interrupts, msi });
  }

  /** Software sees that all were consumed. Returns the moment of the last, if there is one. */
  all(): number | undefined {
    return this.#done(() => true);
  }

  /** Software takes the interrupt of those that send one. */
  interrupting(): number | undefined {
    return this.#done(({ interrupts }) => interrupts);
  }

  /** Software finds a 64-bit word in memory: the MSI that wrote to it has come. */
  signalledAt(pa: bigint, value: bigint): number | undefined {
    return this.#done(({ msi }) => {
      if (msi === undefined || msi.address - (msi.address % WORD_BYTES) !== pa) return false;
      return ((msi.address === pa ? value : value >> 32n) & WORD) === msi.data;
    });
  }

  /** CMD_SYNCs complete in order: those before the last one that is known are complete as well. */
  #done(known: (sync: Sync) => boolean): number | undefined {
    const last = this.#waiting.findLastIndex(known);
    if (last < 0) return undefined;
    const { moment } = this.#waiting[last]!;
    this.#waiting = this.#waiting.slice(last + 1);
    return moment;
  }
}

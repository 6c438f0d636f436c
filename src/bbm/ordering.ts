/**
 * Barriers that are missing between the steps of a trace. For a PE: DSB makes a descriptor visible to walks and completes a TLBI
 * (DDI 0487 D8.2.6.1 RSPVBD, D8.17.1 RDDMVT, D8.17.8 RPSMWS, RTGVWD). For an SMMU: a barrier before the command is submitted, and CMD_SYNC after it (IHI 0070
 * 3.21.2, 4.8).
 */
import type { Machine } from '../tlb/conflict.ts';
import type { Barrier } from './barrier.ts';

/** A barrier that is missing before a step, or at the end. */
export interface MissingBarrier {
  /** `DSB ISHST`, `DSB ISH`, `ISB`, `CMD_SYNC`. */
  readonly barrier: string;
  /** The step that it is about. */
  readonly step: number;
  /** What may happen without it. */
  readonly why: string;
  readonly section: string;
}

/** Whether a barrier matters to a machine: CMD_SYNC is an SMMU's, ISB and DSB NSH are a PE's. */
export function concerns({ barrier }: MissingBarrier, machine: Machine): boolean {
  if (barrier === 'CMD_SYNC') return machine === 'smmu';
  return machine === 'pe' || (barrier !== 'ISB' && barrier !== 'DSB NSH');
}

interface Pending {
  readonly step: number;
  /** `TLBI VAE1IS`. */
  readonly name: string;
  /** Applies to other PEs too. */
  readonly broadcast: boolean;
  readonly keepsXs: boolean;
}

const VISIBLE = 'DDI 0487 D8.2.6.1 RSPVBD';
const SEQUENCE = 'DDI 0487 D8.17.1 RDDMVT';
const COMPLETE = 'DDI 0487 D8.17.8 RPSMWS';

/** Follows a trace, and says for each step which barriers are missing before it. */
export class Ordering {
  /** Writes that no DSB made visible yet. */
  #unseen: { readonly step: number; readonly loses: boolean }[] = [];
  /** TLBIs that no DSB completed yet, and commands that no CMD_SYNC completed. */
  #tlbis: Pending[] = [];
  #commands: Pending[] = [];
  /** The last DSB after a write, with no ISB since. */
  #unsynchronized: number | undefined;

  /** `makes`: the write makes something valid that a walk finds. `loses`: something that TLBs may hold is no longer there. */
  write(step: number, makes: boolean, loses: boolean): MissingBarrier[] {
    const missing = makes ? this.#incomplete('before the new entry is written') : [];
    this.#unseen.push({ step, loses });
    return missing;
  }

  tlbi(step: number, name: string, broadcast: boolean, keepsXs: boolean): MissingBarrier[] {
    const missing = this.#unbroken(
      (write) =>
        `${name} may act before the write of step ${write} is visible: the old entry may be cached again`,
      SEQUENCE,
    );
    this.#tlbis.push({ step, name, broadcast, keepsXs });
    return missing;
  }

  command(step: number, name: string): MissingBarrier[] {
    if (name === 'CMD_SYNC') {
      this.#commands = [];
      return [];
    }
    const missing = this.#unbroken(
      (write) => `${name} may act before the SMMU can observe the write of step ${write}`,
      'IHI 0070 3.21.1, 3.21.2',
    );
    this.#commands.push({ step, name, broadcast: true, keepsXs: false });
    return missing;
  }

  /** An access, or an instruction fetch, that a walk may follow. */
  access(fetch: boolean): MissingBarrier[] {
    const missing = [
      ...this.#invisible((write) => `the walk may not see the write of step ${write}`, VISIBLE),
      ...this.#incomplete('before this access'),
    ];
    const after = this.#unsynchronized;
    if (!fetch || after === undefined) return missing;
    const why = `an instruction may have been fetched through the old entry: the DSB of step ${after} is not a context synchronization event`;
    return [...missing, { barrier: 'ISB', step: after, why, section: 'DDI 0487 D8.17.1 IWZCBG' }];
  }

  /** What a barrier does, and what it looks as if it did. */
  barrier(step: number, { kind, accesses, local, keepsXs }: Barrier): MissingBarrier[] {
    if (kind === 'isb') this.#unsynchronized = undefined;
    if (kind !== 'dsb' || accesses === 'loads') return [];
    if (this.#unseen.length > 0 || this.#tlbis.length > 0) this.#unsynchronized = step;
    if (!local) this.#unseen = [];
    if (accesses === 'all') {
      this.#tlbis = this.#tlbis.filter((one) => (local && one.broadcast) || (keepsXs && !one.keepsXs));
    }
    return this.#tlbis.map((one) => ({
      barrier: one.broadcast ? 'DSB ISH' : 'DSB NSH',
      step: one.step,
      why: `this one does not complete ${one.name} of step ${one.step}: ${tooWeak(accesses, local && one.broadcast)}`,
      section: COMPLETE,
    }));
  }

  /** What is missing at the end, before the last changes may be relied on. */
  owed(): MissingBarrier[] {
    const visible = this.#invisible((write) => `a walk may not yet see the write of step ${write}`, VISIBLE);
    const complete = this.#incomplete('at the end');
    const pending = this.#unsynchronized !== undefined || visible.length + this.#tlbis.length > 0;
    const step = this.#unsynchronized ?? visible[0]?.step ?? this.#tlbis[0]?.step ?? 0;
    const isb = {
      barrier: 'ISB',
      step,
      why: 'on the PE that made the change: instructions may have been fetched through the old entry, and until then its own TLB may still hold it',
      section: 'DDI 0487 D8.17.1 IWZCBG, D8.17.8 RBLDZX',
    };
    return [...visible, ...complete, ...(pending ? [isb] : [])];
  }

  #invisible(why: (write: number) => string, section: string): MissingBarrier[] {
    const first = this.#unseen[0];
    return first === undefined ? [] : [missingStore(first.step, why, section)];
  }

  /** The same for an invalidation: only writes that leave something stale matter. */
  #unbroken(why: (write: number) => string, section: string): MissingBarrier[] {
    const first = this.#unseen.find(({ loses }) => loses);
    return first === undefined ? [] : [missingStore(first.step, why, section)];
  }

  #incomplete(when: string): MissingBarrier[] {
    const tlbis = this.#tlbis.map((one) => ({
      barrier: one.broadcast ? 'DSB ISH' : 'DSB NSH',
      step: one.step,
      why: `${one.name} of step ${one.step} is not complete ${when}`,
      section: COMPLETE,
    }));
    const [first] = this.#commands;
    if (first === undefined) return tlbis;
    const why = `${first.name} of step ${first.step} is not complete ${when}: being consumed does not complete it`;
    return [...tlbis, { barrier: 'CMD_SYNC', step: first.step, why, section: 'IHI 0070 4.8' }];
  }
}

function missingStore(step: number, why: (write: number) => string, section: string): MissingBarrier {
  return { barrier: 'DSB ISHST', step, why: why(step), section };
}

function tooWeak(accesses: Barrier['accesses'], local: boolean): string {
  if (accesses !== 'all') return 'it waits only for stores';
  return local ? 'it is for this PE only' : 'with nXS it does not wait for operations without nXS';
}

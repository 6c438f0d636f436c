/** What tables are meant to map: ranges of input addresses with what is wanted of each, rules for the whole space, and the state of the rest. */
import type { MachineRegime } from '../arch/regimes.ts';
import type { PaSpace, SecurityState } from '../arch/security.ts';
import type { AddressRange } from '../space/address-range.ts';
import type { Cacheability, DeviceType, Shareability } from '../walker/index.ts';

/** Rights of one privilege level. Absent members are not checked. */
export interface WantedRights {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly execute?: boolean;
}

/** A type of memory. Absent members are not checked. */
export interface WantedMemory {
  readonly type?: 'device' | 'normal';
  readonly device?: DeviceType;
  readonly inner?: Cacheability['policy'];
  readonly outer?: Cacheability['policy'];
  readonly tagged?: boolean;
  /** The byte of MAIR, 8 bits; `usual`: the usual byte of the type (read and write allocate, not transient). */
  readonly attr?: number | 'usual';
  /** The index into a MAIR that was not given. */
  readonly attrIndx?: number;
}

/** A field of a leaf descriptor by the manual's name (`AF`, `DBM`), or bits of it, and the value that it must have. */
export interface WantedField {
  /** As it was written: `AF`, `SW`, `bits[58:55]`. */
  readonly name: string;
  /** Bits by their numbers: `[high, low]`. Absent: the field of that name. */
  readonly bits?: readonly [high: number, low: number];
  readonly value: bigint;
}

/** What is wanted of a leaf, term by term. Absent members are not checked. */
export interface WantedTerms {
  /** Output address minus input address, in bytes: 0 for an identity mapping, negative if the output is lower. */
  readonly outputOffset?: bigint;
  /** Rights of privileged accesses, and of accesses from EL0. */
  readonly privileged?: WantedRights;
  readonly unprivileged?: WantedRights;
  readonly memory?: WantedMemory;
  readonly shareability?: Shareability;
  /** nG = 0. */
  readonly global?: boolean;
  readonly contiguous?: boolean;
  readonly guarded?: boolean;
  /** The physical address space of the output. */
  readonly pas?: PaSpace;
  /** Bytes of a leaf. With two stages, the bytes that both map in one piece. */
  readonly leafSize?: bigint;
  /** Arm's level, -1 to 3; `of its size`: stage 1 must have leaves of exactly the size that both stages map in one piece. */
  readonly level?: number | 'of its size';
  readonly kind?: 'block' | 'page';
  readonly fields?: readonly WantedField[];
}

/**
 * What is wanted of a range. `mapped`: some access reaches it, and the terms hold. `unmapped`: nothing is there. `any`: anything may be there.
 * `fault`: it has a leaf that no access reaches, for this reason (in a dump's words, or the beginning of them).
 */
export type Want =
  | ({ readonly state: 'mapped' } & WantedTerms)
  | ({ readonly state: 'fault'; readonly fault: string } & Pick<WantedTerms, 'outputOffset' | 'leafSize'>)
  | { readonly state: 'unmapped' }
  | { readonly state: 'any' };

/** A line of an intention: a range of input addresses, with both ends included, and what is wanted of it. */
export interface IntentLine extends AddressRange {
  /** Its place: a line of the text, counted from 1, or an index in JSON's `ranges`, counted from 0. */
  readonly line: number;
  readonly want: Want;
  /** Its name: the comment after it, or CSV's label. */
  readonly label?: string;
  /** Whether it may be extended to whole pages of the granule. */
  readonly rounded?: boolean;
}

/** The rights in a rule: of any privilege level, or only of unprivileged accesses. */
export interface RuleRights {
  readonly who: 'anyone' | 'unprivileged';
  /** All of them must be present at once. Empty: any right at all. */
  readonly letters: readonly ('read' | 'write' | 'execute')[];
}

/** `never …`: what may not be mapped anywhere. A leaf breaks the rule only if everything that it names applies. */
export interface IntentRule {
  readonly line: number;
  /** As it was written. */
  readonly text: string;
  /** Input addresses, and physical addresses that they may not lead to. Both ends are included. */
  readonly input?: AddressRange;
  readonly output?: AddressRange;
  readonly rights?: RuleRights;
  readonly terms?: WantedTerms;
}

/** What tables are meant to map. */
export interface Intent {
  /** The regimes that it is meant for; absent: any. */
  readonly regimes?: readonly MachineRegime[];
  /** The Security state of the accesses; absent: any. */
  readonly security?: SecurityState;
  /** Addresses that no line names. */
  readonly rest: 'unmapped' | 'any';
  /** The only input addresses that `rest` applies to; absent: all. */
  readonly only?: readonly AddressRange[];
  readonly lines: readonly IntentLine[];
  readonly rules: readonly IntentRule[];
  /** Notes on how it was read. */
  readonly notes: readonly string[];
}

/** Something in an intention that can't be understood, and where. */
export interface IntentProblem {
  /** As {@link IntentLine.line}; 0: the whole intention. */
  readonly line: number;
  readonly message: string;
  /** What would be accepted. */
  readonly hint?: string;
}

/** An intention that can't be understood, or does not fit this machine, with all its problems. Nothing was compared. */
export class IntentError extends Error {
  override readonly name = 'IntentError';
  readonly problems: readonly IntentProblem[];

  constructor(problems: readonly IntentProblem[]) {
    super(problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}

/** `line 3: …`. */
export function problemText({ line, message, hint }: IntentProblem): string {
  const where = line > 0 ? `line ${line}: ` : '';
  return `${where}${message}${hint === undefined ? '' : ` (${hint})`}`;
}

/** What tables are meant to map: ranges of input addresses and what is wanted of each, rules over the whole space, and what the rest is. */
import type { MachineRegime } from '../arch/regimes.ts';
import type { PaSpace, SecurityState } from '../arch/security.ts';
import type { AddressRange } from '../space/address-range.ts';
import type { Cacheability, DeviceType, Shareability } from '../walker/index.ts';

/** Rights of one privilege level. What is not named is not asked. */
export interface WantedRights {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly execute?: boolean;
}

/** A type of memory. What is not named is not asked. */
export interface WantedMemory {
  readonly type?: 'device' | 'normal';
  readonly device?: DeviceType;
  readonly inner?: Cacheability['policy'];
  readonly outer?: Cacheability['policy'];
  readonly tagged?: boolean;
  /** The byte of MAIR, 8 bits; `usual`: that which the name of the type stands for (read and write allocate, not transient). */
  readonly attr?: number | 'usual';
  /** The index into a MAIR that was not given. */
  readonly attrIndx?: number;
}

/** A field of a leaf descriptor by the manual's name (`AF`, `DBM`), or bits of it, and the value that it must have. */
export interface WantedField {
  /** As it was asked for: `AF`, `SW`, `bits[58:55]`. */
  readonly name: string;
  /** Bits by their numbers: `[high, low]`. Absent: the field of that name. */
  readonly bits?: readonly [high: number, low: number];
  readonly value: bigint;
}

/** What is wanted of a leaf, each term by itself. What is not named is not asked. */
export interface WantedTerms {
  /** Output address less input address, in bytes: 0 for an identity mapping. Negative where the output is lower. */
  readonly outputOffset?: bigint;
  /** Rights of privileged accesses, and of those from EL0. */
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
  /** Bytes of a leaf: of two stages, of what both map in one piece. */
  readonly leafSize?: bigint;
  /** Arm's level, -1 to 3; `of its size`: stage 1 has leaves of just the size that two stages map in one piece. */
  readonly level?: number | 'of its size';
  readonly kind?: 'block' | 'page';
  readonly fields?: readonly WantedField[];
}

/**
 * What is wanted of a range. `mapped`: some access reaches it, and the terms hold. `unmapped`: nothing is there. `any`: whatever there is.
 * `fault`: a leaf is there that no access reaches, for this reason (as a dump says it, or the beginning of that).
 */
export type Want =
  | ({ readonly state: 'mapped' } & WantedTerms)
  | ({ readonly state: 'fault'; readonly fault: string } & Pick<WantedTerms, 'outputOffset' | 'leafSize'>)
  | { readonly state: 'unmapped' }
  | { readonly state: 'any' };

/** A line of an intention: a range of input addresses, both ends inside, and what is wanted of it. */
export interface IntentLine extends AddressRange {
  /** Where it stands: a line of the text, counted from 1, or an index of JSON's `ranges`, counted from 0. */
  readonly line: number;
  readonly want: Want;
  /** What it is called: a comment behind it, or CSV's label. */
  readonly label?: string;
  /** It may be larger, up to whole pages of the granule. */
  readonly rounded?: boolean;
}

/** Rights that a rule is about: those of any privilege level, or of unprivileged accesses alone. */
export interface RuleRights {
  readonly who: 'anyone' | 'unprivileged';
  /** All of them at once; none: any right at all. */
  readonly letters: readonly ('read' | 'write' | 'execute')[];
}

/** `never …`: what may be mapped nowhere. All that it names must come together to break it. */
export interface IntentRule {
  readonly line: number;
  /** As it was written. */
  readonly text: string;
  /** Input addresses, and physical addresses that they may not lead to. Both ends inside. */
  readonly input?: AddressRange;
  readonly output?: AddressRange;
  readonly rights?: RuleRights;
  readonly terms?: WantedTerms;
}

/** What somebody means tables to map. */
export interface Intent {
  /** The regimes that it is meant for; absent: any. */
  readonly regimes?: readonly MachineRegime[];
  /** Whose accesses; absent: any. */
  readonly security?: SecurityState;
  /** Addresses that no line names. */
  readonly rest: 'unmapped' | 'any';
  /** The only input addresses that `rest` speaks of; absent: all. */
  readonly only?: readonly AddressRange[];
  readonly lines: readonly IntentLine[];
  readonly rules: readonly IntentRule[];
  /** What a reader should know of how it was read. */
  readonly notes: readonly string[];
}

/** Something in an intention that can't be understood, and where. */
export interface IntentProblem {
  /** As {@link IntentLine.line}; 0: the whole. */
  readonly line: number;
  readonly message: string;
  /** What would be understood. */
  readonly hint?: string;
}

/** An intention that can't be understood, or not by this machine: every problem of it. Nothing was compared. */
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

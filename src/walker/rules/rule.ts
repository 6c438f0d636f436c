/**
 * What register contents must be, and what happens if they are not. Each rule is declared once: the walk's parameters ask whether
 * one with the effect `fault` holds, and src/describe reports all that hold.
 */
import type { ConfigurationFault } from '../params/params.ts';

/** A field of a register or structure with a value that the architecture does not allow. */
export interface RegisterProblem {
  /** The field, with its register: `TCR_EL1.T0SZ`. */
  readonly field: string;
  /** Its value. */
  readonly value: bigint;
  /**
   * The consequence. `fault`: every access of the range (or stage) faults; `ignored`: hardware behaves as if it were not set;
   * `unpredictable`: hardware may choose, and this walker takes one of the choices.
   */
  readonly effect: 'fault' | 'ignored' | 'unpredictable';
  /** The rule in words, and what would be right. */
  readonly rule: string;
  /** The section of the rule: `DDI 0487 D8.1.9` (issue M.a), `IHI 0070 5.4` (issue G.b). */
  readonly section: string;
}

/** The names of a range's fields. */
export interface FieldNames {
  /** The table base register: `TTBR0_EL1`. */
  readonly base: string;
  readonly txsz: string;
  readonly tg: string;
  readonly ps: string;
  readonly sh: string;
  /** Any other field of the control register, by its name there. */
  readonly of: (name: string) => string;
  /** HPD, E0PD, TBI and others, which have a number if there are two ranges. */
  readonly numbered: (name: string) => string;
  /** Where the manual describes the control register, and the base register. */
  readonly section: string;
  readonly baseSection: string;
}

/** One rule about a subject: the fields, the parameters that follow from them, and what the PE implements. */
export interface RegisterRule<Subject, Names = FieldNames> {
  readonly effect: RegisterProblem['effect'];
  /** With the effect `fault`: the fault that every access of the range gets. */
  readonly fault?: ConfigurationFault;
  /** Whether the value is one that is not allowed. */
  readonly holds: (subject: Subject) => boolean;
  /** If it holds: which field, its value, and why. */
  readonly tell: (subject: Subject, names: Names) => Omit<RegisterProblem, 'effect'>;
}

/** The fault of the first rule that holds. The order of a list is the architecture's. */
export function faultOf<Subject, Names>(
  rules: readonly RegisterRule<Subject, Names>[],
  subject: Subject,
): ConfigurationFault | undefined {
  return rules.find((rule) => rule.fault !== undefined && rule.holds(subject))?.fault;
}

/** The problems of all rules that hold. */
export function problemsOf<Subject, Names>(
  rules: readonly RegisterRule<Subject, Names>[],
  subject: Subject,
  names: Names,
): RegisterProblem[] {
  return rules
    .filter((rule) => rule.holds(subject))
    .map((rule) => ({ effect: rule.effect, ...rule.tell(subject, names) }));
}

/** `16 to 39`, `30, 33`: the numbers of an ascending list. */
export function numbersText(numbers: readonly number[]): string {
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined) return 'none';
  if (first === last) return String(first);
  return last - first + 1 === numbers.length ? `${first} to ${last}` : numbers.join(', ');
}

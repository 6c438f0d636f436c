/** Collects findings: equal findings of one rule that follow each other become one. */
import type { RuleName } from './rules.ts';

/** A finding: the rule, where it is, and how far it extends. */
export interface Finding {
  readonly rule: RuleName;
  /** What is wrong there, with values. */
  readonly message: string;
  /** First and last input address, both inclusive. Undefined if the finding is not about addresses. */
  readonly first: bigint | undefined;
  last: bigint | undefined;
  /** The first descriptor with the problem, and its address. */
  readonly descriptor?: bigint;
  readonly at?: bigint;
  readonly stage?: 1 | 2;
  readonly level?: number;
  /** How many entries or ranges it stands for. */
  count: number;
}

/** The most findings to keep for one rule. Others are only counted. */
const MAX_OF_RULE = 1000;

export class Findings {
  readonly list: Finding[] = [];
  readonly #wanted: ReadonlySet<RuleName>;
  readonly #kept = new Map<RuleName, number>();
  readonly #open = new Map<RuleName, Finding>();
  /** How many findings were not kept, by rule. */
  readonly dropped = new Map<RuleName, number>();

  constructor(wanted: ReadonlySet<RuleName>) {
    this.#wanted = wanted;
  }

  wants(rule: RuleName): boolean {
    return this.#wanted.has(rule);
  }

  add(finding: Omit<Finding, 'count'>): void {
    const { rule } = finding;
    if (!this.#wanted.has(rule)) return;
    const open = this.#open.get(rule);
    const goesOn =
      open?.last !== undefined &&
      open.message === finding.message &&
      open.level === finding.level &&
      open.last + 1n === finding.first;
    if (open !== undefined && goesOn) {
      open.last = finding.last;
      open.count++;
      return;
    }
    const kept = this.#kept.get(rule) ?? 0;
    if (kept >= MAX_OF_RULE) {
      this.dropped.set(rule, (this.dropped.get(rule) ?? 0) + 1);
      return;
    }
    this.#kept.set(rule, kept + 1);
    const made: Finding = { ...finding, count: 1 };
    this.#open.set(rule, made);
    this.list.push(made);
  }
}

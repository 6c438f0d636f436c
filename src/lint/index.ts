/**
 * The table lint: what is wrong or suspicious in the tables of an address space.
 *
 * @example
 * import { lint, ruleNamed } from 'lpae/lint';
 * import { PhysicalMemory } from 'lpae/memory';
 * import { listSpace } from 'lpae/space';
 * import { createWalker } from 'lpae/walker';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1000n });
 * memory.write64(0x8000_0000n, 0x8000_0003n); // level 1, entry 0: a table, which is this one
 * const registers = { ttbr0: 0x8000_0000n, tcr: 0x2_8080_3519n, mair: 0xffn };
 * const walker = createWalker(memory, { regime: 'el1&0', registers, cpu: 'cortex-a72' });
 * const { findings } = lint({ translator: walker, ranges: listSpace(walker).ranges });
 * const errors = findings.filter(({ rule }) => ruleNamed(rule).severity === 'error');
 * console.log(errors.map(({ rule }) => rule)); // [ 'cycle', 'level-mix' ]
 */
import { isAArch32 } from '../arch/regimes.ts';
import type { Translator } from '../machine/machine.ts';
import { hex } from '../text/numbers.ts';
import { type Finding, Findings } from './findings.ts';
import { checkMappings, type Mapped } from './mappings.ts';
import type { MetTable } from './met-table.ts';
import { RULES, type RuleName, ruleNamed, SEVERITIES } from './rules.ts';
import { checkStructure, checkTables } from './structure.ts';

export type { Finding } from './findings.ts';
export type { Mapped } from './mappings.ts';
export { RULES, type Rule, type RuleName, ruleNamed, type Severity } from './rules.ts';

/** What is looked at. */
export interface LintInput {
  readonly translator: Translator;
  /** What it maps, as a dump lists it. */
  readonly ranges: readonly Mapped[];
  /** Frames of memory that are known to hold something: those that no entry leads to are reported. PAs, 4 KiB each. */
  readonly frames?: readonly bigint[];
  /** Default: all. */
  readonly rules?: readonly RuleName[];
}

/** What was found. */
export interface LintResult {
  /** The worst first, then by rule and address. */
  readonly findings: readonly Finding[];
  /** Findings of a rule beyond what a list is good for. */
  readonly dropped: ReadonlyMap<RuleName, number>;
  readonly tables: number;
}

/** Looks at every table once, and at what all of them map. Memory is only read, and nothing throws: what is wrong is a finding. */
export function lint(input: LintInput): LintResult {
  const { translator, ranges } = input;
  const findings = new Findings(new Set(input.rules ?? RULES.map(({ name }) => name)));
  const aarch32 = isAArch32(translator.regime);
  const tables: MetTable[] = [];
  for (const tree of translator.trees()) tables.push(...checkStructure(tree, aarch32, findings).values());
  checkTables(tables, findings);
  checkMappings(ranges, tables, translator.regime, findings);
  checkFrames(input.frames ?? [], tables, findings);
  const badness = ({ rule }: Finding) => SEVERITIES.indexOf(ruleNamed(rule).severity);
  const names = RULES.map(({ name }) => name);
  return {
    findings: findings.list.toSorted(
      (a, b) => badness(a) - badness(b) || names.indexOf(a.rule) - names.indexOf(b.rule),
    ),
    dropped: findings.dropped,
    tables: tables.length,
  };
}

const FRAME = 0x1000n;

function checkFrames(frames: readonly bigint[], tables: readonly MetTable[], findings: Findings): void {
  const reached = new Set<bigint>();
  for (const { base, bytes } of tables) {
    for (let at = (BigInt(base) / FRAME) * FRAME; at < BigInt(base + bytes); at += FRAME) reached.add(at);
  }
  for (const frame of frames) {
    if (reached.has(frame)) continue;
    const message = `no entry leads to the frame at ${hex(frame)}`;
    findings.add({ rule: 'unreachable-table', message, first: undefined, last: undefined, at: frame });
  }
}

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
import type { DescriptorSecurity } from '../arch/descriptors/index.ts';
import { isNested } from '../arch/regimes.ts';
import type { Translator } from '../machine/machine.ts';
import { hex } from '../text/numbers.ts';
import { unknownIndex } from '../walker/attributes.ts';
import type { TableTree } from '../walker/index.ts';
import { checkAliasesAcross, type NamedSpace } from './aliases.ts';
import { type Finding, Findings } from './findings.ts';
import { checkGranules } from './granules.ts';
import type { Reader } from './layout.ts';
import { checkMappings } from './mappings.ts';
import type { MetTable } from './met-table.ts';
import type { Mapped } from './placed.ts';
import { checkRegisters, type Derivation, rangeOf } from './registers.ts';
import { RULES, type RuleName, ruleNamed, SEVERITIES } from './rules.ts';
import { checkStructure, checkTables } from './structure.ts';
import { checkWalkAttributes } from './walk-attributes.ts';

export type { NamedSpace } from './aliases.ts';
export type { Finding } from './findings.ts';
export { ruleIn } from './other-words.ts';
export type { Mapped } from './placed.ts';
export type { Derivation } from './registers.ts';
export { RULES, type Rule, type RuleName, ruleNamed, type Severity } from './rules.ts';

/** The address space to check. */
export interface LintInput {
  readonly translator: Translator;
  /** Its mappings, as a dump lists them. */
  readonly ranges: readonly Mapped[];
  /** PAs of 4 KiB frames that are known to hold something. Those that no entry leads to are reported. */
  readonly frames?: readonly bigint[];
  /** The meaning of the registers, from `lpae/describe`. Without it, the rules about registers are skipped. */
  readonly derivation?: Derivation;
  /** The Security state of the walks. Default: not known, and a bit that means something in any state is not a finding. */
  readonly security?: DescriptorSecurity;
  /** Default: all. */
  readonly rules?: readonly RuleName[];
}

/** What was found. */
export interface LintResult {
  /** Sorted by severity, the worst first, then by rule and address. */
  readonly findings: readonly Finding[];
  /** How many more findings of a rule there are beyond those listed. */
  readonly dropped: ReadonlyMap<RuleName, number>;
  readonly tables: number;
  /** Rules that could not check every mapping, because memory types are not known without MAIR. */
  readonly skipped: readonly RuleName[];
}

/** Rules about memory types. */
const MEMORY_TYPES: readonly RuleName[] = ['device-executable', 'alias-attributes'];

/** Checks every table once, and all mappings. Memory is only read. Nothing throws: problems are findings. */
export function lint(input: LintInput): LintResult {
  const { translator, ranges, derivation } = input;
  const { regime } = translator;
  const findings = findingsOf(input.rules);
  const trees = translator.trees();
  if (derivation) checkRegisters(derivation, trees, findings);
  const tables: MetTable[] = [];
  for (const tree of trees) {
    const hpd = derivation && rangeOf(derivation, tree)?.hpd;
    const by: Reader = {
      regime,
      security: input.security,
      hierarchical: hpd === undefined ? undefined : !hpd,
      overlaysOff: hasOverlaysOff(derivation, tree),
    };
    tables.push(...checkStructure(tree, by, findings).values());
  }
  checkTables(tables, findings);
  const placed = checkMappings(ranges, tables, regime, findings);
  // Of stage 1 under stage 2 table addresses are IPAs, and what is mapped are PAs.
  if (derivation && !isNested(regime)) checkWalkAttributes(derivation, tables, placed, findings);
  if (translator.granuleProtection) checkGranules(translator.granuleProtection, ranges, findings);
  checkFrames(input.frames ?? [], tables, findings);
  const skipped = MEMORY_TYPES.filter((name) => findings.wants(name) && ranges.some(hasUnknownType));
  return { ...sorted(findings), tables: tables.length, skipped };
}

/**
 * Checks mappings across address spaces: physical memory that two of them map with attributes that do not go
 * together. Use {@link lint} for each space on its own.
 */
export function lintAcross(
  spaces: readonly NamedSpace[],
  rules?: readonly RuleName[],
): Pick<LintResult, 'findings' | 'dropped'> {
  const findings = findingsOf(rules);
  if (findings.wants('alias-attributes')) checkAliasesAcross(spaces, findings);
  return sorted(findings);
}

/** Whether stage 1 could have overlays and has none. */
function hasOverlaysOff(
  derivation: Derivation | undefined,
  { root, permissionRegisters }: TableTree,
): boolean {
  const { por, por0 } = permissionRegisters;
  const able = derivation !== undefined && 'cpu' in derivation && derivation.cpu.s1poe;
  return root.stage === 1 && able && por === undefined && por0 === undefined;
}

function findingsOf(rules: readonly RuleName[] | undefined): Findings {
  return new Findings(new Set(rules ?? RULES.map(({ name }) => name)));
}

function sorted({ list, dropped }: Findings): Pick<LintResult, 'findings' | 'dropped'> {
  const badness = ({ rule }: Finding) => SEVERITIES.indexOf(ruleNamed(rule).severity);
  const names = RULES.map(({ name }) => name);
  const findings = list.toSorted(
    (a, b) => badness(a) - badness(b) || names.indexOf(a.rule) - names.indexOf(b.rule),
  );
  return { findings, dropped };
}

function hasUnknownType({ result }: Mapped): boolean {
  return result.ok && unknownIndex(result.attributes) !== undefined;
}

const FRAME = 0x1000n;

function checkFrames(frames: readonly bigint[], tables: readonly MetTable[], findings: Findings): void {
  const reached = new Set<bigint>();
  for (const { tree, level, base, bytes, space } of tables) {
    const perFrame = Number(FRAME) / tree.reader.entryBytes;
    // When nested, the address of a stage 1 table is an IPA.
    for (let index = 0; index * tree.reader.entryBytes < bytes; index += perFrame) {
      const at = tree.entryAddress(level, base, index, space);
      if (at !== undefined) reached.add((BigInt(at) / FRAME) * FRAME);
    }
  }
  for (const frame of frames) {
    if (reached.has(frame)) continue;
    const message = `no entry leads to the frame at ${hex(frame)}`;
    findings.add({ rule: 'unreachable-table', message, first: undefined, last: undefined, at: frame });
  }
}

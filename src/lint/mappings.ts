/** The rules about mappings, whichever tables make them: rights, memory types, aliases, tables within reach. (DDI 0487 D8.4, D8.6.) */

import { isNested, isStage2Alone, isStream, type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { securityStates } from '../arch/security.ts';
import { unknownIndex } from '../walker/attributes.ts';
import type { Translation } from '../walker/index.ts';
import { checkAliases, checkWritableAliases } from './aliases.ts';
import type { Findings } from './findings.ts';
import type { MetTable } from './met-table.ts';
import { byOutput, inputOf, type Mapped, overlapping, type Placed } from './placed.ts';

/** Which rules about instruction fetches apply to a regime's mappings. */
interface Fetches {
  readonly device: boolean;
  readonly rights: boolean;
}

/**
 * One PA in two physical address spaces is two places, so overlaps are looked for in each space separately. (DDI 0487 D8.4.6.)
 * @returns the translations into the space that holds the tables, by output address.
 */
export function checkMappings(
  ranges: readonly Mapped[],
  tables: readonly MetTable[],
  regime: MachineRegime,
  findings: Findings,
): readonly Placed[] {
  const smmu = isStream(regime);
  // Stage 2 leaves it to stage 1 to decide who may execute what.
  const fetches: Fetches = { device: !smmu, rights: !smmu && !isStage2Alone(regime) };
  for (const range of ranges) checkRange(range, fetches, regime, findings);
  for (const space of securityStates) {
    const placed = byOutput(ranges.filter(({ result }) => result.ok && result.paSpace === space));
    if (findings.wants('alias-attributes')) checkAliases(placed.filter(isTypeKnown), findings);
    if (fetches.rights && findings.wants('writable-alias')) checkWritableAliases(placed, findings);
  }
  const own = byOutput(ranges.filter(({ result }) => result.ok && result.paSpace === result.security));
  // When nested, addresses of stage 1 tables are IPAs, but mappings lead to PAs.
  if (!isNested(regime)) checkTablesInReach(own, tables, findings);
  return own;
}

function checkRange(
  { first, last, result }: Mapped,
  fetches: Fetches,
  regime: MachineRegime,
  findings: Findings,
): void {
  if (!result.ok) {
    if (result.fault.kind === 'access_flag') {
      const message = traitsOf(regime).architecture === 'RISC-V' ? 'A is 0' : 'the access flag is 0';
      findings.add({ rule: 'access-flag', message, first, last });
    }
    return;
  }
  if (fetches.rights) checkRights(result, first, last, findings);
  const { privileged, unprivileged } = result.permissions;
  // With only stage 2, look at its own descriptor: stage 1 being off makes all data Device memory, which is not stage 2's doing.
  const attributes = isStage2Alone(regime) ? (result.stage2 ?? result).attributes : result.attributes;
  const isDevice = attributes.type === 'device' && unknownIndex(attributes) === undefined;
  if (fetches.device && isDevice && (privileged.execute || unprivileged.execute)) {
    findings.add({
      rule: 'device-executable',
      message: `Device-${attributes.device}, executable`,
      first,
      last,
    });
  }
}

/** Without MAIR the type of a leaf is not known. */
function isTypeKnown({ result }: Placed): boolean {
  return unknownIndex(result.attributes) === undefined;
}

function checkRights({ permissions }: Translation, first: bigint, last: bigint, findings: Findings): void {
  const { privileged, unprivileged } = permissions;
  const levels = [
    privileged.write && privileged.execute && 'privileged',
    unprivileged.write && unprivileged.execute && 'unprivileged',
  ].filter(Boolean);
  if (levels.length > 0) {
    const message = `writable and executable, ${levels.join(' and ')}`;
    findings.add({ rule: 'writable-executable', message, first, last });
  }
  if (unprivileged.execute && !unprivileged.read) {
    const also = privileged.execute
      ? 'privileged software executes it too'
      : privileged.write
        ? 'privileged software writes it'
        : 'execute-only';
    const message = `executable but not readable, unprivileged; ${also}`;
    findings.add({ rule: 'execute-unreadable', message, first, last });
  }
}

function checkTablesInReach(
  placed: readonly Placed[],
  tables: readonly MetTable[],
  findings: Findings,
): void {
  for (const { base, bytes, level, tree } of tables) {
    const [first, last] = [BigInt(base), BigInt(base + bytes - 1)];
    const found = {
      privileged: undefined as Placed | undefined,
      unprivileged: undefined as Placed | undefined,
    };
    for (const one of overlapping(placed, first, last)) {
      if (one.result.permissions.unprivileged.write) found.unprivileged ??= one;
      else if (one.result.permissions.privileged.write) found.privileged ??= one;
    }
    const report = (rule: 'table-writable' | 'table-writable-el0', one: Placed) => {
      const from = first > one.first ? first : one.first;
      const to = last < one.last ? last : one.last;
      const ia = inputOf(one, from);
      findings.add({
        rule,
        message: 'tables in writable memory',
        first: ia,
        last: ia + (to - from),
        stage: tree.root.stage,
        at: first,
        level,
      });
    };
    if (found.unprivileged) report('table-writable-el0', found.unprivileged);
    if (found.privileged) report('table-writable', found.privileged);
  }
}

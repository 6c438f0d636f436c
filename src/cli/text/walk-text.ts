/** A walk as lines: each descriptor that was read, and the result. */
import { isNested, type MachineRegime } from '../../arch/regimes.ts';
import { type PaSpace, securityName } from '../../arch/security.ts';
import { cacheControlName } from '../../describe/uncached.ts';
import { type Answer, permittedFaults, type Translator } from '../../machine/machine.ts';
import { probe } from '../../space/probe.ts';
import { columns } from '../../text/columns.ts';
import { denialText } from '../../text/denials.ts';
import { type Faulted, faultCodes, faultReason, faultText } from '../../text/fault.ts';
import {
  hasUnprivileged,
  memoryOf,
  memoryText,
  permissionText,
  SHAREABILITY,
  spaceText,
} from '../../text/leaf.ts';
import { hex, hexWord, sizeText } from '../../text/numbers.ts';
import { permissionIndexText } from '../../text/permission-index.ts';
import type { Style } from '../../text/style.ts';
import { tableLimits } from '../../text/table-limits.ts';
import { descriptorBits, reportForms } from '../../text/words.ts';
import { unknownIndex } from '../../walker/attributes.ts';
import { type ContiguousProblem, contiguousRun } from '../../walker/contiguous.ts';
import type { Access, MemoryAttributes, Translation, WalkStep } from '../../walker/index.ts';

/** `unprivileged write`. */
export function accessText({ access, privileged }: Access, regime: MachineRegime): string {
  return hasUnprivileged(regime)
    ? `${privileged === false ? 'unprivileged' : 'privileged'} ${access}`
    : access;
}

export function walkLines(result: Answer, access: Access, walker: Translator, style: Style): string[] {
  const wanted = accessText(access, walker.regime);
  return [
    `${style.title(hex(result.ia))}  ${wanted}${stateText(walker)}`,
    ...stepLines(result, walker, style),
    ...(result.ok
      ? [
          ...translationLines(result, walker.regime, style),
          ...permissionIndexText(result, walker).map((text) => `  by    ${text}`),
          ...runLines(result, walker, style),
        ]
      : faultLines(result, access, walker, style)),
  ];
}

/** The Security state of the access, if it matters. */
export function stateText({ security = 'non-secure' }: Translator): string {
  return security === 'non-secure' ? '' : `, ${securityName(security)} state`;
}

/** `L1[0x003] @0x40001018 = 0x0000000040002003  table -> 0x40002000`. */
function stepLines({ ia, steps }: Answer, walker: Translator, style: Style): string[] {
  const bothStages = isNested(walker.regime);
  const digits = [descriptorBits(walker, 1), descriptorBits(walker, 2)] as const;
  const rows = steps.map((step) => {
    // Stage-2 steps for a stage-1 fetch come before it, indented.
    const indent = step.s1Level === undefined ? '' : '  ';
    const stage = bothStages ? `S${step.stage} ` : '';
    const entry = `${indent}${stage}L${step.level}[${hex(step.index, 3)}]`;
    const word = step.descriptor === undefined ? '' : hexWord(step.descriptor, digits[step.stage - 1]);
    const outcome = outcomeText(step, limitsOf(step, ia, walker), style);
    const cells = [entry, `@${hex(step.address)}`, '=', word, outcome];
    return step.s1Level === undefined ? cells : cells.map((cell, i) => (i < 4 ? style.faint(cell) : cell));
  });
  return columns(rows, { indent: '  ', gap: ' ' });
}

function limitsOf({ kind, stage, level, descriptor = 0n }: WalkStep, ia: bigint, walker: Translator): string {
  return kind === 'table' ? tableLimits(descriptor, { stage, level, ia }, walker) : '';
}

/** `limits`: what a table forbids for everything below it. */
function outcomeText({ kind, output, descriptor }: WalkStep, limits: string, style: Style): string {
  const to = output === undefined ? '' : ` -> ${hex(output)}`;
  switch (kind) {
    case 'table':
      return ` ${style.table('table')}${to}${limits && `  ${style.warn(limits)}`}`;
    case 'block':
    case 'page':
      return ` ${style.leaf(kind)}${kind === 'page' ? ' ' : ''}${to}`;
    case 'invalid':
      return ` ${style.bad('invalid')}`;
    case 'granule_protection':
      return ` ${style.bad('not read: granule protection')}`;
    case 'external_abort':
      return ` ${style.bad(descriptor === undefined ? 'no answer: outside RAM' : 'external abort')}`;
  }
}

function translationLines(result: Translation, regime: MachineRegime, style: Style): string[] {
  const { pa, size, leafBase, level, permissions } = result;
  const { attributes, shareability, combined } = memoryOf(result, regime);
  const leaf =
    level === undefined ? 'translation is off' : `${sizeText(size)} at ${hex(leafBase)}, level ${level}`;
  const flags = [
    result.global ? 'global' : 'not global (nG)',
    result.contiguous && 'contiguous hint',
    result.guarded && 'guarded page',
  ].filter(Boolean);
  const { privileged, unprivileged } = permissions;
  const rights = hasUnprivileged(regime)
    ? `privileged ${permissionText(privileged)}, unprivileged ${permissionText(unprivileged)}`
    : permissionText(privileged);
  const space = spaceText(result);
  const from = result.ipaSpace === undefined ? '' : `  ${securityName(result.ipaSpace)}`;
  const ipa = result.stage1 ? [`  IPA   ${hex(result.stage1.oa)}${from}`] : [];
  return [
    ...ipa,
    `  ${style.good('PA')}    ${style.title(hex(pa))}${space && `  ${space}`}  (${leaf})`,
    `  may   ${rights}`,
    `  as    ${typeText(attributes)}, ${SHAREABILITY[shareability][0]}; ${flags.join(', ')}`,
    ...(combined ? [`        with stage 1 off in front of it: ${typeText(combined)}`] : []),
    ...effectiveLines(result, regime, style),
    ...fetchLines(result, style),
  ];
}

/** The memory type of this access, if a register changes it. */
function effectiveLines({ effective }: Translation, regime: MachineRegime, style: Style): string[] {
  if (effective === undefined) return [];
  const { attributes, shareability, by } = effective;
  const why = by.map(
    (control) => `${cacheControlName(control, regime)} = ${control.startsWith('HCR') ? 1 : 0}`,
  );
  return [
    `  ${style.warn('but')}   ${typeText(attributes)}, ${SHAREABILITY[shareability][0]}, for this access: ${why.join(', ')}`,
  ];
}

/** `Device-nGnRE (0x04)`. An unknown type has no byte. */
function typeText(memory: MemoryAttributes): string {
  const known = unknownIndex(memory) === undefined;
  return `${memoryText(memory)}${known ? ` (${hex(memory.byte, 2)})` : ''}`;
}

/** If the architecture permits two results, both are shown. */
function fetchLines({ fetchedAs, permitted = [] }: Translation, style: Style): string[] {
  if (fetchedAs === undefined) return [];
  const { attributes } = fetchedAs;
  return [
    `  fetch as ${typeText(attributes)}, ${style.warn('or')} a ${permitted.map((fault) => faultText(fault)).join(', or a ')}: both are permitted of Device memory (DDI 0487 B2.10.2)`,
  ];
}

/** The permitted alternative to the fault that is shown. */
function permittedLines(result: Answer): string[] {
  return permittedFaults(result).map(
    (fault) =>
      `  or    ${faultText(fault)}: permitted as well, of a fetch from Device memory (DDI 0487 B2.10.2)`,
  );
}

const RUN_PROBLEMS: Readonly<Record<ContiguousProblem['reason'], string>> = {
  not_contiguous: 'its Contiguous bit is clear',
  output: "its output does not follow its neighbour's",
  attributes: 'its attributes or permissions differ',
};

/** The contiguous run of a leaf. A walk treats the bit as a hint, but a TLB may rely on it. */
function runLines({ ia }: Translation, walker: Translator, style: Style): string[] {
  const run = contiguousRun(walker, ia);
  if (run === undefined) return [];
  const problems = run.problems.map(
    ({ entry, ia, descriptor, reason }) =>
      `        ${style.bad(`entry ${entry}`)} at ${hex(ia)} = ${hexWord(descriptor)}: ${RUN_PROBLEMS[reason]}`,
  );
  const verdict = problems.length === 0 ? 'well made' : style.bad('misprogrammed');
  return [`  run   ${run.entries} entries, ${sizeText(run.size)} at ${hex(run.ia)}, ${verdict}`, ...problems];
}

/** What the device sees of an SMMU's fault, if it is not an abort. */
function responseLines(result: Faulted): string[] {
  if (!('response' in result)) return [];
  switch (result.response) {
    case 'abort':
      return [];
    case 'raz/wi':
      return ['  then  the device sees no error (CD.A = 0): a read gives 0, a write does nothing'];
    case 'stall':
      return ['  then  the transaction waits until software resumes or terminates it (CD.S, STE.S2S)'];
  }
}

function faultLines(result: Faulted, access: Access, walker: Translator, style: Style): string[] {
  const { fault, steps } = result;
  const wanted = accessText(access, walker.regime);
  const ipa = !('level' in fault) || fault.ipa === undefined ? '' : `, ${ipaText(fault, fault.ipa)}`;
  return [
    `  ${style.bad('FAULT')} ${faultText(fault, walker.regime)}${ipa}`,
    `  why   ${faultReason(fault, steps, wanted, walker)}${allowedText(result, access, walker)}`,
    ...denialLines(fault, walker.regime),
    `  code  ${faultCodes(result, access, walker.regime, reportForms(walker))}`,
    ...permittedLines(result),
    ...responseLines(result),
  ];
}

/** An IPA, with its address space outside Non-secure state. */
function ipaText({ ipaSpace }: { readonly ipaSpace?: PaSpace }, ipa: bigint): string {
  return `${ipaSpace === undefined ? '' : `${securityName(ipaSpace)} `}IPA ${hex(ipa)}`;
}

/** Each field and register bit that is enough to deny the access. */
function denialLines(fault: Faulted['fault'], regime: MachineRegime): string[] {
  const denied = fault.kind === 'permission' && 'denied' in fault ? fault.denied : undefined;
  return (denied ?? []).map((denial) => `  by    ${denialText(denial, regime)}`);
}

/**
 * After a permission fault: what would have been allowed. Left out for a fault of the walk itself, and where it would
 * contradict the fault (a stream that overrides the attributes of its accesses).
 */
function allowedText({ ia, fault }: Faulted, access: Access, walker: Translator): string {
  if (fault.kind !== 'permission' || fault.ptw) return '';
  const other = probe(walker, ia, false);
  if (!other.ok) return '; no other access is allowed';
  const { privileged, unprivileged } = other.permissions;
  const byPan = fault.denied?.some(({ by }) => by === 'PAN' || by === 'EPAN') === true;
  const asked = access.privileged === false && hasUnprivileged(walker.regime) ? unprivileged : privileged;
  if (asked[access.access] && !byPan) return '';
  const rights = hasUnprivileged(walker.regime)
    ? `privileged ${permissionText(privileged)}, unprivileged ${permissionText(unprivileged)}`
    : permissionText(privileged);
  return `; ${access.pan || byPan ? 'without PAN ' : ''}it allows ${rights}`;
}

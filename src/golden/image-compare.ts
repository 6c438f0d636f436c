/** Compares an answer with the one that a golden image wants, and describes each in one line. */

import { placeAddress, read } from '../arch/read.ts';
import { HPFAR_EL2 } from '../arch/registers/fault.ts';
import { PAR_ADDRESS } from '../arch/registers/par.ts';
import { type PaSpace, securityWord } from '../arch/security.ts';
import { type Answer, permittedFaults } from '../machine/machine.ts';
import { eventNumber } from '../smmu/events.ts';
import { hex } from '../text/numbers.ts';
import { encodeShareability, unknownIndex } from '../walker/attributes.ts';
import { type Fault, type MemoryAttributes, parEl1, type Translation } from '../walker/index.ts';
import type { Expectation, ExpectedFault } from './image-file.ts';

type AnswerFault = Extract<Answer, { ok: false }>['fault'];

/** The first difference. */
export interface Mismatch {
  /** What follows the answer's place in the file: `.pa`, `.fault.level`. */
  readonly member: string;
  readonly want: string;
  readonly got: string;
}

/**
 * The first difference, or undefined when every claim is right. `updates` is not compared here, since an answer does not show it. `event` is the
 * number of the event that the row's producer recorded, if that is the wanted answer.
 */
export function mismatch(wanted: Expectation, got: Answer, event?: number): Mismatch | undefined {
  const whole = (member: string | undefined) =>
    member === undefined
      ? undefined
      : { member, want: describeExpectation(wanted), got: describeAnswer(got) };
  if (wanted.fault !== undefined) {
    if (isPermitted(wanted.fault, got)) return undefined;
    if (got.ok) return whole('.fault');
    // `abort` is what a device sees of any transaction that is terminated without an event.
    if (wanted.fault.kind === 'abort') return whole('event' in got && !got.event ? undefined : '.fault.kind');
    return whole(faultMismatch(wanted.fault, got.fault) ?? eventMismatch(got.fault, event));
  }
  if (!got.ok || got.pa !== wanted.pa) return whole('.pa');
  // For a fetch from Device memory: the type that the fetch treats it as, not the type of the location.
  const { attributes, shareability } = got.fetchedAs ?? got;
  const claims: readonly (readonly [string, Claim | undefined, Claim | undefined])[] = [
    ['.attr', hexByte(wanted.attr), attrOf(attributes)],
    ['.sh', wanted.sh, encodeShareability(shareability)],
    // PAR.NS is UNKNOWN in Non-secure state, so it is no claim there. (D24.2.142)
    ['.ns', got.security === 'non-secure' ? undefined : wanted.ns, parNs(got)],
    ['.xs', wanted.xs, Number(got.attributes.xs)],
    ['.pas', wanted.pas, securityWord(got.paSpace)],
    ['.level', wanted.level, got.level],
    ['.s2_level', wanted.s2Level, got.stage2?.level],
    ['.ipa', hexOf(wanted.ipa), hexOf(got.stage1?.oa)],
    ['.ipas', wanted.ipas, spaceWord(got.ipaSpace)],
  ];
  const wrong = claims.find(([, want, found]) => want !== undefined && want !== found);
  if (wrong === undefined) return undefined;
  const [member, want, found] = wrong;
  return { member, want: String(want), got: found === undefined ? 'none' : String(found) };
}

/** Whether it is one of the faults that the architecture permits instead of the walk's own answer. */
function isPermitted(wanted: ExpectedFault, answer: Answer): boolean {
  return permittedFaults(answer).some((fault) => faultMismatch(wanted, fault) === undefined);
}

type Claim = number | string;

function hexOf(value: bigint | undefined): string | undefined {
  return value === undefined ? undefined : hex(value);
}

/** In Non-secure state there is only one space, and answers do not name it. */
function spaceWord(space: PaSpace = 'non-secure'): string {
  return securityWord(space);
}

/** The byte, or what is known of it if the file has no mair. */
function attrOf(attributes: MemoryAttributes): string | undefined {
  return unknownIndex(attributes) === undefined ? hexByte(attributes.byte) : 'not known: no mair is given';
}

function hexByte(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `0x${value.toString(16).padStart(2, '0')}`;
}

/** A row's NS is the NS bit of PAR_EL1. */
function parNs(translation: Translation): number {
  return read(parEl1(translation), PAR_ADDRESS.fields.NS);
}

/** The page of an IPA, which is all that HPFAR_EL2 reports. */
const reported = (ipa: bigint) => placeAddress(HPFAR_EL2.fields.FIPA, ipa);

function faultMismatch(wanted: ExpectedFault, got: AnswerFault): string | undefined {
  if (wanted.kind === undefined) return undefined;
  if (got.kind !== wanted.kind) return '.fault.kind';
  if (wanted.fetch !== undefined && got.fetchAddress !== wanted.fetch) return '.fault.fetch';
  // A fault in the SMMU's configuration has no stage and no level.
  if (!('stage' in got)) return undefined;
  if (wanted.kind === 'granule_protection') {
    const wrong = gpcMismatch(wanted, got as Fault);
    if (wrong !== undefined) return wrong;
  }
  if (wanted.stage !== undefined && got.stage !== wanted.stage) return '.fault.stage';
  if (wanted.level !== undefined && got.level !== wanted.level) return '.fault.level';
  if ((got.ptw ?? false) !== (wanted.ptw ?? false)) return '.fault.ptw';
  if (wanted.s1Level !== undefined && got.s1Level !== wanted.s1Level) return '.fault.s1_level';
  if (wanted.class !== undefined && (!('class' in got) || got.class !== wanted.class)) return '.fault.class';
  if (wanted.ipa !== undefined && reported(got.ipa ?? 0n) !== reported(wanted.ipa)) return '.fault.ipa';
  if (wanted.ipas !== undefined && spaceWord(got.ipaSpace) !== wanted.ipas) return '.fault.ipas';
  const { iss2 } = wanted;
  const bit = iss2 && ISS2_BITS.find(([, name]) => (iss2[name] ?? false) !== (got[name] ?? false));
  return bit === undefined ? undefined : `.fault.${bit[0]}`;
}

/** A fault on the access itself, or on a fetch, which has a stage and a level. */
function gpcMismatch(wanted: ExpectedFault, got: Fault): string | undefined {
  if (wanted.gpc !== undefined && got.gpc !== wanted.gpc) return '.fault.gpc';
  if (wanted.gptLevel !== undefined && got.gptLevel !== wanted.gptLevel) return '.fault.gpt_level';
  return (wanted.output ?? false) === (got.output ?? false) ? undefined : '.fault.output';
}

/** Bits of ISS2, by the file's names. */
const ISS2_BITS = [
  ['overlay', 'overlay'],
  ['dirty_bit', 'dirtyBit'],
  ['assured_only', 'assuredOnly'],
  ['top_level', 'topLevel'],
  ['tag_access', 'tagAccess'],
] as const;

function eventMismatch(got: AnswerFault, event: number | undefined): string | undefined {
  return event === undefined || eventNumber(got.kind) === event ? undefined : '.event';
}

/** `pa 0x900001234 attr 0xff sh 3`, or `translation fault, stage 1 level 2`. */
export function describeExpectation({ fault, pa, attr, sh, ns, pas, level, ipa }: Expectation): string {
  if (fault !== undefined) return describeFault(fault);
  const parts = [
    `pa ${hex(pa ?? 0n)}`,
    attr !== undefined && `attr ${hex(attr)}`,
    sh !== undefined && `sh ${sh}`,
    ns !== undefined && `ns ${ns}`,
    pas !== undefined && `pas ${pas}`,
    level !== undefined && `level ${level}`,
    ipa !== undefined && `ipa ${hex(ipa)}`,
  ];
  return parts.filter(Boolean).join(' ');
}

export function describeAnswer(answer: Answer): string {
  if (!answer.ok) return describeFault({ ...answer.fault, ptw: 'ptw' in answer.fault });
  const { pa, level, stage1 } = answer;
  const { attributes, shareability } = answer.fetchedAs ?? answer;
  const sh = encodeShareability(shareability);
  return describeExpectation({
    pa,
    attr: attributes.byte,
    sh,
    ...(answer.security !== 'non-secure' && { ns: parNs(answer), pas: securityWord(answer.paSpace) }),
    ...(level !== undefined && { level }),
    ...(stage1 && { ipa: stage1.oa }),
  });
}

function describeFault(fault: ExpectedFault): string {
  const { kind, stage, level, ptw, s1Level, ipa, gpc, gptLevel, output } = fault;
  const parts = [
    gpc,
    gptLevel !== undefined && `GPT level ${gptLevel}`,
    output && 'on the access itself',
    stage !== undefined && `stage ${stage}`,
    level !== undefined && `level ${level}`,
    fault.class !== undefined && `class ${fault.class}`,
    ptw && `on the stage-1 walk${s1Level === undefined ? '' : ` at level ${s1Level}`}`,
    ipa !== undefined && `IPA ${hex(ipa)}`,
  ];
  return [kind === undefined ? 'a fault' : `${kind} fault`, ...parts.filter(Boolean)].join(', ');
}

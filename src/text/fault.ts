/** Why a walk ended in a fault, in words, and the codes that software sees. */
import { GPI_VALUES } from '../arch/descriptors/gpt.ts';
import { TABLE_DESCRIPTOR } from '../arch/descriptors/index.ts';
import { isSet, read } from '../arch/read.ts';
import { isAArch32Stage, type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { securityName } from '../arch/security.ts';
import type { Answer, Translator } from '../machine/machine.ts';
import { eventNumber } from '../smmu/events.ts';
import type { ConfigurationFault, SmmuFault } from '../smmu/index.ts';
import { faultStatusCode, isGpcException, shortFaultStatus } from '../walker/fault-codes.ts';
import {
  type Access,
  dfsr,
  esr,
  type Fault,
  type GpcKind,
  hpfarEl2,
  ifsr,
  type WalkStep,
} from '../walker/index.ts';
import { denialsText } from './denials.ts';
import { hasUnprivileged } from './leaf.ts';
import { maliFaultCodes } from './mali.ts';
import { hex, hexWord } from './numbers.ts';
import { riscvFaultCodes, riscvFaultReason, riscvFaultText } from './riscv.ts';
import { descriptorBits, parName, parWord, regimeForms } from './words.ts';

const FAULT_NAMES: Readonly<Record<Fault['kind'], string>> = {
  translation: 'translation fault',
  access_flag: 'access flag fault',
  permission: 'permission fault',
  address_size: 'address size fault',
  external_walk: 'synchronous external abort on the walk',
  domain: 'domain fault',
  granule_protection: 'granule protection fault',
};

const GPC_NAMES: Readonly<Record<GpcKind, string>> = {
  fail: 'granule protection fault',
  walk: 'GPT walk fault',
  address_size: 'GPT address size fault',
  external: 'synchronous external abort on a GPT fetch',
};

/** A PE's fault or an SMMU's. */
export type Faulted = Extract<Answer, { ok: false }>;

/** Faults of an SMMU's configuration: the event's name, and why. */
const CONFIGURATION: Readonly<Record<ConfigurationFault['kind'], readonly [name: string, why: string]>> = {
  c_bad_streamid: ['C_BAD_STREAMID', 'the StreamID is beyond the stream table'],
  f_ste_fetch: ['F_STE_FETCH', 'no RAM where the stream table entry should be'],
  c_bad_ste: ['C_BAD_STE', 'the stream table entry is not valid, or ILLEGAL'],
  c_bad_substreamid: ['C_BAD_SUBSTREAMID', 'the SubstreamID has no context descriptor'],
  f_stream_disabled: ['F_STREAM_DISABLED', 'STE.S1DSS does not let the transaction pass'],
  f_cd_fetch: ['F_CD_FETCH', 'no RAM where the context descriptor should be'],
  c_bad_cd: ['C_BAD_CD', 'the context descriptor is not valid, or ILLEGAL'],
  abort: ['aborted', 'the stream table entry, or the SMMU, aborts every transaction of the stream'],
};

/** Names of the events that translation faults record. */
const EVENTS: Readonly<Record<Fault['kind'], string>> = {
  translation: 'F_TRANSLATION',
  access_flag: 'F_ACCESS',
  permission: 'F_PERMISSION',
  address_size: 'F_ADDR_SIZE',
  external_walk: 'F_WALK_EABT',
  domain: '',
  granule_protection: '',
};

/** `translation fault, stage 1, level 3`, or `C_BAD_CD`; of a RISC-V hart's `regime` in its own words. */
export function faultText(fault: Fault | SmmuFault, regime?: MachineRegime): string {
  if (!('level' in fault)) return CONFIGURATION[fault.kind][0];
  if (isRiscv(regime)) return riscvFaultText(fault);
  const { kind, stage, level, ptw, s1Level } = fault;
  if ('gpc' in fault && fault.gpc !== undefined) return gpcText(fault, fault.gpc);
  const where = `${FAULT_NAMES[kind]}, stage ${stage}, level ${level}`;
  if ('class' in fault && fault.class === 'cd') return `${where}, on the fetch of the context descriptor`;
  return ptw ? `${where}, on the fetch of the stage-1 level ${s1Level} descriptor` : where;
}

/** `granule protection fault at GPT level 1, on the access itself`, `GPT walk fault at GPT level 0, on the stage 1 level 3 fetch`. */
function gpcText({ gptLevel, stage, level, output, ptw, s1Level }: Fault, gpc: GpcKind): string {
  const what = `${GPC_NAMES[gpc]} at GPT level ${gptLevel}`;
  if (output) return `${what}, on the access itself`;
  const fetch = `${what}, on the fetch of the stage-${stage} level ${level} descriptor`;
  return ptw ? `${fetch}, for the stage-1 level ${s1Level} descriptor` : fetch;
}

/** Why a granule protection check failed. */
function gpcReason(fault: Fault): string {
  const { gpc, gpi, pa = 0n, paSpace = 'non-secure', gptLevel } = fault;
  const access = `${securityName(paSpace)} PA ${hex(pa)}`;
  switch (gpc) {
    case 'walk':
      return gptLevel === 0
        ? `GPCCR_EL3, or the level 0 entry of the granule protection table for ${access}, is not valid`
        : `the level 1 entry of the granule protection table for ${access} is not valid`;
    case 'address_size':
      return `the granule protection table lies, or leads, beyond the protected addresses (GPCCR_EL3.PPS), for ${access}`;
    case 'external':
      return `no RAM where the level ${gptLevel} entry of the granule protection table for ${access} should be`;
    default:
      return gpi === undefined
        ? `${access} may not be accessed, as GPCCR_EL3 says (PPS, SPAD, NSPAD, RLPAD)`
        : `the granule of ${access} is for others: GPI 0b${gpi.toString(2).padStart(4, '0')}, ${GPI_VALUES[gpi]}`;
  }
}

const { Valid, Type } = TABLE_DESCRIPTOR.fields;

/** True if a long descriptor's valid bit is set. An invalid one then has a type that its level does not allow. */
export function saysValid(word: bigint): boolean {
  return isSet(word, Valid);
}

/** `bits [1:0] = 0b01 are reserved`: for a descriptor whose valid bit is set although it is invalid. */
export function reservedType(word: bigint): string {
  const bits = read(word, { high: Type.high, low: Valid.low });
  return `bits [${Type.high}:${Valid.low}] = 0b${bits.toString(2).padStart(2, '0')} are reserved`;
}

const isRiscv = (regime: MachineRegime | undefined) =>
  regime !== undefined && traitsOf(regime).architecture === 'RISC-V';

/** The reason of a fault, from the last step of the walk and what the walk says of it. `wanted` is the access in words. */
export function faultReason(
  fault: Fault | SmmuFault,
  steps: readonly WalkStep[],
  wanted: string,
  translator: Translator,
): string {
  if (!('level' in fault)) return configurationReason(fault);
  if (isRiscv(translator.regime)) return riscvFaultReason(fault, steps, wanted);
  const step = steps.at(-1);
  const entry =
    step?.descriptor === undefined
      ? ''
      : `${hexWord(step.descriptor, descriptorBits(translator, step.stage))} at ${hex(step.address)}`;
  switch (fault.kind) {
    case 'translation':
      if (fault.denied !== undefined) return denialsText(fault.denied, translator.regime);
      if (step === undefined || step.kind !== 'invalid') {
        if (traitsOf(translator.regime).architecture === 'Mali')
          return 'the address has more than 48 bits, or AS_TRANSTAB does not turn translation on';
        return 'the address is outside what the registers translate (TxSZ, EPDx), before any table is read';
      }
      if (step.descriptor === undefined || !saysValid(step.descriptor))
        return `${entry} is not valid: bit 0 is clear`;
      return `${entry} is not valid: ${reservedType(step.descriptor)} at level ${step.level}`;
    case 'access_flag':
      return `${entry} has AF (bit 10) clear, and hardware is not to set it`;
    case 'permission':
      return `${entry} does not allow ${deniedAccess(fault, wanted)}`;
    case 'address_size':
      return step
        ? `${entry} leads beyond the output size`
        : 'the address or the table base is beyond the output size';
    case 'external_walk':
      return `no RAM at ${hex(step?.address ?? fault.descriptorAddress ?? 0n)}, where the descriptor should be`;
    case 'granule_protection':
      return gpcReason(fault as Fault);
    case 'domain':
      return `domain ${fault.domain ?? '?'} is not accessible (DACR)`;
  }
}

/** What was not allowed: the access, or what the walk itself does with descriptors of stage 1 and their like. */
function deniedAccess(fault: Fault | Extract<SmmuFault, { level: number }>, wanted: string): string {
  if ('class' in fault && fault.class === 'cd') return 'the read of the context descriptor';
  if (!fault.ptw) return wanted;
  return fault.update
    ? `the hardware update of the stage-1 level ${fault.s1Level} descriptor, which is a write`
    : `the walk's read of the stage-1 level ${fault.s1Level} descriptor`;
}

function configurationReason({ kind, fetchAddress }: ConfigurationFault): string {
  const where = fetchAddress === undefined ? '' : `: ${hex(fetchAddress)}`;
  return `${CONFIGURATION[kind][1]}${where}`;
}

/** The codes that software would see: `FSC 0x07, ESR_EL1 0x96000007, PAR_EL1 0x000000000000080f`; for an SMMU, the event. */
export function faultCodes(
  result: Faulted,
  access: Access,
  regime: MachineRegime,
  forms = regimeForms(regime),
): string {
  if ('event' in result) return eventText(result);
  if (isRiscv(regime)) return riscvFaultCodes(result.fault, result.ia, access);
  const { architecture } = traitsOf(regime);
  const short = forms.shortStage1 && result.fault.stage === 1;
  if (architecture === 'Mali') return maliFaultCodes(result.fault);
  const status = short
    ? `FS ${hex(shortFaultStatus(result.fault), 2)}`
    : `FSC ${hex(faultStatusCode(result.fault), 2)}`;
  const hpfar = hpfarEl2(result.fault);
  return [
    status,
    syndromeText(result.fault, access, regime, short),
    `${parName(regime)} ${parWord(result, forms)}`,
    hpfar === undefined ? '' : `HPFAR_EL2 ${hexWord(hpfar)}`,
    iss2Text(result.fault),
  ]
    .filter(Boolean)
    .join(', ');
}

/** Bits of ESR_ELx.ISS2 that a permission fault sets: `ISS2 Overlay`. */
function iss2Text({ overlay, dirtyBit, assuredOnly, topLevel, tagAccess }: Fault): string {
  const bits = [
    overlay && 'Overlay',
    dirtyBit && 'DirtyBit',
    assuredOnly && 'AssuredOnly',
    topLevel && 'TopLevel',
    tagAccess && 'TagAccess',
  ].filter(Boolean);
  return bits.length === 0 ? '' : `ISS2 ${bits.join(', ')}`;
}

/** The syndrome of the exception: ESR of the level that takes it, or in AArch32 DFSR or IFSR (HSR in Hyp mode). */
function syndromeText(
  fault: Fault,
  { access, privileged = true }: Access,
  regime: MachineRegime,
  short: boolean,
): string {
  const name = syndromeRegister(fault, access, regime);
  if (name === 'DFSR' || name === 'IFSR') {
    const long = !short;
    const value = name === 'IFSR' ? ifsr(fault, { long }) : dfsr(fault, { long, write: access === 'write' });
    return `${name} ${hex(value, 8)}`;
  }
  const fromLower = fault.stage === 2 || (!privileged && hasUnprivileged(regime));
  return name && `${name} ${hex(esr(fault, { access, fromLower }), 8)}`;
}

function syndromeRegister(fault: Fault, access: Access['access'], regime: MachineRegime): string {
  const { el } = traitsOf(regime);
  const level = fault.stage === 2 ? 2 : el;
  if (level === undefined) return '';
  // Without SCR_EL3.GPF a granule protection fault is an abort; what is wrong with the table goes to EL3.
  if (isGpcException(fault, false)) return 'ESR_EL3';
  const aarch32 = isAArch32Stage(regime, fault.stage);
  if (aarch32) {
    if (level === 2) return 'HSR';
    return access === 'execute' ? 'IFSR' : 'DFSR';
  }
  return `ESR_EL${level}`;
}

/** `F_TRANSLATION (0x10), event 0x… 0x… 0x… 0x…`: its 64-bit words, the first one first. */
function eventText({ fault, event }: Extract<Faulted, { event: unknown }>): string {
  if (event === undefined) return 'no event is recorded';
  const name = 'level' in fault ? EVENTS[fault.kind] : CONFIGURATION[fault.kind][0];
  return `${name} (${hex(eventNumber(fault.kind) ?? 0, 2)}), event ${event.map((word) => hexWord(word)).join(' ')}`;
}

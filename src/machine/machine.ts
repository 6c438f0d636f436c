/**
 * A machine made of memory and register values, of a PE or of an SMMUv3, which answers accesses. (DDI 0487 D8; IHI 0070.)
 */

import { REGIMES } from '../arch/regime-table.ts';
import { isStream, type MachineRegime, machineRegimes, type Regime, traitsOf } from '../arch/regimes.ts';
import { type SecurityState, securityProblem } from '../arch/security.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import type {
  CdWords,
  ProgrammingInterface,
  SmmuRegisters,
  SmmuResult,
  SteWords,
  StreamDescription,
  Transaction,
} from '../smmu/index.ts';
import { createSmmu, createStream } from '../smmu/smmu.ts';
import { withFeatures } from '../walker/cpu.ts';
import { type IdentificationValues, identifiedFeatures } from '../walker/identification.ts';
import {
  type Access,
  type CpuModel,
  type CpuOptions,
  createWalker,
  type Fault,
  type GranuleProtection,
  type TableTree,
  type Walker,
  WalkerError,
  type WalkResult,
} from '../walker/index.ts';
import { impliedFeatures } from './implied-features.ts';
import { resolveRegisters } from './registers/index.ts';
import { type UngivenRange, ungivenRanges, withoutRanges } from './ungiven.ts';

/** A machine's answer to an access: from a walker or an SMMU. `ok` tells a translation from a fault. */
export type Answer = WalkResult | SmmuResult;

/** Faults that the architecture permits instead of the answer. (DDI 0487 B2.10.2: an instruction fetch from Device memory.) */
export function permittedFaults(answer: Answer): readonly Fault[] {
  return 'permitted' in answer ? (answer.permitted ?? []) : [];
}

/** Register values by their names, 64 bits each. */
export type RegisterValues = Readonly<Record<string, bigint>>;

/** A machine as an image or a debugger shows it: memory and register values. */
export interface MachineDescription {
  readonly memory: PhysicalMemory;
  readonly regime: MachineRegime;
  /**
   * By any names that `resolveRegisters` knows. For a PE: the walker's names (ttbr0, tcr …) or the manual's (TTBR0_EL1), from which
   * the regime takes its own. For an SMMU: strtab_base, strtab_base_cfg, cr0, cr2, gbpa, idr0, idr1, idr3, idr5, s2pii, or for a
   * stream by itself ste0 to ste7 and (only for stage 1 without stage 2) cd0 to cd7.
   */
  readonly registers: RegisterValues;
  /** For a PE: the Security state of the accesses. Default: what SCR_EL3 (`scr_el3`) says, or else Secure for EL3 and Non-secure for everything else. */
  readonly security?: SecurityState;
  /** One of the walker's models, another number of PA bits, and additional features by the manual's names (FEAT_XS). */
  readonly cpu?: {
    readonly model?: string;
    readonly paBits?: number;
    readonly features?: readonly string[];
    /** What the PE says of itself: ID_AA64MMFR0_EL1 and its like, by the manual's names. It takes the place of the model's features. */
    readonly identification?: IdentificationValues;
    /** Whether TxSZ out of range is clamped, if that is permitted. Default false: it faults. */
    readonly clampsTxsz?: boolean;
  };
}

/** For an SMMU: the stream whose transactions are translated. */
export interface StreamChoice {
  /** StreamID, 32 bits. Default 0. */
  readonly streamId?: number;
  /** SubstreamID, 20 bits. */
  readonly substreamId?: number;
}

/** One address space: its answers and its tables. */
export interface Translator {
  /** One of the walker's regimes, or one such as `smmuv3-s1`. */
  readonly regime: MachineRegime;
  /** The Security state of the accesses. */
  readonly security?: SecurityState;
  /** Whether granule protection checks are on (GPCCR_EL3.GPC). */
  readonly granuleProtection?: GranuleProtection | undefined;
  /** @param access - default: a privileged read. */
  walk(ia: bigint, access?: Access): Answer;
  trees(): readonly TableTree[];
}

/** The address space of a stream, or the only one of a PE. */
export type Machine = (stream?: StreamChoice) => Translator;

/**
 * @throws WalkerError for a regime or model that is not known, and RegisterError for registers that are not known, disagree, or
 * turn on what is not modelled.
 */
export function createMachine(description: MachineDescription): Machine {
  const { regime } = description;
  if (!Object.hasOwn(REGIMES, regime)) {
    throw new WalkerError(`unknown regime '${regime}'; known are ${machineRegimes.join(', ')}`);
  }
  const plain = resolvedOf(description);
  if (!isStream(regime)) return peMachine(plain, regime);
  const problem = securityProblem(regime, description.security ?? 'non-secure');
  if (problem !== undefined) throw new WalkerError(problem);
  return plain.registers.strtab_base === undefined ? streamMachine(plain) : smmuMachine(plain);
}

/** The walker's options for a description. @throws WalkerError for a feature or model that is not known. */
export function cpuOf({
  cpu,
  regime,
  registers = {},
}: Pick<MachineDescription, 'cpu'> & {
  readonly regime?: MachineRegime;
  readonly registers?: RegisterValues;
}): CpuOptions {
  const { model, paBits, features = [], identification, clampsTxsz } = cpu ?? {};
  const known = model !== undefined && model !== 'max';
  // A bit that is RES0 without its feature is set: of the PE that is not known by name, it has the feature.
  const implied = known || identification !== undefined ? [] : impliedFeatures(registers, regime);
  const options = {
    ...(model !== undefined && { model: model as CpuModel }),
    ...(identification !== undefined && identifiedFeatures(identification)),
    ...(paBits !== undefined && { paBits }),
    ...(clampsTxsz !== undefined && { clampsTxsz }),
  };
  return withFeatures(options, [...features, ...implied]);
}

/** The default access of a walk. */
const READ: Access = { access: 'read' };

/** A description with registers by the machine's names. */
function resolvedOf(description: MachineDescription): MachineDescription {
  const { registers: given, regime, security } = description;
  const { registers } = resolveRegisters({ given, regime, security, exact: true, complete: false });
  return { ...description, registers };
}

/** The walker's registers of a machine. SCR_EL3 is not one of them: it gives the Security state of the accesses. */
export function walkerRegistersOf({ registers }: Pick<MachineDescription, 'registers'>): RegisterValues {
  const { scr_el3: _, ...own } = registers;
  return own;
}

function walkerOf(description: MachineDescription, regime: Regime): Walker {
  const { memory, security } = description;
  const { scr_el3: scr } = description.registers;
  const said = { ...(security !== undefined && { security }), ...(scr !== undefined && { scr }) };
  const registers = walkerRegistersOf(description);
  return createWalker(memory, { regime, registers, cpu: cpuOf(description), ...said });
}

function peMachine(description: MachineDescription, regime: Regime): Machine {
  const { registers } = description;
  const walker = walkerOf(description, regime);
  const translator = withoutRanges(walker, ungivenRanges(walker, registers), registers);
  return () => translator;
}

/**
 * Ranges of addresses that the registers enable, but whose table base was not given. A machine treats them as disabled. To
 * translate an address there, the base is needed.
 */
export function ungivenOf(description: MachineDescription): UngivenRange[] {
  const { regime } = description;
  if (isStream(regime)) return [];
  const plain = resolvedOf(description);
  return ungivenRanges(walkerOf(plain, regime), plain.registers);
}

const IDENTIFICATION = ['idr0', 'idr1', 'idr3', 'idr5'] as const;

function identificationOf(registers: RegisterValues): Record<string, bigint> {
  return Object.fromEntries(
    IDENTIFICATION.flatMap((name) => (registers[name] === undefined ? [] : [[name, registers[name]]])),
  );
}

/** An SMMU's registers by their names in this library. */
export function smmuRegistersOf(
  registers: RegisterValues,
  security?: MachineDescription['security'],
): SmmuRegisters {
  const { strtab_base = 0n, strtab_base_cfg = 0n, cr0 = 1n, cr2 = 0n, gbpa = 0n, s2pii } = registers;
  const table = { strtabBase: strtab_base, strtabBaseCfg: strtab_base_cfg };
  return {
    ...table,
    cr0,
    cr2,
    gbpa,
    ...identificationOf(registers),
    ...(s2pii !== undefined && { s2pii }),
    ...interfaceOf(registers, security),
  };
}

/** Whose programming interface the registers are. */
function interfaceOf(
  { s_idr0, s_idr1 }: RegisterValues,
  security: MachineDescription['security'],
): ProgrammingInterface {
  if (security !== 'secure') return {};
  return {
    security,
    ...(s_idr0 !== undefined && { sIdr0: s_idr0 }),
    ...(s_idr1 !== undefined && { sIdr1: s_idr1 }),
  };
}

function smmuMachine({ memory, regime, registers, security }: MachineDescription): Machine {
  const smmu = createSmmu(memory, smmuRegistersOf(registers, security));
  return ({ streamId = 0, substreamId } = {}) => ({
    regime,
    security: smmu.security,
    walk: (ia, access = READ) => smmu.translate(streamId, ia, withSubstream(access, substreamId)),
    trees: () => smmu.trees(streamId, substreamId),
  });
}

/** A stream by itself. With both stages the CD is in memory, where STE.S1ContextPtr points. With stage 1 only, its words may be given. */
export function streamOf({ regime, registers, cpu, security }: MachineDescription): StreamDescription {
  const { s2pii } = registers;
  const words = (name: string) => Array.from({ length: 8 }, (_, i) => registers[`${name}${i}`] ?? 0n);
  const [s0 = 0n, s1 = 0n, s2 = 0n, s3 = 0n, ...moreOfSte] = words('ste');
  const [c0 = 0n, c1 = 0n, c2 = 0n, c3 = 0n, ...moreOfCd] = words('cd');
  const ste: SteWords = [s0, s1, s2, s3, ...moreOfSte];
  const cd: CdWords = [c0, c1, c2, c3, ...moreOfCd];
  return {
    ste,
    identification: identificationOf(registers),
    ...(s2pii !== undefined && { s2pii }),
    ...(cpu?.paBits !== undefined && { oas: cpu.paBits }),
    ...interfaceOf(registers, security),
    ...(!traitsOf(regime).stage2 && registers.cd0 !== undefined && { cd }),
  };
}

function streamMachine(description: MachineDescription): Machine {
  const { memory, regime } = description;
  const stream = createStream(memory, streamOf(description));
  const { security = 'non-secure' } = description;
  return ({ substreamId } = {}) => ({
    regime,
    security,
    walk: (ia, access = READ) => stream.translate(ia, withSubstream(access, substreamId)),
    trees: () => stream.trees(substreamId),
  });
}

function withSubstream(access: Access, substreamId: number | undefined): Transaction {
  return substreamId === undefined ? access : { ...access, substreamId };
}

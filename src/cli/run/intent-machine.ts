/** The tables of an intention as one machine: the registers of all its roots together. */
import { bothRanges, inSecureState, underStage2 } from '../../../formats/lpae/registers.ts';
import { contextWords, streamWords } from '../../../formats/lpae/stream.ts';
import { isStream, type MachineRegime } from '../../arch/regimes.ts';
import { FrameAllocator, type PhysicalMemory } from '../../index.ts';
import type { RootRole, TablesPlan } from '../input/intent-request.ts';
import type { MapRequest } from '../input/request.ts';
import type { Performed } from './perform.ts';

/** One root as it was made. A request that is no intention's has no role. */
export interface MadeRoot {
  readonly role?: RootRole | undefined;
  readonly request: MapRequest;
  readonly performed: Performed;
}

/** A frame for a CD, in bytes, and the end of the addresses that an STE can give it (IHI 0070 5.2, S1ContextPtr). */
const CD_FRAME = 4096;
const CD_LIMIT = 2 ** 52;

/** Beyond these bits an SMMU says that it has more: SMMU_IDR5.OAS 52 bits, DS, VAX 52 bits, all granules (IHI 0070 6.3.6). */
const COMMON_BITS = 48;
const WIDE_IDR5 = 0x4f6n;

/** What {@link createMachine} takes. */
export interface MachineOfRoots {
  readonly memory: PhysicalMemory;
  readonly regime: MachineRegime;
  readonly registers: Readonly<Record<string, bigint>>;
  readonly cpu: { readonly paBits: number };
}

export function machineOf({ regime, secure }: TablesPlan, made: readonly MadeRoot[]): MachineOfRoots {
  const hardware = (role: RootRole) =>
    made.find((root) => root.role === role)?.performed.domain.registers.hardware;
  const [lower, upper, second] = [hardware('lower'), hardware('upper'), hardware('stage 2')];
  const stage2 = second && secure ? { ...second, registers: inSecureState(second.registers) } : second;
  const stage1 = lower && upper ? bothRanges(lower.registers, upper.registers) : (lower ?? upper)?.registers;
  const { memory } = made[0]!.performed.domain;
  const registers = isStream(regime)
    ? streamRegisters(memory, stage1, stage2?.registers)
    : stage1 && stage2
      ? underStage2(stage1, stage2.registers)
      : { ...stage1, ...stage2?.registers };
  const paBits = Math.max(...[lower, upper, stage2].map((one) => one?.cpu.paBits ?? 0));
  const wide = isStream(regime) && paBits > COMMON_BITS ? { idr5: WIDE_IDR5 } : {};
  return { memory, regime, registers: { ...registers, ...wide }, cpu: { paBits } };
}

type Values = MachineOfRoots['registers'];

/** The words of the STE, and of the CD: in memory, beside the tables, where stage 2 maps the way to it. */
function streamRegisters(
  memory: PhysicalMemory,
  stage1: Values | undefined,
  stage2: Values | undefined,
): Values {
  if (stage1 === undefined) return named('ste', streamWords(undefined, stage2));
  const at = BigInt(FrameAllocator.of(memory).allocate(CD_FRAME, CD_LIMIT) ?? 0);
  const context = contextWords(stage1);
  for (const [i, word] of context.entries()) memory.write64(at + BigInt(8 * i), word);
  const words = named('ste', streamWords(at, stage2));
  return stage2 === undefined ? { ...words, ...named('cd', context) } : words;
}

function named(prefix: string, words: readonly bigint[]): Values {
  return Object.fromEntries(words.map((word, i) => [`${prefix}${i}`, word]));
}

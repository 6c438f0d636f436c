/**
 * The steps of a trace, and which entries an invalidation step removes from a TLB. (DDI 0487 D8.17.5 for TLB maintenance;
 * IHI 0070 4.4 for the SMMU's commands of the same scopes.)
 */

import { traitsOf } from '../arch/regimes.ts';
import { hex } from '../memory/hex.ts';
import { type CommandWords, decodeCommand } from '../smmu/commands.ts';
import type { TlbiOperation } from '../tlb/index.ts';
import { ADDRESS_BITS } from '../tlb/scope.ts';
import { tlbiScope } from '../tlb/tlbi.ts';
import { cpuFeatures } from '../walker/cpu.ts';
import { commandScope } from './command-scope.ts';
import type { TableSpace } from './context.ts';
import { TraceError } from './errors.ts';
import type { RegisterStep } from './registers.ts';
import { combinedOf, type StepScope } from './step-scope.ts';

/** A store of one 64-bit descriptor. `pa` is a multiple of 8, below 2^52. */
export interface WriteStep {
  readonly write: bigint;
  readonly value: bigint;
}

/** `TLBI <tlbi>, <operand>`, completed. An E1 operation uses the trace's own VMID. */
export interface TlbiStep {
  readonly tlbi: TlbiOperation;
  readonly operand?: bigint;
}

/**
 * Removes all entries for some input addresses from every TLB, by whatever instructions, including those of
 * combined stages. `all`, or `size` bytes from an input address on.
 */
export type InvalidateStep =
  | { readonly invalidate: 'all' }
  | {
      readonly invalidate: bigint;
      readonly size: bigint;
      /** Only blocks and pages: cached table descriptors stay. Default: false. */
      readonly leaf?: boolean;
      /** Only entries of this ASID, and global ones; only those of this VMID. Default: all. */
      readonly asid?: number;
      readonly vmid?: number;
    };

/** A command in an SMMU's queue, consumed: bits [63:0] and [127:64]. `encodeCommand` and `parseCommand` of `lpae/smmu` make it. */
export interface CommandStep {
  readonly command: CommandWords;
}

/** `dsb ish`, `dmb ishst`, `isb`: see {@link TraceContext.barriers}. */
export interface BarrierStep {
  readonly barrier: string;
}

/** An access by an input address of these tables: what it may meet. */
export interface AccessStep {
  readonly access: bigint;
  /** An instruction fetch. Default: a load or store. */
  readonly fetch?: boolean;
}

/** A step that removes entries. */
export type InvalidationStep = TlbiStep | InvalidateStep | CommandStep;

/** One step of a trace: a write of a descriptor or of a permission register, an invalidation, a barrier, or an access. */
export type TraceStep = WriteStep | RegisterStep | InvalidationStep | BarrierStep | AccessStep;

/** `CMD_SYNC`, or `opcode 0x29`. */
export function commandName({ command }: CommandStep): string {
  const { name, opcode } = decodeCommand(command);
  return name === undefined ? `opcode ${hex(opcode, 2)}` : `CMD_${name}`;
}

const CPU = cpuFeatures('max');
const LAST = 2n ** 56n - 1n;

/** @throws TraceError for an unknown operation, or an empty range. */
export function scopeOf(step: InvalidationStep, space: TableSpace): StepScope {
  if ('command' in step) return commandScope(step.command, space);
  return 'tlbi' in step ? instructionScope(step, space) : rangeScope(step, space);
}

function instructionScope({ tlbi, operand = 0n }: TlbiStep, space: TableSpace): StepScope {
  const { vmid, ds, tge, security: operationSecurity } = space;
  // A host with TGE = 1 that writes a guest's tables.
  const regime = tge === true && traitsOf(space.regime).el === 1 ? 'el2&0' : space.regime;
  const scope = scopeOrRefuse(tlbi, operand, {
    regime,
    vmid,
    operationVmid: vmid,
    ds,
    cpu: CPU,
    ...(tge !== undefined && { tge }),
    ...(operationSecurity !== undefined && { operationSecurity }),
  });
  if (scope === undefined || scope.cleans) return { own: undefined, combined: 'none' };
  return { own: scope, combined: combinedOf(scope, space) };
}

function scopeOrRefuse(...[tlbi, operand, context]: Parameters<typeof tlbiScope>) {
  try {
    return tlbiScope(tlbi, operand, context);
  } catch (error) {
    if (error instanceof RangeError) throw new TraceError(`${error.message} (DDI 0487 D8.17.5)`);
    throw error;
  }
}

function rangeScope(step: InvalidateStep, space: TableSpace): StepScope {
  const { regime } = space;
  if (step.invalidate === 'all') return { own: { regime, stages: 'both' }, combined: 'all' };
  const { invalidate: from, size, leaf, asid, vmid } = step;
  if (from < 0n || from >= 2n ** 64n || size <= 0n) {
    throw new TraceError(
      `an invalidation of ${size} bytes from ${hex(from)} on: it needs an address and at least one byte`,
      {
        value: from,
      },
    );
  }
  const first = BigInt.asUintN(ADDRESS_BITS, from);
  const end = first + size - 1n;
  const own = {
    regime,
    stages: 'both',
    from: first,
    last: end < LAST ? end : LAST,
    ...(leaf && { lastLevel: true }),
    ...(asid !== undefined && { asid, global: true }),
    ...(vmid !== undefined && { vmid }),
  } as const;
  return { own, combined: 'same' };
}

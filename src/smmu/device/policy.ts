/**
 * An SMMU of which one answer is known: what it caches is fixed. Views of the same device, for tests that need one answer and for a device
 * model in a driver's unit test. (IHI 0070 3.17, 3.21.)
 */
import type { PhysicalMemory } from '../../memory/index.ts';
import { nearest } from '../../memory/near-names.ts';
import { WalkerError } from '../../walker/errors.ts';
import type { Answer } from '../caches/answers.ts';
import { SmmuDevice } from './device.ts';
import type { SmmuDeviceOptions } from './options.ts';
import { QemuCaches } from './qemu-caches.ts';

/**
 * What an SMMU caches:
 * - `nothing cached`: every transaction reads memory as it is;
 * - `everything cached`: all that may be read is cached at once and kept until an invalidation of it is complete, so the oldest permitted
 *   answer comes;
 * - `qemu`: as QEMU 11.1's SMMUv3 has it: one entry for the STE and CD of a stream, made by its transactions; TLB entries of leaves alone;
 *   commands that are done at once.
 */
export const SMMU_POLICIES = ['nothing cached', 'everything cached', 'qemu'] as const;
/** One of them. */
export type SmmuPolicy = (typeof SMMU_POLICIES)[number];

/**
 * A device whose `access` chooses the answer of a policy. The set of all permitted answers stands beside it, and the chosen one is always in it.
 *
 * @throws WalkerError for an unknown policy, and as {@link SmmuDevice} does.
 *
 * @example
 * const smmu = fixedSmmu(memory, 'everything cached', { idr0: 0xd44_101bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n });
 * smmu.access({ streamId: 1, ia: 0x1234n, access: 'read' }).chosen.outcome; // the oldest answer that is permitted
 */
export function fixedSmmu(
  memory: PhysicalMemory,
  policy: SmmuPolicy,
  options: Omit<SmmuDeviceOptions, 'choose'>,
): SmmuDevice {
  switch (policy) {
    case 'nothing cached':
      return new SmmuDevice(memory, { ...options, choose: () => 0 });
    case 'everything cached':
      return new SmmuDevice(memory, { ...options, choose: oldest });
    case 'qemu': {
      const caches = new QemuCaches(memory, options);
      const device = new SmmuDevice(memory, {
        ...options,
        choose: (answers, transaction) => caches.choose(answers, transaction),
        note: (note) => {
          if (note.kind === 'command') caches.consume(note.command.command);
          options.note?.(note);
        },
      });
      caches.device = device;
      return device;
    }
    default: {
      const near = nearest(String(policy), SMMU_POLICIES);
      throw new WalkerError(
        `'${String(policy)}' is no policy of an SMMU; ${near === undefined ? `known are ${SMMU_POLICIES.join(', ')}` : `did you mean '${near}'?`}`,
      );
    }
  }
}

/** The answer that memory has held for the longest time not. */
function oldest(answers: readonly Answer[]): number {
  let found = 0;
  for (const [i, { until }] of answers.entries()) if (until < answers[found]!.until) found = i;
  return found;
}

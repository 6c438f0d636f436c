/**
 * What the commands of an SMMUv3 do when they are consumed: to what its caches may hold, to stalled transactions, to devices, and for
 * those who wait for a CMD_SYNC. (IHI 0070 3.9.1.4, 4.)
 */
import { SMMU_IDR0 } from '../../arch/smmu/index.ts';
import type { CacheModel } from '../caches/cache-model.ts';
import type { Changes } from '../caches/changes.ts';
import type { Invalidation } from '../caches/invalidation.ts';
import { invalidationOf } from '../caches/scopes.ts';
import type { SmmuCommand } from '../commands.ts';
import type { CommandQueue, ConsumedCommand } from './command-queue.ts';
import { scopesOf } from './controls.ts';
import type { Interrupts } from './interrupts.ts';
import type { SmmuDeviceOptions } from './options.ts';
import type { RegisterFile } from './register-file.ts';
import type { StallControl } from './stall-control.ts';
import type { Syncs } from './syncs.ts';

/** CMD_PRI_RESP.Resp by value; 3 is CERROR_ILL. */
const RESPONSES = ['failure', 'invalid request', 'success'] as const;
const NO_INVALIDATION: Invalidation = { kind: 'nothing' };

/** The parts of the device that commands act on. */
export interface CommandHost {
  readonly changes: Changes;
  readonly model: CacheModel;
  readonly registers: RegisterFile;
  readonly commands: CommandQueue;
  readonly interrupts: Interrupts;
  readonly syncs: Syncs;
  readonly stalls: StallControl;
  readonly options: SmmuDeviceOptions;
  /** SMMU_CR0.SMMUEN. */
  readonly isEnabled: () => boolean;
}

export class CommandEffects {
  readonly #host: CommandHost;
  #ordinal = 0;

  constructor(host: CommandHost) {
    this.#host = host;
  }

  /** A command is consumed. Without a barrier after it was written, the SMMU may have read the words before it: then it has no effect. */
  consume(command: ConsumedCommand): void {
    const { changes, model, registers, interrupts, syncs, stalls, options } = this.#host;
    const { address, command: decoded } = command;
    const { unobservable } = changes.words;
    const observable = !unobservable.has(Number(address)) && !unobservable.has(Number(address) + 8);
    const { StreamID } = decoded.fields;
    if (decoded.name === 'CFGI_STE' && StreamID !== undefined) model.addStream(Number(StreamID));
    const ignored = this.#ordinal++ === options.ignoreCommand;
    const scope =
      observable && !ignored ? invalidationOf(decoded, scopesOf(registers, model.features)) : undefined;
    const sync = decoded.name === 'SYNC' && observable && !ignored;
    const moment = changes.command(
      this.#isIgnored(decoded) ? NO_INVALIDATION : (scope ?? NO_INVALIDATION),
      sync,
    );
    if (decoded.name === 'SYNC') {
      if (sync) syncs.consumed(moment, decoded, registers.isSet('IDR0', SMMU_IDR0.fields.MSI));
      interrupts.commandSync(decoded);
    }
    if (decoded.name === 'PRI_RESP' && observable && !ignored) this.#respond(decoded);
    const abortsAlways = model.features.termModel;
    if (observable && !ignored) stalls.command(command, moment, abortsAlways);
    options.note?.({ kind: 'command', command, observable });
  }

  /** CMD_ATC_INV does nothing with SMMUEN = 0, and nothing that counts at a device that does not answer. (3.9.1.4, 4.5.1.) */
  #isIgnored(command: SmmuCommand): boolean {
    if (command.name !== 'ATC_INV') return false;
    if (!this.#host.isEnabled()) return true;
    const answers = this.#host.options.atcAnswers?.(command) ?? true;
    if (!answers) this.#host.commands.atcTimedOut = true;
    return !answers;
  }

  /** CMD_PRI_RESP, which is ignored with SMMUEN = 0. (4.5.2.) */
  #respond({ fields }: SmmuCommand): void {
    if (!this.#host.isEnabled()) return;
    const { StreamID = 0n, SSV = 0n, SubstreamID = 0n, PRGIndex = 0n, Resp = 0n } = fields;
    this.#host.options.pageResponse?.({
      streamId: Number(StreamID),
      substreamId: SSV === 1n ? Number(SubstreamID) : undefined,
      index: Number(PRGIndex),
      response: RESPONSES[Number(Resp)]!,
    });
  }
}

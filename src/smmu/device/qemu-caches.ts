/**
 * What QEMU's SMMUv3 caches, by observation of its traces: the STE and CD of a stream together, once a transaction has found them whole; and leaves, by
 * VMID, ASID (global or not), granule and level. Commands are done when CMDQ_PROD is written. (IHI 0070 3.17, 3.21, 4.3, 4.4.)
 */
import type { PhysicalMemory } from '../../memory/index.ts';
import { TableMemory } from '../../walker/table-memory.ts';
import type { Permissions, Translation } from '../../walker/types.ts';
import { halvesOf } from '../../walker/word.ts';
import { type Answer, keyOf, outcomeOf, type StreamTransaction } from '../caches/answers.ts';
import { coversStream, coversTlb, type TlbTags } from '../caches/invalidation.ts';
import { invalidationOf } from '../caches/scopes.ts';
import type { SmmuCommand } from '../commands.ts';
import { type IdentificationRegisters, type SmmuFeatures, smmuFeatures } from '../features.ts';
import { createSmmu } from '../smmu.ts';
import { Stream } from '../stream.ts';
import type { Outcome } from '../trace.ts';
import type { SmmuResult, Transaction } from '../types.ts';
import type { SmmuDevice } from './device.ts';

/** The configuration of a stream, decoded. */
interface Configuration {
  readonly streamId: number;
  readonly substreamId: number | undefined;
  readonly stream: Stream;
  /** Of its TLB entries. Undefined: nothing is translated. */
  readonly tags: Pick<TlbTags, 'world' | 'stage' | 'vmid' | 'asid'> | undefined;
  readonly granuleLog2: (ia: bigint) => number;
  /** QEMU keeps no configuration that is at fault. */
  readonly sound: boolean;
}

/** A leaf, of the stage or stages that translate. */
interface Leaf {
  readonly tags: TlbTags;
  readonly result: Translation;
}

export class QemuCaches {
  /** The device that these caches are a view of. */
  device!: SmmuDevice;
  readonly #memory: PhysicalMemory;
  readonly #tables: TableMemory;
  readonly #identification: IdentificationRegisters;
  readonly #features: SmmuFeatures;
  #configurations: Configuration[] = [];
  #leaves: Leaf[] = [];

  constructor(memory: PhysicalMemory, { idr0, idr1, idr3, idr5 }: IdentificationRegisters) {
    this.#memory = memory;
    this.#tables = new TableMemory(memory);
    this.#identification = { idr0, idr1, idr3, idr5 };
    this.#features = smmuFeatures(this.#identification);
  }

  /** A command is consumed, and done. Those for an STE or a CD drop both. */
  consume(command: SmmuCommand): void {
    const scope = invalidationOf(command, this.device.scopes);
    if (scope === undefined) return;
    this.#configurations = this.#configurations.filter(({ streamId }) => !coversStream(scope, streamId));
    // TG and TTL limit nothing: what overlaps the range goes.
    const wide = scope.kind === 'tlb' ? { ...scope, granuleLog2: undefined, level: undefined } : scope;
    this.#leaves = this.#leaves.filter(({ tags }) => !coversTlb(wide, tags));
  }

  /** The index of the answer that these caches give; that of memory as it is where QEMU leaves the architecture. */
  choose(answers: readonly Answer[], transaction: StreamTransaction): number {
    const key = plainKey(this.answer(transaction));
    return Math.max(
      0,
      answers.findIndex(({ outcome }) => plainKey(outcome) === key),
    );
  }

  /** The outcome of a transaction with SMMUEN = 1; what it has found is kept. */
  answer({ streamId, ia, ...transaction }: StreamTransaction): Outcome {
    const asked = { ...transaction, update: false, trace: false };
    const kept = this.#configurations.find(
      (one) => one.streamId === streamId && one.substreamId === transaction.substreamId,
    );
    const found = kept ?? this.#configure(streamId, ia, asked);
    if ('ok' in found) return outcomeOf(found);
    const { stream, tags, granuleLog2, sound } = found;
    if (kept === undefined && sound) this.#configurations.push(found);
    const leaf = tags && this.#leaves.find((one) => isSame(one.tags, tags) && holds(one.tags, ia));
    if (leaf !== undefined) return throughLeaf(leaf.result, ia, transaction);
    const result = stream.translate(ia, asked);
    if (result.ok && tags !== undefined && result.level !== undefined) {
      const first = (ia / result.size) * result.size;
      const place = { level: result.level, leaf: true, first, last: first + result.size - 1n };
      this.#leaves.push({ tags: { ...tags, ...place, granuleLog2: granuleLog2(ia) }, result });
    }
    return outcomeOf(result);
  }

  /** Reads the STE and the CD of a stream, or says why there is none. */
  #configure(streamId: number, ia: bigint, asked: Transaction): Configuration | SmmuResult {
    const { device } = this;
    const registers = {
      ...this.#identification,
      strtabBase: device.mmioRead('STRTAB_BASE'),
      strtabBaseCfg: device.mmioRead('STRTAB_BASE_CFG'),
      cr2: device.mmioRead('CR2'),
    };
    const smmu = createSmmu(this.#memory, registers);
    const ste = smmu.locate(streamId).outcome;
    if ('kind' in ste) return smmu.translate(streamId, ia, asked);
    const { decoder, changes } = device.model;
    const { e2h, s2pii } = device.model.registersAt(changes.now);
    const decoded = decoder.ste(ste, { e2h, s2pii });
    const { world, vmid, stage2 } = decoded;
    const options = { features: this.#features, streamId, e2h, s2pii };
    const stream = new Stream(this.#tables, ste, options);
    const plain = { streamId, substreamId: asked.substreamId, stream };
    const second = () => stage2?.params.granuleLog2 ?? PAGE_LOG2;
    const tags = stage2 && ({ world, stage: 2, vmid, asid: undefined } as const);
    const route = stream.route(asked.substreamId);
    if (decoded.illegal || !decoded.ste.passes || 'fault' in route || route.cd === undefined) {
      return { ...plain, tags, granuleLog2: second, sound: !decoded.illegal && !('fault' in route) };
    }
    const cd = stream.locateCd(route.cd, route.substreams, undefined, false).outcome;
    if ('fault' in cd) return { ...plain, tags, granuleLog2: second, sound: false };
    const { context, asid } = decoder.cd(cd, decoded);
    return {
      ...plain,
      stream: new Stream(this.#tables, ste, { ...options, cd }),
      tags: { world, stage: 1, vmid, asid },
      sound: context !== undefined,
      granuleLog2: (va) => context?.ranges.select(halvesOf(va), false)?.params.granuleLog2 ?? second(),
    };
  }
}

const PAGE_LOG2 = 12;

function isSame(tags: TlbTags, { world, stage, vmid, asid }: NonNullable<Configuration['tags']>): boolean {
  return tags.world === world && tags.stage === stage && tags.vmid === vmid && tags.asid === asid;
}

function holds({ first, last }: TlbTags, ia: bigint): boolean {
  return first <= ia && ia <= last;
}

/** A leaf that is hit: its rights are looked at again, those of stage 2 first. */
function throughLeaf(
  { leafBase, size, stage1, stage2, permissions }: Translation,
  ia: bigint,
  { access, privileged = true }: Transaction,
): Outcome {
  const may = (rights: Permissions) => rights[privileged ? 'privileged' : 'unprivileged'][access];
  if (may(permissions)) return { kind: 'pa', pa: leafBase + (ia % size) };
  const s2 = stage2 !== undefined && (stage1 === undefined || !may(stage2.permissions));
  return { kind: 'fault', fault: 'F_PERMISSION', s2, class: 'in' };
}

/** Whether an event was written, or the device waits, is up to the queue and the CD. */
function plainKey(outcome: Outcome): string {
  if (outcome.kind !== 'fault') return keyOf(outcome);
  const { recorded: _, stall: __, ...plain } = outcome;
  return keyOf(plain);
}

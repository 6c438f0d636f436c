/** Which commands leave one permitted answer: the narrowest of a list, found by trying. (IHI 0070 4.3, 4.4, 4.8.) */

import { hex } from '../../memory/hex.ts';
import type { StreamTransaction } from '../caches/answers.ts';
import { invalidationOf } from '../caches/scopes.ts';
import { FROM } from '../caches/timeline.ts';
import { decodeCommand, parseCommand } from '../commands.ts';
import type { SmmuDevice } from '../device/device.ts';

/** Steps that a driver would add: `barrier`, or a command without `CMD_` but for `CMD_SYNC`. Null: none of the list helps. */
export type Needs = readonly string[] | null;

const SYNC = 'CMD_SYNC';
const BARRIER = 'barrier';
const PAGE = 0xfffn;

/** How many answers are left after steps. */
export function answersAfter(
  device: SmmuDevice,
  transaction: StreamTransaction,
  steps: readonly string[],
): number {
  const { changes, model, scopes } = device;
  const take = () => {
    for (const step of steps) {
      if (step === BARRIER) changes.barrier();
      else if (step === SYNC) changes.complete(changes.now + 1);
      else changes.command(invalidationOf(decodeCommand(parseCommand(step)), scopes) ?? { kind: 'nothing' });
    }
  };
  return model.attempt(take, () => device.answersTo(transaction).length);
}

/** The steps after which one answer is left. */
export function needsOf(device: SmmuDevice, transaction: StreamTransaction): Needs {
  const lists = candidates(device, transaction);
  const found = lists.find((steps) => answersAfter(device, transaction, steps) === 1);
  if (found !== undefined) return found;
  if (device.changes.words.unobservable.size === 0) return null;
  const first = lists.slice(1).map((steps) => [BARRIER, ...steps]);
  return first.find((steps) => answersAfter(device, transaction, steps) === 1) ?? null;
}

/** From narrow to wide. Configuration goes before the TLB: a TLBI before a CFGI leaves a gap. (4.3.6.) */
function candidates(device: SmmuDevice, transaction: StreamTransaction): readonly string[][] {
  const { streamId, substreamId = 0, ia } = transaction;
  const tlb = tlbCommands(device, transaction, hex(ia & ~PAGE));
  const cd = `CFGI_CD sid=${streamId}${substreamId === 0 ? '' : ` ssid=${substreamId}`} leaf=`;
  const ste = `CFGI_STE sid=${streamId} leaf=`;
  const configuration = [`${cd}1`, `${cd}0`, `${ste}1`, `${ste}0`];
  const all = [['CFGI_ALL'], ['TLBI_NSNH_ALL'], ['CFGI_ALL', 'TLBI_NSNH_ALL']];
  const lists = [
    [],
    ...tlb.map((one) => [one]),
    ...configuration.map((one) => [one]),
    ...configuration.flatMap((one) => tlb.map((other) => [one, other])),
    ...all,
  ];
  const steps = lists.map((commands) => [...commands, SYNC]);
  if (!transaction.ats) return [[BARRIER], ...steps];
  const pasid = transaction.substreamId === undefined ? '' : ` ssid=${substreamId} ssv=1`;
  const atc = [`ATC_INV sid=${streamId}${pasid} va=${hex(ia & ~PAGE)} size=0`, SYNC];
  // What the SMMU has cached goes first: the device may ask again. (3.9.1)
  const behind = steps.map((commands) => (commands.length === 1 ? atc : [...commands, ...atc]));
  return [[BARRIER], ...steps, ...behind];
}

/** TLBIs for the stream as its STE and CD in memory are, if they translate. */
function tlbCommands(
  { model, changes }: SmmuDevice,
  { streamId, substreamId = 0 }: StreamTransaction,
  page: string,
): readonly string[] {
  const { now } = changes;
  const ste = model
    .steOf(streamId)
    .optionsAt(now)
    .find(({ mask }) => mask === FROM.memory);
  if (ste === undefined || 'kind' in ste.ste) return [];
  const decoded = model.decoder.ste(ste.ste, model.registersAt(now));
  const { illegal, vmid, world } = decoded;
  if (illegal || !decoded.ste.passes) return [];
  const ends = (command: string) => [`${command} leaf=1`, `${command} leaf=0`];
  const second = decoded.ste.stage2 ? ends(`TLBI_S2_IPA vmid=${vmid} ipa=${page}`) : [];
  if (!decoded.ste.stage1) return second;
  const timeline = model.cdOf(streamId, substreamId);
  const cd = timeline.optionsAt(now, decoded).find(({ mask }) => mask === FROM.memory);
  if (cd === undefined || 'fault' in cd.cd) return second;
  const { asid } = model.decoder.cd(cd.cd, decoded);
  if (world !== 'el1') return ends(`TLBI_EL2_VA asid=${asid ?? 0} va=${page}`);
  return [...ends(`TLBI_NH_VA vmid=${vmid} asid=${asid} va=${page}`), ...second];
}

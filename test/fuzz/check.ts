/** What holds for every answer, whatever memory and registers hold. (DDI 0487 D8.2, D8.15; IHI 0070 7.3.) */
import type { PhysicalMemory } from '../../src/memory/index.ts';
import type { SmmuResult } from '../../src/smmu/index.ts';
import { faultStatusCode } from '../../src/walker/fault-codes.ts';
import {
  type Access,
  type Permissions,
  parEl1,
  type Translation,
  type WalkResult,
} from '../../src/walker/index.ts';

/** An answer that must not be. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what);
}

/** What was asked, and of what machine. */
export interface Question {
  readonly ia: bigint;
  readonly access: Access;
  readonly memory: PhysicalMemory;
  /** Physical address bits of the machine. */
  readonly paBits: number;
}

const MAX_STEPS = 64;
const CONFIGURATION = [
  'c_bad_streamid',
  'c_bad_ste',
  'c_bad_substreamid',
  'f_stream_disabled',
  'c_bad_cd',
  'abort',
];

/** Checks one answer. @throws Violation */
export function check(result: WalkResult | SmmuResult, question: Question): void {
  demand(result.ia === question.ia, 'the answer is for another address');
  demand(result.steps.length <= MAX_STEPS, `${result.steps.length} steps`);
  for (const step of result.steps) {
    demand(step.level >= -1 && step.level <= 3, `a step at level ${step.level}`);
    demand(
      step.address >= 0n && step.address < 1n << 56n,
      `a step at address 0x${step.address.toString(16)}`,
    );
  }
  if (result.ok) checkTranslation(result, question);
  else checkFault(result, question);
}

function checkLeaf(what: string, address: bigint, leafBase: bigint, size: bigint): void {
  demand(size > 0n && (size & (size - 1n)) === 0n, `${what}: size ${size} is no power of two`);
  demand(leafBase % size === 0n, `${what}: leaf base 0x${leafBase.toString(16)} is not aligned to ${size}`);
  demand(address >= leafBase && address < leafBase + size, `${what}: the address is not in its leaf`);
}

function checkTranslation(result: Translation, { ia, access, paBits }: Question): void {
  const { pa, size, leafBase, level, permissions, stage1, stage2, steps } = result;
  demand(pa >= 0n && pa < 1n << BigInt(paBits), `PA 0x${pa.toString(16)} has more than ${paBits} bits`);
  checkLeaf('translation', pa, leafBase, size);
  demand((pa ^ ia) % (size < 1n << 32n ? size : 1n << 32n) === 0n, 'the offset in the leaf was not kept');
  demand(level === undefined || (level >= -1 && level <= 3), `level ${level}`);
  if (stage1) checkLeaf('stage 1', stage1.oa, stage1.leafBase, stage1.size);
  if (stage2) {
    checkLeaf('stage 2', stage2.oa, stage2.leafBase, stage2.size);
    demand(stage2.oa === pa, 'stage 2 ends at another PA');
  }
  // Stage 1 alone knows of Guarded Control Stacks.
  const knowsGcs = stage1 !== undefined || (level !== undefined && result.stage === 1);
  const gcs = access.gcs === true && access.access !== 'execute' && knowsGcs;
  const may = (rights: Permissions['privileged']) => (gcs ? rights.gcs === true : rights[access.access]);
  const { privileged, unprivileged } = permissions;
  demand(may(privileged) || may(unprivileged), 'translated without permission');
  demand(
    !steps.some(
      ({ kind }) => kind === 'invalid' || kind === 'external_abort' || kind === 'granule_protection',
    ),
    'translated through a faulting step',
  );
}

function checkFault(result: Exclude<WalkResult | SmmuResult, { ok: true }>, { memory }: Question): void {
  const { fault, steps } = result;
  if ('event' in result && result.event) {
    demand(
      result.event.every((word) => word >= 0n && word < 1n << 64n),
      'an event word of more than 64 bits',
    );
  }
  const fetch = fault.fetchAddress;
  if (fetch !== undefined) {
    const whole = fault.kind === 'f_cd_fetch' || fault.kind === 'f_ste_fetch' ? 64 : 8;
    const inside = fetch < 1n << 52n && memory.regionAt(Number(fetch), whole) !== undefined;
    demand(!inside || fault.kind.startsWith('f_'), `aborted a fetch from RAM at 0x${fetch.toString(16)}`);
  }
  const aborted = steps.some(({ kind }) => kind === 'external_abort');
  demand(!aborted || fault.kind === 'external_walk', `an aborted fetch ended as ${fault.kind}`);
  demand(fault.kind !== 'external_walk' || fetch !== undefined, 'an external abort without its address');
  const denied = 'gpc' in fault && fault.gpc !== undefined;
  demand(denied === (fault.kind === 'granule_protection'), 'a granule protection fault without its reason');
  if (!('level' in fault)) {
    demand(CONFIGURATION.includes(fault.kind) || fault.kind.startsWith('f_'), `unknown fault ${fault.kind}`);
    return;
  }
  demand(fault.level >= -1 && fault.level <= 3, `a fault at level ${fault.level}`);
  const code = faultStatusCode(fault);
  demand(Number.isInteger(code) && code >= 0 && code < 64, `fault status code ${code}`);
  if (!('event' in result)) demand((parEl1(result as WalkResult) & 1n) === 1n, 'PAR_EL1.F is 0 for a fault');
}

/** What two walks of the same address must agree on. */
export function summary(result: WalkResult | SmmuResult): string {
  if (!result.ok) {
    const { fault } = result;
    return 'level' in fault
      ? `${fault.kind} ${fault.level} ${fault.stage} ${fault.ptw} ${fault.s1Level} ${fault.ipa} ${fault.descriptor} ${fault.descriptorAddress} ${fault.fetchAddress} ${fault.domain} ${'gpc' in fault && `${fault.gpc} ${fault.gptLevel} ${fault.pa} ${fault.paSpace}`}`
      : `${fault.kind} ${fault.fetchAddress}`;
  }
  const { pa, size, level, stage, permissions, attributes, shareability, global, contiguous } = result;
  return `${pa} ${size} ${level} ${stage} ${global} ${contiguous} ${shareability} ${JSON.stringify([permissions, attributes])}`;
}

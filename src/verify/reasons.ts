/** Why a leaf differs from what is wanted: its descriptor, the relevant fields, and what denies a wanted access. */
import type { LayoutField } from '../arch/descriptors/index.ts';
import { bitRange, decode } from '../descriptor/index.ts';
import type { Translator } from '../machine/machine.ts';
import { probe } from '../space/probe.ts';
import { denialsText } from '../text/denials.ts';
import { faultReason } from '../text/fault.ts';
import { type Access, ENTRY_KINDS, type WalkStep } from '../walker/index.ts';
import type { Aspect, AspectDifference } from './compare.ts';
import { leafLayout } from './fields.ts';
import type { Want, WantedRights } from './intent.ts';

/** A field of a descriptor with its value, which determines an aspect that differs. */
export interface DecidingField {
  readonly name: string;
  /** `[7:6]`. */
  readonly bits: string;
  readonly value: bigint;
  /** The meaning of the value, if the manual gives one. */
  readonly meaning?: string;
}

/** The last descriptor of a stage on the path to an address. */
export interface LastDescriptor {
  readonly stage: 1 | 2;
  /** Arm's level, -1 to 3. */
  readonly level: number;
  /** Its address: an IPA for stage 1 under stage 2, else a PA. */
  readonly address: bigint;
  /** Absent if it could not be read. */
  readonly descriptor?: bigint;
  readonly fields: readonly DecidingField[];
}

/** What is known about a difference. */
export interface Reasons {
  readonly descriptors: readonly LastDescriptor[];
  /** In words: why a wanted access is denied, or why nothing is mapped. */
  readonly because: readonly string[];
}

/** Names of the fields that determine an aspect, in every format. */
const DECIDING: Readonly<Partial<Record<Aspect, RegExp>>> = {
  rights: /^(?:AP|S2AP|UXN|PXN|XN|PIIndex|nDirty|Dirty|POIndex|[RWXU]$)/,
  'unprivileged rights': /^(?:AP|S2AP|UXN|PXN|XN|PIIndex|nDirty|Dirty|POIndex|[RWXU]$)/,
  memory: /^(?:AttrIndx|MemAttr|TEX|PBMT|[CB]$)/,
  shareability: /^(?:SH|S$)/,
  global: /^(?:nG|G$)/,
  contiguous: /^Contiguous/,
  guarded: /^GP$/,
  pas: /^(?:NS|NSE)$/,
};

/** @param differing - what differs at `ia`. Memory is only read. */
export function reasonsAt(
  translator: Translator,
  ia: bigint,
  want: Want,
  differing: readonly AspectDifference[],
): Reasons {
  const answer = probe(translator, ia, true);
  const patterns = differing.flatMap(({ aspect }) => DECIDING[aspect] ?? []);
  const descriptors = ([1, 2] as const).flatMap((stage) => {
    const step = answer.steps.findLast((one) => one.stage === stage && one.s1Level === undefined);
    return step === undefined ? [] : [lastDescriptor(translator, step, ia, patterns)];
  });
  const state = differing.some(({ aspect }) => aspect === 'state');
  const because =
    state && !answer.ok
      ? [faultReason(answer.fault, answer.steps, 'any access', translator)]
      : deniedReasons(translator, ia, want, differing);
  return { descriptors, because };
}

function lastDescriptor(
  translator: Translator,
  step: WalkStep,
  ia: bigint,
  patterns: readonly RegExp[],
): LastDescriptor {
  const { stage, level, address, descriptor } = step;
  const place = { stage, level, address, ...(descriptor !== undefined && { descriptor }) };
  const trees = translator.trees().filter(({ root }) => root.stage === stage);
  const tree = trees.find(({ root }) => stage === 2 || (root.firstIa <= ia && ia <= root.lastIa)) ?? trees[0];
  const isLeaf = step.kind === 'block' || step.kind === 'page';
  if (tree === undefined || descriptor === undefined || !isLeaf) return { ...place, fields: [] };
  const sizeLog2 = step.size.toString(2).length - 1;
  const layout = leafLayout({ level, kind: ENTRY_KINDS.leaf, sizeLog2 }, tree, translator);
  const fields = decode(layout, descriptor)
    .filter(({ field }) => patterns.some((pattern) => pattern.test(field.name)))
    .map(({ field, value, text }) => ({
      name: field.name,
      bits: bitRange(field as LayoutField),
      value,
      ...(text !== undefined && { meaning: text }),
    }));
  return { ...place, fields };
}

/** For each right that is wanted but missing, what denies it. */
function deniedReasons(
  translator: Translator,
  ia: bigint,
  want: Want,
  differing: readonly AspectDifference[],
): string[] {
  if (want.state !== 'mapped') return [];
  const asked: readonly (readonly [Aspect, boolean, WantedRights | undefined])[] = [
    ['rights', true, want.privileged],
    ['unprivileged rights', false, want.unprivileged],
  ];
  const found = asked.flatMap(([aspect, privileged, rights]) => {
    if (rights === undefined || !differing.some((one) => one.aspect === aspect)) return [];
    const wanted = (['read', 'write', 'execute'] as const).filter((right) => rights[right]);
    return wanted.flatMap((access) => denied(translator, ia, { access, privileged }));
  });
  return [...new Set(found)];
}

function denied(translator: Translator, ia: bigint, access: Access): string[] {
  const answer = translator.walk(ia, { ...access, update: false });
  if (answer.ok || !('denied' in answer.fault) || answer.fault.denied === undefined) return [];
  const who = access.privileged === false ? 'EL0 may not ' : 'may not ';
  return [`${who}${access.access}: ${denialsText(answer.fault.denied, translator.regime)}`];
}

/** The answer of `lpae explain`: a topic, in which most parts are optional. */
import type { FieldPlace } from './descriptor-fields.ts';

export const TOPIC_GROUPS = [
  'value',
  'descriptor field',
  'fault',
  'SMMUv3 event',
  'register',
  'register field',
  'feature',
  'SMMUv3 command',
  'TLB maintenance',
  'regime',
  'lint rule',
  'word',
] as const;
/** The kind of a topic: a value, a field, a fault, an event or a register. */
export type TopicGroup = (typeof TOPIC_GROUPS)[number];

/** A field of a register or record, with its value if one was given. */
export interface TopicField {
  readonly bits: string;
  readonly name: string;
  readonly meaning: string;
  readonly values?: Readonly<Record<number, string>>;
  readonly value?: bigint;
  /** The meaning of the value. */
  readonly text?: string;
}

/** A code that reports a fault: `DFSC, level 2`, `0x06`. */
export interface TopicCode {
  readonly where: string;
  readonly code: string;
}

/** What the glossary knows about one name. */
export interface Topic {
  readonly name: string;
  readonly group: TopicGroup;
  /** Other names that find it. */
  readonly aliases: readonly string[];
  /** A sentence or two. */
  readonly summary: string;
  readonly reference?: string;
  readonly places?: readonly FieldPlace[];
  readonly fields?: readonly TopicField[];
  readonly codes?: readonly TopicCode[];
  readonly causes?: readonly string[];
  readonly checks?: readonly string[];
  /** Related topics. */
  readonly see?: readonly string[];
}

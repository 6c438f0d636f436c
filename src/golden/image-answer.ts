/** The JSON of an answer in a golden image: a hit with its attributes, or a fault. (pgtable-golden/1, kind image.) */
import * as v from 'valibot';
import { memberPath, seldom } from '../json/schemas.ts';
import {
  FAULT,
  FAULT_KIND_NOT_YET,
  FAULT_KINDS,
  HIT_MEMBERS,
  PART,
  ROW,
  SECURITY_STATES,
} from './image-words.ts';
import { members, oneOf, withValue } from './members.ts';
import { hexWord } from './schema.ts';

/** A whole number. */
export const integer = v.pipe(v.number(), v.integer());
/** A bit, as a number or as true or false. */
const bit = v.pipe(
  v.union([v.picklist([0, 1]), v.boolean()], 'expected 0, 1, false or true'),
  v.transform((value) => Number(value)),
);
/** A bit as true or false. */
export const truth = v.pipe(
  bit,
  v.transform((value) => value === 1),
);

/** An address space, by its name. */
const addressSpace = oneOf('address space', SECURITY_STATES, {});

const faultObject = members(
  {
    kind: oneOf('kind of fault', FAULT_KINDS, FAULT_KIND_NOT_YET),
    ptw: seldom(truth),
    stage: seldom(v.picklist([1, 2])),
    level: seldom(integer),
    s1_level: seldom(integer),
    class: seldom(v.picklist(['in', 'tt', 'cd'])),
    ipa: seldom(hexWord),
    ipas: seldom(addressSpace),
    fetch: seldom(hexWord),
    overlay: seldom(truth),
    dirty_bit: seldom(truth),
    assured_only: seldom(truth),
    top_level: seldom(truth),
    tag_access: seldom(truth),
    gpc: seldom(v.picklist(['fail', 'walk', 'address_size', 'external'])),
    gpt_level: seldom(v.picklist([0, 1])),
    output: seldom(truth),
  },
  'member of a fault',
  FAULT,
);
const GPC_MEMBERS = ['gpc', 'gpt_level', 'output'] as const;
const faultSchema = v.pipe(
  faultObject,
  v.rawCheck<v.InferOutput<typeof faultObject>>(({ dataset, addIssue }) => {
    if (!dataset.typed || dataset.value.kind === 'granule_protection') return;
    const { value } = dataset;
    const member = GPC_MEMBERS.find((name) => value[name] !== undefined);
    if (member === undefined) return;
    const message = withValue('belongs to a granule_protection fault', value[member]);
    addIssue({ message, path: memberPath(value, member) });
  }),
);

const updatesSchema = v.pipe(
  v.array(members({ pa: hexWord, word: hexWord }, 'member of an update', PART)),
  v.check(
    (updates) => updates.every(({ pa }) => pa % 8n === 0n),
    'the pa of a 64-bit word is a multiple of 8',
  ),
  v.check((updates) => new Set(updates.map(({ pa }) => pa)).size === updates.length, 'two words at one pa'),
);

/** `{ pa, attr, sh, … }` or `{ fault }`; `pa: null` is a fault of any kind. */
export const answerEntries = {
  fault: seldom(faultSchema),
  pa: v.nullish(hexWord),
  attr: seldom(
    v.pipe(
      hexWord,
      v.check((attr) => attr < 0x100n, 'expected a byte, as MAIR has them'),
      v.transform((attr) => Number(attr)),
    ),
  ),
  sh: seldom(v.pipe(integer, v.minValue(0), v.maxValue(3))),
  ns: seldom(bit),
  xs: seldom(bit),
  pas: seldom(addressSpace),
  level: seldom(integer),
  s2_level: seldom(integer),
  ipa: seldom(hexWord),
  ipas: seldom(addressSpace),
  updates: seldom(updatesSchema),
};
/** The members of an answer, read. */
export type AnswerMembers = v.InferOutput<v.ObjectSchema<typeof answerEntries, undefined>>;

/** An answer has a pa (which may be null) or a fault. */
export const hasAnswer = ({ fault, pa }: AnswerMembers) => Boolean(fault) || pa !== undefined;

/** The first thing that is wrong with an answer as a whole, and the member where it shows. */
function contradiction(
  answer: AnswerMembers,
): { readonly message: string; readonly member: string } | undefined {
  const { fault, pa } = answer;
  if (fault && typeof pa === 'bigint') {
    return { member: 'pa', message: withValue('an access has a pa or a fault, not both', pa) };
  }
  if (typeof pa === 'bigint') return undefined;
  const member = HIT_MEMBERS.find((name) => answer[name] !== undefined);
  if (member === undefined) return undefined;
  const message = 'belongs to an answer with a pa, and this one has no pa';
  return { member, message: withValue(message, answer[member]) };
}

/** A check that no member of an answer contradicts another. */
export const consistent = <T extends AnswerMembers>() =>
  v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const wrong = contradiction(dataset.value);
    if (wrong !== undefined)
      addIssue({ message: wrong.message, path: memberPath(dataset.value, wrong.member) });
  });

const answerObject = members(answerEntries, 'member of an answer', ROW);
/** An answer by itself: `arm`, `arm_or` … of a row. */
export const answerSchema = v.pipe(
  answerObject,
  v.check(hasAnswer, 'expected a pa or a fault'),
  consistent<v.InferOutput<typeof answerObject>>(),
);

export type AnswerJson = v.InferOutput<typeof answerSchema>;

/** The JSON of golden images (pgtable-golden/1, kind image): every member is compared, known to be information only, or refused. */
import * as v from 'valibot';
import { isStream, type MachineRegime, machineRegimes } from '../arch/regimes.ts';
import { securityNamed, securityProblem } from '../arch/security.ts';
import { oneShapeOf, pair, record } from '../json/schemas.ts';
import { isRegisterName } from '../machine/registers/index.ts';
import { featureNames } from '../walker/cpu.ts';
import { accessProblem } from './image-access.ts';
import {
  ANY_STAGES,
  FAULT,
  FAULT_KIND_NOT_YET,
  FAULT_KINDS,
  FILE,
  HIT_MEMBERS,
  PART,
  REGISTER,
  REGISTERS,
  ROW,
  SECURITY_STATES,
} from './image-words.ts';
import { at, knowing, type Members, members, oneOf, refusal, withValue } from './members.ts';
import { hexWord } from './schema.ts';

const integer = v.pipe(v.number(), v.integer());
/** Absent or null: no claim. */
const maybe = <T extends v.GenericSchema>(schema: T) => v.nullish(schema);
/** A bit, as a number or as true or false. */
const bit = v.pipe(
  v.union([v.picklist([0, 1]), v.boolean()], 'expected 0, 1, false or true'),
  v.transform((value) => Number(value)),
);
const truth = v.pipe(
  bit,
  v.transform((value) => value === 1),
);

const addressSpace = oneOf('address space', SECURITY_STATES, {});

const registerNames = [...REGISTERS, ...Object.keys(REGISTER.information)];
const registers = v.pipe(
  record(v.string(), hexWord),
  knowing(
    registerNames,
    v.rawCheck<Record<string, bigint>>(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const name of Object.keys(dataset.value)) {
        if (registerNames.includes(name)) continue;
        // A name from a manual. parseImageFile checks whether the regime has it.
        if (isRegisterName(name) && !Object.hasOwn(REGISTER.notYet, name)) continue;
        const why = refusal(name, 'register of a golden image', REGISTERS, REGISTER.notYet);
        const message = withValue(why, dataset.value[name]);
        addIssue({ message, path: at(dataset.value, name) });
      }
    }),
  ),
);

const faultObject = members(
  {
    kind: oneOf('kind of fault', FAULT_KINDS, FAULT_KIND_NOT_YET),
    ptw: maybe(truth),
    stage: maybe(v.picklist([1, 2])),
    level: maybe(integer),
    s1_level: maybe(integer),
    class: maybe(v.picklist(['in', 'tt', 'cd'])),
    ipa: maybe(hexWord),
    ipas: maybe(addressSpace),
    fetch: maybe(hexWord),
    overlay: maybe(truth),
    dirty_bit: maybe(truth),
    assured_only: maybe(truth),
    top_level: maybe(truth),
    tag_access: maybe(truth),
    gpc: maybe(v.picklist(['fail', 'walk', 'address_size', 'external'])),
    gpt_level: maybe(v.picklist([0, 1])),
    output: maybe(truth),
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
    const member = GPC_MEMBERS.find((name) => value[name] !== undefined && value[name] !== null);
    if (member === undefined) return;
    const message = withValue('belongs to a granule_protection fault', value[member]);
    addIssue({ message, path: at(value, member) });
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
const answerEntries = {
  fault: maybe(faultSchema),
  pa: maybe(hexWord),
  attr: maybe(
    v.pipe(
      hexWord,
      v.check((attr) => attr < 0x100n, 'expected a byte, as MAIR has them'),
      v.transform((attr) => Number(attr)),
    ),
  ),
  sh: maybe(v.pipe(integer, v.minValue(0), v.maxValue(3))),
  ns: maybe(bit),
  xs: maybe(bit),
  pas: maybe(addressSpace),
  level: maybe(integer),
  s2_level: maybe(integer),
  ipa: maybe(hexWord),
  ipas: maybe(addressSpace),
  updates: maybe(updatesSchema),
};
type AnswerMembers = v.InferOutput<v.ObjectSchema<typeof answerEntries, undefined>>;

const hasAnswer = ({ fault, pa }: AnswerMembers) => Boolean(fault) || pa !== undefined;

/** The first thing that is wrong with an answer as a whole, and the member where it shows. */
function contradiction(
  answer: AnswerMembers,
): { readonly message: string; readonly member: string } | undefined {
  const { fault, pa } = answer;
  if (fault && typeof pa === 'bigint') {
    return { member: 'pa', message: withValue('an access has a pa or a fault, not both', pa) };
  }
  if (typeof pa === 'bigint') return undefined;
  const member = HIT_MEMBERS.find((name) => answer[name] !== undefined && answer[name] !== null);
  if (member === undefined) return undefined;
  const message = 'belongs to an answer with a pa, and this one has no pa';
  return { member, message: withValue(message, answer[member]) };
}

const consistent = <T extends AnswerMembers>() =>
  v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const wrong = contradiction(dataset.value);
    if (wrong !== undefined)
      addIssue({ message: wrong.message, path: at(dataset.value as Members, wrong.member) });
  });

const answerObject = members(answerEntries, 'member of an answer', ROW);
const answerSchema = v.pipe(
  answerObject,
  v.check(hasAnswer, 'expected a pa or a fault'),
  consistent<v.InferOutput<typeof answerObject>>(),
);

const streamNumber = v.union([
  v.pipe(
    integer,
    v.transform((id) => BigInt(id)),
  ),
  hexWord,
]);

const rowObject = members(
  {
    ...answerEntries,
    va: hexWord,
    access: v.picklist(['read', 'write', 'execute']),
    el: maybe(v.picklist([0, 1, 2, 3], 'expected an exception level, 0 to 3')),
    pan: maybe(truth),
    gcs: maybe(truth),
    tag_checked: maybe(truth),
    sid: maybe(streamNumber),
    ssid: maybe(streamNumber),
    registers: maybe(registers),
    event: maybe(v.pipe(v.array(hexWord), v.length(4, 'an event record has four words'))),
    par: maybe(hexWord),
    arm: v.optional(answerSchema),
    arm_or: v.optional(answerSchema),
    arm_unprivileged: v.optional(answerSchema),
  },
  'member of a row',
  ROW,
);
const rowSchema = v.pipe(
  rowObject,
  v.check((row) => row.arm !== undefined || hasAnswer(row), 'must hold a pa, a fault, or what arm says'),
  v.check(({ arm, arm_or }) => arm_or === undefined || arm !== undefined, 'arm_or needs arm beside it'),
  consistent<v.InferOutput<typeof rowObject>>(),
);

const OFFSET = 'expected a byte offset below 4096, a multiple of 8, in decimal or as 0x…';
const offsetInFrame = v.pipe(
  v.string(OFFSET),
  v.regex(/^(\d{1,4}|0x[0-9a-fA-F]{1,3})$/, OFFSET),
  v.check((offset) => BigInt(offset) < 4096n && BigInt(offset) % 8n === 0n, OFFSET),
);

const frameSchema = members(
  { pa: hexWord, words64: record(offsetInFrame, hexWord) },
  'member of a frame',
  PART,
);
const wordSchema = pair({ pa: hexWord, word: hexWord });

/** Frames with their words by offset, or single words as `[pa, word]`; a list may hold both. */
const memorySchema = v.pipe(
  v.array(
    oneShapeOf(
      [frameSchema, wordSchema],
      (json) => (Array.isArray(json) ? wordSchema : frameSchema),
      'must be a frame { pa, words64 } or a pair: ["0x<pa>", "0x<word>"]',
    ),
  ),
  v.transform((parts) =>
    parts.flatMap((part) =>
      'words64' in part
        ? Object.entries(part.words64).map(([offset, word]) => [part.pa + BigInt(offset), word] as const)
        : [[part.pa, part.word] as const],
    ),
  ),
  v.check((words) => words.every(([pa]) => pa % 8n === 0n), 'the pa of a 64-bit word is a multiple of 8'),
  v.check(
    (words) => new Set(words.map(([pa]) => pa)).size === words.length,
    'must not hold two words at one pa',
  ),
);

const pagemapSchema = v.array(members({ va: hexWord, pa: hexWord }, 'member of a page', PART));

const feature = v.pipe(
  v.string(),
  knowing(
    featureNames,
    v.check<string, (issue: v.CheckIssue<string>) => string>(
      (name) => featureNames.includes(name),
      ({ input }) => `${input} is not a feature that is modelled; known are ${featureNames.join(', ')}`,
    ),
  ),
);

const REGIMES = [...machineRegimes, ANY_STAGES] as const;

const fileObject = members(
  {
    schema: v.literal('pgtable-golden/1'),
    kind: v.literal('image'),
    name: v.string(),
    regime: v.picklist(REGIMES, ({ input }) => {
      const regime = String(input);
      return `unknown regime '${regime}'; known are ${REGIMES.join(', ')}`;
    }),
    security: maybe(oneOf('security state', SECURITY_STATES, {})),
    cpu: members(
      { model: v.string(), pa_bits: maybe(integer), features: maybe(v.array(feature)) },
      'member of cpu',
      PART,
    ),
    ram: maybe(members({ base: hexWord, size: hexWord }, 'member of ram', PART)),
    elsewhere: maybe(v.picklist(['zero'])),
    registers,
    memory: memorySchema,
    translations: v.array(rowSchema),
    pagemap: v.optional(pagemapSchema, []),
    pagemap_prot_none: v.optional(pagemapSchema, []),
  },
  'member of a golden image',
  FILE,
);

/** Every member that a golden image may have. */
export const imageMembers: readonly string[] = [
  ...Object.keys(fileObject.entries),
  ...Object.keys(FILE.information),
];

/** The machine's regime. For an SMMU with a stream table it can be any, since the entries decide. */
export function machineRegimeOf({ regime }: { readonly regime: (typeof REGIMES)[number] }): MachineRegime {
  return regime === ANY_STAGES ? 'smmuv3-s1' : regime;
}

/** A golden image. Its rows may only ask for accesses that its machine has. */
export const imageSchema = v.pipe(
  fileObject,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { cpu, ram, elsewhere, translations } = dataset.value;
    const regime = machineRegimeOf(dataset.value);
    if (!ram && !elsewhere) {
      const message = 'must be { base, size }, or left out beside "elsewhere": "zero"';
      addIssue({ message, path: at(dataset.value, 'ram') });
    }
    const features = cpu.features ?? [];
    const { security } = dataset.value;
    const state = typeof security === 'string' ? securityNamed(security) : undefined;
    const problem = state === undefined ? undefined : securityProblem(regime, state);
    if (problem !== undefined) {
      addIssue({ message: withValue(problem, security), path: at(dataset.value, 'security') });
    }
    if (isStream(regime) && features.length > 0) {
      addIssue({
        message: withValue('an SMMU says in its IDR registers what it has', features),
        path: [...at(dataset.value, 'cpu'), ...at(cpu, 'features')],
      });
    }
    for (const [i, row] of translations.entries()) {
      const rowPath = [
        { type: 'array' as const, origin: 'value' as const, input: translations, key: i, value: row },
      ];
      const wrong = accessProblem(row, regime, dataset.value.registers.strtab_base !== undefined);
      if (wrong !== undefined) {
        const [first] = at(dataset.value, 'translations');
        const message = withValue(wrong.rule, row[wrong.member]);
        addIssue({ message, path: [first, ...rowPath, ...at(row, wrong.member)] });
      }
      for (const [answer, path] of answersOf(row)) {
        const refuse = (key: string, message: string) =>
          addIssue({
            message: withValue(message, answer[key as keyof typeof answer]),
            path: [
              ...at(dataset.value, 'translations'),
              ...rowPath,
              ...path.flatMap((name) => at(row, name)),
              ...at(answer, key),
            ],
          });
        if (typeof answer.xs === 'number' && !features.includes('FEAT_XS')) {
          refuse('xs', 'the XS attribute is FEAT_XS, which cpu.features does not list');
        }
      }
    }
  }),
);

export type ImageJson = v.InferOutput<typeof imageSchema>;
export type RowJson = ImageJson['translations'][number];
export type AnswerJson = v.InferOutput<typeof answerSchema>;

/** The answers of a row, each with the path to it. */
function answersOf(row: v.InferOutput<typeof rowObject>): (readonly [AnswerMembers, readonly string[]])[] {
  const { arm, arm_or, arm_unprivileged } = row;
  return [
    [row, []] as const,
    ...Object.entries({ arm, arm_or, arm_unprivileged }).flatMap(([name, answer]) =>
      answer === undefined ? [] : [[answer, [name]] as const],
    ),
  ];
}

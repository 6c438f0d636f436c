/** The JSON of golden images (pgtable-golden/1, kind image): every member is compared, known to be information only, or refused. */
import * as v from 'valibot';
import { isStream, type MachineRegime, machineRegimes } from '../arch/regimes.ts';
import { securityNamed, securityProblem } from '../arch/security.ts';
import { maybe, memberPath, record, seldom } from '../json/schemas.ts';
import { isRegisterName } from '../machine/registers/index.ts';
import { featureNames } from '../walker/cpu.ts';
import { accessProblem } from './image-access.ts';
import {
  type AnswerMembers,
  answerEntries,
  answerSchema,
  consistent,
  hasAnswer,
  integer,
  truth,
} from './image-answer.ts';
import { memorySchema } from './image-memory.ts';
import {
  ANY_STAGES,
  FILE,
  type MEMBERS,
  PART,
  REGISTER,
  REGISTERS,
  ROW,
  SECURITY_STATES,
} from './image-words.ts';
import { knowing, members, oneOf, refusal, withValue } from './members.ts';
import { hexWord } from './schema.ts';

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
        addIssue({ message, path: memberPath(dataset.value, name) });
      }
    }),
  ),
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
    el: seldom(v.picklist([0, 1, 2, 3], 'expected an exception level, 0 to 3')),
    pan: seldom(truth),
    gcs: seldom(truth),
    tag_checked: seldom(truth),
    sid: seldom(streamNumber),
    ssid: seldom(streamNumber),
    registers: seldom(registers),
    event: seldom(v.pipe(v.array(hexWord), v.length(4, 'an event record has four words'))),
    par: seldom(hexWord),
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
  } satisfies Record<(typeof MEMBERS)[number], unknown>,
  'member of a golden image',
  FILE,
);

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
      addIssue({ message, path: memberPath(dataset.value, 'ram') });
    }
    const features = cpu.features ?? [];
    const { security } = dataset.value;
    const state = typeof security === 'string' ? securityNamed(security) : undefined;
    const problem = state === undefined ? undefined : securityProblem(regime, state);
    if (problem !== undefined) {
      addIssue({ message: withValue(problem, security), path: memberPath(dataset.value, 'security') });
    }
    if (isStream(regime) && features.length > 0) {
      addIssue({
        message: withValue('an SMMU says in its IDR registers what it has', features),
        path: [...memberPath(dataset.value, 'cpu'), ...memberPath(cpu, 'features')],
      });
    }
    for (const [i, row] of translations.entries()) {
      const rowPath = [
        { type: 'array' as const, origin: 'value' as const, input: translations, key: i, value: row },
      ];
      const wrong = accessProblem(row, regime, dataset.value.registers.strtab_base !== undefined);
      if (wrong !== undefined) {
        const [first] = memberPath(dataset.value, 'translations');
        const message = withValue(wrong.rule, row[wrong.member]);
        addIssue({ message, path: [first, ...rowPath, ...memberPath(row, wrong.member)] });
      }
      for (const [answer, path] of answersOf(row)) {
        const refuse = (key: string, message: string) =>
          addIssue({
            message: withValue(message, answer[key as keyof typeof answer]),
            path: [
              ...memberPath(dataset.value, 'translations'),
              ...rowPath,
              ...path.flatMap((name) => memberPath(row, name)),
              ...memberPath(answer, key),
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

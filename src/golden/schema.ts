/** The JSON of golden files (`pgtable-golden/1`): its shapes, with addresses read into bigints, and errors that name the path. */
import * as v from 'valibot';
import { readJsonAs } from '../json/read.ts';
import { isObject, maybe, members, oneShapeOf, pair, record } from '../json/schemas.ts';
import { choicesBeside, choicesInConfig, registersInConfig } from '../operations/choices.ts';
import { operationSchema, protFlags, trackedRange } from '../operations/schema.ts';
import { QUIRKS } from '../pagetable/format.ts';
import { type Beside, members as judged } from './members.ts';
import { GoldenFileError } from './result.ts';

const HEX = 'must be a "0x…" string of at most 64 bits';

/** `"0x…"` to a bigint. */
export const hexWord = v.pipe(
  v.string(HEX),
  v.regex(/^0x[0-9a-fA-F]{1,16}$/, HEX),
  v.description('a number of at most 64 bits in hexadecimal'),
  v.transform((text) => BigInt(text)),
);

/** Linux's return values: a negative errno or 0 as a number, bytes and addresses as `"0x…"`. */
const returned = v.union(
  [
    v.pipe(
      v.number(),
      v.integer(),
      v.transform((errno) => BigInt(errno)),
    ),
    hexWord,
  ],
  'must be a number or a "0x…" string',
);
export const bits = v.pipe(v.number(), v.integer(), v.minValue(0, 'must be 0 or more'));

export const configSchema = members({
  pgsize_bitmap: hexWord,
  ias: bits,
  oas: bits,
  coherent_walk: v.optional(v.boolean(), true),
  quirks: v.optional(v.array(v.picklist(QUIRKS)), []),
  ...choicesInConfig,
  mair: maybe(hexWord),
  granule: maybe(hexWord),
  ...registersInConfig(hexWord),
});

const fields = record(v.string(), bits);
export const registersSchema = record(
  v.string(),
  oneShapeOf(
    [hexWord, fields],
    (json) => (isObject(json) ? fields : typeof json === 'string' ? hexWord : undefined),
    'must be a "0x…" string or an object of fields',
  ),
);

export const opSchema = operationSchema({
  address: hexWord,
  prot: protFlags,
  entry: pair({ phys: hexWord, length: hexWord }),
  ranges: v.array(trackedRange(hexWord)),
  ret: returned,
});

/** What a file may have besides the members that are compared. */
const OPS_FILE: Beside = {
  information: {
    producer: 'who made the file',
    note: 'for readers',
    notes: 'for readers',
    comment: 'for readers',
    seed: 'what the operations were made from',
  },
  notYet: {},
};
const ROW: Beside = { information: { note: 'for readers', comment: 'for readers' }, notYet: {} };

const opsFileEntries = {
  schema: v.literal('pgtable-golden/1'),
  kind: v.literal('ops'),
  name: v.string(),
  format: v.string(),
  config: configSchema,
  ...choicesBeside,
  result: members({ pgsize_bitmap: hexWord, registers: registersSchema }),
  ops: v.array(opSchema),
  tables: v.pipe(
    v.array(
      members({
        pa: hexWord,
        level: v.pipe(v.number(), v.integer()),
        entries: record(
          v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,6})$/, 'is no index of an entry')),
          hexWord,
        ),
      }),
    ),
    v.minLength(1, 'must hold at least the root'),
    v.check(
      (tables) => new Set(tables.map((t) => t.pa)).size === tables.length,
      'must each have a pa of their own: two tables have the same pa',
    ),
  ),
  translations: v.array(members({ iova: hexWord, pa: v.nullable(hexWord) })),
};
export const opsFileSchema = judged(opsFileEntries, 'member of a golden file of operations', OPS_FILE);

export const creationSchema = v.pipe(
  v.array(
    judged(
      {
        format: v.string(),
        config: configSchema,
        cpu_page_size: hexWord,
        ok: v.boolean(),
        result: v.nullable(
          judged(
            {
              pgsize_bitmap: hexWord,
              ias: bits,
              oas: bits,
              registers: registersSchema,
              root_level: v.optional(v.pipe(v.number(), v.integer())),
              root_entries: v.optional(bits),
            },
            'member of a result',
            ROW,
          ),
        ),
      },
      'member of a table creation',
      ROW,
    ),
  ),
  v.minLength(1, 'must hold at least one row'),
);

export type OpsFile = v.InferOutput<typeof opsFileSchema>;
export type GoldenOp = v.InferOutput<typeof opSchema>;
export type GoldenConfig = v.InferOutput<typeof configSchema>;
export type CreationRows = v.InferOutput<typeof creationSchema>;

/** @throws GoldenFileError that names the first bad part: `ops[3].iova must be a "0x…" string of at most 64 bits, but is "12"`. */
export function parseGolden<T extends v.GenericSchema>(schema: T, json: unknown): v.InferOutput<T> {
  const read = readJsonAs(schema, json);
  if (read.ok) return read.value;
  throw new GoldenFileError(read.problem);
}

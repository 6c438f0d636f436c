/** The JSON of golden files (`pgtable-golden/1`): its shapes, with addresses read into bigints, and errors that name the path. */
import * as v from 'valibot';
import { PROT_FLAGS, QUIRKS } from '../pagetable/format.ts';
import { GoldenFileError } from './result.ts';

/** `"0x…"` to a bigint. */
export const hexWord = v.pipe(
  v.string('expected a "0x…" string of at most 64 bits'),
  v.regex(/^0x[0-9a-f]{1,16}$/i, 'expected a "0x…" string of at most 64 bits'),
  v.transform((text) => BigInt(text)),
);

/** Linux's return values: a negative errno or 0 as a number, bytes and addresses as `"0x…"`. */
const returned = v.union(
  [
    v.pipe(
      v.number(),
      v.integer(),
      v.transform((text) => BigInt(text)),
    ),
    hexWord,
  ],
  'expected a number or a "0x…" string',
);
const bits = v.pipe(v.number(), v.integer(), v.minValue(0));
const prot = v.array(v.picklist(PROT_FLAGS));

export const configSchema = v.strictObject({
  pgsize_bitmap: hexWord,
  ias: bits,
  oas: bits,
  coherent_walk: v.optional(v.boolean(), true),
  quirks: v.optional(v.array(v.picklist(QUIRKS)), []),
});

export const registersSchema = v.record(v.string(), v.union([hexWord, v.record(v.string(), bits)]));

export const opSchema = v.variant('op', [
  v.strictObject({ op: v.literal('map'), iova: hexWord, paddr: hexWord, size: hexWord, prot, ret: returned }),
  v.strictObject({
    op: v.literal('map_sg'),
    iova: hexWord,
    sg: v.array(v.strictTuple([hexWord, hexWord])),
    prot,
    ret: returned,
  }),
  v.strictObject({ op: v.literal('unmap'), iova: hexWord, size: hexWord, ret: returned }),
  v.strictObject({ op: v.literal('iova_to_phys'), iova: hexWord, ret: returned }),
]);

export const opsFileSchema = v.object({
  schema: v.literal('pgtable-golden/1'),
  kind: v.literal('ops'),
  name: v.string(),
  format: v.string(),
  config: configSchema,
  result: v.strictObject({ pgsize_bitmap: hexWord, registers: registersSchema }),
  ops: v.array(opSchema),
  tables: v.pipe(
    v.array(
      v.strictObject({
        pa: hexWord,
        level: v.pipe(v.number(), v.integer()),
        entries: v.record(
          v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,6})$/, 'expected an entry index')),
          hexWord,
        ),
      }),
    ),
    v.minLength(1, 'expected at least the root'),
    v.check(
      (tables) => new Set(tables.map((t) => t.pa)).size === tables.length,
      'two tables have the same pa',
    ),
  ),
  translations: v.array(v.strictObject({ iova: hexWord, pa: v.nullable(hexWord) })),
});

export const creationSchema = v.pipe(
  v.array(
    v.object({
      format: v.string(),
      config: configSchema,
      cpu_page_size: hexWord,
      ok: v.boolean(),
      result: v.nullable(
        v.object({
          pgsize_bitmap: hexWord,
          ias: bits,
          oas: bits,
          registers: registersSchema,
          root_level: v.optional(v.pipe(v.number(), v.integer())),
          root_entries: v.optional(bits),
        }),
      ),
    }),
  ),
  v.minLength(1, 'expected at least one row'),
);

export type OpsFile = v.InferOutput<typeof opsFileSchema>;
export type GoldenOp = v.InferOutput<typeof opSchema>;
export type GoldenConfig = v.InferOutput<typeof configSchema>;
export type CreationRows = v.InferOutput<typeof creationSchema>;

/** @throws GoldenFileError that names the first bad part: `ops[3].iova: expected a "0x…" string`. */
export function parseGolden<T extends v.GenericSchema>(schema: T, json: unknown): v.InferOutput<T> {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = (issue.path ?? [])
    .map((item) => (typeof item.key === 'number' ? `[${item.key}]` : `.${String(item.key)}`))
    .join('')
    .replace(/^\./, '');
  throw new GoldenFileError(`${path || 'file'}: ${issue.message}`);
}

/** JSON Schemas (draft 2020-12) made from the schemas that read files and describe outputs. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { FILES, type Kind } from './files.ts';
import { OUTPUTS } from './outputs.ts';

/** A check with the words that it accepts (`knowing` in src/golden/members.ts). */
const wordsOf = (check: object) => ('known' in check ? (check.known as readonly string[]) : undefined);

/** Members that may stand beside those that are judged (`members` in src/golden/members.ts). */
const informationOf = (schema: object) =>
  'information' in schema ? (schema.information as readonly string[]) : undefined;

/**
 * The JSON Schema of a kind of document. It says less than the validator: what only code can check, such as that addresses are
 * aligned, is left out. What the validator accepts, it accepts.
 */
export function jsonSchemaOf({ title, description, schema }: Kind): object {
  const { $schema, ...rest } = toJsonSchema(schema, {
    typeMode: 'input',
    errorMode: 'ignore',
    target: 'draft-2020-12',
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      const information = informationOf(valibotSchema);
      if (information === undefined) return undefined;
      const beside = Object.fromEntries(information.map((member) => [member, {}]));
      const properties = { ...jsonSchema.properties, ...beside };
      return { ...jsonSchema, properties, additionalProperties: false };
    },
    overrideAction: ({ valibotAction, jsonSchema }) => {
      const known = wordsOf(valibotAction);
      if (known === undefined) return undefined;
      return jsonSchema.type === 'object'
        ? { ...jsonSchema, propertyNames: { enum: [...known] } }
        : { ...jsonSchema, enum: [...known] };
    },
  });
  return { $schema, title, description, ...rest };
}

/** Every schema, by file name. */
export function allSchemas(): ReadonlyMap<string, string> {
  return new Map(
    [...FILES, ...OUTPUTS].map((kind) => [
      `${kind.name}.schema.json`,
      `${JSON.stringify(jsonSchemaOf(kind), null, 2)}\n`,
    ]),
  );
}

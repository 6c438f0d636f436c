/** JSON values read by a schema, and complaints as sentences that say where: `ops[3].iova must be …, but is …`. */
import * as v from 'valibot';
import { expectation } from './words.ts';

/** The result of reading JSON by a schema: a value, or the first problem. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads `json` by `schema`. A problem names the member by its path in the document, what it must be, and what it is.
 * A schema's message is about one member: `must be a power of two` is completed by `, but is 3`. A message that
 * is a whole sentence follows a colon.
 */
export function readJsonAs<T extends v.GenericSchema>(schema: T, json: unknown): Read<v.InferOutput<T>> {
  const result = v.safeParse(schema, json, { abortEarly: true, message: expectation });
  if (result.success) return { ok: true, value: result.output };
  const [{ path = [], message }] = result.issues;
  // Take the value from the file: the issue's input may already be transformed.
  const found = path.length === 0 ? json : path.at(-1)?.value;
  const where = pathText(path.map(({ key }) => key)) || 'the document';
  if (!/^(must|is) /.test(message)) return { ok: false, problem: `${where}: ${message}` };
  const but = message.startsWith('must be') ? `, but is ${shown(found)}` : '';
  return { ok: false, problem: `${where} ${message}${but}` };
}

/** `ops[3].iova`; a name that could be misread is quoted: `registers["a b"]`. */
function pathText(keys: readonly unknown[]): string {
  const parts = keys.map((key) => {
    const plain = typeof key === 'string' && key.length <= LONGEST && /^[\w$@:/-]+$/.test(key);
    return plain ? `.${key}` : `[${shown(key)}]`;
  });
  return parts.join('').replace(/^\./, '');
}

const LONGEST = 40;

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

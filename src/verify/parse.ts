/** Intentions of any kind: text, CSV or JSON, seen from what they hold. */
import { type Intent, IntentError } from './intent.ts';
import { readIntentJson } from './json.ts';
import { readIntentText } from './text.ts';

/** A heading of a dump begins with a bracket too: of JSON an object or another bracket follows. */
const IS_JSON = /^\ufeff?\s*(?:\{|\[\s*[{\]])/;

/**
 * Reads what tables are meant to map: text as `lpae dump` prints it or as people write it, `lpae dump --json`, or CSV (address, length,
 * type, label).
 *
 * @throws IntentError with everything that can't be understood; then nothing is compared.
 * @example
 * const { lines, rules } = parseIntent('0x8000_0000+16M -> identity r-x WB\nnever wx');
 * console.log(lines[0]?.last.toString(16), rules[0]?.text); // 80ffffff never wx
 */
export function parseIntent(text: string): Intent {
  if (!IS_JSON.test(text)) return readIntentText(text).finish();
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new IntentError([{ line: 0, message: `is no JSON: ${(error as Error).message}` }]);
  }
  return readIntentJson(json).finish();
}

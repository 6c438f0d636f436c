/** The Test Anything Protocol, version 14: a line for each file, and a YAML block under each that differs. */

export interface TapLine {
  readonly ok: boolean;
  readonly name: string;
  /** A comment after the name. */
  readonly comment?: string;
  /** Lines of YAML without indentation. */
  readonly yaml?: readonly string[];
}

export function tapHeader(planned: number): string[] {
  return ['TAP version 14', `1..${planned}`];
}

export function tapLines({ ok, name, comment, yaml = [] }: TapLine, number: number): string[] {
  // A bare # would start a directive.
  const described = name.replaceAll('\\', '\\\\').replaceAll('#', '\\#');
  const first = `${ok ? 'ok' : 'not ok'} ${number} - ${described}${comment ? ` # ${comment}` : ''}`;
  if (yaml.length === 0) return [first];
  return [first, '  ---', ...yaml.map((line) => `  ${line}`), '  ...'];
}

const BARE = /^[A-Za-z][\w .,/[\]()-]*$/;
const WORDS_OF_YAML = /^(true|false|null|yes|no|on|off)$/i;

/** A string as YAML: bare if that is unambiguous, otherwise quoted as in JSON. */
export function yamlText(text: string): string {
  return BARE.test(text) && !WORDS_OF_YAML.test(text) && text === text.trim() ? text : JSON.stringify(text);
}

/** What logs put in front of a message: time stamps, levels, program names. They also show where a new message begins. */

const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';

/** Each matches at the beginning of the rest of a line. None may match an empty string. */
const PREFIXES: readonly RegExp[] = [
  // Linux: [   12.345678], [  +0.000462]; then [    C0], [  T123] if the caller is printed.
  /^\s*\[\s*[+-]?\d{1,9}\.\d{1,9}\s*\]/,
  /^\s*\[\s*[CT]\d{1,7}\s*\]/,
  /^\s*\[CPU\d{1,4}\]/i,
  // Kernel levels: <3>.
  /^\s*<\d{1,3}>/,
  // syslog: Apr 15 13:58:03.028579 host kernel:
  new RegExp(
    String.raw`^\s*${MONTH}\s+\d{1,2}\s+\d\d:\d\d:\d\d(?:\.\d+)?\s+[\w.-]{1,64}\s+[\w./-]{1,64}(?:\[\d+\])?:`,
  ),
  new RegExp(String.raw`^\s*${MONTH}\s+\d{1,2}\s+\d\d:\d\d:\d\d(?:\.\d+)?\b`),
  // ISO dates and clocks, also in brackets.
  /^\s*\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,+:Z]*\]?/,
  // Android: 01-15 13:31:06.831 13140 13140 F DEBUG   :
  /^\s*\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s+\d+\s+\d+ [VDIWEF] [\w.-]{1,32}\s*:/,
  /^\s*\[?\d\d:\d\d:\d\d(?:[.,]\d+)*\]?(?=\s)/,
  // Trace tools: 0x000000000277BBFA |   1263.468579:
  /^\s*0x[0-9a-f]{1,16}\s+\|\s+\d{1,9}\.\d{1,9}:/i,
  // Xen and its domains.
  /^\s*\((?:XEN|d\d+(?:v\d+)?)\)/,
  // OP-TEE: E/TC:1 0; ERROR:   TEE-CORE:
  /^\s*[EWIDF]\/T[CA]:\s*\S{1,8}(?: \d{1,4}(?=\s))?/,
  /^\s*(?:ERROR|WARNING|NOTICE|INFO):\s+(?:TEE-CORE:)?/,
  // Zephyr: [00000150] <err> os:, E:
  /^\s*\[\d{8}\](?=\s*<)/,
  /^\s*<(?:err|wrn|inf|dbg)>\s*\w{1,32}:/,
  /^\s*[EW]:(?=\s)/,
  // A host's name before the kernel's.
  /^\s*[\w.-]{1,64} kernel:/,
];

/** The most prefixes in front of one message. */
const MOST = 6;

/** The message without prefixes. It keeps its own indentation. */
export function messageOf(line: string): string {
  let rest = line;
  for (let n = 0; n < MOST; n++) {
    const found = PREFIXES.map((one) => one.exec(rest)?.[0]).find((one) => one !== undefined);
    if (found === undefined) break;
    rest = rest.slice(found.length);
  }
  return rest;
}

/** Whether a line may be the rest of the one above: it is not empty, and has no log prefix. */
export function mayContinue(line: string): boolean {
  return line.trim() !== '' && messageOf(line).length === line.length;
}

/** Walks that Xen prints: a root, then one entry per level without its address. Each entry lies in the table that the one before it points to. */
import { type DataLine, wordLine } from './hex-line.ts';

/** `Walking Hypervisor VA 0x40 on CPU0 via TTBR 0x0000000046948000`. */
const ROOT = /\bWalking .{0,40}\bvia TTBR[01]? 0x([0-9a-f]{1,16})/i;
/** `P2M @ 0000000803fc3d40 mfn:0x17f0f5`. */
const P2M = /\bP2M @ [0-9a-fx]{1,18} mfn:0x([0-9a-f]{1,13})\b/i;
/** Behind it: which table of a concatenated root the first entry is in. */
const CONCATENATED = /\bUsing concatenated root table (\d{1,2})\b/i;
const ENTRY = /\b(?:0TH|1ST|2ND|3RD)\[0x([0-9a-f]{1,4})\] =(?:3D)? 0x([0-9a-f]{1,16})\b/i;

const PAGE_LOG2 = 12n;
const ENTRY_BYTES = 8n;
/** Xen's tables lie below 2^48, in pages of 4K. */
const ADDRESS = ((1n << 48n) - 1n) & ~((1n << PAGE_LOG2) - 1n);
const WORD_DIGITS = 16;

/** Whether a line is an entry of such a walk. */
export function isXenEntry(text: string): boolean {
  return ENTRY.test(text);
}

/** Reads the lines of a walk one after the other. */
export class XenWalk {
  #table: bigint | undefined;

  /** The entry in a line, if its table is known. Its bytes are in `lineBytes`, as for a dump. */
  parse(text: string): DataLine | undefined {
    const root = ROOT.exec(text)?.[1];
    const frame = P2M.exec(text)?.[1];
    if (root !== undefined) this.#table = BigInt(`0x${root}`) & ADDRESS;
    else if (frame !== undefined) this.#table = BigInt(`0x${frame}`) << PAGE_LOG2;
    const part = CONCATENATED.exec(text)?.[1];
    if (part !== undefined && this.#table !== undefined) this.#table += BigInt(part) << PAGE_LOG2;
    const [, index, digits] = ENTRY.exec(text) ?? [];
    if (this.#table === undefined || index === undefined || digits === undefined) return undefined;
    const address = this.#table + BigInt(`0x${index}`) * ENTRY_BYTES;
    this.#table = BigInt(`0x${digits}`) & ADDRESS;
    return wordLine(address.toString(16), digits.padStart(WORD_DIGITS, '0'));
  }
}

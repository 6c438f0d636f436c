/** Packets of the gdb remote serial protocol: `$text#checksum`, escaped and run-length encoded. (gdb's manual, "Remote Protocol", Overview.) */

const [DOLLAR, HASH, PERCENT, PLUS, MINUS, ESCAPE, STAR] = [0x24, 0x23, 0x25, 0x2b, 0x2d, 0x7d, 0x2a];
/** The value that an escaped byte is XORed with. */
const ESCAPED = 0x20;
/** A run's length is written as a printable character, larger by this value. */
const RUN_BIAS = 29;

/** The maximum length of an answer. A stub's packets have some KiB. */
const MAX_PACKET = 1 << 22;

/** What arrived: an answer, or an acknowledgement of a packet that was sent. A packet with a wrong checksum is `damaged`. */
export type Received =
  | { readonly kind: 'packet'; readonly data: Uint8Array }
  | { readonly kind: 'ack' | 'nak' | 'damaged' };

/** The bytes of a packet with this text, which is ASCII without `$`, `#` and `}`. */
export function packetOf(text: string): Uint8Array {
  const sum = checksum(new TextEncoder().encode(text));
  return new TextEncoder().encode(`$${text}#${sum.toString(16).padStart(2, '0')}`);
}

function checksum(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);
}

/** Splits what a connection delivers into packets. */
export class PacketReader {
  #rest: Uint8Array = new Uint8Array(0);

  /** @throws RangeError for a packet that does not end. */
  push(chunk: Uint8Array): Received[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const found: Received[] = [];
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (byte === PLUS || byte === MINUS) found.push({ kind: byte === PLUS ? 'ack' : 'nak' });
      if (byte !== DOLLAR && byte !== PERCENT) {
        at++;
        continue;
      }
      const hash = bytes.indexOf(HASH, at);
      if (hash < 0 || hash + 2 >= bytes.length) break;
      // A notification (%) is not an answer.
      if (byte === DOLLAR) found.push(read(bytes.subarray(at + 1, hash), bytes.subarray(hash + 1, hash + 3)));
      at = hash + 3;
    }
    this.#rest = bytes.slice(at);
    if (this.#rest.length > MAX_PACKET) throw new RangeError('a packet of more than 4 MiB');
    return found;
  }
}

function read(encoded: Uint8Array, sum: Uint8Array): Received {
  const expected = Number.parseInt(String.fromCharCode(...sum), 16);
  return checksum(encoded) === expected ? { kind: 'packet', data: expanded(encoded) } : { kind: 'damaged' };
}

/** Undoes escapes, and runs: `0* ` is `0` four times. */
function expanded(encoded: Uint8Array): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < encoded.length; i++) {
    const byte = encoded[i]!;
    if (byte === ESCAPE) bytes.push((encoded[++i] ?? 0) ^ ESCAPED);
    else if (byte === STAR && bytes.length > 0) {
      const again = (encoded[++i] ?? RUN_BIAS) - RUN_BIAS;
      const last = bytes.at(-1)!;
      for (let n = 0; n < again; n++) bytes.push(last);
    } else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** The bytes for pairs of hexadecimal digits, or undefined for anything else. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Text as pairs of hexadecimal digits. */
export function hexOfText(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** MAIR values for the memory types that an intention asks for. (DDI 0487 D24.2.110.) */
import { DEVICE_BYTE } from '../../../formats/lpae/mair.ts';
import type { WantedMemory } from '../../verify/intent.ts';
import { usageError } from '../io.ts';

const SLOTS = 8;
/** Half a byte of MAIR: read and write allocate. */
const NIBBLES = {
  'non-cacheable': 0x4,
  'write-through': 0xb,
  'write-back': 0xf,
  'implementation-defined': 0xf,
} as const;
const TAGGED = 0xf0;

/** A MAIR with the types that lines ask for, each in a slot of its own. */
export class MemoryTypes {
  readonly #bytes: number[] = [];

  /** @throws CliError (usage) for a ninth type. */
  indexOf(memory: WantedMemory | undefined): number {
    const byte = byteOf(memory ?? {});
    const known = this.#bytes.indexOf(byte);
    if (known >= 0) return known;
    this.#bytes.push(byte);
    if (this.#bytes.length > SLOTS) throw usageError('MAIR has eight memory types, and there are more');
    return this.#bytes.length - 1;
  }

  /** 64 bits. */
  get mair(): bigint {
    return this.#bytes.reduceRight((mair, byte) => mair * 256n + BigInt(byte), 0n);
  }
}

function byteOf({ type, device, inner, outer, tagged, attr }: WantedMemory): number {
  if (typeof attr === 'number') return attr;
  if (type === 'device') return DEVICE_BYTE[device ?? 'nGnRE'];
  if (tagged) return TAGGED;
  return NIBBLES[outer ?? 'write-back'] * 16 + NIBBLES[inner ?? 'write-back'];
}

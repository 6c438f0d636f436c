/** MAIR values for the memory types that a request or an intention asks for. (DDI 0487 D24.2.110.) */
import { DEVICE_BYTE, LINUX_MAIR } from '../../../formats/lpae/prot.ts';
import type { Operation } from '../../operations/schema.ts';
import type { WantedMemory } from '../../verify/intent.ts';
import { usageError } from '../io.ts';

const SLOTS = 8;
/** Slots of Linux's MAIR that Linux never names. */
const SPARE_SLOTS = [4, 5, 6, 7] as const;
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

/** Linux's MAIR with the Device types that operations ask for and it lacks, in slots that Linux does not use. Undefined: it lacks none. */
export function mairFor(ops: readonly Operation[]): bigint | undefined {
  const asked = ops.flatMap((op) => ('prot' in op && op.prot?.device !== undefined ? [op.prot.device] : []));
  const bytes = [...new Set(asked)].map((device) => DEVICE_BYTE[device]);
  const missing = bytes.filter((byte) => !slotsOf(LINUX_MAIR).includes(byte)).sort((a, b) => a - b);
  if (missing.length === 0) return undefined;
  return missing.reduce((mair, byte, i) => withSlot(mair, SPARE_SLOTS[i]!, byte), LINUX_MAIR);
}

function slotsOf(mair: bigint): number[] {
  return Array.from({ length: SLOTS }, (_, i) => Number((mair >> BigInt(8 * i)) & 0xffn));
}

function withSlot(mair: bigint, slot: number, byte: number): bigint {
  const shift = BigInt(8 * slot);
  return (mair & ~(0xffn << shift)) | (BigInt(byte) << shift);
}

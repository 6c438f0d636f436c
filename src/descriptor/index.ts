/**
 * Bit-field tables, and encoding and decoding by them: what `lpae/descriptor` exports.
 *
 * @example
 * import { bitRange, decode, encode } from 'lpae/descriptor';
 * import { arm64LpaeS1 } from 'lpae/formats';
 *
 * const table = arm64LpaeS1.configure({ pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * const page = table.layout('page', 3);
 * for (const { field, value, text } of decode(page, 0x0060_0000_4000_0f47n)) {
 *   if (field.name.startsWith('AP')) console.log(field.name, bitRange(field), value, text); // AP[2:1] [7:6] 1n read/write at EL1 and EL0
 * }
 * console.log(encode(page, { 'AP[2:1]': 3n }).toString(16)); // c3
 */
export {
  type DecodedField,
  decode,
  decodeAddress,
  encode,
  encodeAddress,
  FieldError,
  matches,
} from './codec.ts';
export { bitRange, type DescriptorLayout, type Field, type FieldKind } from './field.ts';

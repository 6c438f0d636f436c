/** Bit-field tables and what is derived from them: what `lpae/descriptor` exports. */
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

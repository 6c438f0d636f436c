/** Memory attributes of MAIR_ELx in words, byte by byte. (DDI 0487 D24.2.127, "Attr<n>".) */

const DEVICE = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'] as const;
/** Bytes that are what they are as a whole. */
const WHOLE: Readonly<Record<number, string>> = {
  64: 'Normal, Non-cacheable, XS 0 (FEAT_XS; else unpredictable)',
  160: 'Normal, Write-Through, XS 0 (FEAT_XS; else unpredictable)',
  240: 'Normal, Write-Back, Allocation Tagged (FEAT_MTE2; else unpredictable)',
};

/** One byte in words: `Normal, outer and inner Write-Back, read and write allocate`. `byte` is 0 to 255. */
export function mairByteText(byte: number): string {
  if (byte >> 4 === 0) return deviceText(byte);
  const whole = WHOLE[byte];
  if (whole !== undefined) return whole;
  if ((byte & 0xf) === 0) return 'unpredictable';
  const [outer, inner] = [cacheText(byte >> 4), cacheText(byte & 0xf)];
  return `Normal, ${outer === inner ? `outer and inner ${outer}` : `outer ${outer}, inner ${inner}`}`;
}

function deviceText(byte: number): string {
  const type = `Device-${DEVICE[(byte >> 2) & 3]!}`;
  const low = byte & 3;
  if (low === 0) return type;
  return low === 1 ? `${type}, XS 0 (FEAT_XS; else unpredictable)` : 'unpredictable';
}

function cacheText(nibble: number): string {
  if (nibble === 4) return 'Non-cacheable';
  const hints = nibble & 3;
  const policy = nibble & 4 ? 'Write-Back' : 'Write-Through';
  const allocate = ['no allocate', 'write allocate', 'read allocate', 'read and write allocate'][hints]!;
  // Bit 3 clear means transient, which needs an allocation hint: 0b0100 is Non-cacheable, 0b0000 is Device.
  return `${policy}${nibble & 8 ? '' : ' Transient'}, ${allocate}`;
}

/** The byte that AttrIndx chooses: Attr<index> of MAIR. */
export function mairByte(mair: bigint, index: number): number {
  return Number((mair >> BigInt(index * 8)) & 0xffn);
}

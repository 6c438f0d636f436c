/** Values that fields of several registers have in common, in words. */

export const ON = ['off', 'on'] as const;
export const NO_YES = ['no', 'yes'] as const;
export const WALKS = ['allowed', 'disabled: a translation fault'] as const;
export const ENDIANNESS = ['little', 'big'] as const;

/** Codes of the granule: TG0 and TG1 differ. (DDI 0487 D24.2.194.) */
export const TG0_VALUES = ['4K', '64K', '16K', 'reserved'] as const;
export const TG1_VALUES = ['reserved', '16K', '4K', '64K'] as const;

/** IPS and PS. (DDI 0487 D24.2.194, Table D8-6.) */
export const OUTPUT_SIZES = [
  '32 bits, 4G',
  '36 bits, 64G',
  '40 bits, 1T',
  '42 bits, 4T',
  '44 bits, 16T',
  '48 bits, 256T',
  '52 bits, 4P',
  '56 bits, 64P (FEAT_D128)',
] as const;

export const SHAREABILITIES = ['non-shareable', 'reserved', 'outer shareable', 'inner shareable'] as const;

/** RGN, IRGN and ORGN. */
export const CACHEABILITIES = [
  'Non-cacheable',
  'Write-Back, read and write allocate',
  'Write-Through, read allocate',
  'Write-Back, read allocate',
] as const;

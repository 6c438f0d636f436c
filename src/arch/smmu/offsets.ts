/** Where the registers of an SMMUv3 that translation depends on lie in its first page, by the names that a machine takes. (IHI 0070 G.b, 6.2.) */

export interface RegisterPlace {
  /** In bytes, from the SMMU's base on. */
  readonly offset: number;
  /** Width. */
  readonly bits: 32 | 64;
}

const word = (offset: number): RegisterPlace => ({ offset, bits: 32 });

export const SMMU_OFFSETS = {
  idr0: word(0x0),
  idr1: word(0x4),
  idr3: word(0xc),
  idr5: word(0x14),
  cr0: word(0x20),
  cr2: word(0x2c),
  gbpa: word(0x44),
  strtab_base: { offset: 0x80, bits: 64 },
  strtab_base_cfg: word(0x88),
} as const satisfies Readonly<Record<string, RegisterPlace>>;

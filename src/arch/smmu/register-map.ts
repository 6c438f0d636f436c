/** Where the Non-secure registers of an SMMUv3 lie, by their names without `SMMU_`. (IHI 0070 G.b, 6.2.1, 6.2.2.) */

export interface RegisterPlace {
  /** In bytes, from the SMMU's base on. */
  readonly offset: number;
  /** Width. */
  readonly bits: 32 | 64;
  /** Hardware ignores writes. */
  readonly readOnly?: true;
  /** For registers of page 1: an offset in page 0 that may mean the same register. */
  readonly alias?: number;
}

const word = (offset: number): RegisterPlace => ({ offset, bits: 32 });
const wide = (offset: number): RegisterPlace => ({ offset, bits: 64 });
const readOnly = (place: RegisterPlace): RegisterPlace => ({ ...place, readOnly: true });
/** A register of page 1, 64 KiB above page 0. */
const page1 = (offset: number): RegisterPlace => ({ offset: 0x1_0000 + offset, bits: 32, alias: offset });

export const SMMU_REGISTERS = {
  IDR0: readOnly(word(0x0)),
  IDR1: readOnly(word(0x4)),
  IDR2: readOnly(word(0x8)),
  IDR3: readOnly(word(0xc)),
  IDR4: readOnly(word(0x10)),
  IDR5: readOnly(word(0x14)),
  IIDR: readOnly(word(0x18)),
  AIDR: readOnly(word(0x1c)),
  CR0: word(0x20),
  CR0ACK: readOnly(word(0x24)),
  CR1: word(0x28),
  CR2: word(0x2c),
  S2PII: wide(0x30),
  STATUSR: readOnly(word(0x40)),
  GBPA: word(0x44),
  AGBPA: word(0x48),
  IRQ_CTRL: word(0x50),
  IRQ_CTRLACK: readOnly(word(0x54)),
  GERROR: readOnly(word(0x60)),
  GERRORN: word(0x64),
  GERROR_IRQ_CFG0: wide(0x68),
  GERROR_IRQ_CFG1: word(0x70),
  GERROR_IRQ_CFG2: word(0x74),
  STRTAB_BASE: wide(0x80),
  STRTAB_BASE_CFG: word(0x88),
  CMDQ_BASE: wide(0x90),
  CMDQ_PROD: word(0x98),
  CMDQ_CONS: word(0x9c),
  EVENTQ_BASE: wide(0xa0),
  EVENTQ_PROD: page1(0xa8),
  EVENTQ_CONS: page1(0xac),
  EVENTQ_IRQ_CFG0: wide(0xb0),
  EVENTQ_IRQ_CFG1: word(0xb8),
  EVENTQ_IRQ_CFG2: word(0xbc),
  PRIQ_BASE: wide(0xc0),
  PRIQ_PROD: page1(0xc8),
  PRIQ_CONS: page1(0xcc),
  PRIQ_IRQ_CFG0: wide(0xd0),
  PRIQ_IRQ_CFG1: word(0xd8),
  PRIQ_IRQ_CFG2: word(0xdc),
  GATOS_CTRL: word(0x100),
  GATOS_SID: wide(0x108),
  GATOS_ADDR: wide(0x110),
  GATOS_PAR: readOnly(wide(0x118)),
  MPAMIDR: readOnly(word(0x130)),
  GMPAM: word(0x138),
  GBPMPAM: word(0x13c),
  VATOS_SEL: word(0x180),
  IDR6: readOnly(word(0x190)),
  DPT_BASE: wide(0x200),
  DPT_BASE_CFG: word(0x208),
  DPT_CFG_FAR: wide(0x210),
} as const satisfies Readonly<Record<string, RegisterPlace>>;

/** A Non-secure register of an SMMUv3, by its name without `SMMU_`. */
export type SmmuRegisterName = keyof typeof SMMU_REGISTERS;

/** Bytes from the base on that pages 0 and 1 take. (6.1.) */
export const SMMU_PAGES_SIZE = 0x2_0000;

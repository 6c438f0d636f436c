/**
 * A tiny A64 assembler: the few instructions that the probing programs use, one method each, and labels.
 * (DDI 0487 C6.2 for the encodings; registers are numbers, 31 is XZR.)
 */
import { Assembler } from './assembler.ts';

/** op0, op1, CRn, CRm, op2 of a system register or system instruction. */
export type SystemName = readonly [op0: number, op1: number, crn: number, crm: number, op2: number];

const BRANCH26 = (words: number): number => 0x1400_0000 | (words & 0x3ff_ffff);

export class A64 extends Assembler {
  /** Fills with UDF up to a multiple of `bytes`, plus `offset`. */
  align(bytes: number, offset = 0): this {
    while (this.length % bytes !== offset % bytes) this.word(0);
    return this;
  }

  /** MOVZ and as many MOVK as the value needs. */
  mov(rd: number, value: bigint): this {
    this.word(0xd280_0000 | (Number(value & 0xffffn) << 5) | rd);
    for (let half = 1; half < 4; half++) {
      const part = Number((value >> BigInt(16 * half)) & 0xffffn);
      if (part !== 0) this.word(0xf280_0000 | (half << 21) | (part << 5) | rd);
    }
    return this;
  }

  /** ADD Xd, Xn, #imm. */
  addImmediate(rd: number, rn: number, immediate: number): this {
    return this.word(0x9100_0000 | (immediate << 10) | (rn << 5) | rd);
  }

  /** SUB Xd, Xn, #imm. */
  subImmediate(rd: number, rn: number, immediate: number): this {
    return this.word(0xd100_0000 | (immediate << 10) | (rn << 5) | rd);
  }

  /** ADD Xd, Xn, Xm, LSL #shift. */
  addShifted(rd: number, rn: number, rm: number, shift: number): this {
    return this.word(0x8b00_0000 | (rm << 16) | (shift << 10) | (rn << 5) | rd);
  }

  /** LDR Xt, [Xn], #8. */
  loadNext(rt: number, rn: number): this {
    return this.word(0xf840_8400 | (rn << 5) | rt);
  }

  /** LDR Xt, [Xn, #offset]. */
  load(rt: number, rn: number, offset = 0): this {
    return this.word(0xf940_0000 | ((offset / 8) << 10) | (rn << 5) | rt);
  }

  /** STR Xt, [Xn], #8. */
  storeNext(rt: number, rn: number): this {
    return this.word(0xf800_8400 | (rn << 5) | rt);
  }

  /** MSR register, Xt. */
  msr(name: SystemName, rt: number): this {
    return this.#system(0xd500_0000, name, rt);
  }

  /** MRS Xt, register. */
  mrs(rt: number, name: SystemName): this {
    return this.#system(0xd520_0000, name, rt);
  }

  /** SYS: AT, TLBI and the like are system instructions with op0 = 1. */
  sys(name: SystemName, rt = 31): this {
    return this.#system(0xd500_0000, name, rt);
  }

  /** MSR PAN, #value. (FEAT_PAN) */
  msrPan(value: 0 | 1): this {
    return this.word(0xd500_409f | (value << 8));
  }

  /** DSB SY; ISB. */
  barrier(): this {
    return this.word(0xd503_3f9f).word(0xd503_3fdf);
  }

  /** ADR Xd, label. */
  adr(rd: number, label: string): this {
    return this.toLabel(label, (words) => {
      const bytes = words * 4;
      return 0x1000_0000 | ((bytes & 3) << 29) | (((bytes >> 2) & 0x7_ffff) << 5) | rd;
    });
  }

  branch(label: string): this {
    return this.toLabel(label, BRANCH26);
  }

  /** CBZ Xt, label. */
  branchIfZero(rt: number, label: string): this {
    return this.toLabel(label, (words) => 0xb400_0000 | ((words & 0x7_ffff) << 5) | rt);
  }

  /** CBNZ Xt, label. */
  branchUnlessZero(rt: number, label: string): this {
    return this.toLabel(label, (words) => 0xb500_0000 | ((words & 0x7_ffff) << 5) | rt);
  }

  /** BR Xn. */
  branchTo(rn: number): this {
    return this.word(0xd61f_0000 | (rn << 5));
  }

  eret(): this {
    return this.word(0xd69f_03e0);
  }

  /** HLT #0xf000: a semihosting call, its number in W0 and its argument in X1. */
  semihosting(): this {
    return this.word(0xd45e_0000);
  }

  #system(base: number, [op0, op1, crn, crm, op2]: SystemName, rt: number): this {
    return this.word(base | (op0 << 19) | (op1 << 16) | (crn << 12) | (crm << 8) | (op2 << 5) | rt);
  }
}

/** A tiny A32 assembler: the few instructions that the ARMv7 probing program uses, and labels. (DDI 0406C A8.8; DDI 0487 F5.1.) */
import { Assembler } from './assembler.ts';

/** opc1, CRn, CRm, opc2 of a 32-bit register of coprocessor 15. */
export type CoprocessorName = readonly [opc1: number, crn: number, crm: number, opc2: number];
/** opc1, CRm of a 64-bit one. */
export type WideName = readonly [opc1: number, crm: number];

const ALWAYS = 0xe000_0000;
const IF_ZERO = 0x0000_0000;
const UNLESS_ZERO = 0x1000_0000;

export class A32 extends Assembler {
  /** Fills with zeros up to a byte offset. */
  padTo(bytes: number): this {
    while (this.length < bytes) this.word(0);
    return this;
  }

  /** MOVW and MOVT. */
  mov(rd: number, value: number): this {
    const halves = [
      [0x0300_0000, value & 0xffff],
      [0x0340_0000, value >>> 16],
    ] as const;
    for (const [base, half] of halves) {
      this.word(ALWAYS | base | ((half >>> 12) << 16) | (rd << 12) | (half & 0xfff));
    }
    return this;
  }

  /** LDR Rt, [Rn], #4. */
  loadNext(rt: number, rn: number): this {
    return this.word(ALWAYS | 0x0490_0004 | (rn << 16) | (rt << 12));
  }

  /** LDR Rt, [Rn, #offset]. */
  load(rt: number, rn: number, offset: number): this {
    return this.word(ALWAYS | 0x0590_0000 | (rn << 16) | (rt << 12) | offset);
  }

  /** STR Rt, [Rn], #4. */
  storeNext(rt: number, rn: number): this {
    return this.word(ALWAYS | 0x0480_0004 | (rn << 16) | (rt << 12));
  }

  /** ADD Rd, Rn, #imm (up to 255). */
  add(rd: number, rn: number, immediate: number): this {
    return this.word(ALWAYS | 0x0280_0000 | (rn << 16) | (rd << 12) | immediate);
  }

  /** SUBS Rd, Rn, #imm: sets the condition that `branchIfZero` reads. */
  subtract(rd: number, rn: number, immediate: number): this {
    return this.word(ALWAYS | 0x0250_0000 | (rn << 16) | (rd << 12) | immediate);
  }

  /** ADD PC, PC, Rm, LSL #3: to the Rm-th pair of instructions behind the next one. */
  jumpTable(rm: number): this {
    return this.word(ALWAYS | 0x008f_f180 | rm);
  }

  /** MCR p15: a 32-bit register or an operation. */
  mcr([opc1, crn, crm, opc2]: CoprocessorName, rt: number): this {
    return this.word(ALWAYS | 0x0e00_0f10 | (opc1 << 21) | (crn << 16) | (rt << 12) | (opc2 << 5) | crm);
  }

  /** MRC p15. */
  mrc(rt: number, [opc1, crn, crm, opc2]: CoprocessorName): this {
    return this.word(ALWAYS | 0x0e10_0f10 | (opc1 << 21) | (crn << 16) | (rt << 12) | (opc2 << 5) | crm);
  }

  /** MCRR p15: a 64-bit register from Rt (low) and Rt2 (high). */
  mcrr([opc1, crm]: WideName, rt: number, rt2: number): this {
    return this.word(ALWAYS | 0x0c40_0f00 | (rt2 << 16) | (rt << 12) | (opc1 << 4) | crm);
  }

  /** MRRC p15. */
  mrrc(rt: number, rt2: number, [opc1, crm]: WideName): this {
    return this.word(ALWAYS | 0x0c50_0f00 | (rt2 << 16) | (rt << 12) | (opc1 << 4) | crm);
  }

  /** DSB SY; ISB. */
  barrier(): this {
    return this.word(0xf57f_f04f).word(0xf57f_f06f);
  }

  branch(label: string): this {
    return this.#branch(label, ALWAYS);
  }

  branchIfZero(label: string): this {
    return this.#branch(label, IF_ZERO);
  }

  branchUnlessZero(label: string): this {
    return this.#branch(label, UNLESS_ZERO);
  }

  /** MRS Rd, ELR_hyp. */
  readElrHyp(rd: number): this {
    return this.word(0xe10e_0300 | (rd << 12));
  }

  /** MSR ELR_hyp, Rn. */
  writeElrHyp(rn: number): this {
    return this.word(0xe12e_f300 | rn);
  }

  eret(): this {
    return this.word(0xe160_006e);
  }

  /** SVC #0x123456: a semihosting call, its number in R0 and its argument in R1. */
  semihosting(): this {
    return this.word(0xef12_3456);
  }

  #branch(label: string, condition: number): this {
    // The PC is two words ahead.
    return this.toLabel(label, (words) => condition | 0x0a00_0000 | ((words - 2) & 0xff_ffff));
  }
}

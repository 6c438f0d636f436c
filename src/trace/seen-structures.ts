/**
 * STEs and CDs as QEMU's log shows them, for a log without the guest's memory: where they lie, and what QEMU has read there of tables, ASID and VMID.
 * What it does not show is what a driver of one stage has: faults are recorded and abort, everything else is 0. (IHI 0070 G.b, 5.1, 5.2, 5.4.)
 */
import { placeAddressInto, placeInto } from '../arch/read.ts';
import { CD, L1STD, STE, STE_CONFIG } from '../arch/smmu/index.ts';

/** A word, and what it is part of. */
export interface SeenWord {
  readonly pa: bigint;
  readonly value: bigint;
  readonly what: 'L1STD' | 'STE' | 'CD';
}

/** One range of a CD. */
interface SeenRange {
  readonly tsz: number;
  readonly ttb: bigint;
  readonly granuleLog2: number;
}

/** IPS by the output bits that QEMU names. */
const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 52];
/** TG0 and TG1 by log2 of the granule. */
const TG0: Readonly<Record<number, number>> = { 12: 0, 16: 1, 14: 2 };
const TG1: Readonly<Record<number, number>> = { 14: 1, 12: 2, 16: 3 };

export class SeenStructures {
  #level1: { readonly pa: bigint; readonly table: bigint; readonly stes: number } | undefined;
  #ste: bigint | undefined;
  #cd: bigint | undefined;
  #outputBits = 0;
  #ranges: (SeenRange | undefined)[] = [];
  #tags: { readonly asid: number; readonly vmid: number } | undefined;

  /** `stes`: one less than the table below has, by what QEMU makes of Span. */
  level1(pa: bigint, table: bigint, stes: number): void {
    this.#level1 = { pa, table, stes };
  }

  /** A new configuration is read. */
  ste(pa: bigint): void {
    this.#ste = pa;
    this.#cd = undefined;
    this.#ranges = [];
    this.#tags = undefined;
  }

  cd(pa: bigint): void {
    this.#cd = pa;
  }

  outputBits(bits: number): void {
    this.#outputBits = bits;
  }

  range(index: number, tsz: number, ttb: bigint, granuleLog2: number): void {
    this.#ranges[index] = { tsz, ttb, granuleLog2 };
  }

  /** The tags of a lookup, which are those of the configuration. */
  lookup(asid: number, vmid: number): void {
    this.#tags = { asid, vmid };
  }

  /** What a transaction came by since the last call. `config`: what its outcome says of STE.Config. */
  take(config: 'stage 1' | 'bypass' | 'abort'): readonly SeenWord[] {
    const found: SeenWord[] = [];
    const level1 = this.#level1;
    if (level1 !== undefined) {
      const words = [0n];
      placeAddressInto(words, L1STD.fields.L2Ptr, level1.table);
      placeInto(words, L1STD.fields.Span, Math.log2(level1.stes + 1));
      found.push({ pa: level1.pa, value: words[0]!, what: 'L1STD' });
    }
    if (this.#ste !== undefined) found.push(...wordsAt(this.#ste, this.#steWords(config), 'STE'));
    if (this.#cd !== undefined && config === 'stage 1')
      found.push(...wordsAt(this.#cd, this.#cdWords(), 'CD'));
    this.#level1 = undefined;
    this.#ste = undefined;
    return found;
  }

  #steWords(config: 'stage 1' | 'bypass' | 'abort'): bigint[] {
    const { V, Config, S1ContextPtr, S2VMID } = STE.fields;
    const words = Array.from({ length: 8 }, () => 0n);
    placeInto(words, V, 1);
    placeInto(
      words,
      Config,
      config === 'abort' ? 0 : config === 'bypass' ? STE_CONFIG.bypass : STE_CONFIG.stage1,
    );
    if (this.#cd !== undefined && config === 'stage 1') placeAddressInto(words, S1ContextPtr, this.#cd);
    placeInto(words, S2VMID, this.#tags?.vmid ?? 0);
    return words;
  }

  #cdWords(): bigint[] {
    const { V, AA64, R, A, IPS, ASID, EPD0, T0SZ, TG0: tg0, TTB0, EPD1, T1SZ, TG1: tg1, TTB1 } = CD.fields;
    const words = Array.from({ length: 8 }, () => 0n);
    for (const flag of [V, AA64, R, A]) placeInto(words, flag, 1);
    placeInto(words, IPS, Math.max(0, OUTPUT_BITS.indexOf(this.#outputBits)));
    placeInto(words, ASID, this.#tags?.asid ?? 0);
    const [lower, upper] = this.#ranges;
    placeInto(words, EPD0, lower === undefined);
    placeInto(words, EPD1, upper === undefined);
    if (lower !== undefined) {
      placeInto(words, T0SZ, lower.tsz);
      placeInto(words, tg0, TG0[lower.granuleLog2] ?? 0);
      placeAddressInto(words, TTB0, lower.ttb);
    }
    if (upper !== undefined) {
      placeInto(words, T1SZ, upper.tsz);
      placeInto(words, tg1, TG1[upper.granuleLog2] ?? 0);
      placeAddressInto(words, TTB1, upper.ttb);
    }
    return words;
  }
}

function wordsAt(pa: bigint, words: readonly bigint[], what: SeenWord['what']): SeenWord[] {
  return words.map((value, i) => ({ pa: pa + BigInt(i) * 8n, value, what }));
}

/** Finds register values in a log line, in the forms of kernels, hypervisors, firmware and emulators: pairs of a key and a number. */

import { isSet } from '../../arch/read.ts';
import { ESR } from '../../arch/registers/fault.ts';
import type { Evidence } from './evidence.ts';
import { isAbort } from './from-esr.ts';

/** The registers that start a report. */
export const PRIMARY_KEYS = ['esr', 'par', 'dfsr', 'ifsr', 'fsr', 'gfsr'] as const;
export type PrimaryKey = (typeof PRIMARY_KEYS)[number];
/** The values that go with one. */
export type DetailKey =
  | 'far'
  | 'hpfar'
  | 'ipa'
  | 'el'
  | 'descriptor'
  | 'iova'
  | 'fsynr0'
  | 'cbfrsynra'
  | 'cb'
  | 'gfsynr0'
  | 'gfsynr1';

export interface Token {
  readonly key: PrimaryKey | DetailKey;
  readonly value: bigint;
  /** Position in the line. */
  readonly at: number;
  /** The Exception level in the register's name. */
  readonly el?: number | undefined;
  /** Whether it repeats the report before it, if the value is the same. */
  readonly repeats?: boolean;
  /** Whether nothing nearby tells an SMMU's FSR from a CPU's DFSR. */
  readonly ambiguous?: boolean;
  /** Whether it is named PAR_EL1, which has 64 bits. */
  readonly wide?: boolean;
  /** The log's words for the fault. */
  readonly words?: string;
}

/** `=`, `:`, or a space before 0x; then the number, with or without 0x. */
const VALUE = String.raw`(?:\s*[:=]\s*(?:0x)?|\s+0x)([0-9a-f]{1,16})\b(?!/)`;
const named = (name: string) => new RegExp(String.raw`(?<![\w-])(?:${name})${VALUE}`, 'gi');
/** An ESR has at least 8 digits, since nobody writes it shorter. `ESR : EC 0x25` is not one. */
const syndrome = (name: string) =>
  new RegExp(String.raw`(?<![\w-])(?:${name})\s*[:=]?\s*(?:0x)?([0-9a-f]{8,16})\b`, 'gi');

interface Rule {
  readonly key: PrimaryKey | DetailKey;
  readonly pattern: RegExp;
  readonly el?: number;
  readonly repeats?: boolean;
  readonly decimal?: boolean;
  readonly wide?: boolean;
  /** The value if the line has words in place of digits. */
  readonly fixed?: bigint;
}

const RULES: readonly Rule[] = [
  { key: 'esr', pattern: syndrome('esr(?:_el[nx])?') },
  { key: 'esr', pattern: syndrome('esr_el1(?:2)?'), el: 1 },
  { key: 'esr', pattern: syndrome('esr_el2|hsr'), el: 2 },
  { key: 'esr', pattern: syndrome('esr_el3'), el: 3 },
  // EC 0x00 with IL = 1 has seven digits.
  { key: 'esr', pattern: /(?<![\w-])esr(?:_el[nx123])?\s*[:=]\s*(?:0x)?([23][0-9a-f]{6})\b/gi },
  // Linux: `SError Interrupt on CPU0, code 0xbf40c000 -- SError`, `Bad mode in Synchronous Abort handler detected on CPU0, code 0x…`.
  {
    key: 'esr',
    pattern: /\b(?:SError Interrupt on|Bad mode in)\b[^,]{0,60}, code (?:0x)?([0-9a-f]{8,16})\b/gi,
  },
  // TF-A: `exception reason=0 syndrome=0xbe000011`.
  { key: 'esr', pattern: /\bexception reason=\S{1,6} syndrome=(?:0x)?([0-9a-f]{8,16})\b/gi, el: 3 },
  // QEMU: `with ESR 0x25/0x96000047`, the class in front of the register.
  { key: 'esr', pattern: /\bESR 0x[0-9a-f]{1,2}\/(?:0x)?([0-9a-f]{1,16})\b/gi },
  { key: 'far', pattern: named('far(?:_el[nx])?|dfar|ifar|hdfar|hifar|gva') },
  { key: 'far', pattern: named('far_el1(?:2)?'), el: 1 },
  { key: 'far', pattern: named('far_el2'), el: 2 },
  { key: 'far', pattern: named('far_el3'), el: 3 },
  { key: 'far', pattern: /\bvirtual address:? (?:0x)?([0-9a-f]{1,16})\b/gi },
  {
    key: 'far',
    pattern: /\b(?:fault|abort)\b[^,;]* at (?:address )?\s{0,4}0x([0-9a-f]{1,16})\b/gi,
  },
  { key: 'far', pattern: /\bfault addr(?:ess)?\s{0,4}[:=]?\s{0,4}(?:0x)?([0-9a-f]{1,16})\b/gi },
  { key: 'far', pattern: /\bfaulted at (?:address )?0x([0-9a-f]{1,16})\b/gi },
  // OpenBSD: `esr 96000004 far 18`.
  { key: 'far', pattern: /\besr (?:0x)?[0-9a-f]{8,16},? far (?:0x)?([0-9a-f]{1,16})\b/gi },
  { key: 'far', pattern: /\besr\b.*\baddress: (?:0x)?([0-9a-f]{1,16})\b/gi },
  { key: 'far', pattern: named('(?:data |instruction )?fault address register') },
  { key: 'hpfar', pattern: named('hpfar(?:_el[2nx])?') },
  { key: 'ipa', pattern: named('gpa|ipafar|ipa') },
  // KVM and pKVM: an exception that EL2 took from itself.
  { key: 'el', pattern: /\bHYP panic\b/gi, fixed: 2n },
  { key: 'el', pattern: /\b(?:Unhandled Exception|PANIC) in EL3\b/gi, fixed: 3n },
  { key: 'el', pattern: /\bfrom EL\d to EL([123])\b/gi },
  { key: 'par', pattern: named('par') },
  { key: 'par', pattern: named('par_el1'), wide: true },
  { key: 'dfsr', pattern: named('dfsr|data fault status register') },
  { key: 'ifsr', pattern: named('instruction fault status register') },
  { key: 'dfsr', pattern: /\bpage fault \(\d+\) at 0x[0-9a-f]+, code 0x([0-9a-f]+)/gi },
  { key: 'ifsr', pattern: named('ifsr') },
  { key: 'fsr', pattern: named('(?:smmu_)?(?:cb\\d*_)?fsr') },
  { key: 'fsynr0', pattern: named('(?:smmu_)?(?:cb\\d*_)?fsynr0?') },
  { key: 'iova', pattern: named('iova') },
  { key: 'cbfrsynra', pattern: named('cbfrsynra|sid') },
  { key: 'cb', pattern: /(?<![\w-])cb\s*=\s*(\d+)\b/gi, decimal: true },
  { key: 'gfsr', pattern: named('s?gfsr') },
  { key: 'gfsynr0', pattern: named('s?gfsynr0') },
  { key: 'gfsynr1', pattern: named('s?gfsynr1') },
];

/** A line with the lines below that may continue it. Only matches that begin in its first `own` characters belong to it. */
export interface View {
  readonly text: string;
  readonly own: number;
  /** Line number, from 0. */
  readonly line: number;
}

/** Linux: `Internal error: Oops: 96000004 [#1] SMP`; on 32 bits followed by `ARM` or `THUMB2`. */
const OOPS = /Internal error: .*?\b([0-9a-f]{1,16}) \[#\d+\](.{0,80})/i;
/** Linux: `Unhandled fault: page domain fault (0x81b) at 0x00000000`, `Unhandled prefetch abort: … (0x…) at 0x…`. */
const UNHANDLED = /Unhandled (fault|prefetch abort): ?([^(]*)\(0x([0-9a-f]{1,16})\)/i;

/** The registers in a line, in order. A register that is 0 reports nothing. */
export function tokensOf({ text, own, line }: View, evidence: Evidence): Token[] {
  const found: Token[] = [];
  for (const { key, pattern, el, decimal, wide, fixed } of RULES) {
    if (key === 'fsynr0' && evidence.oldFsynr) continue;
    for (const match of text.matchAll(pattern)) {
      if (match.index >= own) break;
      const value =
        fixed ?? (key === 'esr' ? syndromeOf(match) : BigInt(decimal ? match[1]! : `0x${match[1]!}`));
      if (value === 0n && (PRIMARY_KEYS as readonly string[]).includes(key)) continue;
      const token = { key, value, at: match.index, el, ...(wide && { wide }) };
      found.push(key === 'fsr' ? faultStatus(token, evidence, line) : token);
    }
  }
  found.push(...linuxTokens(text, own, line, evidence));
  return found.sort((a, b) => a.at - b.at);
}

/** Ten digits without 0x that are an abort in decimal, and none in hexadecimal, are decimal: `ESR_EL1 = 2516582433`. */
function syndromeOf([text, digits = '']: RegExpMatchArray): bigint {
  const value = BigInt(`0x${digits}`);
  if (!/^\d{9,10}$/.test(digits) || text.toLowerCase().includes('0x') || isAbort(value)) return value;
  const decimal = BigInt(digits);
  return decimal >> 32n === 0n && isAbort(decimal) ? decimal : value;
}

/** `fsr` may be an SMMU's or a CPU's: the line itself decides, or else the lines nearby. */
function faultStatus(token: Token, evidence: Evidence, line: number): Token {
  if (evidence.on(line, 'smmu')) return token;
  const owner = evidence.on(line, 'cpu32') ? 'cpu32' : evidence.nearer(line, 'cpu32', 'smmu');
  if (owner === 'cpu32') return { ...token, key: 'dfsr' };
  return owner === 'smmu' ? token : { ...token, ambiguous: true };
}

function linuxTokens(text: string, own: number, line: number, evidence: Evidence): Token[] {
  const oops = OOPS.exec(text);
  if (oops && oops.index < own) {
    const [, digits, behind] = oops;
    const arm = /\b(?:ARM|THUMB2)\b/.test(behind!);
    return statusToken(digits!, oops.index, arm || isOf32Bits(digits!, line, evidence), true);
  }
  const unhandled = UNHANDLED.exec(text);
  if (!unhandled || unhandled.index >= own) return [];
  const [, what, words, digits] = unhandled;
  const of32 = isOf32Bits(digits!, line, evidence);
  const prefetch = what!.toLowerCase() !== 'fault';
  return statusToken(digits!, unhandled.index, of32, false, prefetch).map((token) => ({
    ...token,
    words: words!.trim(),
  }));
}

const ESR_DIGITS = { written: 8, whole: 16 };

/**
 * Whether the number in an oops is an FSR. 16 digits are an ESR. Fewer than 8 are not, because EC is in the highest of 32 bits (except EC 0, an
 * undefined instruction). For 8 digits, the signs nearby decide, then whether the value is possible as an ESR: aborts of fetches have IL = 1.
 */
function isOf32Bits(digits: string, line: number, evidence: Evidence): boolean {
  if (digits.length >= ESR_DIGITS.whole) return false;
  const value = BigInt(`0x${digits}`);
  const nearer = evidence.nearer(line, 'cpu32', 'cpu64');
  if (nearer !== undefined && digits.length >= ESR_DIGITS.written - 1) return nearer === 'cpu32';
  if (digits.length < ESR_DIGITS.written) return !isSet(value, ESR.fields.IL) || isSet(value, ESR.fields.EC);
  return !isSet(value, ESR.fields.IL);
}

/** The bit that Linux adds to an IFSR to distinguish it from a DFSR. */
const PREFETCH = 0x8000_0000n;

function statusToken(
  digits: string,
  at: number,
  arm32: boolean,
  repeats: boolean,
  prefetch = false,
): Token[] {
  const value = BigInt(`0x${digits}`);
  if (value === 0n) return [];
  if (!arm32) return [{ key: 'esr', value, at, repeats }];
  const key = prefetch || (value & PREFETCH) !== 0n ? 'ifsr' : 'dfsr';
  return [{ key, value: value & ~PREFETCH, at, repeats }];
}

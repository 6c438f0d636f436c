/** Register values in a line of a log: how kernels, hypervisors, firmware and emulators write them, as pairs of a key and a number. */

/** What starts a report. */
export const PRIMARY_KEYS = ['esr', 'par', 'dfsr', 'ifsr', 'fsr', 'gfsr'] as const;
export type PrimaryKey = (typeof PRIMARY_KEYS)[number];
/** What goes with one. */
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
  /** Where in the line. */
  readonly at: number;
  /** The exception level in the register's name. */
  readonly el?: number | undefined;
  /** Says again what the report before it said, if it is the same value. */
  readonly repeats?: boolean;
}

/** `=`, `:`, or a blank where 0x follows; then the number, with 0x or without. */
const VALUE = String.raw`(?:\s*[:=]\s*(?:0x)?|\s+0x)([0-9a-f]{1,16})\b(?!/)`;
const named = (name: string) => new RegExp(String.raw`(?<![\w-])(?:${name})${VALUE}`, 'gi');
/** With all 8 digits at least, as nobody writes an ESR shorter: `ESR : EC 0x25` is none. */
const syndrome = (name: string) =>
  new RegExp(String.raw`(?<![\w-])(?:${name})\s*[:=]?\s*(?:0x)?([0-9a-f]{8,16})\b`, 'gi');

interface Rule {
  readonly key: PrimaryKey | DetailKey;
  readonly pattern: RegExp;
  readonly el?: number;
  readonly repeats?: boolean;
  readonly decimal?: boolean;
}

const RULES: readonly Rule[] = [
  { key: 'esr', pattern: syndrome('esr(?:_el[nx])?') },
  { key: 'esr', pattern: syndrome('esr_el1(?:2)?'), el: 1 },
  { key: 'esr', pattern: syndrome('esr_el2|hsr'), el: 2 },
  { key: 'esr', pattern: syndrome('esr_el3'), el: 3 },
  // QEMU: `with ESR 0x25/0x96000047`, the class before the register.
  { key: 'esr', pattern: /\bESR 0x[0-9a-f]{1,2}\/(?:0x)?([0-9a-f]{1,16})\b/gi },
  { key: 'far', pattern: named('far(?:_el[nx])?|dfar|ifar|hdfar|hifar|gva') },
  { key: 'far', pattern: named('far_el1(?:2)?'), el: 1 },
  { key: 'far', pattern: named('far_el2'), el: 2 },
  { key: 'far', pattern: named('far_el3'), el: 3 },
  { key: 'far', pattern: /\bvirtual address:? (?:0x)?([0-9a-f]{1,16})\b/gi },
  { key: 'far', pattern: /\b(?:fault|abort)\b[^,;]* at 0x([0-9a-f]{1,16})\b/gi },
  { key: 'hpfar', pattern: named('hpfar(?:_el[2nx])?') },
  { key: 'ipa', pattern: named('gpa|ipafar|ipa') },
  { key: 'el', pattern: /\bfrom EL\d to EL([123])\b/gi },
  { key: 'par', pattern: named('par(?:_el1)?') },
  { key: 'dfsr', pattern: named('dfsr') },
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

/** Linux: `Internal error: Oops: 96000004 [#1] SMP`, with `ARM` behind it on 32 bits; there bit 31 marks a prefetch abort. */
const OOPS = /Internal error: .*?\b([0-9a-f]{1,16}) \[#\d+\](.*)$/i;
/** Linux: `Unhandled fault: page domain fault (0x81b) at 0x00000000`, `Unhandled prefetch abort: … (0x…) at 0x…`. */
const UNHANDLED = /Unhandled (fault|prefetch abort)[^(]*\(0x([0-9a-f]{1,16})\)/i;
/** Linux on 64 bits, after an abort: `[0000000000000010] pgd=…, p4d=…, pud=…`; the last one ends the walk. */
const LEVELS = /^.*\[[0-9a-f]{16}\] (?:pgd|p4d)=.*\b(?:pgd|p4d|pud|pmd|pte)=([0-9a-f]{16})\s*$/i;
const PREFETCH = 0x8000_0000n;
/** No ESR of an abort is smaller: EC is in the topmost six of 32 bits. */
const SMALLEST_ESR = 0x4000_0000n;

/** The registers that a line names, in their order. A register that is 0 reports nothing. */
export function tokensOf(line: string): Token[] {
  const found: Token[] = [];
  for (const { key, pattern, el, decimal } of RULES) {
    for (const match of line.matchAll(pattern)) {
      const value = BigInt(decimal ? match[1]! : `0x${match[1]!}`);
      if (value === 0n && (PRIMARY_KEYS as readonly string[]).includes(key)) continue;
      found.push({ key, value, at: match.index, el });
    }
  }
  found.push(...linuxTokens(line));
  return found.sort((a, b) => a.at - b.at);
}

function linuxTokens(line: string): Token[] {
  const oops = OOPS.exec(line);
  if (oops) return statusToken(BigInt(`0x${oops[1]!}`), oops.index, /\bARM\b/.test(oops[2]!), true);
  const unhandled = UNHANDLED.exec(line);
  if (unhandled) {
    const value = BigInt(`0x${unhandled[2]!}`);
    const prefetch = unhandled[1]!.toLowerCase() !== 'fault' ? PREFETCH : 0n;
    return statusToken(value | prefetch, unhandled.index, value < SMALLEST_ESR, false);
  }
  const levels = LEVELS.exec(line);
  return levels ? [{ key: 'descriptor', value: BigInt(`0x${levels[1]!}`), at: levels.index }] : [];
}

function statusToken(value: bigint, at: number, arm32: boolean, repeats: boolean): Token[] {
  if (value === 0n) return [];
  if (!arm32) return [{ key: 'esr', value, at, repeats }];
  const key = value & PREFETCH ? 'ifsr' : 'dfsr';
  return [{ key, value: value & ~PREFETCH, at, repeats }];
}

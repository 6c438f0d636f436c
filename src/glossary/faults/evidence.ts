/** Signs of what wrote a log: a 32-bit CPU, a 64-bit CPU, an SMMU. They decide which register a number is from if several are possible. */

export type Sign = 'cpu32' | 'cpu64' | 'smmu';

/** Each pattern occurs in only one sort of system. */
const SIGNS: Readonly<Record<Sign, readonly RegExp[]>> = {
  cpu32: [
    /\b(?:data|prefetch)[- ]?abort\b|\bDAB\b|\bPABT\b/i,
    /\b[cs]psr\b|\bpsr\s*:|\bNZCV\b/i,
    /\bDFAR\b|\bIFAR\b|\bDFSR\b|\bIFSR\b/,
    /\bISA (?:ARM|Thumb|Jazelle|ThumbEE)\b|\bSegment (?:user|kernel|none)\b/,
    /\bControl: [0-9a-f]{8}\b|\bDAC: [0-9a-f]{8}\b/i,
    /\[[0-9a-f]{8}\] \*pgd=(?![0-9a-f]{16})/i,
    /\bpgd = (?:[0-9a-f]{8}\b|\(ptrval\))/i,
    /\b(?:pc|lr) : \[?<[0-9a-f]{8}>/i,
    /\[#\d+\].*\b(?:ARM|THUMB2)\b/,
    /\bFAR\s*[:=]\s*(?:0x)?[0-9a-f]{8}\b/i,
    /\br1[0-5]\s*[:=]?\s*(?:0x)?[0-9a-f]{8}\b/,
    /\bArm32\b|\bAArch32\b|\bARM11\b|\bCortex-A(?:5|7|8|9|15)\b/,
  ],
  cpu64: [
    /\bMem abort info\b|\bData abort info\b/,
    /\bESR(?:_EL[n123])?\s*[:=]/i,
    /\bpstate\s*[:=]/i,
    /\bin thread 0x[0-9a-f]{9,16}\b/,
    /\b(?:x2[0-9]|x19|elr)\s*[:=]/,
    /\bvirtual address (?:0x)?[0-9a-f]{16}\b/i,
    /\b(?:pc|lr) : \S*[0-9a-f]{16}\b/i,
    /\[[0-9a-f]{16}\] \*?p(?:gd|4d)\s*=/i,
    /\bpgtable: \d+k pages\b/,
    /\bpgd = [0-9a-f]{16}\b|\*pgd=[0-9a-f]{16}\b/i,
  ],
  smmu: [
    /\biova\b/i,
    /\bcb\s*=/i,
    /smmu|\bmsm_iommu\b|\bIOMMU page fault\b/i,
    /\bfsynr/i,
    /\bcbfrsynra\b/i,
    /\bcontext (?:bank )?fault\b/i,
    /\bFSR\s*=\s*(?:0x)?[0-9a-f]{1,8} \[(?:(?:TF|AFF|APF|PF|EF|TLBMF|TLBMCF|TLBLKF|ASF|UUT|HTWDEEF|HTWSEEF|MHF|SL|SS|MULTI)\b ?)+/,
  ],
};

const NAMES = Object.keys(SIGNS) as Sign[];

/** The head of a dump that somebody asked Xen for, by a debug key. Its syndromes are of exceptions long past. */
const ASKED_FOR = /\*\*\* Dumping .*\bstate\b.*\*\*\*/;
/** Such a dump has at most so many lines. A trap or a crash begins another. */
const ASKED_LINES = 60;
const TRAP = /\b(?:trap|crash(?:ed)?|panic|fault|abort)\b/i;

/** Which lines stand in such dumps. */
function askedFor(lines: readonly string[]): boolean[] {
  let end = -1;
  return lines.map((line, at) => {
    if (ASKED_FOR.test(line)) end = at + ASKED_LINES;
    else if (TRAP.test(line)) end = -1;
    return at <= end;
  });
}

/** msm_iommu of the first SMMUs of Qualcomm: 32-bit FAR and PAR in one line. */
const FIRST_MSM = /\bFAR\s+=\s+[0-9a-f]{8}\s+PAR\s+=\s+[0-9a-f]{8}\b/;

/** The signs in a whole text, line by line. */
export class Evidence {
  readonly #at: readonly ReadonlySet<Sign>[];
  readonly #asked: readonly boolean[];
  /** Whether FSYNR0 is that of an SMMU before SMMUv2, which has other fields. */
  readonly oldFsynr: boolean;

  constructor(lines: readonly string[]) {
    this.#asked = askedFor(lines);
    this.oldFsynr = lines.some((line) => FIRST_MSM.test(line));
    this.#at = lines.map(
      (line) => new Set(NAMES.filter((name) => SIGNS[name].some((one) => one.test(line)))),
    );
  }

  /** Whether a line itself has a sign. */
  on(line: number, sign: Sign): boolean {
    return this.#at[line]?.has(sign) ?? false;
  }

  /** Whether a line stands in a dump of registers that somebody asked for. */
  askedFor(line: number): boolean {
    return this.#asked[line] ?? false;
  }

  /** The distance to the nearest line with a sign, or undefined if there is none within `reach`. */
  distance(line: number, sign: Sign, reach = REACH): number | undefined {
    for (let away = 0; away <= reach; away++) {
      if (this.on(line - away, sign) || this.on(line + away, sign)) return away;
    }
    return undefined;
  }

  /** The nearer of two signs, or undefined if neither is near or both are equally near. */
  nearer(line: number, a: Sign, b: Sign): Sign | undefined {
    const [toA = Infinity, toB = Infinity] = [this.distance(line, a), this.distance(line, b)];
    return toA === toB ? undefined : toA < toB ? a : b;
  }
}

/** How many lines around a number can be evidence for it. */
const REACH = 30;

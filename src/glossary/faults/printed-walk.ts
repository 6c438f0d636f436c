/**
 * Reads the walks that a log prints: table roots, page sizes, and one entry per level, as Linux (arm64 and arm), Xen, Zephyr, FVP's trace, crash and
 * drivers of other IOMMUs write them. The name of an entry gives its level and stage.
 */
import { addressOf } from '../../arch/read.ts';
import { TTBR0_EL1 } from '../../arch/registers/base.ts';

/** A translation granule, by its name in logs. */
export type Granule = '4K' | '16K' | '64K';

/** One printed entry. */
export interface PrintedEntry {
  /** The log's name for it: `pte`, `2ND`, `L3`. */
  readonly name: string;
  /** Arm's level. Undefined if the tables have another format, or the level is not known. */
  readonly level?: number | undefined;
  readonly value: bigint;
  /** Physical address of the entry. */
  readonly at?: bigint | undefined;
  /** Whether the log itself calls it valid. */
  readonly valid?: boolean | undefined;
}

/** A walk as a log printed it. */
export interface PrintedWalk {
  readonly stage: 1 | 2;
  /** `own`: a format that is not Arm's. */
  readonly format: 'long' | 'short' | 'own' | 'unknown';
  /** The input address that was walked. */
  readonly address?: bigint | undefined;
  readonly root?: bigint | undefined;
  readonly granule?: Granule | undefined;
  readonly vaBits?: number | undefined;
  /** The entries in the order of the walk. */
  readonly entries: readonly PrintedEntry[];
}

/** A walk, and its first and last line, counted from 0. */
export interface PlacedWalk {
  readonly walk: PrintedWalk;
  readonly first: number;
  readonly last: number;
}

type Draft = { -readonly [key in keyof PrintedWalk]: PrintedWalk[key] } & { entries: PrintedEntry[] };

const hexValue = (digits: string) => BigInt(`0x${digits}`);

/** A form of line, and what it adds to the walk in progress. `begins` starts a new walk. */
interface Form {
  readonly pattern: RegExp;
  readonly begins?: boolean;
  readonly add: (draft: Draft, groups: Readonly<Record<string, string | undefined>>) => void;
}

/** Xen's names of levels. */
const XEN_LEVELS: Readonly<Record<string, number>> = { '0TH': 0, '1ST': 1, '2ND': 2, '3RD': 3 };
const CRASH_LEVELS: Readonly<Record<string, number>> = { PGD: 0, P4D: 0, PUD: 1, PMD: 2, PTE: 3 };

const FORMS: readonly Form[] = [
  {
    // Linux on arm64.
    pattern:
      /\b(?:swapper|user|kernel|init|efi) pgtable: (?<page>4|16|64)k pages, (?<bits>\d\d)-bit VAs(?:, pgdp? ?= ?(?:0x)?(?<root>[0-9a-f]{1,16}))?/i,
    begins: true,
    add: (draft, { page, bits, root }) => {
      draft.format = 'long';
      draft.granule = `${page}K` as Granule;
      draft.vaBits = Number(bits);
      if (root !== undefined) draft.root = hexValue(root);
    },
  },
  {
    pattern: /\bPTE walk for 0x(?<at>[0-9a-f]{1,16}) \(TTBR[01]=0x(?<root>[0-9a-f]{1,16})\)/i,
    begins: true,
    add: (draft, { at, root }) => {
      draft.format = 'long';
      draft.address = hexValue(at!);
      draft.root = rootOf(hexValue(root!));
    },
  },
  {
    pattern:
      /\bL(?<level>[0-3])\[[0-9a-fx]{1,5}\] @ 0x(?<where>[0-9a-f]{1,16}) = 0x(?<value>[0-9a-f]{1,16})\b/i,
    add: (draft, { level, where, value }) => {
      draft.format = 'long';
      push(draft, {
        name: `L${level!}`,
        level: Number(level),
        value: hexValue(value!),
        at: hexValue(where!),
      });
    },
  },
  {
    pattern:
      /\bWalking (?:Hypervisor|Guest|Xen)? ?VA 0x(?<at>[0-9a-f]{1,16})(?: on CPU\d+)? via TTBR[01]? 0x(?<root>[0-9a-f]{1,16})/i,
    begins: true,
    add: (draft, { at, root }) => {
      draft.format = 'long';
      draft.granule = '4K';
      draft.address = hexValue(at!);
      draft.root = hexValue(root!);
    },
  },
  {
    pattern: /\bd(?:om)?(?<domain>\d+) IPA 0x(?<at>[0-9a-f]{1,16})/i,
    begins: true,
    add: (draft, { at }) => {
      draft.stage = 2;
      draft.format = 'long';
      draft.granule = '4K';
      draft.address = hexValue(at!);
    },
  },
  {
    pattern: /\bP2M @ [0-9a-fx]{1,18} mfn:0x(?<mfn>[0-9a-f]{1,13})/i,
    add: (draft, { mfn }) => {
      draft.stage = 2;
      draft.root = hexValue(`${mfn!}000`);
    },
  },
  {
    pattern: /\b(?<name>0TH|1ST|2ND|3RD)\[0x[0-9a-f]{1,4}\] = 0x(?<value>[0-9a-f]{1,16})\b/i,
    add: (draft, { name, value }) => {
      draft.format = 'long';
      draft.granule ??= '4K';
      push(draft, { name: name!, level: XEN_LEVELS[name!.toUpperCase()], value: hexValue(value!) });
    },
  },
  {
    // The Tarmac trace of Arm's models: TTW DTLB LPAE 1:3 000080500000 : 0000000080501003. DUI 0423 A.4.1 says what a line has, and shows none.
    pattern:
      /\bTTW [ID]?(?:TLB)? ?(?<kind>LPAE|VMSA)? ?(?<stage>[12]):(?<level>[0-3]) (?:0x)?(?<where>[0-9a-f]{8,16})(?:_N?S)? ?:? (?:0x)?(?<value>[0-9a-f]{8,16})\b/i,
    add: (draft, { stage, level, where, value }) => {
      draft.format = 'long';
      draft.stage = stage === '2' ? 2 : 1;
      push(draft, {
        name: `${stage!}:${level!}`,
        level: Number(level),
        value: hexValue(value!),
        at: hexValue(where!),
      });
    },
  },
  {
    // crash's vtop.
    pattern: /^\s*(?<name>PGD|P4D|PUD|PMD|PTE): [0-9a-f]{8,16} => (?<value>[0-9a-f]{1,16})\b/i,
    add: (draft, { name, value }) => {
      draft.format = 'long';
      push(draft, { name: name!, level: CRASH_LEVELS[name!.toUpperCase()], value: hexValue(value!) });
    },
  },
  {
    // rockchip-iommu.c.
    pattern:
      /\bmmu_dte_addr: 0x(?<root>[0-9a-f]{1,16}) dte@0x(?<dteAt>[0-9a-f]{1,16}): 0x(?<dte>[0-9a-f]{1,16}) valid: (?<dteValid>[01])(?: pte@0x(?<pteAt>[0-9a-f]{1,16}): 0x(?<pte>[0-9a-f]{1,16}) valid: (?<pteValid>[01]))?/i,
    begins: true,
    add: (draft, { root, dteAt, dte, pteAt, pte, dteValid, pteValid }) => {
      draft.format = 'own';
      draft.root = hexValue(root!);
      push(draft, { name: 'DTE', value: hexValue(dte!), at: hexValue(dteAt!), valid: dteValid === '1' });
      // A terminal may have cut the line behind the first entry.
      if (dteValid === '0' || pte === undefined) return;
      push(draft, { name: 'PTE', value: hexValue(pte), at: hexValue(pteAt!), valid: pteValid === '1' });
    },
  },
  {
    // exynos-iommu.c.
    pattern: /\bPage table base: 0x(?<root>[0-9a-f]{1,16})/i,
    begins: true,
    add: (draft, { root }) => {
      draft.format = 'own';
      draft.root = hexValue(root!);
    },
  },
  {
    pattern: /\b(?<name>Lv[12]) entry: 0x(?<value>[0-9a-f]{1,16})\b/i,
    add: (draft, { name, value }) => {
      draft.format = 'own';
      push(draft, { name: name!, value: hexValue(value!) });
    },
  },
];

/** The root in a TTBR, without the ASID and other fields. */
const rootOf = (ttbr: bigint) => addressOf(ttbr, TTBR0_EL1.fields.BADDR);

const push = (draft: Draft, entry: PrintedEntry) => draft.entries.push(entry);

/** Linux, in one line: `[ADDRESS] pgd=…, p4d=…, pud=…, pmd=…, pte=…`, older kernels with a star before each. */
const LINUX = /\[(?<at>[0-9a-f]{8,16})\] (?=\*?p(?:gd|4d)\s*=)/i;
const LINUX_ENTRY = /(?<!\w)(\*)?(pgd|p4d|pud|pmd|pte|ppte)\s*=\s*([0-9a-f]{1,16})\b/gi;

/** The most entries in a walk. */
const MOST_ENTRIES = 8;
/** The most other lines between two lines of one walk. */
const REACH = 6;
/** The most lines of a wrapped walk. */
const WRAPPED = 4;

/** Every walk in the lines, in order. */
export function printedWalks(lines: readonly string[]): PlacedWalk[] {
  const found: { walk: Draft; first: number; last: number }[] = [];
  for (const [i, line] of lines.entries()) {
    const open = found.at(-1);
    const near = open !== undefined && i - open.last <= REACH ? open : undefined;
    const start = () => {
      const made = { walk: { stage: 1, format: 'unknown', entries: [] } as Draft, first: i, last: i };
      found.push(made);
      return made;
    };
    const linux = LINUX.exec(line);
    if (linux) {
      const header = near !== undefined && near.walk.entries.length === 0 ? near : start();
      header.last = i;
      readLinux(header.walk, hexValue(linux.groups!.at!), lines.slice(i, i + WRAPPED));
      continue;
    }
    for (const { pattern, begins, add } of FORMS) {
      const match = pattern.exec(line);
      if (!match) continue;
      const fresh = begins && near !== undefined && near.walk.entries.length > 0;
      const target = near !== undefined && !fresh && near.walk.entries.length < MOST_ENTRIES ? near : start();
      add(target.walk, match.groups ?? {});
      target.last = i;
    }
  }
  for (const { walk } of found) foldRoot(walk.entries);
  return found.filter(
    ({ walk }) => walk.entries.length > 0 || walk.root !== undefined || walk.granule !== undefined,
  );
}

/** crash's PGD gets the level above the entry that follows it. */
function foldRoot(entries: PrintedEntry[]): void {
  const [first, second] = entries;
  if (first?.name !== 'PGD' || second?.level === undefined) return;
  entries[0] = { ...first, level: second.level - 1 };
}

/** The entries in Linux's line, and in the lines below if it was wrapped. */
function readLinux(draft: Draft, address: bigint, lines: readonly string[]): void {
  draft.address = address;
  const [first = '', ...rest] = lines;
  const below = rest.findIndex((line) => !/^\s*\*?(?:p4d|pud|pmd|pte|ppte)\s*=/i.test(line));
  const text = [first, ...rest.slice(0, below < 0 ? rest.length : below)].join(' ');
  const named = [...text.matchAll(LINUX_ENTRY)].map(([, star, name, digits]) => ({
    star: star !== undefined,
    name: name!.toLowerCase(),
    digits: digits!,
    value: hexValue(digits!),
  }));
  const is64 = named.some(({ star, digits }) => digits.length === 16 || !star);
  const hardware = named.some(({ name }) => name === 'ppte');
  const wide = named.some(({ digits, name }) => digits.length > 8 || name === 'pmd' || name === 'pud');
  draft.format = is64 ? 'long' : hardware ? 'short' : wide ? 'long' : draft.format;
  if (!is64) draft.granule = '4K';
  const levelOf = is64 ? levels64(draft) : draft.format === 'short' ? SHORT_LEVELS : LPAE_LEVELS;
  for (const { name, value } of named) {
    // A single root may have any level if the page size is not known.
    const level = is64 && named.length === 1 && draft.vaBits === undefined ? undefined : levelOf[name];
    // A folded level is printed again under the next name. Linux's own copy of a short pte is not a descriptor.
    if (draft.format === 'short' && hardware && name === 'pte') continue;
    const same = draft.entries.at(-1);
    // An entry of 0 ends a walk, so one behind it is the same one, folded.
    const copy = is64 && draft.vaBits === undefined && same?.value === value;
    if (same !== undefined && ((same.level === level && level !== undefined) || copy)) draft.entries.pop();
    push(draft, { name, level, value });
  }
}

/** Levels by name on 32-bit Arm. */
const SHORT_LEVELS: Readonly<Record<string, number>> = { pgd: 1, pte: 2, ppte: 2 };
const LPAE_LEVELS: Readonly<Record<string, number>> = { pgd: 1, pud: 1, pmd: 2, pte: 3 };

const PAGE_BITS: Readonly<Record<Granule, number>> = { '4K': 12, '16K': 14, '64K': 16 };
const LAST_LEVEL = 3;
const ENTRY_BITS = 3;

/** Levels by name on arm64. The root's level follows from page size and VA bits. `pgd`, and any folded level, has the root's level. */
function levels64({ granule, vaBits }: Draft): Readonly<Record<string, number>> {
  const usual = { pgd: 0, p4d: 0, pud: 1, pmd: 2, pte: LAST_LEVEL };
  if (granule === undefined || vaBits === undefined) return usual;
  const page = PAGE_BITS[granule];
  const count = Math.ceil((vaBits - page) / (page - ENTRY_BITS));
  const start = LAST_LEVEL + 1 - count;
  return Object.fromEntries(
    Object.entries(usual).map(([name, level]) => [name, name === 'pgd' ? start : Math.max(level, start)]),
  );
}

/** The last entry, which ended the walk. */
export function lastEntry(walk: PrintedWalk | undefined): PrintedEntry | undefined {
  return walk?.entries.at(-1);
}

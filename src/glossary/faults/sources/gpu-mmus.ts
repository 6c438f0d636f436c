/**
 * Faults of MMUs in GPUs and DSPs whose tables are not Arm's, in the log lines of Linux's drivers: v3d (Broadcom), lima (Mali-400 and 450), etnaviv
 * (Vivante), omap-iommu.
 */
import type { DecodedKind } from '../decoded-fault.ts';
import { accessNamed, type Form, type More, numberOf } from '../forms.ts';

/** What v3d says behind the address, the surest first. */
const V3D_KINDS: readonly (readonly [RegExp, DecodedKind])[] = [
  [/write violation/, 'permission'],
  [/pte invalid/, 'translation'],
  [/cap exceeded/, 'address_size'],
];

/** Four bits of the status for each of four MMUs: the kinds by code. */
const ETNAVIV: Readonly<Record<number, readonly [DecodedKind, string]>> = {
  1: ['translation', 'slave not present'],
  2: ['translation', 'page not present'],
  3: ['permission', 'write violation'],
  4: ['other', 'out of bounds'],
  5: ['permission', 'read security violation'],
  6: ['permission', 'write security violation'],
};

/** MMU_IRQSTATUS of OMAP: the most specific bit first. */
const OMAP: readonly (readonly [mask: number, kind: DecodedKind, name: string])[] = [
  [0x10, 'tlb_conflict', 'MULTIHITFAULT'],
  [0x08, 'external_walk', 'TABLEWALKFAULT'],
  [0x02, 'translation', 'TRANSLATIONFAULT'],
  [0x04, 'other', 'EMUMISS'],
  [0x01, 'other', 'TLBMISS'],
];

export const GPU_FORMS: readonly Form[] = [
  {
    source: 'v3d',
    pattern:
      /\bMMU error from client (?:(?<unit>[\w?]{1,8}) \()?(?<id>(?:0x)?[0-9a-f]{1,4})\)? at 0x(?<at>[0-9a-f]{1,16})(?<what>(?:, (?:write violation|pte invalid|cap exceeded)){0,3})/,
    read: ({ unit, id, what = '' }) => {
      const kind = V3D_KINDS.find(([pattern]) => pattern.test(what))?.[1] ?? 'unknown';
      return {
        kind,
        name: what.slice(2) || 'MMU error',
        access: what.includes('write violation') ? 'write' : undefined,
        notes: [unit === undefined ? `the client is ${id!}` : `the client is ${unit} (${id!})`],
      };
    },
  },
  {
    source: 'lima',
    pattern:
      /\bmmu page fault at 0x(?<at>[0-9a-f]{1,16}) from bus id (?<bus>\d{1,3}) of type (?<way>read|write) on (?<unit>\w{1,16})/,
    read: ({ bus, way, unit }) => ({
      kind: 'unknown',
      name: 'page fault',
      access: accessNamed(way),
      notes: [`it came from ${unit!}, bus ${bus!}`],
    }),
  },
  {
    source: 'etnaviv',
    pattern: /\b(?:etnaviv|galcore|gpu)\b.{0,60}\bMMU fault status 0x(?<status>[0-9a-f]{8})\b/i,
    read: ({ status }) => {
      // A digit for each MMU, the first one last.
      const code = Number.parseInt([...status!].findLast((digit) => digit !== '0') ?? '0', 16);
      const [kind, name] = ETNAVIV[code] ?? ['unknown', `status 0x${status!}`];
      return { kind, name, access: /write/.test(name) ? 'write' : /read/.test(name) ? 'read' : undefined };
    },
  },
  {
    source: 'omap',
    pattern:
      /\berrs:0x(?<errs>[0-9a-f]{8}) da:0x(?<at>[0-9a-f]{8}) pgd:\S{1,20} \*pgd:(?:0x|px)(?<pgd>[0-9a-f]{1,8})(?: pte:\S{1,20} \*pte:0x(?<pte>[0-9a-f]{1,8}))?/,
    read: ({ errs, pgd, pte }) => {
      const value = Number(`0x${errs!}`);
      const [, kind, name] = OMAP.find(([mask]) => value & mask) ?? [0, 'other' as const, `errs 0x${errs!}`];
      const entry = pte === undefined ? `first level entry 0x${pgd!}` : `entries 0x${pgd!} and 0x${pte}`;
      return { kind, name, notes: [`the log gives the ${entry}`] };
    },
  },
];

export const GPU_MORE: readonly More[] = [
  {
    of: ({ source, address }) => source === 'etnaviv' && address === undefined,
    pattern: /\bMMU \d fault(?: \([^)]{1,40}\))? addr 0x(?<at>[0-9a-f]{1,16})\b/,
    add: (last, { at }) => ({ ...last, address: numberOf(at!) }),
  },
];

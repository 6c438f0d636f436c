/** IOMMUs with tables of their own, in the words of vendors' systems: Apple's DART in macOS and iOS, Allwinner's IOMMU in its own kernels. */
import type { DecodedFault, DecodedKind } from '../decoded-fault.ts';
import { accessNamed, type Form, type Found, type Groups, type More, numberOf } from '../forms.ts';

/** What the DART's driver says of an exception, by its words. */
const DART_KINDS: readonly (readonly [RegExp, DecodedKind])[] = [
  [/\b(?:read|write) protect/i, 'permission'],
  [/\b(?:PTE|STE|STT|CTE|TTBR) (?:entry )?invalid/i, 'translation'],
  [/\bext(?:ernal)?\b/i, 'external_walk'],
];

/** Allwinner's last line, which has no kind. */
const SUNXI = String.raw`\b(?:Bug is in )?(?<module>[A-Z][A-Z0-9_]{0,15})(?: module,)? invalid address: 0x(?<where>[0-9a-f]{1,16}), data:0x(?<data>[0-9a-f]{1,16}), id:0x(?<id>[0-9a-f]{1,8})\b`;

function sunxiFacts({ module, where, data, id }: Groups): Partial<DecodedFault> {
  return {
    address: numberOf(where!),
    device: `${module!} (master ${numberOf(id!)})`,
    descriptor: numberOf(data!),
  };
}

export const OTHER_IOMMU_FORMS: readonly Form[] = [
  {
    source: 'dart',
    pattern:
      /\b(?<unit>dart-[\w-]{1,32}) \(0x[0-9a-f]{1,16}\): \w{1,16}\([\w-]{1,16}\) error: SID (?<sid>\d{1,3}) (?<what>[\w ]{3,40}?) exception(?: on (?<way>read|write) (?:with|of) DVA 0x(?<at>[0-9a-f]{1,16}))?\b/i,
    read: ({ unit, sid, what = '', way }) => ({
      kind: DART_KINDS.find(([pattern]) => pattern.test(what))?.[1] ?? 'unknown',
      name: `${what} exception`,
      access: accessNamed(way),
      streamId: Number(sid),
      device: unit,
    }),
  },
  {
    // The line before the address.
    source: 'sun50i',
    pattern:
      /(?:^|[\s:])(?:(?<level>L[12]) PageTable Invalid|(?<unit>[A-Z][A-Z0-9_]{1,15}) Invalid Authority|0x0x(?<at>[0-9a-f]{1,16}) is not mapped!)\s*$/,
    read: ({ level, unit }): Found =>
      unit === undefined
        ? { kind: 'translation', name: level === undefined ? 'not mapped' : `${level} page table invalid` }
        : { kind: 'permission', name: 'invalid authority', device: unit },
  },
  {
    source: 'sun50i',
    pattern: new RegExp(SUNXI),
    read: (groups): Found => {
      const facts = sunxiFacts(groups);
      return { kind: facts.descriptor === 0n ? 'translation' : 'unknown', name: 'invalid address', ...facts };
    },
  },
];

export const OTHER_IOMMU_MORE: readonly More[] = [
  {
    of: ({ source, descriptor }) => source === 'sun50i' && descriptor === undefined,
    pattern: new RegExp(SUNXI),
    add: (last, groups) => ({ ...last, ...sunxiFacts(groups) }),
  },
  {
    // `0x0x… is not mapped!` stands between the two.
    of: ({ source, address }) => source === 'sun50i' && address === undefined,
    pattern: /\b0x0x(?<at>[0-9a-f]{1,16}) is not mapped!/,
    add: (last, { at }) => ({ ...last, address: numberOf(at!) }),
  },
];

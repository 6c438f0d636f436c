/**
 * Faults that SoC drivers print in one line: Tegra's memory controller (tegra-mc, and mc-err of L4T), Allwinner's IOMMU (sun50i-iommu). No SMMU
 * is involved in either.
 */
import type { DecodedKind } from '../decoded-fault.ts';
import { accessNamed, type Form, type More, numberOf } from '../forms.ts';

/** Kinds by the memory controller's own words. */
const TEGRA_KINDS: readonly (readonly [RegExp, DecodedKind])[] = [
  [/translation|page/i, 'translation'],
  [/secur|carveout|permission|protect|violat/i, 'permission'],
];

/** A decode error comes from the controller: no translation was involved. */
function tegraKind(what: string, detail = ''): DecodedKind {
  if (/smmu/i.test(what + detail))
    return /(?:read|write|secure)\w* (?:error|violation|fault)|protection|permission/i.test(detail)
      ? 'permission'
      : 'translation';
  return TEGRA_KINDS.find(([pattern]) => pattern.test(what))?.[1] ?? 'external';
}

const DECODE =
  'the address is outside the memory of the controller: there was no translation, or the device bypasses the SMMU';

/** Linux: client, access and address, then the bit of the status and what the error log says of it. */
const TEGRA_MC =
  /\btegra-mc [\w.-]+: (?<client>[\w-]{1,32}): (?:(?<secure>secure|non-secure) )?(?<way>read|write)\s+@0x(?<at>[0-9a-f]{1,16}):\s+(?<what>[^(\n]{1,64}?)\s*\((?<detail>(?:\(null\)|[^()]){1,64})\)/i;

export const SOC_FORMS: readonly Form[] = [
  {
    source: 'tegra-mc',
    pattern: TEGRA_MC,
    read: ({ client, way, what = '', detail = '' }) => ({
      kind: tegraKind(what, detail),
      name: what.trim(),
      access: accessNamed(way),
      device: client,
      notes: [`the memory controller says: ${detail}`],
      hints: /decode/i.test(what) && !/smmu/i.test(detail) ? [DECODE] : [],
    }),
  },
  {
    source: 'tegra-mc',
    pattern:
      /\bmc-err: (?:\[mcerr\] )?\((?<unit>[\w-]{1,24})\) (?<client>[\w-]{1,24}): (?<what>[\w -]{1,64})/i,
    read: ({ unit, client, what = '' }) => ({
      kind: tegraKind(what),
      name: what.trim(),
      device: `${client} (${unit})`,
      hints: /decode/i.test(what) ? [DECODE] : [],
    }),
  },
  {
    source: 'sun50i',
    pattern:
      /\bPage fault for 0x(?<at>[0-9a-f]{1,16}) \(master (?<master>\d{1,2}), dir (?<way>rd|wr|read|write)\)/i,
    read: ({ master, way }) => ({
      kind: 'translation',
      name: 'page fault',
      access: accessNamed(way),
      device: `master ${master}`,
    }),
  },
];

export const SOC_MORE: readonly More[] = [
  {
    // One access sets several bits of the status, and each is a line.
    pattern: TEGRA_MC,
    of: ({ source }) => source === 'tegra-mc',
    add: (last, { client, way, at, what = '', detail = '' }) =>
      last.device === client &&
      last.access === accessNamed(way) &&
      last.address === numberOf(at!) &&
      last.kind === tegraKind(what, detail) &&
      !last.name.split(', ').includes(what.trim())
        ? { ...last, name: `${last.name}, ${what.trim()}` }
        : undefined,
  },
  {
    of: ({ source, address }) => source === 'tegra-mc' && address === undefined,
    pattern:
      /\bmc-err:\s+(?:\[mcerr\] )?status = 0x(?<status>[0-9a-f]{1,8}); addr = 0x(?<at>[0-9a-f]{1,16})/i,
    add: (last, { at }) => ({ ...last, address: BigInt(`0x${at!}`) }),
  },
  {
    of: ({ source, access }) => source === 'tegra-mc' && access === undefined,
    pattern:
      /\bmc-err:\s+(?:\[mcerr\] )?secure: (?<secure>yes|no), access-type: (?<way>read|write), SMMU fault: (?<smmu>[\w -]{1,40})/i,
    add: (last, { secure, way, smmu }) => ({
      ...last,
      access: accessNamed(way),
      notes: [
        ...last.notes,
        `the access was ${secure === 'yes' ? 'secure' : 'not secure'}`,
        `fault of the SMMU: ${smmu!.trim()}`,
      ],
    }),
  },
];

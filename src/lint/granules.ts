/** The rules about granule protection: the table itself, its memory, and mappings that lead where their accesses may not go. (DDI 0487 D9.4, D9.6.) */
import { GPI, GPI_VALUES } from '../arch/descriptors/gpt.ts';
import { listGranules } from '../machine/granules.ts';
import { hex } from '../text/numbers.ts';
import type { GranuleProtection } from '../walker/index.ts';
import type { Findings } from './findings.ts';
import { byOutput, type Mapped, paText } from './placed.ts';

/** Looks at a granule protection table, and at what is mapped in its light. */
export function checkGranules(gpc: GranuleProtection, ranges: readonly Mapped[], findings: Findings): void {
  checkTable(gpc, findings);
  if (findings.wants('granule-denied')) checkMapped(gpc, ranges, findings);
}

/** Entries that are not valid, misprogrammed contiguous regions, tables that others than Root may write. */
function checkTable(gpc: GranuleProtection, findings: Findings): void {
  const { ranges } = listGranules(gpc);
  for (const { first, last, level, gpc: failed } of ranges) {
    const at = `level ${level} of the granule protection table`;
    if (failed === 'walk')
      findings.add({ rule: 'gpt-invalid', message: `${at} is not valid there`, first, last });
    if (failed === 'address_size')
      findings.add({ rule: 'gpt-invalid', message: `${at} leads beyond GPCCR_EL3.PPS`, first, last });
    if (failed === 'external')
      findings.add({ rule: 'gpt-invalid', message: `there is no RAM where ${at} should be`, first, last });
  }
  for (const { address, level } of gpc.tables()) {
    const entry = gpc.entryOf(address);
    if ('gpc' in entry || entry.gpi === GPI.root) continue;
    const [first, owner] = [BigInt(address), GPI_VALUES[entry.gpi]];
    const message = `the level ${level} table at ${hex(first)} is in memory for ${owner}`;
    findings.add({ rule: 'gpt-exposed', message, first, last: first });
  }
  for (const { first, last, gpis } of gpc.contiguousRegions()) {
    const owners = gpis.map((gpi) => GPI_VALUES[gpi] ?? 'not valid').join(', ');
    const message = `the entries of a contiguous region differ: ${owners}`;
    findings.add({ rule: 'gpt-contiguous', message, first, last });
  }
}

function checkMapped(gpc: GranuleProtection, ranges: readonly Mapped[], findings: Findings): void {
  for (const placed of byOutput(ranges)) {
    const { range, result, first, last } = placed;
    const only = { first, last };
    for (const granules of listGranules(gpc, { only, maxRanges: 64 }).ranges) {
      if (gpc.check(Number(granules.first), result.paSpace) === undefined) continue;
      const owner = granules.gpi === undefined ? 'not valid' : GPI_VALUES[granules.gpi];
      const message = `leads to ${paText(placed, granules.first, granules.last)}, which is ${owner}`;
      const start = range.first + (granules.first - first);
      const end = range.first + (granules.last - first);
      findings.add({ rule: 'granule-denied', message, first: start, last: end });
    }
  }
}

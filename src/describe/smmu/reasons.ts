/** Explains why the path from a StreamID ends before its stages. (IHI 0070 issue G.b, 3.4.3, 5.1 to 5.3, 6.3.25, 7.3.) */
import { addressOf, isSet } from '../../arch/read.ts';
import { L1CD, LARGEST_SPAN, S1DSS } from '../../arch/smmu/index.ts';
import type { SmmuFeatures } from '../../smmu/features.ts';
import type { StreamTableEntry } from '../../smmu/stream-table-entry.ts';
import type { ConfigurationFault, SmmuFault } from '../../smmu/types.ts';
import type { CdDescription, StreamEnd, StreamTableDescription } from './types.ts';

/** Why there is no STE. */
export function steEnd(
  fault: ConfigurationFault,
  { log2Size, capped, split = 0, level1 }: StreamTableDescription,
): StreamEnd {
  const failed = (rule: string, section: string): StreamEnd => ({ ok: false, fault, rule, section });
  if (fault.kind === 'f_ste_fetch') {
    const what = level1 && level1.descriptor === undefined ? 'level 1 descriptor' : 'stream table entry';
    return failed(`no RAM where the ${what} should be`, 'IHI 0070 7.3.4');
  }
  if (level1 === undefined) {
    const by = capped ? 'SMMU_IDR1.SIDSIZE, less than LOG2SIZE' : 'SMMU_STRTAB_BASE_CFG.LOG2SIZE';
    const rule = `the table has 2^${log2Size} StreamIDs (${by})`;
    return failed(rule, 'IHI 0070 6.3.25');
  }
  const { span = 0 } = level1;
  if (span === 0) return failed('Span 0: the level 1 descriptor leads to no StreamID', 'IHI 0070 5.1');
  const most = Math.min(LARGEST_SPAN, split + 1);
  if (span > most) {
    return failed(`Span ${span} counts as 0: with SPLIT ${split} it is at most ${most}`, 'IHI 0070 5.1');
  }
  return failed(
    `Span ${span}: the second level has ${2 ** (span - 1)} entries, and this is beyond`,
    'IHI 0070 5.1',
  );
}

/** Why a transaction has no CD by its SubstreamID. */
export function routeRule({ kind }: SmmuFault, ste: StreamTableEntry): [rule: string, section: string] {
  if (kind === 'f_stream_disabled') {
    const rule =
      ste.s1Dss === S1DSS.cd0
        ? 'S1DSS 2: SubstreamID 0 is for transactions without one'
        : `S1DSS ${ste.s1Dss}: a transaction without SubstreamID is terminated`;
    return [rule, 'IHI 0070 5.2'];
  }
  const rule = ste.stage1
    ? `SubstreamIDs are below 2^S1CDMax, which is ${ste.s1CdMax === 0 ? 'none' : 2 ** ste.s1CdMax}`
    : 'without stage 1 there are no SubstreamIDs';
  return [rule, 'IHI 0070 7.3.9'];
}

/** Why there is no CD at the end of the path. */
export function cdRule(
  fault: SmmuFault,
  cd: CdDescription,
  { oas, ias }: SmmuFeatures,
): [rule: string, section: string] {
  const { level1, place } = cd;
  const beyond = (address: bigint, bits: number) => address >> BigInt(bits) !== 0n;
  if (fault.kind === 'c_bad_substreamid') {
    const { V, L2Ptr } = L1CD.fields;
    const descriptor = level1?.descriptor ?? 0n;
    if (!isSet(descriptor, V)) return ['the level 1 descriptor is not valid (V = 0)', 'IHI 0070 5.3'];
    const pointer = `0x${addressOf(descriptor, L2Ptr).toString(16)}`;
    return [`L1CD.L2Ptr ${pointer} is beyond the ${oas} bits of output addresses`, 'IHI 0070 3.4.3'];
  }
  const what = place ? 'context descriptor' : 'level 1 descriptor of the CDs';
  if (fault.kind === 'f_cd_fetch') return [`no RAM where the ${what} should be`, 'IHI 0070 7.3.10'];
  if (beyond(place?.address ?? level1?.address ?? 0n, ias)) {
    const other = place && level1 ? 'C_BAD_SUBSTREAMID' : 'C_BAD_STE';
    const rule = `the IPA of the ${what} is beyond the ${ias} bits of the IAS: stage 2 faults; ${other} is permitted as well`;
    return [rule, 'IHI 0070 3.4.3'];
  }
  return [`stage 2 does not let the SMMU read the ${what}`, 'IHI 0070 3.3.2'];
}

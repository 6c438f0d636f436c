/** The accesses that a row of a golden image may ask for: from the exception levels of its regime, or from streams of an SMMU. (DDI 0487 D8.1.2; IHI 0070 3.3.) */
import { isStream, type MachineRegime, traitsOf } from '../arch/regimes.ts';

/** Members of a row that say where an access comes from. */
interface Asked {
  readonly el?: number | undefined;
  readonly sid?: bigint | undefined;
  readonly ssid?: bigint | undefined;
}

/** The accesses that the machine does not have: from another exception level, or from a stream if it is not an SMMU. */
export function accessProblem(
  { el, sid, ssid }: Asked,
  regime: MachineRegime,
  hasTable: boolean,
): { readonly member: 'el' | 'sid' | 'ssid'; readonly rule: string } | undefined {
  if (!isStream(regime)) {
    const member = sid !== undefined ? 'sid' : ssid !== undefined ? 'ssid' : undefined;
    if (member !== undefined) return { member, rule: `${regime} has no streams: they are an SMMU's` };
  } else if (sid !== undefined && !hasTable) {
    return { member: 'sid', rule: 'chooses from a stream table, and no strtab_base is given' };
  }
  if (el === undefined) return undefined;
  const { unprivileged, el: own = 1, architecture } = traitsOf(regime);
  // If EL3 is AArch32, Secure PL1 is EL3.
  const levels = [...(unprivileged ? [0] : []), own, ...(architecture === 'AArch32' && own === 1 ? [3] : [])];
  if (levels.includes(el)) return undefined;
  return { member: 'el', rule: `accesses of ${regime} are those of EL${levels.join(' and EL')}` };
}

/** Where QEMU's SMMUv3 leaves the architecture in what it accepts of an STE or a CD. (IHI 0070 G.b, 5.2, 5.4; QEMU 7.2 and 10.0.) */
import type { SmmuResult } from '../../../src/smmu/index.ts';
import { faultedConfiguration, type SmmuDeviation, word } from './smmu-situation.ts';

const S2HD_S2HA = 3n << 55n;

const updatesAccepted: SmmuDeviation = {
  name: 's2ha-s2hd-accepted',
  section: '5.2.2 SteIllegal: S2HA or S2HD without HTTU is C_BAD_STE',
  text: 'they are not looked at',
  view(situation) {
    const { stream, changes } = situation;
    const pa = stream.ste + 16;
    const control = changes.words.get(pa) ?? word(situation, pa);
    if (stream.kind === 'stage 1' || !(control & S2HD_S2HA)) return undefined;
    return { words: new Map([[pa, control & ~S2HD_S2HA]]) };
  },
};

const substreamsRejected: SmmuDeviation = {
  name: 's1cdmax-rejected',
  section: '5.2 STE.S1CDMax: without substreams (SMMU_IDR1.SSIDSIZE = 0) it is RES0 and ignored',
  text: 'other than 0 it is C_BAD_STE',
  result(situation): SmmuResult | undefined {
    const { stream, result } = situation;
    const passes = (word(situation, stream.ste) & 0b1001n) === 0b1001n;
    if (stream.kind === 'stage 2' || !passes || word(situation, stream.ste) >> 59n === 0n) return undefined;
    if (!result.ok && result.fault.kind === 'c_bad_ste') return undefined;
    return faultedConfiguration(situation, 'c_bad_ste');
  },
};

export const configurationViews: readonly SmmuDeviation[] = [updatesAccepted];
export const configurationResults: readonly SmmuDeviation[] = [substreamsRejected];

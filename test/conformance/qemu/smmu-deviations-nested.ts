/** Where QEMU's SMMUv3 leaves the architecture with nested streams. (IHI 0070 G.b; QEMU 10.0.) */
import { cdControl, faulted, type SmmuDeviation, type SmmuSituation, word } from './smmu-situation.ts';

const S2_PTW = 1n << 54n;
const EPD = [1n << 14n, 1n << 30n] as const;
const TTB_55_4 = 0xff_ffff_ffff_fff0n;
const PTR_55_6 = 0xff_ffff_ffff_ffc0n;

const deviceTables: SmmuDeviation = {
  name: 's2ptw-ignored',
  section:
    '5.2 STE.S2PTW: a stage-1 table in memory that stage 2 says is Device is a stage-2 permission fault',
  text: 'S2PTW has no effect',
  view(situation) {
    const { stream, changes } = situation;
    const pa = stream.ste + 16;
    const control = changes.words.get(pa) ?? word(situation, pa);
    if (stream.kind !== 'nested' || !(control & S2_PTW)) return undefined;
    return { words: new Map([[pa, control & ~S2_PTW]]) };
  },
};

const tableBeyondIps: SmmuDeviation = {
  name: 'nested-table-beyond-ips-is-tt',
  section: '7.3.14 F_ADDR_SIZE of a stage-1 table pointer: CLASS is IN',
  text: 'nested, CLASS is TT',
  result(situation) {
    const { result, stream } = situation;
    if (stream.kind !== 'nested' || result.ok || result.fault.kind !== 'address_size') return undefined;
    const last = result.steps.at(-1);
    if (last?.kind !== 'table' || last.stage !== 1) return undefined;
    return faulted(situation, { kind: 'address_size', stage: 1, class: 'tt' }, result.steps);
  },
};

const tableFaultStage: SmmuDeviation = {
  name: 'stage-2-fault-on-table-is-stage-1',
  section:
    '7.3.13: a stage-2 fault on the fetch of a stage-1 descriptor has S2 = 1 and the IPA of the descriptor',
  text: 'below the root it has S2 = 0, and the IPA of the table',
  result(situation) {
    const { result, stream } = situation;
    if (stream.kind !== 'nested' || result.ok || !('class' in result.fault)) return undefined;
    const { kind, class: fault, stage, ptw } = result.fault;
    const table = result.steps.findLast((step) => step.stage === 1);
    if (fault !== 'tt' || stage !== 2 || !ptw || table?.output === undefined) return undefined;
    return faulted(situation, { kind, stage: 1, class: 'tt', ipa: table.output }, result.steps);
  },
};

/** Rules that change what is walked. */
export const nestedViews: readonly SmmuDeviation[] = [deviceTables];
/** Rules that change the answer. */
export const nestedResults: readonly SmmuDeviation[] = [tableBeyondIps, tableFaultStage];

/** The fault of a read through stage 2 alone, as one of the SMMU's own. */
function ownFault(
  situation: SmmuSituation,
  ipa: bigint,
  own: 'cd' | 'tt',
): ReturnType<typeof faulted> | undefined {
  const read = situation.readStage2(ipa);
  if (read.ok || !('class' in read.fault)) return undefined;
  const { kind } = read.fault;
  const probe = { ...situation.probe, access: 'read' } as const;
  return faulted({ ...situation, probe }, { kind, stage: 2, class: own, ipa }, []);
}

/** TTB0 and TTB1 that QEMU comes to before it finds the CD good or bad. */
function roots(situation: SmmuSituation): bigint[] {
  const { stream, result } = situation;
  const control = cdControl(situation);
  const bad = !result.ok && result.fault.kind === 'c_bad_cd';
  const found: bigint[] = [];
  if (bad) {
    const lowerAlone = situation.retry(new Map([[stream.cd, control | EPD[1]]]));
    if (!lowerAlone.ok && lowerAlone.fault.kind === 'c_bad_cd') return found;
  }
  if (!(control & EPD[0])) found.push(word(situation, stream.cd + 8) & TTB_55_4);
  if (!bad && !(control & EPD[1])) found.push(word(situation, stream.cd + 16) & TTB_55_4);
  return found;
}

/** The last rule: what it finds comes before everything else. */
export const configurationFirst: SmmuDeviation = {
  name: 'ttbs-translated-with-the-cd',
  section:
    '3.3.2, 7.3.13: the root of a stage-1 walk is translated where it is used, for the descriptor that is fetched',
  text: 'TTB0 and TTB1, unless disabled, go through stage 2 as soon as the CD is read, whatever the input; such a fault, and one of the CD, has RnW = 1',
  result(situation) {
    const { stream, result } = situation;
    if (stream.kind !== 'nested') return undefined;
    const kind = result.ok ? undefined : result.fault.kind;
    if (kind === 'c_bad_ste' || kind === 'abort') return undefined;
    const cd = ownFault(situation, word(situation, stream.ste) & PTR_55_6, 'cd');
    if (cd !== undefined || kind === 'f_cd_fetch') return cd;
    for (const ttb of roots(situation)) {
      const fault = ownFault(situation, ttb, 'tt');
      if (fault !== undefined) return fault;
    }
    return undefined;
  },
};

/**
 * Resolves register values, under any usual names, for one regime: which registers it reads, what is assumed
 * for the others, which values are not used, and which are refused. (DDI 0487 D8.1.2; IHI 0070 6.3.)
 */
import { isSet } from '../../arch/read.ts';
import { isStream, type Regime, traitsOf } from '../../arch/regimes.ts';
import { TTBCR } from '../../arch/registers/aarch32-control.ts';
import { hex } from '../../memory/hex.ts';
import { assumptions, checkComplete, stagesOff, unusedByShort } from './complete.ts';
import { RegisterError } from './errors.ts';
import { idleBits } from './idle-bits.ts';
import { type AskedRegime, inferRegime, underEae, underHcr } from './infer.ts';
import { leftOver } from './left-over.ts';
import { type Given, given, kindOf, likelyName, OF_M4U, type Sources, sourcesOf } from './names.ts';
import { type Picked, pick } from './pick.ts';
import type { RegisterRequest, ResolvedRegisters } from './request.ts';
import { ofSmmu } from './resolve-smmu.ts';
import { checkModelled, unreadOf } from './unmodelled.ts';

/**
 * Resolves register values.
 * @throws RegisterError for a name that is probably misspelt, names that disagree, a value that is too wide, a field that is not modelled and
 * changes answers, a regime that can't be inferred, or (`complete`) a missing register that the walk needs.
 *
 * @example
 * const { regime, registers } = resolveRegisters({ given: { TTBR0_EL2: 0x4000_0000n, TCR_EL2: 0x8080_3519n } });
 * // regime 'el2', registers { ttbr0: 0x4000_0000n, tcr: 0x8080_3519n }
 */
export function resolveRegisters(request: RegisterRequest): ResolvedRegisters {
  const file = listed(request.given, request.regime);
  const over = listed(request.over ?? {}, request.regime);
  const all = [...file, ...over];
  const asked = request.regime;
  const inferred = asked === undefined ? inferRegime(all) : undefined;
  const assumed = [...(inferred?.assumed ?? [])];
  const first = asked ?? inferred!.regime;
  if (first === 'smmuv3' || isStream(first)) {
    return ofSmmu(first, file, over, inferred?.because, request);
  }
  const under = request.exact === true ? { regime: first } : underHcr(first, all);
  const staged = stageOf(under.regime, request.stage, all);
  const chosen = request.exact === true ? { regime: staged } : underEae(staged, all);
  const { regime } = chosen;
  const because = [
    inferred?.because,
    under.regime !== first && under.because,
    staged !== under.regime && `--stage ${request.stage}`,
    regime !== staged && chosen.because,
  ].filter((why) => typeof why === 'string');
  const picked = pickAll(regime, file, over, assumed);
  const registers = Object.fromEntries([...picked].map(([slot, { value }]) => [slot, value]));
  const scr = all.find(({ name }) => kindOf(name) === 'state')?.value;
  if (request.complete !== false) {
    checkComplete(regime, { ...registers, ...(scr !== undefined && { scr_el3: scr }) });
  }
  assumed.push(...assumptions(regime, registers));
  const values = byManualName(regime, picked, all);
  const fields = [
    ...checkModelled(regime, values, stagesOff(regime, registers)),
    ...unusedByShort(regime, registers).map(({ slot, why }) => ({
      register: picked
        .get(slot)!
        .from.map(({ written }) => written)
        .join(', '),
      why,
    })),
  ];
  return {
    regime,
    ...(because.length > 0 && { because: because.join('; ') }),
    registers: { ...registers, ...(scr !== undefined && { scr_el3: scr }) },
    assumed,
    ignored: [
      ...leftOver(all, picked, regime),
      ...fields.map(({ register, why }) => ({ register, kind: 'field' as const, why })),
      ...[
        ...unreadOf(
          values,
          sourcesOf(regime).map(({ manual }) => manual),
        ),
        ...idleBits(regime, values),
      ].map((one) => ({ ...one, kind: 'bits' as const })),
    ],
  };
}

/** Every value under its name. @throws RegisterError for an invalid value, or a name that is probably misspelt. */
function listed(values: Readonly<Record<string, bigint>>, regime: AskedRegime | undefined): Given[] {
  const all = Object.entries(values).map(([name, value]) => given(name, checked(name, value)));
  for (const one of all) refuseMisspelt(one, regime);
  return all;
}

function checked(name: string, value: unknown): bigint {
  if (typeof value === 'bigint' && BigInt.asUintN(64, value) === value) return value;
  throw new RegisterError('value', `${name} must be a bigint of at most 64 bits, not ${String(value)}`);
}

function isM4u(regime: AskedRegime | undefined): boolean {
  return regime !== undefined && regime !== 'smmuv3' && traitsOf(regime).descriptors === 'mtk';
}

function refuseMisspelt({ name, written, value }: Given, regime: AskedRegime | undefined): void {
  const known = kindOf(name) !== 'unknown' && (name !== OF_M4U || isM4u(regime));
  if (known) return;
  const likely = likelyName(name);
  if (likely === undefined) return;
  throw new RegisterError('unknown', 'there is no such register', {
    register: written,
    value,
    remedy: `did you mean ${written === written.toLowerCase() ? likely.toLowerCase() : likely}?`,
  });
}

/** One stage of two. @throws RegisterError if the regime has no such stage. */
function stageOf(regime: Regime, stage: 1 | 2 | undefined, all: readonly Given[]): Regime {
  if (stage === undefined) return regime;
  const { stage1, stage2, architecture } = traitsOf(regime);
  if (!(stage === 1 ? stage1 : stage2)) {
    throw new RegisterError('regime', `${regime} has no stage ${stage}`, { remedy: 'leave out --stage' });
  }
  if (stage1 !== stage2) return regime;
  if (architecture === 'AArch64') return stage === 1 ? 'el1&0' : 'el1&0-s2';
  if (stage === 2) return 'pl1&0-s2';
  const ttbcr = all.find(({ name }) => name === 'TTBCR' || name === 'TCR')?.value ?? 0n;
  return isSet(ttbcr, TTBCR.fields.EAE) ? 'pl1&0' : 'pl1&0-short';
}

function pickAll(
  regime: Regime,
  file: readonly Given[],
  over: readonly Given[],
  assumed: string[],
): Map<string, Picked> {
  const picked = new Map<string, Picked>();
  for (const sources of sourcesOf(regime)) {
    const asked = pick(over, sources);
    const inFile = asked === undefined ? pick(file, sources) : replaced(file, sources, asked, assumed);
    const found = asked === undefined ? inFile : { ...asked, from: [...asked.from, ...(inFile?.from ?? [])] };
    if (found === undefined) continue;
    picked.set(sources.slot, found);
    if (found.halfMissing !== undefined) assumed.push(`${found.halfMissing} is not given: it is taken as 0`);
  }
  return picked;
}

/** The value that an option overrides. It is reported if it is different. */
function replaced(
  file: readonly Given[],
  sources: Sources,
  { value, from }: Picked,
  assumed: string[],
): Picked | undefined {
  const before = pick(file, sources);
  if (before !== undefined && before.value !== value) {
    const names = before.from.map(({ written }) => written).join(', ');
    assumed.push(`${from[0]?.written} = ${hex(value)} takes the place of ${names} = ${hex(before.value)}`);
  }
  return before;
}

/** Values by the manual's names, including registers that are not modelled. */
function byManualName(
  regime: Regime,
  picked: ReadonlyMap<string, Picked>,
  all: readonly Given[],
): Map<string, bigint> {
  const values = new Map(all.map(({ name, value }) => [name, value]));
  for (const { slot, manual } of sourcesOf(regime)) {
    const found = picked.get(slot);
    if (found !== undefined) values.set(manual, found.value);
    else values.delete(manual);
  }
  return values;
}

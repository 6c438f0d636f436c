/** Resolves the register values of an SMMUv3: its registers, or the entries of a stream by themselves. (IHI 0070 6.3.) */
import { traitsOf } from '../../arch/regimes.ts';
import { hex } from '../../memory/hex.ts';
import { RegisterError } from './errors.ts';
import type { AskedRegime } from './infer.ts';
import { leftOver } from './left-over.ts';
import { type Given, isInterfaceName, secureInterfaceName, smmuName } from './names.ts';
import type { Picked } from './pick.ts';
import type { IgnoredRegister, RegisterRequest, ResolvedRegisters } from './request.ts';

/** The registers of an SMMU, or of one stream. @throws RegisterError for two values of one register, or a stage. */
export function ofSmmu(
  regime: AskedRegime,
  file: readonly Given[],
  over: readonly Given[],
  because: string | undefined,
  { stage, security }: Pick<RegisterRequest, 'stage' | 'security'>,
): ResolvedRegisters {
  if (stage !== undefined) {
    const rule = 'the stages of a stream are what its stream table entry says';
    throw new RegisterError('regime', rule, { remedy: 'leave out --stage' });
  }
  const interfaces = ofInterface([...file, ...over], security === 'secure');
  const values = (given: readonly Given[]) =>
    smmuValues(given.filter((one) => !interfaces.other.includes(one)));
  const taken = new Map<string, Picked>([...values(file), ...values(over)]);
  const registers = Object.fromEntries([...taken].map(([slot, { value }]) => [slot, value]));
  checkInterfaceGiven(registers, interfaces.other);
  const assumed = [...interfaces.assumed, ...smmuAssumptions(registers)];
  return {
    regime,
    ...(because !== undefined && { because }),
    registers,
    assumed,
    ignored: [
      ...interfaces.other.map(({ written }) => ({
        register: written,
        kind: 'other' as const,
        why: `it is of the ${security === 'secure' ? 'Non-secure' : 'Secure'} programming interface (--security)`,
      })),
      ...unusedOfSmmu(regime, taken),
      ...leftOver(
        [...file, ...over].filter(({ name }) => smmuName(name) === undefined),
        new Map(),
        regime,
      ),
    ],
  };
}

/** @throws RegisterError if a stream table is given, but the other interface's alone. */
function checkInterfaceGiven(registers: Readonly<Record<string, bigint>>, other: readonly Given[]): void {
  const table = other.find(({ name }) => name === 'SMMU_S_STRTAB_BASE');
  if (table === undefined || registers.strtab_base !== undefined || registers.ste0 !== undefined) return;
  const rule = `${table.written} is of the Secure programming interface, and there is no other stream table`;
  throw new RegisterError('regime', rule, { remedy: '--security secure' });
}

/**
 * Registers that both programming interfaces have: those of the other one are not read. A register of the Non-secure one is taken as the Secure
 * one's where the latter is not given.
 */
function ofInterface(all: readonly Given[], secure: boolean): { other: readonly Given[]; assumed: string[] } {
  const slotOf = ({ name }: Given) => smmuName(name) ?? '';
  const secureSlots = all.map((one) => secureInterfaceName(slotOf(one)));
  if (!secure) return { other: all.filter((_, i) => secureSlots[i] !== undefined), assumed: [] };
  const plain = all.filter((one) => isInterfaceName(slotOf(one)));
  const other = plain.filter((one) => secureSlots.includes(slotOf(one)));
  const taken = plain.filter((one) => !other.includes(one) && one.name.startsWith('SMMU_'));
  const assumed = taken.map(
    ({ written, name }) => `${written} is taken as ${name.replace('SMMU_', 'SMMU_S_')}`,
  );
  return { other, assumed };
}

/** Where a stream table is given entries by themselves are not read, and without one what leads to it; a nested CD is in memory. */
function unusedOfSmmu(regime: AskedRegime, taken: ReadonlyMap<string, Picked>): IgnoredRegister[] {
  const nested = regime !== 'smmuv3' && traitsOf(regime).stage2;
  const unused = taken.has('strtab_base')
    ? { pattern: /^(ste|cd)\d$/, why: 'the stream table is read in its place' }
    : {
        pattern: nested ? /^(strtab_base_cfg|cr0|cr2|gbpa|cd\d)$/ : /^(strtab_base_cfg|cr0|cr2|gbpa)$/,
        why: 'a single stream has none of it',
      };
  return [...taken]
    .filter(([slot]) => unused.pattern.test(slot))
    .flatMap(([, { from }]) => from)
    .map(({ written }) => ({ register: written, kind: 'other', why: unused.why }));
}

function smmuValues(all: readonly Given[]): Map<string, Picked> {
  const taken = new Map<string, Picked>();
  for (const one of all) {
    const named = smmuName(one.name);
    if (named === undefined) continue;
    const slot = secureInterfaceName(named) ?? named;
    const before = taken.get(slot);
    if (before !== undefined && before.value !== one.value) {
      const rule = `${before.from[0]?.written} = ${hex(before.value)} is the same register, and disagrees`;
      throw new RegisterError('contradiction', rule, { register: one.written, value: one.value });
    }
    taken.set(slot, { value: one.value, from: [...(before?.from ?? []), one] });
  }
  return taken;
}

/** The values assumed for an SMMU's registers that were not given. A stream by itself needs no table registers. */
function smmuAssumptions(registers: Readonly<Record<string, bigint>>): string[] {
  const lacks = (name: string) => registers[name] === undefined;
  const identification = ['idr0', 'idr1', 'idr3', 'idr5']
    .filter(lacks)
    .map((name) => `SMMU_${name.toUpperCase()}`);
  const said: string[] = [];
  if (!lacks('strtab_base') && lacks('strtab_base_cfg')) {
    said.push(
      'SMMU_STRTAB_BASE_CFG is not given (--strtab-cfg): the stream table is taken to be linear, with one entry (LOG2SIZE = 0)',
    );
  }
  if (!lacks('strtab_base') && lacks('cr0')) {
    said.push('SMMU_CR0 is not given: the SMMU is taken to be on (SMMUEN = 1)');
  }
  if (identification.length > 0) {
    said.push(
      `${identification.join(', ')} not given: taken as of an SMMUv3.1 with both stages, AArch64 tables and 44-bit output`,
    );
  }
  return said;
}

/** What the registers of a device say to its caches and of its commands. (IHI 0070 6.3.1, 6.3.4, 6.3.9, 6.3.12, 6.3.24.) */
import { isSet, read } from '../../arch/read.ts';
import { SMMU_CR0, SMMU_CR2, SMMU_IDR0, SMMU_IDR3 } from '../../arch/smmu/index.ts';
import type { ConfigurationRegisters } from '../caches/changes.ts';
import { type ScopeContext, wildcardBits } from '../caches/scopes.ts';
import type { SmmuFeatures } from '../features.ts';
import type { RegisterFile } from './register-file.ts';

/** The registers that structures are found by. */
export function configurationOf(registers: RegisterFile): ConfigurationRegisters {
  const cr0 = registers.get('CR0');
  return {
    enabled: isSet(cr0, SMMU_CR0.fields.SMMUEN),
    strtabBase: registers.get('STRTAB_BASE'),
    strtabBaseCfg: registers.get('STRTAB_BASE_CFG'),
    cr2: registers.get('CR2'),
    s2pii: registers.get('S2PII'),
    atsCheck: isSet(cr0, SMMU_CR0.fields.ATSCHK),
  };
}

export function isSameConfiguration(one: ConfigurationRegisters, other: ConfigurationRegisters): boolean {
  return (
    one.enabled === other.enabled &&
    one.strtabBase === other.strtabBase &&
    one.strtabBaseCfg === other.strtabBaseCfg &&
    one.cr2 === other.cr2 &&
    one.s2pii === other.s2pii &&
    one.atsCheck === other.atsCheck
  );
}

/** What they say of the scopes of commands. */
export function scopesOf(registers: RegisterFile, features: SmmuFeatures): ScopeContext {
  const { asid16, vmid16, stage2, cpu } = features;
  const vmw = read(registers.get('CR0'), SMMU_CR0.fields.VMW);
  return {
    asid16,
    vmid16,
    stage2,
    ds: cpu.lpa2,
    ranges: registers.isSet('IDR3', SMMU_IDR3.fields.RIL),
    e2h: registers.isSet('CR2', SMMU_CR2.fields.E2H),
    wildcard: registers.isSet('IDR0', SMMU_IDR0.fields.VMW) ? wildcardBits(vmw) : 0,
  };
}

/**
 * The stages that a transaction of an SMMUv3 stream goes through: those of a context descriptor, or none before stage 2 where stage 1 is
 * bypassed. (IHI 0070 3.4, 5.2 NSCFG, 6.3.57 SIF.)
 */
import type { SecurityState } from '../arch/security.ts';
import { NSCFG } from '../arch/smmu/index.ts';
import { DEFAULT_CACHEABLE } from '../walker/attributes.ts';
import { ALL_PERMISSIONS } from '../walker/permissions.ts';
import type { Stage1 } from '../walker/stage1.ts';
import { flatTranslate } from '../walker/stage1-off.ts';
import type { Stage2 } from '../walker/stage2.ts';
import type { Stages } from '../walker/translate.ts';
import type { Context } from './context-descriptor.ts';
import type { SteSubject } from './ste-subject.ts';
import type { Transaction } from './types.ts';

/** The stages of a transaction, and its CD: none if it bypasses stage 1. */
export interface StreamStages extends Stages {
  readonly context: Context | undefined;
}

/** Stage 1 bypassed: the input is the IPA, of at most IAS bits (OAS, if stage 2 is bypassed too). (3.4) */
export function bypassStages(
  subject: SteSubject,
  stage2: Stage2 | undefined,
  ns: boolean | undefined,
): StreamStages {
  const { oas, ias, security } = subject.features;
  const mapping = {
    inputBits: stage2 ? ias : oas,
    beyond: { kind: 'address_size', level: 0, stage: 1 },
    topByteIgnored: () => false,
    // The incoming attributes are treated as Write-Back, so that the result is what stage 2 says.
    region: DEFAULT_CACHEABLE,
    permissions: ALL_PERMISSIONS,
    space: bypassSpace(subject, ns),
  } as const;
  return {
    first: (ia, request) => flatTranslate(mapping, ia, request),
    stage1: false,
    stage2,
    trees: () => stage2?.trees() ?? [],
    fetchesInstructions: false,
    security,
    unprivileged: true,
    context: undefined,
  };
}

/** Stage 1 of a CD, and stage 2 behind it, if there is one. */
export function stagesOfContext(
  context: Context,
  stage1: Stage1,
  stage2: Stage2 | undefined,
  security: SecurityState,
): StreamStages {
  return {
    first: (ia, request, steps) => stage1.translate(ia, request, steps),
    stage1: true,
    stage2,
    trees: () => [...stage1.trees(), ...(stage2?.trees() ?? [])],
    fetchesInstructions: false,
    security,
    unprivileged: context.ranges.unprivileged,
    context,
  };
}

/** SMMU_S_CR0.SIF forbids an instruction fetch that bypasses stage 1 into Non-secure memory. (6.3.57) */
export function fetchesForeign(
  subject: SteSubject,
  access: Transaction['access'],
  ns: boolean | undefined,
): boolean {
  return subject.features.sif && access === 'execute' && bypassSpace(subject, ns) === 'non-secure';
}

/** The address space of what bypasses stage 1: of a Secure stream it comes with the transaction, or STE.NSCFG overrides it. */
function bypassSpace({ ste, features }: SteSubject, ns = false): 'secure' | 'non-secure' {
  const { security, attributeOverride } = features;
  if (security === 'non-secure') return security;
  const { nsCfg } = ste;
  if (attributeOverride && nsCfg === NSCFG.secure) return 'secure';
  return (attributeOverride && nsCfg === NSCFG.nonSecure) || ns ? 'non-secure' : 'secure';
}

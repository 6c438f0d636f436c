/** Profiles of `lpae map`: the choices of a version of Linux, or of its generic_pt, where a request makes none itself. */
import type { DomainOptions } from '../../index.ts';
import type { Feature } from '../../pagetable/format.ts';
import { LINUX_VERSIONS } from '../../pagetable/linux.ts';
import type { MapRequest } from '../input/request.ts';
import { usageError } from '../io.ts';

export const PROFILES = [...LINUX_VERSIONS, 'generic_pt'] as const;
/** A version of Linux's io-pgtable, or generic_pt with the format that is proposed for VMSAv8-64. */
export type Profile = (typeof PROFILES)[number];

/**
 * @throws CliError (usage) for a format that generic_pt has no proposal for; FormatError when the format refuses the request.
 */
export function withProfile(request: MapRequest, profile: Profile | undefined): MapRequest {
  if (profile === undefined) return request;
  const options = profile === 'generic_pt' ? genericPt(request) : { linux: profile, ...request.options };
  return { ...request, options };
}

/** Whole leaves are unmapped, and every size of the granule is offered: contiguous runs, and with 4K and 16K what LPA2 adds. */
function genericPt({ format, options }: MapRequest): DomainOptions {
  if (!['arm_64_lpae_s1', 'arm_64_lpae_s2'].includes(format.name)) {
    throw usageError(
      `--profile generic_pt is for arm_64_lpae_s1 and arm_64_lpae_s2: of ${format.name} there is no such format`,
    );
  }
  const { partialUnmap: _, allocator: __, ...asked } = options;
  const { granuleLog2, stage } = format.configure(asked);
  const page = 1n << BigInt(granuleLog2);
  const added: readonly Feature[] = granuleLog2 < 16 ? ['contiguous', 'lpa2'] : ['contiguous'];
  return {
    partialUnmap: 'whole',
    ...(stage === 2 && { concatenation: 'mandatory' }),
    ...options,
    pgsizeBitmap: (1n << 64n) - page,
    granule: page,
    features: [...new Set([...(asked.features ?? []), ...added])],
  };
}

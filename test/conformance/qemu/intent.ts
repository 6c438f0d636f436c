/** What a driver meant by a prot, in the words of a walk: the third of the three sides, written from Linux's documentation of the flags. */
import type { Prot } from '../../../src/index.ts';
import type { TableFormat } from '../../../src/pagetable/format.ts';
import type { Shareability, WalkResult } from '../../../src/walker/index.ts';
import type { Intent } from './driver-tables.ts';
import type { Probe } from './probe.ts';

/** MAIR encodings: Write-Back read/write-allocate, Non-cacheable, Device-nGnRE; of stage 2 the same. */
const MEMORY = { cache: 0xff, none: 0x44, mmio: 0x04 } as const;

/** Whether the access is meant to be allowed. Stage 1 has no write-only; stage 2 has no privileged-only. */
function isAllowed(
  { read, write, priv }: Prot,
  { access, privileged }: Probe,
  { stage, quirks }: Pick<TableFormat, 'stage' | 'quirks'>,
): boolean {
  if (quirks.includes('no_perms')) return true;
  if (stage === 2) return access === 'read' ? read === true : write === true;
  if (priv && !privileged) return false;
  return access === 'read' || !(read && !write);
}

function memoryOf({ cache, mmio }: Prot): { readonly byte: number; readonly shareability: Shareability } {
  if (mmio) return { byte: MEMORY.mmio, shareability: 'outer' };
  return cache ? { byte: MEMORY.cache, shareability: 'inner' } : { byte: MEMORY.none, shareability: 'outer' };
}

/** Where the walk is not what was meant, or undefined. */
export function offIntent(
  intent: Intent | undefined,
  probe: Probe,
  format: Pick<TableFormat, 'stage' | 'quirks'>,
  result: WalkResult,
): string | undefined {
  if (intent === undefined) {
    return !result.ok && result.fault.kind === 'translation' ? undefined : 'nothing is mapped here';
  }
  if (!isAllowed(intent.prot, probe, format)) {
    return !result.ok && result.fault.kind === 'permission' ? undefined : 'this access is not allowed';
  }
  if (!result.ok) return 'this access is allowed';
  const { byte, shareability } = memoryOf(intent.prot);
  if (result.pa !== intent.pa) return `it is mapped to 0x${intent.pa.toString(16)}`;
  if (result.attributes.byte !== byte) return `its memory type is 0x${byte.toString(16)}`;
  return result.shareability === shareability ? undefined : `it is ${shareability} shareable`;
}

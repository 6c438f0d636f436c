/** What a translation gives, in words: permissions, memory types, shareability, flags of a leaf. */
import { isStage2Alone, isStream, type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { securityName } from '../arch/security.ts';
import { unknownIndex, usualByte } from '../walker/attributes.ts';
import type {
  AccessPermissions,
  Cacheability,
  MemoryAttributes,
  Shareability,
  Translation,
} from '../walker/index.ts';
import { hex } from './numbers.ts';

/** `rw-`; behind it `g` of a Guarded Control Stack. */
export function permissionText({ read, write, execute, gcs }: AccessPermissions): string {
  return `${read ? 'r' : '-'}${write ? 'w' : '-'}${execute ? 'x' : '-'}${gcs ? 'g' : ''}`;
}

const POLICIES = {
  'non-cacheable': ['Non-cacheable', 'NC'],
  'write-through': ['Write-Through', 'WT'],
  'write-back': ['Write-Back', 'WB'],
  'implementation-defined': ['as implemented', 'IMP'],
} as const;

/** `Normal, Write-Back, read and write allocate`, `Device-nGnRE`. */
export function memoryText(memory: MemoryAttributes): string {
  const index = unknownIndex(memory);
  if (index !== undefined) return `AttrIndx ${index} (no MAIR given)`;
  if (memory.type === 'device') return `Device-${memory.device}`;
  const [inner, outer] = [cacheText(memory.inner), cacheText(memory.outer)];
  const cached = inner === outer ? `inner and outer ${inner}` : `inner ${inner}, outer ${outer}`;
  return `Normal${memory.tagged ? ' Tagged' : ''}, ${cached}`;
}

function cacheText({ policy, readAllocate, writeAllocate, transient }: Cacheability): string {
  if (policy === 'non-cacheable' || policy === 'implementation-defined') return POLICIES[policy][0];
  const hints = `${readAllocate ? 'R' : ''}${writeAllocate ? 'W' : ''}`;
  return [POLICIES[policy][0], hints ? `${hints}-allocate` : 'no-allocate', transient && 'transient']
    .filter(Boolean)
    .join(' ');
}

/** Short: `WB`, `NC`, `WB/NC` (inner/outer), `nGnRE`. */
export function memoryCode(memory: MemoryAttributes): string {
  const index = unknownIndex(memory);
  if (index !== undefined) return `AttrIndx ${index} (no MAIR given)`;
  if (memory.type === 'device') return memory.device;
  const [inner, outer] = [POLICIES[memory.inner.policy][1], POLICIES[memory.outer.policy][1]];
  return inner === outer ? inner : `${inner}/${outer}`;
}

export const SHAREABILITY: Readonly<Record<Shareability, readonly [text: string, code: string]>> = {
  non: ['non-shareable', 'NSH'],
  outer: ['outer shareable', 'OSH'],
  inner: ['inner shareable', 'ISH'],
};

/** False for the regimes of EL2 and EL3 alone, which have a single privilege level. */
export function hasUnprivileged(regime: MachineRegime): boolean {
  return traitsOf(regime).unprivileged;
}

/** Two columns of a dump: `rw- rw-`, or `rw-`. */
export function permissionCode(result: Translation, regime: MachineRegime): string {
  const { privileged, unprivileged } = result.permissions;
  const both = [permissionText(privileged), permissionText(unprivileged)];
  return (hasUnprivileged(regime) ? both : both.slice(0, 1)).join(' ');
}

/**
 * The memory that an answer speaks of: of stage 2 alone what its descriptor says. `combined`: with the stage 1 that is off in front of
 * it, where that is another type.
 */
export function memoryOf(
  { attributes, shareability, stage2 }: Translation,
  regime: MachineRegime,
): {
  readonly attributes: MemoryAttributes;
  readonly shareability: Shareability;
  readonly combined?: MemoryAttributes;
} {
  if (!isStage2Alone(regime) || isStream(regime) || stage2 === undefined) return { attributes, shareability };
  const own = stage2.attributes;
  const same = memoryText(own) === memoryText(attributes);
  return {
    attributes: own,
    shareability: stage2.shareability,
    ...(!same && { combined: attributes }),
  };
}

/** Where an output leads, of a state whose descriptors have a choice; of Non-secure state nothing. */
export function spaceText({ security, paSpace }: Translation): string {
  return security === 'non-secure' ? '' : securityName(paSpace);
}

/**
 * Flags that few leaves have, or lack: before them the address space, outside Non-secure state; then `nG`, `C` for a contiguous hint,
 * `GP`, `Tagged`; `attr=0x..` where the type's name does not say all of it (no read or write allocate, transient, without XS);
 * and of two stages `L2`, the level of stage 1, where its leaf is not what the two map in one piece.
 */
export function flagCode(result: Translation, regime: MachineRegime): string {
  const { global, contiguous, guarded } = result;
  return [
    spaceText(result),
    global ? '' : 'nG',
    contiguous ? 'C' : '',
    guarded ? 'GP' : '',
    attributeFlag(memoryOf(result, regime).attributes),
    levelFlag(result),
  ]
    .filter(Boolean)
    .join(' ');
}

function attributeFlag(memory: MemoryAttributes): string {
  if (memory.type === 'normal' && memory.tagged) return 'Tagged';
  const known = unknownIndex(memory) === undefined && !isImplementationDefined(memory);
  return known && memory.byte !== usualByte(memory) ? `attr=${hex(memory.byte, 2)}` : '';
}

function isImplementationDefined(memory: MemoryAttributes): boolean {
  return memory.type === 'normal' && memory.inner.policy === 'implementation-defined';
}

function levelFlag({ level, size, stage1, stage2 }: Translation): string {
  if (level === undefined || stage1 === undefined || stage2 === undefined) return '';
  return stage1.size === size ? '' : `L${level}`;
}

/** Everything that similar leaves have in common: `rw- rw- WB ISH nG`. */
export function leafCode(result: Translation, regime: MachineRegime): string {
  const { attributes, shareability, combined } = memoryOf(result, regime);
  return [
    permissionCode(result, regime),
    memoryCode(attributes),
    SHAREABILITY[shareability][1],
    combined && `(${memoryCode(combined)} with stage 1 off)`,
    flagCode(result, regime),
  ]
    .filter(Boolean)
    .join(' ');
}

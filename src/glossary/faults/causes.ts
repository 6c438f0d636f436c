/** The usual causes of a fault, without those that the access, the stage or the source rules out. */
import { eventNamed } from '../events.ts';
import { faultKindInfo } from '../fault-kinds.ts';
import { type DecodedFault, isOfDevice, isWalkable } from './decoded-fault.ts';
import { addressHints } from './hints.ts';

/** A rule that excludes a cause for some faults. The words are the beginning of the cause. */
interface Exclusion {
  readonly begins: RegExp;
  readonly by: (fault: DecodedFault) => boolean;
}

const not =
  (...accesses: readonly string[]) =>
  ({ access }: DecodedFault) =>
    access !== undefined && !accesses.includes(access);

const EXCLUSIONS: readonly Exclusion[] = [
  { begins: /^a write to a mapping/, by: not('write') },
  { begins: /^execution of memory/, by: not('execute') },
  { begins: /^execution of memory/, by: ({ source, access }) => isOfDevice(source) && access === undefined },
  {
    begins: /^an unprivileged access/,
    by: ({ source }) => isOfDevice(source) && !isWalkable(source),
  },
  { begins: /^a write to a mapping|^an unprivileged access/, by: ({ source }) => source === 'tegra-mc' },
  { begins: /^stage 2 is narrower/, by: ({ stage, source }) => stage === 1 || !isWalkable(source) },
  { begins: /^the table root, TxSZ/, by: ({ source }) => !isWalkable(source) || source === 'm4u' },
  { begins: /^IPS or PS is smaller/, by: ({ source }) => !isWalkable(source) || source === 'm4u' },
  { begins: /^an access with the MMU off/, by: ({ stage }) => stage !== undefined },
];

/** For IOMMUs with their own table formats: the cause that takes the place of TxSZ. */
const OWN_TABLES =
  'the table base in its registers is not that of the domain: wrong attach order, a reset, or a loss of power';

/** The causes, the likeliest first: those that this report shows, then those that are usual for its kind. A cause without doubt is the only one. */
export function causesOf(fault: DecodedFault): string[] {
  const { kind, source, name, cause, hints: shown = [] } = fault;
  if (cause !== undefined) return [cause, ...addressHints(fault), ...shown];
  const usual =
    kind === 'unknown_stream'
      ? UNKNOWN_STREAM_CAUSES
      : source === 'smmuv2-global'
        ? name.split(' ').flatMap((one) => GLOBAL_CAUSES[one] ?? [])
        : (faultKindInfo(kind) ?? (source === 'smmuv3' ? eventNamed(name) : undefined))?.causes;
  const fitting = (usual ?? []).filter(
    (text) => !EXCLUSIONS.some(({ begins, by }) => begins.test(text) && by(fault)),
  );
  const own = kind === 'translation' && (!isWalkable(source) || source === 'm4u') ? [OWN_TABLES] : [];
  return [...shown, ...addressHints(fault), ...kindHints(fault), ...fitting, ...own];
}

const UNKNOWN_STREAM_CAUSES = [
  'the firmware tables (iommus, iommu-map) give the device no StreamID, or not the one that it uses',
  'the device does DMA before its driver attaches it, and bypass of unknown streams is off',
];

/** Global faults of an SMMUv2 by their bits. */
const GLOBAL_CAUSES: Readonly<Record<string, readonly string[]>> = {
  SMCF: [
    'several stream mapping entries match the StreamID: two devices share it, or the masks of two entries overlap',
  ],
  UCBF: ['a stream mapping entry names a context bank that this SMMU does not have'],
  UCIF: ['a context bank asks for an interrupt that this SMMU does not have'],
  ICF: ['a stream mapping entry names a context bank that is not valid for it: Secure, or of the wrong type'],
  CAF: ['a register of the SMMU was accessed in a way that it does not allow'],
  PF: ['a Non-secure access to a resource that is configured as Secure'],
  EF: ['the memory system answered an access of the SMMU itself with an error'],
  UUT: ['the device issues transactions of a kind that this SMMU does not support'],
};

function kindHints(fault: DecodedFault): string[] {
  const { kind, source, ptw, stage, level, access, class: cls, el } = fault;
  const found: string[] = [];
  if (cls === 'cd') found.push("stage 2 does not map the guest's memory that holds its context descriptors");
  if (ptw)
    found.push("stage 2 does not map (or does not let read) the guest's memory that holds its page tables");
  if (kind === 'translation' && stage === 2 && !ptw && cls !== 'cd') {
    found.push(
      "the IPA is not memory of the guest: it is an emulated device's registers, or memory that is not backed yet",
    );
  }
  if (kind === 'permission' && access === 'write' && isOfDevice(source) && source !== 'tegra-mc') {
    found.push('the buffer was mapped read-only for the device (DMA_TO_DEVICE), and the device writes to it');
  }
  if (kind === 'address_size' && level === 0) {
    found.push('the table root itself (TTBR) is above the output size');
  }
  if (kind === 'alignment' && el === 2)
    found.push('an unaligned access by a guest to memory that stage 2 maps as Device');
  return found;
}

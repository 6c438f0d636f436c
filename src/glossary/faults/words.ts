/** A decoded fault in plain words: what happened, what usually causes it, and what to run next. */

import { bitsIn, maskOf } from '../../arch/read.ts';
import { VA } from '../../arch/registers/address.ts';
import { hex } from '../../text/numbers.ts';
import { capitalised } from '../../text/sentence.ts';
import { eventNamed } from '../events.ts';
import { faultKindInfo } from '../fault-kinds.ts';
import { type DecodedFault, isOfDevice, isWalkable } from './decoded-fault.ts';

const ACCESS = { read: 'a read', write: 'a write', execute: 'an instruction fetch' } as const;

/** One paragraph: what happened, and what to know about the report. */
export function faultParagraph(fault: DecodedFault): string {
  return [faultSentence(fault), ...fault.notes.map((note) => `${capitalised(note)}.`)].join(' ');
}

/** What happened, in a sentence or two for people. */
export function faultSentence(fault: DecodedFault): string {
  return [
    headline(fault),
    accessSentence(fault),
    walkSentence(fault),
    streamSentence(fault),
    stallSentence(fault),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** The kind as a noun: `translation fault`, `C_BAD_STE`. */
export function kindTitle({ kind, name }: Pick<DecodedFault, 'kind' | 'name'>): string {
  if (kind === 'unknown_stream') return 'unidentified stream fault';
  return faultKindInfo(kind)?.title ?? (kind === 'none' ? 'no fault' : name);
}

function headline(fault: DecodedFault): string {
  const { kind, name, stage, level } = fault;
  if (kind === 'none') return 'No fault: the translation succeeded, and PAR holds its physical address.';
  if (kind === 'other' && fault.source === 'esr') return `No abort of the MMU: ${name}.`;
  const event = fault.source === 'smmuv3' ? eventNamed(name) : undefined;
  if (event !== undefined && event.kind === undefined) return `${name}: ${event.meaning}`;
  if (kind === 'unknown') return `${capitalised(name)}; the report does not say of which kind.`;
  const where = [
    level === undefined ? '' : `at level ${level}`,
    stage === undefined ? '' : `of stage ${stage}`,
  ];
  const title = kindTitle(fault);
  return `${[capitalised(title), ...where].filter(Boolean).join(' ')}${title === name ? '' : ` (${name})`}.`;
}

function accessSentence({ access, privileged, address, source, kind }: DecodedFault): string {
  if (address === undefined && access === undefined) return '';
  if (kind === 'none') return address === undefined ? '' : `The address asked was ${hex(address)}.`;
  const what = access === undefined ? 'an access' : ACCESS[access];
  const rights = privileged === undefined ? '' : privileged ? ', privileged,' : ', unprivileged,';
  const to = address === undefined ? ' at an address that the report does not give' : ` at ${hex(address)}`;
  return `It was ${what}${isOfDevice(source) ? ' by a device' : ''}${rights}${to}.`;
}

function walkSentence({ ptw, ipa, class: cls, fetchAddress, domain }: DecodedFault): string {
  const parts: string[] = [];
  const at = ipa === undefined ? '' : ` at IPA ${hex(ipa)}`;
  if (cls === 'cd') parts.push(`It happened while the context descriptor${at} was fetched.`);
  else if (ptw)
    parts.push(
      `Not the access itself failed but the fetch of a stage-1 descriptor${at}: stage 2 does not give it.`,
    );
  else if (ipa !== undefined) parts.push(`Stage 1 led to IPA ${hex(ipa)}, which stage 2 refused.`);
  if (fetchAddress !== undefined) parts.push(`The aborted fetch went to PA ${hex(fetchAddress)}.`);
  if (domain !== undefined) parts.push(`The entry is of domain ${domain}.`);
  return parts.join(' ');
}

function streamSentence({ streamId, substreamId, contextBank, device }: DecodedFault): string {
  const parts = [
    streamId === undefined ? '' : `StreamID ${hex(streamId)}`,
    substreamId === undefined ? '' : `SubstreamID ${hex(substreamId)}`,
    contextBank === undefined ? '' : `context bank ${contextBank}`,
    device === undefined ? '' : `device ${device}`,
  ].filter(Boolean);
  return parts.length ? `From ${parts.join(', ')}.` : '';
}

function stallSentence({ stalled }: DecodedFault): string {
  return stalled ? 'The transaction is stalled and waits for software.' : '';
}

/** What usually causes it, the likeliest first: what this report hints at, then what is usual for its kind. */
export function causesOf(fault: DecodedFault): string[] {
  const { kind, source, name } = fault;
  const usual =
    kind === 'unknown_stream'
      ? UNKNOWN_STREAM_CAUSES
      : (faultKindInfo(kind) ?? (source === 'smmuv3' ? eventNamed(name) : undefined))?.causes;
  return [...hints(fault), ...(usual ?? [])];
}

const UNKNOWN_STREAM_CAUSES = [
  'the firmware tables (iommus, iommu-map) give the device another StreamID than it uses, or none',
  'the device does DMA before its driver attaches it, with the bypass of unknown streams off',
];

/** What to look at, the most useful first: a sentence each. */
export function checksOf({ kind, source, name }: DecodedFault): readonly string[] {
  return (faultKindInfo(kind) ?? (source === 'smmuv3' ? eventNamed(name) : undefined))?.checks ?? [];
}

const NULL_PAGES = 0x1_0000n;
/** Whether an address may be in the range of either TTBR, of 48 bits each. */
const isCanonical = (address: bigint) => {
  const above = bitsIn(address, VA.fields.above48);
  return above === 0n || above === maskOf(VA.fields.above48);
};

function hints(fault: DecodedFault): string[] {
  const { kind, address, source, ptw, stage, level, access, class: cls } = fault;
  const device = isOfDevice(source);
  const found: string[] = [];
  if (cls === 'cd') found.push("stage 2 does not map the guest's memory that holds its context descriptors");
  if (ptw)
    found.push("stage 2 does not map (or does not let read) the guest's memory that holds its page tables");
  if (kind === 'translation' && address !== undefined) {
    if (address < NULL_PAGES) {
      found.push(
        device
          ? `the device was given address ${hex(address)}: a descriptor ring that was never filled, or DMA before setup`
          : `a null pointer: ${hex(address)} is ${address === 0n ? 'NULL itself' : 'a member of a structure at NULL'}`,
      );
    } else if (!isCanonical(address)) {
      found.push(
        'bits [63:48] are neither all zeros nor all ones: the address is in the range of no TTBR, or carries a tag with TBI off',
      );
    }
  }
  if (kind === 'translation' && stage === 2 && !ptw && cls !== 'cd') {
    found.push(
      "the IPA is no memory of the guest: an emulated device's registers, or memory that is not backed yet",
    );
  }
  if (kind === 'permission' && access === 'write' && device) {
    found.push(
      'the buffer was mapped for reading by the device alone (DMA_TO_DEVICE), and the device writes to it',
    );
  }
  if (kind === 'address_size' && level === 0) {
    found.push('the table root itself (TTBR) is above the output size');
  }
  return found;
}

/** Commands to run next. `FILE` stands for tables in a file that `lpae walk` reads. */
export function nextSteps(fault: DecodedFault): string[] {
  const { address, access, privileged, streamId, substreamId, source, kind, descriptor, level, short } =
    fault;
  const steps: string[] = [];
  const walkable = isWalkable(source) && kind !== 'none' && kind !== 'other' && !kind.startsWith('c_');
  if (address !== undefined && walkable) {
    const options = [
      access === undefined ? '' : `--access ${access}`,
      privileged === false ? '--unprivileged' : '',
      streamId === undefined || source !== 'smmuv3' ? '' : `--sid ${hex(streamId)}`,
      substreamId === undefined || source !== 'smmuv3' ? '' : `--ssid ${hex(substreamId)}`,
    ];
    steps.push(['lpae walk FILE', hex(address), ...options].filter(Boolean).join(' '));
  }
  if (descriptor !== undefined) {
    const at = level === undefined || short ? '' : ` --stage 1 --level ${level}`;
    steps.push(`lpae decode ${hex(descriptor)}${at}`);
  }
  const topic = explainTopic(fault);
  if (topic !== undefined) steps.push(`lpae explain ${topic}`);
  return steps;
}

/** The name under which `lpae explain` knows the fault. */
function explainTopic({ kind, name, source }: DecodedFault): string | undefined {
  if (source === 'smmuv3') return eventNamed(name) === undefined ? undefined : name;
  const info = faultKindInfo(kind);
  return info === undefined ? undefined : `'${info.title}'`;
}

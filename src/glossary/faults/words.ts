/** Describes a decoded fault in words: what happened, what usually causes it, and what to run next. */

import { fieldsOf } from '../../arch/field.ts';
import { SMMU_GFSR } from '../../arch/smmu/index.ts';
import { hex, hexWord } from '../../text/numbers.ts';
import { capitalised } from '../../text/sentence.ts';
import { eventNamed } from '../events.ts';
import { faultKindInfo } from '../fault-kinds.ts';
import { type DecodedFault, isOfDevice, isWalkable } from './decoded-fault.ts';
import { lastEntry } from './printed-walk.ts';

export { causesOf } from './causes.ts';

const ACCESS = { read: 'a read', write: 'a write', execute: 'an instruction fetch' } as const;

/** One paragraph: what happened, and notes on the report. */
export function faultParagraph(fault: DecodedFault): string {
  return [faultSentence(fault), ...fault.notes.map((note) => `${capitalised(note)}.`)].join(' ');
}

/** What happened, in a sentence or two. */
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
  const { kind, name, stage, level, source } = fault;
  if (kind === 'none') return 'No fault: the translation succeeded, and PAR holds its physical address.';
  if (kind === 'other' && source === 'esr') return `No abort of the MMU: ${name}.`;
  const event = source === 'smmuv3' ? eventNamed(name) : undefined;
  if (event !== undefined && event.kind === undefined) return `${name}: ${event.meaning}`;
  if (source === 'smmuv2-global' && kind === 'other') return globalHeadline(fault);
  if (kind === 'other' && source === 'smmuv3-global') return `Global error of the SMMU: ${name}.`;
  if (kind === 'unknown') return `${capitalised(name)}; the report does not say which kind.`;
  const where = [
    level === undefined ? '' : `at level ${level}`,
    stage === undefined ? '' : `of stage ${stage}`,
  ];
  const title = kindTitle(fault);
  return `${[capitalised(title), ...where].filter(Boolean).join(' ')}${title === name ? '' : ` (${name})`}.`;
}

/** Names the set bits of sGFSR. */
function globalHeadline({ name }: DecodedFault): string {
  const fields = fieldsOf(SMMU_GFSR);
  const said = name.split(' ').map((one) => {
    const field = fields.find((found) => found.name === one);
    return field === undefined ? one : `${one}: ${field.meaning}`;
  });
  return `Global fault of the SMMU: ${said.join('; ')}.`;
}

function accessSentence(fault: DecodedFault): string {
  const { access, privileged, address, source, kind, ipa, pa } = fault;
  if (address === undefined && access === undefined) return '';
  if (address === undefined && (ipa ?? pa) !== undefined) {
    const to = ipa === undefined ? `PA ${hex(pa!)}` : `IPA ${hex(ipa)}`;
    return `It was ${access === undefined ? 'an access' : ACCESS[access]} of ${to}.`;
  }
  if (kind === 'none') return address === undefined ? '' : `The translated address was ${hex(address)}.`;
  const what = access === undefined ? 'an access' : ACCESS[access];
  const rights = privileged === undefined ? '' : privileged ? ', privileged,' : ', unprivileged,';
  const to = address === undefined ? ' at an address that the report does not give' : ` at ${hex(address)}`;
  return `It was ${what}${isOfDevice(source) ? ' by a device' : ''}${rights}${to}.`;
}

function walkSentence({
  ptw,
  ipa,
  address,
  class: cls,
  fetchAddress,
  domain,
  kind,
  pa,
  access,
}: DecodedFault): string {
  const parts: string[] = [];
  if (pa !== undefined && kind === 'none') parts.push(`The physical address is ${hex(pa)}.`);
  else if (pa !== undefined && access === undefined) parts.push(`It was at PA ${hex(pa)}.`);
  const at = ipa === undefined ? '' : ` at IPA ${hex(ipa)}`;
  if (cls === 'cd') parts.push(`It happened while the context descriptor${at} was fetched.`);
  else if (ptw)
    parts.push(
      `It was not the access itself that failed, but the fetch of a stage-1 descriptor${at}: stage 2 does not allow it.`,
    );
  else if (ipa !== undefined && address !== undefined && address !== ipa)
    parts.push(`Stage 1 gave IPA ${hex(ipa)}, which stage 2 refused.`);
  else if (ipa !== undefined && address === ipa) parts.push(`Stage 2 refused IPA ${hex(ipa)}.`);
  if (fetchAddress !== undefined) parts.push(`The aborted fetch went to PA ${hex(fetchAddress)}.`);
  if (domain !== undefined) parts.push(`The entry belongs to domain ${domain}.`);
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
  return stalled ? 'The transaction is stalled until software resumes it.' : '';
}

/** What to look at, the most useful first, each in a sentence. */
export function checksOf({ kind, source, name }: DecodedFault): readonly string[] {
  return (faultKindInfo(kind) ?? (source === 'smmuv3' ? eventNamed(name) : undefined))?.checks ?? [];
}

/** Commands to run next. `FILE` stands for tables in a file that `lpae walk` reads. */
export function nextSteps(fault: DecodedFault): string[] {
  const { address, access, privileged, streamId, substreamId, source, kind } = fault;
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
  const decode = decodeStep(fault);
  if (decode !== undefined) steps.push(decode);
  const topic = explainTopic(fault);
  if (topic !== undefined) steps.push(`lpae explain ${topic}`);
  return steps;
}

/** Decodes the last descriptor of the printed walk, with everything that the log says about its place. */
function decodeStep({ descriptor, level, short, printed }: DecodedFault): string | undefined {
  if (descriptor === undefined || printed?.format === 'own') return undefined;
  if (printed?.format === 'short' || short) return `lpae decode ${hex(descriptor, 8)} --format arm_v7s`;
  const at = lastEntry(printed)?.level ?? level;
  const options = [
    `lpae decode ${hexWord(descriptor)}`,
    at === undefined ? '' : `--stage ${printed?.stage ?? 1} --level ${at}`,
    printed?.granule === undefined ? '' : `--granule ${printed.granule}`,
  ];
  return options.filter(Boolean).join(' ');
}

/** The name under which `lpae explain` knows the fault. */
function explainTopic({ kind, name, source }: DecodedFault): string | undefined {
  if (source === 'smmuv3') return eventNamed(name) === undefined ? undefined : name;
  const info = faultKindInfo(kind);
  return info === undefined ? undefined : `'${info.title}'`;
}

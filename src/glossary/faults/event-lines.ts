/** SMMUv3 events in a log: as the words of a record, or as text from Linux's driver. (IHI 0070 7.3.) */
import { isSetIn, joined, maskOf, readIn } from '../../arch/read.ts';
import { EVENT, IMPLEMENTATION_DEFINED_EVENTS } from '../../arch/smmu/index.ts';
import { hex } from '../../text/numbers.ts';
import { eventNamed, eventNumbered } from '../events.ts';
import type { DecodedFault } from './decoded-fault.ts';
import { decodeEvent, eventKind } from './from-smmu.ts';
import type { View } from './patterns.ts';
import { messageOf } from './text/prefix.ts';

export type EventWords = readonly [bigint, bigint, bigint, bigint];

/** The first line of Linux's dump of a record. Four lines with one word each follow. */
export const EVENT_HEAD = /\bevent (0x[0-9a-f]+) received:/i;
/** A blank inside the word is damage. */
const WORD_LINE = /(?:^|[\s:])0x([0-9a-f]{8}) ?([0-9a-f]{8})\s*$/i;
/** What may come before the word: nothing, or the names of a driver and a device. */
const BEFORE_WORD = /^\s*(?:[\w@/.-]{1,64}:\s*)?$|smmu[^=]{0,80}$/i;

/** The word at the end of a line of such a dump. */
export function wordOf(line: string): bigint | undefined {
  const message = messageOf(line);
  const match = WORD_LINE.exec(message);
  if (!match) return undefined;
  return BEFORE_WORD.test(message.slice(0, match.index)) ? BigInt(`0x${match[1]!}${match[2]!}`) : undefined;
}

const WORDS_64 = /(?:^|[\s:=[(])((?:0x)?[0-9a-f]{16}(?:[\s,]+(?:0x)?[0-9a-f]{16}){3})[\s\])]*$/i;
const WORDS_32 = /(?:^|[\s:=[(])((?:0x)?[0-9a-f]{8}(?:[\s,]+(?:0x)?[0-9a-f]{8}){7})[\s\])]*$/i;
const WORDS_ALONE = /^\s*(0x[0-9a-f]{1,16}(?:[\s,]+0x[0-9a-f]{1,16}){3})\s*$/i;
/** What must come before the words, if anything does. */
const OWNER = /\bev(?:en)?t\b|\bevtq?\b|smmu/i;
/** Words of a memory dump, with or without an offset in front. */
const DUMP =
  /^\s*(?:(?:0x)?[0-9a-f]{2,16}:?\s+)?(?:0x)?(?:[0-9a-f]{16}|[0-9a-f]{8})(?:[\s,]{1,4}(?:0x)?(?:[0-9a-f]{16}|[0-9a-f]{8})\b)+(?:\s.{0,40})?$/i;

/**
 * A whole record in one line: four 64-bit words or eight 32-bit ones. In front is the name of an event or SMMU; or nothing, both
 * there and in the lines above and below, and then every bit that the event does not define must be 0.
 */
export function recordOf(lines: readonly string[], at: number): EventWords | undefined {
  const found = wordsOf(lines[at]!);
  if (found === undefined) return undefined;
  const { words, before } = found;
  const number = readIn(words, EVENT.fields.Number);
  const info = eventNumbered(number);
  const { first, last } = IMPLEMENTATION_DEFINED_EVENTS;
  if (isSetIn(words, EVENT.fields.RES0)) return undefined;
  if (OWNER.test(before))
    return info !== undefined || (number >= first && number <= last) ? words : undefined;
  if (messageOf(before).trim() !== '' || info === undefined) return undefined;
  const isBare = (other: readonly bigint[]) =>
    (joined(other) & ~info.record.fields.reduce((mask, field) => mask | maskOf(field), 0n)) === 0n;
  const near = [lines[at - 1], lines[at + 1]];
  return isBare(words) && !near.some((line) => line !== undefined && DUMP.test(messageOf(line)))
    ? words
    : undefined;
}

function wordsOf(line: string): { words: EventWords; before: string } | undefined {
  const wide = WORDS_64.exec(line) ?? WORDS_ALONE.exec(line);
  const narrow = wide === null ? WORDS_32.exec(line) : null;
  const match = wide ?? narrow;
  if (match === null) return undefined;
  const digits = match[1]!.split(/[\s,]+/).map((text) => text.toLowerCase().replace(/^0x/, ''));
  // With 32-bit words the lower half comes first, with eight digits each.
  const at = (i: number) => BigInt(`0x${narrow === null ? digits[i]! : digits[2 * i + 1]! + digits[2 * i]!}`);
  return { words: [at(0), at(1), at(2), at(3)], before: line.slice(0, match.index).replace(/[[(]\s*$/, '') };
}

const EVENT_TEXT =
  /\bevent: ([CEF]_[A-Z_]+) client: (.+?) sid: (0x[0-9a-f]+|0)(?: ssid: (0x[0-9a-f]+|0))?(.*)$/i;
const ACCESS_TEXT =
  /\b(unpriv|priv) (inst|data) (read|write) s([12]) "(CD fetch|Stage 1 translation table fetch|Input address caused fault)"(.*)$/i;
const CLASS_OF = { c: 'cd', s: 'tt', i: 'in' } as const;

/** Linux's `event: F_TRANSLATION client: … sid: …`: the facts in that line. */
export function eventTextOf({ text, own }: View): DecodedFault | undefined {
  const match = EVENT_TEXT.exec(text);
  if (match !== null && match.index >= own) return undefined;
  const event = match ? eventNamed(match[1]!) : undefined;
  if (!match || event === undefined) return undefined;
  const number = (name: string) => {
    const rest = match[5]!.split(/\bevent: /i)[0]!;
    const value = new RegExp(String.raw`\b${name}: (0x[0-9a-f]+|0)\b`, 'i').exec(rest);
    return value ? BigInt(value[1]!) : undefined;
  };
  const substream = Number(match[4] ?? 0);
  const ipa = number('ipa');
  return {
    source: 'smmuv3',
    kind: eventKind(event.name, event.kind),
    name: event.name,
    address: number('iova'),
    ipa: ipa === 0n ? undefined : ipa,
    fetchAddress: number('fetch_addr'),
    streamId: Number(match[3]),
    // The driver prints 0 if there is none.
    substreamId: substream === 0 ? undefined : substream,
    device: match[2]!.startsWith('(') ? undefined : match[2]!,
    registers: [],
    notes: [],
  };
}

/** The line after it: `unpriv data write s1 "Input address caused fault" stag: 0x0`. */
export function accessTextOf({ text, own }: View): Partial<DecodedFault> | undefined {
  const match = ACCESS_TEXT.exec(text);
  if (!match || match.index >= own) return undefined;
  const [, rights, what, way, stage, cls, rest] = match;
  const faultClass = CLASS_OF[cls![0]!.toLowerCase() as keyof typeof CLASS_OF];
  return {
    stage: stage === '2' ? 2 : 1,
    access: what === 'inst' ? 'execute' : way === 'read' ? 'read' : 'write',
    privileged: rights === 'priv',
    class: faultClass,
    ptw: stage === '2' && faultClass === 'tt' ? true : undefined,
    stalled: / stall\b/.test(rest!),
  };
}

/** Whether text and record describe one event, since the driver prints both. */
export function sameEvent(a: DecodedFault, b: DecodedFault): boolean {
  return a.name === b.name && a.streamId === b.streamId && (a.address ?? 0n) === (b.address ?? 0n);
}

/** Reads the first words of a record: lines of a log get lost, and some kernels print fewer words. @param found - its first words, at least two. */
export function partialRecord(found: readonly bigint[]): DecodedFault {
  const [a = 0n, b = 0n, c = 0n, d = 0n] = found;
  const fault = decodeEvent([a, b, c, d]);
  const missing = WORDS - found.length;
  if (missing <= 0) return fault;
  return {
    ...fault,
    ipa: undefined,
    fetchAddress: undefined,
    ...(missing > 1 && { address: undefined }),
    notes: [...fault.notes, `only ${found.length} of the record's ${WORDS} words are known`],
  };
}

/** An event whose head names another number than the words below it, so that only the head counts. */
export function eventAlone(number: number): DecodedFault {
  const info = eventNumbered(number);
  return {
    source: 'smmuv3',
    kind: eventKind(info?.name, info?.kind),
    name: info?.name ?? `event ${hex(number, 2)}`,
    registers: [],
    notes: ['the words below the head are those of another event, or damaged: they are not read'],
  };
}

/** Number of 64-bit words in a record. */
const WORDS = 4;

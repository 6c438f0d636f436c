/**
 * The state of the page as text behind `#` in its address: readable, short, and with a version, so that a link keeps its meaning.
 * A map request instead of the playground's question is JSON in base64url. What is new has names of its own, so old links keep working.
 * `#v=1&cpu=64K&granule=4K&sizes=blocks&stage=s1&means=exact&iova=10000000&sg=900000000*10000.940000000*200000&view=map`
 */
import { SG_SEMANTICS } from '../iommu/sg-semantics.ts';
import { GRANULES, OFFERED } from '../study/combinations.ts';
import { sizeText } from '../text/numbers.ts';
import type { Playground } from './playground.ts';
import { PRESETS } from './presets.ts';

/** What is looked at. */
export const VIEWS = ['map', 'words', 'walk', 'time', 'open'] as const;
export type View = (typeof VIEWS)[number];

/** A bit of a descriptor that was flipped by hand. */
export interface Flip {
  readonly pa: bigint;
  readonly bit: number;
}

/** An access to walk. */
export interface Asked {
  readonly va: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly privileged: boolean;
}

/** All that a link says. */
export interface PageState {
  readonly playground: Playground;
  /** A map request as JSON text, which is asked instead. */
  readonly request?: string;
  /** How many of the operations are carried out. Default: all. */
  readonly step?: number;
  readonly view: View;
  /** The descriptor that is looked at, by its address. */
  readonly at?: bigint;
  readonly flips: readonly Flip[];
  readonly walk?: Asked;
}

/** A link that can't be understood: which part, and what would work. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

const VERSION = '1';
const STAGES = ['s1', 's2'] as const;
const ACCESSES = ['read', 'write', 'execute'] as const;
/** More entries than this make links that programs cut off. */
export const MOST_ENTRIES = 4096;
/** So do requests of more characters. */
export const MOST_REQUEST = 48 * 1024;
/** More operations than any request has. */
const MOST_STEPS = 1e6;

/** The text behind `#`. */
export function linkOf({ playground, request, step, view, at, flips, walk }: PageState): string {
  const asked: [string, string][] =
    request === undefined ? questionOf(playground) : [['request', base64url(request)]];
  const members: [string, string][] = [['v', VERSION], ...asked, ['view', view]];
  if (step !== undefined) members.push(['step', String(step)]);
  if (at !== undefined) members.push(['at', at.toString(16)]);
  if (flips.length > 0)
    members.push(['flips', flips.map(({ pa, bit }) => `${pa.toString(16)}*${bit}`).join('.')]);
  if (walk)
    members.push(['walk', `${walk.va.toString(16)}*${walk.access}*${walk.privileged ? 'el1' : 'el0'}`]);
  return members.map(([name, value]) => `${name}=${value}`).join('&');
}

function questionOf({ cpuPage, granule, sizes, stage, semantics, iova, sg }: Playground): [string, string][] {
  return [
    ['cpu', sizeText(cpuPage)],
    ['granule', sizeText(granule)],
    ['sizes', sizes],
    ['stage', stage],
    ['means', semantics],
    ['iova', iova.toString(16)],
    ['sg', sg.map(({ phys, length }) => `${phys.toString(16)}*${length.toString(16)}`).join('.')],
  ];
}

/** @throws LinkError for a link that is damaged, or of a version that this program does not know. */
export function stateOf(link: string): PageState {
  const members = new Map<string, string>();
  for (const part of link.replace(/^#/, '').split('&')) {
    const [name = '', value, ...rest] = part.split('=');
    if (value === undefined || rest.length > 0)
      throw new LinkError(`${part || 'the link'} must be name=value`);
    if (members.has(name)) throw new LinkError(`${name} is in the link twice`);
    members.set(name, value);
  }
  const take = (name: string) => {
    const value = members.get(name);
    members.delete(name);
    return value;
  };
  const need = (name: string) => take(name) ?? missing(name);
  const version = need('v');
  if (version !== VERSION)
    throw new LinkError(`v=${version}: this program knows links of version ${VERSION}`);
  const request = take('request');
  const playground = request === undefined ? playgroundIn(need) : PRESETS[0]!.playground;
  const view = oneOf('view', take('view') ?? 'map', VIEWS);
  const at = take('at');
  const flips = listOf('flips', take('flips') ?? '', (pa, bit) => ({
    pa: hexOf('flips', pa),
    bit: bitOf(bit),
  }));
  const walk = take('walk');
  const step = take('step');
  const [unknown] = members.keys();
  if (unknown !== undefined) throw new LinkError(`${unknown} is not part of a link of version ${VERSION}`);
  return {
    playground,
    ...(request !== undefined && { request: requestIn(request) }),
    ...(step !== undefined && { step: stepIn(step) }),
    view,
    ...(at !== undefined && { at: hexOf('at', at) }),
    flips,
    ...(walk !== undefined && { walk: askedOf(walk) }),
  };
}

function playgroundIn(need: (name: string) => string): Playground {
  return {
    cpuPage: sizeOf('cpu', need('cpu')),
    granule: sizeOf('granule', need('granule')),
    sizes: oneOf('sizes', need('sizes'), OFFERED),
    stage: oneOf('stage', need('stage'), STAGES),
    semantics: oneOf('means', need('means'), SG_SEMANTICS),
    iova: hexOf('iova', need('iova')),
    sg: listOf('sg', need('sg'), (phys, length) => ({
      phys: hexOf('sg', phys),
      length: hexOf('sg', length),
    })),
  };
}

function missing(name: string): never {
  throw new LinkError(`the link has no ${name}`);
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new LinkError(`${name}=${value}: must be one of ${known.join(', ')}`);
  return found;
}

function sizeOf(name: string, value: string): (typeof GRANULES)[number] {
  const size = GRANULES.find((one) => sizeText(one) === value);
  if (size === undefined)
    throw new LinkError(`${name}=${value}: must be one of ${GRANULES.map(sizeText).join(', ')}`);
  return size;
}

function hexOf(name: string, value: string): bigint {
  if (!/^[0-9a-f]{1,16}$/i.test(value)) {
    throw new LinkError(`${name}: ${value || 'nothing'} is not a number of at most 16 hexadecimal digits`);
  }
  return BigInt(`0x${value}`);
}

function bitOf(value: string): number {
  const bit = Number(value);
  if (!/^\d{1,2}$/.test(value) || bit > 63) throw new LinkError(`flips: ${value} is not a bit from 0 to 63`);
  return bit;
}

/** `a*b.c*d`, or nothing. */
function listOf<T>(name: string, value: string, make: (a: string, b: string) => T): T[] {
  if (value === '') return [];
  const parts = value.split('.');
  if (parts.length > MOST_ENTRIES) {
    throw new LinkError(`${name} has ${parts.length} entries; a link holds at most ${MOST_ENTRIES}`);
  }
  return parts.map((part) => {
    const [a, b, ...rest] = part.split('*');
    if (a === undefined || b === undefined || rest.length > 0) {
      throw new LinkError(`${name}: ${part} must be two numbers with * between them`);
    }
    return make(a, b);
  });
}

function askedOf(value: string): Asked {
  const [va = '', access = '', level = '', ...rest] = value.split('*');
  if (rest.length > 0) throw new LinkError(`walk=${value}: must be address*access*level`);
  return {
    va: hexOf('walk', va),
    access: oneOf('walk', access, ACCESSES),
    privileged: oneOf('walk', level, ['el0', 'el1'] as const) === 'el1',
  };
}

/** The request as text again. What it says is not looked at here. */
function requestIn(value: string): string {
  try {
    if (!/^[\w-]*$/.test(value)) throw new Error('is not base64url');
    const bytes = Uint8Array.from(atob(value.replaceAll('-', '+').replaceAll('_', '/')), (one) =>
      one.charCodeAt(0),
    );
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new LinkError('request is not text in base64url');
  }
}

function base64url(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte));
  return btoa(bytes.join('')).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function stepIn(value: string): number {
  const step = Number(value);
  if (!/^\d{1,7}$/.test(value) || step > MOST_STEPS)
    throw new LinkError(`step=${value} is not a number of operations`);
  return step;
}

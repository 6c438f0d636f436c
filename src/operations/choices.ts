/**
 * How a file says what versions of Linux do differently, declared once for map requests and golden files: a version by `linux`,
 * or each choice by itself. The choices are in `config`; `linux` and `partial_unmap` may be beside it instead.
 */
import * as v from 'valibot';
import type { DomainOptions } from '../iommu/domain-options.ts';
import { maybe, present } from '../json/schemas.ts';
import { FEATURES, type FormatRequest, REGISTER_OPTIONS, type RegisterOption } from '../pagetable/format.ts';
import { CONCATENATIONS, LINUX_VERSIONS } from '../pagetable/linux.ts';
import { PARTIAL_UNMAP } from '../pagetable/partial-unmap.ts';

/** Members that may appear beside `config`. */
export const choicesBeside = {
  linux: maybe(v.picklist(LINUX_VERSIONS)),
  partial_unmap: maybe(v.picklist(PARTIAL_UNMAP)),
};

/** Members of `config`. */
export const choicesInConfig = {
  ...choicesBeside,
  concatenation: maybe(v.picklist(CONCATENATIONS)),
  features: maybe(v.array(v.picklist(FEATURES))),
};

const REGISTERS = Object.keys(REGISTER_OPTIONS) as RegisterOption[];

/** Members of `config` that are register values, as a kind of file spells them. */
export function registersInConfig<A extends v.GenericSchema<unknown, bigint>>(word: A) {
  return v.entriesFromList(REGISTERS, maybe(word));
}

type Beside = { readonly [K in keyof typeof choicesBeside]: v.InferOutput<(typeof choicesBeside)[K]> };

/** A file's `config` after it was parsed: sizes and addresses are bigints, numbers of bits are numbers. */
export interface ConfigMembers extends Beside, Readonly<Partial<Record<RegisterOption, bigint | undefined>>> {
  readonly pgsize_bitmap: bigint;
  readonly ias: number;
  readonly oas: number;
  readonly coherent_walk?: boolean | undefined;
  readonly quirks?: FormatRequest['quirks'] | undefined;
  readonly features?: FormatRequest['features'] | undefined;
  readonly concatenation?: FormatRequest['concatenation'] | undefined;
  readonly mair?: bigint | undefined;
  readonly granule?: bigint | undefined;
  readonly regime?: FormatRequest['regime'];
}

/** The members of a config that a format takes. */
export function requestIn(config: ConfigMembers, { linux }: Partial<Beside> = {}): FormatRequest {
  const { pgsize_bitmap: pgsizeBitmap, ias, oas, coherent_walk: coherentWalk } = config;
  const { quirks, features, concatenation, mair, granule, regime } = config;
  const chosen = {
    coherentWalk,
    quirks,
    features,
    concatenation,
    mair,
    granule,
    regime,
    ...Object.fromEntries(REGISTERS.map((name) => [name, config[name]])),
    linux: config.linux ?? linux,
  };
  return { pgsizeBitmap, ias, oas, ...present(chosen) };
}

/** The members, of a config or beside it, that a domain takes. */
export function optionsIn(config: ConfigMembers, beside: Partial<Beside>): DomainOptions {
  const partialUnmap = config.partial_unmap ?? beside.partial_unmap;
  return { ...requestIn(config, beside), ...present({ partialUnmap }) };
}

/** The error message if a choice is in both places with different values. */
export function contradiction(config: Partial<Beside>, beside: Partial<Beside>): string | undefined {
  for (const name of Object.keys(choicesBeside) as (keyof Beside)[]) {
    const [inside, outside] = [config[name], beside[name]];
    if (inside !== undefined && outside !== undefined && inside !== outside) {
      return `${name} is ${outside}, but config.${name} is ${inside}: give one of them`;
    }
  }
  return undefined;
}

/** Building blocks of the JSON of SMMUv3 traces: words, registers, outcomes. (IHI 0070 G.b, 6.2, 7.3.) */
import * as v from 'valibot';
import { EVENTS, type EventName, SMMU_REGISTERS, type SmmuRegisterName } from '../arch/smmu/index.ts';
import { isObject, isSaid, maybe, members, oneShapeOf, whole } from '../json/schemas.ts';
import { nearest } from '../memory/near-names.ts';
import { TRACE_CACHES } from '../smmu/trace.ts';

const HEX = 'must be a "0x…" string of at most 64 bits';

/** `"0x…"` to a bigint of at most 64 bits. */
export const word = v.pipe(
  v.string(HEX),
  v.regex(/^0x[0-9a-fA-F]{1,16}$/, HEX),
  v.description('a number of at most 64 bits in hexadecimal'),
  v.transform((text) => BigInt(text)),
);

/** An address of a 64-bit word. */
export const wordAddress = v.pipe(
  word,
  v.check((pa) => (pa & 7n) === 0n, 'must be a multiple of 8, the address of a 64-bit word'),
);

/** Text for readers. Other JSON is allowed, and ignored. */
export const information = maybe(v.unknown());

/** The number of a step, from 0 on. */
export const stepNumber = whole(0, 0xffff_ffff);

const REGISTER_NAMES = Object.keys(SMMU_REGISTERS) as SmmuRegisterName[];
const HALVES = new Map([
  ['[31:0]', 'low'],
  ['[63:32]', 'high'],
] as const);

/** A register's name, with or without `SMMU_`; half of a 64-bit register is `CMDQ_BASE[31:0]` or `CMDQ_BASE[63:32]`. */
export const registerName = v.pipe(
  v.string(),
  v.description('a Non-secure register by its name in IHI 0070 6.2, with or without SMMU_'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const read = readRegister(dataset.value);
    if (typeof read !== 'string') return read;
    addIssue({ message: read });
    return NEVER;
  }),
);

function readRegister(text: string) {
  const [, plain = '', part] = /^(?:SMMU_)?(.*?)(\[.*\])?$/.exec(text) ?? [];
  if (!Object.hasOwn(SMMU_REGISTERS, plain)) return noRegister(text, plain);
  const register = plain as SmmuRegisterName;
  if (part === undefined) return { register };
  const half = HALVES.get(part as '[31:0]');
  if (half === undefined || SMMU_REGISTERS[register].bits === 32) {
    return `${register} has ${SMMU_REGISTERS[register].bits} bits: halves are [31:0] and [63:32] of a 64-bit register (IHI 0070 6.2)`;
  }
  return { register, half };
}

function noRegister(text: string, plain: string): string {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  if (/^(S|R|ROOT)_/.test(plain)) {
    return `${shown} is not a register of the Non-secure programming interface, the only one that a trace knows (IHI 0070 6.2.1)`;
  }
  const near = nearest(plain, REGISTER_NAMES);
  const hint = near === undefined ? `known are ${REGISTER_NAMES.join(', ')}` : `did you mean ${near}?`;
  return `${shown} is not a Non-secure register of an SMMUv3 (IHI 0070 6.2.1); ${hint}`;
}

const by = maybe(v.array(v.picklist(TRACE_CACHES)));
const bit = maybe(v.picklist([0, 1]));
const yes = maybe(v.literal(true));

const translated = { pa: word };
const faulted = {
  fault: v.picklist(Object.keys(EVENTS) as EventName[]),
  s2: bit,
  class: maybe(v.picklist(['in', 'tt', 'cd'])),
  recorded: maybe(v.boolean()),
  stall: yes,
};
const aborted = { abort: v.literal(true) };
const completed = { raz_wi: v.literal(true) };
const denied = { denied: v.literal(true) };

/** A shape is chosen by the member that only it has. */
function outcomes<T extends v.ObjectEntries>(also: T) {
  const shapes = [
    members({ ...translated, ...also }),
    members({ ...faulted, ...also }),
    members({ ...aborted, ...also }),
    members({ ...completed, ...also }),
    members({ ...denied, ...also }),
  ] as const;
  const [pa, fault, abort, done, none] = shapes;
  return oneShapeOf(
    [pa, fault, abort, done, none],
    (json) => {
      if (!isObject(json)) return undefined;
      if (isSaid(json.pa)) return pa;
      if (isSaid(json.fault)) return fault;
      if (isSaid(json.raz_wi)) return done;
      if (isSaid(json.denied)) return none;
      return isSaid(json.abort) ? abort : undefined;
    },
    'must be an outcome: an object with pa, fault, abort, raz_wi or denied',
  );
}

/** A permitted outcome. */
export const permitted = outcomes({ by, note: information });

/** What a producer saw. */
export const observed = outcomes({
  event: maybe(v.array(word)),
  data: maybe(word),
  bypass: maybe(v.boolean()),
  note: information,
});

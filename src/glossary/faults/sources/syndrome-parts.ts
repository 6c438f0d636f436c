/**
 * Syndromes that are printed in parts: class and ISS, each by its name (RT-Thread, Circle, Jailhouse's kin), or ISS alone (Little Kernel).
 * (DDI 0487 D24.2.45.)
 */
import { place } from '../../../arch/read.ts';
import { ABORT_CLASSES, ESR } from '../../../arch/registers/fault.ts';
import { type Form, numberOf } from '../forms.ts';
import { decodeEsr } from '../from-esr.ts';
import { kindInWords, ORDINALS } from './words.ts';

/** An ESR from its class and syndrome; aborts have IL = 1. */
export function esrOf(ec: number, iss: bigint, il = true): bigint {
  const { EC, IL, ISS } = ESR.fields;
  return place(EC, ec) | place(IL, il) | place(ISS, iss);
}

const LEVELS = Object.keys(ORDINALS).join('|');

export const PART_FORMS: readonly Form[] = [
  {
    // RT-Thread: esr.EC :0x25, esr.IL :0x01, esr.ISS:0x00000046. Circle: EC 0x25, ISS 0x46, FAR 0x10.
    source: 'esr',
    pattern:
      /(?<![\w-])(?:esr\.)?EC\s*[:=]?\s*0x(?<ec>[0-9a-f]{1,2})\b,?\s+(?:(?:esr\.)?IL\s*[:=]?\s*0x(?<il>0?[01]),?\s+)?(?:esr\.)?ISS\s*[:=]?\s*0x(?<iss>[0-9a-f]{1,8})\b(?:,? FAR 0x(?<at>[0-9a-f]{1,16})\b)?/i,
    read: ({ ec, il, iss, at }) => {
      const [number, syndrome] = [Number(numberOf(ec!)), numberOf(iss!)];
      if (number > MOST_CLASSES || syndrome >> ISS_BITS !== 0n) return undefined;
      return decodeEsr(esrOf(number, syndrome, il === undefined || numberOf(il) === 1n), {
        far: at === undefined ? undefined : numberOf(at),
      });
    },
  },
  {
    // Little Kernel on arm64, which reports only data aborts in this way.
    source: 'esr',
    pattern:
      /\bdata fault: PC at 0x[0-9a-f]{1,16}, FAR 0x(?<at>[0-9a-f]{1,16}), iss 0x(?<iss>[0-9a-f]{1,8})\b/i,
    read: ({ at, iss }) => ({
      ...decodeEsr(esrOf(ABORT_CLASSES.data, numberOf(iss!)), { far: numberOf(at!) }),
      privileged: undefined,
      notes: [`only the ISS is printed, 0x${iss!}; the class is that of a data abort`],
    }),
  },
  {
    // RT-Thread, if the lines with the parts are missing.
    source: 'text',
    pattern: new RegExp(
      String.raw`\bfault addr = 0x(?<at>[0-9a-f]{1,16})\s+abort caused by (?<way>read|write) instruction\s+(?<why>[A-Z][\w -]{3,60}?), (?<level>${LEVELS}) level\b`,
      'i',
    ),
    read: ({ way, why = '', level }) => {
      const kind = kindInWords(why);
      return kind === undefined
        ? undefined
        : {
            kind,
            name: why.toLowerCase(),
            level: ORDINALS[level!.toLowerCase()],
            access: way!.toLowerCase() === 'write' ? 'write' : 'read',
          };
    },
  },
];

const MOST_CLASSES = 0x3f;
const ISS_BITS = 25n;

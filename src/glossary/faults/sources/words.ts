/**
 * Faults that firmware and small kernels report in words: seL4, Zephyr, NuttX, RT-Thread, Jailhouse. Only what the words say is used:
 * a kind, a level, an address, and any number that has a name.
 */
import type { DecodedKind } from '../decoded-fault.ts';
import { accessNamed, type Form, numberOf } from '../forms.ts';
import { decodeDfsr, decodeIfsr } from '../from-cpu.ts';
import { decodeEsr, isAbort } from '../from-esr.ts';

/** Kinds by the words for them. */
const KINDS: readonly (readonly [RegExp, DecodedKind])[] = [
  [/translation/i, 'translation'],
  [/access flag/i, 'access_flag'],
  [/permission/i, 'permission'],
  [/domain/i, 'domain'],
  [/address size/i, 'address_size'],
  [/external abort on (?:a )?(?:translation|table walk)|translation table walk/i, 'external_walk'],
  [/alignment/i, 'alignment'],
  [/imprecise|asynchronous/i, 'serror'],
  [/external abort/i, 'external'],
  [/parity/i, 'parity'],
  [/tlb conflict/i, 'tlb_conflict'],
  [/debug event|breakpoint/i, 'debug'],
];

export function kindInWords(words: string): DecodedKind | undefined {
  // The words for an abort on a walk also contain "translation".
  if (/external abort/i.test(words) && /translation|walk/i.test(words)) return 'external_walk';
  return KINDS.find(([pattern]) => pattern.test(words))?.[1];
}

/** Levels in words. */
export const ORDINALS: Readonly<Record<string, number>> = {
  zeroth: 0,
  '1st': 1,
  '2nd': 2,
  '3rd': 3,
  first: 1,
  second: 2,
  third: 3,
};

export const WORD_FORMS: readonly Form[] = [
  {
    // seL4.
    source: 'esr',
    pattern:
      /\bvm fault on (?<what>code|data) at address (?<at>0x[0-9a-f]{1,16}|0) with status (?<status>0x[0-9a-f]{1,8})\b/i,
    read: ({ what, at, status }) => {
      const value = numberOf(status!);
      const far = numberOf(at!);
      if (isAbort(value)) return decodeEsr(value, { far });
      return what === 'code' ? decodeIfsr(value, { far }) : decodeDfsr(value, { far });
    },
  },
  {
    // Zephyr on arm32: 2nd Level Translation Fault @ 0xe0006000.
    source: 'text',
    pattern:
      /\b(?<level>1st|2nd|first|second) level (?<what>(?:[a-z]+ ){0,3}?(?:fault|abort|parity error)(?: (?:on )?translation table)?)(?: @ (?<at>0x[0-9a-f]{1,16}))?/i,
    read: ({ level, what = '' }) => {
      const kind = kindInWords(what);
      return kind === undefined
        ? undefined
        : { kind, name: what.toLowerCase(), level: ORDINALS[level!.toLowerCase()], short: true };
    },
  },
  {
    source: 'text',
    pattern:
      /(?<![\w-])(?<what>(?:Alignment|Background|Permission|Domain|Translation|Access flag|Debug event|Synchronous external abort|Asynchronous external abort|Synchronous parity error|Asynchronous parity error)(?: fault)?) @ (?<at>0x[0-9a-f]{1,16})/i,
    read: ({ what = '' }) => {
      const kind = kindInWords(what);
      return kind === undefined ? undefined : { kind, name: what.toLowerCase() };
    },
  },
  {
    // Zephyr on arm32, of what has no address that counts.
    source: 'text',
    pattern: /^(?:.*\bos: |E: )?Asynchronous (?<what>External Abort|Parity\/ECC Error)\s*$/,
    read: ({ what = '' }) => ({
      kind: 'serror',
      name: `asynchronous ${what.toLowerCase()}`,
      address: undefined,
    }),
  },
  {
    // OP-TEE, if the lines with its syndrome are missing.
    source: 'text',
    pattern:
      /\b(?<what>data|prefetch)-abort at address 0x(?<at>[0-9a-f]{1,16})(?: [\w.$+]{1,80})? \((?<why>[a-z ]{4,40})\)/i,
    read: ({ what, why = '' }) => {
      const kind = kindInWords(why);
      return kind === undefined
        ? undefined
        : { kind, name: why, access: what!.toLowerCase() === 'prefetch' ? 'execute' : undefined };
    },
  },
  {
    // EDK2, if its registers are missing: Data abort: Permission fault, third level.
    source: 'text',
    pattern:
      /^\s*(?<what>Data|Instruction) abort: (?<why>[A-Z][\w ]{3,60}?)(?:, (?<level>zeroth|first|second|third) level)?\s*$/,
    read: ({ what, why = '', level }) => {
      const kind = kindInWords(why);
      return kind === undefined
        ? undefined
        : {
            kind,
            name: why.toLowerCase(),
            level: level === undefined ? undefined : ORDINALS[level],
            access: what === 'Instruction' ? 'execute' : undefined,
          };
    },
  },
  {
    // A crash report of macOS or iOS, in JSON: numbers are decimal, and most threads have the ESR of their last system call.
    source: 'esr',
    pattern:
      /"esr"\s*:\s*\{\s*"value"\s*:\s*(?<value>\d{1,20})\b[^{}]{0,120}\}(?:(?!"esr").{0,200}?"far"\s*:\s*\{\s*"value"\s*:\s*(?<far>\d{1,20})\b)?/,
    read: ({ value, far }) => {
      const esr = BigInt.asUintN(64, BigInt(value!));
      if (!isAbort(esr)) return undefined;
      return decodeEsr(esr, { far: far === undefined ? undefined : BigInt.asUintN(64, BigInt(far)) });
    },
  },
  {
    // Linux on arm. On arm64 the line has a syndrome.
    source: 'text',
    pattern: /\bBad mode in (?<what>data abort|prefetch abort) handler detected(?! on CPU)/i,
    read: ({ what }) => ({
      kind: 'unknown',
      name: what!.toLowerCase(),
      access: what!.toLowerCase() === 'prefetch abort' ? 'execute' : undefined,
      notes: ['it was taken in a processor mode in which the kernel expects none; no status is printed'],
    }),
  },
  {
    // Jailhouse on arm, and its cells: Unhandled data read at 0x76100000(2).
    source: 'text',
    pattern: /\bUnhandled (?:data|HYP) (?<way>read|write) at (?<at>0x[0-9a-f]{1,16})\((?<size>\d)\)/i,
    read: ({ at, way, size }) => ({
      kind: 'unknown',
      name: 'unhandled access',
      stage: 2,
      address: undefined,
      ipa: numberOf(at!),
      access: accessNamed(way),
      notes: [`the access is of ${size} bytes`],
    }),
  },
  {
    // Zephyr on arm32, of a status that it has no words for.
    source: 'text',
    pattern: /\*{5} (?<what>DATA|PREFETCH) ABORT \*{5}/,
    read: ({ what }) => ({
      kind: 'unknown',
      name: `${what!.toLowerCase()} abort`,
      access: what === 'PREFETCH' ? 'execute' : undefined,
    }),
  },
  {
    // U-Boot on arm32: no register gives the reason.
    source: 'text',
    pattern: /^\s*(?<what>data|prefetch) abort\s+pc : \[<(?<pc>[0-9a-f]{8})>\]/i,
    read: ({ what, pc }) => ({
      kind: 'unknown',
      name: `${what!.toLowerCase()} abort`,
      access: what!.toLowerCase() === 'prefetch' ? 'execute' : undefined,
      notes: [`no status register is printed; the PC is 0x${pc!}`],
    }),
  },
  {
    // RT-Thread on arm32, which shows only the registers of the program.
    source: 'text',
    pattern: /\b(?<what>data|prefetch) abort:\s*Execption:/i,
    read: ({ what }) => ({
      kind: 'unknown',
      name: `${what!.toLowerCase()} abort`,
      access: what!.toLowerCase() === 'prefetch' ? 'execute' : undefined,
      notes: ['no status register is printed'],
    }),
  },
  {
    // NuttX on arm64, if no syndrome is printed.
    source: 'text',
    pattern:
      /\bReason: (?<what>(?<short>DABT|IABT) \((?<from>lower|current) EL\) - (?:Data|Instruction) Abort)\b/i,
    read: ({ what = '', short, from }) => {
      const way = short!.toUpperCase() === 'IABT' ? 'instruction abort' : 'data abort';
      const level = from!.toLowerCase() === 'lower' ? 'a lower EL' : 'the current EL';
      return {
        kind: 'unknown',
        name: `${way} from ${level}`,
        access: short!.toUpperCase() === 'IABT' ? 'execute' : undefined,
        privileged: from!.toLowerCase() === 'current',
        notes: [`it says "${what.split(' - ')[0]}", which is only the class: there is no syndrome`],
      };
    },
  },
];

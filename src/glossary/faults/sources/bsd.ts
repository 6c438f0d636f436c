/** Faults in the words of NetBSD and OpenBSD. Registers that they print below are found like any others. */
import { accessNamed, type Form } from '../forms.ts';
import { kindInWords } from './words.ts';

export const BSD_FORMS: readonly Form[] = [
  {
    // NetBSD on aarch64: Trap: Data Abort (EL1): Translation Fault L1 with read access for 0000000000000010: pc …
    source: 'text',
    pattern:
      /\bTrap: (?<what>Data|Instruction) Abort \(EL(?<from>[01])\): (?<why>[A-Z][\w -]{3,60}?)(?: L(?<level>[0-3]))? with (?<way>read|write|exec\w*) access for (?<at>[0-9a-f]{16})\b/i,
    read: ({ what, from, why = '', level, way }) => {
      const kind = kindInWords(why);
      return kind === undefined
        ? undefined
        : {
            kind,
            name: why.toLowerCase(),
            level: level === undefined ? undefined : Number(level),
            access: what!.toLowerCase() === 'instruction' ? 'execute' : accessNamed(way),
            privileged: from === '1',
          };
    },
  },
  {
    // NetBSD on arm: Fatal kernel mode data abort: 'Translation Fault (S)'.
    source: 'text',
    pattern:
      /\bFatal (?<mode>kernel|user) mode (?<what>data|prefetch) abort(?:: '(?<why>[^']{3,60})')?(?: at 0x(?<at>[0-9a-f]{1,8})\b)?/i,
    read: ({ mode, what, why }) => ({
      kind: (why === undefined ? undefined : kindInWords(why)) ?? 'unknown',
      name: why?.toLowerCase() ?? `${what!.toLowerCase()} abort`,
      access: what!.toLowerCase() === 'prefetch' ? 'execute' : undefined,
      privileged: mode!.toLowerCase() === 'kernel',
    }),
  },
  {
    // OpenBSD on arm64, before it looks at the map.
    source: 'text',
    pattern: /\battempt to access user address 0x(?<at>[0-9a-f]{1,16}) from EL1\b/i,
    read: () => ({
      kind: 'unknown',
      name: 'access to a user address',
      privileged: true,
      hints: [
        'the kernel accessed user memory directly: a null pointer, or a user pointer without copyin or copyout',
      ],
    }),
  },
];

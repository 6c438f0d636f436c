/** Mail and terminals damage text: whatever prefixes, quotes and wraps a known fault's lines get, they are read the same. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countFaults, parseFaults, parsePost } from '../../src/glossary/faults/parse.ts';

/** Lines of faults, each a list: what stands in one line of the log. */
const FAULTS: readonly (readonly string[])[] = [
  [
    'arm-smmu 15000000.iommu: Unhandled context fault: fsr=0x402, iova=0xffc00000, fsynr=0x11, cbfrsynra=0x800, cb=2',
  ],
  [
    'Unable to handle kernel paging request at virtual address dead000000000108',
    'Mem abort info:',
    '  ESR = 0x0000000096000044',
    '  EC = 0x25: DABT (current EL), IL = 32 bits',
  ],
  [
    'apple-dart 40d030000.iommu: translation fault: status:0x8f0f0002 stream:15 code:0x2 (NO PMD FOR IOVA) at 0x7f100000',
  ],
  ['mtk-iommu 10205000.iommu: fault type=0x5 iova=0xff1fec01 pa=0x0 larb=0 port=0 layer=1 read'],
  [
    'tegra-mc 2c00000.memory-controller: pcie5w: write @0x0000000000000000: EMEM address decode error (EMEM decode error)',
  ],
  ['vm fault on code at address 0x44ae98 with status 0x82000006'],
  [
    'panfrost ff9a0000.gpu: Unhandled Page fault in AS0 at VA 0x0000000107ED2CC0',
    'raw fault status: 0x6F002C1',
  ],
  ['Unhandled fault: page domain fault (0x81b) at 0x00000000', 'Internal error: : 81b [#1] SMP ARM'],
  ['sun50i-iommu 30f0000.iommu: Page fault for 0x00000000ffcac000 (master 0, dir rd)'],
  ['SError Interrupt on CPU0, code 0x00000000be000011 -- SError'],
  [
    'arm-smmu-v3 3.auto: event 0x10 received:',
    'arm-smmu-v3 3.auto: 0x0000000800000010',
    'arm-smmu-v3 3.auto: 0x0000020000000000',
    'arm-smmu-v3 3.auto: 0x00000000fff00000',
    'arm-smmu-v3 3.auto: 0x0000000000000000',
  ],
];

const stamp = (n: number) => `[  ${100 + n}.${String(345_678 + n).slice(0, 6)}] `;
const PREFIXES: readonly ((line: number) => string)[] = [
  () => '',
  stamp,
  (n) => `Apr 15 13:58:0${n % 10} host kernel: ${stamp(n)}`,
  (n) => `Apr 15 13:58:0${n % 10}.028579 host kernel: `,
  (n) => `<3>${stamp(n)}`,
  (n) => `2024-03-01T10:00:0${n % 10}.123456+00:00 host kernel: ${stamp(n)}`,
  (n) => `0x000000000277BBFA |   1263.46857${n % 10}:   `,
];
const QUOTES = ['', '> ', '> > ', '>> ', '| ', '>'];

/** Wraps a line at blanks, as a mail program does: at most twice, and never within a word. */
function wrapped(line: string, width: number): string[] {
  const lines = [''];
  for (const word of line.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + word.length >= width && lines.length < 3) lines.push(word);
    else
      lines[lines.length - 1] =
        last === '' && lines.length > 1 ? word : lines.length === 1 && last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

function quotedPrintable(text: string): string {
  return text
    .replaceAll('=', '=3D')
    .split('\n')
    .flatMap((line) => {
      const parts: string[] = [];
      let rest = line;
      while (rest.length > 76) {
        let cut = 75;
        while (/=.?$/.test(rest.slice(0, cut))) cut--;
        parts.push(`${rest.slice(0, cut)}=`);
        rest = rest.slice(cut);
      }
      return [...parts, rest];
    })
    .join('\n');
}

const essence = (text: string) =>
  countFaults(parseFaults(text)).map(({ count, fault }) => {
    const { source, kind, level, stage, address, access, privileged, streamId, contextBank } = fault;
    return { count, source, kind, level, stage, address, access, privileged, streamId, contextBank };
  });

test('prefixes, wraps, quotes and line ends at random', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...FAULTS),
      fc.constantFrom(...PREFIXES),
      fc.constantFrom(...QUOTES),
      fc.constantFrom(0, 78, 90),
      fc.boolean(),
      fc.constantFrom('\n', '\r\n'),
      (lines, prefix, quote, width, encoded, end) => {
        const damaged = lines
          .flatMap((line, n) => {
            const whole = `${prefix(n)}${line}`;
            return width === 0 ? [whole] : wrapped(whole, width);
          })
          .map((line) => `${quote}${line}`)
          .join('\n');
        const text = encoded ? quotedPrintable(damaged) : damaged;
        expect(essence(text.replaceAll('\n', end)), text).toEqual(essence(lines.join('\n')));
      },
    ),
    { numRuns: 1500 },
  );
});

describe('repairs are reported', () => {
  test.each([
    ['> ESR=0x96000047', 'quote marks (> or |) were removed'],
    ['ESR =3D 0x96000047', 'quoted-printable (=3D) was decoded'],
    ['\u001b[31mESR=0x96000047\u001b[0m', 'terminal colours were removed'],
    ['a [\n   12.345678] ESR=0x96000047', 'lines that a mail program joined were split at their time stamps'],
  ])('%j', (text, said) => {
    const { faults, repairs } = parsePost(text);
    expect(repairs).toContain(said);
    expect(faults).toMatchObject([{ source: 'esr', kind: 'translation', level: 3 }]);
  });

  test('nothing, where nothing was', () => {
    expect(parsePost('ESR=0x96000047 FAR=0x3d').repairs).toEqual([]);
  });
});

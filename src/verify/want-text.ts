/** What is wanted, in the words that an intention has for it. */
import { securityWord } from '../arch/security.ts';
import { SHAREABILITY } from '../text/leaf.ts';
import { hex, sizeText } from '../text/numbers.ts';
import { wantedMemoryText, wantedRightsText } from './compare.ts';
import type { Want, WantedTerms } from './intent.ts';

/**
 * `-> 0x8000_0000 r-x WB ISH`, `unmapped`.
 * @param first - the input address that the output is said of.
 */
export function wantText(want: Want, first: bigint): string {
  if (want.state === 'unmapped' || want.state === 'any') return want.state;
  const parts = [
    outputText(want.outputOffset, first),
    want.leafSize === undefined ? '' : sizeText(want.leafSize),
  ];
  if (want.state === 'fault') return [...parts, want.fault].filter(Boolean).join('  ');
  const said = [...parts, ...termTexts(want)].filter(Boolean).join('  ');
  return said === '' ? 'mapped' : said;
}

function outputText(offset: bigint | undefined, first: bigint): string {
  return offset === undefined ? '' : `-> ${hex(first + offset)}`;
}

function termTexts({
  privileged,
  unprivileged,
  memory,
  shareability,
  global,
  contiguous,
  guarded,
  pas,
  level,
  kind,
  fields = [],
}: WantedTerms): string[] {
  const rights = [
    privileged && wantedRightsText(privileged),
    unprivileged && (privileged ? wantedRightsText(unprivileged) : `u:${wantedRightsText(unprivileged)}`),
  ];
  const flags = [
    pas && `pas=${securityWord(pas)}`,
    global === undefined ? '' : global ? 'global' : 'nG',
    contiguous && 'C',
    guarded && 'GP',
    typeof level === 'number' && `level=${level}`,
    kind,
    ...fields.map(({ name, value }) => `${name}=${hex(value)}`),
  ];
  return [
    rights.filter(Boolean).join(' '),
    memory === undefined ? '' : wantedMemoryText(memory),
    shareability === undefined ? '' : SHAREABILITY[shareability][1],
    flags.filter(Boolean).join(' '),
  ].filter(Boolean);
}

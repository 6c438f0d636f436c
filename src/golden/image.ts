/** Runs golden files of kind `image`: walks another machine's tables with its registers, and compares the result with its answers. */

import type { Answer } from '../machine/machine.ts';
import { claimCount, claimNotes } from './image-claims.ts';
import { describeAnswer, describeExpectation, type Mismatch, mismatch } from './image-compare.ts';
import { type Expectation, type ImageRow, parseImageFile } from './image-file.ts';
import { RowNotes, registerNotes } from './image-notes.ts';
import { imageProbe, type Probe } from './image-probe.ts';
import { type Answered, areUpdates, updatesText } from './image-updates.ts';
import type { Difference, GoldenResult } from './result.ts';

/**
 * Checks one golden file of kind `image`: every row is walked in the file's memory and compared by every member that it has: PA,
 * attributes, shareability …, or fault kind, level and stage (for an SMMU also class, IPA and event number), and what it leaves
 * changed in memory. If a row has `arm` (or `arm_or`), that is what counts. What can't be compared is refused.
 *
 * @param file - the parsed JSON.
 * @throws GoldenFileError for a file that is not of this kind or shape, with a regime or CPU that is not known here, or that says
 * something that is not known or not modelled.
 */
export function checkImage(file: unknown): GoldenResult {
  const image = parseImageFile(file);
  const probe = imageProbe(image);
  const differences: Difference[] = [];
  const uncompared = new RowNotes();
  for (const row of image.rows) {
    const difference = checkRow(row, probe, uncompared);
    if (difference !== undefined) differences.push(difference);
  }
  for (const { where, va, pa } of image.pagemap) {
    const { answer } = probe({ where, va, access: 'read', privileged: true, pan: false, expect: [] });
    if (mappedAddress(answer) === pa) continue;
    differences.push({ where, want: describeExpectation({ pa }), got: describeAnswer(answer) });
  }
  for (const { where, va } of image.protNone) {
    const { answer } = probe({ where, va, access: 'read', privileged: true, pan: false, expect: [] });
    if (!answer.ok && answer.fault.kind === 'translation') continue;
    differences.push({ where, want: 'no translation: PROT_NONE', got: describeAnswer(answer) });
  }
  const checked = image.rows.length + image.pagemap.length + image.protNone.length;
  const notes = [
    ...image.notes,
    ...registerNotes(image.regime, image.given),
    ...image.rowNotes,
    ...uncompared.list(),
  ];
  const claims = image.rows.flatMap(({ expect }) => expect).reduce((sum, one) => sum + claimCount(one), 0);
  return { name: image.name, checked, claims, differences, notes };
}

function checkRow(row: ImageRow, probe: Probe, uncompared: RowNotes): Difference | undefined {
  const answered = probe(row);
  uncompared.add([...new Set(row.expect.flatMap((wanted) => claimNotes(wanted, answered.answer)))]);
  const wrong = row.expect.map((wanted) => differenceFrom(wanted, answered, row.event));
  const [first] = wrong;
  if (first === undefined || wrong.includes(undefined)) return undefined;
  const where = `${row.where}${first.member}`;
  if (wrong.length === 1) return { where, want: first.want, got: first.got };
  return {
    where,
    want: row.expect.map(describeExpectation).join(', or '),
    got: describeAnswer(answered.answer),
  };
}

function differenceFrom(
  wanted: Expectation,
  answered: Answered,
  event: number | undefined,
): Mismatch | undefined {
  const wrong = mismatch(wanted, answered.answer, event);
  if (wrong !== undefined || wanted.updates === undefined || areUpdates(wanted.updates, answered))
    return wrong;
  const left = answered.changes.map(({ pa, after }) => ({ pa, word: after }));
  return { member: '.updates', want: updatesText(wanted.updates), got: updatesText(left) };
}

/** Where the tables map a page. A page map ignores the access flag and the permissions. */
function mappedAddress(answer: Answer): bigint | undefined {
  if (answer.ok) return answer.pa;
  const leaf = answer.steps.at(-1);
  const { kind } = answer.fault;
  if ((kind !== 'access_flag' && kind !== 'permission') || leaf?.output === undefined) return undefined;
  return leaf.output + (answer.ia % leaf.size);
}

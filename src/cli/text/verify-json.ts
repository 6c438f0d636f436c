/** What came of an intention as JSON, as TAP and as JUnit's XML. */
import type { Translator } from '../../machine/machine.ts';
import { hex, hexWord } from '../../text/numbers.ts';
import { makeStyle } from '../../text/style.ts';
import { descriptorBits } from '../../text/words.ts';
import { differenceLines, foundText, summaryText } from '../../verify/report.ts';
import type { LineResult, Verification, WantedDifference } from '../../verify/verify.ts';
import { wantText } from '../../verify/want-text.ts';
import { tapHeader, tapLines, yamlText } from '../tap.ts';
import { rangeJson } from './dump-text.ts';

export function verificationJson(found: Verification, target: Translator): object {
  const { ok, complete, notes, lines, unnamed, unreachable, rules } = found;
  const ranges = (list: Verification['unnamed']) => list.map((range) => rangeJson(range, target.regime));
  return {
    ok,
    complete,
    notes,
    ranges: lines.map((line) => lineJson(line, target)),
    unnamed: ranges(unnamed),
    unreachable: ranges(unreachable),
    rules: rules.map(({ rule, ok: kept, broken }) => ({
      line: rule.line,
      rule: rule.text,
      ok: kept,
      broken: ranges(broken),
    })),
  };
}

function lineJson({ line, ok, differences, larger }: LineResult, target: Translator): object {
  const { first, last, label } = line;
  return {
    line: line.line,
    first,
    last,
    ...(label !== undefined && { label }),
    ok,
    wanted: wantText(line.want, first),
    ...(larger && { larger }),
    differences: differences.map((one) => differenceJson(one, target)),
  };
}

function differenceJson(one: WantedDifference, target: Translator): object {
  const { first, last, want, found, aspects, descriptors, because } = one;
  return {
    first,
    last,
    wanted: wantText(want, first),
    found: found === undefined ? null : rangeJson(found, target.regime),
    aspects,
    descriptors: descriptors.map(({ stage, level, address, descriptor, fields }) => ({
      stage,
      level,
      address,
      descriptor: descriptor === undefined ? null : hexWord(descriptor, descriptorBits(target, stage)),
      fields,
    })),
    because,
  };
}

/** A range, the rest, or a rule, as a test. */
interface Case {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong, in lines. */
  readonly lines: readonly string[];
}

const PLAIN = makeStyle(false);

function casesOf(found: Verification, target: Translator): Case[] {
  const { lines, unnamed, unreachable, rules, complete } = found;
  const listed = (list: Verification['unnamed']) =>
    list.map((range) => `${hex(range.first)}-${hex(range.last)}  ${foundText(range, target)}`);
  const rest = [...listed(unnamed), ...listed(unreachable), ...(complete ? [] : [summaryText(found, PLAIN)])];
  return [
    ...lines.map(({ line, ok, differences }) => ({
      name: `${hex(line.first)}-${hex(line.last)}  ${wantText(line.want, line.first)}${line.label ? `  (${line.label})` : ''}`,
      ok,
      lines: differences.flatMap((one) => differenceLines(one, target, PLAIN)).map((text) => text.trim()),
    })),
    { name: 'nothing else is mapped', ok: rest.length === 0, lines: rest },
    ...rules.map(({ rule, ok, broken }) => ({ name: rule.text, ok, lines: listed(broken) })),
  ];
}

export function verificationTap(found: Verification, target: Translator): string[] {
  const cases = casesOf(found, target);
  return [
    ...tapHeader(cases.length),
    ...cases.flatMap(({ name, ok, lines }, i) =>
      tapLines(
        { ok, name, yaml: ok ? [] : ['message:', ...lines.map((text) => `  - ${yamlText(text)}`)] },
        i + 1,
      ),
    ),
  ];
}

const XML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
// XML has no way to write other control characters.
const xml = (text: string) =>
  text.replace(/\p{Cc}/gu, (c) => (c === '\n' || c === '\t' ? c : '?')).replace(/[&<>"]/g, (c) => XML[c]!);

/** One suite, a test case for each range, the rest, and each rule. */
export function verificationJunit(found: Verification, target: Translator, name: string): string {
  const cases = casesOf(found, target);
  const failures = cases.filter(({ ok }) => !ok).length;
  const suite = `<testsuite name="${xml(name)}" tests="${cases.length}" failures="${failures}" errors="0" skipped="0">`;
  const tests = cases.map(({ name: test, ok, lines }) => {
    const head = `    <testcase classname="${xml(name)}" name="${xml(test)}"`;
    if (ok) return `${head}/>`;
    const message = xml(lines[0] ?? '');
    return `${head}>\n      <failure message="${message}">${xml(lines.join('\n'))}</failure>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  ${suite}`,
    ...tests,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

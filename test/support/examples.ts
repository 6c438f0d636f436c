/** The `@example`s of the public API, as modules that can be checked and run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, parseSync, Visitor } from 'oxc-parser';
import { type EntryPoint, entryPoints, fileOf, ROOT, Sources } from './public-api.ts';

/** One example: of an entry point as a whole, or of one of its names. */
export interface Example {
  /** `lpae/walker`, or `lpae/walker createWalker`; of several in one place each has a number. */
  readonly title: string;
  /** Where it stands. */
  readonly file: string;
  readonly entry: EntryPoint;
  /** As it is written. */
  readonly code: string;
  /** Of an entry point: a program by itself. Else a fragment, whose names the reader knows from the context. */
  readonly whole: boolean;
}

/** What fragments may take for granted, and its type. */
const KNOWN: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['ttbr0', 'tcr', 'tcr2', 'mair', 'mair0', 'mair1', 'pte', 'cdAddress', 'iova', 'pa', 'size'].map(
      (name) => [name, 'bigint'],
    ),
  ),
  gpccr: 'bigint',
  gptbr: 'bigint',
  bytes: 'Uint8Array',
  words: 'ReadonlyMap<bigint, bigint>',
  program: '(address: bigint, length: bigint) => void',
  memory: "import('lpae').PhysicalMemory",
  options: "import('lpae').DomainOptions",
  domain: "import('lpae').IommuDomain",
  sg: "import('lpae').Scatterlist",
  walker: "import('lpae/walker').Walker",
  before: "import('lpae/machine').Translator",
  after: "import('lpae/machine').Translator",
};

/** The programs in a Markdown file: blocks of TypeScript. */
export function examplesOfPage(file: string): Example[] {
  const [entry] = entryPoints();
  const codes = [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)];
  return codes.map(([, code = ''], index) => ({
    title: `${file} ${index + 1}`,
    file,
    entry: entry!,
    code,
    whole: false,
  }));
}

/** All examples of the public API. */
export function allExamples(): Example[] {
  const sources = new Sources();
  const found: Example[] = [];
  const add = (docs: readonly string[], name: string, place: Pick<Example, 'file' | 'entry' | 'whole'>) => {
    const codes = docs.flatMap(examplesIn);
    codes.forEach((code, index) => {
      found.push({ title: codes.length > 1 ? `${name} ${index + 1}` : name, code, ...place });
    });
  };
  const seen = new Set<string>();
  for (const entry of entryPoints()) {
    add([sources.moduleDoc(entry.file) ?? ''], entry.name, { file: entry.file, entry, whole: true });
    for (const each of sources.exportsOf(entry)) {
      const { file, name } = each;
      if (seen.has(`${file} ${name}`)) continue;
      seen.add(`${file} ${name}`);
      add(sources.docsOf(each), `${entry.name} ${name}`, { file, entry, whole: false });
    }
  }
  return found;
}

/** The code of the `@example` blocks of a TSDoc text. */
export function examplesIn(doc: string): string[] {
  return doc
    .split(/^(?=@)/m)
    .filter((tag) => tag.startsWith('@example'))
    .map((tag) => tag.slice('@example'.length).trim());
}

/** What an example says that it prints: the comment behind each `console.log`. */
export function promised(code: string): string[] {
  return code
    .split('\n')
    .filter((line) => line.includes('console.log('))
    .map((line) => /\/\/ (.*)$/.exec(line)?.[1] ?? 'an example says what it prints in a comment behind it');
}

/** An example as a module: `lpae/…` means the sources, and what a fragment takes for granted is imported or declared. */
export function moduleOf({ code, whole, entry }: Example, names: ReadonlyMap<string, EntryPoint[]>): string {
  if (whole) return withSources(code);
  const lines: string[] = [];
  for (const name of freeNames(code)) {
    const places = names.get(name);
    if (places !== undefined) {
      const place = places.find((each) => each.name === entry.name) ?? places[0]!;
      lines.push(`import { ${name} } from '${place.name}';`);
    } else if (KNOWN[name] !== undefined) lines.push(`declare const ${name}: ${KNOWN[name]};`);
  }
  return withSources(`${[...lines, code].join('\n')}\nexport {};\n`);
}

/** Every public name, and the entry points that have it. */
export function publicNames(): Map<string, EntryPoint[]> {
  const sources = new Sources();
  const names = new Map<string, EntryPoint[]>();
  for (const entry of entryPoints()) {
    for (const name of sources.exportedNames(entry.file))
      names.set(name, [...(names.get(name) ?? []), entry]);
  }
  return names;
}

const points = new Map(entryPoints().map(({ name, file }) => [name, file]));

/** Sources in the place of entry points. One that there is none of stays, and is an error. */
function withSources(code: string): string {
  return code.replace(/(\bfrom |\bimport\()'(lpae[^']*)'/g, (whole, before: string, name: string) => {
    const file = points.get(name);
    return file === undefined ? whole : `${before}'${ROOT}/${fileOf('.', `./${file}`)}'`;
  });
}

/** Names that a fragment uses and does not declare, members of objects left out. */
function freeNames(code: string): Set<string> {
  const { program, errors } = parseSync('example.ts', code, { lang: 'ts', sourceType: 'module' });
  if (errors.length > 0) return new Set();
  return usedNames(program);
}

function usedNames(program: Program): Set<string> {
  const used = new Set<string>();
  const declared = new Set<string>();
  const keys = new Set<unknown>();
  const declare = (node: unknown): void => {
    for (const name of bound(node)) declared.add(name);
  };
  new Visitor({
    MemberExpression: ({ property, computed }) => void (computed || keys.add(property)),
    Property: ({ key, shorthand }) => void (shorthand || keys.add(key)),
    VariableDeclarator: ({ id }) => declare(id),
    ImportDeclaration: ({ specifiers }) => specifiers.forEach(({ local }) => void declared.add(local.name)),
    ArrowFunctionExpression: ({ params }) => params.forEach(declare),
    Identifier: (node) => void (keys.has(node) || used.add(node.name)),
  }).visit(program);
  return new Set([...used].filter((name) => !declared.has(name)));
}

/** The names that a pattern binds. */
function bound(node: unknown): string[] {
  const pattern = node as { type?: string; [part: string]: unknown } | null;
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name as string];
    case 'ObjectPattern':
      return (pattern.properties as { value?: unknown; argument?: unknown }[]).flatMap((each) =>
        bound(each.value ?? each.argument),
      );
    case 'ArrayPattern':
      return (pattern.elements as unknown[]).flatMap(bound);
    case 'AssignmentPattern':
      return bound(pattern.left);
    case 'RestElement':
      return bound(pattern.argument);
    default:
      return [];
  }
}

/** The public API as its syntax trees say it: the entry points of package.json, the names they export, and what documents each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { type Class, type Comment, type Function as FunctionNode, type Program, parseSync } from 'oxc-parser';

export const ROOT = resolve(import.meta.dirname, '../..');

/** What is imported (`lpae/walker`), and the source behind it (`src/walker/index.ts`). */
export interface EntryPoint {
  readonly name: string;
  readonly file: string;
}

/** One public name of an entry point. */
export interface PublicName {
  readonly entry: string;
  readonly name: string;
  /** Where it is declared. */
  readonly file: string;
  readonly declaration: Declaration;
  /** The text of its TSDoc block. */
  readonly doc: string | undefined;
}

type Statement = Program['body'][number];

/** A statement that declares names: a function, class, interface, type or variables. */
export type Declaration =
  | FunctionNode
  | Class
  | Extract<Statement, { type: 'TSInterfaceDeclaration' | 'TSTypeAliasDeclaration' | 'VariableDeclaration' }>;

/** Where a name is declared. */
type Found = Pick<PublicName, 'file' | 'declaration' | 'doc'>;

/** A file's syntax tree and comments. */
interface Parsed {
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
}

/** The entry points that package.json names; each file of `formats/` is one. */
export function entryPoints(): EntryPoint[] {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, string | null | { default: string }>;
  };
  const source = (built: string) => built.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts');
  return Object.entries(exports).flatMap(([path, target]) => {
    if (target === null || typeof target === 'string') return [];
    const file = source(target.default);
    const entry = posix.join(name, path);
    if (!entry.includes('*')) return [{ name: entry, file }];
    const folder = posix.dirname(file);
    const files = readdirSync(join(ROOT, folder)).filter((each) => /(?<!index)\.ts$/.test(each));
    return files.map((each) => ({ name: entry.replace('*', each.slice(0, -3)), file: `${folder}/${each}` }));
  });
}

/** Reads and parses files once each. */
export class Sources {
  readonly #read: (file: string) => string;
  readonly #parsed = new Map<string, Parsed>();

  /** @param read What stands in a file, named from the root; default: the sources themselves. */
  constructor(read: (file: string) => string = (file) => readFileSync(join(ROOT, file), 'utf8')) {
    this.#read = read;
  }

  parsed(file: string): Parsed {
    const known = this.#parsed.get(file);
    if (known !== undefined) return known;
    const text = this.#read(file);
    const { program, comments, errors } = parseSync(file, text, { lang: 'ts' });
    if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
    const parsed = { text, program, comments };
    this.#parsed.set(file, parsed);
    return parsed;
  }

  /** The first TSDoc block of a file, which says what the module is. */
  moduleDoc(file: string): string | undefined {
    const { comments } = this.parsed(file);
    return comments[0] && docText(comments[0]);
  }

  /** What an entry point exports, with every name followed to where it is declared. */
  exportsOf({ name: entry, file }: EntryPoint): PublicName[] {
    return this.exportedNames(file).map((name) => ({ entry, name, ...this.#find(file, name) }));
  }

  exportedNames(file: string): string[] {
    const names = new Set<string>();
    for (const statement of this.parsed(file).program.body) {
      if (statement.type === 'ExportAllDeclaration' || statement.type === 'ExportDefaultDeclaration')
        throw new Error(`${file}: exports are to be named one by one`);
      if (statement.type !== 'ExportNamedDeclaration') continue;
      for (const { exported } of statement.specifiers) names.add(identifier(exported));
      for (const name of namesOf(statement.declaration)) names.add(name);
    }
    return [...names];
  }

  /** What of a public name has no TSDoc block: itself, or a method of a class. */
  undocumented({ file, name, declaration, doc }: PublicName): string[] {
    const missing = doc === undefined || doc === '' ? [name] : [];
    if (declaration.type !== 'ClassDeclaration') return missing;
    const documented = new Set<string>();
    const methods = new Set<string>();
    for (const member of declaration.body.body) {
      if (member.type !== 'MethodDefinition' || member.key.type !== 'Identifier') continue;
      if (member.kind === 'constructor' || member.accessibility === 'private') continue;
      methods.add(member.key.name);
      if (this.docAbove(file, member.start)) documented.add(member.key.name);
    }
    return [...missing, ...[...methods].filter((m) => !documented.has(m)).map((m) => `${name}.${m}`)];
  }

  /** All TSDoc texts of a public name: its own, and those of its members. */
  docsOf({ file, declaration, doc }: PublicName): string[] {
    const { start, end } = declaration;
    const inside = this.parsed(file).comments.filter((each) => each.start > start && each.end < end);
    return [doc, ...inside.map(docText)].filter((text) => text !== undefined);
  }

  /** The TSDoc block that stands right above a node. The first one of a file is about the file. */
  docAbove(file: string, start: number): string | undefined {
    const { comments, text } = this.parsed(file);
    const above = comments.slice(1).findLast(({ end }) => end <= start);
    return above && text.slice(above.end, start).trim() === '' ? docText(above) : undefined;
  }

  /** Where a name of a file leads: to a declaration there, or in the file that it is imported from. */
  #find(file: string, name: string): Found {
    for (const statement of this.parsed(file).program.body) {
      if (statement.type === 'ImportDeclaration' || statement.type === 'ExportNamedDeclaration') {
        const link = statement.specifiers.find((each) => linkNames(each).as === name);
        const as = link && linkNames(link).of;
        if (as !== undefined && statement.source) return this.#find(fileOf(file, statement.source.value), as);
      }
      const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
      if (!isDeclaration(declaration) || !namesOf(declaration).includes(name)) continue;
      return { file, declaration, doc: this.docAbove(file, statement.start) };
    }
    throw new Error(`${file}: ${name} is not declared there`);
  }

  /** Where a name that a file uses is declared, if this project declares it. */
  lookUp(file: string, name: string): Found | undefined {
    try {
      return this.#find(file, name);
    } catch {
      return undefined;
    }
  }
}

function docText({ type, value }: Comment): string | undefined {
  if (type !== 'Block' || !value.startsWith('*')) return undefined;
  return value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

/** The file that `specifier` means in `file`. */
export function fileOf(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier);
}

/**
 * The interfaces and classes of this project that a declaration mentions, as `file name`; those behind aliases too, which stand
 * for what they say. What a class keeps private, or only implements, is nobody's business.
 */
export function interfacesIn(sources: Sources, { file, declaration }: Found): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const follow = (from: string, node: unknown): void => {
    for (const name of typeNames(node)) {
      const at = sources.lookUp(from, name);
      if (at === undefined || seen.has(`${at.file} ${name}`)) continue;
      seen.add(`${at.file} ${name}`);
      if (at.declaration.type === 'TSTypeAliasDeclaration') follow(at.file, at.declaration);
      else found.add(`${at.file} ${name}`);
    }
  };
  follow(file, declaration);
  return [...found];
}

/** Names that stand where a type does: of types, and of what interfaces and classes extend. */
function typeNames(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(typeNames);
  if (typeof node !== 'object' || node === null) return [];
  const { type, key, accessibility, ...parts } = node as Record<string, unknown>;
  if (accessibility === 'private' || type === 'TSClassImplements') return [];
  if ((key as { type?: string } | undefined)?.type === 'PrivateIdentifier') return [];
  const named =
    type === 'TSTypeReference'
      ? parts.typeName
      : type === 'TSInterfaceHeritage'
        ? parts.expression
        : parts.superClass;
  const name = (named as { name?: string } | null | undefined)?.name;
  return [...(name === undefined ? [] : [name]), ...Object.values(parts).flatMap(typeNames)];
}

function isDeclaration(node: { readonly type: string } | null): node is Declaration {
  return node !== null && namesOf(node as Declaration).length > 0;
}

function namesOf(node: { readonly type: string } | null): string[] {
  const declaration = node as Declaration | null;
  switch (declaration?.type) {
    case 'VariableDeclaration':
      return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
    case 'ClassDeclaration':
      return declaration.id ? [declaration.id.name] : [];
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return [declaration.id.name];
    default:
      return [];
  }
}

type Specifier =
  | Extract<Statement, { type: 'ImportDeclaration' }>['specifiers'][number]
  | Extract<Statement, { type: 'ExportNamedDeclaration' }>['specifiers'][number];

function linkNames(specifier: Specifier): { as: string | undefined; of: string | undefined } {
  if (specifier.type === 'ImportSpecifier')
    return { as: specifier.local.name, of: identifier(specifier.imported) };
  if (specifier.type === 'ExportSpecifier')
    return { as: identifier(specifier.exported), of: identifier(specifier.local) };
  return { as: undefined, of: undefined };
}

function identifier(node: { readonly type: string }): string {
  const named = node as { type: 'Identifier'; name: string } | { type: 'Literal'; value: string };
  return named.type === 'Literal' ? named.value : named.name;
}

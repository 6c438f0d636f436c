/** Literal bit positions in a source: shifts by a number, masks of a number, and calls that take a field's place in numbers. */
import { parseSync } from 'oxc-parser';

/** A node of a syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

const SHIFTS = new Set(['<<', '>>', '>>>', '<<=', '>>=', '>>>=']);
const MASKS = new Set(['&', '|', '^', '&=', '|=', '^=']);
/** Functions that take the bits of a field as numbers. */
const FIELD_CALLS = new Set(['field', 'flag', 'bitsOf', 'bitOf', 'asUintN', 'asIntN']);
/** Widths of machine words: cutting or shifting a value by one of them is arithmetic. */
const WORD_WIDTHS = new Set([32, 64]);

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** The value of a literal number or bigint, also one in brackets, with `~` or `-` before it. */
function literalOf(node: unknown): bigint | undefined {
  if (!isNode(node)) return undefined;
  const { type, expression, argument, value } = node;
  if (type === 'ParenthesizedExpression') return literalOf(expression);
  if (type === 'UnaryExpression') return literalOf(argument);
  if (type !== 'Literal') return undefined;
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined;
}

function isLiteralBits(node: Node): boolean {
  if (node.type === 'BinaryExpression' || node.type === 'AssignmentExpression') {
    const operator = String(node.operator);
    const [left, right] = [literalOf(node.left), literalOf(node.right)];
    // `x | 0` and `x >>> 0` make a number an int32 or unsigned; they name no bit.
    if (SHIFTS.has(operator)) return right !== undefined && right !== 0n && !WORD_WIDTHS.has(Number(right));
    if (MASKS.has(operator)) return [left, right].some((value) => value !== undefined && value !== 0n);
    return false;
  }
  if (node.type !== 'CallExpression') return false;
  if (!FIELD_CALLS.has(calledName(node.callee))) return false;
  const given = Array.isArray(node.arguments) ? node.arguments : [];
  return given.map(literalOf).some((value) => value !== undefined && !WORD_WIDTHS.has(Number(value)));
}

/** `f` of `f(…)` and of `x.f(…)`. */
function calledName(callee: unknown): string {
  if (!isNode(callee)) return '';
  return callee.type === 'MemberExpression' ? calledName(callee.property) : String(callee.name);
}

function visit(node: unknown, each: (node: Node) => void): void {
  if (Array.isArray(node)) for (const one of node) visit(one, each);
  if (!isNode(node)) return;
  each(node);
  for (const member of Object.values(node)) if (typeof member === 'object') visit(member, each);
}

/** Each expression of a source that holds literal bits, as it is written. An outer one stands for those within it. */
export function literalBits(file: string, text: string): string[] {
  const { program, errors } = parseSync(file, text, { lang: 'ts' });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
  const found: Node[] = [];
  visit(program, (node) => {
    const within = found.some(({ start, end }) => node.start >= start && node.end <= end);
    if (!within && isLiteralBits(node)) found.push(node);
  });
  return found.map(({ start, end }) => text.slice(start, end).replace(/\s+/g, ' '));
}

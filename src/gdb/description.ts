/** A target's own description: XML that lists its registers. (gdb's manual, "Target Descriptions".) */

/** A register as the target describes it. */
export interface DescribedRegister {
  readonly name: string;
  /** Its number in the protocol. */
  readonly number: number;
  /** Width in bits. */
  readonly bits: number;
}

export interface Description {
  /** `aarch64`, `arm`, `i386:x86-64` …, if the description says it. */
  readonly architecture?: string;
  readonly registers: readonly DescribedRegister[];
}

const ELEMENT = /<architecture>\s*([^<\s]+)\s*<\/architecture>|<(xi:include|reg)\b([^>]*?)\/?>/g;
const ATTRIBUTE = /([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** The maximum depth of inclusion, since a description may include itself. */
const MAX_DEPTH = 8;

/**
 * Reads a description and everything that it includes.
 * @param read - returns the text of a document with this name.
 */
export async function readDescription(read: (document: string) => Promise<string>): Promise<Description> {
  const registers: DescribedRegister[] = [];
  let architecture: string | undefined;
  // A register without a number follows the one before it.
  let next = 0;
  const visit = async (document: string, depth: number): Promise<void> => {
    const text = (await read(document)).replace(/<!--[\s\S]*?-->/g, '');
    for (const [, named, element, attributes = ''] of text.matchAll(ELEMENT)) {
      if (named !== undefined) architecture ??= named;
      const said = attributesOf(attributes);
      if (element === 'xi:include' && said.href !== undefined && depth < MAX_DEPTH)
        await visit(said.href, depth + 1);
      if (element !== 'reg') continue;
      const number = /^\d+$/.test(said.regnum ?? '') ? Number(said.regnum) : next;
      next = number + 1;
      if (said.name !== undefined) registers.push({ name: said.name, number, bits: Number(said.bitsize) });
    }
  };
  await visit('target.xml', 0);
  return { registers, ...(architecture !== undefined && { architecture }) };
}

function attributesOf(text: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...text.matchAll(ATTRIBUTE)].map(([, name, a, b]) => [name, a ?? b]));
}

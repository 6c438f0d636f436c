/** Commands that QEMU's log names, as their words, with the operands that it gives. */
import { type CommandWords, encodeCommand, parseCommand } from '../smmu/commands.ts';

/** A command that was consumed: its place in the queue, and what the log says of it. */
export interface Consumed {
  readonly index: number;
  readonly name: string;
  operands: string | undefined;
}

const UNSAID: Readonly<Record<string, string>> = {
  CFGI_STE: 'Leaf is not in the log: 1 is assumed, which invalidates less',
  CFGI_CD: 'Leaf is not in the log: 1 is assumed, which invalidates less',
};

/** A command with the operands that were logged. */
export function wordsOf({ name, operands }: Consumed): { words?: CommandWords; note?: string } {
  if (name === 'SYNC') return { words: encodeCommand('SYNC'), note: 'CS and the MSI are not in the log' };
  const text =
    operands ?? (/^(TLBI_NSNH_ALL|TLBI_EL2_ALL|PREFETCH_CONFIG|PREFETCH_ADDR)$/.test(name) ? '' : undefined);
  if (text === undefined) return {};
  const unsaid = UNSAID[name];
  return {
    words: parseCommand(`${name} ${text}${unsaid === undefined ? '' : ' Leaf=1'}`),
    ...(unsaid && { note: unsaid }),
  };
}

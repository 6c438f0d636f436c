/** Faults of Adreno GPUs in a log: one line from Linux's msm driver, or two from Qualcomm's own (KGSL). The MMU is an SMMUv2. */
import { hex } from '../../text/numbers.ts';
import type { DecodedFault, DecodedKind } from './decoded-fault.ts';
import { decodeContextFault } from './from-smmu.ts';

const MSM = /\*\*\* (?:gpu )?fault: (.*)$/;
const KGSL = /\bGPU PAGE FAULT: addr = (?:0x)?([0-9a-f]{1,16})\b/i;

const KINDS: Readonly<Record<string, DecodedKind>> = {
  translation: 'translation',
  permission: 'permission',
  external: 'external',
};

const NAME = 'GPU page fault';

/** `*** gpu fault: ttbr0=… iova=… dir=… type=… source=…`, or with only `flags`; or the first line of KGSL. */
export function adrenoHeadOf(text: string, own = text.length): DecodedFault | undefined {
  const head = KGSL.exec(text) ?? MSM.exec(text);
  if (head === null || head.index >= own) return undefined;
  const kgsl = KGSL.exec(text)?.[1];
  if (kgsl !== undefined) return adrenoFault({ address: BigInt(`0x${kgsl}`) });
  const rest = MSM.exec(text)?.[1];
  const value = (name: string) =>
    rest === undefined ? undefined : new RegExp(`\\b${name}=([^,( ]+)`).exec(rest)?.[1];
  const number = (name: string) => {
    const text = value(name);
    return text !== undefined && /^(?:0x)?[0-9a-f]{1,16}$/i.test(text)
      ? BigInt(`0x${text.replace(/^0x/i, '')}`)
      : undefined;
  };
  const address = number('iova');
  if (address === undefined) return undefined;
  const ttbr0 = number('ttbr0');
  const flags = value('flags');
  const way = value('dir') ?? (flags === undefined ? undefined : Number(flags) & 1 ? 'WRITE' : 'READ');
  const block = /\bsource=(.*?)(?: \(|$)/.exec(rest!)?.[1];
  return adrenoFault({
    address,
    kind: KINDS[value('type')?.toLowerCase() ?? ''],
    access: way === undefined ? undefined : way === 'WRITE' ? 'write' : 'read',
    contextBank: value('cb') === undefined ? undefined : Number(value('cb')),
    notes: [
      ...(ttbr0 === undefined ? [] : [`TTBR0 of the context bank is ${hex(ttbr0)}`]),
      ...(block === undefined ? [] : [blockNote(block)]),
    ],
  });
}

/** A note on the block of the GPU. A driver that has no name for a block prints the raw FSYNR1. */
function blockNote(block: string): string {
  return /^[0-9a-f]{5,8}$/i.test(block)
    ? `source ${block} is the raw FSYNR1, not the name of a block: its meaning is IMPLEMENTATION DEFINED`
    : `the block of the GPU that made the access is ${block}`;
}

function adrenoFault(
  known: Omit<Partial<DecodedFault>, 'kind'> & { kind?: DecodedKind | undefined },
): DecodedFault {
  return { source: 'adreno', name: NAME, registers: [], notes: [], ...known, kind: known.kind ?? 'unknown' };
}

const KGSL_WORDS = /\bTTBR0\s*=\s*(?:0x)?([0-9a-f]+)\b.*\((read|write) (\w+).*? fault\)/i;
const KGSL_REGISTERS =
  /\bcontext\s*=\s*(\d+)\b.*?\bFSR\s*=\s*([0-9a-f]{1,8})\b(?:\s+FSYNR0\s*=\s*([0-9a-f]{1,8})\b)?/i;

/** The second line of KGSL: text, or the registers of the context bank. */
export function adrenoMoreOf(last: DecodedFault, line: string): DecodedFault | undefined {
  if (last.source !== 'adreno' || last.kind !== 'unknown') return undefined;
  const words = KGSL_WORDS.exec(line);
  if (words) {
    const [, ttbr0, way, kind] = words;
    return adrenoFault({
      address: last.address,
      kind: KINDS[kind!.toLowerCase()],
      access: way!.toLowerCase() === 'write' ? 'write' : 'read',
      notes: [`TTBR0 of the context bank is 0x${ttbr0!.toLowerCase()}`],
    });
  }
  const registers = KGSL_REGISTERS.exec(line);
  if (!registers) return undefined;
  const [, cb, fsr, fsynr0] = registers;
  return decodeContextFault({
    fsr: BigInt(`0x${fsr!}`),
    fsynr0: fsynr0 === undefined ? undefined : BigInt(`0x${fsynr0}`),
    iova: last.address,
    cb: BigInt(cb!),
  });
}

/** A running machine as a target: memory is read during walks, and registers come from the machine. */
import { GdbMachine } from '../../gdb/machine.ts';
import { gdbMemory } from '../../gdb/memory.ts';
import { ANSWER_TIMEOUT } from '../../gdb/stub.ts';
import { closedAtEnd } from '../at-end.ts';
import { parseAddress } from '../input/address.ts';
import { parseGdbAddress } from '../input/gdb-address.ts';
import { type CliIo, usageError } from '../io.ts';
import { memoryTarget } from './dump.ts';
import { peRegisters, smmuRegisters } from './live-registers.ts';
import type { TargetOptions } from './options.ts';
import type { Target } from './target.ts';

/** The machines that this command line has opened: a stub serves one connection at a time. */
const open = new WeakMap<CliIo, Map<string, GdbMachine>>();

/**
 * @param text - `gdb://HOST:PORT`.
 * @throws CliError (usage) for options that don't go together; ImageError for a stub that can't be read.
 */
export async function liveTarget(text: string, io: CliIo, options: TargetOptions): Promise<Target> {
  const { base, smmu } = options;
  if (base !== undefined && smmu !== undefined)
    throw usageError(
      '--smmu is for a machine whose memory is read by physical addresses, --base for a program',
    );
  const window = base === undefined ? undefined : parseBase(base);
  const smmuBase = smmu === undefined ? undefined : parseAddress(smmu, '--smmu');
  const machine = await opened(text, io, options);
  const memory = gdbMemory(machine, window);
  const { file, notes } =
    smmuBase === undefined ? peRegisters(machine, options) : smmuRegisters(machine, smmuBase);
  const unmapped =
    window === undefined && machine.facts.map === undefined
      ? [
          'the stub does not say where there is memory: elsewhere it may answer zeros, which are no descriptors',
        ]
      : [];
  const name = machine.name;
  return memoryTarget(
    {
      name,
      memory,
      notes: [...notes, ...unmapped].map((note) => `${name}: ${note}`),
      registers: { file, source: name },
    },
    io,
    options,
  );
}

async function opened(text: string, io: CliIo, { base, cpuNumber = 0 }: TargetOptions): Promise<GdbMachine> {
  const address = parseGdbAddress(text);
  const machines = open.get(io) ?? new Map<string, GdbMachine>();
  open.set(io, machines);
  const key = `${address.host}:${address.port}`;
  const known = machines.get(key);
  if (known !== undefined) return known;
  const physical = base === undefined;
  const stub = { cpuNumber, physical, timeout: ANSWER_TIMEOUT };
  const machine = await closedAtEnd(io, () => GdbMachine.open(address, stub));
  machines.set(key, machine);
  return machine;
}

/** `HOST=PA`, or `HOST` alone, which is PA 0. */
function parseBase(text: string): { host: bigint; pa: bigint } {
  const [host = '', pa = '0', ...more] = text.split('=');
  if (more.length > 0)
    throw usageError(`--base: '${text}' is not HOST=PA`, '--base 0x7fff_f000_0000=0x8000_0000');
  return { host: parseAddress(host, '--base'), pa: parseAddress(pa, '--base') };
}

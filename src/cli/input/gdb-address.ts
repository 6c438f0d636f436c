/** The address of a gdb stub: `gdb://HOST:PORT`. */
import type { StubAddress } from '../../gdb/connection.ts';
import { usageError } from '../io.ts';

export function isGdbAddress(text: string): boolean {
  return /^gdb:\/\//i.test(text);
}

/** The default host is this machine. @throws CliError (usage) for an address without a port. */
export function parseGdbAddress(text: string): StubAddress {
  const [, v6, plain, port] = /^gdb:\/\/(?:\[([0-9a-f:.]+)\]|([^:/[\]@]*)):(\d+)\/?$/i.exec(text) ?? [];
  const number = Number(port);
  if (port === undefined || number < 1 || number > 0xffff) {
    throw usageError(
      `'${text}' names no gdb stub`,
      'gdb://localhost:1234 is one; QEMU listens there with -s, and elsewhere with -gdb tcp::PORT',
    );
  }
  return { host: v6 ?? (plain || 'localhost'), port: number, name: text };
}

/** A map request as a target: it is carried out, and its tables are walked as hardware would. */
import { createMachine } from '../../machine/machine.ts';
import { registersOfOptions } from '../input/registers.ts';
import { parseRequest } from '../input/request.ts';
import { usageError } from '../io.ts';
import { performOrRefuse } from '../run/perform.ts';
import type { TargetOptions } from './options.ts';
import { said, securityOf } from './parts.ts';
import type { Target } from './target.ts';

/** @throws CliError (input) for a malformed request, or one that has no tables; (usage) for options that are for images. */
export function requestTarget(json: unknown, file: string, options: TargetOptions): Target {
  for (const option of ['sid', 'ssid', 'row'] as const) {
    if (options[option] !== undefined) throw usageError(`--${option} is for images; ${file} is not one`);
  }
  const given = Object.keys(registersOfOptions({ ...options }));
  if (
    options.registers !== undefined ||
    options.regime !== undefined ||
    options.stage !== undefined ||
    given.length > 0
  ) {
    throw usageError(
      `${file} is a request: its registers come from the tables that it makes`,
      'register values are for memory images',
    );
  }
  const request = parseRequest(json, file);
  const { domain, outcomes } = performOrRefuse(request, file);
  const { regime, registers, cpu } = domain.registers.hardware;
  const machine = { memory: domain.memory, regime, registers: { ...registers }, cpu, ...securityOf(options) };
  const undone = outcomes
    .map(({ ok, error, op }, i) => (ok ? '' : `ops[${i}] ${op.op}: ${error?.message ?? 'not done in full'}`))
    .filter(Boolean);
  return {
    name: request.name ?? file,
    regime,
    walker: said(file, () => createMachine(machine))(),
    machine,
    stream: {},
    dumped: false,
    undone,
    warnings: undone,
  };
}

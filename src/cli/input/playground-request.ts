/** A map request as the question of the explorer's playground. What the playground can't ask is refused. */

import { configurationOf, type Playground } from '../../explore/playground.ts';
import { FormatError } from '../../index.ts';
import type { TableFormat } from '../../pagetable/format.ts';
import { ADDRESS_BITS, GRANULES, OFFERED } from '../../study/combinations.ts';
import { sizeText } from '../../text/numbers.ts';
import { type CliError, inputError } from '../io.ts';
import type { MapRequest } from './request.ts';

const STAGES = { arm_64_lpae_s1: 's1', arm_64_lpae_s2: 's2' } as const;

/** @throws CliError (input) that says what of the request the playground can't ask. */
export function playgroundOf(request: MapRequest, source: string): Playground {
  const refused = (why: string): CliError =>
    inputError(
      `${source}: ${why}`,
      'the explorer takes one map_sg for arm_64_lpae_s1 or arm_64_lpae_s2 of 48 bits',
    );
  const stage = STAGES[request.format.name as keyof typeof STAGES];
  if (stage === undefined) throw refused(`format ${request.format.name} has no playground`);
  const [op, ...more] = request.ops;
  if (op?.op !== 'map_sg' || more.length > 0 || request.dma !== undefined) {
    throw refused('it asks for something else than one map_sg');
  }
  const cpuPage = GRANULES.find((one) => BigInt(one) === request.cpuPageSize);
  if (cpuPage === undefined)
    throw refused(`cpu_page_size ${sizeText(request.cpuPageSize)} is not 4K, 16K or 64K`);
  const { quirks = [], reserved = [], concatenation, linux } = request.options;
  if (quirks.length + reserved.length > 0 || (concatenation ?? linux) !== undefined) {
    throw refused('quirks, reserved ranges and versions of Linux have no place in a playground');
  }
  const format = configured(request, refused);
  const granule = GRANULES.find((one) => one === 2 ** format.granuleLog2)!;
  const sg = op.sg.map((entry) =>
    'phys' in entry
      ? { phys: BigInt(entry.phys), length: BigInt(entry.length) }
      : { phys: BigInt(entry.page) + BigInt(entry.offset ?? 0), length: BigInt(entry.length) },
  );
  const asked = { cpuPage, granule, stage, semantics: request.semantics, iova: op.iova, sg };
  for (const sizes of OFFERED) {
    const { format: module, request: like } = configurationOf({ ...asked, sizes });
    if (isAlike(module.configure(like), format)) return { ...asked, sizes };
  }
  throw refused(
    'its leaf sizes, address sizes or features are none of pages, blocks, or blocks and contiguous runs of 48 bits',
  );
}

function configured({ format, options }: MapRequest, refused: (why: string) => CliError): TableFormat {
  try {
    return format.configure(options);
  } catch (error) {
    if (error instanceof FormatError) throw refused(error.message);
    throw error;
  }
}

function isAlike(a: TableFormat, b: TableFormat): boolean {
  const features = ({ features: list = [] }: TableFormat) => [...list].sort().join();
  return (
    a.granuleLog2 === b.granuleLog2 &&
    a.pgsizeBitmap === b.pgsizeBitmap &&
    a.ias === ADDRESS_BITS &&
    b.ias === ADDRESS_BITS &&
    a.oas === b.oas &&
    features(a) === features(b)
  );
}

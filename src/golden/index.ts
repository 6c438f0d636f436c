/**
 * Golden files (`pgtable-golden/1`, `pgtable-dma/1`, `pgtable-trace/1`) of every kind: what `lpae/golden` exports.
 *
 * @example
 * import { checkGolden } from 'lpae/golden';
 *
 * const { checked, differences } = checkGolden({
 *   schema: 'pgtable-golden/1', kind: 'image', name: 'a block of 1 GiB', producer: 'by hand', regime: 'el1&0',
 *   cpu: { model: 'cortex-a72', pa_bits: 44 }, ram: { base: '0x80000000', size: '0x1000' },
 *   registers: { ttbr0: '0x80000000', tcr: '0x280803519', mair: '0xff' },
 *   memory: [{ pa: '0x80000000', words64: { 16: '0xc0000701' } }], // by byte within it
 *   translations: [{ va: '0x81234567', access: 'read', el: 1, pa: '0xc1230000' }], // not so
 * });
 * console.log(checked, differences[0]?.where); // 1 translations[0].pa
 * console.log(differences[0]?.got); // pa 0xc1234567 attr 0xff sh 3 level 1
 */

import { HITLESS_SCHEMA, MUTATIONS_SCHEMA } from '../trace/index.ts';
import { checkCreation } from './creation.ts';
import { checkDma } from './dma.ts';
import { checkImage } from './image.ts';
import { checkOps } from './ops.ts';
import { type CheckLimits, GoldenFileError, type GoldenResult } from './result.ts';
import { checkMutations, checkSmmuTrace, checkTransitions } from './smmu-trace.ts';

export { type CheckLimits, type Difference, GoldenFileError, type GoldenResult } from './result.ts';

/**
 * Checks a golden file by its kind: `ops`, `image`, `dma`, `smmuv3`, a list of table creations, of mutated traces or of changed structures.
 * @param limits - how large its tables may be.
 * @throws GoldenFileError when `json` is not a golden file, says something that is not known here, says nothing at all, or is beyond the limits.
 */
export function checkGolden(json: unknown, limits: CheckLimits = {}): GoldenResult {
  const result = checkerOf(json)(json, limits);
  if (result.checked === 0) throw new GoldenFileError('file: holds no fact to check');
  return result;
}

function checkerOf(json: unknown): (json: unknown, limits: CheckLimits) => GoldenResult {
  if (Array.isArray(json)) return isList(json, HITLESS_SCHEMA) ? checkTransitions : checkCreation;
  if (typeof json !== 'object' || json === null) {
    throw new GoldenFileError('file: expected a JSON object or a list of table creations');
  }
  const kind = 'kind' in json ? json.kind : undefined;
  if (kind === 'ops') return checkOps;
  if (kind === 'image') return checkImage;
  if (kind === 'dma') return checkDma;
  if (kind === 'smmuv3') return checkSmmuTrace;
  if ('schema' in json && json.schema === MUTATIONS_SCHEMA) return checkMutations;
  if ('schema' in json && json.schema === 'pgtable-scatterlists/1') {
    throw new GoldenFileError(
      'schema: pgtable-scatterlists/1 holds requests and no answers; lpae replay runs them',
    );
  }
  throw new GoldenFileError(
    `kind: ${JSON.stringify(kind)} is not a kind of golden file known here; ops, image, dma and smmuv3 are`,
  );
}

/** Whether a list's first member has a schema. */
function isList([first]: readonly unknown[], schema: string): boolean {
  return typeof first === 'object' && first !== null && 'schema' in first && first.schema === schema;
}
